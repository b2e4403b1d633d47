/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates against what the openssl program says of the same files (certificates/make). */
#include <arpa/inet.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/limits.h"
#include "base/memory.h"
#include "session/certificate.h"
#include "unit/test.h"

#define FOLDER "test/unit/certificates/"

static const int64_t second_ns = 1000000000;

/* What the openssl program does not say: our verdicts, by the rules in certificate.h. */
static const struct expected {
    const char *name;
    bool key_weak, signature_weak;
    int self_signed; /* -1: as the openssl program says */
    unsigned names_dropped;
} files[] = {
    {"addresses", false, false, -1, 0},
    {"bad-address", false, false, -1, 1},
    {"bad-names", false, false, 1, 0}, /* verify gives up on the broken extension */
    {"bad-time", false, false, -1, 0},
    {"before1950", false, false, -1, 0},
    {"before1970", false, false, -1, 0},
    {"after2050", false, false, -1, 0},
    {"bmp", false, false, -1, 0},
    {"ca", false, false, -1, 0},
    {"control", false, false, -1, 0},
    {"dh", true, false, -1, 0},
    {"dns-address", false, false, -1, 0},
    {"dsa", true, false, -1, 0},
    {"ecdsa-sha1", false, true, -1, 0},
    {"ed25519", false, false, -1, 0},
    {"ed448", false, false, -1, 0},
    {"empty", false, false, -1, 0},
    {"expired", false, false, -1, 0},
    {"explicit", false, false, -1, 0},
    {"flood", false, false, -1, 1101 - LIMIT_CERTIFICATE_NAMES},
    {"idn", false, false, -1, 0},
    {"leap", false, false, -1, 0},
    {"long-name", false, false, -1, 1},
    {"long-subject", false, false, -1, 0},
    {"many", false, false, -1, 0},
    {"md5", false, true, -1, 0},
    {"no-names", false, false, -1, 0},
    {"nul-cn", false, false, -1, 0},
    {"only-address", false, false, -1, 0},
    {"only-long-name", false, false, -1, 1},
    {"p192", true, false, -1, 0},
    {"p224", false, false, -1, 0},
    {"p256", false, false, -1, 0},
    {"pss", false, false, -1, 0},
    {"pss-sha1", false, true, -1, 0},
    {"pss-sha256", false, false, -1, 0},
    {"rsa1024", true, false, -1, 0},
    {"rsa2048", false, false, -1, 0},
    {"same-names", false, false, -1, 0},
    {"self-authority", false, false, -1, 0},
    {"self-identified", false, false, -1, 0},
    {"serial-high-bit", false, false, -1, 0},
    {"serial-long", false, false, -1, 0},
    {"serial-negative", false, false, -1, 0},
    {"serial-small", false, false, -1, 0},
    {"serial-zero", false, false, -1, 0},
    {"sha1", false, true, -1, 0},
    {"special", false, false, -1, 0},
    {"t61", false, false, -1, 0},
    {"two-names", false, false, -1, 0},
    {"unknown", false, false, 1, 0}, /* verify needs to know the algorithm */
    {"utf8", false, false, -1, 0},
    {"version1", false, false, -1, 0},
    {"wildcard", false, false, -1, 0},
    {"wildcard-address", false, false, -1, 0},
    {"year9999", false, false, -1, 0},
};

/* load returns a file's bytes (valid until the next call), empty with a failed check if there is
 * none. */
static struct slice load(const char *name, const char *suffix)
{
    static uint8_t bytes[65536];
    char path[256];
    snprintf(path, sizeof path, FOLDER "%s%s", name, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        CHECK(file != NULL);
        return (struct slice){.data = bytes, .length = 0};
    }
    size_t length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[length] = '\0';
    return (struct slice){.data = bytes, .length = length};
}

static void check_time(int64_t actual, const char *value, int64_t unknown)
{
    CHECK_INT(actual, *value ? atoll(value) : unknown);
}

