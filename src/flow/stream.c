/* SPDX-License-Identifier: BSD-2-Clause */
/* Reassembly: what arrives in order goes straight on to the session, only what has to wait is copied. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/stream.h"

/* A copy of a segment that has to wait; sorted by offset, never overlapping. */
struct held {
    struct held *next;
    int64_t time_ns;
    uint64_t offset, needs;
    uint32_t length, captured;
    uint32_t skip; /* bytes at the front of the copy that are no part of it any more */
    uint8_t bytes[];
};

struct stream {
    struct flow *flow;
    struct stream *older, *newer;
    struct held *head[2], *tail[2];
    uint32_t count[2], bytes[2];
    uint64_t fin_at[2]; /* offset of a FIN behind a hole (flow->fin is FIN_SEEN) */
    uint64_t fin_needs[2];
    int64_t since_ns;   /* when the oldest thing that waits began to */
};

static struct stream *stream_of(struct stream_context *context, struct flow *flow, int64_t now_ns)
{
    if (flow->stream)
        return flow->stream;
    struct stream *stream = memory_new(sizeof *stream);
    if (!stream) {
        context->counters->memory_failures++;
        return NULL;
    }
    stream->flow = flow;
    stream->since_ns = now_ns;
    stream->older = context->newest;
    if (context->newest)
        context->newest->newer = stream;
    else
        context->oldest = stream;
    context->newest = stream;
    flow->stream = stream;
    context->held += sizeof *stream;
    return stream;
}

static void free_held(struct stream_context *context, struct stream *stream, unsigned half)
{
    struct held *held = stream->head[half];
    stream->head[half] = held->next;
    if (!held->next)
        stream->tail[half] = NULL;
    stream->count[half]--;
    stream->bytes[half] -= held->captured;
    context->held -= sizeof *held + held->captured;
    memory_wipe(held->bytes + held->skip, held->captured);
    memory_free(held);
}

void stream_free(struct stream_context *context, struct flow *flow)
{
    struct stream *stream = flow->stream;
    if (!stream)
        return;
    for (unsigned half = 0; half < 2; half++)
        while (stream->head[half])
            free_held(context, stream, half);
    if (stream->older)
        stream->older->newer = stream->newer;
    else
        context->oldest = stream->newer;
    if (stream->newer)
        stream->newer->older = stream->older;
    else
        context->newest = stream->older;
    context->held -= sizeof *stream;
    memory_free(stream);
    flow->stream = NULL;
}

/* What the sender had acknowledged has been delivered; a FIN of the other side counts as one. Nobody waits for a side that was not captured. */
static bool needs_met(const struct flow *flow, unsigned half, uint64_t needs)
{
    const struct flow_half *other = &flow->half[!half];
    return needs <= other->next || !flow->seen[!half] || (flow->fin[!half] == FIN_DELIVERED && needs == other->next + 1);
}

static void deliver_fin(struct stream_context *context, struct flow *flow, unsigned half, int64_t time_ns)
{
    if (flow->fin[half] == FIN_DELIVERED)
        return;
    if (flow->fin[!half] != FIN_DELIVERED)
        flow->end_from = half & 1;
    flow->fin[half] = FIN_DELIVERED;
    if (flow->session && !flow->shunted)
        context->sink->close_half(context->sink->user, flow, flow_side(flow, half), time_ns);
}

/* Hands bytes on; those that came before are cut off their front. */
static void deliver(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece)
{
    struct flow_half *own = &flow->half[half];
    uint64_t skip = own->next - piece->offset, end = piece->offset + piece->length;
    if (end <= own->next)
        return;
    struct slice bytes = piece->bytes;
    uint64_t missing = end - own->next;
    own->next = end;
    if (skip < bytes.length) {
        bytes.data += skip;
        bytes.length -= (size_t)skip;
        missing -= bytes.length;
        if (flow->session && !flow->shunted)
            context->sink->data(context->sink->user, flow, flow_side(flow, half), bytes, piece->time_ns);
    }
    if (missing && flow->session && !flow->shunted)
        context->sink->gap(context->sink->user, flow, flow_side(flow, half), missing, true);
}

