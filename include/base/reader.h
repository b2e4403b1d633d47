/* SPDX-License-Identifier: BSD-2-Clause */
/* The bounded reader: the only way in which a byte from the wire is looked at. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* struct slice is a borrowed run of bytes: valid as long as the memory it was cut from. */
struct slice {
    const uint8_t *data;
    size_t length;
};

/*
 * struct reader is a cursor over bytes that it does not own, passed by value or by pointer.
 * The first read past the end sets `bad` for good and empties the reader: getters then return 0
 * or an empty slice, so that loops end by themselves and one test at the end suffices.
 * A child reader (for a length-prefixed vector) cannot read past its parent; a fault in a child does not
 * reach the parent, so each child is closed with reader_done().
 */
struct reader {
    const uint8_t *next;
    size_t left;
    bool bad;
};

/* reader_of returns a reader over `length` bytes at `data`, which it borrows. */
static inline struct reader reader_of(const void *data, size_t length)
{
    return (struct reader){.next = data, .left = length, .bad = false};
}

/* reader_of_slice returns a reader over the bytes of a slice. */
static inline struct reader reader_of_slice(struct slice bytes)
{
    return reader_of(bytes.data, bytes.length);
}

/* reader_take advances by `count` and returns where it was, or NULL with the fault set. */
static inline const uint8_t *reader_take(struct reader *r, size_t count)
{
    if (count > r->left) {
        r->bad = true;
        r->left = 0;
        return NULL;
    }
    const uint8_t *at = r->next;
    if (count) { /* an empty slice may have no address, to which C lets nothing be added */
        r->next += count;
        r->left -= count;
    }
    return at;
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_take(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    const uint8_t *p = reader_take(r, 2);
    unsigned value = p ? (unsigned)p[0] << 8 | p[1] : 0;
    return (uint16_t)value;
}

static inline uint32_t reader_u24(struct reader *r)
{
    const uint8_t *p = reader_take(r, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
    const uint8_t *p = reader_take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint16_t reader_u16le(struct reader *r)
{
    const uint8_t *p = reader_take(r, 2);
    unsigned value = p ? (unsigned)p[1] << 8 | p[0] : 0;
    return (uint16_t)value;
}

static inline uint32_t reader_u32le(struct reader *r)
{
    const uint8_t *p = reader_take(r, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

/* reader_skip passes over `count` bytes; false, and the fault set, if there are fewer. */
static inline bool reader_skip(struct reader *r, size_t count)
{
    return reader_take(r, count) != NULL || (count == 0 && !r->bad);
}

/* reader_bytes returns the next `count` bytes as a borrowed slice, empty on a fault. */
static inline struct slice reader_bytes(struct reader *r, size_t count)
{
    const uint8_t *p = reader_take(r, count);
    return (struct slice){.data = p, .length = p ? count : 0};
}

/* reader_rest returns all that is left as a borrowed slice. */
static inline struct slice reader_rest(struct reader *r)
{
    return reader_bytes(r, r->left);
}

/* reader_copy copies `count` bytes to `out`; false, with `out` untouched, if there are fewer. */
static inline bool reader_copy(struct reader *r, void *out, size_t count)
{
    const uint8_t *p = reader_take(r, count);
    if (p && count)
        memcpy(out, p, count);
    return p != NULL;
}

/* reader_child returns a reader over the next `count` bytes; on a fault an empty one that is bad too. */
static inline struct reader reader_child(struct reader *r, size_t count)
{
    bool fits = count <= r->left;
    const uint8_t *p = reader_take(r, count);
    return (struct reader){.next = p, .left = fits ? count : 0, .bad = !fits};
}

/* A vector with a length prefix of 8, 16 or 24 bits (RFC 8446 3.4). */
static inline struct reader reader_child8(struct reader *r)
{
    size_t count = reader_u8(r);
    return reader_child(r, r->bad ? SIZE_MAX : count);
}

static inline struct reader reader_child16(struct reader *r)
{
    size_t count = reader_u16(r);
    return reader_child(r, r->bad ? SIZE_MAX : count);
}

static inline struct reader reader_child24(struct reader *r)
{
    size_t count = reader_u24(r);
    return reader_child(r, r->bad ? SIZE_MAX : count);
}

/* reader_done closes a reader: true if nothing went wrong and nothing is left over. */
static inline bool reader_done(const struct reader *r)
{
    return !r->bad && r->left == 0;
}

#endif
