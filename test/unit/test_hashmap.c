/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/hashmap: SipHash against the reference implementation's vectors, then the table against a
 * plain array.
 */
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/memory.h"
#include "base/siphash.h"
#include "unit/test.h"

/*
 * Key 00 01 .. 0f, message 00 01 .. n-1 in the vectors of the reference implementation (2-4) and of
 * Rust's core (1-3).
 */
static const uint64_t counting_key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
static const uint64_t zero_key[2] = {0, 0};

static const struct {
    const uint64_t *key;
    unsigned c, d, length;
    uint64_t hash;
} vectors[] = {
    {counting_key, 2, 4, 0, 0x726fdb47dd0e0e31},  {counting_key, 2, 4, 1, 0x74f839c593dc67fd},
    {counting_key, 2, 4, 7, 0xab0200f58b01d137},  {counting_key, 2, 4, 8, 0x93f5f5799a932462},
    {counting_key, 2, 4, 9, 0x9e0082df0ba9e4b0},  {counting_key, 2, 4, 15, 0xa129ca6149be45e5},
    {counting_key, 2, 4, 16, 0x3f2acc7f57c29bdb}, {counting_key, 2, 4, 63, 0x958a324ceb064572},
    {counting_key, 1, 3, 0, 0xabac0158050fc4dc},  {counting_key, 1, 3, 1, 0xc9f49bf37d57ca93},
    {counting_key, 1, 3, 7, 0xd3927d989bb11140},  {counting_key, 1, 3, 8, 0x369095118d299a8e},
    {counting_key, 1, 3, 63, 0x9d199062b7bbb3a8}, {zero_key, 1, 3, 0, 0xd1fba762150c532c},
    {zero_key, 1, 3, 1, 0x68a914128e01e473},      {zero_key, 1, 3, 15, 0xf30eb725bb91c9ea},
    {zero_key, 1, 3, 16, 0x8972188433a5c5b7},     {zero_key, 1, 3, 36, 0xac77921fcc642bd3},
};

static void test_siphash(void)
{
    uint8_t message[64];
    for (unsigned i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        CHECK(siphash(vectors[i].key, vectors[i].c, vectors[i].d, message,
                              vectors[i].length) == vectors[i].hash);
        if (vectors[i].c == 1) {
            struct hashmap map = {.key = {vectors[i].key[0], vectors[i].key[1]}};
            CHECK(hashmap_hash(&map, message, vectors[i].length) == vectors[i].hash);
        }
    }
}

struct entry {
    struct hashlink link;
    unsigned number;
    bool in;
};

static struct entry *find(const struct hashmap *map, unsigned number)
{
    uint64_t hash = hashmap_hash(map, &number, sizeof(number));
    struct hashlink *link = hashmap_first(map, hash);
    while (link && ((struct entry *)link)->number != number)
        link = hashmap_next(link, hash);
    return (struct entry *)link;
}

enum { ENTRIES = 5000 };
static struct entry entries[ENTRIES];

static unsigned misplaced(const struct hashmap *map)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < ENTRIES; i++)
        wrong += find(map, i) != (entries[i].in ? &entries[i] : NULL);
    return wrong;
}

static void test_table(void)
{
    struct hashmap map;
    bool ok = hashmap_init(&map);
    CHECK(ok);
    if (!ok)
        return;
    unsigned present = 0;
    uint32_t random = 1;
    for (unsigned round = 0; round < 6 * ENTRIES; round++) {
        random = random * 1664525 + 1013904223;
        unsigned i = (random >> 8) % ENTRIES;
        entries[i].number = i;
        if (entries[i].in) {
            hashmap_remove(&map, &entries[i].link);
            present--;
        } else {
            hashmap_insert(&map, &entries[i].link, hashmap_hash(&map, &i, sizeof(i)));
            present++;
        }
        entries[i].in = !entries[i].in;
        if (round % 5000 == 0)
            CHECK_INT(misplaced(&map), 0);
    }
    CHECK_INT(map.count, present);
    CHECK_INT(misplaced(&map), 0);
    CHECK(map.mask + 1 >= present / 2 && (map.mask & (map.mask + 1)) == 0);
    for (unsigned i = 0; i < ENTRIES; i++) {
        bool was_in = entries[i].in;
        size_t count = map.count;
        hashmap_remove(&map, &entries[i].link);
        CHECK_INT(map.count, count - (was_in ? 1 : 0)); /* what is not there is left alone */
        entries[i].in = false;
    }
    CHECK_INT(map.count, 0);
    CHECK_INT(misplaced(&map), 0);
    hashmap_close(&map);
}

/*
 * Entries of one hash, and of others in the same bucket: first and next give the equal ones, newest
 * first, also after growth.
 */
static void test_equal_hashes(void)
{
    struct hashmap map;
    struct entry same[3] = {{.number = 0}}, other[200] = {{.number = 0}};
    if (!hashmap_init(&map))
        return;
    for (unsigned i = 0; i < 200; i++) {
        if (i < 3)
            hashmap_insert(&map, &same[i].link, 5);
        hashmap_insert(&map, &other[i].link, 5 + 65536 * (uint64_t)(i + 1));
    }
    CHECK(map.mask > 63);
    struct hashlink *link = hashmap_first(&map, 5);
    CHECK(link == &same[2].link);
    link = link ? hashmap_next(link, 5) : NULL;
    CHECK(link == &same[1].link);
    link = link ? hashmap_next(link, 5) : NULL;
    CHECK(link == &same[0].link);
    CHECK(link && hashmap_next(link, 5) == NULL);
    CHECK(hashmap_first(&map, 6) == NULL);
    hashmap_remove(&map, &same[1].link);
    link = hashmap_first(&map, 5);
    CHECK(link == &same[2].link && hashmap_next(link, 5) == &same[0].link);
    hashmap_close(&map);
}

static void test_memory(void)
{
    struct hashmap map, second;
    memory_fail_at(1);
    CHECK(!hashmap_init(&map));
    memset(&map, 0, sizeof(map));
    hashmap_close(&map);
    if (!hashmap_init(&map) || !hashmap_init(&second))
        return;
    CHECK(map.key[0] != second.key[0] || map.key[1] != second.key[1]);
    hashmap_close(&second);
    /* Growth that fails is tried again at the next insert; nothing is lost. */
    memset(entries, 0, sizeof(entries));
    for (unsigned i = 0; i < 65; i++) {
        entries[i] = (struct entry){.number = i, .in = true};
        if (i == 64)
            memory_fail_at(1);
        hashmap_insert(&map, &entries[i].link, hashmap_hash(&map, &i, sizeof(i)));
    }
    CHECK_INT(map.mask, 63);
    CHECK_INT(map.count, 65);
    CHECK_INT(misplaced(&map), 0);
    unsigned one_more = 65;
    entries[65] = (struct entry){.number = 65, .in = true};
    hashmap_insert(&map, &entries[65].link, hashmap_hash(&map, &one_more, sizeof(one_more)));
    CHECK_INT(map.mask, 127);
    CHECK_INT(misplaced(&map), 0);
    hashmap_close(&map);
}

int main(void)
{
    test_siphash();
    test_table();
    test_equal_hashes();
    test_memory();
    return TEST_END();
}
