/* SPDX-License-Identifier: BSD-2-Clause */
/* A window that moves over an input: bytes are looked at where they were read to, without copying.
 * Private to capture/. */
#ifndef CAPTURE_WINDOW_H
#define CAPTURE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/input.h"
#include "base/limits.h"
#include "base/reader.h"

enum {
    WINDOW_SIZE = 2 * LIMIT_PACKET /* the largest packet, and as much again for options around it */
};

struct window {
    struct input *input; /* borrowed */
    uint8_t *bytes;      /* pages */
    size_t start, end;   /* those still to be read */
    size_t written;      /* bytes that may hold something */
};

/* window_open prepares a window on an input (borrowed). False without memory. */
bool window_open(struct window *window, struct input *input) __attribute__((warn_unused_result));

/* window_close frees; a window that was never opened, all zero, is allowed. */
void window_close(struct window *window);

/* window_read_on does the work of window_fill. */
bool window_read_on(struct window *window, size_t count);

/* window_holds tells whether the next `count` bytes are in the window. */
static inline bool window_holds(const struct window *window, size_t count)
{
    return window->end - window->start >= count;
}

/* window_fill brings the next `count` bytes (at most WINDOW_SIZE) into the window; false if there
 * are fewer. What was borrowed from it is gone. */
static inline bool window_fill(struct window *window, size_t count)
{
    return window_holds(window, count) || window_read_on(window, count);
}

/* window_look returns a reader over bytes that were brought in, window_take one that passes over
 * them as well. */
static inline struct reader window_look(const struct window *window, size_t count)
{
    return reader_of(window->bytes + window->start, count);
}

static inline struct reader window_take(struct window *window, size_t count)
{
    struct reader taken = window_look(window, count);
    window->start += count;
    return taken;
}

/* window_skip passes over any number of bytes; false if there are fewer. */
bool window_skip(struct window *window, size_t count);

static inline bool window_is_empty(const struct window *window)
{
    return window->start == window->end;
}

#endif
