/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks of one size, for what comes and goes with every session. */
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/slab.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(block, size) ((void)(block))
#define ASAN_UNPOISON_MEMORY_REGION(block, size) ((void)(block))
#endif

/* A spare block. */
struct node {
    struct node *next;
    uint32_t number;
};

enum {
    FIRST_CHUNKS = 16,                      /* each got by itself; later ones come as huge pages, cut to chunks */
    TOGETHER = MEMORY_HUGE / SLAB_CHUNK,
    ALIGNMENT = 8,                          /* of pointers and 64-bit numbers: nothing else lies in blocks */
#ifdef __SANITIZE_ADDRESS__
    BORDER = 16                             /* after each block, so that the sanitizer sees where it ends */
#else
    BORDER = 0
#endif
};

void slab_init(struct slab *slab, size_t size)
{
    size = size < sizeof(struct node) ? sizeof(struct node) : size;
    size = (size + BORDER + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *slab = (struct slab){.size = size, .per_chunk = (uint32_t)(SLAB_CHUNK / size)};
}

static bool add_chunks(struct slab *slab)
{
    uint32_t more = slab->chunks < FIRST_CHUNKS ? 1 : TOGETHER, all = slab->chunks + more;
    char **chunk = all <= SLAB_CHUNKS ? memory_resize(slab->chunk, all * sizeof *chunk) : NULL;
    if (!chunk)
        return false;
    slab->chunk = chunk;
    char *bytes = more > 1 ? memory_new_large() : memory_new_pages(SLAB_CHUNK);
    if (!bytes)
        return false;
    ASAN_POISON_MEMORY_REGION(bytes, (size_t)more * SLAB_CHUNK);
    if (slab->chunks > FIRST_CHUNKS) /* those before are full: until then only what was needed of them took memory */
        memory_make_huge(chunk[slab->chunks - TOGETHER]);
    for (uint32_t i = 0; i < more; i++)
        chunk[slab->chunks++] = bytes + (size_t)i * SLAB_CHUNK;
    slab->held += (uint64_t)more * SLAB_CHUNK;
    return true;
}

/* The next block that was never taken. */
static void *take_fresh(struct slab *slab, uint32_t *number)
{
    if (!slab->used || slab->fresh == slab->per_chunk) {
        if (slab->used == slab->chunks && !add_chunks(slab))
            return NULL;
        slab->used++;
        slab->fresh = 0;
    }
    *number = (slab->used - 1) << SLAB_NUMBER_BITS | slab->fresh++;
    return slab_at(slab, *number);
}

void *slab_take_numbered(struct slab *slab, uint32_t *number)
{
    struct node *node = slab->spare;
    if (node) {
        ASAN_UNPOISON_MEMORY_REGION(node, slab->size - BORDER);
        slab->spare = node->next;
        *number = node->number;
    } else {
        node = take_fresh(slab, number);
        if (!node)
            return NULL;
        ASAN_UNPOISON_MEMORY_REGION(node, slab->size - BORDER);
    }
    memset(node, 0, slab->size - BORDER);
    return node;
}

void *slab_take(struct slab *slab)
{
    uint32_t number;
    return slab_take_numbered(slab, &number);
}

static void give(struct slab *slab, void *block, uint32_t number)
{
    struct node *node = block;
    node->next = slab->spare;
    node->number = number;
    slab->spare = node;
    ASAN_POISON_MEMORY_REGION(block, slab->size);
}

void slab_give(struct slab *slab, void *block)
{
    if (block)
        give(slab, block, 0);
}

void slab_give_numbered(struct slab *slab, uint32_t number)
{
    give(slab, slab_at(slab, number), number);
}

void slab_close(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->chunks; i += i < FIRST_CHUNKS ? 1 : TOGETHER) {
        ASAN_UNPOISON_MEMORY_REGION(slab->chunk[i], i < FIRST_CHUNKS ? SLAB_CHUNK : MEMORY_HUGE);
        memory_free(slab->chunk[i]);
    }
    memory_free(slab->chunk);
    *slab = (struct slab){.size = slab->size, .per_chunk = slab->per_chunk};
}