static bool deliver_first_held(struct stream_context *context, struct flow *flow, unsigned half)
{
    struct stream *stream = flow->stream;
    struct held *held = stream->head[half];
    if (!held || held->offset > flow->half[half].next || !needs_met(flow, half, held->needs))
        return false;
    struct stream_piece piece = {.time_ns = held->time_ns,
                                 .offset = held->offset,
                                 .length = held->length,
                                 .bytes = {held->bytes + held->skip, held->captured}};
    deliver(context, flow, half, &piece);
    free_held(context, stream, half);
    return true;
}

static bool deliver_held_fin(struct stream_context *context, struct flow *flow, unsigned half)
{
    struct stream *stream = flow->stream;
    if (flow->fin[half] != FIN_SEEN || stream->head[half] || flow->half[half].next < stream->fin_at[half] ||
        !needs_met(flow, half, stream->fin_needs[half]))
        return false;
    deliver_fin(context, flow, half, stream->since_ns);
    return true;
}

static bool nothing_waits(const struct flow *flow)
{
    const struct stream *stream = flow->stream;
    return !stream->head[0] && !stream->head[1] && flow->fin[0] != FIN_SEEN && flow->fin[1] != FIN_SEEN;
}

/* After progress the clock of what still waits starts when that came. */
static void note_progress(struct stream *stream)
{
    int64_t oldest = INT64_MAX;
    for (unsigned half = 0; half < 2; half++)
        if (stream->head[half] && stream->head[half]->time_ns < oldest)
            oldest = stream->head[half]->time_ns;
    if (oldest != INT64_MAX && oldest > stream->since_ns)
        stream->since_ns = oldest;
}

/* Nobody wants the data any more: what is held only counts. */
static void abandon(struct stream_context *context, struct flow *flow)
{
    for (unsigned half = 0; half < 2; half++) {
        const struct held *tail = flow->stream->tail[half];
        uint64_t end = tail ? tail->offset + tail->length : 0;
        if (flow->fin[half] == FIN_SEEN && flow->stream->fin_at[half] > end)
            end = flow->stream->fin_at[half];
        if (end > flow->half[half].next)
            flow->half[half].next = end;
        if (flow->fin[half] == FIN_SEEN)
            deliver_fin(context, flow, half, flow->last_ns);
    }
}

void stream_drain(struct stream_context *context, struct flow *flow)
{
    if (!flow->stream)
        return;
    bool moved = false;
    while (!flow->shunted && (deliver_first_held(context, flow, 0) || deliver_first_held(context, flow, 1) ||
                              deliver_held_fin(context, flow, 0) || deliver_held_fin(context, flow, 1)))
        moved = true;
    if (flow->shunted)
        abandon(context, flow);
    if (flow->shunted || nothing_waits(flow))
        stream_free(context, flow);
    else if (moved)
        note_progress(flow->stream);
}

static bool within_limits(const struct stream_context *context, const struct flow *flow, unsigned half, size_t size)
{
    const struct stream *stream = flow->stream;
    return stream->count[half] < LIMIT_HELD_SEGMENTS && stream->bytes[half] + size <= LIMIT_HELD_BYTES &&
           context->held + size <= LIMIT_HELD_ALL;
}

/* Copies one stretch that no held segment covers, and puts it behind `after` (NULL: at the front). */
static bool hold(struct stream_context *context, struct flow *flow, unsigned half, struct held *after,
                 const struct stream_piece *piece)
{
    struct stream *stream = flow->stream;
    struct held *held = NULL;
    if (within_limits(context, flow, half, piece->bytes.length))
        held = memory_new(sizeof *held + piece->bytes.length);
    if (!held)
        return false;
    held->time_ns = piece->time_ns;
    held->offset = piece->offset;
    held->needs = piece->needs;
    held->length = piece->length;
    held->captured = (uint32_t)piece->bytes.length;
    if (held->captured)
        memcpy(held->bytes, piece->bytes.data, held->captured);
    held->next = after ? after->next : stream->head[half];
    if (after)
        after->next = held;
    else
        stream->head[half] = held;
    if (!held->next)
        stream->tail[half] = held;
    stream->count[half]++;
    stream->bytes[half] += held->captured;
    context->held += sizeof *held + held->captured;
    return true;
}

