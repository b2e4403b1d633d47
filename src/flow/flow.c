/* SPDX-License-Identifier: BSD-2-Clause */
/* From segments to connections: one look-up per packet, who is client, in-order data, and what ends it. */
#include <string.h>

#include "base/limits.h"
#include "flow/table.h"

static bool port_is_set(const uint8_t *ports, uint16_t port)
{
    return ports[port >> 3] >> (port & 7) & 1;
}

void flow_shunt(struct flow_table *table, struct flow *flow)
{
    (void)table; /* what its stream holds is freed when the call that delivers returns */
    flow->shunted = true;
}

void flow_set_client(struct flow *flow, unsigned half)
{
    flow->client = half & 1;
    flow->roles_known = true;
}

uint64_t flow_bytes(const struct flow *flow, enum side from)
{
    return flow->half[from == SIDE_CLIENT ? flow->client : !flow->client].next;
}

/* ---- look-up */

struct address flow_address(const struct flow *flow, unsigned half)
{
    struct address address = {{0}};
    size_t size = flow->family == 6 ? sizeof address : 4;
    memcpy(address.bytes, flow->address + half * size, size);
    return address;
}

/* What is known of a connection: a flow, or that it is half open, or that it ended, or nothing. */
struct found {
    struct flow *flow;
    const struct ring *ring;
    struct ring_entry *entry; /* of that ring */
};

static struct found find(const struct flow_table *table, const struct flow_arrival *arrival)
{
    uint32_t entry;
    for (uint32_t steps = 0; (entry = directory_next(&table->directory, arrival->hash, &steps)) != 0;) {
        if (entry & TABLE_HALF_OPEN) {
            const struct ring *ring = table_ring(table, entry);
            if (ring_at(ring, entry)->hash == arrival->hash)
                return (struct found){.ring = ring, .entry = ring_at(ring, entry)};
            continue;
        }
        struct flow *flow = table_flow(table, entry);
        if (flow->family == arrival->segment.family && table_same_key(table_key(flow), &arrival->key, flow->family))
            return (struct found){.flow = flow};
    }
    return (struct found){0};
}

/* Who is client: the sender of the SYN, else who has no mail port where the other one has. */
static void find_roles(const struct flow_table *table, struct flow *flow, const struct segment *segment, unsigned half)
{
    bool mail[2] = {port_is_set(table->options.ports, flow->port[0]), port_is_set(table->options.ports, flow->port[1])};
    flow->mail_port = mail[0] || mail[1];
    if (segment->flags & TCP_SYN) {
        flow_set_client(flow, segment->flags & TCP_ACK ? !half : half);
        flow->mail_port = mail[!flow->client]; /* a client's own port means nothing: any can be 2525 */
        return;
    }
    if (mail[0] != mail[1])
        flow_set_client(flow, mail[0]);
}

static struct flow *flow_create(struct flow_table *table, const struct segment *segment, const struct flow_key *key,
                                uint64_t hash, unsigned half)
{
    struct flow *flow = table_take(table, segment->family);
    if (!flow)
        return NULL;
    memcpy((char *)flow + offsetof(struct flow, port), key, flow->family == 6 ? TABLE_KEY_6 : TABLE_KEY_4);
    flow->vlans = table->options.ignore_vlan ? 0 : segment->vlans;
    flow->capture = segment->capture;
    flow->first_ns = flow->last_ns = segment->time_ns;
    find_roles(table, flow, segment, half);
    return table_insert(table, flow, hash) ? flow : NULL;
}

/* ---- one segment */

struct arrival {
    const struct segment *segment;
    uint64_t hash;
    unsigned half;
    int64_t now_ns;
};

static void note_began(struct flow *flow, unsigned half)
{
    flow->began = (flow->began | 1u << half) & 3;
}

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
    if (!(a->segment->flags & TCP_ACK))
        return 0;
    int32_t ahead = (int32_t)(a->segment->acknowledgment - other->first - (uint32_t)other->next);
    return ahead > 0 && ahead <= LIMIT_WINDOW ? other->next + (uint32_t)ahead : 0;
}

