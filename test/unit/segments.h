/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections made of hand-made segments, and all that flow tells of them as one line of text:
 * C(data) S-5 (a hole) C~5 (cut by the capture) S. (its FIN) [fin client] (the end) */
#ifndef TEST_UNIT_SEGMENTS_H
#define TEST_UNIT_SEGMENTS_H

#include <stdarg.h>

#include "base/limits.h"
#include "flow/flow.h"
#include "test.h"

#define MS INT64_C(1000000)
#define S (1000 * MS)

enum { LOG_SIZE = 8192 };

struct scene {
    struct flow_table *table;
    struct counters counters;
    int64_t now_ns;
    char log[LOG_SIZE];
    size_t length;
    size_t opened_with; /* bytes of the first payload, as open was told */
    uint16_t client_port; /* of the segments that follow */
    uint32_t cut;         /* captured bytes of payload, 0 all */
    const char *shunt_at; /* data at which the session wants no more */
    uint64_t bytes[2];    /* of each side, told at the end */
};

static uint8_t scene_ports[65536 / 8];

static inline void scene_say(struct scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void scene_say(struct scene *scene, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    scene->length += (size_t)vsnprintf(scene->log + scene->length, LOG_SIZE - scene->length, format, arguments);
    va_end(arguments);
}

static inline char scene_side(enum side side)
{
    return side == SIDE_CLIENT ? 'C' : 'S';
}

static inline void *scene_open(void *user, struct flow *flow, unsigned half, struct slice first)
{
    struct scene *scene = user;
    scene->opened_with = first.length;
    if (!flow->roles_known)
        flow_set_client(flow, half);
    return user;
}

static inline void scene_data(void *user, struct flow *flow, enum side from, struct slice bytes, int64_t time_ns)
{
    struct scene *scene = user;
    (void)time_ns;
    if (bytes.length > 40)
        scene_say(scene, "%c(%zu)", scene_side(from), bytes.length);
    else
        scene_say(scene, "%c(%.*s)", scene_side(from), (int)bytes.length, (const char *)bytes.data);
    if (scene->shunt_at && memmem(bytes.data, bytes.length, scene->shunt_at, strlen(scene->shunt_at)))
        flow_shunt(scene->table, flow);
}

static inline void scene_gap(void *user, struct flow *flow, enum side from, uint64_t length, bool cut)
{
    (void)flow;
    scene_say(user, "%c%c%llu", scene_side(from), cut ? '~' : '-', (unsigned long long)length);
}

static inline void scene_close_half(void *user, struct flow *flow, enum side from, int64_t time_ns)
{
    (void)flow, (void)time_ns;
    scene_say(user, "%c.", scene_side(from));
}

static inline void scene_end(void *user, struct flow *flow, enum end_how how, enum side from)
{
    const char *side = word_side(from);
    struct scene *scene = user;
    scene->bytes[SIDE_CLIENT] = flow_bytes(flow, SIDE_CLIENT);
    scene->bytes[SIDE_SERVER] = flow_bytes(flow, SIDE_SERVER);
    scene_say(user, "[%s%s%s]", word_end(how), side ? " " : "", side ? side : "");
}

static inline void scene_begin_with(struct scene *scene, uint32_t max_flows, bool ignore_vlan)
{
    memset(scene, 0, sizeof *scene);
    scene_ports[25 / 8] = 1 << 25 % 8;
    struct flow_options options = {.ports = scene_ports,
                                   .max_flows = max_flows,
                                   .ignore_vlan = ignore_vlan,
                                   .idle_ns = 600 * S};
    struct flow_sink sink = {.open = scene_open,
                             .data = scene_data,
                             .gap = scene_gap,
                             .close_half = scene_close_half,
                             .end = scene_end,
                             .user = scene};
    scene->table = flow_table_new(&options, sink, &scene->counters);
    scene->now_ns = 1000000 * S;
    scene->client_port = 40000;
    CHECK(scene->table != NULL);
}

static inline void scene_begin(struct scene *scene)
{
    scene_begin_with(scene, 1000, false);
}

/* One segment: side 'C' or 'S', flags, sequence and acknowledgment numbers, text. */
static inline void seg(struct scene *scene, char side, unsigned flags, uint32_t sequence, uint32_t acknowledgment,
                       const char *text)
{
    struct segment segment = {.time_ns = scene->now_ns, .family = 4, .flags = (uint8_t)flags};
    bool client = side == 'C';
    segment.source.bytes[0] = client ? 10 : 20;
    segment.destination.bytes[0] = client ? 20 : 10;
    segment.source_port = client ? scene->client_port : 25;
    segment.destination_port = client ? 25 : scene->client_port;
    segment.sequence = sequence;
    segment.acknowledgment = acknowledgment;
    segment.length = (uint32_t)strlen(text);
    uint32_t caught = scene->cut && scene->cut < segment.length ? scene->cut : segment.length;
    segment.payload = (struct slice){(const uint8_t *)text, caught};
    flow_segment(scene->table, &segment, scene->now_ns);
}

static inline void pass(struct scene *scene, int64_t ns)
{
    scene->now_ns += ns;
    flow_tick(scene->table, scene->now_ns);
}

/* Three-way handshake; the first bytes are client and server + 1. */
static inline void shake(struct scene *scene, uint32_t client, uint32_t server)
{
    seg(scene, 'C', TCP_SYN, client, 0, "");
    seg(scene, 'S', TCP_SYN | TCP_ACK, server, client + 1, "");
    seg(scene, 'C', TCP_ACK, client + 1, server + 1, "");
}

/* What was told so far must be `expected`; then it is forgotten. */
#define TOLD(scene, expected)              \
    do {                                   \
        CHECK_TEXT((scene)->log, expected); \
        (scene)->log[0] = '\0';             \
        (scene)->length = 0;                \
    } while (0)

#define ENDS(scene, expected)                        \
    do {                                             \
        flow_finish((scene)->table);                 \
        TOLD(scene, expected);                       \
        CHECK_INT((scene)->counters.flows_open, 0);  \
        flow_table_free((scene)->table);             \
    } while (0)

#endif
