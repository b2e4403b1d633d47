/* SPDX-License-Identifier: BSD-2-Clause */
/* The `tls` object of a session event: what was chosen, what each side brought, and how far it got.
 */
#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/event.h"
#include "writer/fact.h"

/* ---- what was chosen */

static void put_version_name(struct event_build *build, const char *key, uint16_t id)
{
    char name[TLS_VERSION_NAME];
    event_put_word(build, key, id ? tls_version_name(id, name) : NULL);
}

static void put_established(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_boolean(build, field->key, record->tls->established);
}

static void put_version(struct event_build *build, const struct event_field *field,
                        const struct record *record)
{
    if (record->tls->have_server_hello)
        put_version_name(build, field->key, record->tls->version);
}

static void put_version_id(struct event_build *build, const struct event_field *field,
                           const struct record *record)
{
    if (record->tls->have_server_hello && record->tls->version)
        event_put_id(build, field->key, record->tls->version, 4);
}

static void put_cipher(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    if (record->tls->have_cipher)
        event_put_word(build, field->key, event_cipher_name(record->tls));
}

static void put_cipher_id(struct event_build *build, const struct event_field *field,
                          const struct record *record)
{
    if (record->tls->have_cipher)
        event_put_id(build, field->key, record->tls->cipher,
                     event_cipher_is_ssl2(record->tls) ? 6 : 4);
}

static void put_group(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    if (record->tls->group)
        event_put_word(build, field->key, tls_group_name(record->tls->group));
}

static void put_group_id(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    if (record->tls->group)
        event_put_id(build, field->key, record->tls->group, 4);
}

static void put_dh_bits(struct event_build *build, const struct event_field *field,
                        const struct record *record)
{
    event_put_count(build, field->key, record->tls->dh_bits);
}

static void put_limited_by(struct event_build *build, const struct event_field *field,
                           const struct record *record)
{
    if (record->tls->have_server_hello)
        event_put_word(build, field->key, word_side((enum side)record->tls->limited_by));
}

/* ---- the course of the handshake */

static void put_resumed(struct event_build *build, const struct event_field *field,
                        const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    if (facts->have_server_hello)
        event_put_boolean(build, field->key, facts->resumption != TLS_NOT_RESUMED);
}

static const char *resumption_word(uint8_t resumption)
{
    static const char *const words[] = {[TLS_NOT_RESUMED] = NULL,
                                        [TLS_RESUMED_SESSION_ID] = "session_id",
                                        [TLS_RESUMED_TICKET] = "ticket",
                                        [TLS_RESUMED_PSK] = "psk"};
    return resumption <= TLS_RESUMED_PSK ? words[resumption] : NULL;
}

static void put_resumed_by(struct event_build *build, const struct event_field *field,
                           const struct record *record)
{
    if (record->tls->have_server_hello)
        event_put_word(build, field->key, resumption_word(record->tls->resumption));
}

static void put_hello_retry(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_true(build, field->key, record->tls->hello_retry);
}

static void put_hello_retry_group(struct event_build *build, const struct event_field *field,
                                  const struct record *record)
{
    uint16_t group = record->tls->hello_retry_group;
    const char *name = group ? tls_group_name(group) : NULL;
    if (name)
        event_put_word(build, field->key, name);
    else if (group)
        event_put_id(build, field->key, group, 4);
}

/* Names of what the server may have chosen (RFC 3749, RFC 3943). */
static const char *compression_word(uint8_t method)
{
    return method == 0 ? NULL : method == 1 ? "deflate" : method == 64 ? "lzs" : "unknown";
}

static void put_compression(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    if (record->tls->have_server_hello)
        event_put_word(build, field->key, compression_word(record->tls->server_compression));
}

static void put_alpn(struct event_build *build, const struct event_field *field,
                     const struct record *record)
{
    event_put_text(build, field->key, record_text(record, record->tls->server.alpn));
}

static void put_handshake_time(struct event_build *build, const struct event_field *field,
                               const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    if (facts->established && facts->began_ns && facts->established_ns)
        event_put_milliseconds(build, field->key, facts->established_ns - facts->began_ns);
}

static void put_alert(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    if (!facts->have_alert)
        return;
    size_t opened = event_open(build, field->key);
    event_put_word(build, "from", word_side((enum side)facts->alert_from));
    if (facts->alert_encrypted) {
        event_put_true(build, "encrypted", true);
    } else {
        event_put_word(build, "level", facts->alert_level == 1 ? "warning" : "fatal");
        event_put_number(build, "code", facts->alert_code);
        event_put_word(build, "name", tls_alert_name(facts->alert_code));
    }
    event_close(build, opened);
}

/* ---- certificates */

static void put_names(struct event_build *build, const struct certificate *certificate)
{
    size_t opened = event_open_list(build, "names");
    for (unsigned i = 0; i < certificate->name_count; i++)
        event_add_text(build, text_slice(certificate->names[i]));
    if (certificate->names_dropped)
        build->cut = true;
    event_close_list_used(build, opened);
}

