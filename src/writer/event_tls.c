/* SPDX-License-Identifier: BSD-2-Clause */
/* The `tls` object of a session event: what was chosen, what each side brought, and how far it got.
 */
#include <stdio.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/event.h"

enum { ID_TEXT = 24 };

/* Plain facts of a hello, written only where they are true. */
static const struct {
    const char *key;
    uint32_t client, server; /* bits of enum tls_hello_flag; 0: not a key of that side */
} hello_facts[] = {
    {"ticket", TLS_HAS_SESSION_TICKET, TLS_HAS_SESSION_TICKET},
    {"psk", TLS_HAS_PRE_SHARED_KEY, TLS_HAS_PRE_SHARED_KEY},
    {"early_data", TLS_HAS_EARLY_DATA, TLS_HAS_EARLY_DATA},
    {"ech", TLS_HAS_ENCRYPTED_CLIENT_HELLO, TLS_HAS_ENCRYPTED_CLIENT_HELLO},
    {"extended_master_secret", TLS_HAS_EXTENDED_MASTER_SECRET, TLS_HAS_EXTENDED_MASTER_SECRET},
    {"encrypt_then_mac", TLS_HAS_ENCRYPT_THEN_MAC, TLS_HAS_ENCRYPT_THEN_MAC},
    {"renegotiation_info", TLS_HAS_RENEGOTIATION_INFO, TLS_HAS_RENEGOTIATION_INFO},
    {"fallback_scsv", TLS_HAS_FALLBACK_SCSV, 0},
    {"compression", TLS_OFFERS_COMPRESSION, 0},
    {"heartbeat", TLS_HAS_HEARTBEAT, TLS_HAS_HEARTBEAT},
    {"status_request", TLS_HAS_STATUS_REQUEST, TLS_HAS_STATUS_REQUEST},
    {"sslv2_hello", TLS_SSL2_FORMAT, 0},
};

static const char *version_word(uint16_t id, char out[TLS_VERSION_NAME])
{
    return id ? tls_version_name(id, out) : NULL;
}

static void put_version_name(struct event_build *build, json_t *object, const char *key,
                             uint16_t id)
{
    char name[TLS_VERSION_NAME];
    event_put_word(build, object, key, version_word(id, name));
}

static void put_choice(struct event_build *build, json_t *tls, const struct tls_facts *facts)
{
    if (facts->have_server_hello && facts->version) {
        put_version_name(build, tls, "version", facts->version);
        event_put_id(build, tls, "version_id", facts->version);
    }
    if (facts->have_cipher) {
        event_put_word(build, tls, "cipher", event_cipher_name(facts));
        char id[ID_TEXT];
        snprintf(id, sizeof id, event_cipher_is_ssl2(facts) ? "0x%06x" : "0x%04x",
                 (unsigned)facts->cipher);
        event_put_word(build, tls, "cipher_id", id);
    }
    if (facts->group) {
        event_put_word(build, tls, "group", tls_group_name(facts->group));
        event_put_id(build, tls, "group_id", facts->group);
    }
    if (facts->dh_bits)
        event_put_number(build, tls, "dh_bits", facts->dh_bits);
    if (facts->have_server_hello)
        event_put_word(build, tls, "limited_by", word_side((enum side)facts->limited_by));
}

static const char *resumption_word(uint8_t resumption)
{
    static const char *const words[] = {[TLS_NOT_RESUMED] = NULL,
                                        [TLS_RESUMED_SESSION_ID] = "session_id",
                                        [TLS_RESUMED_TICKET] = "ticket",
                                        [TLS_RESUMED_PSK] = "psk"};
    return resumption <= TLS_RESUMED_PSK ? words[resumption] : NULL;
}

/* Names of what the server may have chosen (RFC 3749, RFC 3943). */
static const char *compression_word(uint8_t method)
{
    return method == 0 ? NULL : method == 1 ? "deflate" : method == 64 ? "lzs" : "unknown";
}

static void put_course(struct event_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    if (facts->have_server_hello) {
        event_put_boolean(build, tls, "resumed", facts->resumption != TLS_NOT_RESUMED);
        event_put_word(build, tls, "resumed_by", resumption_word(facts->resumption));
    }
    event_put_true(build, tls, "hello_retry", facts->hello_retry);
    if (facts->hello_retry_group) {
        const char *name = tls_group_name(facts->hello_retry_group);
        if (name)
            event_put_word(build, tls, "hello_retry_group", name);
        else
            event_put_id(build, tls, "hello_retry_group", facts->hello_retry_group);
    }
    if (facts->have_server_hello)
        event_put_word(build, tls, "compression", compression_word(facts->server_compression));
    event_put_text(build, tls, "alpn", record_text(record, facts->server.alpn));
    if (facts->established && facts->began_ns && facts->established_ns)
        event_put_milliseconds(build, tls, "handshake_ms", facts->established_ns - facts->began_ns);
}

static void put_alert(struct event_build *build, json_t *tls, const struct tls_facts *facts)
{
    if (!facts->have_alert)
        return;
    json_t *alert = json_object();
    event_put_word(build, alert, "from", word_side((enum side)facts->alert_from));
    if (facts->alert_encrypted) {
        event_put_true(build, alert, "encrypted", true);
    } else {
        event_put_word(build, alert, "level", facts->alert_level == 1 ? "warning" : "fatal");
        event_put_number(build, alert, "code", facts->alert_code);
        event_put_word(build, alert, "name", tls_alert_name(facts->alert_code));
    }
    event_put(build, tls, "alert", alert);
}