/* The openssl program writes IPv6 addresses out in full; both are compared as octets. */
static void check_name(const struct certificate *c, unsigned at, int kind, const char *value)
{
    if (at >= c->name_count)
        return; /* dropped: the number is checked elsewhere */
    CHECK_INT(c->name_kinds[at], kind);
    if (kind == CERTIFICATE_DNS_NAME) {
        CHECK_TEXT(c->names[at], value);
        return;
    }
    uint8_t expected[16] = {0}, actual[16] = {0};
    int family = strchr(value, ':') ? AF_INET6 : AF_INET;
    CHECK(inet_pton(family, value, expected) == 1);
    CHECK(inet_pton(family, c->names[at], actual) == 1);
    CHECK(memcmp(expected, actual, sizeof actual) == 0);
}

/* One "key value" of NAME.txt. */
static void check_line(const struct certificate *c, const char *key, const char *value,
                       int self_signed)
{
    if (strcmp(key, "subject") == 0)
        CHECK_TEXT(c->subject, value);
    else if (strcmp(key, "issuer") == 0)
        CHECK_TEXT(c->issuer, value);
    else if (strcmp(key, "serial") == 0 && strcmp(value, "-05") == 0)
        CHECK_TEXT(c->serial, "FB"); /* its octets: the INTEGER is 02 01 FB */
    else if (strcmp(key, "serial") == 0)
        CHECK_TEXT(c->serial, value);
    else if (strcmp(key, "not_before") == 0)
        check_time(c->not_before, value, INT64_MIN);
    else if (strcmp(key, "not_after") == 0)
        check_time(c->not_after, value, INT64_MAX);
    else if (strcmp(key, "key") == 0)
        CHECK_TEXT(c->key, value);
    else if (strcmp(key, "key_bits") == 0 && *value)
        CHECK_INT(c->key_bits, atoi(value));
    else if (strcmp(key, "signature") == 0)
        CHECK_TEXT(c->signature, value);
    else if (strcmp(key, "self_signed") == 0)
        CHECK_INT(c->self_signed, self_signed < 0 ? atoi(value) : self_signed);
    else if (strcmp(key, "common_name") == 0)
        CHECK_TEXT(c->common_name, value);
    else if (strcmp(key, "sha256") == 0) {
        char hex[2 * sizeof c->sha256 + 1];
        digest_hex(c->sha256, sizeof c->sha256, hex);
        CHECK_TEXT(hex, value);
    } else {
        CHECK_TEXT(key, "key_bits"); /* of an algorithm without any */
    }
}

static void check_file(struct certificate_cache *cache, const struct expected *expected)
{
    unsigned failed = test_failed, names = 0, dns_names = 0;
    bool common_name = false;
    struct certificate *c = certificate_get(cache, load(expected->name, ".der"), 0);
    char *text = (char *)(uintptr_t)load(expected->name, ".txt").data;
    CHECK(c && c->readable);
    for (char *line = strtok(text, "\n"); c && line; line = strtok(NULL, "\n")) {
        char *value = strchr(line, ' ');
        CHECK(value != NULL);
        if (!value)
            break;
        *value++ = '\0';
        common_name |= strcmp(line, "common_name") == 0;
        if (strcmp(line, "dns") == 0) {
            if (strlen(value) < LIMIT_TEXT)
                check_name(c, names++, CERTIFICATE_DNS_NAME, value);
            dns_names++;
        } else if (strcmp(line, "address") == 0) {
            if (*value != '<')
                check_name(c, names++, CERTIFICATE_ADDRESS, value);
        } else {
            check_line(c, line, value, expected->self_signed);
        }
    }
    if (c) {
        CHECK(common_name == (c->common_name != NULL));
        CHECK_INT(c->key_weak, expected->key_weak);
        CHECK_INT(c->signature_weak, expected->signature_weak);
        CHECK_INT(c->names_dropped, expected->names_dropped);
        CHECK_INT(c->name_count, names < LIMIT_CERTIFICATE_NAMES ? names : LIMIT_CERTIFICATE_NAMES);
        CHECK_INT(c->dns_name_count, dns_names);
    }
    CHECK_INT(ERR_peek_error(), 0);
    certificate_release(cache, c);
    if (failed != test_failed)
        fprintf(stderr, "... in %s\n", expected->name);
}

static void test_files(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        check_file(cache, &files[i]);
    CHECK_INT(certificate_cache_counts(cache)->read, sizeof files / sizeof files[0]);
    certificate_cache_free(cache);
}

