/* SPDX-License-Identifier: BSD-2-Clause */
/* From a hello to its fingerprints, by way of those of the hellos before it. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/siphash.h"
#include "session/fingerprint.h"

enum { SETS = LIMIT_FINGERPRINTS / 2 };

const struct fingerprint fingerprint_none;

/* The packed traits of a hello, and what came out of them. */
struct known {
    struct fingerprint *fingerprint; /* NULL: none yet */
    uint16_t length;
    uint8_t traits[LIMIT_FINGERPRINT_TRAITS];
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
    if (!f)
        return;
    for (unsigned i = 0; i < SETS; i++)
        for (unsigned place = 0; place < 2; place++)
            fingerprint_release(f->sets[i].place[place].fingerprint);
    memory_free(f);
}

void fingerprint_release(struct fingerprint *fingerprint)
{
    if (fingerprint && --fingerprint->references == 0)
        memory_free(fingerprint);
}

uint64_t fingerprints_worked_out(const struct fingerprints *f)
{
    return f->worked_out;
}

static struct fingerprint *work_out(struct fingerprints *f)
{
    uint8_t digest[DIGEST_MAX];
    struct fingerprint *out = memory_new(sizeof *out);
    if (!out)
        return NULL;
    out->references = 1;
    out->have_ja3 = f->traits.server ? tls_ja3s(&f->traits, f->digests, digest) : tls_ja3(&f->traits, f->digests, digest);
    if (out->have_ja3)
        memcpy(out->ja3, digest, sizeof out->ja3);
    if (!f->traits.server)
        tls_ja4(&f->traits, f->digests, out->ja4);
    f->worked_out++;
    return out;
}

/* Whoever finds hellos that meet in one set only has them worked out each time: no secret key is needed. */
static struct set *set_of(struct fingerprints *f, const uint8_t *traits, size_t length)
{
    static const uint64_t no_key[2];
    return &f->sets[siphash(no_key, 1, 3, traits, length) % SETS];
}

static struct fingerprint *remember(struct set *set, const uint8_t *traits, size_t length, struct fingerprint *fingerprint)
{
    if (!fingerprint)
        return NULL;
    set->last = !set->last;
    struct known *known = &set->place[set->last];
    fingerprint_release(known->fingerprint);
    known->fingerprint = fingerprint;
    known->length = (uint16_t)length;
    memcpy(known->traits, traits, length);
    fingerprint->references++;
    return fingerprint;
}

static struct fingerprint *find(struct fingerprints *f)
{
    uint8_t traits[LIMIT_FINGERPRINT_TRAITS];
    size_t length = tls_traits_pack(&f->traits, traits, sizeof traits);
    if (!length)
        return work_out(f);
    struct set *set = set_of(f, traits, length);
    for (unsigned i = 0; i < 2; i++) {
        struct known *known = &set->place[i];
        if (known->length == length && memcmp(known->traits, traits, length) == 0) {
            set->last = (uint8_t)i;
            known->fingerprint->references++;
            return known->fingerprint;
        }
    }
    return remember(set, traits, length, work_out(f));
}

struct fingerprint *fingerprints_client(struct fingerprints *f, const struct tls_client_hello *hello)
{
    return tls_client_traits(hello, &f->traits) ? find(f) : NULL;
}

struct fingerprint *fingerprints_server(struct fingerprints *f, const struct tls_server_hello *hello)
{
    return tls_server_traits(hello, &f->traits) ? find(f) : NULL;
}
