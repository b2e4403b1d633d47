/* SPDX-License-Identifier: BSD-2-Clause */
/* The `stats` event: how much was seen, what was lost and which limits were reached. */
#include <stddef.h>

#include <jansson.h>

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
    COUNTER("records_early", records_early),
    COUNTER("memory_failures", memory_failures),
    COUNTER("events_lost", events_lost),
    COUNTER("clock_leaps", clock_leaps),
};

static void put_counters(struct event_build *build, json_t *object, const struct counters *counters,
                         const struct counter_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const void *counter = (const char *)counters + keys[i].at;
        event_put_number(build, object, keys[i].key, *(const uint64_t *)counter);
    }
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

static void put_sessions(struct event_build *build, json_t *event, const struct counters *counters)
{
    json_t *sessions = json_object(), *outcomes = json_object(), *versions = json_object();
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        event_put_number(build, outcomes, word_outcome((enum outcome)i), counters->outcomes[i]);
    for (unsigned i = TLS_VERSION_NONE + 1; i < TLS_VERSION_COUNT; i++)
        event_put_number(build, versions, version_key((enum tls_version)i), counters->versions[i]);
    event_put_number(build, sessions, "total", counters->sessions);
    event_put(build, sessions, "outcomes", outcomes);
    event_put(build, sessions, "versions", versions);
    event_put(build, event, "sessions", sessions);
}

static void put_drops(struct event_build *build, json_t *event, const struct stats_facts *facts)
{
    if (!facts->live)
        return;
    json_t *drops = json_object();
    event_put_number(build, drops, "received", facts->kernel_received);
    event_put_number(build, drops, "kernel", facts->kernel_dropped);
    event_put_number(build, drops, "interface", facts->interface_dropped);
    event_put(build, event, "drops", drops);
}

static void fill_stats(struct event_build *build, json_t *event, const void *subject)
{
    const struct stats_subject *stats = subject;
    const struct counters *counters = stats->counters;
    char time[TEXT_TIME];
    event_put_word(build, event, "time", text_time(stats->facts->time_ns, time));
    event_put_sensor(build, event, stats->facts->sensor, stats->facts->interface, NULL);
    event_put_number(build, event, "packets", counters->packets);
    event_put_number(build, event, "bytes", counters->bytes);
    put_drops(build, event, stats->facts);
    json_t *flows = json_object(), *limits = json_object();
    put_counters(build, flows, counters, flow_keys, sizeof flow_keys / sizeof flow_keys[0]);
    event_put(build, event, "flows", flows);
    put_sessions(build, event, counters);
    put_counters(build, limits, counters, limit_keys, sizeof limit_keys / sizeof limit_keys[0]);
    event_put(build, event, "counters", limits);
    event_put_number(build, event, "bytes_held", stats->facts->bytes_held);
    if (stats->facts->quiet_ns >= 0)
        event_put_number(build, event, "quiet_s", (uint64_t)text_seconds(stats->facts->quiet_ns));
}

void event_write_stats(struct line *line, const struct counters *counters,
                 const struct stats_facts *facts)
{
    struct stats_subject subject = {.counters = counters, .facts = facts};
    event_write(line, "stats", fill_stats, &subject);
}
