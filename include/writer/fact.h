/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record says as single values, for the tables of the foreign formats; private to them. */
#ifndef WRITER_FACT_H
#define WRITER_FACT_H

#include "writer/event.h"

/*
 * A row of a foreign format: where the value goes, as keys joined by dots, and what it is. Objects
 * are opened and closed on the way, and left out if nothing is put into them; so rows of one object
 * stand together.
 */
struct fact_path {
    const char *path;
    event_put *put;   /* writes the value under the last key, or leaves it out */
    size_t at;        /* for `put`: an offset or a number */
    const char *word; /* without `put`: the value itself */
};
void fact_put_paths(struct event_build *build, const struct fact_path *paths, size_t count,
                    const struct record *record);
#define FACT_PATHS(table) (table), sizeof(table) / sizeof((table)[0])

/* The record's parts; where there is none, one in which nothing was seen. */
const struct smtp_facts *fact_smtp(const struct record *record);
const struct tls_facts *fact_tls(const struct record *record);

/* ---- the session */
event_put fact_uid, fact_time, fact_community_id, fact_direction, fact_duration_ms;
event_put fact_sensor, fact_interface, fact_file;
event_put fact_client_ip, fact_client_port, fact_client_bytes;
event_put fact_server_ip, fact_server_port, fact_server_bytes;
event_put fact_proxy_ip, fact_proxy_port; /* who sent the packets, if not the client */
event_put fact_bytes;                     /* of both sides */
event_put fact_outcome, fact_end_how, fact_end_from, fact_incomplete, fact_protocol;
event_put fact_findings, fact_finding_classes; /* lists of words */
event_put fact_fallback_uid, fact_fallback_community_id, fact_fallback_time;
event_put fact_reason; /* why a handshake failed, in words */
event_put fact_number; /* the number in `at` */
event_put fact_cut;    /* true if something was cut so far: the last row */

/* ---- smtp; `at` is an offset in struct smtp_facts where it says so */
event_put fact_smtp_text;  /* at: a text_ref */
event_put fact_smtp_split; /* at: a text_ref with a list */
event_put fact_smtp_count; /* at: a uint16_t; 0 is left out */
event_put fact_hello, fact_starttls, fact_mail_in_clear;

/* ---- tls; `at` is the offset of client or server in struct tls_facts where it says so */
enum {
    FACT_CLIENT = offsetof(struct tls_facts, client),
    FACT_SERVER = offsetof(struct tls_facts, server)
};
event_put fact_established, fact_resumed, fact_hello_retry, fact_limited_by;
event_put fact_version, fact_cipher, fact_group;
event_put fact_handshake_ms; /* whole milliseconds */
event_put fact_server_alpn, fact_client_alpn, fact_server_name, fact_max_version, fact_supports;
event_put fact_client_flag; /* at: a bit of enum tls_hello_flag; only with a ClientHello */
event_put fact_ja3, fact_ja3s, fact_ja4;
event_put fact_offered_versions, fact_offered_ciphers, fact_offered_groups, fact_offered_signatures;
event_put fact_alert_from, fact_alert_code, fact_alert_name, fact_alert_encrypted;

/* ---- certificates: at says of which side */
const struct certificate *fact_certificate(size_t side,
                                           const struct record *record); /* readable, or NULL */
event_put fact_subject, fact_issuer, fact_serial, fact_names, fact_common_name;
event_put fact_not_before, fact_not_after, fact_key, fact_key_bits, fact_signature,
    fact_self_signed;
event_put fact_sha256_upper; /* also of one that could not be read */

#endif
