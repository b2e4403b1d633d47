/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks nDPI, through flow/classify, where the dialog alone does not tell: SMTP on any port, and what is not SMTP on a mail port. */
#include "session/state.h"

enum { JUDGE_FIRST = 512 /* bytes of the client's first payload that are kept to be shown later */ };

bool session_worth_judging(struct slice first)
{
    struct smtp_reply_line reply;
    struct smtp_command command;
    struct reader r = reader_of_slice(first);
    struct slice four = reader_bytes(&r, r.left < 4 ? r.left : 4), line = first;
    if (smtp_parse_reply(four, &reply))
        return reply.code == 220 || reply.code == 421 || reply.code == 554;
    const uint8_t *end = first.length ? memchr(first.data, '\n', first.length) : NULL;
    if (end)
        line.length = (size_t)(end - first.data);
    smtp_parse_command(line, &command);
    return command.verb == SMTP_EHLO || command.verb == SMTP_HELO || command.verb == SMTP_LHLO || command.verb == SMTP_MAIL;
}

/* A client that begins with something else than SMTP: nDPI needs its words, should the server turn out to be no mail server. */
static void keep_first(struct sessions *ss, struct session *s, struct slice payload)
{
    struct smtp_command command;
    struct slice head = {payload.data, payload.length < JUDGE_FIRST ? payload.length : JUDGE_FIRST};
    smtp_parse_command(head, &command);
    if (command.verb != SMTP_UNKNOWN && command.verb != SMTP_FOREIGN)
        return;
    if (!buffer_append(&ss->pool, &s->first, head, JUDGE_FIRST))
        ss->counters->buffer_limit++;
}

static void ask(struct sessions *ss, struct session *s, enum side from, struct slice payload)
{
    if (!s->classification)
        s->classification = classify_begin(ss->classifier);
    if (s->classification && s->verdict == CLASSIFY_OPEN)
        s->verdict = (uint8_t)classify_payload(ss->classifier, s->classification, s->flow, from, payload);
}

/* The question is asked late: what was kept of the client comes first. */
static void ask_first(struct sessions *ss, struct session *s)
{
    if (s->first.length)
        ask(ss, s, SIDE_CLIENT, buffer_slice(&s->first));
    buffer_release(&ss->pool, &s->first);
}

void session_judge(struct sessions *ss, struct session *s, enum side from, struct slice payload)
{
    bool foreign = s->foreign || s->mode == SESSION_FOREIGN;
    if (s->verdict != CLASSIFY_OPEN)
        return;
    if (foreign || s->judged) {
        ask_first(ss, s);
        ask(ss, s, from, payload);
    } else if (from == SIDE_CLIENT && !s->spoke[SIDE_CLIENT] && s->mode == SESSION_SMTP && !s->midstream) {
        keep_first(ss, s, payload);
    } else if (s->smtp_seen && s->first.data) {
        buffer_release(&ss->pool, &s->first);
    }
}

bool session_is_mail(const struct session *s)
{
    if (s->verdict == CLASSIFY_SMTP || s->verdict == CLASSIFY_OTHER)
        return s->verdict == CLASSIFY_SMTP;
    return s->mode != SESSION_FOREIGN && !s->foreign && s->smtp_seen && (s->dialog.seen & SMTP_SEEN_HELLO || s->names_smtp);
}

const char *session_protocol(struct sessions *ss, struct session *s)
{
    ask_first(ss, s);
    return s->classification && s->verdict == CLASSIFY_OTHER ? classify_name(ss->classifier, s->classification) : NULL;
}
