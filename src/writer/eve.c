/* SPDX-License-Identifier: BSD-2-Clause */
/* --format eve: the `smtp` and `tls` events of Suricata's EVE, and `stats`. A session has both
 * where both apply, under one flow_id. Its schema is closed: what it has no key for stands as words
 * in metadata.flowbits. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/fact.h"

#define VALUE(name)                                                                                \
    static void name(struct event_build *build, const struct event_field *field,                   \
                     const struct record *record)

/* 53 bits, so that readers that take numbers for doubles keep it. */
enum { FLOW_ID_BITS = 53 };

/* ---- values that EVE spells in its own way */

/* "2026-11-25T19:19:18.203301+0000" */
static void put_timestamp(struct event_build *build, const char *key, int64_t ns)
{
    char text[TEXT_TIME + 8];
    size_t length = strlen(text_time(ns, text));
    memcpy(text + length - 1, "+0000", sizeof "+0000");
    event_put_word(build, key, text);
}

VALUE(put_time)
{
    put_timestamp(build, field->key, record->time_ns);
}

VALUE(put_flow_id)
{
    event_put_number(build, field->key, record->uid & ((1ULL << FLOW_ID_BITS) - 1));
}

VALUE(put_vlans)
{
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++)
        event_put_number(build, NULL, record->vlan[i]);
    event_close_list_used(build, opened);
}

/* The addresses are those of the packets, as Suricata's are; its own field for a client named by
 * another header is xff, which is not in these events. */
VALUE(put_source_ip)
{
    (record->have_proxy ? fact_proxy_ip : fact_client_ip)(build, field, record);
}

VALUE(put_source_port)
{
    (record->have_proxy ? fact_proxy_port : fact_client_port)(build, field, record);
}

VALUE(put_ip_version)
{
    event_put_number(build, field->key, record->family);
}

static const char *version_word(uint16_t id, char out[TLS_VERSION_NAME])
{
    static const char *const words[TLS_VERSION_COUNT] = {
        [TLS_VERSION_SSL2] = "SSLv2",    [TLS_VERSION_SSL3] = "SSLv3",
        [TLS_VERSION_TLS10] = "TLSv1",   [TLS_VERSION_TLS11] = "TLS 1.1",
        [TLS_VERSION_TLS12] = "TLS 1.2", [TLS_VERSION_TLS13] = "TLS 1.3"};
    const char *word = id ? words[tls_version_rank(id)] : NULL;
    if (id && !word)
        snprintf(out, TLS_VERSION_NAME, "0x%04x", (unsigned)id);
    return word ? word : id ? out : NULL;
}

VALUE(put_version)
{
    char text[TLS_VERSION_NAME];
    const char *word =
        fact_tls(record)->have_server_hello ? version_word(record->tls->version, text) : NULL;
    event_put_word(build, field->key, word ? word : "UNDETERMINED");
}

VALUE(put_chosen_version)
{
    char text[TLS_VERSION_NAME];
    if (fact_tls(record)->have_server_hello)
        event_put_word(build, field->key, version_word(record->tls->version, text));
}

VALUE(put_chosen_cipher)
{
    if (fact_tls(record)->have_cipher)
        event_put_number(build, field->key, record->tls->cipher);
}

VALUE(put_offered_version)
{
    char text[TLS_VERSION_NAME];
    event_put_word(build, field->key, version_word(fact_tls(record)->client_max_version, text));
}

/* at: which list; with --offers. An SSLv2-format hello has ids of 3 bytes. */
VALUE(put_offered_ids)
{
    const struct tls_facts *tls = fact_tls(record);
    struct reader list = reader_of_slice(record_text(record, tls->offers[field->at]));
    bool wide = tls->client.flags & TLS_SSL2_FORMAT;
    size_t opened = event_open_list(build, field->key);
    for (;;) {
        uint32_t id = wide ? reader_u24(&list) : reader_u16(&list);
        if (list.bad)
            break;
        if (build->listed++ < build->list_most)
            event_put_number(build, NULL, id);
        else
            build->cut = true;
    }
    event_close_list_used(build, opened);
}

/* What TLS was begun in; TLS from the first byte was begun in nothing. */
VALUE(put_from_protocol)
{
    if (record->have_smtp && fact_smtp(record)->starttls != STARTTLS_IMPLICIT)
        event_put_word(build, field->key, "smtp");
}

