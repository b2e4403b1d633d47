/* SPDX-License-Identifier: BSD-2-Clause */
/* --format ecs: events in the words of the Elastic Common Schema 9; what it has no word for stands
 * under `mxtap`. */
#include <string.h>

#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/fact.h"

#define ECS_VERSION  "9.0.0"
#define SMTP(member) offsetof(struct smtp_facts, member)

#define VALUE(name)                                                                                \
    static void name(struct event_build *build, const struct event_field *field,                   \
                     const struct record *record)

/* ---- values that ECS spells in its own way */

VALUE(put_category)
{
    (void)record;
    size_t opened = event_open_list(build, field->key);
    event_add_word(build, "network");
    event_add_word(build, "email");
    event_close_list(build, opened);
}

VALUE(put_type)
{
    (void)record;
    size_t opened = event_open_list(build, field->key);
    event_add_word(build, "connection");
    event_add_word(build, "protocol");
    event_close_list(build, opened);
}

/* Mail or TLS came about, or TLS failed; of the rest nothing can be said. */
VALUE(put_event_outcome)
{
    const char *word = "unknown";
    if (record->outcome == OUTCOME_TLS || record->outcome == OUTCOME_PLAINTEXT)
        word = "success";
    else if (record->outcome == OUTCOME_TLS_FAILED)
        word = "failure";
    event_put_word(build, field->key, word);
}

VALUE(put_duration_ns)
{
    event_put_number(build, field->key,
                     record->duration_ns > 0 ? (uint64_t)record->duration_ns : 0);
}

VALUE(put_network_type)
{
    event_put_word(build, field->key, record->family == 6 ? "ipv6" : "ipv4");
}

/* ECS wants it in lower case. */
VALUE(put_network_protocol)
{
    char name[32];
    size_t i = 0;
    if (record->outcome != OUTCOME_NOT_SMTP) {
        event_put_word(build, field->key, "smtp");
        return;
    }
    if (!record->protocol)
        return;
    for (const char *at = record->protocol; *at && i < sizeof name - 1; at++)
        name[i++] = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    name[i] = '\0';
    event_put_string(build, field->key, name);
}

/* at: which one, the outermost first */
VALUE(put_vlan)
{
    char id[TEXT_NUMBER + 1];
    if (field->at >= record->vlans || field->at >= SEGMENT_VLANS)
        return;
    id[text_number(record->vlan[field->at], id)] = '\0';
    event_put_word(build, field->key, id);
}

VALUE(put_related_ip)
{
    size_t opened = event_open_list(build, field->key);
    fact_client_ip(build, &(struct event_field){.key = NULL}, record);
    fact_server_ip(build, &(struct event_field){.key = NULL}, record);
    fact_proxy_ip(build, &(struct event_field){.key = NULL}, record);
    event_close_list(build, opened);
}

VALUE(put_related_hosts)
{
    const struct smtp_facts *smtp = fact_smtp(record);
    size_t opened = event_open_list(build, field->key);
    event_put_text(build, NULL, record_text(record, smtp->client_name));
    event_put_text(build, NULL, record_text(record, smtp->server_name));
    event_put_text(build, NULL, record_text(record, fact_tls(record)->server_name));
    event_close_list_used(build, opened);
}

/* "tls" and "1.2": ECS has the name and the number apart. */
VALUE(put_version_number)
{
    static const char *const numbers[TLS_VERSION_COUNT] = {
        [TLS_VERSION_SSL2] = "2.0",  [TLS_VERSION_SSL3] = "3.0",  [TLS_VERSION_TLS10] = "1.0",
        [TLS_VERSION_TLS11] = "1.1", [TLS_VERSION_TLS12] = "1.2", [TLS_VERSION_TLS13] = "1.3"};
    const struct tls_facts *tls = fact_tls(record);
    if (tls->have_server_hello && tls->version)
        event_put_word(build, field->key, numbers[tls_version_rank(tls->version)]);
}

VALUE(put_version_protocol)
{
    const struct tls_facts *tls = fact_tls(record);
    enum tls_version rank =
        tls->have_server_hello && tls->version ? tls_version_rank(tls->version) : TLS_VERSION_NONE;
    if (rank != TLS_VERSION_NONE)
        event_put_word(build, field->key, rank < TLS_VERSION_TLS10 ? "ssl" : "tls");
}

