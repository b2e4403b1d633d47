/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of entries by SipHash under a random key, because the wire chooses what is hashed. */
#include <string.h>

#include "base/hashmap.h"
#include "base/memory.h"
#include "base/siphash.h"

enum { FIRST_BUCKETS = 64 };

uint64_t hashmap_hash(const struct hashmap *map, const void *bytes, size_t size)
{
    return siphash(map->key, 1, 3, bytes, size);
}

bool hashmap_init(struct hashmap *map)
{
    memset(map, 0, sizeof(*map));
    map->buckets = memory_new_array(FIRST_BUCKETS, sizeof(struct hashlink *));
    if (!map->buckets)
        return false;
    map->mask = FIRST_BUCKETS - 1;
    siphash_new_key(map->key, map->buckets);
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
