/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of one SMTP dialog between its two line streams. */
#include <string.h>

#include "proto/smtp_dialog.h"

/* Pending pseudo-command: the end of message content, which is answered too. */
enum { SMTP_CONTENT_END = SMTP_VERBS };

void smtp_dialog_init(struct smtp_dialog *dialog, bool midstream)
{
    *dialog = (struct smtp_dialog){.starttls = STARTTLS_UNSEEN};
    if (midstream)
        dialog->seen |= SMTP_SEEN_DIALOG_HOLE;
}

static void push(struct smtp_dialog *d, unsigned verb, unsigned count)
{
    if (!count)
        return;
    unsigned last = d->pending_runs ? d->pending_runs - 1u : 0;
    if (d->pending_runs && d->pending[last].verb == verb && d->pending[last].count + count <= UINT8_MAX) {
        d->pending[last].count = (uint8_t)(d->pending[last].count + count);
        return;
    }
    if (d->pending_runs == SMTP_PENDING_RUNS) {
        /* More kinds of commands in flight than any server answers: the oldest are forgotten. */
        memmove(d->pending, d->pending + 1, sizeof d->pending - sizeof *d->pending);
        d->pending_runs--;
        d->seen |= SMTP_SEEN_DIALOG_HOLE;
    }
    d->pending[d->pending_runs].verb = (uint8_t)verb;
    d->pending[d->pending_runs].count = (uint8_t)(count > UINT8_MAX ? UINT8_MAX : count);
    d->pending_runs++;
}

static void drop_runs(struct smtp_dialog *d, unsigned runs)
{
    d->pending_runs = (uint8_t)(d->pending_runs - runs);
    memmove(d->pending, d->pending + runs, d->pending_runs * sizeof *d->pending);
}

static void pop(struct smtp_dialog *d)
{
    if (d->pending_runs && --d->pending[0].count == 0)
        drop_runs(d, 1);
}

static int find_pending(const struct smtp_dialog *d, unsigned verb)
{
    for (unsigned i = 0; i < d->pending_runs; i++)
        if (d->pending[i].verb == verb)
            return (int)i;
    return -1;
}

/* Codes that answer one command only (RFC 5321 4.3.2, 3207 4, 4954 4); SMTP_UNKNOWN for the others. */
static enum smtp_verb only_answers(unsigned code)
{
    switch (code) {
    case 220: return SMTP_STARTTLS;
    case 221: return SMTP_QUIT;
    case 334: return SMTP_AUTH;
    case 354: return SMTP_DATA;
    default: return SMTP_UNKNOWN;
    }
}

/* Can this code be the reply to this command? A lost reply is noticed where it cannot. */
static bool fits(unsigned verb, unsigned code)
{
    if (code >= 400)
        return true;
    switch (verb) {
    case SMTP_EMPTY: return false; /* some servers ignore empty lines, the others refuse them */
    case SMTP_STARTTLS: return code == 220;
    case SMTP_DATA: return code == 354;
    case SMTP_QUIT: return code == 221;
    case SMTP_AUTH: return code == 334 || code == 235;
    case SMTP_XCLIENT: return code == 220; /* it begins the session anew, with a greeting */
    case SMTP_EHLO: return code == 250;
    default: return code / 100 == 2 && only_answers(code) == SMTP_UNKNOWN;
    }
}

/*
 * Is the reply to this command in a hole? Whoever sends more commands after EHLO has its reply (RFC 2920 3.1); after STARTTLS it may be
 * another one that was refused.
 */
static bool answered_in_hole(const struct smtp_dialog *d, unsigned at, unsigned code)
{
    bool others = at + 1 < d->pending_runs || d->pending[at].count > 1;
    bool unseen = d->seen & SMTP_SEEN_COMMAND_HOLE; /* or a hello */
    switch (d->pending[at].verb) {
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: return others && d->hello_unsure;
    case SMTP_STARTTLS: return (others || unseen) && d->starttls_unsure && code >= 400;
    default: return false;
    }
}

/* The oldest command that this code can answer, or -1. Without holes it is the head, unless that is a line that nobody need answer. */
static int find_answered(const struct smtp_dialog *d, unsigned code)
{
    enum smtp_verb only = only_answers(code);
    int at = only == SMTP_UNKNOWN ? -1 : find_pending(d, only);
    for (unsigned i = 0; at < 0 && i < d->pending_runs; i++)
        if ((fits(d->pending[i].verb, code) && !answered_in_hole(d, i, code)) ||
            (!(d->seen & SMTP_SEEN_DIALOG_HOLE) && d->pending[i].verb != SMTP_EMPTY))
            at = (int)i;
    return at;
}

