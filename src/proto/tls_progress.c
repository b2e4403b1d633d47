/* SPDX-License-Identifier: BSD-2-Clause */
/* From record types and lengths to the verdict: established, failed, or not decided. */
#include "proto/tls_names.h"
#include "proto/tls_progress.h"
#include "proto/tls_record.h"

void tls_progress_chosen(struct tls_progress *p, enum tls_version version, uint16_t cipher)
{
    p->chosen = true;
    p->tls13 = version == TLS_VERSION_TLS13;
    p->hash = (uint8_t)tls13_hash_size(cipher);
    p->tag = (uint8_t)tls13_tag_size(cipher);
}

void tls_progress_retry(struct tls_progress *p)
{
    p->tls13 = true;
}

static void decide(struct tls_progress *p, enum tls_verdict verdict, enum side by)
{
    if (p->verdict != TLS_UNDECIDED)
        return;
    p->verdict = (uint8_t)verdict;
    p->failed_by = (uint8_t)by;
}

/* TLSInnerPlaintext of an alert: level, description, content type, and the tag (RFC 8446 5.2). */
static unsigned alert_length(const struct tls_progress *p)
{
    return 3u + p->tag;
}

/* Handshake header, verify_data, content type, tag: the least that the client's last flight takes (RFC 8446 4.4.4). */
static unsigned finished_length(const struct tls_progress *p)
{
    return 4u + p->hash + 1u + p->tag;
}

/* After a hole an alert's length says nothing: what established the session may be in the hole, and this its close_notify. */
static void fail_by_shape(struct tls_progress *p, enum side from)
{
    if (p->gap)
        return;
    p->alert_by_shape = true;
    decide(p, TLS_FAILED, from);
}

static void record_13(struct tls_progress *p, enum side from, uint16_t length)
{
    bool alert = length == alert_length(p);
    if (!p->client_finished) {
        if (alert)
            fail_by_shape(p, from);
        else if (from == SIDE_CLIENT && (length >= finished_length(p) || p->gap))
            p->client_finished = true;
        return;
    }
    if (from == SIDE_SERVER && alert)
        fail_by_shape(p, from);
    else if (from == SIDE_SERVER || (alert && !p->gap))
        decide(p, TLS_ESTABLISHED, from);
}

/* SSLv3 to TLS 1.2: both sides changed their cipher and sent a Finished; across a gap, data of both sides say the same. */
static void record_12(struct tls_progress *p, enum side from, uint8_t type)
{
    if (type == TLS_CHANGE_CIPHER_SPEC)
        p->ccs[from] = true;
    else if (type == TLS_HANDSHAKE && p->ccs[from])
        p->finished[from] = true;
    else if (type == TLS_APPLICATION_DATA)
        p->data[from] = true;
    if ((p->finished[SIDE_CLIENT] && p->finished[SIDE_SERVER]) ||
        (p->gap && p->chosen && p->data[SIDE_CLIENT] && p->data[SIDE_SERVER]))
        decide(p, TLS_ESTABLISHED, from);
}

void tls_progress_record(struct tls_progress *p, enum side from, uint8_t type, uint16_t length)
{
    if (p->verdict != TLS_UNDECIDED)
        return;
    if (!p->tls13)
        record_12(p, from, type);
    else if (type == TLS_APPLICATION_DATA && p->chosen) /* before it, it is early data */
        record_13(p, from, length);
}

void tls_progress_fatal(struct tls_progress *p, enum side from)
{
    decide(p, TLS_FAILED, from);
}

void tls_progress_close(struct tls_progress *p, enum side from, bool reset)
{
    if (p->gap)
        return; /* what would have decided may be in the hole */
    if (p->tls13 && p->client_finished && from == SIDE_CLIENT) {
        if (!reset)
            decide(p, TLS_ESTABLISHED, from); /* it was content, and left */
        return;
    }
    decide(p, TLS_FAILED, from);
}

void tls_progress_gap(struct tls_progress *p)
{
    p->gap = true;
}