/* Opens the session with the first payload; what is not the beginning of its half does not tell what begins. */
static void open_session(struct flow_table *table, struct flow *flow, const struct arrival *a, uint64_t offset)
{
    bool inside = offset && flow->syn_seen;
    flow->had_payload = true;
    if (flow->proven)
        table_move(table, flow, FLOW_ACTIVE, a->now_ns);
    if (flow->opened)
        return;
    flow->opened = true;
    flow->session = table->sink.open(table->sink.user, flow, a->half, inside ? (struct slice){0} : a->segment->payload);
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
        flow->end_from = (needs == flow->half[!half].next + 1 ? !half : half) & 1;
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

static void push(struct flow_table *table, struct flow *flow, const struct arrival *a, uint64_t offset)
{
    const struct segment *segment = a->segment;
    struct stream_piece piece = {.time_ns = segment->time_ns,
                                 .offset = offset,
                                 .needs = needs_of(flow, a),
                                 .length = segment->length,
                                 .fin = segment->flags & TCP_FIN,
                                 .bytes = segment->payload};
    stream_push(&table->streams, flow, a->half, &piece);
}

static void take_payload(struct flow_table *table, struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    bool fin = segment->flags & TCP_FIN;
    uint64_t offset;
    if (!segment->length && !fin) {
        if (!flow->known[a->half])
            learn_first(flow, a->half, segment->sequence + (segment->flags & TCP_SYN ? 1 : 0));
        return;
    }
    if (!locate(table, flow, a, &offset))
        return;
    if (segment->length && !flow->had_payload)
        open_session(table, flow, a, offset);
    bool early = !flow->opened && offset > flow->half[a->half].next; /* a FIN before the first payload: that may still come */
    if (!flow->shunted && (flow->session || early))
        push(table, flow, a, offset);
    if ((flow->shunted || !flow->session) && !early)
        count_only(flow, a->half, offset + segment->length, fin, fin ? needs_of(flow, a) : 0);
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

/* A RST stands behind all that its sender sent: what of that is missing will not come. */
static void note_sent(struct flow *flow, const struct arrival *a)
{
    struct flow_half *own = &flow->half[a->half];
    uint32_t offset = a->segment->sequence - own->first;
    if (flow->known[a->half] && (int32_t)(offset - (uint32_t)own->next) > 0 && (int32_t)(offset - own->acked) > 0)
        own->acked = offset;
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
static struct flow *begin_anew(struct flow_table *table, struct flow *old, const struct arrival *a, const struct flow_key *key)
{
    uint32_t first = old->reuse;
    table_tell_end(table, old, END_TIMEOUT, -1);
    table_remove(table, old);
    struct flow *flow = flow_create(table, a->segment, key, a->hash, a->half);
    if (flow)
        table_count_opened(table);
    if (flow && a->segment->flags & TCP_ACK) {
        learn_first(flow, !a->half, first);
        note_began(flow, !a->half);
    }
    return flow;
}

/* Does a segment fit what was seen before, as only somebody's can who takes part in the connection (or sees it)? */
static bool fits(const struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    const struct flow_half *own = &flow->half[a->half], *other = &flow->half[!a->half];
    if (segment->flags & TCP_SYN) /* an answer to a SYN costs a flooder nothing, the third segment of the handshake does */
        return !flow->syn_seen && flow->known[a->half] && segment->sequence + 1 == own->first;
    if (flow->seen[a->half] && flow->known[a->half]) {
        int64_t from = (int32_t)(segment->sequence - own->first), end = from + segment->length, next = (int64_t)own->next;
        bool repeated = from >= 0 && from < next && end <= next;
        if (from >= -LIMIT_HELD_BYTES && from <= next + LIMIT_HELD_BYTES && !repeated)
            return true;
    }
    return flow->seen[!a->half] && flow->known[!a->half] && segment->flags & TCP_ACK &&
           segment->acknowledgment - other->first <= other->next + LIMIT_HELD_BYTES;
}

/* A SYN is believed before a lone segment that does not fit it. */
static bool is_disowned(const struct flow *flow, const struct arrival *a)
{
    return !flow->proven && a->segment->flags & TCP_SYN && !flow->syn_seen && !fits(flow, a);
}

static void prove(struct flow_table *table, struct flow *flow, int64_t now_ns)
{
    flow->proven = true;
    table_move(table, flow, flow->had_payload ? FLOW_ACTIVE : FLOW_BARE, now_ns);
}

static void take_segment(struct flow_table *table, struct flow *flow, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    if (!flow->proven && fits(flow, a))
        prove(table, flow, a->now_ns);
    flow->seen[a->half] = true;
    if (segment->flags & TCP_SYN) {
        flow->syn_seen = true;
        note_began(flow, a->half);
        if (segment->flags & TCP_ACK)
            note_began(flow, !a->half);
        if (!flow->roles_known)
            find_roles(table, flow, segment, a->half);
        if (flow->known[a->half] != KNOWN_BY_BOTH && !flow->half[a->half].next && !flow->stream)
            learn_first(flow, a->half, segment->sequence + 1);
    }
    if (segment->flags & TCP_ACK)
        take_acknowledgment(flow, a->half, segment->acknowledgment);
    if (segment->flags & TCP_RST) {
        if (reset_in_window(flow, a)) {
            note_sent(flow, a);
            table_end(table, flow, END_RST, (int)a->half, a->now_ns);
        } else {
            table->counters->segments_stray++;
        }
        return;
    }
    take_payload(table, flow, a);
    if (flow->stream)
        stream_drain(&table->streams, flow);
    table_close_if_over(table, flow, a->now_ns);
}

/* An acknowledgment that brings nothing else, as three of four segments are: it proves, begins and ends nothing that is not so already. */
static bool only_acknowledges(const struct flow *flow, const struct arrival *a)
{
    const unsigned none = TCP_SYN | TCP_FIN | TCP_RST;
    return !a->segment->length && (a->segment->flags & (none | TCP_ACK)) == TCP_ACK && flow->proven && flow->seen[a->half] &&
           flow->known[a->half] && !flow->stream;
}

static void touch(struct flow_table *table, struct flow *flow, int64_t time_ns, int64_t now_ns)
{
    if (time_ns > flow->last_ns)
        flow->last_ns = time_ns; /* the packet's own time, even if the clock does not believe it (yet) */
    if ((uint32_t)(now_ns / 1000000000) - flow->queued_s >= TABLE_REQUEUE_S)
        table_move(table, flow, flow->list, now_ns);
}

/* Worth an entry: a beginning, or data; not the last acknowledgments of something that we forgot. */
static bool opens(const struct segment *segment)
{
    return segment->flags & TCP_SYN || segment->length || !(segment->flags & (TCP_FIN | TCP_RST));
}

/* ---- half-open connections */

static void take_syn(struct flow_table *table, const struct arrival *a, struct ring_entry *entry)
{
    bool seen = entry && half_open_seen(entry, a->half);
    if (seen && !(a->segment->flags & TCP_ACK) && entry->sequence[a->half] != a->segment->sequence) {
        ring_remove(&table->half_open, entry); /* another try with the same ports */
        table_count_half_open_end(table);
        entry = NULL;
    }
    if (entry) {
        half_open_note(entry, a->segment, a->half);
        return;
    }
    for (unsigned gone = half_open_add(&table->half_open, a->hash, a->segment, a->half); gone; gone--)
        table_count_half_open_end(table);
    table_count_opened(table);
}

/* The handshake goes on (or data come): now there is a flow, which sees the SYNs first. */
static struct flow *open_half_open(struct flow_table *table, struct ring_entry *entry, const struct arrival *a,
                                   const struct flow_key *key)
{
    struct segment syn[2];
    bool seen[2] = {half_open_replay(entry, 0, &syn[0]), half_open_replay(entry, 1, &syn[1])};
    unsigned first = entry->first;
    syn[0].family = syn[1].family = a->segment->family;
    struct flow *flow = flow_create(table, &syn[first], key, entry->hash, first);
    ring_remove(&table->half_open, entry);
    if (!flow) {
        table_count_half_open_end(table);
        return NULL;
    }
    take_segment(table, flow, &(struct arrival){&syn[first], a->hash, first, a->now_ns});
    if (seen[!first])
        take_segment(table, flow, &(struct arrival){&syn[!first], a->hash, !first, a->now_ns});
    return flow;
}

/* The flow of a segment that has none yet, or a half-open connection at most; NULL if it needs none. */
static struct flow *open_flow(struct flow_table *table, const struct arrival *a, const struct flow_key *key, struct ring_entry *entry)
{
    const struct segment *segment = a->segment;
    if (segment->flags & TCP_SYN && !(segment->flags & (TCP_RST | TCP_FIN)) && !segment->length) {
        take_syn(table, a, entry);
        return NULL;
    }
    if (entry && !half_open_fits(entry, segment, a->half)) {
        table->counters->segments_stray++;
        return NULL;
    }
    if (entry && segment->flags & TCP_RST) {
        ring_remove(&table->half_open, entry);
        table_count_half_open_end(table);
        return NULL;
    }
    if (entry)
        return open_half_open(table, entry, a, key);
    struct flow *flow = opens(segment) ? flow_create(table, segment, key, a->hash, a->half) : NULL;
    if (flow)
        table_count_opened(table);
    return flow;
}

bool flow_follows(const struct flow_table *table, const struct segment *segment)
{
    const uint8_t *ports = table->options.ports;
    uint16_t a = segment->source_port, b = segment->destination_port;
    /* The lower one first: of servers' ports there are few, so that they stay in the caches. */
    return table->options.any_port || port_is_set(ports, a < b ? a : b) || port_is_set(ports, a < b ? b : a);
}

/* A connection that ended is remembered no more: its time is over, or its ports are used anew (RFC 9293 3.6.1). */
static bool is_over(const struct found *found, const struct arrival *a)
{
    const struct segment *segment = a->segment;
    bool anew = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && segment->sequence != found->entry->sequence[a->half];
    return anew || a->now_ns - found->entry->time_ns > LIMIT_ENDED_S * INT64_C(1000000000);
}

void flow_arrive(struct flow_table *table, const struct flow_arrival *x, int64_t now_ns)
{
    const struct segment *segment = &x->segment;
    struct arrival arrival = {.segment = segment, .hash = x->hash, .half = x->half, .now_ns = now_ns};
    table->counters->segments++;
    struct found found = find(table, x);
    struct flow *flow = found.flow;
    if (flow && table_timed_out(table, flow, now_ns)) {
        table_time_out(table, flow);
        flow = NULL;
    } else if (flow && is_disowned(flow, &arrival)) {
        table_evict(table, flow);
        flow = NULL;
    }
    if (found.ring == &table->time_wait) {
        if (!is_over(&found, &arrival))
            return;
        ring_remove(&table->time_wait, found.entry);
        found.entry = NULL;
    }
    if (flow && is_reuse(flow, &arrival))
        flow = begin_anew(table, flow, &arrival, &x->key);
    else if (!flow)
        flow = open_flow(table, &arrival, &x->key, found.entry);
    if (!flow)
        return;
    touch(table, flow, segment->time_ns, now_ns);
    if (only_acknowledges(flow, &arrival)) {
        take_acknowledgment(flow, arrival.half, segment->acknowledgment);
        return;
    }
    if (flow->stream)
        stream_overdue(&table->streams, flow, now_ns);
    take_segment(table, flow, &arrival);
}

void flow_segment(struct flow_table *table, const struct segment *segment, int64_t now_ns)
{
    if (!flow_follows(table, segment))
        return;
    struct flow_arrival arrival = {.segment = *segment};
    flow_expect(table, &arrival, 1);
    flow_arrive(table, &arrival, now_ns);
}
