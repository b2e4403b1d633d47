/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the TLS handshake and its certificates for the tables of the foreign formats. */
#include <stdio.h>

#include "base/text.h"
#include "proto/tls_names.h"
#include "writer/fact.h"

#define FACT(name)                                                                                 \
    void name(struct event_build *build, const struct event_field *field,                          \
              const struct record *record)

static void put_version_name(struct event_build *build, const char *key, uint16_t id)
{
    char name[TLS_VERSION_NAME];
    event_put_word(build, key, id ? tls_version_name(id, name) : NULL);
}

/* ---- what was chosen */

FACT(fact_established)
{
    if (record->tls)
        event_put_boolean(build, field->key, record->tls->established);
}

FACT(fact_version)
{
    if (fact_tls(record)->have_server_hello)
        put_version_name(build, field->key, record->tls->version);
}

FACT(fact_cipher)
{
    if (fact_tls(record)->have_cipher)
        event_put_word(build, field->key, event_cipher_name(record->tls));
}

FACT(fact_group)
{
    if (fact_tls(record)->group)
        event_put_word(build, field->key, tls_group_name(record->tls->group));
}

FACT(fact_limited_by)
{
    if (fact_tls(record)->have_server_hello)
        event_put_word(build, field->key, word_side((enum side)record->tls->limited_by));
}

FACT(fact_resumed)
{
    if (fact_tls(record)->have_server_hello)
        event_put_boolean(build, field->key, record->tls->resumption != TLS_NOT_RESUMED);
}

FACT(fact_hello_retry)
{
    event_put_true(build, field->key, fact_tls(record)->hello_retry);
}

FACT(fact_handshake_ms)
{
    const struct tls_facts *tls = fact_tls(record);
    if (tls->established && tls->began_ns && tls->established_ns)
        event_put_number(build, field->key, text_tenths(tls->established_ns - tls->began_ns) / 10);
}

FACT(fact_server_alpn)
{
    event_put_text(build, field->key, record_text(record, fact_tls(record)->server.alpn));
}

/* ---- the hellos */

FACT(fact_client_alpn)
{
    event_put_split(build, field->key, record_text(record, fact_tls(record)->client.alpn));
}

FACT(fact_server_name)
{
    event_put_text(build, field->key, record_text(record, fact_tls(record)->server_name));
}

FACT(fact_max_version)
{
    put_version_name(build, field->key, fact_tls(record)->client_max_version);
}

FACT(fact_supports)
{
    put_version_name(build, field->key, fact_tls(record)->server_supports);
}

FACT(fact_client_flag)
{
    if (fact_tls(record)->have_client_hello)
        event_put_boolean(build, field->key, record->tls->client.flags & field->at);
}

FACT(fact_ja3)
{
    const struct fingerprint *client = tls_side_fingerprint(&fact_tls(record)->client);
    if (client->have_ja3)
        event_put_hex(build, field->key, client->ja3, sizeof client->ja3);
}

FACT(fact_ja3s)
{
    const struct fingerprint *server = tls_side_fingerprint(&fact_tls(record)->server);
    if (server->have_ja3)
        event_put_hex(build, field->key, server->ja3, sizeof server->ja3);
}

FACT(fact_ja4)
{
    const char *ja4 = tls_side_fingerprint(&fact_tls(record)->client)->ja4;
    event_put_word(build, field->key, *ja4 ? ja4 : NULL);
}

/* ---- why it failed */

FACT(fact_alert_from)
{
    const struct tls_facts *tls = fact_tls(record);
    if (tls->have_alert)
        event_put_word(build, field->key, word_side((enum side)tls->alert_from));
}

FACT(fact_alert_code)
{
    const struct tls_facts *tls = fact_tls(record);
    if (tls->have_alert && !tls->alert_encrypted)
        event_put_number(build, field->key, tls->alert_code);
}

FACT(fact_alert_name)
{
    const struct tls_facts *tls = fact_tls(record);
    if (tls->have_alert && !tls->alert_encrypted)
        event_put_word(build, field->key, tls_alert_name(tls->alert_code));
}

