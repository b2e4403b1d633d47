/* SPDX-License-Identifier: BSD-2-Clause */
/* --format ocsf: class Network Activity (4001) of the Open Cybersecurity Schema Framework with its
 * tls object; what it has no attribute for stands under `unmapped`. */
#include "base/text.h"
#include "proto/tls_hello.h"
#include "proto/tls_names.h"
#include "writer/fact.h"

#define OCSF_VERSION "1.5.0"
#define SMTP(member) offsetof(struct smtp_facts, member)

#define VALUE(name)                                                                                \
    static void name(struct event_build *build, const struct event_field *field,                   \
                     const struct record *record)

enum { NETWORK_CATEGORY = 4, NETWORK_ACTIVITY = 4001 };
enum activity { ACTIVITY_CLOSE = 2, ACTIVITY_RESET = 3, ACTIVITY_FAIL = 4, ACTIVITY_TRAFFIC = 6 };

/* ---- what the class classifies by */

/* A handshake that failed, a connection that ended, or else what was seen of one. */
static enum activity activity_of(const struct record *record)
{
    if (record->outcome == OUTCOME_TLS_FAILED)
        return ACTIVITY_FAIL;
    switch (record->end) {
    case END_RST: return ACTIVITY_RESET;
    case END_FIN:
    case END_TIMEOUT: return ACTIVITY_CLOSE;
    default: return ACTIVITY_TRAFFIC;
    }
}

VALUE(put_activity)
{
    event_put_number(build, field->key, activity_of(record));
}

VALUE(put_type)
{
    event_put_number(build, field->key, NETWORK_ACTIVITY * 100U + activity_of(record));
}

/* By the class of the findings: attack High, exposure Medium, else Informational. */
VALUE(put_severity)
{
    unsigned severity = 1;
    for (unsigned i = 0; i < FINDING_COUNT && record->findings >> i; i++) {
        if (!(record->findings >> i & 1))
            continue;
        enum finding_class class = word_finding_class((enum finding)i);
        unsigned of = class == FINDING_ATTACK ? 4 : class == FINDING_EXPOSURE ? 3 : 1;
        severity = of > severity ? of : severity;
    }
    event_put_number(build, field->key, severity);
}

VALUE(put_status)
{
    unsigned status = record->outcome == OUTCOME_TLS || record->outcome == OUTCOME_PLAINTEXT ? 1
                      : record->outcome == OUTCOME_TLS_FAILED                                ? 2
                                                                                             : 0;
    event_put_number(build, field->key, status);
}

/* ---- values that OCSF spells in its own way */

static uint64_t milliseconds(int64_t ns)
{
    return ns > 0 ? (uint64_t)ns / 1000000 : 0;
}

VALUE(put_start)
{
    event_put_number(build, field->key, milliseconds(record->time_ns));
}

VALUE(put_end)
{
    event_put_number(build, field->key, milliseconds(record->time_ns + record->duration_ns));
}

VALUE(put_direction_id)
{
    static const uint8_t ids[] = {[DIRECTION_NONE] = 0,
                                  [DIRECTION_INBOUND] = 1,
                                  [DIRECTION_OUTBOUND] = 2,
                                  [DIRECTION_INTERNAL] = 3,
                                  [DIRECTION_EXTERNAL] = 99};
    event_put_number(build, field->key, ids[record->direction]);
}

VALUE(put_ip_version)
{
    event_put_number(build, field->key, record->family);
}

VALUE(put_protocol)
{
    event_put_string(build, field->key,
                     record->outcome == OUTCOME_NOT_SMTP ? record->protocol : "smtp");
}

/* The version is required; where none was chosen it says so. */
VALUE(put_version)
{
    char name[TLS_VERSION_NAME];
    const struct tls_facts *tls = fact_tls(record);
    const char *version =
        tls->have_server_hello && tls->version ? tls_version_name(tls->version, name) : NULL;
    if (record->tls)
        event_put_word(build, field->key, version ? version : "unknown");
}

/* A fingerprint object of MD5. */
static void put_md5(struct event_build *build, const char *key, const struct fingerprint *fingerprint)
{
    if (!fingerprint->have_ja3)
        return;
    size_t opened = event_open(build, key);
    event_put_number(build, "algorithm_id", 1);
    event_put_word(build, "algorithm", "MD5");
    event_put_hex(build, "value", fingerprint->ja3, sizeof fingerprint->ja3);
    event_close(build, opened);
}

VALUE(put_ja3)
{
    put_md5(build, field->key, tls_side_fingerprint(&fact_tls(record)->client));
}

