/* SPDX-License-Identifier: BSD-2-Clause */
/* What finds a segment's connection, and what it will touch fetched into the caches before it arrives. */
#include <string.h>

#include "flow/table.h"

/* An order of the two ends, which both directions agree in: true if the source comes second. */
static bool source_is_second(const struct segment *segment)
{
    uint64_t source[2], destination[2];
    memcpy(source, segment->source.bytes, sizeof source);
    memcpy(destination, segment->destination.bytes, sizeof destination);
    if (source[0] != destination[0])
        return source[0] > destination[0];
    if (source[1] != destination[1])
        return source[1] > destination[1];
    return segment->source_port > segment->destination_port;
}

/* Fills the key; returns the index of the sender's half. */
static unsigned make_key(const struct flow_table *table, const struct segment *segment, struct flow_key *key)
{
    unsigned half = source_is_second(segment);
    memset(key->vlan, 0, sizeof key->vlan);
    if (segment->family == 6) {
        memcpy(key->address + half * sizeof(struct address), segment->source.bytes, sizeof(struct address));
        memcpy(key->address + !half * sizeof(struct address), segment->destination.bytes, sizeof(struct address));
    } else {
        memcpy(key->address + half * 4, segment->source.bytes, 4);
        memcpy(key->address + !half * 4, segment->destination.bytes, 4);
    }
    key->port[half] = segment->source_port;
    key->port[!half] = segment->destination_port;
    for (unsigned i = 0; i < SEGMENT_VLANS && i < segment->vlans && !table->options.ignore_vlan; i++)
        key->vlan[i] = (uint16_t)(segment->vlan[i] | 0x8000); /* so that tag 0 and no tag differ */
    return half;
}

static bool may_end(const struct segment *segment)
{
    return segment->flags & (TCP_FIN | TCP_RST);
}

/* The session that a segment will be told to, NULL if it has none or needs no more. */
static const void *session_of(const struct flow *flow, const struct segment *segment)
{
    return (segment->length && !flow->shunted) || may_end(segment) ? flow->session : NULL;
}

/* Of the same connection as the one before, as answers and what is sent at once are. */
static bool goes_on(const struct flow_arrival *before, const struct flow_arrival *arrival)
{
    return before->segment.family == arrival->segment.family && table_same_key(&before->key, &arrival->key, arrival->segment.family);
}

static const struct flow *expect_flow(const struct flow_table *table, uint64_t hash)
{
    uint32_t steps = 0, entry = directory_next(&table->directory, hash, &steps);
    const struct flow *flow = entry & TABLE_HALF_OPEN || !entry ? NULL : table_flow(table, entry);
    if (flow)
        table_prefetch(flow, entry & TABLE_FLOW_6 ? TABLE_FLOW_LINES + 1 : TABLE_FLOW_LINES);
    else if (entry)
        table_prefetch(ring_at(table_ring(table, entry), entry), 1);
    return flow;
}

void flow_expect(const struct flow_table *table, struct flow_arrival *arrivals, unsigned count)
{
    const struct flow *flows[FLOW_EXPECT];
    const void *sessions[FLOW_EXPECT];
    bool same[FLOW_EXPECT];
    for (unsigned i = 0; i < count; i++)
        arrivals[i].half = make_key(table, &arrivals[i].segment, &arrivals[i].key);
    for (unsigned i = 0; i < count; i++) {
        struct flow_arrival *a = &arrivals[i];
        same[i] = i && goes_on(a - 1, a);
        a->hash = same[i] ? a[-1].hash : table_hash(table, &a->key, a->segment.family);
        if (!same[i])
            directory_expect(&table->directory, a->hash);
    }
    if (count < 2)
        return;
    const struct flow *flow = NULL;
    for (unsigned i = 0; i < count; i++)
        flows[i] = flow = same[i] ? flow : expect_flow(table, arrivals[i].hash);
    for (unsigned i = 0; i < count; i++) {
        sessions[i] = flows[i] ? session_of(flows[i], &arrivals[i].segment) : NULL;
        if (sessions[i] && !(same[i] && sessions[i - 1]))
            table_prefetch(sessions[i], TABLE_SESSION_LINES);
    }
    for (unsigned i = 0; i < count && table->sink.expect; i++)
        if (sessions[i] && (may_end(&arrivals[i].segment) || !(same[i] && sessions[i - 1])))
            table->sink.expect(sessions[i], may_end(&arrivals[i].segment));
}
