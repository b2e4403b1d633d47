/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ahead for the own readers of capture formats, below pcapng.c. */
#include <string.h>

#include "base/memory.h"
#include "capture/window.h"

enum { WINDOW_STEP = 131072 /* asked of the input at once: stays in the second-level cache */ };

bool window_open(struct window *window, struct input *input)
{
    *window = (struct window){.input = input, .bytes = memory_new(WINDOW_SIZE)};
    return window->bytes;
}

void window_close(struct window *window)
{
    memory_free(window->bytes);
    window->bytes = NULL;
}

bool window_read_on(struct window *window, size_t count)
{
    size_t have = window->end - window->start;
    if (have)
        memmove(window->bytes, window->bytes + window->start, have);
    window->start = 0;
    window->end = have;
    while (window->end < count) {
        size_t room = WINDOW_SIZE - window->end;
        size_t got = input_read(window->input, window->bytes + window->end,
                                room < WINDOW_STEP ? room : WINDOW_STEP);
        if (!got)
            return false;
        window->end += got;
    }
    return true;
}

bool window_skip(struct window *window, size_t count)
{
    while (count) {
        if (!window_fill(window, 1))
            return false;
        size_t there = window->end - window->start;
        size_t step = there < count ? there : count;
        window->start += step;
        count -= step;
    }
    return true;
}
