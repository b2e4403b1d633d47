/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections from birth to end, in lists by when they were last heard of, and who has to go when there are too many. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/table.h"

_Static_assert((LIMIT_HALF_OPEN_FIRST & (LIMIT_HALF_OPEN_FIRST - 1)) == 0 && (LIMIT_ENDED_FLOWS & (LIMIT_ENDED_FLOWS - 1)) == 0,
               "places are found by a mask");

static const struct ring_options half_open = {.bit = TABLE_HALF_OPEN,
                                              .first = LIMIT_HALF_OPEN_FIRST,
                                              .most = LIMIT_HALF_OPEN,
                                              .young_ns = LIMIT_HALF_OPEN_S * INT64_C(1000000000),
                                              .kept_ns = LIMIT_ANSWERED_S * INT64_C(1000000000)};
static const struct ring_options time_wait = {.bit = TABLE_TIME_WAIT,
                                              .first = LIMIT_ENDED_FLOWS / 16,
                                              .most = LIMIT_ENDED_FLOWS,
                                              .young_ns = LIMIT_ENDED_S * INT64_C(1000000000)};

struct flow_table *flow_table_new(const struct flow_options *options, struct flow_sink sink, struct counters *counters)
{
    struct flow_table *table = memory_new(sizeof *table);
    if (!table || !directory_init(&table->directory)) {
        memory_free(table);
        return NULL;
    }
    if (!ring_init(&table->half_open, &table->directory, &half_open) || !ring_init(&table->time_wait, &table->directory, &time_wait)) {
        flow_table_free(table);
        return NULL;
    }
    siphash_new_key(table->key, table);
    slab_init(&table->slabs[0], offsetof(struct flow, port) + TABLE_KEY_4);
    slab_init(&table->slabs[1], offsetof(struct flow, port) + TABLE_KEY_6);
    table->options = *options;
    table->sink = sink;
    table->counters = counters;
    table->streams.sink = &table->sink;
    table->streams.counters = counters;
    return table;
}

void flow_table_free(struct flow_table *table)
{
    if (!table)
        return;
    for (unsigned i = 0; i < FLOW_LISTS; i++)
        for (struct flow *flow = table->lists[i].oldest, *newer; flow; flow = newer) {
            newer = flow->newer;
            stream_free(&table->streams, flow);
        }
    slab_close(&table->slabs[0]);
    slab_close(&table->slabs[1]);
    directory_close(&table->directory);
    ring_close(&table->half_open);
    ring_close(&table->time_wait);
    memory_free(table);
}

uint64_t flow_held(const struct flow_table *table)
{
    return table->slabs[0].held + table->slabs[1].held + directory_held(&table->directory) + table->streams.held +
           ring_held(&table->half_open) + ring_held(&table->time_wait);
}

/* ---- lists: by the second in which a flow was last heard of */

static void list_remove(struct flow_table *table, struct flow *flow)
{
    struct list *list = &table->lists[flow->list];
    if (flow->older)
        flow->older->newer = flow->newer;
    else
        list->oldest = flow->newer;
    if (flow->newer)
        flow->newer->older = flow->older;
    else
        list->newest = flow->older;
    list->count--;
}

static void list_append(struct flow_table *table, struct flow *flow, enum flow_list which, int64_t now_ns)
{
    struct list *list = &table->lists[which];
    flow->list = which & 3;
    flow->queued_s = (uint32_t)(now_ns / 1000000000);
    flow->newer = NULL;
    flow->older = list->newest;
    if (list->newest)
        list->newest->newer = flow;
    else
        list->oldest = flow;
    list->newest = flow;
    list->count++;
}

void table_move(struct flow_table *table, struct flow *flow, enum flow_list which, int64_t now_ns)
{
    list_remove(table, flow);
    list_append(table, flow, which, now_ns);
}

/* ---- birth and death */

static void count_end(struct flow_table *table, const struct flow *flow)
{
    table->counters->flows_open--;
    if (!flow->had_payload)
        table->counters->flows_without_payload++;
    if (!flow->proven)
        table->counters->flows_unproven++;
}