/* "CD:5E:...", here of SHA-1 in Suricata; SHA-256 is what we have. */
VALUE(put_fingerprint)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    char text[3 * DIGEST_SHA256_SIZE + 1];
    if (!certificate)
        return;
    for (unsigned i = 0; i < DIGEST_SHA256_SIZE; i++)
        snprintf(text + 3 * i, 4, "%02x%s", certificate->sha256[i],
                 i + 1 < DIGEST_SHA256_SIZE ? ":" : "");
    event_put_word(build, field->key, text);
}

/* Without the Z, as the schema has it, and years of four digits from 1000 on. */
static void put_date(struct event_build *build, const char *key, int64_t seconds)
{
    char text[TEXT_TIME];
    size_t length = strlen(text_time_seconds(seconds, text));
    if (text[0] != '1' && text[0] != '2')
        return;
    text[length - 1] = '\0';
    event_put_word(build, key, text);
}

VALUE(put_not_before)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate && certificate->not_before != INT64_MIN)
        put_date(build, field->key, certificate->not_before);
}

VALUE(put_not_after)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate && certificate->not_after != INT64_MAX)
        put_date(build, field->key, certificate->not_after);
}

/* ---- words in metadata.flowbits */

static void add_bit(struct event_build *build, const char *key, const char *value)
{
    char text[80];
    if (!value)
        return;
    snprintf(text, sizeof text, "mxtap.%s.%s", key, value);
    event_add_word(build, text);
}

VALUE(put_bits)
{
    const struct tls_facts *tls = fact_tls(record);
    size_t opened = event_open_list(build, field->key);
    add_bit(build, "outcome", word_outcome(record->outcome));
    if (record->have_smtp && record->smtp)
        add_bit(build, "starttls", word_starttls((enum starttls)record->smtp->starttls));
    if (record->tls)
        add_bit(build, "established", tls->established ? "true" : "false");
    if (tls->have_server_hello)
        add_bit(build, "limited_by", word_side((enum side)tls->limited_by));
    if (tls->have_alert)
        add_bit(build, "alert",
                tls->alert_encrypted ? "encrypted" : tls_alert_name(tls->alert_code));
    add_bit(build, "direction", word_direction(record->direction));
    for (unsigned bit = 1; bit <= INCOMPLETE_ONE_SIDED; bit <<= 1)
        if (record->incomplete & bit)
            add_bit(build, "incomplete", event_incomplete_word((enum incomplete)bit));
    for (unsigned i = 0; i < FINDING_COUNT && record->findings >> i; i++)
        if (record->findings >> i & 1)
            add_bit(build, "finding", word_finding((enum finding)i));
    if (build->cut || record->cut)
        event_add_word(build, "mxtap.cut");
    event_close_list_used(build, opened);
}

/* flowints: its keys have dots, which are not objects here. */
VALUE(put_integers)
{
    size_t opened = event_open(build, field->key);
    event_put_number(build, "mxtap.client_bytes", record->client_bytes);
    event_put_number(build, "mxtap.server_bytes", record->server_bytes);
    event_put_count(build, "mxtap.mail_in_clear", fact_smtp(record)->mail_in_clear);
    event_close(build, opened);
}

/* ---- the tables */

#define HEAD(type, protocol)                                                                       \
    {"timestamp", put_time, 0, NULL}, {"flow_id", put_flow_id, 0, NULL},                           \
        {"event_type", NULL, 0, type}, {"host", fact_sensor, 0, NULL},                             \
        {"in_iface", fact_interface, 0, NULL}, {"pcap_filename", fact_file, 0, NULL},              \
        {"vlan", put_vlans, 0, NULL}, {"src_ip", put_source_ip, 0, NULL},                          \
        {"src_port", put_source_port, 0, NULL}, {"dest_ip", fact_server_ip, 0, NULL},              \
        {"dest_port", fact_server_port, 0, NULL}, {"ip_v", put_ip_version, 0, NULL},               \
        {"proto", NULL, 0, "TCP"}, {"app_proto", NULL, 0, protocol},                               \
    {                                                                                              \
        "community_id", fact_community_id, 0, NULL                                                 \
    }

#define TAIL                                                                                       \
    {"metadata.flowints", put_integers, 0, NULL},                                                  \
    {                                                                                              \
        "metadata.flowbits", put_bits, 0, NULL                                                     \
    }