/* ---- the table */

#define X509(side, at)                                                                             \
    {side ".hash.sha256", fact_sha256_upper, at, NULL}, {side ".subject", fact_subject, at, NULL}, \
        {side ".issuer", fact_issuer, at, NULL}, {side ".not_before", fact_not_before, at, NULL},  \
        {side ".not_after", fact_not_after, at, NULL},                                             \
        {side ".x509.subject.distinguished_name", fact_subject, at, NULL},                         \
        {side ".x509.subject.common_name", fact_common_name, at, NULL},                            \
        {side ".x509.issuer.distinguished_name", fact_issuer, at, NULL},                           \
        {side ".x509.serial_number", fact_serial, at, NULL},                                       \
        {side ".x509.alternative_names", fact_names, at, NULL},                                    \
        {side ".x509.not_before", fact_not_before, at, NULL},                                      \
        {side ".x509.not_after", fact_not_after, at, NULL},                                        \
        {side ".x509.public_key_algorithm", fact_key, at, NULL},                                   \
        {side ".x509.public_key_size", fact_key_bits, at, NULL},                                   \
    {                                                                                              \
        side ".x509.signature_algorithm", fact_signature, at, NULL                                 \
    }

static const struct fact_path session_paths[] = {
    {"@timestamp", fact_time, 0, NULL},
    {"ecs.version", NULL, 0, ECS_VERSION},
    {"event.id", fact_uid, 0, NULL},
    {"event.kind", NULL, 0, "event"},
    {"event.category", put_category, 0, NULL},
    {"event.type", put_type, 0, NULL},
    {"event.action", fact_outcome, 0, NULL},
    {"event.outcome", put_event_outcome, 0, NULL},
    {"event.reason", fact_reason, 0, NULL},
    {"event.module", NULL, 0, "mxtap"},
    {"event.dataset", NULL, 0, "mxtap.session"},
    {"event.duration", put_duration_ns, 0, NULL},
    {"observer.name", fact_sensor, 0, NULL},
    {"observer.ingress.interface.name", fact_interface, 0, NULL},
    {"observer.type", NULL, 0, "sensor"},
    {"observer.product", NULL, 0, "mxtap"},
    {"observer.version", NULL, 0, MXTAP_VERSION},
    {"network.community_id", fact_community_id, 0, NULL},
    {"network.direction", fact_direction, 0, NULL},
    {"network.transport", NULL, 0, "tcp"},
    {"network.type", put_network_type, 0, NULL},
    {"network.protocol", put_network_protocol, 0, NULL},
    {"network.bytes", fact_bytes, 0, NULL},
    {"network.vlan.id", put_vlan, 0, NULL},
    {"network.inner.vlan.id", put_vlan, 1, NULL},
    {"source.ip", fact_client_ip, 0, NULL},
    {"source.port", fact_client_port, 0, NULL},
    {"source.bytes", fact_client_bytes, 0, NULL},
    {"source.nat.ip", fact_proxy_ip, 0, NULL},
    {"source.nat.port", fact_proxy_port, 0, NULL},
    {"destination.ip", fact_server_ip, 0, NULL},
    {"destination.port", fact_server_port, 0, NULL},
    {"destination.bytes", fact_server_bytes, 0, NULL},
    {"destination.domain", fact_server_name, 0, NULL},
    {"related.ip", put_related_ip, 0, NULL},
    {"related.hosts", put_related_hosts, 0, NULL},
    {"tls.version", put_version_number, 0, NULL},
    {"tls.version_protocol", put_version_protocol, 0, NULL},
    {"tls.cipher", fact_cipher, 0, NULL},
    {"tls.curve", fact_group, 0, NULL},
    {"tls.established", fact_established, 0, NULL},
    {"tls.resumed", fact_resumed, 0, NULL},
    {"tls.next_protocol", fact_server_alpn, 0, NULL},
    {"tls.client.server_name", fact_server_name, 0, NULL},
    {"tls.client.ja3", fact_ja3, 0, NULL},
    {"tls.client.supported_ciphers", fact_offered_ciphers, 0, NULL},
    X509("tls.client", FACT_CLIENT),
    {"tls.server.ja3s", fact_ja3s, 0, NULL},
    X509("tls.server", FACT_SERVER),
    {"mxtap.outcome", fact_outcome, 0, NULL},
    {"mxtap.end.how", fact_end_how, 0, NULL},
    {"mxtap.end.from", fact_end_from, 0, NULL},
    {"mxtap.incomplete", fact_incomplete, 0, NULL},
    {"mxtap.findings", fact_findings, 0, NULL},
    {"mxtap.finding_classes", fact_finding_classes, 0, NULL},
    {"mxtap.file", fact_file, 0, NULL},
    {"mxtap.smtp.banner", fact_smtp_text, SMTP(banner), NULL},
    {"mxtap.smtp.banner_code", fact_smtp_count, SMTP(banner_code), NULL},
    {"mxtap.smtp.server_name", fact_smtp_text, SMTP(server_name), NULL},
    {"mxtap.smtp.hello", fact_hello, 0, NULL},
    {"mxtap.smtp.client_name", fact_smtp_text, SMTP(client_name), NULL},
    {"mxtap.smtp.starttls", fact_starttls, 0, NULL},
    {"mxtap.smtp.starttls_reply.code", fact_smtp_count, SMTP(reply_code), NULL},
    {"mxtap.smtp.starttls_reply.text", fact_smtp_text, SMTP(reply_text), NULL},
    {"mxtap.smtp.starttls_attempts", fact_smtp_count, SMTP(attempts), NULL},
    {"mxtap.smtp.mail_in_clear", fact_mail_in_clear, 0, NULL},
    {"mxtap.smtp.auth_in_clear", fact_smtp_text, SMTP(mechanism), NULL},
    {"mxtap.smtp.sender_domains", fact_smtp_split, SMTP(sender_domains), NULL},
    {"mxtap.smtp.recipient_domains", fact_smtp_split, SMTP(recipient_domains), NULL},
    {"mxtap.tls.version", fact_version, 0, NULL},
    {"mxtap.tls.limited_by", fact_limited_by, 0, NULL},
    {"mxtap.tls.hello_retry", fact_hello_retry, 0, NULL},
    {"mxtap.tls.handshake_ms", fact_handshake_ms, 0, NULL},
    {"mxtap.tls.alert.from", fact_alert_from, 0, NULL},
    {"mxtap.tls.alert.code", fact_alert_code, 0, NULL},
    {"mxtap.tls.alert.name", fact_alert_name, 0, NULL},
    {"mxtap.tls.alert.encrypted", fact_alert_encrypted, 0, NULL},
    {"mxtap.tls.client.max_version", fact_max_version, 0, NULL},
    {"mxtap.tls.client.alpn", fact_client_alpn, 0, NULL},
    {"mxtap.tls.client.forward_secrecy", fact_client_flag, TLS_OFFERS_FORWARD_SECRECY, NULL},
    {"mxtap.tls.client.post_quantum", fact_client_flag, TLS_OFFERS_POST_QUANTUM, NULL},
    {"mxtap.tls.client.ja4", fact_ja4, 0, NULL},
    {"mxtap.tls.client.versions", fact_offered_versions, 0, NULL},
    {"mxtap.tls.client.groups", fact_offered_groups, 0, NULL},
    {"mxtap.tls.client.signature_algorithms", fact_offered_signatures, 0, NULL},
    {"mxtap.tls.server.supports", fact_supports, 0, NULL},
    {"mxtap.tls.server.self_signed", fact_self_signed, FACT_SERVER, NULL},
    {"mxtap.fallback_of.uid", fact_fallback_uid, 0, NULL},
    {"mxtap.fallback_of.community_id", fact_fallback_community_id, 0, NULL},
    {"mxtap.fallback_of.time", fact_fallback_time, 0, NULL},
    {"mxtap.cut", fact_cut, 0, NULL},
};

