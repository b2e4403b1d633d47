/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly of one flow. Data are delivered in the order of their sequence numbers, and never before the data of the other side that
 * their sender had acknowledged: so the dialog is in causal order even where the capture is not. Only what has to wait is copied.
 */
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H

#include "flow/flow.h"

/* Payload of one segment on its way into a stream. */
struct stream_piece {
    int64_t time_ns;
    uint64_t offset;     /* of its first byte */
    uint64_t needs;      /* offset of the other half that its sender had acknowledged; 0: does not matter */
    uint32_t length;     /* bytes on the wire */
    bool fin;
    struct slice bytes;  /* captured ones of them */
};

/* What the streams of one table share. */
struct stream_context {
    const struct flow_sink *sink;
    struct counters *counters;
    uint64_t held;                   /* bytes of copies in all streams */
    struct stream *oldest, *newest;  /* streams in which something waits, by the time since when */
};

/* stream_push takes a piece: delivers it, or keeps a copy. */
void stream_push(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece);

/* stream_drain delivers what can be, after the other half's acknowledgment or data moved. */
void stream_drain(struct stream_context *context, struct flow *flow);

/*
 * stream_overdue gives up holes that the other side acknowledged past and that have been open for LIMIT_HOLE_NS; in a one-sided
 * capture those past a bounded amount.
 */
void stream_overdue(struct stream_context *context, struct flow *flow, int64_t now_ns);

/*
 * stream_end does not wait any more: the flow ends. Where the connection or the capture is over, what nobody acknowledged will not come
 * again either; else it may be on its way.
 */
void stream_end(struct stream_context *context, struct flow *flow, bool over);

/* stream_tick is stream_overdue for the flow in which something has waited longest; it returns that flow, NULL if none waits too long. */
struct flow *stream_tick(struct stream_context *context, int64_t now_ns);

/* stream_free wipes and frees what is held; flow->stream becomes NULL. */
void stream_free(struct stream_context *context, struct flow *flow);

#endif
