/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of events, and of aggregates, into an aggregate. */
#ifndef REPORT_EVENTS_H
#define REPORT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/input.h"
#include "base/log.h"
#include "report/aggregate.h"
#include "report/peer.h"

/* What was read: everything that decides how an event is counted, and what became of the lines. */
struct event_reader {
    struct aggregate *aggregate; /* borrowed */
    struct peer_namer *namer;    /* borrowed */
    bool by_given;               /* what a peer is was said, or is fixed by what was read */
    const uint8_t *ports; /* bits of the server ports that are wanted, 8192 bytes; NULL all */
    struct log *log;
    void (*progress)(void *user,
                     const struct event_reader *reader); /* may be NULL; called now and then */
    void *user;
    uint64_t lines, sessions, stats; /* used */
    uint64_t other_ports;            /* sessions passed over for their port */
    uint64_t damaged;             /* lines that could not be used, also counted in the aggregate */
    uint64_t damaged_here;        /* ... of this file */
    uint64_t aggregates;          /* files of aggregates, by their header */
    const struct input *input;    /* being read, for progress */
    struct aggregate_lines *part; /* state of reading an aggregate */
};

void event_reader_init(struct event_reader *reader);
void event_reader_close(struct event_reader *reader);

/* event_reader_line takes one line, without or with its LF. NULL if it was used or empty, else why
 * not (static). */
const char *event_reader_line(struct event_reader *reader, const char *line, size_t length);

/* event_reader_file reads all lines of a file; each that cannot be used is counted, and the first
 * ones are named in the log. `name` is for messages. Of a file that was not named by anybody (of a
 * folder) and of which no line can be used nothing is said or counted: it is something else. */
void event_reader_file(struct event_reader *reader, struct input *input, const char *name,
                       bool named);

/* event_reader_damage counts and reports a line that cannot be used. */
void event_reader_damage(struct event_reader *reader, const char *name, uint64_t line,
                         const char *why);

/* Days from 1970, either way, in which a time in nanoseconds lies: the years 1677 to 2262. */
enum { EVENT_DAYS = 106751 };

/* event_time reads an RFC 3339 time in UTC into nanoseconds since 1970; false if it is none, or not within EVENT_DAYS. */
bool event_time(const char *text, int64_t *ns);

/* event_session counts a session event; event_stats a stats event. NULL if it could be used, else
 * why not. (src/report/session.c) */
const char *event_session(struct event_reader *reader, const json_t *event);
const char *event_stats(struct event_reader *reader, const json_t *event);

/* event_text returns a string member, or NULL. */
const char *event_text(const json_t *object, const char *key);

/* aggregate_line takes one line of an aggregate file (src/report/aggregate_read.c). */
const char *aggregate_line(struct event_reader *reader, const json_t *line);
/* aggregate_lines_end closes a file: NULL, or why the aggregate in it is not whole. */
const char *aggregate_lines_end(struct event_reader *reader);

#endif
