/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the session and its SMTP dialog for the tables of the foreign formats, and the walk
 * through such a table. */
#include <string.h>

#include "base/text.h"
#include "proto/tls_names.h"
#include "writer/fact.h"

/* ---- the walk: which objects are open, outermost first */

enum { DEEPEST = 6, KEY = 32 };

struct walk {
    const char *at; /* the path whose objects are open */
    unsigned depth;
    size_t opened[DEEPEST];
    size_t ends[DEEPEST]; /* length of the path down to each of them */
};

static void close_down_to(struct event_build *build, struct walk *walk, unsigned depth)
{
    while (walk->depth > depth)
        event_close_used(build, walk->opened[--walk->depth]);
}

/* Opens what of the path is not open; returns the last key. */
static const char *walk_to(struct event_build *build, struct walk *walk, const char *path)
{
    unsigned same = 0;
    while (same < walk->depth && strncmp(path, walk->at, walk->ends[same]) == 0 &&
           path[walk->ends[same]] == '.')
        same++;
    close_down_to(build, walk, same);
    const char *key = same ? path + walk->ends[same - 1] + 1 : path;
    const char *dot;
    while ((dot = strchr(key, '.')) != NULL && walk->depth < DEEPEST) {
        char name[KEY];
        size_t length = (size_t)(dot - key);
        length = length < sizeof name ? length : sizeof name - 1;
        memcpy(name, key, length);
        name[length] = '\0';
        walk->ends[walk->depth] = (size_t)(dot - path);
        walk->opened[walk->depth++] = event_open(build, name);
        key = dot + 1;
    }
    walk->at = path;
    return key;
}

void fact_put_paths(struct event_build *build, const struct fact_path *paths, size_t count,
                    const struct record *record)
{
    struct walk walk = {.depth = 0};
    for (size_t i = 0; i < count; i++) {
        const char *key = walk_to(build, &walk, paths[i].path);
        struct event_field field = {.key = key, .at = paths[i].at};
        if (paths[i].put)
            paths[i].put(build, &field, record);
        else
            event_put_word(build, key, paths[i].word);
    }
    close_down_to(build, &walk, 0);
}

/* ---- the record's parts */

const struct smtp_facts *fact_smtp(const struct record *record)
{
    static const struct smtp_facts none;
    return record->have_smtp && record->smtp ? record->smtp : &none;
}

const struct tls_facts *fact_tls(const struct record *record)
{
    static const struct tls_facts none;
    return record->tls ? record->tls : &none;
}

/* ---- the session */

/* Every value function has the same arguments; those that it does not need are marked. */
#define FACT(name)                                                                                 \
    void name(struct event_build *build, const struct event_field *field,                          \
              const struct record *record)

static void put_uid(struct event_build *build, const char *key, uint64_t uid)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(uid >> (56 - 8 * i));
    event_put_hex(build, key, bytes, sizeof bytes);
}

static const char *if_any(const char *text)
{
    return *text ? text : NULL;
}

static void put_address(struct event_build *build, const char *key, unsigned family,
                        const struct address *ip)
{
    char text[TEXT_ADDRESS];
    event_put_word(build, key, text_address(family, ip->bytes, text));
}

FACT(fact_uid)
{
    put_uid(build, field->key, record->uid);
}

FACT(fact_time)
{
    event_put_time(build, field->key, record->time_ns);
}

FACT(fact_community_id)
{
    event_put_word(build, field->key, if_any(record->community_id));
}

FACT(fact_direction)
{
    event_put_word(build, field->key, word_direction(record->direction));
}

FACT(fact_duration_ms)
{
    event_put_number(build, field->key, text_tenths(record->duration_ns) / 10);
}

FACT(fact_sensor)
{
    event_put_string(build, field->key, record->sensor);
}

FACT(fact_interface)
{
    event_put_string(build, field->key, record->interface);
}

FACT(fact_file)
{
    event_put_string(build, field->key, record->file);
}

FACT(fact_client_ip)
{
    put_address(build, field->key, record->client_family, &record->client_ip);
}

