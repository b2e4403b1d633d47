/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing one JSON event straight into a line; private to the formats. */
#ifndef WRITER_EVENT_H
#define WRITER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "session/record.h"
#include "writer/writer.h"

enum { EVENT_SCHEMA = 1 }; /* grows only when a key changes its meaning or goes */

/* An event on its way into a line: where it goes on, and how much of it may be long. */
struct event_build {
    char *begin, *at, *end; /* room in the line */
    size_t text_most;       /* bytes of one string, after escaping */
    size_t list_most;       /* strings of one list */
    size_t listed;          /* ... in the one that is open */
    bool cut;               /* something was longer: the event says so */
    bool full;              /* no room: what follows is not written, and the event must not be */
};

/*
 * Objects and lists. _open returns where it begins, for _close. Key NULL: a value in a list, or the
 * event itself. event_close_used leaves out what holds nothing.
 */
size_t event_open(struct event_build *build, const char *key);
void event_close(struct event_build *build, size_t opened);
void event_close_used(struct event_build *build, size_t opened);
size_t event_open_list(struct event_build *build, const char *key);
void event_close_list(struct event_build *build, size_t opened);
void event_close_list_used(struct event_build *build, size_t opened);

/* A word of ours, ASCII without quotes and backslashes; NULL is left out. */
void event_put_word(struct event_build *build, const char *key, const char *word);

/* Bytes from the wire or the operator, escaped; event_put_text leaves out what is empty,
 * event_put_string writes it (and leaves out NULL). */
void event_put_text(struct event_build *build, const char *key, struct slice text);
void event_put_string(struct event_build *build, const char *key, const char *text);

/* event_put_split puts a comma-separated list from the wire as an array of strings, left out if it
 * is empty. */
void event_put_split(struct event_build *build, const char *key, struct slice list);

void event_put_number(struct event_build *build, const char *key, uint64_t number);
void event_put_count(struct event_build *build, const char *key,
                     uint64_t number); /* 0 is left out */
void event_put_milliseconds(struct event_build *build, const char *key, int64_t ns);
void event_put_boolean(struct event_build *build, const char *key, bool value);
void event_put_true(struct event_build *build, const char *key, bool value); /* false is left out */
void event_put_hex(struct event_build *build, const char *key, const uint8_t *bytes, size_t count);
void event_put_id(struct event_build *build, const char *key, uint32_t id,
                  unsigned digits); /* "0x0303" */
void event_put_time(struct event_build *build, const char *key, int64_t ns);

/* event_add_word adds to a list that is short by itself: findings. */
void event_add_word(struct event_build *build, const char *word);

/* Each adds one string to a list from the wire, or marks the event as cut when the list is full. A
 * name is a word of ours. */
void event_add_name(struct event_build *build, const char *name);
void event_add_text(struct event_build *build, struct slice text);

/* event_put_sensor puts `sensor`, left out if nothing is known. */
void event_put_sensor(struct event_build *build, const char *name, const char *interface,
                      const char *file);

/*
 * The table that drives an object: its keys in the order in which they are written. `put` writes
 * the value, or leaves the key out; `at` is for it: an offset or a mask.
 */
struct event_field;
typedef void event_put(struct event_build *build, const struct event_field *field,
                       const struct record *record);
struct event_field {
    const char *key;
    event_put *put;
    size_t at;
};
void event_put_fields(struct event_build *build, const struct event_field *fields, size_t count,
                      const struct record *record);
#define EVENT_FIELDS(table) (table), sizeof(table) / sizeof((table)[0])

/* The field `tls`; left out if TLS was not seen. */
event_put event_put_tls;

/* The fields of the client's lists, which --offers adds. */
event_put event_put_versions, event_put_ciphers, event_put_groups, event_put_signatures;

/* Words of the events that no other stage needs; NULL where there is none. */
const char *event_incomplete_word(enum incomplete bit);
const char *event_hello_word(uint8_t hello);
const char *event_cipher_name(const struct tls_facts *facts);
bool event_cipher_is_ssl2(const struct tls_facts *facts); /* its id has 3 bytes */

/* event_id writes "0x" and so many hex digits and a NUL; returns out. */
enum { EVENT_ID = 24 };
const char *event_id(const char *prefix, uint32_t id, unsigned digits, char out[EVENT_ID]);

/* Puts all keys of an event; the subject is what event_write was given. */
typedef void event_fill(struct event_build *build, const void *subject);

/*
 * event_write lets `fill` write an event as one line: again with less of everything until it is
 * within LIMIT_EVENT. On want of memory line->failed is set. `type` NULL: in a foreign format, where
 * `fill` alone puts the keys, also what tells that the event was cut.
 */
void event_write(struct line *line, const char *type, event_fill *fill, const void *subject);

/* The formats. */
void event_write_session(struct line *line, const struct record *record);
void event_write_stats(struct line *line, const struct counters *counters,
                       const struct stats_facts *facts);
void text_write_session(struct line *line, const struct record *record);
void ecs_write_session(struct line *line, const struct record *record);
void ecs_write_stats(struct line *line, const struct counters *counters,
                     const struct stats_facts *facts);
void eve_write_session(struct line *line, const struct record *record);
void eve_write_stats(struct line *line, const struct counters *counters,
                     const struct stats_facts *facts);
void ocsf_write_session(struct line *line, const struct record *record);

#endif
