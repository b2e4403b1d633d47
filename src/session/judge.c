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

/* Could this be the beginning of SMTP, as far as it goes? */
static bool begins_smtp(enum side from, struct slice payload)
{
    struct smtp_command command;
    if (from == SIDE_SERVER)
        return payload.length && payload.data[0] >= '0' && payload.data[0] <= '9';
    smtp_parse_command((struct slice){payload.data, payload.length < JUDGE_FIRST ? payload.length : JUDGE_FIRST}, &command);
    return command.verb != SMTP_UNKNOWN && command.verb != SMTP_FOREIGN;
}

/*
 * The first bytes of a side that begins with something else than SMTP: nDPI will need them, should this turn out to be no mail. They are shown in
 * one piece, so that its answer does not depend on how they were cut into segments.
 */
static void keep_first(struct sessions *ss, struct session *s, enum side from, struct slice payload)
{
    size_t kept = parts_of(s)->first[from].length, room = JUDGE_FIRST - kept;
    if (!kept && (s->spoke[from] || begins_smtp(from, payload)))
        return;
    struct session_parts *parts = session_parts(ss, s);
    if (!parts)
        return;
    if (!buffer_append(&ss->pool, &parts->first[from], (struct slice){payload.data, payload.length < room ? payload.length : room}, JUDGE_FIRST))
        session_limit(ss, s);
}

static void release_first(struct sessions *ss, struct session *s)
{
    if (!s->parts)
        return;
    buffer_release(&ss->pool, &s->parts->first[SIDE_CLIENT]);
    buffer_release(&ss->pool, &s->parts->first[SIDE_SERVER]);
}

static void ask(struct sessions *ss, struct session *s, enum side from, struct slice payload)
{
    struct session_parts *parts = session_parts(ss, s);
    if (!parts)
        return;
    if (!parts->classification && (parts->classification = classify_begin(ss->classifier)) != NULL)
        ss->held += classify_size();
    if (parts->classification && s->verdict == CLASSIFY_OPEN)
        s->verdict = (uint8_t)classify_payload(ss->classifier, parts->classification, s->flow, from, payload);
}

void session_judge(struct sessions *ss, struct session *s, enum side from, struct slice payload)
{
    if (s->judged)
        ask(ss, s, from, payload);
    else if (s->smtp_seen && !s->foreign)
        release_first(ss, s);
    else if (!s->midstream && !s->tls_begun)
        keep_first(ss, s, from, payload);
}

bool session_is_mail(const struct session *s)
{
    if (s->verdict == CLASSIFY_SMTP || s->verdict == CLASSIFY_OTHER)
        return s->verdict == CLASSIFY_SMTP;
    return s->mode != SESSION_FOREIGN && !s->foreign && s->smtp_seen && (s->dialog.seen & SMTP_SEEN_HELLO || s->names_smtp);
}

const char *session_protocol(struct sessions *ss, struct session *s)
{
    for (unsigned i = 0; i < 2; i++) {
        enum side from = (i == 0) == s->server_first ? SIDE_SERVER : SIDE_CLIENT;
        if (parts_of(s)->first[from].length)
            ask(ss, s, from, buffer_slice(&s->parts->first[from]));
    }
    release_first(ss, s);
    struct classification *asked = parts_of(s)->classification;
    return asked && s->verdict != CLASSIFY_SMTP ? classify_name(ss->classifier, asked) : NULL;
}
