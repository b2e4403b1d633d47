/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as jansson builds and dumps them: what the writer, which does without it, has to equal
 * byte for byte. First the bricks and the lists. */
#ifndef TEST_UNIT_EVENT_REFERENCE_BRICKS_H
#define TEST_UNIT_EVENT_REFERENCE_BRICKS_H

#include <stdio.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/writer.h"

/* Has room for LIMIT_EVENT bytes. */
struct reference_line {
    char data[LIMIT_EVENT];
    size_t length;
    bool failed;
};

/* What is known while an event is built: how much of it may be long, and what went wrong. */
struct reference_build {
    size_t text_most; /* bytes of one string, after escaping */
    size_t list_most; /* strings of one list */
    bool cut;         /* something was longer: the event says so */
    bool failed;      /* no memory: the event must not be written */
};

static void reference_add_text(struct reference_build *build, json_t *list, struct slice text);

static void reference_put(struct reference_build *build, json_t *object, const char *key,
                          json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        build->failed = true;
}

static void reference_put_object(struct reference_build *build, json_t *object, const char *key,
                                 json_t *child)
{
    if (child && json_object_size(child) == 0)
        json_decref(child);
    else
        reference_put(build, object, key, child);
}

static void reference_put_list(struct reference_build *build, json_t *object, const char *key,
                               json_t *list)
{
    if (list && json_array_size(list) == 0)
        json_decref(list);
    else
        reference_put(build, object, key, list);
}

static void reference_put_word(struct reference_build *build, json_t *object, const char *key,
                               const char *word)
{
    if (word)
        reference_put(build, object, key, json_string_nocheck(word));
}

static json_t *escaped_string(struct reference_build *build, struct slice text)
{
    char escaped[LIMIT_EVENT_TEXT];
    struct reader from = reader_of_slice(text);
    size_t most = build->text_most < sizeof escaped ? build->text_most : sizeof escaped;
    size_t length = text_escape(&from, NULL, escaped, most);
    if (from.left)
        build->cut = true;
    return json_stringn_nocheck(escaped, length);
}

static void reference_put_text(struct reference_build *build, json_t *object, const char *key,
                               struct slice text)
{
    if (text.length)
        reference_put(build, object, key, escaped_string(build, text));
}

static void reference_put_string(struct reference_build *build, json_t *object, const char *key,
                                 const char *text)
{
    if (text)
        reference_put(build, object, key, escaped_string(build, text_slice(text)));
}

static void reference_put_split(struct reference_build *build, json_t *object, const char *key,
                                struct slice list)
{
    struct reader rest = reader_of_slice(list);
    json_t *items = json_array();
    while (rest.left) {
        struct reader ahead = rest;
        size_t length = 0;
        while (ahead.left && reader_u8(&ahead) != ',')
            length++;
        reference_add_text(build, items, reader_bytes(&rest, length));
        reader_skip(&rest, rest.left ? 1 : 0);
    }
    reference_put_list(build, object, key, items);
}

static void reference_put_number(struct reference_build *build, json_t *object, const char *key,
                                 uint64_t number)
{
    reference_put(build, object, key,
                  json_integer((json_int_t)(number > INT64_MAX ? INT64_MAX : number)));
}

static void reference_put_milliseconds(struct reference_build *build, json_t *object,
                                       const char *key, int64_t ns)
{
    reference_put(build, object, key, json_real(text_milliseconds(ns)));
}

static void reference_put_boolean(struct reference_build *build, json_t *object, const char *key,
                                  bool value)
{
    reference_put(build, object, key, json_boolean(value));
}

static void reference_put_true(struct reference_build *build, json_t *object, const char *key,
                               bool value)
{
    if (value)
        reference_put(build, object, key, json_true());
}

static void reference_put_id(struct reference_build *build, json_t *object, const char *key,
                             uint32_t id)
{
    char text[16];
    snprintf(text, sizeof text, id > UINT16_MAX ? "0x%06x" : "0x%04x", (unsigned)id);
    reference_put_word(build, object, key, text);
}

static void list_add(struct reference_build *build, json_t *list, json_t *string)
{
    if (json_array_append_new(list, string) < 0)
        build->failed = true;
}

static bool list_full(struct reference_build *build, const json_t *list)
{
    bool full = json_array_size(list) >= build->list_most;
    if (full)
        build->cut = true;
    return full;
}

static void reference_add_word(struct reference_build *build, json_t *list, const char *word)
{
    list_add(build, list, json_string_nocheck(word));
}

static void reference_add_name(struct reference_build *build, json_t *list, const char *name)
{
    if (!list_full(build, list))
        list_add(build, list, json_string_nocheck(name));
}

static void reference_add_text(struct reference_build *build, json_t *list, struct slice text)
{
    if (!list_full(build, list))
        list_add(build, list, escaped_string(build, text));
}

static void reference_put_sensor(struct reference_build *build, json_t *event, const char *name,
                                 const char *interface, const char *file)
{
    json_t *sensor = json_object();
    reference_put_string(build, sensor, "name", name);
    reference_put_string(build, sensor, "interface", interface);
    reference_put_string(build, sensor, "file", file);
    reference_put_object(build, event, "sensor", sensor);
}

typedef void reference_fill(struct reference_build *build, json_t *event, const void *subject);