void table_count_half_open_end(struct flow_table *table)
{
    table->counters->flows_open--;
    table->counters->flows_without_payload++;
    table->counters->flows_unproven++;
}

void table_count_opened(struct flow_table *table)
{
    table->counters->flows_opened++;
    if (++table->counters->flows_open > table->counters->flows_open_peak)
        table->counters->flows_open_peak = table->counters->flows_open;
}

static void give_back(struct flow_table *table, const struct flow *flow)
{
    slab_give_numbered(&table->slabs[flow->family == 6], flow->entry & (TABLE_FLOW_4 - 1));
}

void table_remove(struct flow_table *table, struct flow *flow)
{
    count_end(table, flow);
    stream_free(&table->streams, flow);
    list_remove(table, flow);
    directory_remove(&table->directory, flow->hash, flow->entry);
    table->count--;
    give_back(table, flow);
}

void table_tell_end(struct flow_table *table, struct flow *flow, enum end_how how, int from)
{
    stream_end(&table->streams, flow, how != END_EVICTED);
    if (!flow->session)
        return;
    bool fin = flow->fin[0] == FIN_DELIVERED || flow->fin[1] == FIN_DELIVERED;
    if (fin && (flow->proven || how != END_EVICTED)) {
        how = END_FIN;
        from = flow->end_from;
    }
    table->sink.end(table->sink.user, flow, how, from < 0 ? SIDE_NONE : flow_side(flow, (unsigned)from));
    flow->session = NULL;
}

void table_end(struct flow_table *table, struct flow *flow, enum end_how how, int from, int64_t now_ns)
{
    uint64_t hash = table_hash(table, table_key(flow), flow->family);
    uint32_t first[2] = {flow->half[0].first, flow->half[1].first};
    bool forgotten;
    table_tell_end(table, flow, how, from);
    table_remove(table, flow);
    struct ring_entry *entry = ring_add(&table->time_wait, hash, now_ns, &forgotten);
    for (unsigned half = 0; half < 2 && entry; half++)
        entry->sequence[half] = first[half] - 1;
    if (!entry)
        table->counters->memory_failures++;
}

void table_evict(struct flow_table *table, struct flow *flow)
{
    table_tell_end(table, flow, END_EVICTED, -1);
    table_remove(table, flow);
}

/* In a flood of lone segments one goes with each that comes: what the next one's end will touch is fetched into the caches meanwhile. */
static void evict_unproven(struct flow_table *table)
{
    table_evict(table, table->lists[FLOW_UNPROVEN].oldest);
    const struct flow *next = table->lists[FLOW_UNPROVEN].oldest;
    if (!next)
        return;
    directory_expect(&table->directory, next->hash);
    if (next->session)
        table_prefetch(next->session, TABLE_SESSION_LINES);
    if (next->newer)
        table_prefetch(next->newer, TABLE_FLOW_LINES);
}

static void evict_one(struct flow_table *table)
{
    static const uint8_t order[] = {FLOW_UNPROVEN, FLOW_BARE, FLOW_ACTIVE};
    for (unsigned i = 0; i < sizeof order; i++) {
        struct flow *flow = table->lists[order[i]].oldest;
        if (!flow)
            continue;
        table->counters->flows_evicted++;
        table_evict(table, flow);
        return;
    }
}

bool flow_evict(struct flow_table *table)
{
    struct flow *flow = table->lists[FLOW_ACTIVE].oldest;
    if (!flow)
        return false;
    table->counters->flows_evicted++;
    table_evict(table, flow);
    return true;
}

struct flow *table_take(struct flow_table *table, unsigned family)
{
    if (table->count >= table->options.max_flows)
        evict_one(table);
    uint32_t number;
    struct flow *flow = slab_take_numbered(&table->slabs[family == 6], &number);
    if (!flow) {
        table->counters->memory_failures++;
        return NULL;
    }
    flow->family = family & 7;
    flow->entry = number | (family == 6 ? TABLE_FLOW_6 : TABLE_FLOW_4);
    return flow;
}