static void fill_session(struct event_build *build, const void *subject)
{
    fact_put_paths(build, FACT_PATHS(session_paths), subject);
}

void ecs_write_session(struct line *line, const struct record *record)
{
    event_write(line, NULL, fill_session, record);
}

/* ---- stats: a metric; ECS has no fields for it but event.* and observer.* */

struct stats_subject {
    const struct counters *counters;
    const struct stats_facts *facts;
};

static void put_observer(struct event_build *build, const struct stats_facts *facts)
{
    size_t observer = event_open(build, "observer");
    event_put_string(build, "name", facts->sensor);
    if (facts->interface) {
        size_t ingress = event_open(build, "ingress");
        size_t interface = event_open(build, "interface");
        event_put_string(build, "name", facts->interface);
        event_close(build, interface);
        event_close(build, ingress);
    }
    event_put_word(build, "type", "sensor");
    event_put_word(build, "product", "mxtap");
    event_put_word(build, "version", MXTAP_VERSION);
    event_close(build, observer);
}

static void put_event(struct event_build *build)
{
    size_t ecs = event_open(build, "ecs");
    event_put_word(build, "version", ECS_VERSION);
    event_close(build, ecs);
    size_t event = event_open(build, "event");
    event_put_word(build, "kind", "metric");
    size_t category = event_open_list(build, "category");
    event_add_word(build, "network");
    event_close_list(build, category);
    size_t type = event_open_list(build, "type");
    event_add_word(build, "info");
    event_close_list(build, type);
    event_put_word(build, "module", "mxtap");
    event_put_word(build, "dataset", "mxtap.stats");
    event_close(build, event);
}