/* What the openssl program prints no number for: RFC 8032 5.1, 5.2; an unknown key has none. */
static void test_bits(void)
{
    static const struct {
        const char *name;
        unsigned bits;
    } keys[] = {{"ed25519", 256}, {"ed448", 456}, {"unknown", 0}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct certificate c = {0};
        CHECK_INT(certificate_read(&c, load(keys[i].name, ".der")), CERTIFICATE_READ);
        CHECK_INT(c.key_bits, keys[i].bits);
        certificate_clear(&c);
    }
}

static void test_malformed(void)
{
    static const char *const names[] = {"bad-bmp", "bad-utf8", "surrogate"};
    struct certificate c = {0}, empty = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_INT(certificate_read(&c, load(names[i], ".der")), CERTIFICATE_MALFORMED);
        CHECK(memcmp(&c, &empty, sizeof c) == 0);
        CHECK_INT(ERR_peek_error(), 0);
    }
    struct slice der = load("p256", ".der");
    for (size_t length = 0; length < der.length; length++) {
        struct slice cut = {.data = der.data, .length = length};
        CHECK_INT(certificate_read(&c, cut), CERTIFICATE_MALFORMED);
    }
    der.length++; /* the NUL behind it */
    CHECK_INT(certificate_read(&c, der), CERTIFICATE_MALFORMED);
    CHECK_INT(certificate_read(&c, (struct slice){0}), CERTIFICATE_MALFORMED);
    CHECK(memcmp(&c, &empty, sizeof c) == 0);
}

/* A subject above the limit is cut and says so, and so is a serial number; UTF-8 stays whole. */
static void test_long(void)
{
    struct certificate c = {0};
    CHECK_INT(certificate_read(&c, load("longer-subject", ".der")), CERTIFICATE_READ);
    size_t length = c.subject ? strlen(c.subject) : 0;
    CHECK(length <= LIMIT_DISTINGUISHED_NAME + 3 && length >= LIMIT_DISTINGUISHED_NAME);
    CHECK(length > 5 && strcmp(c.subject + length - 5, "ö...") == 0);
    CHECK_TEXT(c.common_name, "mx.example.net");
    CHECK_INT(strlen(c.serial ? c.serial : ""), 2 * LIMIT_SERIAL + 3);
    CHECK(c.serial && strncmp(c.serial, "7700", 4) == 0 && strstr(c.serial, "00..."));
    certificate_clear(&c);
}

static bool matches(const char *file, const char *host)
{
    struct certificate c = {0};
    CHECK_INT(certificate_read(&c, load(file, ".der")), CERTIFICATE_READ);
    bool answer = certificate_matches(&c, host, strlen(host));
    certificate_clear(&c);
    return answer;
}

