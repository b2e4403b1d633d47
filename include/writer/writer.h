/* SPDX-License-Identifier: BSD-2-Clause */
/* Records to lines: the formats, and the file or pipe that they go to. */
#ifndef WRITER_WRITER_H
#define WRITER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/log.h"
#include "session/record.h"

/* A line that grows; owned by the caller, reused from event to event. */
struct line {
    char *data; /* not NUL-terminated */
    size_t length, capacity;
    bool failed; /* an allocation failed: the line is not whole and must not be written */
    const char *key; /* what it is about, for outputs that share lines out by that; borrowed, NULL none */
};
void line_free(struct line *line);

/* What `stats` tells beyond the counters. */
struct stats_facts {
    int64_t started_ns;     /* packet time at the beginning of the run: tells the runs of a sensor apart */
    int64_t time_ns;        /* packet time */
    const char *sensor, *interface;
    int64_t quiet_ns;       /* since the last SMTP packet; -1 none seen */
    uint64_t bytes_held;
    bool live;
    uint64_t kernel_received, kernel_dropped, interface_dropped; /* live only */
    bool kafka;                                                  /* live, with Kafka as output: */
    uint64_t kafka_delivered, kafka_waiting;
};

/* A format: how a session record and a stats event become lines (LF included): one, but for formats
 * that have several events for a session, or none for some. */
struct format {
    const char *name;
    void (*session)(struct line *line, const struct record *record);
    void (*stats)(struct line *line, const struct counters *counters, const struct stats_facts *facts); /* NULL: not in this format */
};

/* format_of returns the format of that name, or NULL. */
const struct format *format_of(const char *name);

/* The lines' destination: a file opened for append, or standard output. */
struct output;

/* output_open returns it (new), NULL and a message if it cannot be opened. path NULL or "-": standard output. */
struct output *output_open(const char *path, struct log *log);

/*
 * output_write appends one whole line to the buffer and lets it through when enough has gathered. False after the first failure (full
 * disk, closed pipe): reported once; nothing more is written. Only whole lines reach the file, or the file is cut back to the last whole one.
 */
bool output_write(struct output *output, const struct line *line);

/* output_flush writes what has gathered; false as above. */
bool output_flush(struct output *output);

/*
 * output_reopen opens the file of that name anew, which may be another one by now (log rotation), and goes on with it; what had
 * gathered goes to the old one. Also gives an output that failed another chance. False after a message: the old one stays.
 * Standard output stays as it is.
 */
bool output_reopen(struct output *output);

/* output_may_wait tells that a write may have to wait for a reader: it is no regular file. output_ready: up to PIPE_BUF bytes would not wait now. */
bool output_may_wait(const struct output *output);
bool output_ready(const struct output *output);

/* output_descriptor returns what is written to: to give a file that was created to its user. */
int output_descriptor(const struct output *output);

/* output_close flushes, closes and frees; false if something could not be written. NULL is allowed (true). */
bool output_close(struct output *output);

#endif
