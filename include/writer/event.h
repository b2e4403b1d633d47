/* SPDX-License-Identifier: BSD-2-Clause */
/* Building one JSON event; private to the formats. Home of jansson in the direction out. */
#ifndef WRITER_EVENT_H
#define WRITER_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/reader.h"
#include "session/record.h"
#include "writer/writer.h"

enum { EVENT_SCHEMA = 1 }; /* grows only when a key changes its meaning or goes */

/* What is known while an event is built: how much of it may be long, and what went wrong. */
struct event_build {
    size_t text_most; /* bytes of one string, after escaping */
    size_t list_most; /* strings of one list */
    bool cut;         /* something was longer: the event says so */
    bool failed;      /* no memory: the event must not be written */
};

/* event_put puts a value (stolen, also on failure) into an object. NULL for value or object is a
 * failure. */
void event_put(struct event_build *build, json_t *object, const char *key, json_t *value);

/* event_put_object puts an object (stolen); an empty one is left out. */
void event_put_object(struct event_build *build, json_t *object, const char *key, json_t *child);

/* event_put_list puts an array of strings (stolen); an empty one is left out. */
void event_put_list(struct event_build *build, json_t *object, const char *key, json_t *list);

/* A word of ours, ASCII; NULL is left out. */
void event_put_word(struct event_build *build, json_t *object, const char *key, const char *word);

/* Bytes from the wire or the operator, escaped; event_put_text leaves out what is empty,
 * event_put_string writes it. */
void event_put_text(struct event_build *build, json_t *object, const char *key, struct slice text);
void event_put_string(struct event_build *build, json_t *object, const char *key, const char *text);

/* event_put_split puts a comma-separated list from the wire as an array of strings, left out if it
 * is empty. */
void event_put_split(struct event_build *build, json_t *object, const char *key, struct slice list);

void event_put_number(struct event_build *build, json_t *object, const char *key, uint64_t number);
void event_put_milliseconds(struct event_build *build, json_t *object, const char *key, int64_t ns);
void event_put_boolean(struct event_build *build, json_t *object, const char *key, bool value);
void event_put_true(struct event_build *build, json_t *object, const char *key,
                    bool value); /* false is left out */
void event_put_id(struct event_build *build, json_t *object, const char *key,
                  uint32_t id); /* "0x0303", "0x010080" */

/* event_add_word adds to a list that is short by itself: findings. */
void event_add_word(struct event_build *build, json_t *list, const char *word);

/* Each adds one string to a list from the wire, or marks the event as cut when the list is full. A
 * name is a word of ours. */
void event_add_name(struct event_build *build, json_t *list, const char *name);
void event_add_text(struct event_build *build, json_t *list, struct slice text);

/* event_put_sensor puts `sensor`, left out if nothing is known. */
void event_put_sensor(struct event_build *build, json_t *event, const char *name,
                      const char *interface, const char *file);

/* event_put_tls puts the object of that name; left out if TLS was not seen. */
void event_put_tls(struct event_build *build, json_t *event, const struct record *record);

/* event_put_offers puts the client's lists, those that the record has. */
void event_put_offers(struct event_build *build, json_t *client, const struct record *record);

/* Words of the events that no other stage needs; NULL where there is none. */
const char *event_incomplete_word(enum incomplete bit);
const char *event_hello_word(uint8_t hello);
const char *event_cipher_name(const struct tls_facts *facts);
bool event_cipher_is_ssl2(const struct tls_facts *facts); /* its id has 3 bytes */

/* Puts all keys of an event; the subject is what event_write was given. */
typedef void event_fill(struct event_build *build, json_t *event, const void *subject);

/*
 * event_write lets `fill` build an event and writes it as one line: again with less of everything
 * until it is within LIMIT_EVENT. On want of memory line->failed is set.
 */
void event_write(struct line *line, const char *type, event_fill *fill, const void *subject);

/* The formats. */
void event_write_session(struct line *line, const struct record *record);
void event_write_stats(struct line *line, const struct counters *counters,
                 const struct stats_facts *facts);
void text_write_session(struct line *line, const struct record *record);

#endif