VALUE(put_ja3s)
{
    put_md5(build, field->key, tls_side_fingerprint(&fact_tls(record)->server));
}

VALUE(put_ja4)
{
    const char *ja4 = tls_side_fingerprint(&fact_tls(record)->client)->ja4;
    if (!*ja4)
        return;
    size_t opened = event_open_list(build, field->key);
    size_t one = event_open(build, NULL);
    event_put_number(build, "type_id", 1);
    event_put_word(build, "type", "JA4");
    event_put_word(build, "value", ja4);
    event_close(build, one);
    event_close_list(build, opened);
}

/* The object requires issuer and serial_number: none of a certificate that could not be read. */
VALUE(put_fingerprints)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (!certificate)
        return;
    size_t opened = event_open_list(build, field->key);
    size_t one = event_open(build, NULL);
    event_put_number(build, "algorithm_id", 3);
    event_put_word(build, "algorithm", "SHA-256");
    event_put_hex(build, "value", certificate->sha256, sizeof certificate->sha256);
    event_close(build, one);
    event_close_list(build, opened);
}

VALUE(put_sans)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (!certificate)
        return;
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < certificate->name_count; i++) {
        if (build->listed++ >= build->list_most) {
            build->cut = true;
            break;
        }
        size_t one = event_open(build, NULL);
        event_put_string(build, "name", certificate->names[i]);
        event_put_word(build, "type",
                       certificate->name_kinds[i] == CERTIFICATE_DNS_NAME ? "DNS" : "IP");
        event_close(build, one);
    }
    event_close_list_used(build, opened);
}

VALUE(put_not_before)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate && certificate->not_before >= 0)
        event_put_number(build, field->key, (uint64_t)certificate->not_before * 1000);
}

VALUE(put_not_after)
{
    const struct certificate *certificate = fact_certificate(field->at, record);
    if (certificate && certificate->not_after >= 0 && certificate->not_after != INT64_MAX)
        event_put_number(build, field->key, (uint64_t)certificate->not_after * 1000);
}

VALUE(put_vlans)
{
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++) {
        char id[TEXT_NUMBER + 1];
        id[text_number(record->vlan[i], id)] = '\0';
        event_add_word(build, id);
    }
    event_close_list_used(build, opened);
}

/* ---- the table */

