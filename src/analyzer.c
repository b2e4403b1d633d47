/* SPDX-License-Identifier: BSD-2-Clause */
/* The pipeline, wired from top to bottom: packet, segment, flow, session, record, line. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "collector.h"
#include "decode/decode.h"
#include "flow/flow.h"

/* Packets that are there together, and those of their segments that are followed. */
struct batch {
    const struct packet *packets;
    unsigned at;     /* the packet that is decoded */
    unsigned passed; /* packets that time has come to */
    struct flow_arrival arrivals[CAPTURE_BATCH];
    uint8_t packet[CAPTURE_BATCH]; /* index of each arrival's packet */
    unsigned count, arrived;
};

struct analyzer {
    const struct analyzer_options *options;
    struct analyzer_sink sink;
    struct counters *counters;
    const struct capture *capture;
    struct log *log;
    struct decoder *decoder;
    struct flow_table *flows;
    struct sessions *sessions;
    struct collector *collector; /* NULL: the sink takes records */
    struct batch batch;
    struct clock clock;
    int64_t started_ns; /* time of the first packet */
    int64_t ticked_ns;  /* when timers were looked at last */
    struct line line;
    bool stopped;
};

enum { TICK_NS = 1000000 /* what waits for its time to pass need not go to the nanosecond */ };

static void pass_time(struct analyzer *a, int64_t time_ns)
{
    if (!a->clock.started)
        a->started_ns = time_ns;
    int64_t now_ns = clock_advance(&a->clock, time_ns, &a->counters->clock_leaps);
    if (now_ns - a->ticked_ns < TICK_NS)
        return;
    a->ticked_ns = now_ns;
    flow_tick(a->flows, now_ns);
    sessions_tick(a->sessions, now_ns);
}

/* Time comes to the packets before `until`, and their segments arrive. */
static void arrive_until(struct analyzer *a, unsigned until)
{
    struct batch *batch = &a->batch;
    if (batch->arrived < batch->count)
        flow_expect(a->flows, batch->arrivals + batch->arrived, batch->count - batch->arrived);
    for (; batch->passed < until; batch->passed++) {
        pass_time(a, batch->packets[batch->passed].time_ns);
        for (; batch->arrived < batch->count && batch->packet[batch->arrived] == batch->passed; batch->arrived++)
            flow_arrive(a->flows, &batch->arrivals[batch->arrived], a->clock.now_ns);
    }
}

static void on_segment(void *user, const struct segment *segment)
{
    struct analyzer *a = user;
    struct batch *batch = &a->batch;
    if (!flow_follows(a->flows, segment))
        return;
    if (segment->reassembled) {
        arrive_until(a, batch->at + 1);
        flow_segment(a->flows, segment, a->clock.now_ns);
        return;
    }
    batch->packet[batch->count++] = (uint8_t)batch->at; /* it lies in its place already */
}

/* All are decoded before the first one is followed: until then what it needs has come from memory. */
static void take_batch(struct analyzer *a, const struct packet *packets, unsigned count)
{
    struct batch *batch = &a->batch;
    batch->packets = packets;
    batch->count = batch->arrived = batch->passed = 0;
    for (batch->at = 0; batch->at < count; batch->at++)
        decode_packet(a->decoder, &packets[batch->at], &batch->arrivals[batch->count].segment);
    arrive_until(a, count);
}

static void emit(struct analyzer *a)
{
    if (a->line.failed)
        a->counters->memory_failures++;
    else if (!a->stopped && a->line.length /* some formats tell not of every session */ && !a->sink.line(a->sink.user, &a->line))
        a->stopped = true;
    a->line.length = 0;
    a->line.failed = false;
    a->line.key = NULL;
}

static void on_record(void *user, struct record *record)
{
    struct analyzer *a = user;
    if (a->sink.record) {
        a->sink.record(a->sink.user, record);
        return;
    }
    collector_judge(a->collector, record);
    a->options->format->session(&a->line, record);
    a->line.key = *record->community_id ? record->community_id : NULL;
    emit(a);
}

static const char *on_source(void *user, uint16_t capture)
{
    struct analyzer *a = user;
    return a->capture ? capture_source_name(a->capture, capture) : NULL;
}

static bool open_stages(struct analyzer *a)
{
    const struct analyzer_options *o = a->options;
    struct session_options sessions = {.locals = o->networks,
                                       .local_count = o->network_count,
                                       .sensor = o->sensor,
                                       .interface = o->interface,
                                       .offers = o->offers,
                                       .envelope_domains = o->envelope_domains,
                                       .linger_ns = o->linger_ns};
    struct flow_options flows = {.ports = o->ports,
                                 .any_port = o->any_port,
                                 .ignore_vlan = o->ignore_vlan,
                                 .max_flows = o->max_flows,
                                 .idle_ns = o->idle_ns};
    if (!a->sink.record && !(a->collector = collector_new(o->state, a->log)))
        return false;
    a->sessions = sessions_new(&sessions, (struct session_sink){on_record, on_source, a}, a->counters);
    a->flows = a->sessions ? flow_table_new(&flows, sessions_flow_sink(a->sessions), a->counters) : NULL;
    a->decoder = a->flows ? decode_new((struct decode_sink){on_segment, a}, a->counters) : NULL;
    if (a->decoder)
        sessions_follow(a->sessions, a->flows);
    return a->decoder != NULL;
}