/* The part of a piece from `skip` on, `length` long. */
static struct stream_piece part_of(const struct stream_piece *piece, uint64_t skip, uint64_t length)
{
    struct stream_piece part = *piece;
    part.offset += skip;
    part.length = (uint32_t)length;
    size_t captured = piece->bytes.length;
    part.bytes.data = captured > skip ? piece->bytes.data + skip : NULL;
    part.bytes.length = captured > skip ? (size_t)(captured - skip < length ? captured - skip : length) : 0;
    return part;
}

/* First copy wins; that a later one differs is counted: somebody may be playing with receivers that choose otherwise. */
static void compare(struct stream_context *context, const struct held *held, const struct stream_piece *piece)
{
    uint64_t from = piece->offset > held->offset ? piece->offset : held->offset;
    uint64_t skip = from - piece->offset, at = from - held->offset;
    if (skip >= piece->bytes.length || at >= held->captured)
        return;
    size_t length = piece->bytes.length - (size_t)skip;
    if (length > held->captured - at)
        length = (size_t)(held->captured - at);
    if (memcmp(piece->bytes.data + skip, held->bytes + held->skip + at, length) != 0)
        context->counters->overlaps_different++;
}

/* Makes two of a held segment at `size`, `before` being the one before it (NULL: none). The shorter part is copied. False without memory. */
static bool split(struct stream_context *context, struct flow *flow, unsigned half, struct held *before, struct held *held, uint32_t size)
{
    uint8_t *bytes = held->bytes + held->skip;
    struct stream_piece whole = {.time_ns = held->time_ns,
                                 .offset = held->offset,
                                 .needs = held->needs,
                                 .length = held->length,
                                 .bytes = {bytes, held->captured}};
    bool front = size <= held->length / 2;
    struct stream_piece part = front ? part_of(&whole, 0, size) : part_of(&whole, size, held->length - size);
    if (!hold(context, flow, half, front ? before : held, &part))
        return false;
    uint32_t gone = (uint32_t)part.bytes.length;
    memory_wipe(front ? bytes : bytes + held->captured - gone, gone);
    held->skip += front ? gone : 0;
    held->offset += front ? size : 0;
    held->length -= part.length;
    held->captured -= gone;
    flow->stream->bytes[half] -= gone;
    context->held -= gone;
    return true;
}

/*
 * What is held was sent again later, and now its first copy comes, whose sender had seen less. It says nothing of what lies behind it:
 * that is held on its own from now on (without memory for it, it goes along).
 */
static void need_less(struct stream_context *context, struct flow *flow, unsigned half, struct held *before, struct held *held,
                      const struct stream_piece *piece)
{
    uint64_t end = piece->offset + piece->length;
    if (piece->needs >= held->needs)
        return;
    if (end < held->offset + held->length && split(context, flow, half, before, held, (uint32_t)(end - held->offset)) &&
        held->offset == end)
        held = before ? before->next : flow->stream->head[half];
    held->needs = piece->needs;
}

/* Holds those stretches of a piece that were neither delivered nor are held yet; false if a limit was met. */
static bool hold_new(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece)
{
    struct stream *stream = flow->stream;
    uint64_t delivered = flow->half[half].next, end = piece->offset + piece->length;
    uint64_t at = piece->offset > delivered ? piece->offset : delivered;
    struct held *after = stream->tail[half] && stream->tail[half]->offset + stream->tail[half]->length <= at
                             ? stream->tail[half]
                             : NULL;
    struct held *next = after ? NULL : stream->head[half];
    while (at < end) {
        while (next && next->offset + next->length <= at)
            after = next, next = next->next;
        uint64_t until = next && next->offset < end ? next->offset : end;
        if (until > at) {
            struct stream_piece part = part_of(piece, at - piece->offset, until - at);
            if (!hold(context, flow, half, after, &part))
                return false;
            after = after ? after->next : stream->head[half];
            at = until;
        } else {
            compare(context, next, piece);
            need_less(context, flow, half, after, next, piece);
            at = next->offset + next->length;
        }
    }
    return true;
}

