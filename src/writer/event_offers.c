/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's full lists, which --offers adds to its part of the `tls` object. */
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/event.h"

typedef const char *id_name(uint16_t id);

static struct slice offer(const struct record *record, unsigned which)
{
    return record_text(record, record->tls->offers[which]);
}

static void add_id(struct event_build *build, uint16_t id, const char *name)
{
    char text[EVENT_ID];
    if (tls_is_grease(id))
        name = event_id("GREASE_0x", id, 4, text);
    event_add_name(build, name ? name : event_id("0x", id, 4, text));
}

static void put_ids(struct event_build *build, const char *key, struct slice ids, id_name *name_of)
{
    struct reader list = reader_of_slice(ids);
    uint16_t id;
    if (!ids.length)
        return;
    size_t opened = event_open_list(build, key);
    while (tls_list_next(&list, &id))
        add_id(build, id, name_of(id));
    event_close_list_used(build, opened);
}

void event_put_versions(struct event_build *build, const struct event_field *field,
                        const struct record *record)
{
    struct slice ids = offer(record, TLS_OFFER_VERSIONS);
    struct reader list = reader_of_slice(ids);
    char name[TLS_VERSION_NAME];
    uint16_t id;
    if (!ids.length)
        return;
    size_t opened = event_open_list(build, field->key);
    while (tls_list_next(&list, &id))
        add_id(build, id, tls_version_name(id, name));
    event_close_list_used(build, opened);
}

/* An SSLv2-format hello has ids of 3 bytes: 0x00 and a suite of SSLv3 and later, or one of SSLv2
 * (RFC 5246 E.2). */
static void put_ssl2_ciphers(struct event_build *build, const char *key, struct slice ids)
{
    struct reader list = reader_of_slice(ids);
    size_t opened = event_open_list(build, key);
    for (;;) {
        uint32_t id = reader_u24(&list);
        if (list.bad)
            break;
        const char *name = id > UINT16_MAX ? ssl2_cipher_name(id) : tls_cipher_name((uint16_t)id);
        char text[EVENT_ID];
        event_add_name(build, name ? name : event_id("0x", id, 6, text));
    }
    event_close_list_used(build, opened);
}

void event_put_ciphers(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    struct slice ids = offer(record, TLS_OFFER_CIPHERS);
    if (record->tls->client.flags & TLS_SSL2_FORMAT)
        put_ssl2_ciphers(build, field->key, ids);
    else
        put_ids(build, field->key, ids, tls_cipher_name);
}

void event_put_groups(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    put_ids(build, field->key, offer(record, TLS_OFFER_GROUPS), tls_group_name);
}

void event_put_signatures(struct event_build *build, const struct event_field *field,
                          const struct record *record)
{
    put_ids(build, field->key, offer(record, TLS_OFFER_SIGNATURES), tls_signature_name);
}