/* An object, as indexes with the Elastic Common Schema have it: a string there would have them
 * refuse the event. */
static void put_name(struct event_build *build, const char *key, const char *name)
{
    size_t opened = event_open(build, key);
    event_put_string(build, "distinguished_name", name);
    event_close_used(build, opened);
}

static void put_readable(struct event_build *build, const struct certificate *certificate)
{
    char time[TEXT_TIME];
    put_name(build, "subject", certificate->subject);
    put_name(build, "issuer", certificate->issuer);
    put_names(build, certificate);
    event_put_string(build, "serial", certificate->serial);
    if (certificate->not_before != INT64_MIN)
        event_put_word(build, "not_before", text_time_seconds(certificate->not_before, time));
    if (certificate->not_after != INT64_MAX)
        event_put_word(build, "not_after", text_time_seconds(certificate->not_after, time));
    event_put_string(build, "key", certificate->key);
    event_put_count(build, "key_bits", certificate->key_bits);
    event_put_string(build, "signature", certificate->signature);
}

/* ---- the sides: fields of struct tls_side_facts, `at` says whose */

static const struct tls_side_facts *side_of(const struct event_field *field,
                                            const struct record *record)
{
    const void *facts = (const char *)record->tls + field->at;
    return facts;
}

static void put_x509(struct event_build *build, const struct event_field *field,
                     const struct record *record)
{
    const struct certificate *certificate = side_of(field, record)->certificate;
    if (!certificate)
        return;
    size_t opened = event_open(build, field->key);
    if (certificate->readable)
        put_readable(build, certificate);
    event_put_hex(build, "sha256", certificate->sha256, sizeof certificate->sha256);
    if (certificate->readable)
        event_put_boolean(build, "self_signed", certificate->self_signed);
    else
        event_put_true(build, "unread", true);
    event_close(build, opened);
}

static void put_record_size_limit(struct event_build *build, const struct event_field *field,
                                  const struct record *record)
{
    event_put_count(build, field->key, side_of(field, record)->record_size_limit);
}

static void put_max_fragment(struct event_build *build, const struct event_field *field,
                             const struct record *record)
{
    uint8_t code = side_of(field, record)->max_fragment;
    if (code >= 1 && code <= 4) /* RFC 6066 4: 2^9 to 2^12 */
        event_put_number(build, field->key, 256U << code);
}

static void put_chain_length(struct event_build *build, const struct event_field *field,
                             const struct record *record)
{
    event_put_count(build, field->key, side_of(field, record)->chain_length);
}

static void put_last_message(struct event_build *build, const struct event_field *field,
                             const struct record *record)
{
    const struct tls_side_facts *facts = side_of(field, record);
    const char *name;
    if (!facts->saw_message || record->tls->established)
        return;
    if ((name = tls_handshake_name(facts->last_message)) != NULL)
        event_put_word(build, field->key, name);
    else
        event_put_id(build, field->key, facts->last_message, 2);
}

/* ---- client */

static void put_max_version(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    put_version_name(build, field->key, record->tls->client_max_version);
}

static void put_server_name(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_text(build, field->key, record_text(record, record->tls->server_name));
}

static void put_client_alpn(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_split(build, field->key, record_text(record, record->tls->client.alpn));
}

/* `at` is a bit of enum tls_hello_flag in these. */
static void put_client_offers(struct event_build *build, const struct event_field *field,
                              const struct record *record)
{
    event_put_boolean(build, field->key, record->tls->client.flags & field->at);
}

static void put_client_flag(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_true(build, field->key, record->tls->client.flags & field->at);
}

/* What nearly every hello has is told where it is missing: that is shorter, and the news. */
static void put_client_lacks(struct event_build *build, const struct event_field *field,
                             const struct record *record)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } usual[] = {{TLS_HAS_SESSION_TICKET, "ticket"},
                 {TLS_HAS_EXTENDED_MASTER_SECRET, "extended_master_secret"},
                 {TLS_HAS_ENCRYPT_THEN_MAC, "encrypt_then_mac"},
                 {TLS_HAS_RENEGOTIATION_INFO, "renegotiation_info"}};
    size_t opened = event_open_list(build, field->key);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!(record->tls->client.flags & usual[i].flag))
            event_add_word(build, usual[i].name);
    event_close_list_used(build, opened);
}

enum { CLIENT = offsetof(struct tls_facts, client), SERVER = offsetof(struct tls_facts, server) };