#define COUNTER(name, member)                                                                      \
    {                                                                                              \
        name, offsetof(struct counters, member)                                                    \
    }
static const struct {
    const char *key;
    size_t at; /* in struct counters */
} stats_keys[] = {
    COUNTER("packets", packets),
    COUNTER("bytes", bytes),
    COUNTER("sessions", sessions),
    COUNTER("flows_open", flows_open),
    COUNTER("flows_evicted", flows_evicted),
    COUNTER("flows_without_payload", flows_without_payload),
    COUNTER("flows_unproven", flows_unproven),
    COUNTER("gaps", gaps),
    COUNTER("packets_malformed", packets_malformed),
    COUNTER("packets_truncated", packets_truncated),
    COUNTER("history_forgotten", history_forgotten),
    COUNTER("memory_failures", memory_failures),
    COUNTER("events_lost", events_lost),
};

static void put_figures(struct event_build *build, const struct stats_subject *stats)
{
    for (size_t i = 0; i < sizeof stats_keys / sizeof stats_keys[0]; i++) {
        const void *counter = (const char *)stats->counters + stats_keys[i].at;
        event_put_number(build, stats_keys[i].key, *(const uint64_t *)counter);
    }
    size_t outcomes = event_open(build, "outcomes");
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        event_put_number(build, word_outcome((enum outcome)i), stats->counters->outcomes[i]);
    event_close(build, outcomes);
    event_put_number(build, "bytes_held", stats->facts->bytes_held);
    if (stats->facts->quiet_ns >= 0)
        event_put_number(build, "quiet_s", (uint64_t)text_seconds(stats->facts->quiet_ns));
    if (!stats->facts->live)
        return;
    size_t drops = event_open(build, "drops");
    event_put_number(build, "received", stats->facts->kernel_received);
    event_put_number(build, "kernel", stats->facts->kernel_dropped);
    event_put_number(build, "interface", stats->facts->interface_dropped);
    event_close(build, drops);
}

static void fill_stats(struct event_build *build, const void *subject)
{
    const struct stats_subject *stats = subject;
    event_put_time(build, "@timestamp", stats->facts->time_ns);
    put_event(build);
    put_observer(build, stats->facts);
    size_t mxtap = event_open(build, "mxtap");
    size_t figures = event_open(build, "stats");
    put_figures(build, stats);
    event_close(build, figures);
    event_close(build, mxtap);
}

void ecs_write_stats(struct line *line, const struct counters *counters,
                     const struct stats_facts *facts)
{
    struct stats_subject subject = {.counters = counters, .facts = facts};
    event_write(line, NULL, fill_stats, &subject);
}
