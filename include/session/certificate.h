/* SPDX-License-Identifier: BSD-2-Clause */
/* What a certificate says, read once per digest and shared. Home of libcrypto's X.509. */
#ifndef SESSION_CERTIFICATE_H
#define SESSION_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/reader.h"

/* Where a name comes from: what it may be compared with depends on it. */
enum certificate_name_kind { CERTIFICATE_DNS_NAME, CERTIFICATE_ADDRESS };

/*
 * A leaf certificate (RFC 5280). Strings are NUL-terminated UTF-8 where the certificate is; the
 * writer escapes what is not. A NUL inside of one is written as \00. Distinguished names come as
 * RFC 4514 one-liners, most specific first ("CN=mx.example.net,O=Example"); where one or the serial
 * is longer than its limit it is cut and ends in "...".
 */
struct certificate {
    uint32_t references;
    uint8_t sha256[32];
    bool readable;       /* false: counted and hashed only (over the budget, too large, or libcrypto
                            cannot read it); all that follows is then empty */
    bool self_signed;    /* issuer equals subject, and the key identifiers do not speak against it;
                            the signature itself is not verified */
    bool key_weak;       /* RSA, DSA, DH below 2048 bits, EC below 224 */
    bool signature_weak; /* MD5, SHA-1 and what is older */
    uint16_t key_bits;   /* 0 unknown */
    int64_t not_before;  /* seconds since 1970 UTC; INT64_MIN: not a time */
    int64_t not_after;   /* ... INT64_MAX: not a time */
    char *subject, *issuer;
    char *serial;        /* upper-case hex, as the openssl program prints it; a negative one by its octets */
    char *key;           /* "RSA", "EC", "Ed25519", ...; short name or dotted OID of another */
    char *signature;     /* "sha256WithRSAEncryption", ... or dotted OID */
    char *common_name;   /* first CN of the subject, NULL none */
    char **names;        /* dNSNames (and IP addresses as text), in order; bounded */
    uint8_t *name_kinds; /* enum certificate_name_kind of each of them */
    uint16_t name_count, names_dropped;
    uint16_t dns_name_count; /* how many were dNSName, also if dropped */
};

/* What became of the certificates handed to certificate_get, those found in the cache left out. */
struct certificate_counts {
    uint64_t read;
    uint64_t malformed;   /* libcrypto cannot read them, or bytes are left over */
    uint64_t too_large;   /* above LIMIT_CERTIFICATE */
    uint64_t over_budget; /* above LIMIT_CERTIFICATES_PER_SECOND */
};

struct certificate_cache;

/*
 * certificate_cache_new returns a cache (new); `digests` is borrowed. NULL without memory. It reads
 * a small key first, so that libcrypto opens no file and loads no algorithm later (sandbox).
 */
struct certificate_cache *certificate_cache_new(struct digests *digests);

/*
 * certificate_get returns what `der` says as a reference that you give back with
 * certificate_release, or NULL without memory. Parsing is bounded by a budget per second of packet
 * time (`now_ns`, nanoseconds since 1970); over it the certificate comes back with readable false
 * (and is read when met again within budget).
 */
struct certificate *certificate_get(struct certificate_cache *cache, struct slice der,
                                    int64_t now_ns);

/* certificate_release gives a reference back; NULL is allowed. */
void certificate_release(struct certificate_cache *cache, struct certificate *certificate);

/* certificate_cache_counts returns the counts so far (borrowed). */
const struct certificate_counts *certificate_cache_counts(const struct certificate_cache *cache);

/* certificate_size returns the bytes that a certificate of the cache holds. */
size_t certificate_size(const struct certificate *certificate);

/*
 * certificate_matches tells whether the certificate is valid for a host name by RFC 9525: dNSNames
 * only where there are any, else the CN; a wildcard only as the whole first label. An address as
 * host matches only the same iPAddress. Neither side is converted between U- and A-labels. A
 * certificate that is not readable matches nothing; with names_dropped "false" proves nothing.
 */
bool certificate_matches(const struct certificate *certificate, const char *host, size_t length);

/* certificate_cache_free frees the cache; references must have been given back. NULL is allowed. */
void certificate_cache_free(struct certificate_cache *cache);

/* The reading itself, without cache and budget: for the cache and for tests. */
enum certificate_verdict { CERTIFICATE_READ, CERTIFICATE_MALFORMED, CERTIFICATE_NO_MEMORY };

/*
 * certificate_read fills a zeroed certificate, all but references and sha256, from DER of any
 * length. Unless the verdict is CERTIFICATE_READ it stays empty.
 */
enum certificate_verdict certificate_read(struct certificate *certificate, struct slice der);

/* certificate_clear frees the strings; the certificate is unreadable and empty afterwards. */
void certificate_clear(struct certificate *certificate);

#endif
