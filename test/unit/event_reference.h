/* SPDX-License-Identifier: BSD-2-Clause */
/* The `session` and `stats` events as jansson builds and dumps them: see event_reference_bricks.h.
 */
#ifndef TEST_UNIT_EVENT_REFERENCE_H
#define TEST_UNIT_EVENT_REFERENCE_H

#include <stddef.h>

#include "base/digest.h"
#include "unit/event_reference_bricks.h"

enum { ID_TEXT = 24 };

/* Plain facts of a hello, written only where they are true. */
static const struct {
    const char *key;
    uint32_t client, server; /* bits of enum tls_hello_flag; 0: not a key of that side */
} hello_facts[] = {
    {"ticket", 0, TLS_HAS_SESSION_TICKET},
    {"psk", TLS_HAS_PRE_SHARED_KEY, TLS_HAS_PRE_SHARED_KEY},
    {"early_data", TLS_HAS_EARLY_DATA, TLS_HAS_EARLY_DATA},
    {"ech", TLS_HAS_ENCRYPTED_CLIENT_HELLO, TLS_HAS_ENCRYPTED_CLIENT_HELLO},
    {"extended_master_secret", 0, TLS_HAS_EXTENDED_MASTER_SECRET},
    {"encrypt_then_mac", 0, TLS_HAS_ENCRYPT_THEN_MAC},
    {"renegotiation_info", 0, TLS_HAS_RENEGOTIATION_INFO},
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

static void put_version_name(struct reference_build *build, json_t *object, const char *key,
                             uint16_t id)
{
    char name[TLS_VERSION_NAME];
    reference_put_word(build, object, key, version_word(id, name));
}

static void put_choice(struct reference_build *build, json_t *tls, const struct tls_facts *facts)
{
    if (facts->have_server_hello && facts->version) {
        put_version_name(build, tls, "version", facts->version);
        reference_put_id(build, tls, "version_id", facts->version);
    }
    if (facts->have_cipher) {
        reference_put_word(build, tls, "cipher", reference_cipher_name(facts));
        char id[ID_TEXT];
        snprintf(id, sizeof id, reference_cipher_is_ssl2(facts) ? "0x%06x" : "0x%04x",
                 (unsigned)facts->cipher);
        reference_put_word(build, tls, "cipher_id", id);
    }
    if (facts->group) {
        reference_put_word(build, tls, "group", tls_group_name(facts->group));
        reference_put_id(build, tls, "group_id", facts->group);
    }
    if (facts->dh_bits)
        reference_put_number(build, tls, "dh_bits", facts->dh_bits);
    if (facts->have_server_hello)
        reference_put_word(build, tls, "limited_by", word_side((enum side)facts->limited_by));
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

static void put_course(struct reference_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    if (facts->have_server_hello) {
        reference_put_boolean(build, tls, "resumed", facts->resumption != TLS_NOT_RESUMED);
        reference_put_word(build, tls, "resumed_by", resumption_word(facts->resumption));
    }
    reference_put_true(build, tls, "hello_retry", facts->hello_retry);
    if (facts->hello_retry_group) {
        const char *name = tls_group_name(facts->hello_retry_group);
        if (name)
            reference_put_word(build, tls, "hello_retry_group", name);
        else
            reference_put_id(build, tls, "hello_retry_group", facts->hello_retry_group);
    }
    if (facts->have_server_hello)
        reference_put_word(build, tls, "compression", compression_word(facts->server_compression));
    reference_put_text(build, tls, "alpn", record_text(record, facts->server.alpn));
    if (facts->established && facts->began_ns && facts->established_ns)
        reference_put_milliseconds(build, tls, "handshake_ms",
                                   facts->established_ns - facts->began_ns);
}

static void put_alert(struct reference_build *build, json_t *tls, const struct tls_facts *facts)
{
    if (!facts->have_alert)
        return;
    json_t *alert = json_object();
    reference_put_word(build, alert, "from", word_side((enum side)facts->alert_from));
    if (facts->alert_encrypted) {
        reference_put_true(build, alert, "encrypted", true);
    } else {
        reference_put_word(build, alert, "level", facts->alert_level == 1 ? "warning" : "fatal");
        reference_put_number(build, alert, "code", facts->alert_code);
        reference_put_word(build, alert, "name", tls_alert_name(facts->alert_code));
    }
    reference_put(build, tls, "alert", alert);
}

static void put_names(struct reference_build *build, json_t *x509,
                      const struct certificate *certificate)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < certificate->name_count; i++)
        reference_add_text(build, names, text_slice(certificate->names[i]));
    if (certificate->names_dropped)
        build->cut = true;
    reference_put_list(build, x509, "names", names);
}