FACT(fact_client_port)
{
    event_put_number(build, field->key, record->client_port);
}

FACT(fact_client_bytes)
{
    event_put_number(build, field->key, record->client_bytes);
}

FACT(fact_server_ip)
{
    put_address(build, field->key, record->family, &record->server_ip);
}

FACT(fact_server_port)
{
    event_put_number(build, field->key, record->server_port);
}

FACT(fact_server_bytes)
{
    event_put_number(build, field->key, record->server_bytes);
}

FACT(fact_proxy_ip)
{
    if (record->have_proxy)
        put_address(build, field->key, record->family, &record->proxy_ip);
}

FACT(fact_proxy_port)
{
    if (record->have_proxy)
        event_put_number(build, field->key, record->proxy_port);
}

FACT(fact_bytes)
{
    event_put_number(build, field->key, record->client_bytes + record->server_bytes);
}

FACT(fact_outcome)
{
    event_put_word(build, field->key, word_outcome(record->outcome));
}

FACT(fact_end_how)
{
    event_put_word(build, field->key, word_end(record->end));
}

FACT(fact_end_from)
{
    event_put_word(build, field->key, word_side(record->end_from));
}

FACT(fact_incomplete)
{
    size_t opened = event_open_list(build, field->key);
    for (unsigned bit = 1; bit <= INCOMPLETE_ONE_SIDED; bit <<= 1)
        if (record->incomplete & bit)
            event_add_word(build, event_incomplete_word((enum incomplete)bit));
    event_close_list_used(build, opened);
}

FACT(fact_protocol)
{
    event_put_string(build, field->key, record->protocol);
}

FACT(fact_findings)
{
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < FINDING_COUNT && record->findings >> i; i++)
        if (record->findings >> i & 1)
            event_add_word(build, word_finding((enum finding)i));
    event_close_list_used(build, opened);
}

FACT(fact_finding_classes)
{
    unsigned classes = 0;
    for (unsigned i = 0; i < FINDING_COUNT && record->findings >> i; i++)
        if (record->findings >> i & 1)
            classes |= 1U << word_finding_class((enum finding)i);
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; classes >> i; i++)
        if (classes >> i & 1)
            event_add_word(build, word_finding_class_name((enum finding_class)i));
    event_close_list_used(build, opened);
}

FACT(fact_fallback_uid)
{
    if (record->have_fallback)
        put_uid(build, field->key, record->fallback_uid);
}

FACT(fact_fallback_community_id)
{
    if (record->have_fallback)
        event_put_word(build, field->key, if_any(record->fallback_community_id));
}

FACT(fact_fallback_time)
{
    if (record->have_fallback)
        event_put_time(build, field->key, record->fallback_time_ns);
}

FACT(fact_number)
{
    (void)record;
    event_put_number(build, field->key, field->at);
}

FACT(fact_cut)
{
    event_put_true(build, field->key, build->cut || record->cut);
}

/* ---- smtp */

static const void *smtp_at(const struct event_field *field, const struct record *record)
{
    return (const char *)fact_smtp(record) + field->at;
}

FACT(fact_smtp_text)
{
    const struct text_ref *ref = smtp_at(field, record);
    event_put_text(build, field->key, record_text(record, *ref));
}

FACT(fact_smtp_split)
{
    const struct text_ref *ref = smtp_at(field, record);
    event_put_split(build, field->key, record_text(record, *ref));
}

FACT(fact_smtp_count)
{
    const uint16_t *count = smtp_at(field, record);
    event_put_count(build, field->key, *count);
}

FACT(fact_hello)
{
    event_put_word(build, field->key, event_hello_word(fact_smtp(record)->hello));
}

FACT(fact_starttls)
{
    if (record->have_smtp && record->smtp)
        event_put_word(build, field->key, word_starttls((enum starttls)record->smtp->starttls));
}

FACT(fact_mail_in_clear)
{
    event_put_count(build, field->key, fact_smtp(record)->mail_in_clear);
}
