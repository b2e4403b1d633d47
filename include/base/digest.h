/* SPDX-License-Identifier: BSD-2-Clause */
/* MD5, SHA-1 and SHA-256 through libcrypto, a context for each made once (the one-call form costs twice as much). */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digests;

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };
enum { DIGEST_MD5_SIZE = 16, DIGEST_SHA1_SIZE = 20, DIGEST_SHA256_SIZE = 32, DIGEST_MAX = 32 };

/* digests_new returns a set of digests (new), or NULL if libcrypto gives none. */
struct digests *digests_new(void);

/* One message in pieces; digest_end writes the digest's size in bytes. False if libcrypto failed or lacks the algorithm (MD5 under FIPS). */
bool digest_begin(struct digests *digests, enum digest_kind kind);
bool digest_add(struct digests *digests, const void *data, size_t length);
bool digest_end(struct digests *digests, uint8_t out[DIGEST_MAX]);

/* digest_hex writes 2 * length lower-case hex digits and a NUL. */
void digest_hex(const uint8_t *bytes, size_t length, char *out);

/* digest_base64 writes RFC 4648 base64 with padding, 4 characters per 3 bytes begun, and a NUL. */
void digest_base64(const uint8_t *bytes, size_t length, char *out);

/* digests_free frees; NULL is allowed. */
void digests_free(struct digests *digests);

#endif