/* RFC 9525 6.3 and 6.5, and where the CN still counts. */
static void test_matching(void)
{
    CHECK(matches("p256", "mx.example.net"));
    CHECK(matches("p256", "MX.Example.NET")); /* ASCII case does not matter */
    CHECK(matches("p256", "mx.example.net."));
    CHECK(!matches("p256", "mx.example.net.."));
    CHECK(!matches("p256", "."));
    CHECK(!matches("p256", ""));
    CHECK(!matches("p256", "mx.example.ne"));
    CHECK(!matches("p256", "x.example.net"));
    CHECK(!matches("p256", "amx.example.net"));
    CHECK(!matches("p256", "a.mx.example.net"));
    CHECK(!matches("p256", "mx-example-net")); /* '.' and '-' are no case of one another */
    CHECK(!matches("p256", "mx\x0e"
                           "example.net"));
    /* a wildcard stands for exactly one label, the first */
    CHECK(matches("wildcard", "mx.example.net"));
    CHECK(matches("wildcard", "xn--mx-eka.EXAMPLE.net"));
    CHECK(!matches("wildcard", "example.net"));
    CHECK(!matches("wildcard", ".example.net"));
    CHECK(!matches("wildcard", "a.mx.example.net"));
    CHECK(!matches("wildcard", "mxexample.net"));
    CHECK(!matches("wildcard", "*.example.net"));  /* and is none in a reference */
    CHECK(!matches("wildcard", "mx.example.org")); /* m*.example.org */
    CHECK(!matches("wildcard", "m*.example.org"));
    CHECK(!matches("wildcard", "mx.a.example.org")); /* mx.*.example.org */
    CHECK(!matches("wildcard", "localhost"));        /* "*" alone */
    /* IDN: as A-labels */
    CHECK(matches("idn", "xn--mx-eka.example.net"));
    CHECK(!matches("idn", "m\xc3\xb6x.example.net"));
    /* of many the last */
    CHECK(matches("many", "last.example.org"));
    CHECK(matches("many", "mx77.example.net"));
    CHECK(!matches("many", "mx.example.net")); /* the CN says so, but there are dNSNames */
    /* addresses: by octets, and never by name */
    CHECK(matches("addresses", "mx.example.net"));
    CHECK(matches("addresses", "192.0.2.25"));
    CHECK(!matches("addresses", "192.0.2.26"));
    CHECK(matches("addresses", "2001:DB8:0::25"));
    CHECK(!matches("addresses", "2001:db8::26"));
    CHECK(!matches("dns-address", "192.0.2.25")); /* dNSName and CN that look like an address */
    CHECK(!matches("wildcard-address", "192.0.2.25")); /* *.0.2.25 */
    /* the CN only without a dNSName */
    CHECK(matches("no-names", "mx.example.net"));
    CHECK(matches("only-address", "mx.example.net"));
    CHECK(!matches("long-subject", "example.net"));
    CHECK(!matches("empty", "mx.example.net"));
    /* a dNSName that is dropped still forbids the CN */
    CHECK(!matches("only-long-name", "mx.example.net"));
    /* the first CN of several */
    CHECK(matches("two-names", "first.example.net"));
    CHECK(!matches("two-names", "second.example.net"));
    /* a NUL does not end a name */
    CHECK(!matches("nul-cn", "mx.example.net"));
    CHECK(!matches("nul-cn", "mx.example.net\\00.evil.example"));
    CHECK(!matches("nul-name", "mx.example.net"));
    CHECK(!matches("nul-name", "mx.example.net\\00.evil.example"));
}

static void test_matching_bounds(void)
{
    struct certificate c = {0};
    struct certificate named = {.readable = true, .common_name = (char[]){"AZaz@[`{.example"}};
    char host[300];
    CHECK(certificate_matches(&named, "azAZ@[`{.example", 16));  /* letters at both ends ... */
    CHECK(!certificate_matches(&named, "AZaz`{@[.example", 16)); /* ... and what is next to them */
    CHECK(!certificate_matches(&c, "mx.example.net", 14));       /* not readable */
    CHECK_INT(certificate_read(&c, load("nul-name", ".der")), CERTIFICATE_READ);
    CHECK_TEXT(c.name_count == 1 ? c.names[0] : "", "mx.example.net\\00.evil.example");
    CHECK(!certificate_matches(&c, "mx.example.net\0.evil.example", 28));
    certificate_clear(&c);
    CHECK_INT(certificate_read(&c, load("p256", ".der")), CERTIFICATE_READ);
    CHECK(!certificate_matches(&c, "mx.example.net\0", 15));
    CHECK(certificate_matches(&c, "mx.example.netBEHIND", 14));
    certificate_clear(&c);
    CHECK_INT(certificate_read(&c, load("wildcard", ".der")), CERTIFICATE_READ);
    CHECK(!certificate_matches(&c, "a\0b.example.net", 15));
    memset(host, 'a', sizeof host);
    memcpy(host + 240, ".example.net", 12);
    CHECK(certificate_matches(&c, host, 252));
    memcpy(host + 242, ".example.net", 12);
    CHECK(!certificate_matches(&c, host, 254)); /* longer than a domain name can be */
    CHECK(!certificate_matches(&c, host, sizeof host));
    certificate_clear(&c);
}

/* variant returns the nth of many certificates that differ in one byte of the signature. */
static struct slice variant(unsigned n)
{
    static uint8_t bytes[65536];
    struct slice der = load("rsa2048", ".der");
    memcpy(bytes, der.data, der.length);
    bytes[der.length - 1] ^= (uint8_t)n;
    bytes[der.length - 2] ^= (uint8_t)(n >> 8);
    return (struct slice){.data = bytes, .length = der.length};
}

