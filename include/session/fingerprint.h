/* SPDX-License-Identifier: BSD-2-Clause */
/* Fingerprints of hellos, worked out once for all that agree in what they depend on: a site meets the same few programs again and again. */
#ifndef SESSION_FINGERPRINT_H
#define SESSION_FINGERPRINT_H

#include "proto/tls_fingerprint.h"

/* Of a client's hello JA3 and JA4, of a server's JA3S; shared by those that agree. */
struct fingerprint {
    uint32_t references;
    bool have_ja3;      /* false without MD5 */
    uint8_t ja3[DIGEST_MD5_SIZE];
    char ja4[TLS_JA4];  /* "" none */
};

struct fingerprints;

/* fingerprints_new returns an empty memory (new), NULL without memory; `digests` is borrowed. */
struct fingerprints *fingerprints_new(struct digests *digests);

/* Each returns a reference to the fingerprints of a hello, to be given back with fingerprint_release; NULL if it has none, or without memory. */
struct fingerprint *fingerprints_client(struct fingerprints *fingerprints, const struct tls_client_hello *hello);
struct fingerprint *fingerprints_server(struct fingerprints *fingerprints, const struct tls_server_hello *hello);

/* fingerprint_release gives a reference back; NULL is allowed. */
void fingerprint_release(struct fingerprint *fingerprint);

/* fingerprints_worked_out returns how many were not remembered. */
uint64_t fingerprints_worked_out(const struct fingerprints *fingerprints);

/* fingerprints_free forgets; references that are still out stay valid. NULL is allowed. */
void fingerprints_free(struct fingerprints *fingerprints);

extern const struct fingerprint fingerprint_none; /* empty */

#endif
