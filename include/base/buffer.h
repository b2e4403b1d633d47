/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte buffers lent by one pool per analyzer: capped each and in all, wiped when given back. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

/* A growing buffer; zero-initialised is empty and holds no memory. */
struct buffer {
    uint8_t *data;
    uint32_t length;
    uint32_t capacity;
};

enum { POOL_CLASSES = 8 }; /* capacities 256, 1 Ki, 4 Ki, ... by factors of 4 up to 4 Mi */

struct pool {
    uint64_t held;  /* bytes lent now */
    uint64_t peak;  /* the most that was lent at once */
    uint64_t limit; /* bytes that may be lent */
    struct pool_block *spare[POOL_CLASSES];
    uint32_t spares[POOL_CLASSES];
};

/* pool_init prepares a pool that lends at most `limit` bytes. */
void pool_init(struct pool *pool, uint64_t limit);

/* pool_close frees the spare blocks; lent buffers have to be released before. */
void pool_close(struct pool *pool);

/* buffer_append adds bytes (source != buffer's own); false, and nothing changed, if it would exceed `most` bytes, the pool's limit or memory. */
bool buffer_append(struct pool *pool, struct buffer *buffer, struct slice bytes, uint32_t most) __attribute__((warn_unused_result));

/* buffer_consume drops `count` bytes from the front. */
void buffer_consume(struct buffer *buffer, uint32_t count);

/* buffer_release wipes the buffer and gives it back; it is empty afterwards. An empty one is allowed. */
void buffer_release(struct pool *pool, struct buffer *buffer);

/* buffer_slice borrows what the buffer holds. */
static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){.data = buffer->data, .length = buffer->length};
}

#endif
