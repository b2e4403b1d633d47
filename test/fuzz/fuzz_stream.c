/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks flow and stream with segments made from the input, 8 bytes each: ends, flags, where, how
 * long, how much of it was captured, acknowledgment, time. Every byte is a function of its side and
 * sequence number, so that each delivered one can be checked, and holes must be told of.
 */
#define FUZZ_QUIET
#include "base/limits.h"
#include "base/memory.h"
#include "flow/flow.h"
#include "fuzz_help.h"

enum { SEGMENT = 8, LARGEST = 2048, FLOWS = 3 };

struct taken {
    uint64_t position[2]; /* bytes told of, by half */
    bool closed[2];
};

static int open_sessions;

static uint8_t byte_at(unsigned half, uint32_t sequence)
{
    return (uint8_t)((sequence * 2654435761u >> 13) ^ (half * 0x5a));
}

static unsigned half_of(const struct flow *flow, enum side from)
{
    return from == SIDE_CLIENT ? flow->client : !flow->client;
}

static void *on_open(void *user, struct flow *flow, unsigned half, struct slice first)
{
    (void)user;
    if (first.length % 16 == 7)
        return NULL;
    if (!flow->roles_known)
        flow_set_client(flow, half);
    open_sessions++;
    struct taken *taken = memory_new(sizeof *taken);
    must(taken != NULL);
    return taken;
}

static void on_data(void *user, struct flow *flow, enum side from, struct slice bytes,
                    int64_t time_ns)
{
    struct taken *taken = flow->session;
    unsigned half = half_of(flow, from);
    uint32_t sequence = flow->half[half].first + (uint32_t)taken->position[half];
    must(bytes.length > 0 && time_ns > 0);
    for (size_t i = 0; i < bytes.length; i++)
        must(bytes.data[i] == byte_at(half, sequence + (uint32_t)i));
    taken->position[half] += bytes.length;
    if (bytes.length % 256 == 255)
        flow_shunt(*(struct flow_table **)user, flow);
}

static void on_gap(void *user, struct flow *flow, enum side from, uint64_t length, bool cut)
{
    struct taken *taken = flow->session;
    unsigned half = half_of(flow, from);
    (void)user, (void)cut;
    must(length > 0 && length <= UINT32_MAX);
    taken->position[half] += length;
}

static void on_close_half(void *user, struct flow *flow, enum side from, int64_t time_ns)
{
    struct taken *taken = flow->session;
    (void)user, (void)time_ns;
    must(!taken->closed[half_of(flow, from)]);
    taken->closed[half_of(flow, from)] = true;
}

static void on_end(void *user, struct flow *flow, enum end_how how, enum side from)
{
    struct taken *taken = flow->session;
    (void)user;
    must(how < END_OPEN && from <= SIDE_NONE);
    for (unsigned half = 0; half < 2 && !flow->shunted; half++)
        must(taken->position[half] == flow->half[half].next);
    must(flow_bytes(flow, SIDE_CLIENT) == flow->half[flow->client].next);
    memory_free(taken);
    open_sessions--;
}

/* Sequence numbers lie near a start that soon wraps around, or anywhere. */
static uint32_t sequence_of(unsigned half, uint8_t where, bool far)
{
    uint32_t base = half ? 0xfffffe00u : 0x7fffff00u;
    return far ? base + where * 0x01020304u : base + where * 16u;
}

static void fill(struct segment *segment, struct reader *r, uint8_t bytes[LARGEST])
{
    uint8_t ends = reader_u8(r), flags = reader_u8(r), where = reader_u8(r), size = reader_u8(r);
    uint8_t caught = reader_u8(r), acked = reader_u8(r), time = reader_u8(r), more = reader_u8(r);
    unsigned half = ends & 1;
    *segment = (struct segment){.family = ends & 64 ? 6 : 4, .flags = flags & 0x17};
    segment->source.bytes[0] = half ? 20 : 10;
    segment->destination.bytes[0] = half ? 10 : 20;
    uint16_t client_port = (uint16_t)(40000 + (ends >> 1 & 3) % FLOWS);
    segment->source_port = half ? 25 : client_port;
    segment->destination_port = half ? client_port : 25;
    segment->vlans = ends >> 5 & 1;
    segment->vlan[0] = more & 3;
    segment->sequence = sequence_of(half, where, (more & 0xc0) == 0xc0);
    segment->acknowledgment = sequence_of(!half, acked, (more & 0x30) == 0x30);
    segment->length = (uint32_t)size * (more & 8 ? 8 : 1);
    if (segment->length > LARGEST)
        segment->length = LARGEST;
    uint32_t first = segment->sequence + (flags & TCP_SYN ? 1 : 0);
    for (uint32_t i = 0; i < segment->length; i++)
        bytes[i] = byte_at(half, first + i);
    segment->payload.length = caught < segment->length && more & 4 ? caught : segment->length;
    segment->payload.data = segment->payload.length ? bytes : NULL;
    segment->time_ns = (int64_t)time * (time & 128 ? 1000000000 : 10000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[LARGEST], ports[65536 / 8];
    struct flow_table *table = NULL;
    struct counters counters = {.packets = 0};
    struct reader input = reader_of(data, size);
    uint8_t bits = reader_u8(&input);
    ports[25 / 8] = 1 << 25 % 8;
    struct flow_options options = {.ports = ports,
                                   .any_port = bits & 1,
                                   .ignore_vlan = bits & 2,
                                   .max_flows = bits & 4 ? 2 : 100,
                                   .idle_ns = INT64_C(600000000000)};
    struct flow_sink sink = {.open = on_open,
                             .data = on_data,
                             .gap = on_gap,
                             .close_half = on_close_half,
                             .end = on_end,
                             .user = &table};
    table = flow_table_new(&options, sink, &counters);
    must(table != NULL);
    int64_t now_ns = 1000000000, behind;
    while (input.left >= SEGMENT) {
        struct segment segment;
        fill(&segment, &input, bytes);
        behind = segment.time_ns % 7 ? 0 : 500000000;
        now_ns += segment.time_ns;
        segment.time_ns = now_ns - behind;
        flow_tick(table, now_ns);
        flow_segment(table, &segment, now_ns);
    }
    flow_finish(table);
    must(open_sessions == 0 && counters.flows_open == 0);
    flow_table_free(table);
    return 0;
}
