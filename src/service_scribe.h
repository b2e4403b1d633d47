/* SPDX-License-Identifier: BSD-2-Clause */
/* Live only: the one thread that judges finished records by the history, and writes them. Private to the files directly in src/. */
#ifndef SERVICE_SCRIBE_H
#define SERVICE_SCRIBE_H

#include <stdbool.h>

#include "base/log.h"
#include "collector.h"
#include "service_queue.h"
#include "writer/kafka.h"
#include "writer/writer.h"

struct scribe;

/* What it works with; all is borrowed. */
struct scribe_options {
    struct queue *queue;
    struct collector *collector;
    const struct format *format;
    const char *sensor;    /* key of lines that are about no session; NULL none */
    struct output *output; /* NULL none */
    struct kafka *kafka;   /* NULL none */
    bool file;             /* the output has a name: it is tried again after a failure, which else is final */
    bool aside;            /* the output's reader holds up nothing else: lines wait for it, LIMIT_QUEUE_BYTES of them, or are lost */
};

/* scribe_start starts the thread and returns it (new), or NULL after a message. */
struct scribe *scribe_start(const struct scribe_options *options, struct log *log) __attribute__((warn_unused_result));

/* scribe_end, after queue_close said that it has ended, waits for it and frees it; NULL is allowed. */
void scribe_end(struct scribe *scribe);

#endif
