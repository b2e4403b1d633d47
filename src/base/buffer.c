/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of byte buffers behind framers and streams. */
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

/* A spare block: the list node lies in the block itself. */
struct pool_block {
    struct pool_block *next;
};

enum { POOL_SMALLEST = 256, POOL_SPARES = 64 /* kept per class; the rest goes back to the system */ };

static unsigned class_of(uint32_t size)
{
    unsigned class = 0;
    for (uint32_t capacity = POOL_SMALLEST; capacity < size && class < POOL_CLASSES; capacity <<= 2)
        class ++;
    return class;
}

static uint32_t class_capacity(unsigned class)
{
    return (uint32_t)POOL_SMALLEST << (2 * class);
}

void pool_init(struct pool *pool, uint64_t limit)
{
    memset(pool, 0, sizeof *pool);
    pool->limit = limit;
}

void pool_close(struct pool *pool)
{
    for (unsigned class = 0; class < POOL_CLASSES; class ++) {
        while (pool->spare[class]) {
            struct pool_block *block = pool->spare[class];
            pool->spare[class] = block->next;
            memory_free(block);
        }
        pool->spares[class] = 0;
    }
}

static void *block_take(struct pool *pool, unsigned class)
{
    struct pool_block *block = pool->spare[class];
    if (!block)
        return memory_new(class_capacity(class));
    pool->spare[class] = block->next;
    pool->spares[class]--;
    return block;
}

static void block_give(struct pool *pool, unsigned class, void *data)
{
    if (pool->spares[class] >= POOL_SPARES) {
        memory_free(data);
        return;
    }
    struct pool_block *block = data;
    block->next = pool->spare[class];
    pool->spare[class] = block;
    pool->spares[class]++;
}

static bool buffer_grow(struct pool *pool, struct buffer *buffer, uint32_t size)
{
    unsigned class = class_of(size);
    uint32_t capacity = class < POOL_CLASSES ? class_capacity(class) : 0;
    if (!capacity || pool->held - buffer->capacity + capacity > pool->limit)
        return false;
    uint8_t *data = block_take(pool, class);
    if (!data)
        return false;
    struct buffer old = *buffer;
    if (old.length)
        memcpy(data, old.data, old.length);
    buffer_release(pool, buffer);
    *buffer = (struct buffer){.data = data, .length = old.length, .capacity = capacity};
    pool->held += capacity;
    if (pool->held > pool->peak)
        pool->peak = pool->held;
    return true;
}

bool buffer_append(struct pool *pool, struct buffer *buffer, struct slice bytes, uint32_t most)
{
    if (bytes.length > most || buffer->length > most - bytes.length)
        return false;
    uint32_t size = buffer->length + (uint32_t)bytes.length;
    if (size > buffer->capacity && !buffer_grow(pool, buffer, size))
        return false;
    if (bytes.length)
        memcpy(buffer->data + buffer->length, bytes.data, bytes.length);
    buffer->length = size;
    return true;
}

void buffer_consume(struct buffer *buffer, uint32_t count)
{
    buffer->length -= count;
    memmove(buffer->data, buffer->data + count, buffer->length);
    memory_wipe(buffer->data + buffer->length, count);
}

void buffer_release(struct pool *pool, struct buffer *buffer)
{
    if (buffer->data) {
        memory_wipe(buffer->data, buffer->length);
        pool->held -= buffer->capacity;
        block_give(pool, class_of(buffer->capacity), buffer->data);
    }
    *buffer = (struct buffer){0};
}