/* An object with one string. */
static void put_name(struct reference_build *build, json_t *x509, const char *key, const char *text)
{
    json_t *name = json_object();
    reference_put_string(build, name, "distinguished_name", text);
    reference_put_object(build, x509, key, name);
}

static void put_readable(struct reference_build *build, json_t *x509,
                         const struct certificate *certificate)
{
    char time[TEXT_TIME];
    put_name(build, x509, "subject", certificate->subject);
    put_name(build, x509, "issuer", certificate->issuer);
    put_names(build, x509, certificate);
    reference_put_string(build, x509, "serial", certificate->serial);
    if (certificate->not_before != INT64_MIN)
        reference_put_word(build, x509, "not_before",
                           text_time_seconds(certificate->not_before, time));
    if (certificate->not_after != INT64_MAX)
        reference_put_word(build, x509, "not_after",
                           text_time_seconds(certificate->not_after, time));
    reference_put_string(build, x509, "key", certificate->key);
    if (certificate->key_bits)
        reference_put_number(build, x509, "key_bits", certificate->key_bits);
    reference_put_string(build, x509, "signature", certificate->signature);
}

static void put_x509(struct reference_build *build, json_t *side,
                     const struct certificate *certificate)
{
    if (!certificate)
        return;
    char digest[2 * sizeof certificate->sha256 + 1];
    digest_hex(certificate->sha256, sizeof certificate->sha256, digest);
    json_t *x509 = json_object();
    if (certificate->readable)
        put_readable(build, x509, certificate);
    reference_put_word(build, x509, "sha256", digest);
    if (certificate->readable)
        reference_put_boolean(build, x509, "self_signed", certificate->self_signed);
    else
        reference_put_true(build, x509, "unread", true);
    reference_put(build, side, "x509", x509);
}

static void put_digest(struct reference_build *build, json_t *side, const char *key,
                       const uint8_t digest[16])
{
    char text[2 * DIGEST_MD5_SIZE + 1];
    digest_hex(digest, DIGEST_MD5_SIZE, text);
    reference_put_word(build, side, key, text);
}

static void put_hello_facts(struct reference_build *build, json_t *object, uint32_t flags,
                            enum side side)
{
    for (size_t i = 0; i < sizeof hello_facts / sizeof hello_facts[0]; i++) {
        uint32_t mask = side == SIDE_CLIENT ? hello_facts[i].client : hello_facts[i].server;
        reference_put_true(build, object, hello_facts[i].key, (flags & mask) != 0);
    }
}

/* Of a client, the four usual ones that are not there. */
static void put_lacks(json_t *client, uint32_t flags)
{
    json_t *list = json_array();
    if (!(flags & TLS_HAS_SESSION_TICKET))
        json_array_append_new(list, json_string("ticket"));
    if (!(flags & TLS_HAS_EXTENDED_MASTER_SECRET))
        json_array_append_new(list, json_string("extended_master_secret"));
    if (!(flags & TLS_HAS_ENCRYPT_THEN_MAC))
        json_array_append_new(list, json_string("encrypt_then_mac"));
    if (!(flags & TLS_HAS_RENEGOTIATION_INFO))
        json_array_append_new(list, json_string("renegotiation_info"));
    if (json_array_size(list))
        json_object_set(client, "lacks", list);
    json_decref(list);
}

/* What both sides have after their own keys: limits, then the certificate and the last message
 * seen. */
static void put_limits(struct reference_build *build, json_t *object,
                       const struct tls_side_facts *facts)
{
    if (facts->record_size_limit)
        reference_put_number(build, object, "record_size_limit", facts->record_size_limit);
    if (facts->max_fragment >= 1 && facts->max_fragment <= 4) /* RFC 6066 4: 2^9 to 2^12 */
        reference_put_number(build, object, "max_fragment_length", 256U << facts->max_fragment);
}

static void put_messages(struct reference_build *build, json_t *object, const struct record *record,
                         const struct tls_side_facts *facts)
{
    put_x509(build, object, facts->certificate);
    if (facts->chain_length)
        reference_put_number(build, object, "chain_length", facts->chain_length);
    if (!facts->saw_message || record->tls->established)
        return;
    const char *name = tls_handshake_name(facts->last_message);
    char number[ID_TEXT];
    snprintf(number, sizeof number, "0x%02x", facts->last_message);
    reference_put_word(build, object, "last_message", name ? name : number);
}