/* Adds the event if it is short enough; the size that it needs otherwise, 0 on failure. */
static size_t line_add_event(struct reference_line *line, const json_t *event)
{
    /* 15 digits are exact for any duration with one decimal, and do not show binary fractions. */
    size_t size =
        json_dumpb(event, line->data, LIMIT_EVENT - 1, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (size > 0 && size < LIMIT_EVENT) {
        line->length = size;
        line->data[line->length++] = '\n';
    }
    return size;
}

static json_t *reference_of(struct reference_build *build, const char *type, reference_fill *fill,
                            const void *subject)
{
    json_t *event = json_object();
    reference_put_word(build, event, "event_type", type);
    reference_put(build, event, "schema", json_integer(1));
    fill(build, event, subject);
    reference_put_true(build, event, "cut", build->cut);
    return event;
}

static void reference_write(struct reference_line *line, const char *type, reference_fill *fill,
                            const void *subject)
{
    /* The last pair keeps any event below LIMIT_EVENT: some 60 strings of 2 * 64 bytes beside the
     * keys. */
    static const struct {
        size_t text, list;
    } most[] = {{LIMIT_EVENT_TEXT, 512}, {LIMIT_EVENT_TEXT, 128}, {1024, 64}, {256, 16}, {64, 4}};
    for (size_t i = 0; i < sizeof most / sizeof most[0] && !line->failed; i++) {
        struct reference_build build = {.text_most = most[i].text, .list_most = most[i].list};
        json_t *event = reference_of(&build, type, fill, subject);
        size_t size = build.failed ? 0 : line_add_event(line, event);
        json_decref(event);
        if (size > 0 && size < LIMIT_EVENT)
            return;
        if (size == 0)
            line->failed = true;
    }
    line->failed = true;
}

static const char *reference_incomplete_word(enum incomplete bit)
{
    switch (bit) {
    case INCOMPLETE_GAPS: return "gaps";
    case INCOMPLETE_TRUNCATED: return "truncated";
    case INCOMPLETE_MIDSTREAM: return "midstream";
    case INCOMPLETE_ONE_SIDED: return "one_sided";
    }
    return NULL;
}

static const char *reference_hello_word(uint8_t hello)
{
    static const char *const words[] = {[SMTP_HELLO_NONE] = NULL,
                                        [SMTP_HELLO_HELO] = "HELO",
                                        [SMTP_HELLO_EHLO] = "EHLO",
                                        [SMTP_HELLO_LHLO] = "LHLO"};
    return hello <= SMTP_HELLO_LHLO ? words[hello] : NULL;
}

static bool reference_cipher_is_ssl2(const struct tls_facts *facts)
{
    return facts->version == 0x0002 || facts->cipher > UINT16_MAX;
}

static const char *reference_cipher_name(const struct tls_facts *facts)
{
    return reference_cipher_is_ssl2(facts) ? ssl2_cipher_name(facts->cipher)
                                           : tls_cipher_name((uint16_t)facts->cipher);
}

typedef const char *id_name(uint16_t id);

static void add_id(struct reference_build *build, json_t *list, uint16_t id, const char *name)
{
    char text[24];
    snprintf(text, sizeof text, tls_is_grease(id) ? "GREASE_0x%04x" : "0x%04x", (unsigned)id);
    reference_add_name(build, list, name && !tls_is_grease(id) ? name : text);
}

static void put_ids(struct reference_build *build, json_t *client, const char *key,
                    struct slice ids, id_name *name_of)
{
    struct reader list = reader_of_slice(ids);
    json_t *names = json_array();
    uint16_t id;
    while (tls_list_next(&list, &id))
        add_id(build, names, id, name_of(id));
    reference_put_list(build, client, key, names);
}

static void put_versions(struct reference_build *build, json_t *client, struct slice ids)
{
    struct reader list = reader_of_slice(ids);
    json_t *names = json_array();
    char name[TLS_VERSION_NAME];
    uint16_t id;
    while (tls_list_next(&list, &id))
        add_id(build, names, id, tls_version_name(id, name));
    reference_put_list(build, client, "versions", names);
}

/* An SSLv2-format hello has ids of 3 bytes: 0x00 and a suite of SSLv3 and later, or one of SSLv2
 * (RFC 5246 E.2). */
static void put_ssl2_ciphers(struct reference_build *build, json_t *client, struct slice ids)
{
    struct reader list = reader_of_slice(ids);
    json_t *names = json_array();
    for (;;) {
        uint32_t id = reader_u24(&list);
        if (list.bad)
            break;
        const char *name = id > UINT16_MAX ? ssl2_cipher_name(id) : tls_cipher_name((uint16_t)id);
        char text[16];
        snprintf(text, sizeof text, "0x%06x", (unsigned)id);
        reference_add_name(build, names, name ? name : text);
    }
    reference_put_list(build, client, "ciphers", names);
}

static void reference_put_offers(struct reference_build *build, json_t *client,
                                 const struct record *record)
{
    const struct text_ref *offers = record->tls->offers;
    struct slice ciphers = record_text(record, offers[TLS_OFFER_CIPHERS]);
    put_versions(build, client, record_text(record, offers[TLS_OFFER_VERSIONS]));
    if (record->tls->client.flags & TLS_SSL2_FORMAT)
        put_ssl2_ciphers(build, client, ciphers);
    else
        put_ids(build, client, "ciphers", ciphers, tls_cipher_name);
    put_ids(build, client, "groups", record_text(record, offers[TLS_OFFER_GROUPS]), tls_group_name);
    put_ids(build, client, "signature_algorithms",
            record_text(record, offers[TLS_OFFER_SIGNATURES]), tls_signature_name);
}

#endif
