/* SPDX-License-Identifier: BSD-2-Clause */
/* Fingerprints that are remembered are those that would be worked out: the values of the JA3 README and of RFC 8448's hellos again and
 * again, while others come between. */
#include "base/limits.h"
#include "session/fingerprint.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

static struct fingerprints *fingerprints;
static struct tls_client_hello client;
static struct tls_server_hello server;

/* JA3 or JA3S, and JA4 in `ja4`; "" none. */
static char ja4[TLS_JA4];

static const char *told(struct fingerprint *fingerprint)
{
    static char text[2 * DIGEST_MD5_SIZE + 1];
    *text = *ja4 = '\0';
    if (fingerprint && fingerprint->have_ja3)
        digest_hex(fingerprint->ja3, DIGEST_MD5_SIZE, text);
    if (fingerprint)
        strcpy(ja4, fingerprint->ja4);
    fingerprint_release(fingerprint);
    return text;
}

static const char *client_ja3(void)
{
    return told(fingerprints_client(fingerprints, &client));
}

static const char *server_ja3(void)
{
    return told(fingerprints_server(fingerprints, &server));
}

static void check_known(void)
{
    tls_parse_client_hello(hex(RFC8448_CLIENT_HELLO), &client);
    CHECK_TEXT(client_ja3(), "da4dea34fe6d4ce5f0725df3f2682fa0");
    CHECK_INT(strlen(ja4), TLS_JA4 - 1);
    tls_parse_server_hello(hex(RFC8448_SERVER_HELLO), &server);
    CHECK_TEXT(server_ja3(), "eb1d94daa7e0344597e756a1fb6e7054");
    CHECK_TEXT(ja4, "");
    tls_parse_server_hello(hex(RFC8448_HELLO_RETRY), &server);
    CHECK_TEXT(server_ja3(), "5e782992dd22a63dd5c0ebc97e3f3843");
}

/* A hello with `count` suites, of which the last one is `last`. */
static void offer(unsigned count, uint16_t last)
{
    static uint8_t ciphers[LIMIT_FINGERPRINT_TRAITS + 2];
    for (unsigned i = 0; i < count; i++) {
        uint16_t id = i + 1 == count ? last : 0x002f;
        ciphers[2 * i] = (uint8_t)(id >> 8);
        ciphers[2 * i + 1] = (uint8_t)(id & 0xff);
    }
    client = (struct tls_client_hello){.legacy_version = 0x0301, .ciphers = {ciphers, 2 * (size_t)count}};
}

static void test_remembered(void)
{
    check_known();
    uint64_t before = fingerprints_worked_out(fingerprints);
    CHECK_INT(before, 3);
    for (unsigned i = 0; i < 10; i++)
        check_known();
    CHECK_INT(fingerprints_worked_out(fingerprints), before);
}

/* Neither a name nor keys, of which each hello has its own, are looked at. */
static void test_same_program(void)
{
    uint64_t before = fingerprints_worked_out(fingerprints);
    tls_parse_client_hello(hex(RFC8448_CLIENT_HELLO), &client);
    client.server_name = hex("6d78");
    client.session_id = client.random;
    client.key_shares = client.random;
    CHECK_TEXT(client_ja3(), "da4dea34fe6d4ce5f0725df3f2682fa0");
    CHECK_INT(fingerprints_worked_out(fingerprints), before);
}

static void test_many(void)
{
    uint64_t before = fingerprints_worked_out(fingerprints);
    for (unsigned i = 0; i < 4 * LIMIT_FINGERPRINTS; i++) {
        offer(1, (uint16_t)i);
        client_ja3();
        offer(1, 4); /* 769,4,,, by md5sum */
        CHECK_TEXT(client_ja3(), "0de6c1d21f2f3e3cac1422df2afca045");
    }
    CHECK(fingerprints_worked_out(fingerprints) - before >= 4 * LIMIT_FINGERPRINTS - 1);
    CHECK(fingerprints_worked_out(fingerprints) - before < 5 * LIMIT_FINGERPRINTS);
    check_known();
}

static void test_long(void)
{
    uint64_t before = fingerprints_worked_out(fingerprints);
    offer(LIMIT_FINGERPRINT_TRAITS / 2 + 1, 4);
    for (unsigned i = 0; i < 3; i++)
        CHECK_TEXT(client_ja3(), "f6afd7a9d19005eb038fc6e5f89845df");
    CHECK_INT(fingerprints_worked_out(fingerprints), before + 3);
    offer(LIMIT_FINGERPRINT_TRAITS / 2 - 64, 4);
    client_ja3();
    client_ja3();
    CHECK_INT(fingerprints_worked_out(fingerprints), before + 4);
}

static void test_none(void)
{
    client = (struct tls_client_hello){.flags = TLS_INCOMPLETE};
    CHECK(fingerprints_client(fingerprints, &client) == NULL);
    client.flags = TLS_SSL2_FORMAT;
    CHECK(fingerprints_client(fingerprints, &client) == NULL);
    server = (struct tls_server_hello){.flags = TLS_INCOMPLETE};
    CHECK(fingerprints_server(fingerprints, &server) == NULL);
}

/* Those that are out stay what they are when others take their places, and when all is forgotten. */
static void test_references(struct digests *digests)
{
    struct fingerprints *few = fingerprints_new(digests);
    tls_parse_client_hello(hex(RFC8448_CLIENT_HELLO), &client);
    struct fingerprint *first = fingerprints_client(few, &client), *again = fingerprints_client(few, &client);
    CHECK(first == again);
    fingerprint_release(again);
    for (unsigned i = 0; i < 4 * LIMIT_FINGERPRINTS; i++) {
        offer(1, (uint16_t)i);
        fingerprint_release(fingerprints_client(few, &client));
    }
    fingerprints_free(few);
    CHECK_TEXT(told(first), "da4dea34fe6d4ce5f0725df3f2682fa0");
}

/* A client that offers nothing is no server that chose nothing. */
static void test_both_empty(void)
{
    client = (struct tls_client_hello){0};
    server = (struct tls_server_hello){0};
    CHECK_TEXT(client_ja3(), "2432bebf06532faf89aae784a9aae4ef");
    CHECK_TEXT(server_ja3(), "d8eada1de0f744e8f2d11cc5ea02451d");
}

int main(void)
{
    struct digests *digests = digests_new();
    fingerprints = digests ? fingerprints_new(digests) : NULL;
    CHECK(fingerprints != NULL);
    if (fingerprints) {
        test_remembered();
        test_same_program();
        test_many();
        test_long();
        test_none();
        test_references(digests);
        test_both_empty();
    }
    fingerprints_free(fingerprints);
    digests_free(digests);
    hex_free();
    return TEST_END();
}