/* Finds the command that a reply with this code answers and takes those before it off the queue. */
static unsigned answered(struct smtp_dialog *d, unsigned code)
{
    int at = find_answered(d, code);
    if (at > 0)
        drop_runs(d, (unsigned)at);
    return at < 0 ? SMTP_UNKNOWN : d->pending[0].verb;
}

static void advance_starttls(struct smtp_dialog *d, enum starttls state)
{
    if (state > d->starttls)
        d->starttls = (uint8_t)state;
}

static void command_hello(struct smtp_dialog *d, enum smtp_verb verb)
{
    if (!(d->seen & SMTP_SEEN_HELLO))
        d->hello = (uint8_t)verb;
    d->seen |= SMTP_SEEN_HELLO;
    d->bdat_open = false;
    d->hello_unsure = d->reply_broken; /* the hole before it may go on behind it */
    d->accepted_recipients = 0;
}

static void command_chunk(struct smtp_dialog *d, const struct smtp_command *command)
{
    if (command->chunk_size && !d->bdat_open)
        d->mail_in_clear++;
    d->bdat_open = !command->last && (d->bdat_open || command->chunk_size);
    d->chunk_left = command->chunk_size;
    if (command->chunk_size)
        d->expect = SMTP_EXPECT_CHUNK;
}

static unsigned chunk_replies(const struct smtp_dialog *d, const struct smtp_command *command)
{
    /* LMTP answers the last chunk once for each recipient (RFC 2033 4.3). */
    return d->hello == SMTP_LHLO && command->last && d->accepted_recipients ? d->accepted_recipients : 1;
}

void smtp_dialog_command(struct smtp_dialog *d, const struct smtp_command *command)
{
    bool first = !(d->seen & (SMTP_SEEN_COMMAND | SMTP_SEEN_FOREIGN));
    d->expect = SMTP_EXPECT_COMMAND;
    push(d, command->verb, command->verb == SMTP_BDAT ? chunk_replies(d, command) : 1);
    switch (command->verb) {
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: command_hello(d, command->verb); break;
    case SMTP_STARTTLS:
        d->attempts++;
        d->starttls_unsure = d->reply_broken;
        advance_starttls(d, STARTTLS_REQUESTED);
        d->expect = SMTP_EXPECT_TLS_REPLY;
        break;
    case SMTP_DATA: d->expect = SMTP_EXPECT_DATA_REPLY; break;
    case SMTP_BDAT: command_chunk(d, command); break;
    case SMTP_MAIL:
    case SMTP_RSET:
        d->bdat_open = false;
        d->accepted_recipients = 0;
        break;
    case SMTP_MASKED: d->seen |= SMTP_SEEN_MASKED_COMMAND; break;
    case SMTP_FOREIGN:
        if (first && !(d->seen & SMTP_SEEN_DIALOG_HOLE))
            d->seen |= SMTP_SEEN_FOREIGN;
        return;
    case SMTP_UNKNOWN:
    case SMTP_EMPTY: return;
    default: break;
    }
    d->seen |= SMTP_SEEN_COMMAND;
}

bool smtp_dialog_response(struct smtp_dialog *d, struct slice line)
{
    d->expect = SMTP_EXPECT_COMMAND;
    push(d, SMTP_AUTH, 1);
    return !(line.length == 1 && line.data[0] == '*');
}

/* 530 or 538 that names TLS, or X.7.10 and X.7.11 (RFC 3207 4, RFC 7504, IANA enhanced status codes). */
static bool wants_tls(const struct smtp_reply_line *line)
{
    if (line->enhanced.class == 5 && line->enhanced.subject == 7 && (line->enhanced.detail == 10 || line->enhanced.detail == 11))
        return true;
    return (line->code == 530 || line->code == 538) && (smtp_text_names(line->text, "TLS") || smtp_text_names(line->text, "ENCRYPT"));
}

static void reply_begins(struct smtp_dialog *d, const struct smtp_reply_line *line)
{
    d->reply_code = line->code;
    d->reply_offers = d->reply_masked = d->reply_tls_named = false;
    if (d->reply_greets) {
        d->reply_to = SMTP_UNKNOWN;
        return;
    }
    if (d->expect == SMTP_EXPECT_CONTENT) {
        /* A server speaks here only when it has seen the end of the content (or gives up: 421). */
        d->expect = SMTP_EXPECT_COMMAND;
        push(d, SMTP_CONTENT_END, 1);
    }
    d->reply_to = (uint8_t)answered(d, line->code);
}

