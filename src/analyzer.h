/* SPDX-License-Identifier: BSD-2-Clause */
/* One pipeline from packets to lines; several can run side by side. Private to the files directly in src/. */
#ifndef ANALYZER_H
#define ANALYZER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/log.h"
#include "capture/capture.h"
#include "session/session.h"
#include "writer/writer.h"

enum { ANALYZER_NETWORKS = 256, ANALYZER_PORT_BYTES = 65536 / 8 };

/* What the command line says of the analysis. */
struct analyzer_options {
    uint8_t ports[ANALYZER_PORT_BYTES]; /* a bit for each mail port */
    bool any_port, ignore_vlan, offers;
    uint32_t max_flows;
    int64_t idle_ns, linger_ns;
    const char *sensor;   /* borrowed; NULL absent */
    struct network networks[ANALYZER_NETWORKS]; /* --local */
    unsigned network_count;
    const struct format *format;
};

/* Takes each line; false stops the analysis. */
struct analyzer_sink {
    bool (*line)(void *user, const struct line *line);
    void *user;
};

/* analyzer_options_default fills in what holds without options. */
void analyzer_options_default(struct analyzer_options *options);

/* analyzer_ports parses "25,465,2500-2599"; false if it is none. */
bool analyzer_ports(const char *text, uint8_t ports[ANALYZER_PORT_BYTES]);

/* analyzer_network parses "192.0.2.0/24", "2001:db8::/32" or an address; false if it is none, or there are too many. */
bool analyzer_network(const char *text, struct analyzer_options *options);

/*
 * analyzer_run reads the captures to their end (or until the sink says stop) and hands on every line, the closing `stats` event last.
 * *counters tells what was counted. False without memory.
 */
bool analyzer_run(const struct analyzer_options *options, struct capture *capture, struct analyzer_sink sink,
                  struct counters *counters, struct log *log);

#endif