static void put_client(struct reference_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    json_t *client = json_object();
    if (facts->have_client_hello) {
        put_version_name(build, client, "max_version", facts->client_max_version);
        reference_put_text(build, client, "server_name", record_text(record, facts->server_name));
        reference_put_split(build, client, "alpn", record_text(record, facts->client.alpn));
        uint32_t flags = facts->client.flags;
        reference_put_boolean(build, client, "forward_secrecy", flags & TLS_OFFERS_FORWARD_SECRECY);
        reference_put_boolean(build, client, "post_quantum", flags & TLS_OFFERS_POST_QUANTUM);
        put_lacks(client, flags);
        put_hello_facts(build, client, flags, SIDE_CLIENT);
        put_limits(build, client, &facts->client);
        const struct fingerprint *fingerprint = facts->client.fingerprint;
        if (fingerprint && fingerprint->have_ja3)
            put_digest(build, client, "ja3", fingerprint->ja3);
        if (fingerprint && *fingerprint->ja4)
            reference_put_word(build, client, "ja4", fingerprint->ja4);
        reference_put_offers(build, client, record);
    }
    put_messages(build, client, record, &facts->client);
    reference_put_object(build, tls, "client", client);
}

static void put_server(struct reference_build *build, json_t *tls, const struct record *record)
{
    const struct tls_facts *facts = record->tls;
    json_t *server = json_object();
    if (facts->have_server_hello) {
        put_version_name(build, server, "supports", facts->server_supports);
        put_hello_facts(build, server, facts->server.flags, SIDE_SERVER);
        put_limits(build, server, &facts->server);
        const struct fingerprint *fingerprint = facts->server.fingerprint;
        if (fingerprint && fingerprint->have_ja3)
            put_digest(build, server, "ja3s", fingerprint->ja3);
    }
    put_messages(build, server, record, &facts->server);
    reference_put_object(build, tls, "server", server);
}

static void reference_put_tls(struct reference_build *build, json_t *event,
                              const struct record *record)
{
    if (!record->tls)
        return;
    json_t *tls = json_object();
    reference_put_boolean(build, tls, "established", record->tls->established);
    put_choice(build, tls, record->tls);
    put_course(build, tls, record);
    put_alert(build, tls, record->tls);
    put_client(build, tls, record);
    put_server(build, tls, record);
    reference_put(build, event, "tls", tls);
}

static void put_uid(struct reference_build *build, json_t *object, uint64_t uid)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)uid);
    reference_put_word(build, object, "uid", text);
}

static void put_time(struct reference_build *build, json_t *object, int64_t ns)
{
    char text[TEXT_TIME];
    reference_put_word(build, object, "time", text_time(ns, text));
}

static void put_community_id(struct reference_build *build, json_t *object, const char *id)
{
    reference_put_word(build, object, "community_id", *id ? id : NULL);
}

static void put_vlans(struct reference_build *build, json_t *event, const struct record *record)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++) {
        char id[8];
        snprintf(id, sizeof id, "%u", (unsigned)record->vlan[i]);
        reference_add_word(build, list, id);
    }
    reference_put_list(build, event, "vlan", list);
}

static void put_peer(struct reference_build *build, json_t *event, const struct record *record,
                     enum side side)
{
    bool client = side == SIDE_CLIENT;
    const struct address *ip = client ? &record->client_ip : &record->server_ip;
    char text[TEXT_ADDRESS];
    json_t *peer = json_object();
    unsigned family = client ? record->client_family : record->family;
    reference_put_word(build, peer, "ip", text_address(family, ip->bytes, text));
    reference_put_number(build, peer, "port", client ? record->client_port : record->server_port);
    reference_put_number(build, peer, "bytes",
                         client ? record->client_bytes : record->server_bytes);
    reference_put(build, event, word_side(side), peer);
}

/* Who sent the packets where a PROXY header names another client. */
static void put_proxy(struct reference_build *build, json_t *event, const struct record *record)
{
    char text[TEXT_ADDRESS];
    if (!record->have_proxy)
        return;
    json_t *proxy = json_object();
    reference_put_word(build, proxy, "ip",
                       text_address(record->family, record->proxy_ip.bytes, text));
    reference_put_number(build, proxy, "port", record->proxy_port);
    reference_put(build, event, "proxy", proxy);
}

static void put_end(struct reference_build *build, json_t *event, const struct record *record)
{
    json_t *end = json_object();
    reference_put_word(build, end, "how", word_end(record->end));
    reference_put_word(build, end, "from", word_side(record->end_from));
    reference_put(build, event, "end", end);
}

