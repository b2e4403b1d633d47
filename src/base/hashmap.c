/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table of flows: SipHash under a random key, because the wire chooses what is hashed. */
#include <endian.h>
#include <string.h>
#include <sys/random.h>

#include "base/hashmap.h"
#include "base/memory.h"

enum { FIRST_BUCKETS = 64 };

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_rounds(uint64_t v[4], unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

/* Inlined with constant round counts, the loops above unroll. */
static inline __attribute__((always_inline)) uint64_t
sip(const uint64_t key[2], unsigned c, unsigned d, const void *bytes, size_t size)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    const uint8_t *at = bytes;
    size_t left = size;
    uint64_t word;
    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        v[3] ^= word;
        sip_rounds(v, c);
        v[0] ^= word;
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << 8 * i;
    v[3] ^= word;
    sip_rounds(v, c);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_rounds(v, d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hashmap_siphash(const uint64_t key[2], unsigned c, unsigned d, const void *bytes,
                         size_t size)
{
    return sip(key, c, d, bytes, size);
}

uint64_t hashmap_hash(const struct hashmap *map, const void *bytes, size_t size)
{
    return sip(map->key, 1, 3, bytes, size);
}

bool hashmap_init(struct hashmap *map)
{
    memset(map, 0, sizeof(*map));
    map->buckets = memory_new_array(FIRST_BUCKETS, sizeof(struct hashlink *));
    if (!map->buckets)
        return false;
    map->mask = FIRST_BUCKETS - 1;
    /*
     * A kernel without randomness leaves an address, which is at least not the same for everybody.
     */
    if (getrandom(map->key, sizeof(map->key), 0) != (ssize_t)sizeof(map->key))
        map->key[0] = (uintptr_t)map->buckets;
    return true;
}

void hashmap_close(struct hashmap *map)
{
    memory_free(map->buckets);
    memset(map, 0, sizeof(*map));
}

static void grow(struct hashmap *map)
{
    size_t old = map->mask + 1;
    struct hashlink **buckets = memory_new_array(2 * old, sizeof(struct hashlink *));
    if (!buckets)
        return;
    for (size_t i = 0; i < old; i++) {
        /* Appending keeps the order within a chain. */
        struct hashlink **tails[2] = {&buckets[i], &buckets[i + old]};
        for (struct hashlink *link = map->buckets[i], *next; link; link = next) {
            next = link->next;
            struct hashlink ***tail = &tails[(link->hash & old) != 0];
            link->next = NULL;
            **tail = link;
            *tail = &link->next;
        }
    }
    memory_free(map->buckets);
    map->buckets = buckets;
    map->mask = 2 * old - 1;
}

void hashmap_insert(struct hashmap *map, struct hashlink *link, uint64_t hash)
{
    if (map->count > map->mask)
        grow(map);
    struct hashlink **bucket = &map->buckets[hash & map->mask];
    link->hash = hash;
    link->next = *bucket;
    *bucket = link;
    map->count++;
}

void hashmap_remove(struct hashmap *map, struct hashlink *link)
{
    struct hashlink **at = &map->buckets[link->hash & map->mask];
    while (*at && *at != link)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = link->next;
    link->next = NULL;
    map->count--;
}
