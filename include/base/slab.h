/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of one size, many of them and again and again: what each open session needs. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

/*
 * Blocks are cut from chunks, and kept when given back: there are as many as were in use at once. One whose size is a multiple of a
 * cache line lies in no more lines than it fills.
 */
struct slab {
    size_t size;            /* of a block, rounded up */
    uint32_t per_chunk;     /* blocks */
    uint32_t chunks, used;  /* chunks that are there; of those, how many blocks were ever taken from */
    uint32_t fresh;         /* block of the last used chunk that is next; those before it were taken */
    char **chunk;           /* SLAB_CHUNK bytes each */
    void *spare;            /* blocks that were given back; each begins with a pointer to the next */
    uint64_t held;          /* bytes of all chunks */
};

enum { SLAB_CHUNK = 65536, SLAB_NUMBER_BITS = 12 /* of a block within its chunk */, SLAB_CHUNKS = 1 << 17 /* most: 8 GiB */ };

/* slab_init prepares an empty slab; it allocates nothing. Blocks have at most SLAB_CHUNK bytes. */
void slab_init(struct slab *slab, size_t size);

/* slab_take returns a zeroed block, NULL without memory. */
void *slab_take(struct slab *slab);

/* slab_take_numbered fills in as well what slab_at finds the block by: below 2^29, the same as long as it is in use. */
void *slab_take_numbered(struct slab *slab, uint32_t *number);

/* slab_give takes a block back; NULL is allowed. A slab of numbered blocks is given them by slab_give_numbered alone. */
void slab_give(struct slab *slab, void *block);
void slab_give_numbered(struct slab *slab, uint32_t number);

/* slab_at returns the block with that number. */
static inline void *slab_at(const struct slab *slab, uint32_t number)
{
    return slab->chunk[number >> SLAB_NUMBER_BITS] + (number & ((1u << SLAB_NUMBER_BITS) - 1)) * slab->size;
}

/* slab_close frees all blocks, those in use too. */
void slab_close(struct slab *slab);

#endif
