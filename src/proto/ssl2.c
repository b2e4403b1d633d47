/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the hellos of SSLv2, and the SSLv2 format in which old clients said hello to newer servers.
 */
#include "proto/tls_hello.h"

enum {
    SSL2_CLIENT_HELLO = 1,
    SSL2_CLIENT_MASTER_KEY = 2,
    SSL2_SERVER_HELLO = 4,
    SSL2_CIPHER_SIZE = 3,
    CHALLENGE_MIN = 16, /* RFC 5246 E.2 */
    CHALLENGE_MAX = 32,
    TLS_RECORD_FIRST =
        20, /* content types of TLS records, which no SSLv2 record of ours may be taken for */
    TLS_RECORD_LAST = 24
};

/* 3-byte ids whose first byte is 0 are TLS suites. */
static uint32_t cipher_offers(struct slice ciphers)
{
    struct reader list = reader_of_slice(ciphers);
    uint32_t flags = 0;
    while (list.left) {
        uint32_t id = reader_u24(&list);
        if (!list.bad && id <= UINT16_MAX)
            flags = tls_cipher_offer(flags, (uint16_t)id);
    }
    return flags;
}

/*
 * msg_type, version, cipher_spec_length, session_id_length, challenge_length, cipher_specs,
 * session_id, challenge (draft-hickman-netscape-ssl-00 2.5, RFC 5246 E.2).
 */
enum tls_parse ssl2_parse_client_hello(struct slice body, struct tls_client_hello *out)
{
    *out = (struct tls_client_hello){.flags = TLS_SSL2_FORMAT};
    struct reader r = reader_of_slice(body);
    uint8_t type = reader_u8(&r);
    out->legacy_version = reader_u16(&r);
    uint16_t ciphers = reader_u16(&r), session_id = reader_u16(&r), challenge = reader_u16(&r);
    bool ok = type == SSL2_CLIENT_HELLO && ciphers && ciphers % SSL2_CIPHER_SIZE == 0 &&
              challenge >= CHALLENGE_MIN && challenge <= CHALLENGE_MAX;
    out->ciphers = reader_bytes(&r, ciphers);
    out->session_id = reader_bytes(&r, session_id);
    out->random = reader_bytes(&r, challenge);
    out->max_version = tls_legacy_offer(out->legacy_version);
    out->flags |= cipher_offers(out->ciphers);
    return ok && reader_done(&r) ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}

/* msg_type, session_id_hit, certificate_type, version, three lengths, certificate, cipher_specs,
 * connection_id (2.6). */
enum tls_parse ssl2_parse_server_hello(struct slice body, struct ssl2_server_hello *out)
{
    *out = (struct ssl2_server_hello){0};
    struct reader r = reader_of_slice(body);
    uint8_t type = reader_u8(&r);
    out->session_id_hit = reader_u8(&r) != 0;
    out->certificate_type = reader_u8(&r);
    out->version = reader_u16(&r);
    uint16_t certificate = reader_u16(&r), ciphers = reader_u16(&r), connection = reader_u16(&r);
    out->certificate = reader_bytes(&r, certificate);
    out->ciphers = reader_bytes(&r, ciphers);
    out->connection_id = reader_bytes(&r, connection);
    bool ok = type == SSL2_SERVER_HELLO && ciphers % SSL2_CIPHER_SIZE == 0;
    return ok && reader_done(&r) ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}

/* msg_type, cipher_kind, three lengths, clear_key, encrypted_key, key_arg (2.5). */
enum tls_parse ssl2_parse_client_master_key(struct slice body, uint32_t *cipher)
{
    struct reader r = reader_of_slice(body);
    uint8_t type = reader_u8(&r);
    *cipher = reader_u24(&r);
    uint16_t clear = reader_u16(&r), encrypted = reader_u16(&r), key_arg = reader_u16(&r);
    reader_skip(&r, clear);
    reader_skip(&r, encrypted);
    reader_skip(&r, key_arg);
    bool ok = type == SSL2_CLIENT_MASTER_KEY && reader_done(&r);
    return ok ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}

/* Bit 7 of the first byte: a 2-byte header. Without it bit 6 is the security escape, and the third
 * byte tells the padding (1.1). */
unsigned ssl2_record_header(struct slice input, uint16_t *length)
{
    struct reader r = reader_of_slice(input);
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    bool short_form = first & 0x80;
    uint8_t padding = short_form ? 0 : reader_u8(&r);
    bool tls = first >= TLS_RECORD_FIRST && first <= TLS_RECORD_LAST && second == 3;
    uint16_t told = (uint16_t)((first & (short_form ? 0x7f : 0x3f)) << 8 | second);
    bool whole = !r.bad && !tls && told > padding;
    *length = whole ? told : 0;
    if (!whole)
        return 0;
    return short_form ? 2 : 3;
}

bool ssl2_hello_possible(struct slice input)
{
    struct reader r = reader_of_slice(input);
    uint8_t first = reader_u8(&r), second = reader_u8(&r);
    if (!input.length || !(first & 0x80))
        return false;
    if (input.length >= 2 && ((first & 0x7f) << 8 | second) < 9 + SSL2_CIPHER_SIZE + CHALLENGE_MIN)
        return false;
    if (input.length >= 3 && reader_u8(&r) != SSL2_CLIENT_HELLO)
        return false;
    uint8_t major = reader_u8(&r), minor = reader_u8(&r);
    if (input.length >= 4 && major != 0 && major != 3)
        return false;
    return input.length < 5 || (major == 3 ? minor <= 4 : minor == 2);
}

bool ssl2_hello_plausible(struct slice input)
{
    return input.length >= 5 && ssl2_hello_possible(input);
}
