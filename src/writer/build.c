/* SPDX-License-Identifier: BSD-2-Clause */
/* The bricks of JSON events, and the line made of them: bounded, and all of it or nothing. */
#include <stdio.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/text.h"
#include "writer/event.h"
#include "writer/line.h"

void event_put(struct event_build *build, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        build->failed = true;
}

void event_put_object(struct event_build *build, json_t *object, const char *key, json_t *child)
{
    if (child && json_object_size(child) == 0)
        json_decref(child);
    else
        event_put(build, object, key, child);
}

void event_put_list(struct event_build *build, json_t *object, const char *key, json_t *list)
{
    if (list && json_array_size(list) == 0)
        json_decref(list);
    else
        event_put(build, object, key, list);
}

void event_put_word(struct event_build *build, json_t *object, const char *key, const char *word)
{
    if (word)
        event_put(build, object, key, json_string_nocheck(word));
}

static json_t *escaped_string(struct event_build *build, struct slice text)
{
    char escaped[LIMIT_EVENT_TEXT];
    struct reader from = reader_of_slice(text);
    size_t most = build->text_most < sizeof escaped ? build->text_most : sizeof escaped;
    size_t length = text_escape(&from, NULL, escaped, most);
    if (from.left)
        build->cut = true;
    return json_stringn_nocheck(escaped, length);
}

void event_put_text(struct event_build *build, json_t *object, const char *key, struct slice text)
{
    if (text.length)
        event_put(build, object, key, escaped_string(build, text));
}

void event_put_string(struct event_build *build, json_t *object, const char *key, const char *text)
{
    if (text)
        event_put(build, object, key, escaped_string(build, text_slice(text)));
}

void event_put_split(struct event_build *build, json_t *object, const char *key, struct slice list)
{
    struct reader rest = reader_of_slice(list);
    json_t *items = json_array();
    while (rest.left) {
        struct reader ahead = rest;
        size_t length = 0;
        while (ahead.left && reader_u8(&ahead) != ',')
            length++;
        event_add_text(build, items, reader_bytes(&rest, length));
        reader_skip(&rest, rest.left ? 1 : 0);
    }
    event_put_list(build, object, key, items);
}

void event_put_number(struct event_build *build, json_t *object, const char *key, uint64_t number)
{
    event_put(build, object, key,
              json_integer((json_int_t)(number > INT64_MAX ? INT64_MAX : number)));
}

void event_put_milliseconds(struct event_build *build, json_t *object, const char *key, int64_t ns)
{
    event_put(build, object, key, json_real(text_milliseconds(ns)));
}

void event_put_boolean(struct event_build *build, json_t *object, const char *key, bool value)
{
    event_put(build, object, key, json_boolean(value));
}

void event_put_true(struct event_build *build, json_t *object, const char *key, bool value)
{
    if (value)
        event_put(build, object, key, json_true());
}

void event_put_id(struct event_build *build, json_t *object, const char *key, uint32_t id)
{
    char text[16];
    snprintf(text, sizeof text, id > UINT16_MAX ? "0x%06x" : "0x%04x", (unsigned)id);
    event_put_word(build, object, key, text);
}

static void list_add(struct event_build *build, json_t *list, json_t *string)
{
    if (json_array_append_new(list, string) < 0)
        build->failed = true;
}

static bool list_full(struct event_build *build, const json_t *list)
{
    bool full = json_array_size(list) >= build->list_most;
    if (full)
        build->cut = true;
    return full;
}

void event_add_word(struct event_build *build, json_t *list, const char *word)
{
    list_add(build, list, json_string_nocheck(word));
}

void event_add_name(struct event_build *build, json_t *list, const char *name)
{
    if (!list_full(build, list))
        list_add(build, list, json_string_nocheck(name));
}

void event_add_text(struct event_build *build, json_t *list, struct slice text)
{
    if (!list_full(build, list))
        list_add(build, list, escaped_string(build, text));
}

void event_put_sensor(struct event_build *build, json_t *event, const char *name,
                      const char *interface, const char *file)
{
    json_t *sensor = json_object();
    event_put_string(build, sensor, "name", name);
    event_put_string(build, sensor, "interface", interface);
    event_put_string(build, sensor, "file", file);
    event_put_object(build, event, "sensor", sensor);
}

/* Adds the event if it is short enough; the size that it needs otherwise, 0 on failure. */
static size_t line_add_event(struct line *line, const json_t *event)
{
    if (!line_reserve(line, LIMIT_EVENT))
        return 0;
    /* 15 digits are exact for any duration with one decimal, and do not show binary fractions. */
    size_t size = json_dumpb(event, line->data + line->length, LIMIT_EVENT - 1,
                             JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (size > 0 && size < LIMIT_EVENT) {
        line->length += size;
        line->data[line->length++] = '\n';
    }
    return size;
}

static json_t *event_of(struct event_build *build, const char *type, event_fill *fill,
                        const void *subject)
{
    json_t *event = json_object();
    event_put_word(build, event, "event_type", type);
    event_put(build, event, "schema", json_integer(EVENT_SCHEMA));
    fill(build, event, subject);
    event_put_true(build, event, "cut", build->cut);
    return event;
}

void event_write(struct line *line, const char *type, event_fill *fill, const void *subject)
{
    /* The last pair keeps any event below LIMIT_EVENT: some 60 strings of 2 * 64 bytes beside the
     * keys. */
    static const struct {
        size_t text, list;
    } most[] = {{LIMIT_EVENT_TEXT, 512}, {LIMIT_EVENT_TEXT, 128}, {1024, 64}, {256, 16}, {64, 4}};
    for (size_t i = 0; i < sizeof most / sizeof most[0] && !line->failed; i++) {
        struct event_build build = {.text_most = most[i].text, .list_most = most[i].list};
        json_t *event = event_of(&build, type, fill, subject);
        size_t size = build.failed ? 0 : line_add_event(line, event);
        json_decref(event);
        if (size > 0 && size < LIMIT_EVENT)
            return;
        if (size == 0)
            line->failed = true;
    }
    line->failed = true;
}