struct analyzer *analyzer_new(const struct analyzer_options *options, const struct capture *capture, struct analyzer_sink sink,
                              struct counters *counters, struct log *log)
{
    struct analyzer *a = memory_new(sizeof *a);
    if (!a)
        return NULL;
    a->options = options;
    a->capture = capture;
    a->sink = sink;
    a->counters = counters;
    a->log = log;
    if (!open_stages(a)) {
        analyzer_free(a);
        return NULL;
    }
    return a;
}

void analyzer_free(struct analyzer *a)
{
    if (!a)
        return;
    decode_free(a->decoder);
    flow_table_free(a->flows);
    sessions_free(a->sessions);
    collector_free(a->collector);
    line_free(&a->line);
    memory_free(a);
}

void analyzer_packets(struct analyzer *a, const struct packet *packets, unsigned count)
{
    take_batch(a, packets, count);
}

void analyzer_tick(struct analyzer *a, int64_t now_ns)
{
    pass_time(a, now_ns);
}

void analyzer_finish(struct analyzer *a)
{
    flow_finish(a->flows);
}

bool analyzer_save(struct analyzer *a)
{
    return !a->collector || collector_save(a->collector);
}

bool analyzer_stopped(const struct analyzer *a)
{
    return a->stopped;
}

void analyzer_facts(const struct analyzer *a, struct stats_facts *facts)
{
    int64_t last = sessions_last_smtp_ns(a->sessions);
    facts->time_ns = a->clock.now_ns;
    facts->started_ns = a->started_ns;
    facts->sensor = a->options->sensor;
    facts->interface = a->options->interface;
    facts->quiet_ns = last == INT64_MIN ? -1 : a->clock.now_ns - last;
    facts->bytes_held = flow_held(a->flows) + sessions_held(a->sessions);
}

void analyzer_stats(struct analyzer *a, const struct stats_facts *live)
{
    struct stats_facts facts = live ? *live : (struct stats_facts){0};
    struct counters counters = *a->counters;
    if (!a->options->format->stats)
        return;
    analyzer_facts(a, &facts);
    if (a->collector)
        collector_count(a->collector, &counters);
    a->options->format->stats(&a->line, &counters, &facts);
    a->line.key = facts.sensor;
    emit(a);
}

/* ---- saved captures */

enum { PROGRESS_PACKETS = 65536 /* between looks at the wall clock */ };

/* Standard error is a terminal: how far the reading is, once a second. */
static void tell_progress(const struct capture *capture, const struct counters *counters, time_t *told)
{
    uint64_t total, done = capture_progress(capture, &total);
    time_t now = time(NULL);
    if (now == *told)
        return;
    *told = now;
    fprintf(stderr, "\rmxtap: %llu packets, %llu sessions", (unsigned long long)counters->packets,
            (unsigned long long)counters->sessions);
    if (total)
        fprintf(stderr, ", %llu %%", (unsigned long long)(done * 100 / total));
    fputs("\x1b[K", stderr);
}

bool analyzer_run(const struct analyzer_options *options, struct capture *capture, struct analyzer_sink sink,
                  struct counters *counters, struct log *log)
{
    struct analyzer *a = analyzer_new(options, capture, sink, counters, log);
    const struct packet *packets;
    unsigned count;
    bool progress = log->verbosity >= 0 && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    time_t told = 0;
    if (!a) {
        log_error(log, "out of memory");
        return false;
    }
    while (!a->stopped && (count = capture_next_batch(capture, &packets)) > 0) {
        take_batch(a, packets, count);
        if (progress && counters->packets % PROGRESS_PACKETS < count)
            tell_progress(capture, counters, &told);
    }
    if (told)
        fputs("\r\x1b[K", stderr);
    analyzer_finish(a);
    if (counters->packets) /* else there is no time to give it */
        analyzer_stats(a, NULL);
    bool saved = analyzer_save(a);
    analyzer_free(a);
    return saved;
}

/* ---- options */

void analyzer_options_default(struct analyzer_options *options)
{
    memset(options, 0, sizeof *options);
    analyzer_ports("25,465,587,2525", options->ports);
    options->max_flows = LIMIT_FLOWS;
    options->idle_ns = LIMIT_IDLE_S * INT64_C(1000000000);
    options->linger_ns = LIMIT_LINGER_S * INT64_C(1000000000);
    options->format = format_of("mxtap");
}

static bool parse_port(const char **text, unsigned *port)
{
    unsigned value = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && digits < 6; ++*text, digits++)
        value = value * 10 + (unsigned)(**text - '0');
    *port = value;
    return digits > 0 && value <= 65535;
}

bool analyzer_ports(const char *text, uint8_t ports[ANALYZER_PORT_BYTES])
{
    memset(ports, 0, ANALYZER_PORT_BYTES);
    for (;;) {
        unsigned from, to;
        if (!parse_port(&text, &from))
            return false;
        to = from;
        if (*text == '-' && (text++, !parse_port(&text, &to)))
            return false;
        if (to < from)
            return false;
        for (unsigned port = from; port <= to; port++)
            ports[port >> 3] |= (uint8_t)(1u << (port & 7));
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool analyzer_network(const char *text, struct analyzer_options *options)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof address || options->network_count == ANALYZER_NETWORKS)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    struct network *network = &options->networks[options->network_count];
    memset(network, 0, sizeof *network);
    network->family = strchr(address, ':') ? 6 : 4;
    if (inet_pton(network->family == 4 ? AF_INET : AF_INET6, address, network->address.bytes) != 1)
        return false;
    unsigned widest = network->family == 4 ? 32 : 128, prefix = widest;
    if (slash && (slash++, !parse_port(&slash, &prefix) || *slash || prefix > widest))
        return false;
    network->prefix = (uint8_t)prefix;
    options->network_count++;
    return true;
}
