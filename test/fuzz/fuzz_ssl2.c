/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks the parsers of SSLv2 and ssl2_record_header. Input: a record or the body of a message. */
#include "fuzz_tls_tally.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"

static void tally_ciphers(struct slice ciphers)
{
    struct reader list = reader_of_slice(ciphers);
    tally(ciphers);
    while (list.left) {
        uint32_t id = reader_u24(&list);
        must((ssl2_cipher_name(id) != NULL) == (ssl2_cipher_traits(id) != 0));
    }
}

static void attack(struct slice body)
{
    struct tls_client_hello client;
    struct ssl2_server_hello server;
    uint32_t cipher;
    ssl2_parse_client_hello(body, &client);
    must(client.flags & TLS_SSL2_FORMAT);
    tally(client.random);
    tally(client.session_id);
    tally_ciphers(client.ciphers);
    ssl2_parse_server_hello(body, &server);
    tally(server.certificate);
    tally(server.connection_id);
    tally_ciphers(server.ciphers);
    ssl2_parse_client_master_key(body, &cipher);
    must(cipher <= 0xffffff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {.data = data, .length = size};
    uint16_t length;
    attack(input);
    unsigned header = ssl2_record_header(input, &length);
    must(header == 0 || header == 2 || header == 3);
    must(!ssl2_hello_possible(input) || header == 2 || size < 2);
    must(!ssl2_hello_plausible(input) || (header == 2 && size >= 5));
    if (header) {
        struct reader r = reader_of_slice(input);
        reader_skip(&r, header);
        attack(reader_bytes(&r, length < r.left ? length : r.left));
    }
    return 0;
}
