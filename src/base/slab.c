/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of one size, for what comes and goes with every session. */
#include <string.h>

#include "base/memory.h"
#include "base/slab.h"

/* A spare block or a chunk, in a list of them. */
struct node {
    struct node *next;
};

enum {
    CHUNK = 65536,
    LARGE = 1048576, /* held by a slab whose chunks are huge pages from then on */
    ALIGNMENT = 8    /* of pointers and 64-bit numbers: nothing else lies in blocks */
};

void slab_init(struct slab *slab, size_t size)
{
    size = size < sizeof(struct node) ? sizeof(struct node) : size;
    *slab = (struct slab){.size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT};
}

static void give(struct slab *slab, void *block)
{
    struct node *node = block;
    node->next = slab->spare;
    slab->spare = node;
}

#ifdef __SANITIZE_ADDRESS__

/* Every block by itself, so that the sanitizer sees its borders and its end. */
static void add_chunk(struct slab *slab)
{
    void *block = memory_new(slab->size);
    if (block)
        give(slab, block);
}

void slab_give(struct slab *slab, void *block)
{
    (void)slab;
    memory_free(block);
}

#else

static void add_chunk(struct slab *slab)
{
    bool large = slab->held >= LARGE;
    size_t size = large ? MEMORY_HUGE : CHUNK;
    char *chunk = large ? memory_new_large() : memory_new(CHUNK);
    struct node *node = (void *)chunk;
    if (!chunk)
        return;
    if (slab->large) /* it is full: until then only what was needed of it took memory */
        memory_make_huge(slab->chunks);
    slab->large = large;
    node->next = slab->chunks;
    slab->chunks = node;
    slab->held += size;
    slab->fresh = chunk + ALIGNMENT;
    slab->left = size - ALIGNMENT;
}

void slab_give(struct slab *slab, void *block)
{
    if (block)
        give(slab, block);
}

#endif

void *slab_take(struct slab *slab)
{
    struct node *node = slab->spare;
    if (!node && slab->left < slab->size)
        add_chunk(slab);
    if (slab->spare) {
        node = slab->spare;
        slab->spare = node->next;
    } else if (slab->left >= slab->size) {
        node = (void *)slab->fresh;
        slab->fresh += slab->size;
        slab->left -= slab->size;
    } else {
        return NULL;
    }
    memset(node, 0, slab->size);
    return node;
}

void slab_close(struct slab *slab)
{
    for (struct node *chunk = slab->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        memory_free(chunk);
    }
    slab_init(slab, slab->size);
}
