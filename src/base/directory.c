/* SPDX-License-Identifier: BSD-2-Clause */
/* An open-addressed table, at most half full: a look-up that guessed wrong costs more than room does, until the table is large. */
#include "base/directory.h"
#include "base/memory.h"

enum { FIRST_PLACES = 64, LARGE = 1 << 18, FULL_TENTHS = 5, LARGE_FULL_TENTHS = 8 };

static bool make(struct directory *directory, uint32_t places)
{
    *directory = (struct directory){.places = memory_new_array(places, sizeof(*directory->places)),
                                    .mask = places - 1};
    return directory->places != NULL;
}

bool directory_init(struct directory *directory)
{
    return make(directory, FIRST_PLACES);
}

void directory_close(struct directory *directory)
{
    memory_free(directory->places);
    *directory = (struct directory){0};
}

static uint64_t place_with(uint64_t hash, uint32_t entry)
{
    return hash << 32 | entry;
}

static uint32_t home_of(const struct directory *directory, uint64_t place)
{
    return (uint32_t)(place >> 32) & directory->mask;
}

static void put(struct directory *directory, uint64_t place)
{
    uint32_t at = home_of(directory, place);
    while (directory->places[at])
        at = (at + 1) & directory->mask;
    directory->places[at] = place;
    directory->count++;
}

static void grow(struct directory *directory)
{
    struct directory grown;
    if (directory->mask >= UINT32_MAX / 2 || !make(&grown, 2 * (directory->mask + 1)))
        return;
    for (uint32_t at = 0; at <= directory->mask; at++)
        if (directory->places[at])
            put(&grown, directory->places[at]);
    directory_close(directory);
    *directory = grown;
}

bool directory_add(struct directory *directory, uint64_t hash, uint32_t entry)
{
    uint64_t places = (uint64_t)directory->mask + 1;
    if (directory->count >= places * (places > LARGE ? LARGE_FULL_TENTHS : FULL_TENTHS) / 10)
        grow(directory);
    if (directory->count == directory->mask)
        return false; /* a look-up ends at a free place: one must remain */
    put(directory, place_with(hash, entry));
    return true;
}

static uint32_t find(const struct directory *directory, uint64_t hash, uint32_t entry)
{
    uint64_t place = place_with(hash, entry);
    uint32_t at = home_of(directory, place);
    while (directory->places[at] != place)
        at = (at + 1) & directory->mask;
    return at;
}

void directory_replace(struct directory *directory, uint64_t hash, uint32_t entry, uint32_t other)
{
    directory->places[find(directory, hash, entry)] = place_with(hash, other);
}

/* Those behind it that are not where their hash wants them move up, so that no look-up ends at the hole. */
void directory_remove(struct directory *directory, uint64_t hash, uint32_t entry)
{
    uint32_t hole = find(directory, hash, entry), mask = directory->mask;
    for (uint32_t at = (hole + 1) & mask; directory->places[at]; at = (at + 1) & mask) {
        if (((at - home_of(directory, directory->places[at])) & mask) < ((at - hole) & mask))
            continue;
        directory->places[hole] = directory->places[at];
        hole = at;
    }
    directory->places[hole] = 0;
    directory->count--;
}

size_t directory_held(const struct directory *directory)
{
    return ((size_t)directory->mask + 1) * sizeof(*directory->places);
}