FACT(fact_alert_encrypted)
{
    const struct tls_facts *tls = fact_tls(record);
    event_put_true(build, field->key, tls->have_alert && tls->alert_encrypted);
}

FACT(fact_reason)
{
    const struct tls_facts *tls = fact_tls(record);
    const char *from = word_side((enum side)(tls->have_alert ? tls->alert_from : record->end_from));
    const char *alert = tls->alert_encrypted ? "encrypted" : tls_alert_name(tls->alert_code);
    char text[80];
    if (record->outcome != OUTCOME_TLS_FAILED)
        return;
    if (tls->have_alert)
        snprintf(text, sizeof text, "alert by %s: %s", from ? from : "unknown",
                 alert ? alert : "unknown");
    else if (tls->saw_not_tls)
        snprintf(text, sizeof text, "what followed is not TLS");
    else
        snprintf(text, sizeof text, "connection ended: %s%s%s", word_end(record->end),
                 from ? " by " : "", from ? from : "");
    event_put_word(build, field->key, text);
}

/* ---- certificates */

static const struct certificate *any_certificate(size_t side, const struct record *record)
{
    const void *facts = (const char *)fact_tls(record) + side;
    return ((const struct tls_side_facts *)facts)->certificate;
}

const struct certificate *fact_certificate(size_t side, const struct record *record)
{
    const struct certificate *certificate = any_certificate(side, record);
    return certificate && certificate->readable ? certificate : NULL;
}

/* One of the certificate's strings, or nothing. */
#define CERTIFICATE_STRING(name, member)                                                           \
    FACT(name)                                                                                     \
    {                                                                                              \
        const struct certificate *certificate = fact_certificate(field->at, record);               \
        if (certificate)                                                                           \
            event_put_string(build, field->key, certificate->member);                              \
    }

CERTIFICATE_STRING(fact_subject, subject)
CERTIFICATE_STRING(fact_issuer, issuer)
CERTIFICATE_STRING(fact_serial, serial)
CERTIFICATE_STRING(fact_key, key)
CERTIFICATE_STRING(fact_signature, signature)

FACT(fact_common_name)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (!certificate || !certificate->common_name)
        return;
    size_t opened = event_open_list(build, field->key);
    event_add_text(build, text_slice(certificate->common_name));
    event_close_list(build, opened);
}

FACT(fact_names)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (!certificate)
        return;
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < certificate->name_count; i++)
        event_add_text(build, text_slice(certificate->names[i]));
    event_close_list_used(build, opened);
    build->cut = build->cut || certificate->names_dropped;
}

FACT(fact_not_before)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    char time[TEXT_TIME];
    if (certificate && certificate->not_before != INT64_MIN)
        event_put_word(build, field->key, text_time_seconds(certificate->not_before, time));
}

FACT(fact_not_after)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    char time[TEXT_TIME];
    if (certificate && certificate->not_after != INT64_MAX)
        event_put_word(build, field->key, text_time_seconds(certificate->not_after, time));
}

FACT(fact_key_bits)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate)
        event_put_count(build, field->key, certificate->key_bits);
}

FACT(fact_self_signed)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate)
        event_put_boolean(build, field->key, certificate->self_signed);
}

FACT(fact_sha256_upper)
{
    const struct certificate *certificate = any_certificate(field->at, record);
    char text[2 * DIGEST_SHA256_SIZE + 1];
    if (!certificate)
        return;
    digest_hex(certificate->sha256, sizeof certificate->sha256, text);
    for (char *at = text; *at; at++)
        if (*at >= 'a')
            *at = (char)(*at - 'a' + 'A');
    event_put_word(build, field->key, text);
}

/* ---- the client's lists: with --offers */

FACT(fact_offered_versions)
{
    if (record->tls)
        event_put_versions(build, field, record);
}

FACT(fact_offered_ciphers)
{
    if (record->tls)
        event_put_ciphers(build, field, record);
}

FACT(fact_offered_groups)
{
    if (record->tls)
        event_put_groups(build, field, record);
}

FACT(fact_offered_signatures)
{
    if (record->tls)
        event_put_signatures(build, field, record);
}
