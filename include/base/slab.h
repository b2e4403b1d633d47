/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of one size, many of them and again and again: what each open session needs. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks are cut from chunks, and kept when given back: there are as many as were in use at once.
 */
struct slab {
    size_t size;   /* of a block, rounded up */
    void *spare;   /* blocks that were given back; each begins with a pointer to the next */
    void *chunks;  /* likewise */
    char *fresh;   /* the rest of the newest chunk, which was never taken from */
    size_t left;   /* ... in bytes */
    uint64_t held; /* bytes of all chunks */
    bool large;    /* the newest chunk becomes a huge page when it is full */
};

/* slab_init prepares an empty slab; it allocates nothing. */
void slab_init(struct slab *slab, size_t size);

/* slab_take returns a zeroed block, NULL without memory. */
void *slab_take(struct slab *slab);

/* slab_give takes a block back; NULL is allowed. */
void slab_give(struct slab *slab, void *block);

/* slab_close frees all blocks, those in use too. */
void slab_close(struct slab *slab);

#endif
