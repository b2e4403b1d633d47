/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's full lists, which --offers adds to its part of the `tls` object. */
#include <stdio.h>

#include <jansson.h>

#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/event.h"

typedef const char *id_name(uint16_t id);

static void add_id(struct event_build *build, json_t *list, uint16_t id, const char *name)
{
    char text[24];
    snprintf(text, sizeof text, tls_is_grease(id) ? "GREASE_0x%04x" : "0x%04x", (unsigned)id);
    event_add_name(build, list, name && !tls_is_grease(id) ? name : text);
}

static void put_ids(struct event_build *build, json_t *client, const char *key, struct slice ids,
                    id_name *name_of)
{
    struct reader list = reader_of_slice(ids);
    json_t *names = json_array();
    uint16_t id;
    while (tls_list_next(&list, &id))
        add_id(build, names, id, name_of(id));
    event_put_list(build, client, key, names);
}

static void put_versions(struct event_build *build, json_t *client, struct slice ids)
{
    struct reader list = reader_of_slice(ids);
    json_t *names = json_array();
    char name[TLS_VERSION_NAME];
    uint16_t id;
    while (tls_list_next(&list, &id))
        add_id(build, names, id, tls_version_name(id, name));
    event_put_list(build, client, "versions", names);
}

/* An SSLv2-format hello has ids of 3 bytes: 0x00 and a suite of SSLv3 and later, or one of SSLv2
 * (RFC 5246 E.2). */
static void put_ssl2_ciphers(struct event_build *build, json_t *client, struct slice ids)
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
        event_add_name(build, names, name ? name : text);
    }
    event_put_list(build, client, "ciphers", names);
}

void event_put_offers(struct event_build *build, json_t *client, const struct record *record)
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
