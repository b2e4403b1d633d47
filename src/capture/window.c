/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ahead for the own readers of capture formats, below pcapng.c and savefile.c. */
#include <string.h>

#include "base/memory.h"
#include "capture/window.h"

enum {
    WINDOW_STEP = 131072, /* asked of the input at once: stays in the second-level cache */
    WINDOW_LEAD = 64,     /* what is read never comes closely after the beginning of a page: see
                             memory_new_pages */
    WINDOW_END = WINDOW_LEAD + WINDOW_SIZE
};

bool window_open(struct window *window, struct input *input)
{
    *window = (struct window){.input = input, .start = WINDOW_LEAD, .end = WINDOW_LEAD};
    window->written = WINDOW_LEAD;
    window->bytes = memory_new_pages(WINDOW_END);
    return window->bytes;
}

void window_close(struct window *window)
{
    if (window->bytes)
        memory_wipe(window->bytes + WINDOW_LEAD, window->written - WINDOW_LEAD);
    memory_free(window->bytes);
    window->bytes = NULL;
}

/* A pipe may fill less of the window than before: nothing stays that has gone by. */
static void wipe_old(struct window *window)
{
    if (window->written > window->end)
        memory_wipe(window->bytes + window->end, window->written - window->end);
    window->written = window->end;
}

bool window_read_on(struct window *window, size_t count)
{
    size_t have = window->end - window->start;
    if (have)
        memmove(window->bytes + WINDOW_LEAD, window->bytes + window->start, have);
    window->start = WINDOW_LEAD;
    window->end = WINDOW_LEAD + have;
    while (!window_holds(window, count)) {
        size_t room = WINDOW_END - window->end;
        size_t got = input_read(window->input, window->bytes + window->end,
                                room < WINDOW_STEP ? room : WINDOW_STEP);
        if (!got)
            break;
        window->end += got;
    }
    wipe_old(window);
    return window_holds(window, count);
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
