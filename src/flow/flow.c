/* SPDX-License-Identifier: BSD-2-Clause */
/* From segments to connections: one look-up per packet, roles, the end, and who has to go when the table is full. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/flow.h"
#include "flow/stream.h"

enum { FLOWS_PER_SLAB = 256 };

struct slab {
    struct slab *next;
    struct flow flows[FLOWS_PER_SLAB];
};

struct list {
    struct flow *oldest, *newest;
    uint32_t count;
};

struct flow_table {
    struct hashmap map;
    struct flow_options options;
    struct flow_sink sink;
    struct counters *counters;
    struct stream_context streams;
    struct list lists[FLOW_LISTS];
    struct slab *slabs;
    struct flow *spare; /* through ->older */
    uint64_t slab_count;
    int64_t swept_ns;
};

static bool port_is_set(const uint8_t *ports, uint16_t port)
{
    return ports[port >> 3] >> (port & 7) & 1;
}

struct flow_table *flow_table_new(const struct flow_options *options, struct flow_sink sink, struct counters *counters)
{
    struct flow_table *table = memory_new(sizeof *table);
    if (!table || !hashmap_init(&table->map)) {
        memory_free(table);
        return NULL;
    }
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
        for (struct flow *flow = table->lists[i].oldest; flow; flow = flow->newer)
            stream_free(&table->streams, flow);
    while (table->slabs) {
        struct slab *slab = table->slabs;
        table->slabs = slab->next;
        memory_free(slab);
    }
    hashmap_close(&table->map);
    memory_free(table);
}

