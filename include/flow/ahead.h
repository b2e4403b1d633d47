/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few segments wait here in their order, so that the memory of their connections arrives before
 * they do: with ten thousand connections open nearly every packet finds its own out of the cache.
 */
#ifndef FLOW_AHEAD_H
#define FLOW_AHEAD_H

#include "flow/flow.h"

struct flow_ahead;

/* What is done with a packet whose turn has come: time passes, then its segment is taken. */
struct flow_ahead_sink {
    void (*pass_time)(void *user, int64_t now_ns);
    void *user;
};

/* flow_ahead_new returns an empty queue (new) before `table` (borrowed), or NULL without memory. */
struct flow_ahead *flow_ahead_new(struct flow_table *table, struct flow_ahead_sink sink);

/*
 * flow_ahead_packet takes the next packet: its segment, whose payload is copied if it has to wait,
 * or NULL for a packet without one, which passes time only.
 */
void flow_ahead_packet(struct flow_ahead *ahead, const struct segment *segment, int64_t now_ns);

/* flow_ahead_flush lets all that wait have their turn. */
void flow_ahead_flush(struct flow_ahead *ahead);

/* flow_ahead_free wipes and frees; NULL is allowed. */
void flow_ahead_free(struct flow_ahead *ahead);

#endif
