/* SPDX-License-Identifier: BSD-2-Clause */
/* From a hello to its fingerprints, by way of those of the hellos before it. */
#include <string.h>

#include "base/hashmap.h"
#include "base/limits.h"
#include "base/memory.h"
#include "session/fingerprint.h"

enum { SETS = LIMIT_FINGERPRINTS / 2 };

/* The packed traits of a hello, and what came out of them. */
struct known {
    uint16_t length; /* 0: none yet */
    uint8_t traits[LIMIT_FINGERPRINT_TRAITS];
    struct fingerprint fingerprint;
};

/* Traits have two places, of which the one not used last is given away. */
struct set {
    struct known place[2];
    uint8_t last;
};

struct fingerprints {
    struct digests *digests;
    struct set sets[SETS];
    struct tls_traits traits;
    struct fingerprint unkept; /* of traits that are longer than is kept */
    uint64_t worked_out;
};

struct fingerprints *fingerprints_new(struct digests *digests)
{
    struct fingerprints *f = memory_new(sizeof *f);
    if (f)
        f->digests = digests;
    return f;
}

void fingerprints_free(struct fingerprints *f)
{
    memory_free(f);
}

uint64_t fingerprints_worked_out(const struct fingerprints *f)
{
    return f->worked_out;
}

static const struct fingerprint *work_out(struct fingerprints *f, struct fingerprint *out)
{
    uint8_t digest[DIGEST_MAX];
    *out->ja4 = '\0';
    out->have_ja3 = f->traits.server ? tls_ja3s(&f->traits, f->digests, digest) : tls_ja3(&f->traits, f->digests, digest);
    if (out->have_ja3)
        memcpy(out->ja3, digest, sizeof out->ja3);
    if (!f->traits.server)
        tls_ja4(&f->traits, f->digests, out->ja4);
    f->worked_out++;
    return out;
}

static const struct fingerprint *find(struct fingerprints *f)
{
    static const uint64_t no_key[2]; /* who finds hellos that meet in one set only has them worked out */
    uint8_t traits[LIMIT_FINGERPRINT_TRAITS];
    size_t length = tls_traits_pack(&f->traits, traits, sizeof traits);
    if (!length)
        return work_out(f, &f->unkept);
    struct set *set = &f->sets[hashmap_siphash(no_key, 1, 3, traits, length) % SETS];
    for (unsigned i = 0; i < 2; i++) {
        struct known *known = &set->place[i];
        if (known->length == length && memcmp(known->traits, traits, length) == 0) {
            set->last = (uint8_t)i;
            return &known->fingerprint;
        }
    }
    set->last = !set->last;
    struct known *known = &set->place[set->last];
    memcpy(known->traits, traits, length);
    known->length = (uint16_t)length;
    return work_out(f, &known->fingerprint);
}

const struct fingerprint *fingerprints_client(struct fingerprints *f, const struct tls_client_hello *hello)
{
    return tls_client_traits(hello, &f->traits) ? find(f) : NULL;
}

const struct fingerprint *fingerprints_server(struct fingerprints *f, const struct tls_server_hello *hello)
{
    return tls_server_traits(hello, &f->traits) ? find(f) : NULL;
}