static const struct fact_path paths[] = {
    {"activity_id", put_activity, 0, NULL},
    {"category_uid", fact_number, NETWORK_CATEGORY, NULL},
    {"class_uid", fact_number, NETWORK_ACTIVITY, NULL},
    {"type_uid", put_type, 0, NULL},
    {"severity_id", put_severity, 0, NULL},
    {"status_id", put_status, 0, NULL},
    {"status_detail", fact_reason, 0, NULL},
    {"time", put_start, 0, NULL},
    {"start_time", put_start, 0, NULL},
    {"end_time", put_end, 0, NULL},
    {"duration", fact_duration_ms, 0, NULL},
    {"metadata.version", NULL, 0, OCSF_VERSION},
    {"metadata.uid", fact_uid, 0, NULL},
    {"metadata.product.name", NULL, 0, "mxtap"},
    {"metadata.product.vendor_name", NULL, 0, "mxtap"},
    {"metadata.product.version", NULL, 0, MXTAP_VERSION},
    {"metadata.log_provider", fact_sensor, 0, NULL},
    {"app_protocol_name", put_protocol, 0, NULL},
    {"connection_info.uid", fact_uid, 0, NULL},
    {"connection_info.community_uid", fact_community_id, 0, NULL},
    {"connection_info.direction_id", put_direction_id, 0, NULL},
    {"connection_info.direction", fact_direction, 0, NULL},
    {"connection_info.protocol_name", NULL, 0, "tcp"},
    {"connection_info.protocol_num", fact_number, 6, NULL},
    {"connection_info.protocol_ver_id", put_ip_version, 0, NULL},
    {"src_endpoint.ip", fact_client_ip, 0, NULL},
    {"src_endpoint.port", fact_client_port, 0, NULL},
    {"src_endpoint.proxy_endpoint.ip", fact_proxy_ip, 0, NULL},
    {"src_endpoint.proxy_endpoint.port", fact_proxy_port, 0, NULL},
    {"dst_endpoint.ip", fact_server_ip, 0, NULL},
    {"dst_endpoint.port", fact_server_port, 0, NULL},
    {"dst_endpoint.hostname", fact_server_name, 0, NULL},
    {"traffic.bytes", fact_bytes, 0, NULL},
    {"traffic.bytes_out", fact_client_bytes, 0, NULL},
    {"traffic.bytes_in", fact_server_bytes, 0, NULL},
    {"tls.version", put_version, 0, NULL},
    {"tls.cipher", fact_cipher, 0, NULL},
    {"tls.sni", fact_server_name, 0, NULL},
    {"tls.alert", fact_alert_code, 0, NULL},
    {"tls.handshake_dur", fact_handshake_ms, 0, NULL},
    {"tls.ja3_hash", put_ja3, 0, NULL},
    {"tls.ja3s_hash", put_ja3s, 0, NULL},
    {"tls.client_ciphers", fact_offered_ciphers, 0, NULL},
    {"tls.certificate.subject", fact_subject, FACT_SERVER, NULL},
    {"tls.certificate.issuer", fact_issuer, FACT_SERVER, NULL},
    {"tls.certificate.serial_number", fact_serial, FACT_SERVER, NULL},
    {"tls.certificate.created_time", put_not_before, FACT_SERVER, NULL},
    {"tls.certificate.expiration_time", put_not_after, FACT_SERVER, NULL},
    {"tls.certificate.is_self_signed", fact_self_signed, FACT_SERVER, NULL},
    {"tls.certificate.sans", put_sans, FACT_SERVER, NULL},
    {"tls.certificate.fingerprints", put_fingerprints, FACT_SERVER, NULL},
    {"ja4_fingerprint_list", put_ja4, 0, NULL},
    {"unmapped.outcome", fact_outcome, 0, NULL},
    {"unmapped.end.how", fact_end_how, 0, NULL},
    {"unmapped.end.from", fact_end_from, 0, NULL},
    {"unmapped.incomplete", fact_incomplete, 0, NULL},
    {"unmapped.findings", fact_findings, 0, NULL},
    {"unmapped.finding_classes", fact_finding_classes, 0, NULL},
    {"unmapped.interface", fact_interface, 0, NULL},
    {"unmapped.file", fact_file, 0, NULL},
    {"unmapped.vlan", put_vlans, 0, NULL},
    {"unmapped.smtp.banner", fact_smtp_text, SMTP(banner), NULL},
    {"unmapped.smtp.server_name", fact_smtp_text, SMTP(server_name), NULL},
    {"unmapped.smtp.hello", fact_hello, 0, NULL},
    {"unmapped.smtp.client_name", fact_smtp_text, SMTP(client_name), NULL},
    {"unmapped.smtp.starttls", fact_starttls, 0, NULL},
    {"unmapped.smtp.starttls_reply.code", fact_smtp_count, SMTP(reply_code), NULL},
    {"unmapped.smtp.starttls_reply.text", fact_smtp_text, SMTP(reply_text), NULL},
    {"unmapped.smtp.mail_in_clear", fact_mail_in_clear, 0, NULL},
    {"unmapped.smtp.auth_in_clear", fact_smtp_text, SMTP(mechanism), NULL},
    {"unmapped.smtp.sender_domains", fact_smtp_split, SMTP(sender_domains), NULL},
    {"unmapped.smtp.recipient_domains", fact_smtp_split, SMTP(recipient_domains), NULL},
    {"unmapped.tls.established", fact_established, 0, NULL},
    {"unmapped.tls.group", fact_group, 0, NULL},
    {"unmapped.tls.limited_by", fact_limited_by, 0, NULL},
    {"unmapped.tls.resumed", fact_resumed, 0, NULL},
    {"unmapped.tls.alert.from", fact_alert_from, 0, NULL},
    {"unmapped.tls.alert.name", fact_alert_name, 0, NULL},
    {"unmapped.tls.alert.encrypted", fact_alert_encrypted, 0, NULL},
    {"unmapped.tls.client.max_version", fact_max_version, 0, NULL},
    {"unmapped.tls.client.forward_secrecy", fact_client_flag, TLS_OFFERS_FORWARD_SECRECY, NULL},
    {"unmapped.tls.client.post_quantum", fact_client_flag, TLS_OFFERS_POST_QUANTUM, NULL},
    {"unmapped.tls.server.supports", fact_supports, 0, NULL},
    {"unmapped.fallback_of.uid", fact_fallback_uid, 0, NULL},
    {"unmapped.cut", fact_cut, 0, NULL},
};

static void fill(struct event_build *build, const void *subject)
{
    fact_put_paths(build, FACT_PATHS(paths), subject);
}

void ocsf_write_session(struct line *line, const struct record *record)
{
    event_write(line, NULL, fill, record);
}