static void put_incomplete(struct reference_build *build, json_t *event, unsigned incomplete)
{
    json_t *list = json_array();
    for (unsigned bit = 1; bit <= INCOMPLETE_ONE_SIDED; bit <<= 1)
        if (incomplete & bit)
            reference_add_word(build, list, reference_incomplete_word((enum incomplete)bit));
    reference_put_list(build, event, "incomplete", list);
}

static void put_starttls_reply(struct reference_build *build, json_t *smtp,
                               const struct record *record)
{
    if (!record->smtp->reply_code)
        return;
    json_t *reply = json_object();
    reference_put_number(build, reply, "code", record->smtp->reply_code);
    reference_put_text(build, reply, "text", record_text(record, record->smtp->reply_text));
    reference_put(build, smtp, "starttls_reply", reply);
}

static void put_smtp(struct reference_build *build, json_t *event, const struct record *record)
{
    const struct smtp_facts *facts = record->smtp;
    if (!record->have_smtp || !facts)
        return;
    json_t *smtp = json_object();
    reference_put_text(build, smtp, "banner", record_text(record, facts->banner));
    if (facts->banner_code && facts->banner_code != 220)
        reference_put_number(build, smtp, "banner_code", facts->banner_code);
    reference_put_text(build, smtp, "server_name", record_text(record, facts->server_name));
    reference_put_word(build, smtp, "hello", reference_hello_word(facts->hello));
    reference_put_text(build, smtp, "client_name", record_text(record, facts->client_name));
    reference_put_word(build, smtp, "starttls", word_starttls((enum starttls)facts->starttls));
    put_starttls_reply(build, smtp, record);
    if (facts->attempts > 1)
        reference_put_number(build, smtp, "starttls_attempts", facts->attempts);
    if (facts->mail_in_clear)
        reference_put_number(build, smtp, "mail_in_clear", facts->mail_in_clear);
    reference_put_text(build, smtp, "auth_in_clear", record_text(record, facts->mechanism));
    reference_put_split(build, smtp, "sender_domains", record_text(record, facts->sender_domains));
    reference_put_split(build, smtp, "recipient_domains",
                        record_text(record, facts->recipient_domains));
    reference_put(build, event, "smtp", smtp);
}

static void put_findings(struct reference_build *build, json_t *event, uint64_t findings)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (findings >> i & 1)
            reference_add_word(build, list, word_finding((enum finding)i));
    reference_put(build, event, "findings", list);
}

static void put_fallback(struct reference_build *build, json_t *event, const struct record *record)
{
    if (!record->have_fallback)
        return;
    json_t *failed = json_object();
    put_uid(build, failed, record->fallback_uid);
    put_community_id(build, failed, record->fallback_community_id);
    put_time(build, failed, record->fallback_time_ns);
    reference_put(build, event, "fallback_of", failed);
}

static void fill_session(struct reference_build *build, json_t *event, const void *subject)
{
    build->cut = build->cut || ((const struct record *)subject)->cut;
    const struct record *record = subject;
    put_uid(build, event, record->uid);
    put_time(build, event, record->time_ns);
    reference_put_sensor(build, event, record->sensor, record->interface, record->file);
    reference_put_word(build, event, "direction", word_direction(record->direction));
    reference_put_milliseconds(build, event, "duration_ms", record->duration_ns);
    put_community_id(build, event, record->community_id);
    put_vlans(build, event, record);
    put_peer(build, event, record, SIDE_CLIENT);
    put_peer(build, event, record, SIDE_SERVER);
    put_proxy(build, event, record);
    reference_put_word(build, event, "outcome", word_outcome(record->outcome));
    put_end(build, event, record);
    put_incomplete(build, event, record->incomplete);
    reference_put_string(build, event, "protocol", record->protocol);
    put_smtp(build, event, record);
    reference_put_tls(build, event, record);
    put_findings(build, event, record->findings);
    put_fallback(build, event, record);
}

static void reference_write_session(struct reference_line *line, const struct record *record)
{
    reference_write(line, "session", fill_session, record);
}

struct stats_subject {
    const struct counters *counters;
    const struct stats_facts *facts;
};

struct counter_key {
    const char *key;
    size_t at; /* in struct counters */
};

#define COUNTER(name, member)                                                                      \
    {                                                                                              \
        name, offsetof(struct counters, member)                                                    \
    }

static const struct counter_key flow_keys[] = {
    COUNTER("open", flows_open),
    COUNTER("open_peak", flows_open_peak),
    COUNTER("opened", flows_opened),
    COUNTER("evicted", flows_evicted),
    COUNTER("without_payload", flows_without_payload),
    COUNTER("unproven", flows_unproven),
};

