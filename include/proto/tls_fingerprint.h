/* SPDX-License-Identifier: BSD-2-Clause */
/* JA3, JA3S and JA4 of hellos. Pure: MD5 and SHA-256 come from base/digest.h. */
#ifndef PROTO_TLS_FINGERPRINT_H
#define PROTO_TLS_FINGERPRINT_H

#include <stdbool.h>

#include "base/digest.h"
#include "proto/tls_hello.h"

enum {
    TLS_JA4 = 36 + 1,
    TLS_EXTENSION_TYPES = 65536 / 4 * 2 /* bytes of the types of all extensions that a hello has room for */
};

enum tls_trait_list {
    TLS_TRAIT_CIPHERS,
    TLS_TRAIT_EXTENSIONS,    /* types, 2 bytes each, in order */
    TLS_TRAIT_GROUPS,
    TLS_TRAIT_POINT_FORMATS, /* 1 byte each */
    TLS_TRAIT_VERSIONS,
    TLS_TRAIT_SIGNATURES,
    TLS_TRAIT_PROTOCOL,      /* the first one of ALPN */
    TLS_TRAIT_LISTS
};

/* All that fingerprints depend on: hellos of one program mostly agree in it, whomever they greet. */
struct tls_traits {
    bool server;       /* whose hello it is */
    uint16_t version;  /* the field, not supported_versions */
    uint16_t cipher;   /* server: chosen */
    bool server_name;  /* client: the extension is there */
    bool supported_versions;
    struct slice list[TLS_TRAIT_LISTS];  /* borrowed from the hello, or of types */
    uint8_t types[TLS_EXTENSION_TYPES];
};

/* Each fills the traits of a hello; false where it has no fingerprints: an SSLv2-format hello, or one that is TLS_INCOMPLETE. */
bool tls_client_traits(const struct tls_client_hello *hello, struct tls_traits *traits);
bool tls_server_traits(const struct tls_server_hello *hello, struct tls_traits *traits);

/* tls_traits_pack writes them as bytes that are equal only for equal traits; returns how many, 0 if there is no room. */
size_t tls_traits_pack(const struct tls_traits *traits, uint8_t *out, size_t room);

/*
 * tls_ja3 and tls_ja3s write DIGEST_MD5_SIZE bytes, tls_ja4 a NUL-terminated text; false (and an empty one) if `digests` is NULL
 * or without the algorithm (MD5 under FIPS). GREASE is left out everywhere. JA4: FoxIO's description as of 2025 (ALPN that is not
 * alphanumeric in hex). A malformed hello has fingerprints too.
 */
bool tls_ja3(const struct tls_traits *client, struct digests *digests, uint8_t out[DIGEST_MAX]);
bool tls_ja3s(const struct tls_traits *server, struct digests *digests, uint8_t out[DIGEST_MAX]);
bool tls_ja4(const struct tls_traits *client, struct digests *digests, char out[TLS_JA4]);

#endif
