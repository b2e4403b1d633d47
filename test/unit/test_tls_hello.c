/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHello, ServerHello and HelloRetryRequest: RFC 8448's, and every way to break one. */
#include "proto/tls_hello.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

#define CLIENT_START "0303" ZEROS_32 "00 0002 c02f 01 00 "

static struct tls_client_hello client;
static struct tls_server_hello server;

/* A ClientHello of one suite with these extensions. */
static enum tls_parse client_with(const char *extensions)
{
    struct slice body = join(hex(CLIENT_START), vector(2, hex(extensions)));
    return tls_parse_client_hello(body, &client);
}

static enum tls_parse server_with(const char *extensions)
{
    struct slice body = join(hex("0303" ZEROS_32 "00 1301 00"), vector(2, hex(extensions)));
    return tls_parse_server_hello(body, &server);
}

static void test_rfc8448_client(void)
{
    CHECK_INT(tls_parse_client_hello(hex(RFC8448_CLIENT_HELLO), &client), TLS_PARSE_OK);
    CHECK_INT(client.flags, TLS_HAS_EXTENSIONS | TLS_HAS_SERVER_NAME | TLS_HAS_RENEGOTIATION_INFO |
                                TLS_HAS_SESSION_TICKET | TLS_HAS_KEY_SHARE |
                                TLS_HAS_SUPPORTED_VERSIONS | TLS_OFFERS_FORWARD_SECRECY);
    CHECK_INT(client.legacy_version, 0x0303);
    CHECK_INT(client.max_version, 0x0304);
    CHECK(same(client.random, "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"));
    CHECK_INT(client.session_id.length, 0);
    CHECK(same(client.ciphers, "130113031302"));
    CHECK(same(client.compressions, "00"));
    CHECK_INT(client.extensions.length, 0x91);
    CHECK(same(client.versions, "0304"));
    CHECK(same(client.groups, "001d 0017 0018 0019 0100 0101 0102 0103 0104"));
    CHECK(same(client.key_shares,
               "001d 0020 99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c"));
    CHECK(same(client.signatures,
               "0403 0503 0603 0203 0804 0805 0806 0401 0501 0601 0201 0402 0502 0602 0202"));
    CHECK_INT(client.point_formats.length, 0);
    CHECK_INT(client.alpn.length, 0);
    CHECK(same(client.server_name, "736572766572"));
    CHECK_INT(client.record_size_limit, 0x4001);
    CHECK_INT(client.max_fragment, 0);
}

static void test_rfc8448_server(void)
{
    CHECK_INT(tls_parse_server_hello(hex(RFC8448_SERVER_HELLO), &server), TLS_PARSE_OK);
    CHECK_INT(server.flags, TLS_HAS_EXTENSIONS | TLS_HAS_KEY_SHARE | TLS_HAS_SUPPORTED_VERSIONS);
    CHECK_INT(server.legacy_version, 0x0303);
    CHECK_INT(server.version, 0x0304);
    CHECK_INT(server.cipher, 0x1301);
    CHECK_INT(server.group, 0x001d);
    CHECK_INT(server.compression, 0);
    CHECK_INT(server.hello_retry, false);
    CHECK(same(server.random, "a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928"));
    CHECK_INT(server.extensions.length, 0x2e);

    CHECK_INT(tls_parse_server_hello(hex(RFC8448_HELLO_RETRY), &server), TLS_PARSE_OK);
    CHECK_INT(server.hello_retry, true);
    CHECK_INT(server.group, 0x0017);
    CHECK_INT(server.version, 0x0304);
    CHECK_INT(server.flags,
              TLS_HAS_EXTENSIONS | TLS_HAS_KEY_SHARE | TLS_HAS_COOKIE | TLS_HAS_SUPPORTED_VERSIONS);
}

/* Every cut of a good hello is malformed, but for the one before the extensions; what was read
 * stays. */