static const struct counter_key limit_keys[] = {
    COUNTER("packets_not_tcp", packets_not_tcp),
    COUNTER("packets_unknown_link", packets_unknown_link),
    COUNTER("packets_malformed", packets_malformed),
    COUNTER("packets_truncated", packets_truncated),
    COUNTER("fragments", fragments),
    COUNTER("fragments_dropped", fragments_dropped),
    COUNTER("tunnels_too_deep", tunnels_too_deep),
    COUNTER("segments", segments),
    COUNTER("segments_stray", segments_stray),
    COUNTER("overlaps_different", overlaps_different),
    COUNTER("gaps", gaps),
    COUNTER("held_limit", held_limit),
    COUNTER("buffer_limit", buffer_limit),
    COUNTER("certificates_unread", certificates_unread),
    COUNTER("records_early", records_early),
    COUNTER("history_forgotten", history_forgotten),
    COUNTER("memory_failures", memory_failures),
    COUNTER("events_lost", events_lost),
    COUNTER("clock_leaps", clock_leaps),
};

static void put_counters(struct reference_build *build, json_t *object,
                         const struct counters *counters, const struct counter_key *keys,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const void *counter = (const char *)counters + keys[i].at;
        reference_put_number(build, object, keys[i].key, *(const uint64_t *)counter);
    }
}

/* Version names have dots, which indexes take for objects ("TLSv1" would be a number and an object
 * at once). */
static const char *version_key(enum tls_version version)
{
    static const char *const keys[TLS_VERSION_COUNT] = {
        [TLS_VERSION_SSL2] = "sslv2",    [TLS_VERSION_SSL3] = "sslv3",
        [TLS_VERSION_TLS10] = "tlsv1",   [TLS_VERSION_TLS11] = "tlsv1_1",
        [TLS_VERSION_TLS12] = "tlsv1_2", [TLS_VERSION_TLS13] = "tlsv1_3"};
    return keys[version];
}

static void put_session_counts(struct reference_build *build, json_t *event,
                               const struct counters *counters)
{
    json_t *sessions = json_object(), *outcomes = json_object(), *versions = json_object();
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        reference_put_number(build, outcomes, word_outcome((enum outcome)i), counters->outcomes[i]);
    for (unsigned i = TLS_VERSION_NONE + 1; i < TLS_VERSION_COUNT; i++)
        reference_put_number(build, versions, version_key((enum tls_version)i),
                             counters->versions[i]);
    reference_put_number(build, sessions, "total", counters->sessions);
    reference_put(build, sessions, "outcomes", outcomes);
    reference_put(build, sessions, "versions", versions);
    reference_put(build, event, "sessions", sessions);
}

static void put_drops(struct reference_build *build, json_t *event, const struct stats_facts *facts)
{
    if (!facts->live)
        return;
    json_t *drops = json_object();
    reference_put_number(build, drops, "received", facts->kernel_received);
    reference_put_number(build, drops, "kernel", facts->kernel_dropped);
    reference_put_number(build, drops, "interface", facts->interface_dropped);
    reference_put(build, event, "drops", drops);
}

static void fill_stats(struct reference_build *build, json_t *event, const void *subject)
{
    const struct stats_subject *stats = subject;
    const struct counters *counters = stats->counters;
    char time[TEXT_TIME];
    reference_put_word(build, event, "time", text_time(stats->facts->time_ns, time));
    reference_put_word(build, event, "started", text_time(stats->facts->started_ns, time));
    reference_put_sensor(build, event, stats->facts->sensor, stats->facts->interface, NULL);
    reference_put_number(build, event, "packets", counters->packets);
    reference_put_number(build, event, "bytes", counters->bytes);
    put_drops(build, event, stats->facts);
    json_t *flows = json_object(), *limits = json_object();
    put_counters(build, flows, counters, flow_keys, sizeof flow_keys / sizeof flow_keys[0]);
    reference_put(build, event, "flows", flows);
    put_session_counts(build, event, counters);
    put_counters(build, limits, counters, limit_keys, sizeof limit_keys / sizeof limit_keys[0]);
    reference_put(build, event, "counters", limits);
    reference_put_number(build, event, "bytes_held", stats->facts->bytes_held);
    if (stats->facts->quiet_ns >= 0)
        reference_put_number(build, event, "quiet_s",
                             (uint64_t)text_seconds(stats->facts->quiet_ns));
}

static void reference_write_stats(struct reference_line *line, const struct counters *counters,
                                  const struct stats_facts *facts)
{
    struct stats_subject subject = {.counters = counters, .facts = facts};
    reference_write(line, "stats", fill_stats, &subject);
}

#endif
