/* SPDX-License-Identifier: BSD-2-Clause */
/* Several sources in time order. Private to capture/. */
#ifndef CAPTURE_MERGE_H
#define CAPTURE_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/source.h"

struct merge {
    struct source_context *context; /* borrowed */
    struct source **waiting; /* by the time of their first packet: those from waiting_next on are
                                still to be opened */
    uint32_t waiting_next, waiting_count;
    struct source **open; /* a heap: the one with the earliest packet at its root */
    uint32_t open_count, open_limit;
    unsigned delivered; /* so many of the root's packets were handed out */
    bool told;          /* that files had to wait */
};

/* merge_init prepares for `count` sources (borrowed, numbered in order). False without memory. */
bool merge_init(struct merge *merge, struct source_context *context, struct source **sources,
                uint32_t count) __attribute__((warn_unused_result));

/* merge_next hands out the next packets in time order (borrowed until the next call), up to `most`
 * that follow one another in one source, and returns their number; 0 at the end. */
unsigned merge_next(struct merge *merge, unsigned most, const struct packet **packets);

/* merge_close frees what merge_init made. */
void merge_close(struct merge *merge);

#endif