static void test_every_prefix(void)
{
    struct slice whole = hex(RFC8448_CLIENT_HELLO);
    for (size_t length = 0; length < whole.length; length++) {
        enum tls_parse parse = tls_parse_client_hello(head(whole, length), &client);
        CHECK_INT(parse, length == 45 ? TLS_PARSE_OK : TLS_PARSE_MALFORMED);
        CHECK_INT(client.legacy_version, length >= 2 ? 0x0303 : 0);
        CHECK_INT(client.random.length, length >= 34 ? 32 : 0);
        CHECK_INT(client.ciphers.length, length >= 43 ? 6 : 0);
        CHECK_INT(client.extensions.length, 0);
        CHECK_INT(client.flags & TLS_INCOMPLETE, length == 45 ? 0 : TLS_INCOMPLETE);
    }
    whole = hex(RFC8448_SERVER_HELLO);
    for (size_t length = 0; length < whole.length; length++) {
        enum tls_parse parse = tls_parse_server_hello(head(whole, length), &server);
        CHECK_INT(parse, length == 38 ? TLS_PARSE_OK : TLS_PARSE_MALFORMED);
        CHECK_INT(server.cipher, length >= 37 ? 0x1301 : 0);
        CHECK_INT(server.version, length >= 2 ? 0x0303 : 0);
        CHECK_INT(server.flags & TLS_INCOMPLETE, length == 38 ? 0 : TLS_INCOMPLETE);
    }
}