static void test_sharing(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    struct certificate *a = certificate_get(cache, variant(0), 0);
    struct certificate *b = certificate_get(cache, variant(0), 0);
    struct certificate *other = certificate_get(cache, variant(1), 0);
    CHECK(a && a == b && a != other);
    CHECK_INT(certificate_cache_counts(cache)->read, 2);
    certificate_release(cache, b);
    certificate_release(cache, NULL);
    certificate_cache_free(cache); /* what is referenced outlives even the cache */
    CHECK_TEXT(a->subject, "CN=mx.example.net");
    certificate_release(NULL, a);
    certificate_release(NULL, other);
    certificate_cache_free(NULL);
}

static void test_budget(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    const struct certificate_counts *counts = certificate_cache_counts(cache);
    int64_t now = 7 * second_ns;
    for (unsigned i = 0; i < LIMIT_CERTIFICATES_PER_SECOND; i++) {
        struct certificate *c = certificate_get(cache, variant(i), now + i);
        CHECK(c && c->readable);
        certificate_release(cache, c);
    }
    struct certificate *over = certificate_get(cache, variant(5000), now + second_ns - 1);
    CHECK(over && !over->readable && !over->subject);
    CHECK_INT(counts->over_budget, 1);
    struct certificate *known = certificate_get(cache, variant(3), now + second_ns - 1);
    CHECK(known && known->readable); /* costs nothing */
    struct certificate *back = certificate_get(cache, variant(5000), now - second_ns);
    CHECK(back && !back->readable); /* a clock that goes back gives no new budget */
    struct certificate *later = certificate_get(cache, variant(5000), now + second_ns);
    CHECK(later && later->readable);
    CHECK(over && later && memcmp(over->sha256, later->sha256, sizeof over->sha256) == 0);
    CHECK_INT(counts->read, LIMIT_CERTIFICATES_PER_SECOND + 1);
    certificate_release(cache, over);
    certificate_release(cache, known);
    certificate_release(cache, back);
    certificate_release(cache, later);
    certificate_cache_free(cache);
}

/* Fills the cache, one certificate a second. */
static void fill(struct certificate_cache *cache, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        certificate_release(cache, certificate_get(cache, variant(i), i * second_ns));
}

/* large returns the nth of many certificates of 5 to 6 KiB with as many names as are kept. */
static struct slice large(unsigned n)
{
    static uint8_t bytes[8192];
    struct slice der = load("flood", ".der");
    CHECK(der.length > 4096 && der.length < 6144);
    memcpy(bytes, der.data, der.length);
    bytes[der.length - 1] = (uint8_t)n;
    bytes[der.length - 2] = (uint8_t)(n >> 8);
    return (struct slice){.data = bytes, .length = der.length};
}

/* Large ones use the budget up faster: of two to three times 2 KiB they count three times. */
static void test_budget_by_size(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    const struct certificate_counts *counts = certificate_cache_counts(cache);
    unsigned fit = LIMIT_CERTIFICATES_PER_SECOND / 3;
    for (unsigned i = 0; i < fit + 10; i++)
        certificate_release(cache, certificate_get(cache, large(i), 0));
    CHECK_INT(counts->read, fit);
    CHECK_INT(counts->over_budget, 10);
    certificate_cache_free(cache);
}

/* The cache is bounded in bytes as well: a thousand of the large ones hold more. */
static void test_eviction_by_size(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    const struct certificate_counts *counts = certificate_cache_counts(cache);
    unsigned least_size = LIMIT_CERTIFICATE_NAMES * (unsigned)(sizeof(char *) + 1 + 2);
    unsigned enough = LIMIT_CERTIFICATE_CACHE_BYTES / least_size;
    CHECK(enough < LIMIT_CERTIFICATES_CACHED);
    for (unsigned i = 0; i < enough; i++)
        certificate_release(cache, certificate_get(cache, large(i), i * second_ns));
    certificate_release(cache, certificate_get(cache, large(enough - 1), enough * second_ns));
    CHECK_INT(counts->read, enough);
    certificate_release(cache, certificate_get(cache, large(0), enough * second_ns));
    CHECK_INT(counts->read, enough + 1);
    certificate_cache_free(cache);
}

