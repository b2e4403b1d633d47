/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyed hash table whose links lie inside the entries: no allocation per entry, no attacker's
 * choice of buckets.
 */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of an entry; zero-initialised before it is inserted. */
struct hashlink {
    struct hashlink *next; /* in the same bucket */
    uint64_t hash;
};

/*
 * Buckets are chains, newest entry first. The order of entries depends on the key: walk lists of
 * your own where the order shows.
 */
struct hashmap {
    struct hashlink **buckets;
    size_t mask;     /* number of buckets - 1; a power of two less one */
    size_t count;    /* entries */
    uint64_t key[2]; /* random; tests that want the same chains each time set it before the first
                        insert */
};

/*
 * hashmap_init makes an empty map with a random key; false, and nothing to close, without memory.
 */
bool hashmap_init(struct hashmap *map) __attribute__((warn_unused_result));

/* hashmap_close frees the buckets. The entries are the caller's. A zeroed map is allowed. */
void hashmap_close(struct hashmap *map);

/* hashmap_hash is SipHash-1-3 of `size` bytes under the map's key. */
uint64_t hashmap_hash(const struct hashmap *map, const void *bytes, size_t size);

/*
 * hashmap_insert adds an entry. Equal ones are not looked for. Never fails: without memory for more
 * buckets chains get longer.
 */
void hashmap_insert(struct hashmap *map, struct hashlink *link, uint64_t hash);

/* hashmap_remove takes an entry out; one that is not there is left alone. */
void hashmap_remove(struct hashmap *map, struct hashlink *link);

/* hashmap_next returns the next entry with the same hash, or NULL. */
static inline struct hashlink *hashmap_next(const struct hashlink *link, uint64_t hash)
{
    struct hashlink *next = link->next;
    while (next && next->hash != hash)
        next = next->next;
    return next;
}

/*
 * hashmap_first returns the newest entry with that hash, or NULL: the caller compares the keys
 * themselves.
 */
static inline struct hashlink *hashmap_first(const struct hashmap *map, uint64_t hash)
{
    struct hashlink *link = map->buckets[hash & map->mask];
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

#endif
