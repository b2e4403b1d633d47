/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which entries have which hash: an open-addressed table (linear probing) of hashes with what the
 * caller calls its entries, 32 bits each. A look-up reads one cache line in most cases, and of the
 * entries themselves only those that have the hash: what is not there costs no access to memory that
 * is far away. Hashes are keyed ones (base/siphash.h); their low 32 bits are what counts here.
 */
#ifndef BASE_DIRECTORY_H
#define BASE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory {
    uint64_t *places; /* hash in the high half, entry in the low one; 0: nothing there */
    uint32_t mask;    /* number of places - 1; a power of two less one */
    uint32_t count;   /* entries */
};

/* directory_init makes an empty one; false, and nothing to close, without memory. */
bool directory_init(struct directory *directory) __attribute__((warn_unused_result));

/* directory_close frees it. A zeroed one is allowed. */
void directory_close(struct directory *directory);

/*
 * directory_add adds an entry, which must not be 0; equal ones are not looked for. False if there is
 * no memory for more places and the last ones are taken.
 */
bool directory_add(struct directory *directory, uint64_t hash, uint32_t entry)
    __attribute__((warn_unused_result));

/* directory_remove takes an entry out, directory_replace puts another in its place: it must be there. */
void directory_remove(struct directory *directory, uint64_t hash, uint32_t entry);
void directory_replace(struct directory *directory, uint64_t hash, uint32_t entry, uint32_t other);

/* directory_held returns the bytes of the table. */
size_t directory_held(const struct directory *directory);

/* directory_expect fetches what a look-up will touch into the caches. */
static inline void directory_expect(const struct directory *directory, uint64_t hash)
{
    __builtin_prefetch(&directory->places[hash & directory->mask]);
}

/*
 * directory_next returns the next entry with that hash, 0 after the last: the caller compares the
 * keys themselves. *steps begins as 0; the directory must not change in between.
 */
static inline uint32_t directory_next(const struct directory *directory, uint64_t hash,
                                      uint32_t *steps)
{
    for (;;) {
        uint64_t place = directory->places[((uint32_t)hash + (*steps)++) & directory->mask];
        if (!place || place >> 32 == (uint32_t)hash)
            return (uint32_t)place;
    }
}

#endif
