/* SPDX-License-Identifier: BSD-2-Clause */
/* A live capture as a service: from opening, through years, to a signal. Private to the files directly in src/. */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer.h"
#include "base/counters.h"
#include "base/log.h"
#include "capture/sandbox.h"
#include "writer/kafka.h"

struct service_options {
    const char *interface; /* -i; all strings are borrowed */
    const char *filter;    /* NULL: the mail ports; "" everything */
    const char *output;    /* NULL or "-": standard output; with Kafka, NULL: none */
    struct kafka *kafka;   /* not started; closed by service_run; NULL none */
    const char *user;      /* -Z; NULL: see privilege_find */
    const char *metrics;   /* NULL: none */
    uint32_t snaplen, ring_kib, workers;
    int64_t stats_ns;      /* between two stats events, 0: only the last one */
    int64_t quiet_ns;      /* without SMTP, after which a warning is given; 0: never */
    bool promiscuous, wait;
    enum sandbox_mode sandbox;
};

/* service_options_default fills in what holds without options. */
void service_options_default(struct service_options *options);

/*
 * service_run captures until a signal (SIGTERM, SIGINT), the interface or the output ends it, and returns the exit status.
 * `analyzer` gets what a live capture knows by itself: sensor, interface, own addresses. `counters` are what was counted.
 */
int service_run(const struct service_options *options, struct analyzer_options *analyzer, struct counters *counters, struct log *log);

#endif