static void test_eviction(struct digests *digests)
{
    struct certificate_cache *cache = certificate_cache_new(digests);
    const struct certificate_counts *counts = certificate_cache_counts(cache);
    struct certificate *held = certificate_get(cache, variant(0), 0);
    fill(cache, 1, LIMIT_CERTIFICATES_CACHED);
    certificate_release(cache, certificate_get(cache, variant(1), 0)); /* now the newest */
    CHECK_INT(counts->read, LIMIT_CERTIFICATES_CACHED);
    fill(cache, LIMIT_CERTIFICATES_CACHED, LIMIT_CERTIFICATES_CACHED + 2); /* drops 0 and 2 */
    CHECK_TEXT(held->subject, "CN=mx.example.net");
    uint64_t before = counts->read;
    fill(cache, 1, 2);
    fill(cache, 3, 4);
    CHECK_INT(counts->read, before);
    fill(cache, 2, 3);
    CHECK_INT(counts->read, before + 1);
    certificate_release(cache, held);
    certificate_cache_free(cache);
}

static void test_limits(struct digests *digests)
{
    static uint8_t bytes[LIMIT_CERTIFICATE + 1];
    struct certificate_cache *cache = certificate_cache_new(digests);
    const struct certificate_counts *counts = certificate_cache_counts(cache);
    struct slice junk = {.data = bytes, .length = LIMIT_CERTIFICATE};
    for (int i = 0; i < 2; i++) { /* junk is remembered as such */
        struct certificate *c = certificate_get(cache, junk, 0);
        CHECK(c && !c->readable && !c->names);
        CHECK_INT(counts->malformed, 1);
        certificate_release(cache, c);
    }
    junk.length++;
    struct certificate *large = certificate_get(cache, junk, 0);
    CHECK(large && !large->readable);
    CHECK_INT(counts->too_large, 1);
    CHECK_INT(counts->read, 0);
    certificate_release(cache, large);
    certificate_cache_free(cache);
}

/* Without memory at any of its requests certificate_get returns NULL and keeps nothing half. */
static void test_memory(struct digests *digests)
{
    unsigned failures = 0;
    for (uint64_t n = 1; n < 100; n++) {
        memory_fail_at(n);
        struct certificate_cache *cache = certificate_cache_new(digests);
        struct certificate *c = cache ? certificate_get(cache, load("addresses", ".der"), 0) : NULL;
        memory_fail_at(0);
        failures += c == NULL;
        if (cache && !c) {
            CHECK_INT(certificate_cache_counts(cache)->read, 0);
            c = certificate_get(cache, load("addresses", ".der"), 0);
            CHECK(c && c->readable && c->name_count == 3);
        }
        if (cache)
            certificate_release(cache, c);
        certificate_cache_free(cache);
    }
    CHECK(failures >= 10); /* cache, buckets, entry, 6 texts, names */
}

/* Bytes flipped by a generator with a fixed seed (xorshift64): nothing may go wrong. */
static void test_mutations(void)
{
    uint64_t state = 88172645463325252u;
    static uint8_t bytes[65536];
    unsigned read = 0, malformed = 0;
    for (unsigned i = 0; i < 4000; i++) {
        struct slice der = load(files[i % (sizeof files / sizeof files[0])].name, ".der");
        memcpy(bytes, der.data, der.length);
        for (unsigned flips = 0; flips <= i % 4; flips++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[state % der.length] ^= (uint8_t)(state >> 32);
        }
        struct certificate c = {0};
        struct slice mutated = {.data = bytes, .length = der.length};
        enum certificate_verdict verdict = certificate_read(&c, mutated);
        read += verdict == CERTIFICATE_READ;
        malformed += verdict == CERTIFICATE_MALFORMED;
        certificate_matches(&c, "mx.example.net", 14);
        certificate_clear(&c);
    }
    CHECK_INT(read + malformed, 4000);
    CHECK(read > 400 && malformed > 400);
    CHECK_INT(ERR_peek_error(), 0);
}

int main(void)
{
    struct digests *digests = digests_new();
    test_files(digests);
    test_bits();
    test_malformed();
    test_long();
    test_matching();
    test_matching_bounds();
    test_sharing(digests);
    test_budget(digests);
    test_budget_by_size(digests);
    test_eviction(digests);
    test_eviction_by_size(digests);
    test_limits(digests);
    test_memory(digests);
    test_mutations();
    digests_free(digests);
    return TEST_END();
}