#define CERTIFICATE(side, at)                                                                      \
    {side "subject", fact_subject, at, NULL}, {side "issuerdn", fact_issuer, at, NULL},            \
        {side "subjectaltname", fact_names, at, NULL}, {side "serial", fact_serial, at, NULL},     \
        {side "fingerprint", put_fingerprint, at, NULL},                                           \
        {side "notbefore", put_not_before, at, NULL},                                              \
    {                                                                                              \
        side "notafter", put_not_after, at, NULL                                                   \
    }

static const struct fact_path smtp_paths[] = {
    HEAD("smtp", "smtp"),
    {"smtp.helo", fact_smtp_text, offsetof(struct smtp_facts, client_name), NULL},
    TAIL,
};

static const struct fact_path tls_paths[] = {
    HEAD("tls", "tls"),
    CERTIFICATE("tls.", FACT_SERVER),
    {"tls.version", put_version, 0, NULL},
    {"tls.sni", fact_server_name, 0, NULL},
    {"tls.session_resumed", fact_resumed, 0, NULL},
    {"tls.from_proto", put_from_protocol, 0, NULL},
    {"tls.ja3.hash", fact_ja3, 0, NULL},
    {"tls.ja3s.hash", fact_ja3s, 0, NULL},
    {"tls.ja4", fact_ja4, 0, NULL},
    {"tls.client_alpns", fact_client_alpn, 0, NULL},
    {"tls.client_handshake.version", put_offered_version, 0, NULL},
    {"tls.client_handshake.ciphers", put_offered_ids, TLS_OFFER_CIPHERS, NULL},
    {"tls.client_handshake.sig_algs", put_offered_ids, TLS_OFFER_SIGNATURES, NULL},
    {"tls.server_handshake.version", put_chosen_version, 0, NULL},
    {"tls.server_handshake.cipher", put_chosen_cipher, 0, NULL},
    CERTIFICATE("tls.client.", FACT_CLIENT),
    TAIL,
};

static void fill_smtp(struct event_build *build, const void *subject)
{
    fact_put_paths(build, FACT_PATHS(smtp_paths), subject);
}

static void fill_tls(struct event_build *build, const void *subject)
{
    fact_put_paths(build, FACT_PATHS(tls_paths), subject);
}

/* Nothing for what is neither: EVE has no event for a session that was no mail. */
void eve_write_session(struct line *line, const struct record *record)
{
    if (record->have_smtp && fact_smtp(record)->starttls != STARTTLS_IMPLICIT)
        event_write(line, NULL, fill_smtp, record);
    if (record->tls)
        event_write(line, NULL, fill_tls, record);
}

/* ---- stats */

struct stats_subject {
    const struct counters *counters;
    const struct stats_facts *facts;
};

static void put_stats(struct event_build *build, const struct stats_subject *stats)
{
    if (stats->facts->live) {
        size_t capture = event_open(build, "capture");
        event_put_number(build, "kernel_packets", stats->facts->kernel_received);
        event_put_number(build, "kernel_drops", stats->facts->kernel_dropped);
        event_put_number(build, "kernel_ifdrops", stats->facts->interface_dropped);
        event_close(build, capture);
    }
    size_t decoder = event_open(build, "decoder");
    event_put_number(build, "pkts", stats->counters->packets);
    event_put_number(build, "bytes", stats->counters->bytes);
    event_put_number(build, "invalid", stats->counters->packets_malformed);
    event_close(build, decoder);
    size_t flow = event_open(build, "flow");
    event_put_number(build, "active", stats->counters->flows_open);
    event_put_number(build, "total", stats->counters->flows_opened);
    event_put_number(build, "memcap", stats->counters->flows_evicted);
    event_close(build, flow);
}

static void fill_stats(struct event_build *build, const void *subject)
{
    const struct stats_subject *stats = subject;
    put_timestamp(build, "timestamp", stats->facts->time_ns);
    event_put_word(build, "event_type", "stats");
    event_put_string(build, "host", stats->facts->sensor);
    event_put_string(build, "in_iface", stats->facts->interface);
    size_t opened = event_open(build, "stats");
    put_stats(build, stats);
    event_close(build, opened);
}

void eve_write_stats(struct line *line, const struct counters *counters,
                     const struct stats_facts *facts)
{
    struct stats_subject subject = {.counters = counters, .facts = facts};
    event_write(line, NULL, fill_stats, &subject);
}
