/* SPDX-License-Identifier: BSD-2-Clause */
/* What a certificate says, read once per digest and shared. Home of libcrypto's X.509. */
#ifndef SESSION_CERTIFICATE_H
#define SESSION_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/reader.h"

/*
 * A leaf certificate (RFC 5280). Strings are NUL-terminated UTF-8 where the certificate is; the writer escapes what is not.
 * Names come as RFC 4514 one-liners, most specific first ("CN=mx.example.net,O=Example").
 */
struct certificate {
    uint32_t references;
    uint8_t sha256[32];
    bool readable;       /* false: counted and hashed only (over the budget, too large, or libcrypto cannot read it) */
    bool self_signed;    /* issuer equals subject, and the key identifiers do not speak against it */
    bool key_weak;       /* RSA, DSA, DH below 2048 bits, EC below 224 */
    bool signature_weak; /* MD5, SHA-1 */
    uint16_t key_bits;
    int64_t not_before, not_after; /* seconds since 1970 UTC */
    char *subject, *issuer;
    char *serial;        /* upper-case hex, as the openssl program prints it */
    char *key;           /* "RSA", "EC", "Ed25519", ... NULL unknown */
    char *signature;     /* "sha256WithRSAEncryption", ... or dotted OID */
    char *common_name;   /* first CN of the subject, NULL none */
    char **names;        /* dNSNames (and IP addresses as text), in order; bounded */
    uint16_t name_count, names_dropped, dns_name_count; /* dns_name_count: how many were dNSName, also if dropped */
};

struct certificate_cache;

/* certificate_cache_new returns a cache (new); `digests` is borrowed. NULL without memory. */
struct certificate_cache *certificate_cache_new(struct digests *digests);

/*
 * certificate_get returns what `der` says as a reference that you give back with certificate_release, or NULL without memory. Parsing is
 * bounded by a budget per second of packet time; over it the certificate comes back with readable false (and is read when met again
 * within budget).
 */
struct certificate *certificate_get(struct certificate_cache *cache, struct slice der, int64_t now_ns);

/* certificate_release gives a reference back; NULL is allowed. */
void certificate_release(struct certificate_cache *cache, struct certificate *certificate);

/*
 * certificate_matches tells whether the certificate is valid for a host name by RFC 9525: dNSNames only where there are any, else the CN; a
 * wildcard only as the whole first label.
 */
bool certificate_matches(const struct certificate *certificate, const char *host, size_t length);

/* certificate_cache_free frees the cache; references must have been given back. NULL is allowed. */
void certificate_cache_free(struct certificate_cache *cache);

#endif