static const struct event_field client_hello_fields[] = {
    {"max_version", put_max_version, 0},
    {"server_name", put_server_name, 0},
    {"alpn", put_client_alpn, 0},
    {"forward_secrecy", put_client_offers, TLS_OFFERS_FORWARD_SECRECY},
    {"post_quantum", put_client_offers, TLS_OFFERS_POST_QUANTUM},
    {"lacks", put_client_lacks, 0},
    {"psk", put_client_flag, TLS_HAS_PRE_SHARED_KEY},
    {"early_data", put_client_flag, TLS_HAS_EARLY_DATA},
    {"ech", put_client_flag, TLS_HAS_ENCRYPTED_CLIENT_HELLO},
    {"fallback_scsv", put_client_flag, TLS_HAS_FALLBACK_SCSV},
    {"compression", put_client_flag, TLS_OFFERS_COMPRESSION},
    {"heartbeat", put_client_flag, TLS_HAS_HEARTBEAT},
    {"status_request", put_client_flag, TLS_HAS_STATUS_REQUEST},
    {"sslv2_hello", put_client_flag, TLS_SSL2_FORMAT},
    {"record_size_limit", put_record_size_limit, CLIENT},
    {"max_fragment_length", put_max_fragment, CLIENT},
    {"ja3", fact_ja3, 0},
    {"ja4", fact_ja4, 0},
    {"versions", event_put_versions, 0},
    {"ciphers", event_put_ciphers, 0},
    {"groups", event_put_groups, 0},
    {"signature_algorithms", event_put_signatures, 0},
};

static const struct event_field client_fields[] = {
    {"x509", put_x509, CLIENT},
    {"chain_length", put_chain_length, CLIENT},
    {"last_message", put_last_message, CLIENT},
};

static void put_client(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    size_t opened = event_open(build, field->key);
    if (record->tls->have_client_hello)
        event_put_fields(build, EVENT_FIELDS(client_hello_fields), record);
    event_put_fields(build, EVENT_FIELDS(client_fields), record);
    event_close_used(build, opened);
}

/* ---- server */

static void put_supports(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    put_version_name(build, field->key, record->tls->server_supports);
}

static void put_server_flag(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    event_put_true(build, field->key, record->tls->server.flags & field->at);
}

static const struct event_field server_hello_fields[] = {
    {"supports", put_supports, 0},
    {"ticket", put_server_flag, TLS_HAS_SESSION_TICKET},
    {"psk", put_server_flag, TLS_HAS_PRE_SHARED_KEY},
    {"early_data", put_server_flag, TLS_HAS_EARLY_DATA},
    {"ech", put_server_flag, TLS_HAS_ENCRYPTED_CLIENT_HELLO},
    {"extended_master_secret", put_server_flag, TLS_HAS_EXTENDED_MASTER_SECRET},
    {"encrypt_then_mac", put_server_flag, TLS_HAS_ENCRYPT_THEN_MAC},
    {"renegotiation_info", put_server_flag, TLS_HAS_RENEGOTIATION_INFO},
    {"heartbeat", put_server_flag, TLS_HAS_HEARTBEAT},
    {"status_request", put_server_flag, TLS_HAS_STATUS_REQUEST},
    {"record_size_limit", put_record_size_limit, SERVER},
    {"max_fragment_length", put_max_fragment, SERVER},
    {"ja3s", fact_ja3s, 0},
};

static const struct event_field server_fields[] = {
    {"x509", put_x509, SERVER},
    {"chain_length", put_chain_length, SERVER},
    {"last_message", put_last_message, SERVER},
};

static void put_server(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    size_t opened = event_open(build, field->key);
    if (record->tls->have_server_hello)
        event_put_fields(build, EVENT_FIELDS(server_hello_fields), record);
    event_put_fields(build, EVENT_FIELDS(server_fields), record);
    event_close_used(build, opened);
}

/* ---- the object */

static const struct event_field tls_fields[] = {
    {"established", put_established, 0},
    {"version", put_version, 0},
    {"version_id", put_version_id, 0},
    {"cipher", put_cipher, 0},
    {"cipher_id", put_cipher_id, 0},
    {"group", put_group, 0},
    {"group_id", put_group_id, 0},
    {"dh_bits", put_dh_bits, 0},
    {"limited_by", put_limited_by, 0},
    {"resumed", put_resumed, 0},
    {"resumed_by", put_resumed_by, 0},
    {"hello_retry", put_hello_retry, 0},
    {"hello_retry_group", put_hello_retry_group, 0},
    {"compression", put_compression, 0},
    {"alpn", put_alpn, 0},
    {"handshake_ms", put_handshake_time, 0},
    {"alert", put_alert, 0},
    {"client", put_client, 0},
    {"server", put_server, 0},
};

void event_put_tls(struct event_build *build, const struct event_field *field,
                   const struct record *record)
{
    if (!record->tls)
        return;
    size_t opened = event_open(build, field->key);
    event_put_fields(build, EVENT_FIELDS(tls_fields), record);
    event_close(build, opened);
}

bool event_cipher_is_ssl2(const struct tls_facts *facts)
{
    return facts->version == 0x0002 || facts->cipher > UINT16_MAX;
}

const char *event_cipher_name(const struct tls_facts *facts)
{
    return event_cipher_is_ssl2(facts) ? ssl2_cipher_name(facts->cipher)
                                       : tls_cipher_name((uint16_t)facts->cipher);
}
