/* SPDX-License-Identifier: BSD-2-Clause */
/* JA3, JA3S and JA4 against published values: the JA3 README, the JA4 description, tshark on RFC
 * 8448. */
#include "proto/tls_fingerprint.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

static struct digests *digests;
static struct tls_client_hello client;
static struct tls_traits traits;
static char text[TLS_JA4];

static void parse(const char *version, const char *ciphers, const char *extensions)
{
    struct slice body = join(hex(version), hex(ZEROS_32 "00"));
    body = join(body, vector(2, hex(ciphers)));
    body = join(body, hex("01 00"));
    if (extensions)
        body = join(body, vector(2, hex(extensions)));
    tls_parse_client_hello(body, &client);
}

/* Each writes what it returns to `text`: "" where there is none. */
static const char *ja3_by(struct digests *by)
{
    uint8_t digest[DIGEST_MAX];
    *text = '\0';
    if (tls_client_traits(&client, &traits) && tls_ja3(&traits, by, digest))
        digest_hex(digest, DIGEST_MD5_SIZE, text);
    return text;
}

static const char *ja3(void)
{
    return ja3_by(digests);
}

static const char *ja3s_by(const struct tls_server_hello *server, struct digests *by)
{
    uint8_t digest[DIGEST_MAX];
    *text = '\0';
    if (tls_server_traits(server, &traits) && tls_ja3s(&traits, by, digest))
        digest_hex(digest, DIGEST_MD5_SIZE, text);
    return text;
}

static const char *ja4_by(struct digests *by)
{
    *text = '\0';
    if (tls_client_traits(&client, &traits))
        CHECK_INT(tls_ja4(&traits, by, text), *text != '\0');
    return text;
}

static const char *ja4(void)
{
    return ja4_by(digests);
}

static void test_ja3(void)
{
    /* 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0 */
    parse("0301", "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004",
          "0000 0006 0004 00 0001 61 000a 0008 0006 0017 0018 0019 000b 0002 01 00");
    CHECK_TEXT(ja3(), "ada70206e40642a3e4461f35503241d5");
    /* the same with GREASE everywhere */
    parse("0301", "3a3a 002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004 fafa",
          "1a1a 0000 0000 0006 0004 00 0001 61 000a 000a 0008 2a2a 0017 0018 0019 000b 0002 01 00 "
          "8a8a 0001 00");
    CHECK_TEXT(ja3(), "ada70206e40642a3e4461f35503241d5");
    /* 769,4-5-10-9-100-98-3-6-19-18-99,,, */
    parse("0301", "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063", NULL);
    CHECK_TEXT(ja3(), "de350869b8c85de67a350c8d186f11e6");
    parse("0301", "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063", "");
    CHECK_TEXT(ja3(), "de350869b8c85de67a350c8d186f11e6");
    CHECK_INT(tls_parse_client_hello(hex(RFC8448_CLIENT_HELLO), &client), TLS_PARSE_OK);
    CHECK_TEXT(ja3(), "da4dea34fe6d4ce5f0725df3f2682fa0");
}

static void test_ja3s(void)
{
    struct tls_server_hello server;
    tls_parse_server_hello(hex(RFC8448_SERVER_HELLO), &server);
    CHECK_TEXT(ja3s_by(&server, digests), "eb1d94daa7e0344597e756a1fb6e7054"); /* 771,4865,51-43 */
    tls_parse_server_hello(hex(RFC8448_HELLO_RETRY), &server);
    CHECK_TEXT(ja3s_by(&server, digests), "5e782992dd22a63dd5c0ebc97e3f3843"); /* 771,4865,51-44-43 */
    CHECK_TEXT(ja3s_by(&server, NULL), "");
}

#define JA4_CIPHERS    "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
#define JA4_FIRST      "001b 0000 0000 0006 0004 00 0001 61 0033 0002 0000 "
#define JA4_ALPN       "0010 0005 0003 02 6832 "
#define JA4_MIDDLE     "4469 0000 0017 0000 002d 0002 0101 "
#define JA4_SIGNATURES "000d 0012 0010 0403 0804 0401 0503 0805 0501 0806 0601 "
#define JA4_LAST       "0005 0005 0100000000 0023 0000 0012 0000 "
#define JA4_VERSIONS   "002b 0005 04 0304 0303 "
#define JA4_END        "ff01 0001 00 000b 0002 0100 000a 0004 0002 001d 0015 0001 00"