bool table_insert(struct flow_table *table, struct flow *flow, uint64_t hash)
{
    if (!directory_add(&table->directory, hash, flow->entry)) {
        table->counters->memory_failures++;
        give_back(table, flow);
        return false;
    }
    flow->hash = (uint32_t)hash;
    table->count++;
    if (table->lists[FLOW_UNPROVEN].count >= LIMIT_UNPROVEN_FLOWS)
        evict_unproven(table);
    list_append(table, flow, FLOW_UNPROVEN, flow->first_ns);
    return true;
}

static int64_t timeout_of(const struct flow_table *table, enum flow_list list)
{
    switch (list) {
    case FLOW_UNPROVEN:
    case FLOW_BARE: return LIMIT_BARE_S * INT64_C(1000000000);
    default: return table->options.idle_ns;
    }
}

bool table_timed_out(const struct flow_table *table, const struct flow *flow, int64_t now_ns)
{
    int64_t timeout = timeout_of(table, flow->list);
    return now_ns - flow->last_ns > timeout && (uint32_t)(now_ns / 1000000000) - flow->queued_s >= (uint32_t)(timeout / 1000000000);
}

void table_time_out(struct flow_table *table, struct flow *flow)
{
    table_tell_end(table, flow, END_TIMEOUT, -1);
    table_remove(table, flow);
}

static void sweep_list(struct flow_table *table, enum flow_list which, int64_t now_ns)
{
    int64_t timeout_ns = timeout_of(table, which), requeue_ns = TABLE_REQUEUE_S * INT64_C(1000000000);
    uint32_t now_s = (uint32_t)(now_ns / 1000000000), timeout_s = (uint32_t)(timeout_ns / 1000000000);
    for (struct flow *flow = table->lists[which].oldest; flow; flow = table->lists[which].oldest) {
        if (now_s - flow->queued_s < timeout_s)
            return;
        if (table_timed_out(table, flow, now_ns))
            table_time_out(table, flow);
        else if (now_s != flow->queued_s && flow->last_ns + timeout_ns - now_ns > requeue_ns)
            table_move(table, flow, which, now_ns);
        else
            return;
    }
}

void table_close_if_over(struct flow_table *table, struct flow *flow, int64_t now_ns)
{
    bool over[2];
    if (!flow->proven)
        return; /* a lone segment ends nothing */
    for (unsigned half = 0; half < 2; half++)
        over[half] = flow->fin[half] == FIN_DELIVERED || !flow->seen[half];
    if (over[0] && over[1])
        table_end(table, flow, END_FIN, flow->end_from, now_ns);
}

void flow_tick(struct flow_table *table, int64_t now_ns)
{
    struct flow *moved;
    while (table->streams.oldest && (moved = stream_tick(&table->streams, now_ns)) != NULL)
        table_close_if_over(table, moved, now_ns);
    if (now_ns - table->swept_ns < 1000000000)
        return;
    table->swept_ns = now_ns;
    for (unsigned which = 0; which < FLOW_LISTS; which++)
        sweep_list(table, which, now_ns);
    while (ring_expire(&table->half_open, now_ns - LIMIT_BARE_S * INT64_C(1000000000)))
        table_count_half_open_end(table);
    while (ring_expire(&table->time_wait, now_ns - LIMIT_ENDED_S * INT64_C(1000000000)))
        ;
}

void flow_finish(struct flow_table *table)
{
    static const uint8_t order[] = {FLOW_ACTIVE, FLOW_UNPROVEN, FLOW_BARE};
    for (unsigned i = 0; i < sizeof order; i++)
        while (table->lists[order[i]].oldest) {
            struct flow *flow = table->lists[order[i]].oldest;
            table_tell_end(table, flow, END_EOF, -1);
            table_remove(table, flow);
        }
    while (ring_expire(&table->half_open, INT64_MAX))
        table_count_half_open_end(table);
}