uint64_t flow_held(const struct flow_table *table)
{
    return table->slab_count * sizeof(struct slab) + (table->map.mask + 1) * sizeof(void *) + table->streams.held;
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
    flow->list = (uint8_t)which;
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

static void list_move(struct flow_table *table, struct flow *flow, enum flow_list which, int64_t now_ns)
{
    list_remove(table, flow);
    list_append(table, flow, which, now_ns);
}

/* ---- birth and death */

static struct flow *take_spare(struct flow_table *table)
{
    if (!table->spare) {
        struct slab *slab = memory_new(sizeof *slab);
        if (!slab)
            return NULL;
        slab->next = table->slabs;
        table->slabs = slab;
        table->slab_count++;
        for (unsigned i = 0; i < FLOWS_PER_SLAB; i++) {
            slab->flows[i].older = table->spare;
            table->spare = &slab->flows[i];
        }
    }
    struct flow *flow = table->spare;
    table->spare = flow->older;
    memset(flow, 0, sizeof *flow);
    return flow;
}

/* Takes a flow out of the table; its end has been told before. */
static void flow_remove(struct flow_table *table, struct flow *flow)
{
    if (flow->list != FLOW_ENDED) {
        table->counters->flows_open--;
        if (!flow->had_payload)
            table->counters->flows_without_payload++;
    }
    stream_free(&table->streams, flow);
    list_remove(table, flow);
    hashmap_remove(&table->map, &flow->link);
    flow->older = table->spare;
    table->spare = flow;
}

/* Tells the session how the flow ended. A FIN of one side began the end already, whatever comes after. */
static void tell_end(struct flow_table *table, struct flow *flow, enum end_how how, int from)
{
    stream_overdue(&table->streams, flow, flow->last_ns, true);
    if (!flow->session)
        return;
    bool fin = flow->fin[0] == FIN_DELIVERED || flow->fin[1] == FIN_DELIVERED;
    if (fin) {
        how = END_FIN;
        from = flow->end_from;
    }
    table->sink.end(table->sink.user, flow, how, from < 0 ? SIDE_NONE : flow_side(flow, (unsigned)from));
    flow->session = NULL;
}

/* The connection is over; its entry stays a while, so that late segments do not open a new one. */
static void flow_end(struct flow_table *table, struct flow *flow, enum end_how how, int from, int64_t now_ns)
{
    tell_end(table, flow, how, from);
    stream_free(&table->streams, flow);
    table->counters->flows_open--;
    if (!flow->had_payload)
        table->counters->flows_without_payload++;
    list_move(table, flow, FLOW_ENDED, now_ns);
    if (table->lists[FLOW_ENDED].count > LIMIT_ENDED_FLOWS)
        flow_remove(table, table->lists[FLOW_ENDED].oldest);
}

static void evict_one(struct flow_table *table)
{
    static const uint8_t order[] = {FLOW_ENDED, FLOW_BARE, FLOW_ACTIVE};
    for (unsigned i = 0; i < sizeof order; i++) {
        struct flow *flow = table->lists[order[i]].oldest;
        if (!flow)
            continue;
        if (flow->list != FLOW_ENDED)
            table->counters->flows_evicted++;
        tell_end(table, flow, END_EVICTED, -1);
        flow_remove(table, flow);
        return;
    }
}

static int64_t timeout_of(const struct flow_table *table, enum flow_list list)
{
    switch (list) {
    case FLOW_BARE: return LIMIT_BARE_S * INT64_C(1000000000);
    case FLOW_ENDED: return LIMIT_ENDED_S * INT64_C(1000000000);
    default: return table->options.idle_ns;
    }
}

/* Silent for long by its packets' own times and by the clock: one of the two is wrong where a capture steps back or leaps. */
static bool timed_out(const struct flow_table *table, const struct flow *flow, int64_t now_ns)
{
    int64_t timeout = timeout_of(table, flow->list);
    return now_ns - flow->last_ns > timeout && (uint32_t)(now_ns / 1000000000) - flow->queued_s >= (uint32_t)(timeout / 1000000000);
}

static void flow_time_out(struct flow_table *table, struct flow *flow)
{
    tell_end(table, flow, END_TIMEOUT, -1);
    flow_remove(table, flow);
}

static void sweep_list(struct flow_table *table, enum flow_list which, int64_t now_ns)
{
    uint32_t now_s = (uint32_t)(now_ns / 1000000000), timeout_s = (uint32_t)(timeout_of(table, which) / 1000000000);
    for (struct flow *flow = table->lists[which].oldest; flow; flow = table->lists[which].oldest) {
        if (now_s - flow->queued_s < timeout_s)
            return;
        if (timed_out(table, flow, now_ns))
            flow_time_out(table, flow);
        else if (now_s != flow->queued_s)
            list_move(table, flow, which, now_ns);
        else
            return;
    }
}

/* Both sides sent their FIN, or the only side that was captured did. */
static void close_if_over(struct flow_table *table, struct flow *flow, int64_t now_ns)
{
    bool over[2];
    for (unsigned half = 0; half < 2; half++)
        over[half] = flow->fin[half] == FIN_DELIVERED || !flow->seen[half];
    if (over[0] && over[1] && flow->list != FLOW_ENDED)
        flow_end(table, flow, END_FIN, flow->end_from, now_ns);
}

void flow_tick(struct flow_table *table, int64_t now_ns)
{
    struct flow *moved;
    while (table->streams.oldest && (moved = stream_tick(&table->streams, now_ns)) != NULL)
        close_if_over(table, moved, now_ns);
    if (now_ns - table->swept_ns < 1000000000)
        return;
    table->swept_ns = now_ns;
    for (unsigned which = 0; which < FLOW_LISTS; which++)
        sweep_list(table, which, now_ns);
}

void flow_finish(struct flow_table *table)
{
    static const uint8_t order[] = {FLOW_ACTIVE, FLOW_BARE, FLOW_ENDED};
    for (unsigned i = 0; i < sizeof order; i++)
        while (table->lists[order[i]].oldest) {
            struct flow *flow = table->lists[order[i]].oldest;
            tell_end(table, flow, END_EOF, -1);
            flow_remove(table, flow);
        }
}

void flow_shunt(struct flow_table *table, struct flow *flow)
{
    (void)table; /* what its stream holds is freed when the call that delivers returns */
    flow->shunted = true;
}

void flow_set_client(struct flow *flow, unsigned half)
{
    flow->client = (uint8_t)half;
    flow->roles_known = true;
}

uint64_t flow_bytes(const struct flow *flow, enum side from)
{
    return flow->half[from == SIDE_CLIENT ? flow->client : !flow->client].next;
}

/* ---- look-up */

/* Fills the key; returns the index of the sender's half. */
static unsigned make_key(const struct flow_table *table, const struct segment *segment, struct flow_key *key)
{
    int order = memcmp(&segment->source, &segment->destination, sizeof segment->source);
    unsigned half = order > 0 || (order == 0 && segment->source_port > segment->destination_port);
    memset(key->vlan, 0, sizeof key->vlan);
    key->address[half] = segment->source;
    key->address[!half] = segment->destination;
    key->port[half] = segment->source_port;
    key->port[!half] = segment->destination_port;
    for (unsigned i = 0; i < SEGMENT_VLANS && i < segment->vlans && !table->options.ignore_vlan; i++)
        key->vlan[i] = (uint16_t)(segment->vlan[i] | 0x8000); /* so that tag 0 and no tag differ */
    return half;
}

static uint64_t hash_key(const struct flow_table *table, const struct flow_key *key, unsigned family)
{
    if (family != 4)
        return hashmap_hash(&table->map, key, sizeof *key);
    uint32_t words[4];
    memcpy(&words[0], key->address[0].bytes, 4);
    memcpy(&words[1], key->address[1].bytes, 4);
    memcpy(&words[2], key->port, 4);
    memcpy(&words[3], key->vlan, 4);
    return hashmap_hash(&table->map, words, sizeof words);
}

static struct flow *find(const struct flow_table *table, const struct flow_key *key, uint64_t hash, unsigned family)
{
    for (struct hashlink *link = hashmap_first(&table->map, hash); link; link = hashmap_next(link, hash)) {
        struct flow *flow = (struct flow *)(void *)((char *)link - offsetof(struct flow, link));
        if (flow->family == family && memcmp(&flow->key, key, sizeof *key) == 0)
            return flow;
    }
    return NULL;
}

/* Who is client: the sender of the SYN, else who has no mail port where the other one has. */
static void find_roles(const struct flow_table *table, struct flow *flow, const struct segment *segment, unsigned half)
{
    bool mail[2] = {port_is_set(table->options.ports, flow->key.port[0]), port_is_set(table->options.ports, flow->key.port[1])};
    flow->mail_port = mail[0] || mail[1];
    if (segment->flags & TCP_SYN) {
        flow_set_client(flow, segment->flags & TCP_ACK ? !half : half);
        return;
    }
    if (mail[0] != mail[1])
        flow_set_client(flow, mail[0]);
}

static struct flow *flow_create(struct flow_table *table, const struct segment *segment, const struct flow_key *key,
                                uint64_t hash, unsigned half)
{
    if (table->map.count >= table->options.max_flows)
        evict_one(table);
    struct flow *flow = take_spare(table);
    if (!flow) {
        table->counters->memory_failures++;
        return NULL;
    }
    flow->key = *key;
    flow->family = segment->family;
    flow->vlans = table->options.ignore_vlan ? 0 : segment->vlans;
    flow->capture = segment->capture;
    flow->first_ns = flow->last_ns = segment->time_ns;
    find_roles(table, flow, segment, half);
    hashmap_insert(&table->map, &flow->link, hash);
    list_append(table, flow, FLOW_BARE, segment->time_ns);
    table->counters->flows_opened++;
    if (++table->counters->flows_open > table->counters->flows_open_peak)
        table->counters->flows_open_peak = table->counters->flows_open;
    return flow;
}

/* ---- one segment */

struct arrival {
    const struct segment *segment;
    unsigned half;
    int64_t now_ns;
};

static void learn_first(struct flow *flow, unsigned half, uint32_t sequence)
{
    flow->half[half].first = sequence;
    flow->half[half].acked = 0;
    flow->known[half] = KNOWN;
}

/* The other side's acknowledgment tells how much of ours it has, and where ours begins if nothing of it was seen. */
static void take_acknowledgment(struct flow *flow, unsigned half, uint32_t acknowledgment)
{
    if (!flow->known[!half]) {
        learn_first(flow, !half, acknowledgment);
        return;
    }
    struct flow_half *other = &flow->half[!half];
    uint32_t offset = acknowledgment - other->first;
    if (!other->next && offset <= LIMIT_WINDOW)
        flow->known[!half] = KNOWN_BY_BOTH;
    int32_t ahead = (int32_t)(offset - (uint32_t)other->next), further = (int32_t)(offset - other->acked);
    if (ahead <= LIMIT_WINDOW && further > 0)
        other->acked = offset;
}

/* Offset of the other half that a segment's sender had seen when it sent it; 0 where that is not to be trusted. */
static uint64_t needs_of(const struct flow *flow, const struct arrival *a)
{
    const struct flow_half *other = &flow->half[!a->half];
    if (!(a->segment->flags & TCP_ACK) || !flow->seen[!a->half])
        return 0;
    int32_t ahead = (int32_t)(a->segment->acknowledgment - other->first - (uint32_t)other->next);
    return ahead > 0 && ahead <= LIMIT_WINDOW ? other->next + (uint32_t)ahead : 0;
}

/* Opens the session with the first payload. */
static void open_session(struct flow_table *table, struct flow *flow, const struct arrival *a)
{
    flow->had_payload = true;
    list_move(table, flow, FLOW_ACTIVE, a->now_ns);
    if (flow->opened)
        return;
    flow->opened = true;
    flow->session = table->sink.open(table->sink.user, flow, a->half, a->segment->payload);
    if (!flow->session)
        flow->shunted = true;
    /* A FIN that came first was behind bytes that nobody saw. */
    for (unsigned half = 0; half < 2 && flow->session; half++)
        if (flow->half[half].next)
            table->sink.gap(table->sink.user, flow, flow_side(flow, half), flow->half[half].next, false);
}

/* Shunted: only where the data end matters, and who began the end: who acknowledges a FIN that the capture has later did not. */
static void count_only(struct flow *flow, unsigned half, uint64_t end, bool fin, uint64_t needs)
{
    if (end > flow->half[half].next)
        flow->half[half].next = end;
    if (!fin || flow->fin[half] == FIN_DELIVERED)
        return;
    if (flow->fin[!half] != FIN_DELIVERED)
        flow->end_from = (uint8_t)(needs == flow->half[!half].next + 1 ? !half : half);
    flow->fin[half] = FIN_DELIVERED;
}

/*
 * Where a segment's payload lies in its direction. False for what is far out of the window, unless it goes on where the last such
 * segment ended: then the capture lost more than any window, and the flow goes on there.
 */
static bool locate(struct flow_table *table, struct flow *flow, const struct arrival *a, uint64_t *offset)
{
    const struct segment *segment = a->segment;
    struct flow_half *own = &flow->half[a->half];
    uint32_t sequence = segment->sequence + (segment->flags & TCP_SYN ? 1 : 0);
    if (!flow->known[a->half])
        learn_first(flow, a->half, sequence);
    int32_t ahead = (int32_t)(sequence - own->first - (uint32_t)own->next);
    if (ahead < 0 && own->next < (uint32_t)-(int64_t)ahead)
        return false; /* before the first byte */
    if (ahead > LIMIT_WINDOW || ahead < -LIMIT_WINDOW) {
        bool goes_on = flow->stray == sequence && segment->length;
        flow->stray = sequence + segment->length;
        table->counters->segments_stray++;
        if (!goes_on || ahead < 0)
            return false;
        own->acked = sequence - own->first; /* the hole before it will not be filled */
    }
    *offset = own->next + (uint64_t)(int64_t)ahead;
    return true;
}

static void take_payload(struct flow_table *table, struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    bool fin = segment->flags & TCP_FIN;
    struct stream_piece piece = {.time_ns = segment->time_ns, .length = segment->length, .fin = fin, .bytes = segment->payload};
    if (!segment->length && !fin) {
        if (!flow->known[a->half])
            learn_first(flow, a->half, segment->sequence + (segment->flags & TCP_SYN ? 1 : 0));
        return;
    }
    if (!locate(table, flow, a, &piece.offset))
        return;
    if (segment->length && !flow->had_payload)
        open_session(table, flow, a);
    if (!flow->shunted && flow->session) {
        piece.needs = needs_of(flow, a);
        stream_push(&table->streams, flow, a->half, &piece);
    }
    bool early = !flow->opened && piece.offset > flow->half[a->half].next; /* a FIN before the first payload: that may still come */
    if ((flow->shunted || !flow->session) && !early)
        count_only(flow, a->half, piece.offset + segment->length, fin, fin ? needs_of(flow, a) : 0);
}

/* A RST counts only where the peer could accept it: from its last acknowledgment on (RFC 5961 3). */
static bool reset_in_window(const struct flow *flow, const struct arrival *a)
{
    const struct flow_half *own = &flow->half[a->half];
    if (!flow->known[a->half])
        return true;
    uint32_t offset = a->segment->sequence - own->first;
    int32_t from_acked = (int32_t)(offset - own->acked), ahead = (int32_t)(offset - (uint32_t)own->next);
    return from_acked >= -1 && ahead <= LIMIT_HELD_BYTES;
}

/*
 * A SYN on a connection that is open may be the same ports used anew, or forged. It is believed when the old
 * connection was never answered, was ending or long silent, else when the other side answers it.
 */
static bool is_reuse(struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    if (!(segment->flags & TCP_SYN))
        return false;
    if (flow->list == FLOW_ENDED)
        return !(segment->flags & TCP_ACK) && segment->sequence + 1 != flow->half[a->half].first;
    if (segment->flags & TCP_ACK)
        return flow->reuse_asked && segment->acknowledgment == flow->reuse;
    if (flow->known[a->half] && flow->half[a->half].first == segment->sequence + 1)
        return false;
    bool unanswered = !flow->had_payload && !flow->seen[!a->half];
    if (unanswered || flow->fin[0] || flow->fin[1] || a->now_ns - flow->last_ns > LIMIT_BARE_S * INT64_C(1000000000))
        return flow->known[a->half];
    flow->reuse_asked = true;
    flow->reuse = segment->sequence + 1;
    return false;
}

/* The old connection ends unseen, and the new one begins; with its SYN-ACK the SYN before it is remembered. */
static struct flow *begin_anew(struct flow_table *table, struct flow *old, const struct arrival *a)
{
    struct flow_key key = old->key;
    uint64_t hash = old->link.hash;
    uint32_t first = old->reuse;
    if (old->list != FLOW_ENDED)
        tell_end(table, old, END_TIMEOUT, -1);
    flow_remove(table, old);
    struct flow *flow = flow_create(table, a->segment, &key, hash, a->half);
    if (flow && a->segment->flags & TCP_ACK)
        learn_first(flow, !a->half, first);
    return flow;
}

static void take_segment(struct flow_table *table, struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    flow->seen[a->half] = true;
    if (segment->flags & TCP_SYN) {
        flow->syn_seen = true;
        if (!flow->roles_known)
            find_roles(table, flow, segment, a->half);
        if (flow->known[a->half] != KNOWN_BY_BOTH && !flow->half[a->half].next && !flow->stream)
            learn_first(flow, a->half, segment->sequence + 1);
    }
    if (segment->flags & TCP_ACK)
        take_acknowledgment(flow, a->half, segment->acknowledgment);
    if (segment->flags & TCP_RST) {
        if (reset_in_window(flow, a))
            flow_end(table, flow, END_RST, (int)a->half, a->now_ns);
        else
            table->counters->segments_stray++;
        return;
    }
    take_payload(table, flow, a);
    if (flow->stream)
        stream_drain(&table->streams, flow);
    close_if_over(table, flow, a->now_ns);
}

static void touch(struct flow_table *table, struct flow *flow, int64_t time_ns, int64_t now_ns)
{
    if (time_ns > flow->last_ns)
        flow->last_ns = time_ns; /* the packet's own time, even if the clock does not believe it (yet) */
    if ((uint32_t)(now_ns / 1000000000) != flow->queued_s)
        list_move(table, flow, flow->list, now_ns);
}

/* Worth an entry: a beginning, or data; not the last acknowledgments of something that we forgot. */
static bool opens(const struct segment *segment)
{
    return segment->flags & TCP_SYN || segment->length || !(segment->flags & (TCP_FIN | TCP_RST));
}

void flow_segment(struct flow_table *table, const struct segment *segment, int64_t now_ns)
{
    const uint8_t *ports = table->options.ports;
    if (!table->options.any_port && !port_is_set(ports, segment->source_port) && !port_is_set(ports, segment->destination_port))
        return;
    table->counters->segments++;
    struct flow_key key;
    struct arrival arrival = {.segment = segment, .half = make_key(table, segment, &key), .now_ns = now_ns};
    uint64_t hash = hash_key(table, &key, segment->family);
    struct flow *flow = find(table, &key, hash, segment->family);
    if (flow && timed_out(table, flow, now_ns)) {
        flow_time_out(table, flow);
        flow = NULL;
    }
    if (flow && is_reuse(flow, &arrival))
        flow = begin_anew(table, flow, &arrival);
    else if (!flow && opens(segment))
        flow = flow_create(table, segment, &key, hash, arrival.half);
    if (!flow)
        return;
    touch(table, flow, segment->time_ns, now_ns);
    if (flow->list == FLOW_ENDED)
        return;
    if (flow->stream)
        stream_overdue(&table->streams, flow, now_ns, false);
    take_segment(table, flow, &arrival);
}
