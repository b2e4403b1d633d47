/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks tls_parse_server_hello, tls_parse_hello_retry_draft, tls_parse_server_key_exchange,
 * tls_sentinel and tls_ja3s. Input: the body of the message; the first 4 bytes of it also are
 * version and suite for the key exchange.
 */
#include "fuzz_tls_tally.h"
#include "proto/tls_fingerprint.h"

static void tally_hello(const struct tls_server_hello *hello, struct digests *digests)
{
    static struct tls_traits traits;
    uint8_t ja3s[DIGEST_MAX];
    tally(hello->random);
    tally(hello->session_id);
    tally(hello->extensions);
    tally(hello->alpn);
    tally_sum += (uint32_t)hello->version + hello->cipher + hello->group + tls_sentinel(hello->random);
    bool whole = !(hello->flags & TLS_INCOMPLETE);
    must(tls_server_traits(hello, &traits) == whole);
    must(!whole || tls_ja3s(&traits, digests, ja3s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct digests *digests;
    struct slice body = {.data = data, .length = size};
    struct tls_server_hello hello;
    struct tls_key_exchange exchange;
    if (!digests)
        digests = digests_new();
    tls_parse_server_hello(body, &hello);
    tally_hello(&hello, digests);
    tls_parse_hello_retry_draft(body, &hello);
    must(hello.hello_retry);
    tally_hello(&hello, digests);
    struct reader r = reader_of_slice(body);
    uint16_t version = reader_u16(&r), cipher = reader_u16(&r);
    tls_parse_server_key_exchange(reader_rest(&r), version, cipher, &exchange);
    must(!exchange.group || !exchange.prime_bits);
    return 0;
}