static void test_ja4_published(void)
{
    parse("0303", JA4_CIPHERS,
          JA4_FIRST JA4_ALPN JA4_MIDDLE JA4_SIGNATURES JA4_LAST JA4_VERSIONS JA4_END);
    CHECK_TEXT(ja4(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    parse("0303", "baba" JA4_CIPHERS,
          "eaea 0000" JA4_FIRST JA4_ALPN JA4_MIDDLE
          "000d 0014 0012 9a9a 0403 0804 0401 0503 0805 0501 0806 0601 " JA4_LAST
          "002b 0007 06 fafa 0304 0303 " JA4_END "dada 0001 00");
    CHECK_TEXT(ja4(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    /* signature algorithms in the extension's place, but none in it: no underscore */
    parse("0303", JA4_CIPHERS,
          JA4_FIRST JA4_ALPN JA4_MIDDLE "000d 0002 0000 " JA4_LAST JA4_VERSIONS JA4_END);
    CHECK_TEXT(ja4(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
    /* their order counts; the one of the extensions does not */
    parse("0303", JA4_CIPHERS,
          JA4_END JA4_VERSIONS JA4_LAST JA4_SIGNATURES JA4_MIDDLE JA4_ALPN JA4_FIRST);
    CHECK_TEXT(ja4(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void test_ja4_empty(void)
{
    parse("0301", "", NULL);
    CHECK_TEXT(ja4(), "t10i000000_000000000000_000000000000");
    parse("0301", "0a0a", "0000 0006 0004 00 0001 61" JA4_ALPN);
    CHECK_TEXT(ja4(), "t10d0002h2_000000000000_000000000000");
}

static void test_ja4_alpn(void)
{
    static const struct {
        const char *extension, *expected;
    } cases[] = {
        {JA4_ALPN, "h2"},
        {"0010 000b 0009 08 687474702f312e31", "h1"}, /* http/1.1 */
        {"0010 0004 0002 01 68", "hh"},
        {"0010 0004 0002 01 ab", "ab"},
        {"0010 0005 0003 02 abcd", "ad"},
        {"0010 0005 0003 02 30ab", "3b"},
        {"0010 0007 0005 04 3031abcd", "3d"},
        {"0010 0007 0005 04 30abcd31", "01"},
        {"0010 0005 0003 02 7a7b", "7b"}, /* just outside each range */
        {"0010 0005 0003 02 5a40", "50"},
        {"0010 0005 0003 02 2f39", "29"},
        {"0010 0005 0003 02 613a", "6a"},
        {"0010 0005 0003 02 605b", "6b"},
        {"0010 0005 0003 02 415a", "AZ"},
        {"0010 0005 0003 02 0a68", "08"},
        {"0010 0002 0000", "00"},
        {"0010 0005 0003 00 0168", "00"}, /* the first is empty */
        {"", "00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse("0303", "1301", cases[i].extension);
        char alpn[3] = {ja4()[8], ja4()[9], '\0'};
        CHECK_TEXT(alpn, cases[i].expected);
    }
}

static void test_ja4_version(void)
{
    static const struct {
        const char *version, *extension, *expected;
    } cases[] = {
        {"0304", "", "t13"},
        {"0303", "", "t12"},
        {"0302", "", "t11"},
        {"0301", "", "t10"},
        {"0300", "", "ts3"},
        {"0002", "", "ts2"},
        {"feff", "", "td1"},
        {"fefd", "", "td2"},
        {"fefc", "", "td3"},
        {"0305", "", "t00"},
        {"0303", "002b 0005 04 0301 0302", "t11"}, /* the extension wins */
        {"0303", "002b 0007 06 aaaa 0304 0303", "t13"},
        {"0303", "002b 0005 04 7f17 0303", "t00"}, /* the highest value, known or not */
        {"0303", "002b 0001 00", "t00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse(cases[i].version, "1301", cases[i].extension);
        ja4();
        text[3] = '\0';
        CHECK_TEXT(text, cases[i].expected);
    }
}

/* Counts end at 99, the hash goes on: here over 0001 to 0080 (hex), given backwards. SHA-256 by
 * sha256sum. */
static void test_ja4_many(void)
{
    char ciphers[5 * 128 + 1], extensions[9 * 128 + 1];
    for (unsigned i = 0; i < 128; i++) {
        snprintf(ciphers + 4 * i, 5, "%04x", 128 - i);
        snprintf(extensions + 8 * i, 9, "%04x0000", 0x1100 + 128 - i);
    }
    parse("0303", ciphers, extensions);
    CHECK_TEXT(ja4(), "t12i999900_6ac02bb14d80_252362fc7923");
}

/* The longest lists that a hello can hold. */
static void test_ja4_longest(void)
{
    static uint8_t ids[65534];
    for (size_t i = 0; i < sizeof ids; i++)
        ids[i] = (uint8_t)(i * 37 >> 3);
    client =
        (struct tls_client_hello){.legacy_version = 0x0303, .ciphers = block_of(ids, sizeof ids)};
    client.extensions = client.ciphers;
    CHECK_INT(strlen(ja4()), 36);
    CHECK_INT(strlen(ja3()), 32);
}

static void test_none(void)
{
    ssl2_parse_client_hello(hex("01 0301 0003 0000 0010 00002f 000102030405060708090a0b0c0d0e0f"),
                            &client);
    CHECK_INT(tls_client_traits(&client, &traits), false);
    struct tls_server_hello server;
    tls_parse_server_hello(head(hex(RFC8448_SERVER_HELLO), 60), &server);
    CHECK_TEXT(ja3s_by(&server, digests), "");
    tls_parse_client_hello(head(hex(RFC8448_CLIENT_HELLO), 100), &client);
    CHECK_INT(tls_client_traits(&client, &traits), false);
    parse("0303", JA4_CIPHERS, JA4_END);
    CHECK_TEXT(ja3_by(NULL), "");
    CHECK_TEXT(ja4_by(NULL), "");
    parse("0303", "", NULL);
    CHECK_TEXT(ja4_by(NULL), "");
}

static size_t pack(uint8_t out[1024])
{
    CHECK_INT(tls_client_traits(&client, &traits), true);
    return tls_traits_pack(&traits, out, 1024);
}

/* Whatever changes a fingerprint changes the traits; what changes none of them (GREASE among the extensions, a name) does not. */
static void test_traits(void)
{
#define FIRST "000a 0004 0002 0017 000b 0002 01 00 000d 0004 0002 0403 002b 0003 02 0303"
    static const struct {
        const char *version, *ciphers, *extensions;
    } others[] = {
        {"0302", "c02f", FIRST},
        {"0303", "c030", FIRST},
        {"0303", "c02f c02f", FIRST},
        {"0303", "c02f", FIRST "0017 0000"},
        {"0303", "c02f", FIRST "0000 0006 0004 00 0001 61"},
        {"0303", "c02f", FIRST JA4_ALPN},
        {"0303", "c02f", "000a 0004 0002 0018 000b 0002 01 00 000d 0004 0002 0403 002b 0003 02 0303"},
        {"0303", "c02f", "000a 0004 0002 0017 000b 0002 01 01 000d 0004 0002 0403 002b 0003 02 0303"},
        {"0303", "c02f", "000a 0004 0002 0017 000b 0002 01 00 000d 0004 0002 0503 002b 0003 02 0303"},
        {"0303", "c02f", "000a 0004 0002 0017 000b 0002 01 00 000d 0004 0002 0403 002b 0003 02 0304"},
        {"0303", "c02f", "000b 0002 01 00 000a 0004 0002 0017 000d 0004 0002 0403 002b 0003 02 0303"},
    };
    uint8_t first[1024], other[1024];
    parse("0303", "c02f", FIRST);
    size_t length = pack(first);
    CHECK(length > 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        parse(others[i].version, others[i].ciphers, others[i].extensions);
        CHECK(pack(other) != length || memcmp(first, other, length) != 0);
    }
    parse("0303", "c02f", "1a1a 0000" FIRST);
    CHECK_INT(pack(other), length);
    CHECK(memcmp(first, other, length) == 0);
    CHECK_INT(tls_traits_pack(&traits, other, length - 1), 0);
    CHECK_INT(tls_traits_pack(&traits, other, 4), 0);
}

int main(void)
{
    digests = digests_new();
    CHECK(digests != NULL);
    test_ja3();
    test_ja3s();
    test_ja4_published();
    test_ja4_empty();
    test_ja4_alpn();
    test_ja4_version();
    test_ja4_many();
    test_ja4_longest();
    test_none();
    test_traits();
    digests_free(digests);
    hex_free();
    return TEST_END();
}
