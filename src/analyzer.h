/* SPDX-License-Identifier: BSD-2-Clause */
/* One pipeline from packets to lines; several can run side by side. Private to the files directly in src/. */
#ifndef ANALYZER_H
#define ANALYZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/log.h"
#include "capture/capture.h"
#include "collector.h"
#include "session/session.h"
#include "writer/writer.h"

enum { ANALYZER_NETWORKS = 256, ANALYZER_PORT_BYTES = 65536 / 8 };

/* What the command line says of the analysis. */
struct analyzer_options {
    uint8_t ports[ANALYZER_PORT_BYTES]; /* a bit for each mail port */
    bool any_port, ignore_vlan, offers, envelope_domains;
    uint32_t max_flows;
    int64_t idle_ns, linger_ns;
    const char *sensor;    /* borrowed; NULL absent */
    const char *state;     /* --state: file in which the history outlives the run; borrowed; NULL none */
    const char *interface; /* live; borrowed; NULL absent */
    struct network networks[ANALYZER_NETWORKS]; /* --local */
    unsigned network_count;
    const struct format *format;
};

/*
 * Takes each line; false stops the analysis. Or takes finished records as they are, borrowed for the call, which then are judged by
 * the history and written elsewhere: several pipelines live.
 */
struct analyzer_sink {
    bool (*line)(void *user, const struct line *line);
    void *user;
    void (*record)(void *user, const struct record *record); /* NULL: lines are wanted */
};

/* analyzer_options_default fills in what holds without options. */
void analyzer_options_default(struct analyzer_options *options);

/* analyzer_ports parses "25,465,2500-2599"; false if it is none. */
bool analyzer_ports(const char *text, uint8_t ports[ANALYZER_PORT_BYTES]);

/* analyzer_network parses "192.0.2.0/24", "2001:db8::/32" or an address; false if it is none, or there are too many. */
bool analyzer_network(const char *text, struct analyzer_options *options);

struct analyzer;

/* analyzer_new returns a pipeline (new); options, counters and what the sink points to are borrowed. `capture` tells the names of sources; NULL where there are none (live). NULL without memory. */
struct analyzer *analyzer_new(const struct analyzer_options *options, const struct capture *capture, struct analyzer_sink sink,
                              struct counters *counters, struct log *log);

/* analyzer_packets takes the next ones, CAPTURE_BATCH at most; what becomes due by the time of each is written before it. */
void analyzer_packets(struct analyzer *analyzer, const struct packet *packets, unsigned count);

/* analyzer_tick lets time pass without a packet (live: an idle interface); now_ns since 1970. */
void analyzer_tick(struct analyzer *analyzer, int64_t now_ns);

/* analyzer_finish ends all open sessions as the end of the capture does. */
void analyzer_finish(struct analyzer *analyzer);

/* analyzer_save writes the state file, if there is one; false, with a message, if it cannot. */
bool analyzer_save(struct analyzer *analyzer);

/* analyzer_facts fills in what stats tell beyond counters, but for what only a live capture knows. */
void analyzer_facts(const struct analyzer *analyzer, struct stats_facts *facts);

/* analyzer_stats writes a `stats` event. `live` fills in what only a live capture knows; NULL offline. */
void analyzer_stats(struct analyzer *analyzer, const struct stats_facts *live);

/* analyzer_stopped tells that the sink refused a line. */
bool analyzer_stopped(const struct analyzer *analyzer);

/* analyzer_free frees; NULL is allowed. */
void analyzer_free(struct analyzer *analyzer);

/*
 * analyzer_run reads captures to their end (or until the sink says stop) through a pipeline of its own, the closing `stats` event
 * last. False, with a message, without memory or if the state cannot be written.
 */
bool analyzer_run(const struct analyzer_options *options, struct capture *capture, struct analyzer_sink sink,
                  struct counters *counters, struct log *log);

#endif