/* A hole of this half is given up: what is known to follow it goes on. */
static void skip_hole(struct stream_context *context, struct flow *flow, unsigned half, uint64_t until)
{
    uint64_t length = until - flow->half[half].next;
    flow->half[half].next = until;
    context->counters->gaps++;
    if (flow->session && !flow->shunted)
        context->sink->gap(context->sink->user, flow, flow_side(flow, half), length, false);
}

/* How far the other side acknowledged this half, as an offset. */
static uint64_t acknowledged(const struct flow *flow, unsigned half)
{
    const struct flow_half *own = &flow->half[half];
    int32_t ahead = (int32_t)(own->acked - (uint32_t)own->next);
    return ahead > 0 ? own->next + (uint32_t)ahead : own->next;
}

/*
 * Is there a hole in this half that was acknowledged past? It ends at the first held segment, or, if none is held, where the
 * acknowledgment is; a single byte acknowledged with nothing behind it is a FIN that was not captured.
 */
static bool acknowledged_hole(struct flow *flow, unsigned half, uint64_t *until)
{
    const struct held *head = flow->stream ? flow->stream->head[half] : NULL;
    uint64_t next = flow->half[half].next, acked = acknowledged(flow, half);
    if (!flow->seen[half] || (head && head->offset <= next))
        return false;
    *until = head && head->offset < acked ? head->offset : acked;
    if (head)
        return acked > next;
    if (flow->fin[half] == FIN_SEEN && flow->stream)
        *until = acked < flow->stream->fin_at[half] ? acked : flow->stream->fin_at[half];
    return *until > next + (flow->fin[half] != FIN_SEEN);
}

/* What a FIN acknowledged does not come: a FIN of the other side that was not captured, and was first; else what nobody sent. */
static void give_up_fin_needs(struct stream_context *context, struct flow *flow, unsigned half)
{
    uint64_t *needs = &flow->stream->fin_needs[half];
    if (*needs == flow->half[!half].next + 1 && flow->fin[!half] == FIN_NONE)
        deliver_fin(context, flow, !half, flow->last_ns);
    *needs = 0;
}

/* Gives up one hole: the one that keeps the oldest waiting segment from going on. False if there is none that may be. */
static bool give_up_one(struct stream_context *context, struct flow *flow, bool unacknowledged)
{
    struct stream *stream = flow->stream;
    uint64_t until;
    for (unsigned i = 0; i < 2; i++) {
        /* The half whose held data are older first: the other one's hole may be filled by them. */
        unsigned half = stream && stream->head[1] && (!stream->head[0] || stream->head[1]->time_ns < stream->head[0]->time_ns) ? !i : i;
        if (acknowledged_hole(flow, half, &until)) {
            skip_hole(context, flow, half, until);
            return true;
        }
    }
    /* Where both halves wait for each other, the later one was sent again: its sender had not seen that much the first time. */
    unsigned last = stream && stream->head[0] && stream->head[1] && stream->head[1]->time_ns > stream->head[0]->time_ns;
    for (unsigned i = 0; i < 2 && stream; i++) {
        unsigned half = i ? !last : last;
        struct held *head = stream->head[half];
        if (!head && flow->fin[half] == FIN_SEEN && flow->half[half].next >= stream->fin_at[half] && stream->fin_needs[half]) {
            give_up_fin_needs(context, flow, half);
            return true;
        }
        if (!head)
            continue;
        if (head->offset > flow->half[half].next && unacknowledged) {
            skip_hole(context, flow, half, head->offset);
            return true;
        }
        if (head->offset <= flow->half[half].next && !needs_met(flow, half, head->needs)) {
            /* Only a FIN of the other side can be missing here; or it acknowledged what nobody sent. */
            head->needs = 0;
            return true;
        }
    }
    return false;
}