static void reply_keyword(struct smtp_dialog *d, struct slice text)
{
    struct slice word = smtp_word(&text);
    if (smtp_word_is(word, "STARTTLS") || smtp_word_is(word, "X-ANONYMOUSTLS"))
        d->reply_offers = true;
    else if (smtp_is_masked(word))
        d->reply_masked = true;
}

static void ehlo_answered(struct smtp_dialog *d)
{
    if (d->reply_code != 250)
        return;
    if (d->reply_offers) {
        d->seen |= SMTP_SEEN_OFFER;
        advance_starttls(d, STARTTLS_OFFERED);
    }
    if (d->reply_broken || d->hello_unsure)
        return;
    d->seen |= SMTP_SEEN_EHLO_250;
    if (!d->reply_offers)
        advance_starttls(d, STARTTLS_NOT_OFFERED);
    if (!d->reply_offers && d->reply_masked)
        d->seen |= SMTP_SEEN_MASKED_KEYWORD;
}

static void starttls_answered(struct smtp_dialog *d)
{
    enum starttls state = d->reply_code == 220 ? STARTTLS_ACCEPTED : STARTTLS_REFUSED;
    if (state > d->starttls)
        d->starttls_code = d->reply_code;
    advance_starttls(d, state);
    if (d->expect == SMTP_EXPECT_TLS_REPLY || state == STARTTLS_ACCEPTED)
        d->expect = state == STARTTLS_ACCEPTED ? SMTP_EXPECT_TLS : SMTP_EXPECT_COMMAND;
}

static void data_answered(struct smtp_dialog *d)
{
    if (d->reply_code == 354) {
        d->mail_in_clear++;
        d->content_matched = 2; /* as after a CRLF: an empty message is "." alone */
        d->expect = SMTP_EXPECT_CONTENT;
    } else if (d->expect == SMTP_EXPECT_DATA_REPLY) {
        d->expect = SMTP_EXPECT_COMMAND;
    }
}

static void reply_ends(struct smtp_dialog *d, bool greeting)
{
    if (d->reply_tls_named && d->reply_to != SMTP_STARTTLS && !greeting)
        d->seen |= SMTP_SEEN_TLS_REQUIRED;
    if (greeting)
        return;
    switch (d->reply_to) {
    case SMTP_EHLO:
    case SMTP_LHLO: ehlo_answered(d); break;
    case SMTP_STARTTLS: starttls_answered(d); break;
    case SMTP_DATA: data_answered(d); break;
    case SMTP_RCPT:
        if (d->reply_code / 100 == 2)
            d->accepted_recipients++;
        break;
    case SMTP_AUTH:
        if (d->reply_code == 334)
            d->expect = SMTP_EXPECT_RESPONSE;
        break;
    case SMTP_UNKNOWN:
        /* 354 whose DATA is missing: it answers nothing else, and what was asked before has been answered, in a hole too. */
        if (d->reply_code == 354 && (!d->pending_runs || d->seen & SMTP_SEEN_DIALOG_HOLE)) {
            d->pending_runs = 0;
            data_answered(d);
        }
        break;
    default: break;
    }
    if (d->pending_runs && d->pending[0].verb == d->reply_to)
        pop(d);
}

/* A greeting names its host or its protocol (RFC 5321 4.2); the reply to STARTTLS has an enhanced code, or neither. */
static bool reads_like_greeting(const struct smtp_reply_line *line)
{
    return line->code == 220 && !line->enhanced.class &&
           (smtp_greeting_host(line->text).length || smtp_text_names(line->text, "SMTP"));
}

/* The first reply of all is the greeting; where the capture may have missed it, only a 220 that nothing else can be. */
static bool greets(const struct smtp_dialog *d, const struct smtp_reply_line *line)
{
    if (d->seen & (SMTP_SEEN_GREETING | SMTP_SEEN_REPLY))
        return false;
    if (d->seen & SMTP_SEEN_DIALOG_HOLE)
        return reads_like_greeting(line) && find_pending(d, SMTP_STARTTLS) < 0;
    return line->code == 220 || line->code >= 400;
}

