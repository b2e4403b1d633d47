/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of a session, and whether the capture can tell: the first lines of mxtap-events(5) about a record. */
#include "session/state.h"

/* Could the capture have missed what decides? */
static bool something_missing(const struct session *s)
{
    const struct flow *flow = s->flow;
    bool hello = s->handshake && s->handshake->facts.have_client_hello;
    bool greeted = s->dialog.seen & SMTP_SEEN_GREETING && s->server_first && s->spoke[SIDE_CLIENT]; /* else a hello may have come before it */
    bool begin_missing = s->midstream && !greeted && !hello;
    bool answer_unseen = s->midstream && s->dialog.starttls == STARTTLS_REQUESTED; /* where the beginning is missing, so may be what came last */
    return s->hole[SIDE_CLIENT] || s->hole[SIDE_SERVER] || !flow->seen[0] || !flow->seen[1] || begin_missing ||
           answer_unseen || s->answer_missing;
}

static bool saw_the_end(enum end_how how)
{
    return how == END_FIN || how == END_RST || how == END_TIMEOUT;
}

bool session_unmistakable(const struct session *s)
{
    const struct handshake *h = s->handshake;
    return s->smtp_seen || (h && (h->facts.have_client_hello || h->facts.have_server_hello));
}

static enum outcome tls_outcome(const struct session *s, enum end_how how)
{
    const struct handshake *h = s->handshake;
    if (h && h->facts.established)
        return OUTCOME_TLS;
    if (h && h->progress.verdict == TLS_FAILED)
        return s->flow->proven || session_unmistakable(s) ? OUTCOME_TLS_FAILED : OUTCOME_UNKNOWN;
    /* In 1.3 nothing after the client's Finished: it may have been refused, or be content. */
    bool open = h && h->progress.tls13 && h->progress.client_finished;
    return saw_the_end(how) && !something_missing(s) && !open ? OUTCOME_TLS_FAILED : OUTCOME_UNKNOWN;
}

enum outcome session_outcome(const struct session *s, enum end_how how)
{
    /* Other servers greet with 220 too (FTP): then a client that never says HELO, and a greeting that does not say SMTP, decide. */
    bool server_seen = s->flow->seen[!s->flow->client] && !s->hole[SIDE_SERVER]; /* else it may have greeted with SMTP */
    bool other_dialog =
        s->dialog.seen & SMTP_SEEN_FOREIGN && !(s->dialog.seen & SMTP_SEEN_HELLO) && !s->names_smtp && server_seen;
    if (s->mode == SESSION_FOREIGN || s->foreign || other_dialog)
        return OUTCOME_NOT_SMTP;
    if (s->dialog.mail_in_clear)
        return OUTCOME_PLAINTEXT;
    if (s->tls_begun)
        return tls_outcome(s, how);
    if (!s->smtp_seen && !s->midstream && !s->hole[SIDE_CLIENT] && server_seen)
        return OUTCOME_NOT_SMTP;
    return saw_the_end(how) && !something_missing(s) && s->smtp_seen ? OUTCOME_NO_MAIL : OUTCOME_UNKNOWN;
}

unsigned session_incomplete(const struct session *s)
{
    unsigned bits = 0;
    if (s->gap[SIDE_CLIENT] || s->gap[SIDE_SERVER])
        bits |= INCOMPLETE_GAPS;
    if (s->cut)
        bits |= INCOMPLETE_TRUNCATED;
    if (s->midstream)
        bits |= INCOMPLETE_MIDSTREAM;
    if (!s->flow->seen[0] || !s->flow->seen[1])
        bits |= INCOMPLETE_ONE_SIDED;
    return bits;
}