static bool one_sided(const struct flow *flow)
{
    return !flow->seen[0] || !flow->seen[1];
}

static void give_up_all(struct stream_context *context, struct flow *flow, bool unacknowledged)
{
    while (!flow->shunted && give_up_one(context, flow, unacknowledged))
        stream_drain(context, flow);
}

void stream_overdue(struct stream_context *context, struct flow *flow, int64_t now_ns)
{
    const struct stream *stream = flow->stream;
    if (!stream)
        return;
    bool alone = one_sided(flow);
    bool much = stream->bytes[0] + stream->bytes[1] >= LIMIT_HELD_ONE_SIDED || stream->count[0] + stream->count[1] >= LIMIT_HELD_SEGMENTS;
    if (alone ? !much : now_ns - stream->since_ns < LIMIT_HOLE_NS)
        return;
    give_up_all(context, flow, alone);
    if (flow->stream)
        flow->stream->since_ns = now_ns;
}

void stream_end(struct stream_context *context, struct flow *flow, bool over)
{
    give_up_all(context, flow, over || one_sided(flow));
}

/* It goes on waiting, for an acknowledgment: to the end of the list. */
static void wait_again(struct stream_context *context, struct stream *stream)
{
    if (context->newest == stream)
        return;
    if (stream->older)
        stream->older->newer = stream->newer;
    else
        context->oldest = stream->newer;
    stream->newer->older = stream->older;
    stream->older = context->newest;
    stream->newer = NULL;
    context->newest->newer = stream;
    context->newest = stream;
}

struct flow *stream_tick(struct stream_context *context, int64_t now_ns)
{
    struct stream *stream = context->oldest;
    if (!stream || now_ns - stream->since_ns < LIMIT_HOLE_NS)
        return NULL;
    struct flow *flow = stream->flow;
    stream_overdue(context, flow, now_ns);
    if (flow->stream) {
        flow->stream->since_ns = now_ns;
        wait_again(context, flow->stream);
    }
    return flow;
}

/* A limit is met: holes are given up, acknowledged or not, until the piece can go on. */
static void make_room(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece)
{
    context->counters->held_limit++;
    while (flow->stream && !flow->shunted && !within_limits(context, flow, half, piece->bytes.length) &&
           give_up_one(context, flow, true))
        stream_drain(context, flow);
}

static void keep(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece)
{
    if (!stream_of(context, flow, piece->time_ns))
        return;
    if (piece->length && !hold_new(context, flow, half, piece)) {
        make_room(context, flow, half, piece);
        if (flow->shunted)
            return;
        if (piece->offset <= flow->half[half].next)
            deliver(context, flow, half, piece);
        else if (stream_of(context, flow, piece->time_ns) && !hold_new(context, flow, half, piece) &&
                 within_limits(context, flow, half, piece->bytes.length))
            context->counters->memory_failures++; /* else what others hold leaves no room: told already */
    }
    if (piece->fin && flow->fin[half] == FIN_NONE && stream_of(context, flow, piece->time_ns)) {
        flow->fin[half] = FIN_SEEN;
        flow->stream->fin_at[half] = piece->offset + piece->length;
        flow->stream->fin_needs[half] = piece->needs;
    }
}

void stream_push(struct stream_context *context, struct flow *flow, unsigned half, const struct stream_piece *piece)
{
    const struct flow_half *own = &flow->half[half];
    const struct held *head = flow->stream ? flow->stream->head[half] : NULL;
    /* What fills a hole goes on even where there is no room to keep it. */
    bool before = head && !piece->fin && piece->offset + piece->length <= head->offset;
    bool ready = piece->offset <= own->next && needs_met(flow, half, piece->needs) && (!head || before);
    if (ready) {
        deliver(context, flow, half, piece);
        if (piece->fin && !flow->shunted && own->next == piece->offset + piece->length)
            deliver_fin(context, flow, half, piece->time_ns);
    } else {
        keep(context, flow, half, piece);
    }
    if (flow->stream)
        stream_drain(context, flow);
}
