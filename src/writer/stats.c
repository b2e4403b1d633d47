/* SPDX-License-Identifier: BSD-2-Clause */
/* The `stats` event: how much was seen, what was lost and which limits were reached. */
#include <stddef.h>

#include "base/text.h"
#include "writer/event.h"

struct stats_subject {
    const struct counters *counters;
    const struct stats_facts *facts;
};

struct counter_key {
    const char *key;
    size_t at; /* in struct counters */
};

#define COUNTER(name, member)                                                                      \
    {                                                                                              \
        name, offsetof(struct counters, member)                                                    \
    }

static const struct counter_key flow_keys[] = {
    COUNTER("open", flows_open),
    COUNTER("open_peak", flows_open_peak),
    COUNTER("opened", flows_opened),
    COUNTER("evicted", flows_evicted),
    COUNTER("without_payload", flows_without_payload),
    COUNTER("unproven", flows_unproven),
};

static const struct counter_key limit_keys[] = {
    COUNTER("packets_not_tcp", packets_not_tcp),
    COUNTER("packets_unknown_link", packets_unknown_link),
    COUNTER("packets_malformed", packets_malformed),
    COUNTER("packets_truncated", packets_truncated),
    COUNTER("fragments", fragments),
    COUNTER("fragments_dropped", fragments_dropped),
    COUNTER("tunnels_too_deep", tunnels_too_deep),
    COUNTER("segments", segments),
    COUNTER("segments_stray", segments_stray),
    COUNTER("overlaps_different", overlaps_different),
    COUNTER("gaps", gaps),
    COUNTER("held_limit", held_limit),
    COUNTER("buffer_limit", buffer_limit),
    COUNTER("certificates_unread", certificates_unread),
    COUNTER("records_early", records_early),
    COUNTER("history_forgotten", history_forgotten),
    COUNTER("memory_failures", memory_failures),
    COUNTER("events_lost", events_lost),
    COUNTER("clock_leaps", clock_leaps),
};

static void put_counters(struct event_build *build, const char *object,
                         const struct counters *counters, const struct counter_key *keys,
                         size_t count)
{
    size_t opened = event_open(build, object);
    for (size_t i = 0; i < count; i++) {
        const void *counter = (const char *)counters + keys[i].at;
        event_put_number(build, keys[i].key, *(const uint64_t *)counter);
    }
    event_close(build, opened);
}

/* Version names have dots, which indexes take for objects ("TLSv1" would be a number and an object
 * at once). */
static const char *version_key(enum tls_version version)
{
    static const char *const keys[TLS_VERSION_COUNT] = {
        [TLS_VERSION_SSL2] = "sslv2",    [TLS_VERSION_SSL3] = "sslv3",
        [TLS_VERSION_TLS10] = "tlsv1",   [TLS_VERSION_TLS11] = "tlsv1_1",
        [TLS_VERSION_TLS12] = "tlsv1_2", [TLS_VERSION_TLS13] = "tlsv1_3"};
    return keys[version];
}

static void put_sessions(struct event_build *build, const struct counters *counters)
{
    size_t sessions = event_open(build, "sessions");
    event_put_number(build, "total", counters->sessions);
    size_t outcomes = event_open(build, "outcomes");
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        event_put_number(build, word_outcome((enum outcome)i), counters->outcomes[i]);
    event_close(build, outcomes);
    size_t versions = event_open(build, "versions");
    for (unsigned i = TLS_VERSION_NONE + 1; i < TLS_VERSION_COUNT; i++)
        event_put_number(build, version_key((enum tls_version)i), counters->versions[i]);
    event_close(build, versions);
    event_close(build, sessions);
}

static void put_drops(struct event_build *build, const struct stats_facts *facts)
{
    if (!facts->live)
        return;
    size_t opened = event_open(build, "drops");
    event_put_number(build, "received", facts->kernel_received);
    event_put_number(build, "kernel", facts->kernel_dropped);
    event_put_number(build, "interface", facts->interface_dropped);
    event_close(build, opened);
}

static void put_kafka(struct event_build *build, const struct stats_facts *facts)
{
    if (!facts->kafka)
        return;
    size_t opened = event_open(build, "kafka");
    event_put_number(build, "delivered", facts->kafka_delivered);
    event_put_number(build, "waiting", facts->kafka_waiting);
    event_close(build, opened);
}

static void fill_stats(struct event_build *build, const void *subject)
{
    const struct stats_subject *stats = subject;
    const struct counters *counters = stats->counters;
    event_put_time(build, "time", stats->facts->time_ns);
    event_put_time(build, "started", stats->facts->started_ns);
    event_put_sensor(build, stats->facts->sensor, stats->facts->interface, NULL);
    event_put_number(build, "packets", counters->packets);
    event_put_number(build, "bytes", counters->bytes);
    put_drops(build, stats->facts);
    put_kafka(build, stats->facts);
    put_counters(build, "flows", counters, flow_keys, sizeof flow_keys / sizeof flow_keys[0]);
    put_sessions(build, counters);
    put_counters(build, "counters", counters, limit_keys, sizeof limit_keys / sizeof limit_keys[0]);
    event_put_number(build, "bytes_held", stats->facts->bytes_held);
    if (stats->facts->quiet_ns >= 0)
        event_put_number(build, "quiet_s", (uint64_t)text_seconds(stats->facts->quiet_ns));
}

void event_write_stats(struct line *line, const struct counters *counters,
                       const struct stats_facts *facts)
{
    struct stats_subject subject = {.counters = counters, .facts = facts};
    event_write(line, "stats", fill_stats, &subject);
}