struct smtp_answer smtp_dialog_reply(struct smtp_dialog *d, const struct smtp_reply_line *line)
{
    if (d->reply_broken && d->reply_code && line->code != d->reply_code) {
        d->reply_code = 0; /* the end of the last reply is in a hole */
        if (d->pending_runs && d->pending[0].verb == d->reply_to)
            pop(d);
    }
    struct smtp_answer answer = {.first = d->reply_code == 0, .complete = !line->more, .broken = d->reply_broken};
    if (answer.first) {
        d->reply_greets = greets(d, line);
        reply_begins(d, line);
    }
    answer.greeting = d->reply_greets;
    answer.to = d->reply_to < SMTP_VERBS && !answer.greeting ? (enum smtp_verb)d->reply_to : SMTP_UNKNOWN;
    d->seen |= SMTP_SEEN_REPLY;
    if (!answer.first && (answer.to == SMTP_EHLO || answer.to == SMTP_LHLO))
        reply_keyword(d, line->text);
    d->reply_tls_named = d->reply_tls_named || wants_tls(line);
    if (!line->more) {
        if (answer.greeting)
            d->seen |= SMTP_SEEN_GREETING;
        reply_ends(d, answer.greeting);
        d->reply_code = 0;
        d->reply_broken = false;
    }
    return answer;
}

static void content_ended(struct smtp_dialog *d)
{
    d->expect = SMTP_EXPECT_COMMAND;
    push(d, SMTP_CONTENT_END, d->hello == SMTP_LHLO && d->accepted_recipients ? d->accepted_recipients : 1);
    d->accepted_recipients = 0;
}

/* Looks for CRLF.CRLF; lines are found by their CR, so that a body costs a memchr per line. */
static void pass_content(struct smtp_dialog *d, struct reader *input)
{
    static const uint8_t mark[] = {'\r', '\n', '.', '\r', '\n'};
    while (input->left) {
        if (d->content_matched == 0) {
            const uint8_t *cr = memchr(input->next, '\r', input->left);
            reader_skip(input, cr ? (size_t)(cr - input->next) : input->left);
            if (!cr)
                return;
        }
        uint8_t c = reader_u8(input);
        if (c == mark[d->content_matched])
            d->content_matched++;
        else
            d->content_matched = c == '\r';
        if (d->content_matched == sizeof mark) {
            content_ended(d);
            return;
        }
    }
}

void smtp_dialog_content(struct smtp_dialog *d, struct reader *input)
{
    if (d->expect == SMTP_EXPECT_CONTENT) {
        pass_content(d, input);
        return;
    }
    size_t skip = d->chunk_left < input->left ? (size_t)d->chunk_left : input->left;
    reader_skip(input, skip);
    d->chunk_left -= skip;
    if (!d->chunk_left)
        d->expect = SMTP_EXPECT_COMMAND;
}

static void client_gap(struct smtp_dialog *d, uint64_t length)
{
    bool content = d->expect == SMTP_EXPECT_CONTENT || (d->expect == SMTP_EXPECT_CHUNK && length <= d->chunk_left);
    if (d->expect == SMTP_EXPECT_CONTENT) {
        d->content_matched = 0; /* the end may be in the hole: then the server's reply ends it */
    } else if (d->expect == SMTP_EXPECT_CHUNK) {
        d->chunk_left -= length < d->chunk_left ? length : d->chunk_left;
        if (!d->chunk_left)
            d->expect = SMTP_EXPECT_COMMAND;
    } else if (d->expect == SMTP_EXPECT_RESPONSE) {
        d->expect = SMTP_EXPECT_COMMAND;
    }
    d->seen |= SMTP_SEEN_DIALOG_HOLE | (content ? 0 : SMTP_SEEN_COMMAND_HOLE);
}

void smtp_dialog_gap(struct smtp_dialog *d, enum side from, uint64_t length)
{
    if (from == SIDE_CLIENT) {
        client_gap(d, length);
        return;
    }
    d->reply_broken = true;
    d->starttls_unsure = d->starttls_unsure || find_pending(d, SMTP_STARTTLS) >= 0;
    d->hello_unsure = d->hello_unsure || find_pending(d, SMTP_EHLO) >= 0 || find_pending(d, SMTP_LHLO) >= 0 ||
                      find_pending(d, SMTP_HELO) >= 0;
    d->seen |= SMTP_SEEN_DIALOG_HOLE;
}

void smtp_dialog_accept(struct smtp_dialog *d)
{
    advance_starttls(d, STARTTLS_ACCEPTED);
    d->starttls_code = 220;
    d->expect = SMTP_EXPECT_TLS;
}

void smtp_dialog_assume(struct smtp_dialog *d, enum smtp_expect expect)
{
    d->seen |= SMTP_SEEN_DIALOG_HOLE;
    if (d->expect == SMTP_EXPECT_TLS_REPLY)
        push(d, SMTP_UNKNOWN, 1); /* what follows STARTTLS: a refusal may be meant for that */
    if (expect == SMTP_EXPECT_CONTENT) {
        d->seen |= SMTP_SEEN_CONTENT_UNPROVEN;
        d->content_matched = 2;
    }
    d->expect = (uint8_t)expect;
}
