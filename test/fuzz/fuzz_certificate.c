/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a certificate: no crash, no leak, and what is said of them keeps its promises, and is what libcrypto's own reader says. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "session/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* Reads every string to its end, so that the sanitizer sees each byte. */
static void check_texts(const struct certificate *c)
{
    must(strlen(c->subject) <= LIMIT_DISTINGUISHED_NAME + 3);
    must(strlen(c->issuer) <= LIMIT_DISTINGUISHED_NAME + 3);
    must(strlen(c->serial) >= 2 && strlen(c->serial) <= 2 * LIMIT_SERIAL + 4);
    must(c->key && strlen(c->key) < LIMIT_TEXT && strlen(c->signature) < LIMIT_TEXT);
    must(!c->common_name || strlen(c->common_name) <= LIMIT_TEXT + 3);
    must(c->name_count <= LIMIT_CERTIFICATE_NAMES);
    must(c->name_count + c->names_dropped >= c->dns_name_count);
    must(c->not_before < 253402300800 &&
         (c->not_after < 253402300800 || c->not_after == INT64_MAX));
}

/* A name matches itself unless it has a byte that no host name has. */
static void check_names(const struct certificate *c)
{
    for (unsigned i = 0; i < c->name_count; i++) {
        const char *name = c->names[i];
        size_t length = strlen(name);
        bool host = length && length <= 253 && name[length - 1] != '.' && !strpbrk(name, "*\\:");
        bool matches = certificate_matches(c, name, length);
        if (c->name_kinds[i] == CERTIFICATE_ADDRESS)
            must(matches);
        else if (host && strspn(name, "0123456789.") != length)
            must(matches);
        else if (strpbrk(name, "*\\"))
            must(!matches);
    }
}

/* Sizes of keys that libcrypto can make ready for use, among the kinds that have a name here. */
static void compare_key(const struct certificate *c, X509 *x)
{
    static const char *const sized[] = {"RSA", "RSA-PSS", "DSA", "DH", "EC", "Ed25519", "Ed448"};
    EVP_PKEY *key = X509_get0_pubkey(x);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    for (size_t i = 0; i < sizeof sized / sizeof *sized && bits > 0; i++)
        if (strcmp(c->key, sized[i]) == 0)
            must(c->key_bits == (bits > UINT16_MAX ? UINT16_MAX : bits));
}

static void compare_self_signed(const struct certificate *c, X509 *x)
{
    bool same = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
    X509_get_extension_flags(x); /* makes libcrypto read the subject's key identifier */
    AUTHORITY_KEYID *authority = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
    must(c->self_signed == (same && X509_check_akid(x, authority) == X509_V_OK));
    AUTHORITY_KEYID_free(authority);
}

static void compare(const struct certificate *c, const uint8_t *data, size_t size)
{
    const unsigned char *next = data;
    X509 *x = size ? d2i_X509(NULL, &next, (long)size) : NULL;
    must(c->readable == (x && next == data + size));
    if (c->readable) {
        compare_key(c, x);
        compare_self_signed(c, x);
    }
    X509_free(x);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate c = {0}, empty = {0};
    if (size > LIMIT_CERTIFICATE)
        return 0;
    enum certificate_verdict verdict = certificate_read(&c, (struct slice){.data = data, .length = size});
    compare(&c, data, size);
    if (verdict == CERTIFICATE_READ) {
        must(c.readable);
        check_texts(&c);
        check_names(&c);
        certificate_matches(&c, "mx.example.net", 14);
    }
    certificate_clear(&c);
    must(memcmp(&c, &empty, sizeof c) == 0);
    must(ERR_peek_error() == 0);
    return 0;
}
