/* SPDX-License-Identifier: BSD-2-Clause */
/* JA3, JA3S and JA4 of hellos. Pure: MD5 and SHA-256 come from base/digest.h. */
#ifndef PROTO_TLS_FINGERPRINT_H
#define PROTO_TLS_FINGERPRINT_H

#include <stdbool.h>

#include "base/digest.h"
#include "proto/tls_hello.h"

enum { TLS_JA3 = 32 + 1, TLS_JA4 = 36 + 1 };

/*
 * Each writes a NUL-terminated fingerprint; false (and an empty string) where there is none: an SSLv2-format hello, `digests` NULL
 * or without the algorithm (MD5 under FIPS). GREASE is left out everywhere. JA3, JA3S: version field, not supported_versions. JA4:
 * FoxIO's description as of 2025 (ALPN that is not alphanumeric in hex). A malformed hello has one unless it is TLS_INCOMPLETE.
 */
bool tls_ja3(const struct tls_client_hello *hello, struct digests *digests, char out[TLS_JA3]);
bool tls_ja3s(const struct tls_server_hello *hello, struct digests *digests, char out[TLS_JA3]);
bool tls_ja4(const struct tls_client_hello *hello, struct digests *digests, char out[TLS_JA4]);

#endif