static void put_names(struct event_build *build, json_t *x509,
                      const struct certificate *certificate)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < certificate->name_count; i++)
        event_add_text(build, names, text_slice(certificate->names[i]));
    if (certificate->names_dropped)
        build->cut = true;
    event_put_list(build, x509, "names", names);
}

static void put_readable(struct event_build *build, json_t *x509,
                         const struct certificate *certificate)
{
    char time[TEXT_TIME];
    event_put_string(build, x509, "subject", certificate->subject);
    event_put_string(build, x509, "issuer", certificate->issuer);
    put_names(build, x509, certificate);
    event_put_string(build, x509, "serial", certificate->serial);
    if (certificate->not_before != INT64_MIN)
        event_put_word(build, x509, "not_before", text_time_seconds(certificate->not_before, time));
    if (certificate->not_after != INT64_MAX)
        event_put_word(build, x509, "not_after", text_time_seconds(certificate->not_after, time));
    event_put_string(build, x509, "key", certificate->key);
    if (certificate->key_bits)
        event_put_number(build, x509, "key_bits", certificate->key_bits);
    event_put_string(build, x509, "signature", certificate->signature);
}

static void put_x509(struct event_build *build, json_t *side, const struct certificate *certificate)
{
    if (!certificate)
        return;
    char digest[2 * sizeof certificate->sha256 + 1];
    digest_hex(certificate->sha256, sizeof certificate->sha256, digest);
    json_t *x509 = json_object();
    if (certificate->readable)
        put_readable(build, x509, certificate);
    event_put_word(build, x509, "sha256", digest);
    if (certificate->readable)
        event_put_boolean(build, x509, "self_signed", certificate->self_signed);
    else
        event_put_true(build, x509, "unread", true);
    event_put(build, side, "x509", x509);
}

static void put_digest(struct event_build *build, json_t *side, const char *key,
                       const uint8_t digest[16])
{
    char text[2 * DIGEST_MD5_SIZE + 1];
    digest_hex(digest, DIGEST_MD5_SIZE, text);
    event_put_word(build, side, key, text);
}

static void put_hello_facts(struct event_build *build, json_t *object, uint32_t flags,
                            enum side side)
{
    for (size_t i = 0; i < sizeof hello_facts / sizeof hello_facts[0]; i++) {
        uint32_t mask = side == SIDE_CLIENT ? hello_facts[i].client : hello_facts[i].server;
        event_put_true(build, object, hello_facts[i].key, (flags & mask) != 0);
    }
}

/* What both sides have after their own keys: limits, then the certificate and the last message
 * seen. */
static void put_limits(struct event_build *build, json_t *object,
                       const struct tls_side_facts *facts)
{
    if (facts->record_size_limit)
        event_put_number(build, object, "record_size_limit", facts->record_size_limit);
    if (facts->max_fragment >= 1 && facts->max_fragment <= 4) /* RFC 6066 4: 2^9 to 2^12 */
        event_put_number(build, object, "max_fragment_length", 256U << facts->max_fragment);
}

static void put_messages(struct event_build *build, json_t *object, const struct record *record,
                         const struct tls_side_facts *facts)
{
    put_x509(build, object, facts->certificate);
    if (facts->chain_length)
        event_put_number(build, object, "chain_length", facts->chain_length);
    if (!facts->saw_message || record->tls->established)
        return;
    const char *name = tls_handshake_name(facts->last_message);
    char number[ID_TEXT];
    snprintf(number, sizeof number, "0x%02x", facts->last_message);
    event_put_word(build, object, "last_message", name ? name : number);
}

static void put_client(struct event_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    json_t *client = json_object();
    if (facts->have_client_hello) {
        put_version_name(build, client, "max_version", facts->client_max_version);
        event_put_text(build, client, "server_name", record_text(record, facts->server_name));
        event_put_split(build, client, "alpn", record_text(record, facts->client.alpn));
        uint32_t flags = facts->client.flags;
        event_put_boolean(build, client, "forward_secrecy", flags & TLS_OFFERS_FORWARD_SECRECY);
        event_put_boolean(build, client, "post_quantum", flags & TLS_OFFERS_POST_QUANTUM);
        put_hello_facts(build, client, flags, SIDE_CLIENT);
        put_limits(build, client, &facts->client);
        if (facts->have_ja3)
            put_digest(build, client, "ja3", facts->ja3);
        event_put_word(build, client, "ja4", *facts->ja4 ? facts->ja4 : NULL);
        event_put_offers(build, client, record);
    }
    put_messages(build, client, record, &facts->client);
    event_put_object(build, tls, "client", client);
}

static void put_server(struct event_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    json_t *server = json_object();
    if (facts->have_server_hello) {
        put_version_name(build, server, "supports", facts->server_supports);
        put_hello_facts(build, server, facts->server.flags, SIDE_SERVER);
        put_limits(build, server, &facts->server);
        if (facts->have_ja3s)
            put_digest(build, server, "ja3s", facts->ja3s);
    }
    put_messages(build, server, record, &facts->server);
    event_put_object(build, tls, "server", server);
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

void event_put_tls(struct event_build *build, json_t *event, const struct record *record)
{
    if (!record->tls)
        return;
    json_t *tls = json_object();
    event_put_boolean(build, tls, "established", record->tls->established);
    put_choice(build, tls, record->tls);
    put_course(build, tls, record);
    put_alert(build, tls, record->tls);
    put_client(build, tls, record);
    put_server(build, tls, record);
    event_put(build, event, "tls", tls);
}
