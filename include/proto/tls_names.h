/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and properties of TLS code points (IANA TLS Parameters registry). Generated tables: see src/proto/tls_tables.sh. */
#ifndef PROTO_TLS_NAMES_H
#define PROTO_TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"

/* Each returns a static string, or NULL for an id that is not registered. */
const char *tls_cipher_name(uint16_t id);
const char *ssl2_cipher_name(uint32_t id); /* "SSL2_RC4_128_WITH_MD5"; 3-byte id, of which those below 0x10000 are TLS suites */
const char *tls_group_name(uint16_t id);   /* "x25519", "secp256r1", "X25519MLKEM768", ... */
const char *tls_signature_name(uint16_t id);
const char *tls_alert_name(uint8_t code);  /* "protocol_version" */
const char *tls_handshake_name(uint8_t type); /* "client_hello" */

/*
 * tls_version_name writes the event's name of a version ("TLSv1.2", "TLSv1.3-draft23", "TLSv1.3-fb1a", "TLSv1.3-7e02" for
 * BoringSSL's experiments, "SSLv2" for 0x0002) to out and returns it; NULL for an unknown id.
 */
enum { TLS_VERSION_NAME = 24 };
const char *tls_version_name(uint16_t id, char out[TLS_VERSION_NAME]);

/* tls_version_rank orders a version id: drafts, experiments and Facebook's drafts are 1.3; NONE for GREASE and unknown ids. */
enum tls_version tls_version_rank(uint16_t id);

/* What a cipher suite is made of: bits. */
enum tls_cipher_trait {
    TLS_CIPHER_KNOWN = 1 << 0,
    TLS_CIPHER_FORWARD_SECRECY = 1 << 1, /* ECDHE, DHE, DH_anon and ECDH_anon too, ECCPWD, ECJPAKE, SRP, CECPQ1; all of 1.3 */
    TLS_CIPHER_ANONYMOUS = 1 << 2,       /* no authentication of the server by certificate or key: *_anon_* */
    TLS_CIPHER_INSECURE = 1 << 3,        /* NULL, EXPORT, DES (single), DES40, RC2, RC4, MD5 as the MAC, RFC 9150 (no encryption) */
    TLS_CIPHER_WEAK = 1 << 4,            /* 3DES, IDEA, SEED */
    TLS_CIPHER_TLS13 = 1 << 5,
    TLS_CIPHER_SHA384 = 1 << 6,          /* the hash has 48 bytes */
    TLS_CIPHER_TAG8 = 1 << 7,            /* AEAD tag of 8 bytes (CCM_8, Magma in MGM) */
    TLS_CIPHER_ECDHE = 1 << 8,           /* ServerKeyExchange has an ECParameters */
    TLS_CIPHER_DHE = 1 << 9,             /* ServerKeyExchange has dh_p */
    TLS_CIPHER_PSK = 1 << 10,            /* ServerKeyExchange begins with a psk_identity_hint */
    TLS_CIPHER_SIGNALLING = 1 << 11,     /* SCSV: no suite */
    TLS_CIPHER_SHA512 = 1 << 12,         /* the hash has 64 bytes (AEGIS_256) */
    TLS_CIPHER_TAG_HASH = 1 << 13        /* the tag is a whole hash (RFC 9150) */
};
unsigned tls_cipher_traits(uint16_t id);
unsigned ssl2_cipher_traits(uint32_t id);

/* Bytes of the hash (and so of Finished) and of the AEAD tag of a suite of TLS 1.3; 32 and 16 for an unknown one. */
unsigned tls13_hash_size(uint16_t cipher);
unsigned tls13_tag_size(uint16_t cipher);

/* tls_group_post_quantum tells groups with ML-KEM or Kyber, drafts and experiments included, and CECPQ2. */
bool tls_group_post_quantum(uint16_t id);

#endif
