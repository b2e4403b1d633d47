/* SPDX-License-Identifier: BSD-2-Clause */
/* Between decode and the flow table: segments wait for a few packets while their memory is fetched. */
#include <string.h>

#include "base/memory.h"
#include "flow/ahead.h"

enum {
    DEPTH = 8,         /* packets that wait; a power of two */
    PAYLOAD_MOST = 512 /* bytes of payload that are copied for it; larger segments do not wait, bulk data
                          is not worth a copy */
};

/* How many packets after its arrival each step is done for a segment: one fetch takes some 100 ns. */
enum { FETCH_ENTRY = 2, FETCH_FLOW = 4, FETCH_SESSION = 5, FETCH_MORE = 6 };

struct waiting {
    int64_t now_ns;
    bool have_segment;
    struct segment segment;
    struct flow_lookup lookup;
    uint8_t payload[PAYLOAD_MOST];
};

struct flow_ahead {
    struct flow_table *table;
    struct flow_ahead_sink sink;
    unsigned first, count;
    struct waiting waiting[DEPTH];
};

struct flow_ahead *flow_ahead_new(struct flow_table *table, struct flow_ahead_sink sink)
{
    struct flow_ahead *ahead = memory_new(sizeof *ahead);
    if (!ahead)
        return NULL;
    ahead->table = table;
    ahead->sink = sink;
    return ahead;
}

void flow_ahead_free(struct flow_ahead *ahead)
{
    if (!ahead)
        return;
    memory_wipe(ahead, sizeof *ahead);
    memory_free(ahead);
}

static void take_oldest(struct flow_ahead *ahead)
{
    struct waiting *oldest = &ahead->waiting[ahead->first];
    ahead->first = (ahead->first + 1) % DEPTH;
    ahead->count--;
    ahead->sink.pass_time(ahead->sink.user, oldest->now_ns);
    if (oldest->have_segment)
        flow_take(ahead->table, &oldest->segment, &oldest->lookup, oldest->now_ns);
}

void flow_ahead_flush(struct flow_ahead *ahead)
{
    while (ahead->count)
        take_oldest(ahead);
}

static void fetch(struct flow_ahead *ahead, unsigned age, enum flow_fetch what)
{
    if (age >= ahead->count)
        return;
    const struct waiting *w = &ahead->waiting[(ahead->first + ahead->count - 1 - age) % DEPTH];
    if (w->have_segment)
        flow_fetch(ahead->table, &w->lookup, what);
}

static void fetch_all(struct flow_ahead *ahead)
{
    fetch(ahead, 0, FLOW_FETCH_BUCKET);
    fetch(ahead, FETCH_ENTRY, FLOW_FETCH_ENTRY);
    fetch(ahead, FETCH_FLOW, FLOW_FETCH_FLOW);
    fetch(ahead, FETCH_SESSION, FLOW_FETCH_SESSION);
    fetch(ahead, FETCH_MORE, FLOW_FETCH_MORE);
}

static struct waiting *wait_at_end(struct flow_ahead *ahead, int64_t now_ns)
{
    if (ahead->count == DEPTH)
        take_oldest(ahead);
    struct waiting *w = &ahead->waiting[(ahead->first + ahead->count++) % DEPTH];
    w->now_ns = now_ns;
    w->have_segment = false;
    return w;
}

static void keep(struct waiting *w, const struct segment *segment)
{
    w->have_segment = true;
    w->segment = *segment;
    w->segment.payload.data = w->payload;
    if (segment->payload.length)
        memcpy(w->payload, segment->payload.data, segment->payload.length);
}

static void pass_time(struct flow_ahead *ahead, int64_t now_ns)
{
    if (ahead->count)
        wait_at_end(ahead, now_ns);
    else
        ahead->sink.pass_time(ahead->sink.user, now_ns);
}

void flow_ahead_packet(struct flow_ahead *ahead, const struct segment *segment, int64_t now_ns)
{
    struct flow_lookup lookup;
    if (!segment || !flow_look_up(ahead->table, segment, &lookup)) {
        pass_time(ahead, now_ns);
        return;
    }
    if (segment->payload.length > PAYLOAD_MOST) {
        flow_ahead_flush(ahead);
        ahead->sink.pass_time(ahead->sink.user, now_ns);
        flow_take(ahead->table, segment, &lookup, now_ns);
        return;
    }
    struct waiting *w = wait_at_end(ahead, now_ns);
    w->lookup = lookup;
    keep(w, segment);
    fetch_all(ahead);
}