static void test_frame(void)
{
    static const struct {
        const char *body;
        enum tls_parse expected;
    } cases[] = {
        {CLIENT_START, TLS_PARSE_OK},                  /* no extensions */
        {CLIENT_START "0000", TLS_PARSE_OK},           /* an empty block */
        {CLIENT_START "0000 00", TLS_PARSE_MALFORMED}, /* garbage after it */
        {CLIENT_START "0004 0017 0000 aa", TLS_PARSE_MALFORMED},
        {CLIENT_START "0003 0017 00", TLS_PARSE_MALFORMED},      /* half an extension */
        {CLIENT_START "0005 0017 0002 00", TLS_PARSE_MALFORMED}, /* longer than the block */
        {CLIENT_START "ff", TLS_PARSE_MALFORMED},
        {"0303" ZEROS_32 "00 0000 01 00", TLS_PARSE_MALFORMED},        /* no suites */
        {"0303" ZEROS_32 "00 0003 c02f00 01 00", TLS_PARSE_MALFORMED}, /* half a suite */
        {"0303" ZEROS_32 "00 0002 c02f 00", TLS_PARSE_MALFORMED},      /* no compression */
        {"0303" ZEROS_32 "20" ZEROS_32 "0002 c02f 01 00", TLS_PARSE_OK},
        {"0303" ZEROS_32 "21" ZEROS_32 "00 0002 c02f 01 00",
         TLS_PARSE_MALFORMED}, /* session id of 33 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(tls_parse_client_hello(hex(cases[i].body), &client), cases[i].expected);
    CHECK(same(client.ciphers, "c02f")); /* a fault, and still the rest is read */
    CHECK_INT(tls_parse_client_hello(
                  hex("0303" ZEROS_32 "21" ZEROS_32 "00 0002 c02f 01 00 0004 0017 0000"), &client),
              TLS_PARSE_MALFORMED);
    CHECK_INT(client.flags & TLS_HAS_EXTENDED_MASTER_SECRET, TLS_HAS_EXTENDED_MASTER_SECRET);
    CHECK_INT(client.flags & TLS_INCOMPLETE, 0);
    tls_parse_client_hello(hex(CLIENT_START "0005 0017 0002 00"), &client); /* within the block */
    CHECK_INT(client.flags & TLS_INCOMPLETE, TLS_INCOMPLETE);
    tls_parse_client_hello(hex(CLIENT_START "0004 0017 0000 aa"), &client);
    CHECK_INT(client.flags & TLS_HAS_EXTENDED_MASTER_SECRET, TLS_HAS_EXTENDED_MASTER_SECRET);
    tls_parse_client_hello(hex("0303" ZEROS_32 "00 0003 c02f00 01 00"), &client);
    CHECK_INT(client.flags & TLS_OFFERS_FORWARD_SECRECY, TLS_OFFERS_FORWARD_SECRECY);
}

static void test_client_flags(void)
{
    static const struct {
        const char *extensions;
        uint32_t flags;
        enum tls_parse parse;
    } cases[] = {
        {"0005 0005 0100000000", TLS_HAS_STATUS_REQUEST, TLS_PARSE_OK},
        {"000f 0001 01", TLS_HAS_HEARTBEAT, TLS_PARSE_OK},
        {"0016 0000", TLS_HAS_ENCRYPT_THEN_MAC, TLS_PARSE_OK},
        {"0016 0001 00", TLS_HAS_ENCRYPT_THEN_MAC, TLS_PARSE_MALFORMED},
        {"0017 0000", TLS_HAS_EXTENDED_MASTER_SECRET, TLS_PARSE_OK},
        {"0017 0001 00", TLS_HAS_EXTENDED_MASTER_SECRET, TLS_PARSE_MALFORMED},
        {"0023 0000", TLS_HAS_SESSION_TICKET, TLS_PARSE_OK},
        {"0023 0002 aabb", TLS_HAS_SESSION_TICKET | TLS_OFFERS_TICKET, TLS_PARSE_OK},
        {"0029 0002 aabb", TLS_HAS_PRE_SHARED_KEY, TLS_PARSE_OK},
        {"002a 0000", TLS_HAS_EARLY_DATA, TLS_PARSE_OK},
        {"002c 0003 0001aa", TLS_HAS_COOKIE, TLS_PARSE_OK},
        {"fe0d 0001 00", TLS_HAS_ENCRYPTED_CLIENT_HELLO, TLS_PARSE_OK},
        {"ff01 0001 00", TLS_HAS_RENEGOTIATION_INFO, TLS_PARSE_OK},
        {"1a1a 0000 fafa 0001 00 0039 0000 1234 0002 ffff", 0,
         TLS_PARSE_OK}, /* GREASE and unknown */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(client_with(cases[i].extensions), cases[i].parse);
        CHECK_INT(client.flags, cases[i].flags | TLS_HAS_EXTENSIONS | TLS_OFFERS_FORWARD_SECRECY);
        CHECK_INT(client.max_version, 0x0303);
    }
}

static void test_client_suites(void)
{
    static const struct {
        const char *body;
        uint32_t flags;
    } cases[] = {
        {"0301" ZEROS_32 "00 0002 002f 01 00", 0},
        {"0301" ZEROS_32 "00 0004 002f 00ff 01 00", TLS_HAS_RENEGOTIATION_INFO},
        {"0301" ZEROS_32 "00 0004 002f 5600 01 00", TLS_HAS_FALLBACK_SCSV},
        {"0301" ZEROS_32 "00 0004 002f 1301 01 00", TLS_OFFERS_FORWARD_SECRECY},
        {"0301" ZEROS_32 "00 0004 002f 0033 01 00", TLS_OFFERS_FORWARD_SECRECY},
        {"0301" ZEROS_32 "00 0004 002f c004 01 00", 0}, /* static ECDH */
        {"0301" ZEROS_32 "00 0004 002f 3a3a 01 00", 0}, /* GREASE */
        {"0301" ZEROS_32 "00 0002 002f 02 0100", TLS_OFFERS_COMPRESSION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(tls_parse_client_hello(hex(cases[i].body), &client), TLS_PARSE_OK);
        CHECK_INT(client.flags, cases[i].flags);
        CHECK_INT(client.max_version, 0x0301);
    }
}

static void test_client_versions(void)
{
    static const struct {
        const char *extensions;
        uint16_t max_version;
        enum tls_parse parse;
    } cases[] = {
        {"002b 0003 02 0304", 0x0304, TLS_PARSE_OK},
        {"002b 0007 06 0303 0302 0301", 0x0303, TLS_PARSE_OK},
        {"002b 0007 06 6a6a 0301 0303", 0x0303, TLS_PARSE_OK}, /* GREASE is no offer */
        {"002b 0007 06 7f17 0303 0302", 0x7f17, TLS_PARSE_OK}, /* draft 23 */
        {"002b 0007 06 7f1c 0304 7f17", 0x0304, TLS_PARSE_OK}, /* final above drafts */
        {"002b 0005 04 7f12 7f17", 0x7f17, TLS_PARSE_OK},
        {"002b 0005 04 fb1a 0303", 0xfb1a, TLS_PARSE_OK}, /* Facebook */
        {"002b 0005 04 7e02 0303", 0x7e02, TLS_PARSE_OK}, /* BoringSSL */
        {"002b 0005 04 0305 0303", 0x0303, TLS_PARSE_OK}, /* unknown is no offer */
        {"002b 0005 04 7fff 9999", 0, TLS_PARSE_OK},
        {"002b 0001 00", 0, TLS_PARSE_MALFORMED}, /* empty */
        {"002b 0000", 0, TLS_PARSE_MALFORMED},
        {"002b 0004 03 030403", 0x0304, TLS_PARSE_MALFORMED},    /* half a version */
        {"002b 0003 04 0304", 0, TLS_PARSE_MALFORMED},           /* too long for the extension */
        {"002b 0005 02 0304 0303", 0x0304, TLS_PARSE_MALFORMED}, /* bytes left over */
        {"002b 0003 02 0303 002b 0003 02 0304", 0x0303, TLS_PARSE_OK}, /* the first counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(client_with(cases[i].extensions), cases[i].parse);
        CHECK_INT(client.max_version, cases[i].max_version);
        CHECK_INT(client.flags & TLS_HAS_SUPPORTED_VERSIONS, TLS_HAS_SUPPORTED_VERSIONS);
    }
}

static void test_legacy_offer(void)
{
    static const uint16_t cases[][2] = {{0x0002, 0x0002}, {0x0300, 0x0300}, {0x0303, 0x0303},
                                        {0x0304, 0x0303}, {0x03ff, 0x0303}, {0x0000, 0},
                                        {0x4a4a, 0},      {0x7f17, 0x7f17}, {0xfeff, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(tls_legacy_offer(cases[i][0]), cases[i][1]);
}

static void test_server_name(void)
{
    static const struct {
        const char *extension, *name;
        enum tls_parse parse;
    } cases[] = {
        {"0000 0008 0006 00 0003 616263", "616263", TLS_PARSE_OK},
        {"0000 000d 000b 01 0002 7878 00 0003 616263", "616263",
         TLS_PARSE_OK},                                                   /* another type first */
        {"0000 000c 000a 00 0001 61 00 0003 616263", "61", TLS_PARSE_OK}, /* the first one */
        {"0000 0000", "", TLS_PARSE_MALFORMED},
        {"0000 0002 0000", "", TLS_PARSE_MALFORMED},
        {"0000 0005 0003 00 0000", "", TLS_PARSE_MALFORMED},        /* empty name */
        {"0000 0008 0006 00 0004 616263", "", TLS_PARSE_MALFORMED}, /* name over the list */
        {"0000 0008 0007 00 0003 616263", "", TLS_PARSE_MALFORMED}, /* list over the extension */
        {"0000 0009 0006 00 0003 616263 00", "616263", TLS_PARSE_MALFORMED}, /* bytes left over */
        {"0000 0009 0007 00 0003 616263 00", "616263",
         TLS_PARSE_MALFORMED},                                  /* half a name after it */
        {"0000 0006 0004 05 0001 61", "", TLS_PARSE_MALFORMED}, /* no host name */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(client_with(cases[i].extension), cases[i].parse);
        CHECK(same(client.server_name, cases[i].name));
        CHECK_INT(client.flags & TLS_HAS_SERVER_NAME, TLS_HAS_SERVER_NAME);
    }
}

static void test_alpn(void)
{
    static const struct {
        const char *extension, *list;
        enum tls_parse parse;
    } cases[] = {
        {"0010 0005 0003 02 6832", "02 6832", TLS_PARSE_OK},
        {"0010 000a 0008 02 6832 04 61626364", "02 6832 04 61626364", TLS_PARSE_OK},
        {"0010 0002 0000", "", TLS_PARSE_MALFORMED},
        {"0010 0003 0001 00", "00", TLS_PARSE_MALFORMED},           /* empty name */
        {"0010 0005 0003 03 6832", "03 6832", TLS_PARSE_MALFORMED}, /* name over the list */
        {"0010 0006 0003 02 6832 00", "02 6832", TLS_PARSE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(client_with(cases[i].extension), cases[i].parse);
        CHECK(same(client.alpn, cases[i].list));
    }
    CHECK_INT(server_with("0010 0005 0003 02 6832"), TLS_PARSE_OK);
    CHECK(same(server.alpn, "6832"));
    CHECK_INT(server_with("0010 0008 0006 02 6832 02 6833"), TLS_PARSE_MALFORMED); /* two chosen */
    CHECK(same(server.alpn, "6832"));
    CHECK_INT(server_with("0010 0002 0000"), TLS_PARSE_MALFORMED);
    CHECK_INT(server.alpn.length, 0);
}

static void test_client_lists(void)
{
    CHECK_INT(client_with("000a 0006 0004 001d 11ec 000b 0002 0100 000d 0004 0002 0403 0001 0001 "
                          "02 001c 0002 0200"),
              TLS_PARSE_OK);
    CHECK(same(client.groups, "001d 11ec"));
    CHECK(same(client.point_formats, "00"));
    CHECK(same(client.signatures, "0403"));
    CHECK_INT(client.max_fragment, 2);
    CHECK_INT(client.record_size_limit, 512);
    CHECK_INT(client.flags & TLS_OFFERS_POST_QUANTUM, TLS_OFFERS_POST_QUANTUM);

    static const struct {
        const char *extension;
        enum tls_parse parse;
    } cases[] = {
        {"000a 0002 0000", TLS_PARSE_MALFORMED},
        {"000a 0005 0003 001d 00", TLS_PARSE_MALFORMED},
        {"000a 0004 0004 001d", TLS_PARSE_MALFORMED},
        {"000a 0001 00", TLS_PARSE_MALFORMED},
        {"000a 0006 0002 001d 0000", TLS_PARSE_MALFORMED},
        {"000b 0001 00", TLS_PARSE_MALFORMED},
        {"000d 0002 0000", TLS_PARSE_MALFORMED},
        {"0001 0000", TLS_PARSE_MALFORMED},
        {"0001 0002 0101", TLS_PARSE_MALFORMED},
        {"001c 0001 40", TLS_PARSE_MALFORMED},
        {"001c 0003 400100", TLS_PARSE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* A broken extension spoils only itself: what stands after it is read. */
        char with[256];
        snprintf(with, sizeof with, "%s 002b 0003 02 0304", cases[i].extension);
        CHECK_INT(client_with(with), cases[i].parse);
        CHECK_INT(client.max_version, 0x0304);
        CHECK_INT(client.flags & TLS_OFFERS_POST_QUANTUM, 0);
    }
    CHECK_INT(client_with("000a 0004 0002 0017 000a 0004 0002 11ec"),
              TLS_PARSE_OK); /* twice: the first */
    CHECK(same(client.groups, "0017"));
    CHECK_INT(client.flags & TLS_OFFERS_POST_QUANTUM, 0);
}

static void test_key_shares(void)
{
    static const struct {
        const char *extension, *shares;
        uint32_t flag;
        enum tls_parse parse;
    } cases[] = {
        {"0033 0007 0005 001d 0001 aa", "001d 0001 aa", TLS_HAS_KEY_SHARE, TLS_PARSE_OK},
        {"0033 0002 0000", "", TLS_HAS_KEY_SHARE, TLS_PARSE_OK}, /* asks for a retry */
        {"0033 0006 0004 001d 0000", "001d 0000", TLS_HAS_KEY_SHARE,
         TLS_PARSE_MALFORMED}, /* empty key */
        {"0033 0007 0005 001d 0002 aa", "001d 0002 aa", TLS_HAS_KEY_SHARE, TLS_PARSE_MALFORMED},
        {"0033 0003 0001 00", "00", TLS_HAS_KEY_SHARE, TLS_PARSE_MALFORMED},
        {"0033 0008 0005 001d 0001 aa bb", "001d 0001 aa", TLS_HAS_KEY_SHARE, TLS_PARSE_MALFORMED},
        {"0033 0000", "", TLS_HAS_KEY_SHARE, TLS_PARSE_MALFORMED},
        {"0028 0007 0005 0017 0001 aa", "0017 0001 aa", 0, TLS_PARSE_OK}, /* drafts before 23 */
        {"0028 0002 aaaa", "", 0, TLS_PARSE_OK},                          /* means nothing today */
        {"0028 0007 0005 0017 0001 aa 0033 0007 0005 001d 0001 bb", "001d 0001 bb",
         TLS_HAS_KEY_SHARE, TLS_PARSE_OK},
        {"0033 0007 0005 001d 0001 bb 0028 0007 0005 0017 0001 aa", "001d 0001 bb",
         TLS_HAS_KEY_SHARE, TLS_PARSE_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(client_with(cases[i].extension), cases[i].parse);
        CHECK(same(client.key_shares, cases[i].shares));
        CHECK_INT(client.flags & TLS_HAS_KEY_SHARE, cases[i].flag);
    }
}

static void test_server_extensions(void)
{
    static const struct {
        const char *extensions;
        uint16_t version, group;
        uint32_t flags;
        enum tls_parse parse;
    } cases[] = {
        {"", 0x0303, 0, 0, TLS_PARSE_OK},
        {"0000 0000 0005 0000 000f 0001 01", 0x0303, 0,
         TLS_HAS_SERVER_NAME | TLS_HAS_STATUS_REQUEST | TLS_HAS_HEARTBEAT, TLS_PARSE_OK},
        {"0000 0001 00", 0x0303, 0, TLS_HAS_SERVER_NAME, TLS_PARSE_MALFORMED},
        {"0016 0000 0017 0000 0023 0000 ff01 0001 00", 0x0303, 0,
         TLS_HAS_ENCRYPT_THEN_MAC | TLS_HAS_EXTENDED_MASTER_SECRET | TLS_HAS_SESSION_TICKET |
             TLS_HAS_RENEGOTIATION_INFO,
         TLS_PARSE_OK},
        {"0017 0001 00", 0x0303, 0, TLS_HAS_EXTENDED_MASTER_SECRET, TLS_PARSE_MALFORMED},
        {"002b 0002 0304 0029 0002 0000", 0x0304, 0,
         TLS_HAS_SUPPORTED_VERSIONS | TLS_HAS_PRE_SHARED_KEY, TLS_PARSE_OK},
        {"0029 0001 00", 0x0303, 0, TLS_HAS_PRE_SHARED_KEY, TLS_PARSE_MALFORMED},
        {"0029 0003 000000", 0x0303, 0, TLS_HAS_PRE_SHARED_KEY, TLS_PARSE_MALFORMED},
        {"002b 0000", 0x0303, 0, TLS_HAS_SUPPORTED_VERSIONS,
         TLS_PARSE_MALFORMED}, /* empty: no version from it */
        {"002b 0003 02 0304", 0x0303, 0, TLS_HAS_SUPPORTED_VERSIONS,
         TLS_PARSE_MALFORMED}, /* the client's form */
        {"002b 0002 7f1c", 0x7f1c, 0, TLS_HAS_SUPPORTED_VERSIONS, TLS_PARSE_OK},
        {"002b 0002 7f16 0028 0005 001d 0001 aa", 0x7f16, 0x001d,
         TLS_HAS_SUPPORTED_VERSIONS | TLS_HAS_KEY_SHARE, TLS_PARSE_OK},
        {"0033 0005 11ec 0001 aa", 0x0303, 0x11ec, TLS_HAS_KEY_SHARE, TLS_PARSE_OK},
        {"0033 0002 11ec", 0x0303, 0x11ec, TLS_HAS_KEY_SHARE,
         TLS_PARSE_MALFORMED}, /* a retry's form */
        {"0033 0006 11ec 0001 aa bb", 0x0303, 0x11ec, TLS_HAS_KEY_SHARE, TLS_PARSE_MALFORMED},
        {"0033 0005 0017 0001 aa 0033 0005 001d 0001 aa", 0x0303, 0x0017, TLS_HAS_KEY_SHARE,
         TLS_PARSE_OK},
        {"0033 0005 0017 0001 aa 0028 0005 001d 0001 aa", 0x0303, 0x0017, TLS_HAS_KEY_SHARE,
         TLS_PARSE_OK},
        {"0028 0003 001d00", 0x0303, 0, 0, TLS_PARSE_OK}, /* means nothing today */
        {"0033", 0x0303, 0, TLS_INCOMPLETE, TLS_PARSE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(server_with(cases[i].extensions), cases[i].parse);
        CHECK_INT(server.version, cases[i].version);
        CHECK_INT(server.group, cases[i].group);
        CHECK_INT(server.flags, cases[i].flags | TLS_HAS_EXTENSIONS);
        CHECK_INT(server.cipher, 0x1301);
    }
    CHECK_INT(server_with("0001 0001 04 001c 0002 4001"), TLS_PARSE_OK);
    CHECK_INT(server.max_fragment, 4);
    CHECK_INT(server.record_size_limit, 0x4001);
    CHECK_INT(server_with("0001 0000"), TLS_PARSE_MALFORMED);
    CHECK_INT(server_with("001c 0000"), TLS_PARSE_MALFORMED);
}

static void test_server_frame(void)
{
    CHECK_INT(tls_parse_server_hello(hex("0300" ZEROS_32 "04 01020304 0005 01"), &server),
              TLS_PARSE_OK);
    CHECK_INT(server.version, 0x0300);
    CHECK(same(server.session_id, "01020304"));
    CHECK_INT(server.cipher, 5);
    CHECK_INT(server.compression, 1);
    CHECK_INT(server.flags, TLS_OFFERS_COMPRESSION);
    CHECK_INT(tls_parse_server_hello(hex("0303" ZEROS_32 "21" ZEROS_32 "00 0005 00"), &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(server.cipher, 5);
    CHECK_INT(tls_parse_server_hello(hex("0303" ZEROS_32 "21" ZEROS_32 "00 0005 00 0004 0017 0000"),
                                     &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(server.flags & TLS_HAS_EXTENDED_MASTER_SECRET, TLS_HAS_EXTENDED_MASTER_SECRET);
    CHECK_INT(tls_parse_server_hello(hex("0303" ZEROS_32 "00 0005 00 0000 00"), &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(tls_parse_server_hello(hex(""), &server), TLS_PARSE_MALFORMED);
}

/* Drafts 16 to 21: the number in the version field, no session id, no compression
 * (draft-ietf-tls-tls13-18 4.1.3). */
static void test_drafts(void)
{
    CHECK_INT(
        tls_parse_server_hello(hex("7f12" ZEROS_32 "1301 0009 0028 0005 001d 0001 aa"), &server),
        TLS_PARSE_OK);
    CHECK_INT(server.version, 0x7f12);
    CHECK_INT(server.cipher, 0x1301);
    CHECK_INT(server.group, 0x001d);
    CHECK_INT(server.session_id.length, 0);
    CHECK_INT(tls_parse_server_hello(hex("fb1a" ZEROS_32 "1302 0000"), &server), TLS_PARSE_OK);
    CHECK_INT(server.version, 0xfb1a);
    CHECK_INT(server.cipher, 0x1302);

    CHECK_INT(tls_parse_hello_retry_draft(hex("7f12 0006 0028 0002 0017"), &server), TLS_PARSE_OK);
    CHECK_INT(server.hello_retry, true);
    CHECK_INT(server.version, 0x7f12);
    CHECK_INT(server.cipher, 0);
    CHECK_INT(server.group, 0x0017);
    CHECK_INT(tls_parse_hello_retry_draft(hex("7f13 1301 0006 0028 0002 0018"), &server),
              TLS_PARSE_OK);
    CHECK_INT(server.cipher, 0x1301);
    CHECK_INT(server.group, 0x0018);
    CHECK_INT(tls_parse_hello_retry_draft(hex("7f13 1301 0007 0028 0002 0018"), &server),
              TLS_PARSE_MALFORMED);
    CHECK_INT(server.cipher, 0x1301);
    CHECK_INT(tls_parse_hello_retry_draft(hex("7f"), &server), TLS_PARSE_MALFORMED);
}

static void test_sentinel(void)
{
#define ZEROS_24 "000000000000000000000000000000000000000000000000"
    CHECK_INT(tls_sentinel(hex(ZEROS_24 "444f574e47524401")), 0x0304);
    CHECK_INT(tls_sentinel(hex(ZEROS_24 "444f574e47524400")), 0x0303);
    CHECK_INT(tls_sentinel(hex(ZEROS_24 "444f574e47524402")), 0);
    CHECK_INT(tls_sentinel(hex(ZEROS_24 "444f574e47524301")), 0);
    CHECK_INT(tls_sentinel(hex(ZEROS_32)), 0);
    CHECK_INT(tls_sentinel(hex("444f574e47524401")), 0);
    CHECK_INT(tls_sentinel(hex(ZEROS_24 "00 444f574e47524401")), 0);
    CHECK_INT(tls_sentinel((struct slice){0}), 0);
}

static void test_grease(void)
{
    for (unsigned id = 0; id <= UINT16_MAX; id++) {
        bool grease = id % 0x1010 == 0x0a0a; /* 0a0a, 1a1a, ... fafa */
        if (tls_is_grease((uint16_t)id) != grease)
            CHECK_INT(id, -1);
    }
    CHECK_INT(tls_is_grease(0xfafa), true);
    CHECK_INT(tls_is_grease(0x0a1a), false);
}

int main(void)
{
    test_rfc8448_client();
    test_rfc8448_server();
    test_every_prefix();
    test_frame();
    test_client_flags();
    test_client_suites();
    test_client_versions();
    test_legacy_offer();
    test_server_name();
    test_alpn();
    test_client_lists();
    test_key_shares();
    test_server_extensions();
    test_server_frame();
    test_drafts();
    test_sentinel();
    test_grease();
    hex_free();
    return TEST_END();
}
