/* SPDX-License-Identifier: BSD-2-Clause */
/* ServerKeyExchange: the group, or the size of the prime, for each kind of key exchange. */
#include "proto/tls_hello.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

#define SIGNED_12 " 0401 0002 aabb"
#define SIGNED_10 " 0002 aabb"

struct exchange_case {
    uint16_t version, cipher;
    const char *body;
    uint16_t group, prime_bits;
    enum tls_parse parse;
};

static const struct exchange_case cases[] = {
    /* ECDHE: named curve, signed as TLS 1.2 and as TLS 1.0 do */
    {0x0303, 0xc02f, "03 001d 02 aabb" SIGNED_12, 0x001d, 0, TLS_PARSE_OK},
    {0x0301, 0xc013, "03 0017 02 aabb" SIGNED_10, 0x0017, 0, TLS_PARSE_OK},
    {0x0301, 0xc013, "03 0017 02 aabb" SIGNED_12, 0x0017, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "03 001d 02 aabb" SIGNED_10, 0x001d, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "03 001d 02 aabb" SIGNED_12 "00", 0x001d, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "03 001d 03 aabb", 0x001d, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "03 00", 0, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "", 0, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc02f, "04 001d 02 aabb" SIGNED_12, 0, 0,
     TLS_PARSE_MALFORMED}, /* no such curve type */
    {0x0303, 0xc02f, "04 00" SIGNED_12, 0, 0, TLS_PARSE_MALFORMED},
    /* explicit curves (RFC 4492 5.4): prime, trinomial, pentanomial, neither */
    {0x0303, 0xc02f, "01 01aa 01aa 01aa 01aa 01aa 01aa 01aa" SIGNED_12, 0, 0, TLS_PARSE_OK},
    {0x0303, 0xc02f, "02 00a3 01 01aa 01aa 01aa 01aa 01aa 01aa 01aa" SIGNED_12, 0, 0, TLS_PARSE_OK},
    {0x0303, 0xc02f, "02 00a3 02 01aa 01aa 01aa 01aa 01aa 01aa 01aa 01aa 01aa" SIGNED_12, 0, 0,
     TLS_PARSE_OK},
    {0x0303, 0xc02f, "02 00a3 03 01aa 01aa 01aa 01aa 01aa 01aa 01aa" SIGNED_12, 0, 0,
     TLS_PARSE_MALFORMED},
    /* anonymous and PSK: no signature; PSK: the hint first */
    {0x0303, 0xc018, "03 0018 02 aabb", 0x0018, 0, TLS_PARSE_OK},
    {0x0303, 0xc018, "03 0018 02 aabb" SIGNED_12, 0x0018, 0, TLS_PARSE_MALFORMED},
    {0x0303, 0xc037, "0003 414243 03 001d 02 aabb", 0x001d, 0, TLS_PARSE_OK},
    {0x0303, 0xc037, "0000 03 001d 02 aabb", 0x001d, 0, TLS_PARSE_OK},
    {0x0303, 0x00aa, "0001 41 0002 8001 0001 02 0002 aabb", 0, 16, TLS_PARSE_OK},
    {0x0303, 0xc0aa, "0001 41 0002 8001 0001 02 0002 aabb", 0, 16,
     TLS_PARSE_OK}, /* the name says PSK_DHE */
    /* DHE: the size of the prime */
    {0x0303, 0x0033, "0002 8001 0001 02 0002 aabb" SIGNED_12, 0, 16, TLS_PARSE_OK},
    {0x0301, 0x0033, "0002 0101 0001 02 0002 aabb" SIGNED_10, 0, 9, TLS_PARSE_OK},
    {0x0300, 0x0014, "0004 00000001 0001 02 0002 aabb" SIGNED_10, 0, 1, TLS_PARSE_OK},
    {0x0301, 0x0033, "0003 000000 0001 02 0002 aabb" SIGNED_10, 0, 0, TLS_PARSE_OK},
    {0x0301, 0x0034, "0002 4001 0001 02 0002 aabb", 0, 15, TLS_PARSE_OK}, /* DH_anon */
    {0x0301, 0x0033, "0003 8001", 0, 0, TLS_PARSE_MALFORMED},
    {0x0301, 0x0033, "0002 8001 0001", 0, 16, TLS_PARSE_MALFORMED},
    /* others say nothing that is read: RSA_EXPORT, RSA_PSK, static ECDH, SRP, unknown, 1.3 */
    {0x0301, 0x0003, "0002 aabb", 0, 0, TLS_PARSE_OK},
    {0x0303, 0x00ac, "0001 41", 0, 0, TLS_PARSE_OK},
    {0x0303, 0xc004, "03 001d 02 aabb", 0, 0, TLS_PARSE_OK},
    {0x0303, 0xc01d, "00", 0, 0, TLS_PARSE_OK},
    {0x0303, 0x9999, "03 001d 02 aabb", 0, 0, TLS_PARSE_OK},
    {0x0304, 0x1301, "", 0, 0, TLS_PARSE_OK},
};

static void test_long_prime(void)
{
    struct tls_key_exchange out;
    static uint8_t prime[UINT16_MAX];
    memset(prime, 0xff, sizeof prime);
    struct slice rest = hex("0001 02 0001 03" SIGNED_10);
    struct slice body = join(vector(2, block_of(prime, 256)), rest);
    CHECK_INT(tls_parse_server_key_exchange(body, 0x0301, 0x0033, &out), TLS_PARSE_OK);
    CHECK_INT(out.prime_bits, 2048);
    body = join(vector(2, block_of(prime, sizeof prime)), rest);
    CHECK_INT(tls_parse_server_key_exchange(body, 0x0301, 0x0033, &out), TLS_PARSE_OK);
    CHECK_INT(out.prime_bits, UINT16_MAX); /* 524280 */
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct exchange_case *c = &cases[i];
        struct tls_key_exchange out;
        CHECK_INT(tls_parse_server_key_exchange(hex(c->body), c->version, c->cipher, &out),
                  c->parse);
        CHECK_INT(out.group, c->group);
        CHECK_INT(out.prime_bits, c->prime_bits);
    }
    test_long_prime();
    hex_free();
    return TEST_END();
}
