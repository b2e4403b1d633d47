/* SPDX-License-Identifier: BSD-2-Clause */
/* SSLv2: its hellos, the SSLv2-format hello of later versions, record headers. */
#include "proto/tls_hello.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

#define CHALLENGE "000102030405060708090a0b0c0d0e0f"

static struct tls_client_hello client;

static void test_client_hello(void)
{
    static const struct {
        const char *body;
        uint16_t max_version;
        uint32_t flags;
        enum tls_parse parse;
    } cases[] = {
        /* SSLv2 proper */
        {"01 0002 0006 0000 0010 010080 0700c0" CHALLENGE, 0x0002, 0, TLS_PARSE_OK},
        /* the SSLv2 format: TLS suites, whose first byte is 0 */
        {"01 0301 0006 0000 0010 000033 010080" CHALLENGE, 0x0301, TLS_OFFERS_FORWARD_SECRECY,
         TLS_PARSE_OK},
        {"01 0303 0009 0000 0010 00002f 0000ff 005600" CHALLENGE, 0x0303,
         TLS_HAS_RENEGOTIATION_INFO | TLS_HAS_FALLBACK_SCSV, TLS_PARSE_OK},
        {"01 0304 0003 0000 0010 00002f" CHALLENGE, 0x0303, 0,
         TLS_PARSE_OK}, /* 1.3 cannot be had so */
        {"01 0301 0003 0010 0010 00002f" CHALLENGE CHALLENGE, 0x0301, 0,
         TLS_PARSE_OK}, /* session id */
        {"01 0301 0003 0000 0020 00002f" CHALLENGE CHALLENGE, 0x0301, 0, TLS_PARSE_OK},
        {"01 1234 0003 0000 0010 00002f" CHALLENGE, 0, 0, TLS_PARSE_OK},
        {"02 0301 0003 0000 0010 00002f" CHALLENGE, 0x0301, 0, TLS_PARSE_MALFORMED},
        {"01 0301 0000 0000 0010 " CHALLENGE, 0x0301, 0, TLS_PARSE_MALFORMED},
        {"01 0301 0004 0000 0010 00003300" CHALLENGE, 0x0301, TLS_OFFERS_FORWARD_SECRECY,
         TLS_PARSE_MALFORMED},
        {"01 0301 0003 0000 000f 00002f" CHALLENGE, 0x0301, 0,
         TLS_PARSE_MALFORMED}, /* challenge of 15, 1 over */
        {"01 0301 0003 0000 0021 00002f 00" CHALLENGE CHALLENGE, 0x0301, 0,
         TLS_PARSE_MALFORMED}, /* of 33 */
        {"01 0301 0003 0000 0010 00002f" CHALLENGE "00", 0x0301, 0, TLS_PARSE_MALFORMED},
        {"01 0301 0003 0000 0011 00002f" CHALLENGE, 0x0301, 0, TLS_PARSE_MALFORMED},
        {"01 0301 ff00 0000 0010 00002f" CHALLENGE, 0x0301, 0, TLS_PARSE_MALFORMED},
        {"", 0, 0, TLS_PARSE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(ssl2_parse_client_hello(hex(cases[i].body), &client), cases[i].parse);
        CHECK_INT(client.max_version, cases[i].max_version);
        CHECK_INT(client.flags, cases[i].flags | TLS_SSL2_FORMAT);
    }
    CHECK_INT(ssl2_parse_client_hello(hex("01 0301 0006 0002 0010 00002f 010080 aabb" CHALLENGE),
                                      &client),
              TLS_PARSE_OK);
    CHECK(same(client.ciphers, "00002f 010080"));
    CHECK(same(client.session_id, "aabb"));
    CHECK(same(client.random, CHALLENGE));
    CHECK_INT(client.extensions.length, 0);
}

static void test_server_hello(void)
{
    struct ssl2_server_hello server;
    const char *body = "04 01 01 0002 0003 0006 0002 aabbcc 010080 0700c0 1122";
    CHECK_INT(ssl2_parse_server_hello(hex(body), &server), TLS_PARSE_OK);
    CHECK_INT(server.version, 2);
    CHECK_INT(server.session_id_hit, true);
    CHECK_INT(server.certificate_type, 1);
    CHECK(same(server.certificate, "aabbcc"));
    CHECK(same(server.ciphers, "010080 0700c0"));
    CHECK(same(server.connection_id, "1122"));
    struct slice whole = hex(body);
    for (size_t length = 0; length < whole.length; length++)
        CHECK_INT(ssl2_parse_server_hello(head(whole, length), &server), TLS_PARSE_MALFORMED);
    CHECK(same(server.certificate, "aabbcc"));
    CHECK_INT(server.connection_id.length, 0);
    CHECK_INT(ssl2_parse_server_hello(hex("04 00 00 0002 0000 0000 0000"), &server), TLS_PARSE_OK);
    CHECK_INT(server.session_id_hit, false);
    CHECK_INT(ssl2_parse_server_hello(hex("04 00 00 0002 0000 0000 0000 00"), &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(ssl2_parse_server_hello(hex("04 00 00 0002 0000 0002 0000 0100"), &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(ssl2_parse_server_hello(hex("01 00 00 0002 0000 0000 0000"), &server),
              TLS_PARSE_MALFORMED);
}

static void test_client_master_key(void)
{
    uint32_t cipher;
    struct slice whole = hex("02 0700c0 0001 0002 0003 aa bbbb cccccc");
    CHECK_INT(ssl2_parse_client_master_key(whole, &cipher), TLS_PARSE_OK);
    CHECK_INT(cipher, 0x0700c0);
    for (size_t length = 0; length < whole.length; length++) {
        CHECK_INT(ssl2_parse_client_master_key(head(whole, length), &cipher), TLS_PARSE_MALFORMED);
        CHECK_INT(cipher, length >= 4 ? 0x0700c0 : 0);
    }
    CHECK_INT(ssl2_parse_client_master_key(hex("02 010080 0000 0000 0000 00"), &cipher),
              TLS_PARSE_MALFORMED);
    CHECK_INT(ssl2_parse_client_master_key(hex("01 010080 0000 0000 0000"), &cipher),
              TLS_PARSE_MALFORMED);
}

static void test_record_header(void)
{
    static const struct {
        const char *bytes;
        unsigned size;
        uint16_t length;
    } cases[] = {
        {"802e 01", 2, 0x2e},   {"802e", 2, 0x2e},      {"ffff", 2, 0x7fff},
        {"8000", 0, 0},         {"80", 0, 0},           {"", 0, 0},
        {"0010 04", 3, 0x10},   {"4010 00", 3, 0x10}, /* escape */
        {"7fff 00", 3, 0x3fff}, {"0010", 0, 0},         {"0010 10", 0, 0},
        {"0000 00", 0, 0},      {"1603 01", 0, 0},      {"1503 03", 0, 0},
        {"1903 03", 3, 0x1903}, {"1602 01", 3, 0x1602},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t length;
        CHECK_INT(ssl2_record_header(hex(cases[i].bytes), &length), cases[i].size);
        CHECK_INT(length, cases[i].length); /* 0 where there is no header (yet) */
    }
}

static void test_hello_plausible(void)
{
    static const struct {
        const char *bytes;
        bool possible;
    } cases[] = {
        {"", false},
        {"80", true},
        {"16", false},
        {"802e", true},
        {"801b", false},
        {"801c", true},
        {"802e01", true},
        {"802e04", false},
        {"802e0103", true},
        {"802e0100", true},
        {"802e0102", false},
        {"802e010301", true},
        {"802e010304", true},
        {"802e010305", false},
        {"802e010002", true},
        {"802e010001", false},
        {"802e01030100ff", true},
        {"45484c4f20", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bytes = hex(cases[i].bytes);
        CHECK_INT(ssl2_hello_possible(bytes), cases[i].possible);
        CHECK_INT(ssl2_hello_plausible(bytes), cases[i].possible && bytes.length >= 5); /* length, type and version are there */
    }
}

int main(void)
{
    test_client_hello();
    test_server_hello();
    test_client_master_key();
    test_record_header();
    test_hello_plausible();
    hex_free();
    return TEST_END();
}
