/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests for fingerprints, uids and Community IDs. */
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/memory.h"

struct digests {
    EVP_MD_CTX *contexts[DIGEST_KINDS]; /* each bound to its algorithm, which need not be set up again; NULL: there is none */
    EVP_MD_CTX *context;                /* of the message that was begun */
};

static EVP_MD_CTX *context_new(const char *name)
{
    EVP_MD *algorithm = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *context = algorithm ? EVP_MD_CTX_new() : NULL;
    if (context && EVP_DigestInit_ex2(context, algorithm, NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    EVP_MD_free(algorithm); /* the context has its own reference */
    return context;
}

struct digests *digests_new(void)
{
    static const char *const names[DIGEST_KINDS] = {"MD5", "SHA1", "SHA256"};
    struct digests *digests = memory_new(sizeof *digests);
    if (!digests)
        return NULL;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        digests->contexts[kind] = context_new(names[kind]);
    if (!digests->contexts[DIGEST_SHA256]) {
        digests_free(digests);
        return NULL;
    }
    return digests;
}

bool digest_begin(struct digests *digests, enum digest_kind kind)
{
    digests->context = digests->contexts[kind];
    return digests->context && EVP_DigestInit_ex2(digests->context, NULL, NULL) == 1;
}

bool digest_add(struct digests *digests, const void *data, size_t length)
{
    return EVP_DigestUpdate(digests->context, data, length) == 1;
}

bool digest_end(struct digests *digests, uint8_t out[DIGEST_MAX])
{
    unsigned length = 0;
    return EVP_DigestFinal_ex(digests->context, out, &length) == 1;
}

void digest_hex(const uint8_t *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

void digest_base64(const uint8_t *bytes, size_t length, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)length);
}

void digests_free(struct digests *digests)
{
    if (!digests)
        return;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        EVP_MD_CTX_free(digests->contexts[kind]);
    memory_free(digests);
}
