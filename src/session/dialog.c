/* SPDX-License-Identifier: BSD-2-Clause */
/* Drives the SMTP dialog with the bytes of both sides and keeps what the record tells of it. */
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "session/state.h"

/* ---- what the record keeps */

static void keep_greeting(struct sessions *ss, struct session *s, const struct smtp_reply_line *line)
{
    s->smtp.banner_code = line->code;
    s->names_smtp = smtp_text_names(line->text, "SMTP");
    session_keep_text(ss, s, line->text, &s->smtp.banner);
    struct slice host = smtp_greeting_host(line->text);
    size_t at = host.length ? (size_t)(host.data - line->text.data) : 0;
    if (line->code == 220 && at + host.length <= s->smtp.banner.length)
        s->smtp.server_name = (struct text_ref){.at = (uint16_t)(s->smtp.banner.at + at), .length = (uint16_t)host.length};
}

static void keep_hello(struct sessions *ss, struct session *s, const struct smtp_command *command)
{
    if (s->smtp.hello != SMTP_HELLO_NONE)
        return;
    s->smtp.hello = command->verb == SMTP_EHLO ? SMTP_HELLO_EHLO : command->verb == SMTP_HELO ? SMTP_HELLO_HELO : SMTP_HELLO_LHLO;
    session_keep_text(ss, s, command->argument, &s->smtp.client_name);
}

/* Only the mechanism's name is kept, and only if it is a registered one: what stands in its place could be a password. */
static void auth_crossed(struct sessions *ss, struct session *s)
{
    s->findings |= UINT32_C(1) << FINDING_AUTH_IN_CLEAR;
    const char *known = parts_of(s)->mechanism, *name = known ? known : "other";
    if (!s->smtp.mechanism.length)
        session_keep_text(ss, s, (struct slice){(const uint8_t *)name, strlen(name)}, &s->smtp.mechanism);
}

static void take_auth(struct sessions *ss, struct session *s, const struct smtp_command *command)
{
    struct slice rest = command->argument, mechanism = smtp_word(&rest);
    struct session_parts *parts = session_parts(ss, s);
    if (parts)
        parts->mechanism = smtp_sasl_name(mechanism);
    if (smtp_word(&rest).length)
        auth_crossed(ss, s);
}

/* The domain in <local@domain>; nothing else of an address is looked at. */
static struct slice path_domain(struct slice argument)
{
    const uint8_t *close = argument.length ? memchr(argument.data, '>', argument.length) : NULL;
    struct slice path = {argument.data, close ? (size_t)(close - argument.data) : 0};
    for (size_t i = path.length; i > 0; i--)
        if (path.data[i - 1] == '@')
            return (struct slice){path.data + i, path.length - i};
    return (struct slice){0};
}

static bool in_list(struct slice list, struct slice domain)
{
    struct reader r = reader_of_slice(list);
    while (r.left) {
        const uint8_t *comma = memchr(r.next, ',', r.left);
        struct slice item = reader_bytes(&r, comma ? (size_t)(comma - r.next) : r.left);
        reader_skip(&r, comma != NULL);
        if (item.length == domain.length && strncasecmp((const char *)item.data, (const char *)domain.data, item.length) == 0)
            return true;
    }
    return false;
}

/* Each domain once, in a list as long as any other text, which has its room from the first one on. */
static void keep_domain(struct sessions *ss, struct session *s, struct slice argument, struct text_ref *ref)
{
    static const uint8_t room[LIMIT_TEXT];
    struct slice domain = path_domain(argument), list = {.length = ref->length};
    if (list.length)
        list.data = (const uint8_t *)s->text + ref->at;
    if (!domain.length || memchr(domain.data, ',', domain.length) || in_list(list, domain))
        return;
    if (list.length + 1 + domain.length > sizeof room) {
        session_limit(ss, s);
        return;
    }
    if (!list.length)
        session_keep_bytes(ss, s, (struct slice){room, sizeof room}, sizeof room, ref);
    if (!ref->length)
        return;
    char *text = s->text + ref->at;
    size_t length = list.length;
    if (length)
        text[length++] = ',';
    memcpy(text + length, domain.data, domain.length);
    ref->length = (uint16_t)(length + domain.length);
}

static void keep_envelope(struct sessions *ss, struct session *s, const struct smtp_command *command)
{
    if (ss->options.envelope_domains)
        keep_domain(ss, s, command->argument, command->verb == SMTP_MAIL ? &s->smtp.sender_domains : &s->smtp.recipient_domains);
}

/* ---- client */

static void take_command(struct sessions *ss, struct session *s, struct slice line)
{
    struct smtp_command command;
    smtp_parse_command(line, &command);
    smtp_dialog_command(&s->dialog, &command);
    switch (command.verb) {
    case SMTP_EHLO:
    case SMTP_HELO:
    case SMTP_LHLO: keep_hello(ss, s, &command); break;
    case SMTP_AUTH: take_auth(ss, s, &command); break;
    case SMTP_MAIL:
    case SMTP_RCPT: keep_envelope(ss, s, &command); break;
    default: break;
    }
}

static void take_client_line(struct sessions *ss, struct session *s, struct slice line)
{
    if (s->dialog.expect != SMTP_EXPECT_RESPONSE)
        take_command(ss, s, line);
    else if (smtp_dialog_response(&s->dialog, line))
        auth_crossed(ss, s);
}

/* What of the bytes that wait is not judged yet. */
static struct slice waiting(const struct session *s)
{
    struct reader r = reader_of_slice(buffer_slice(&parts_of(s)->wait));
    reader_skip(&r, parts_of(s)->wait_from);
    return reader_rest(&r);
}

enum { LINE_BEGINNING = 16 /* bytes that show whether a line is one */ };

/* Does a line that the other peer would understand begin here? */
static bool line_begins(enum side from, struct slice bytes)
{
    struct smtp_command command;
    struct smtp_reply_line reply;
    struct reader head = reader_of_slice(bytes);
    struct slice first = reader_bytes(&head, head.left < LINE_BEGINNING ? head.left : LINE_BEGINNING);
    const uint8_t *end = first.length ? memchr(first.data, '\n', first.length) : NULL;
    if (end)
        first.length = (size_t)(end - first.data);
    if (from == SIDE_SERVER)
        return smtp_parse_reply(first, &reply);
    smtp_parse_command(first, &command);
    return command.verb != SMTP_UNKNOWN && command.verb != SMTP_EMPTY;
}

/* The beginning of a client's line that is no command, whatever follows: garbage need not be kept until it ends. */
static bool is_strange(const struct session *s, enum side from, struct slice begin)
{
    struct smtp_command command;
    if (from != SIDE_CLIENT || s->dialog.expect != SMTP_EXPECT_COMMAND || begin.length < LINE_BEGINNING)
        return false;
    smtp_parse_command((struct slice){begin.data, LINE_BEGINNING}, &command);
    return command.verb == SMTP_UNKNOWN;
}

/* A line that lies in several pieces goes on in the session's own framer; what the shared one has of it moves there. */
static void keep_line(struct sessions *ss, struct session *s, enum side from)
{
    struct smtp_line_framer *framer = &ss->line;
    bool strange = is_strange(s, from, buffer_slice(&framer->held)), own = !strange && (framer->held.data || framer->over);
    s->passing[from] = strange || (framer->skipping && !own);
    if (strange)
        s->strange = true;
    if (own && session_parts(ss, s))
        s->parts->line[from] = *framer;
    else
        buffer_release(&ss->pool, &framer->held);
    *framer = (struct smtp_line_framer){0};
}

/* The session's own framer, once a line lay in several pieces; else one that all share, since nothing stays in it. */
static enum smtp_line_status cut_line(struct sessions *ss, struct session *s, enum side from, struct reader *input, struct slice *line)
{
    static const uint8_t strange_line[] = {'?'};
    struct smtp_line_framer *framer = s->parts ? &s->parts->line[from] : &ss->line;
    if (!s->parts) {
        framer->skipping = s->passing[from];
        framer->over = false;
    }
    enum smtp_line_status status = smtp_line_next(framer, &ss->pool, input, line);
    if (status == SMTP_LINE_NEED_MORE) {
        if (!s->parts)
            keep_line(ss, s, from);
        return status;
    }
    if (s->strange && from == SIDE_CLIENT) {
        s->strange = false;
        *line = (struct slice){strange_line, sizeof strange_line};
    } else if (status == SMTP_LINE_CUT && framer->over && !is_strange(s, from, *line)) {
        session_limit(ss, s);
    }
    if (!s->parts)
        s->passing[from] = false;
    return status;
}

/* The rest of a line that began in a hole is passed over, where its first bytes show that it is no line of its own: nothing of it is kept. */
static void pass_rest(struct sessions *ss, struct session *s, enum side from, struct slice bytes)
{
    struct smtp_line_framer *framer = s->parts ? &s->parts->line[from] : NULL;
    if (bytes.length < LINE_BEGINNING || (framer && framer->held.data) || line_begins(from, bytes))
        return;
    if (framer)
        smtp_line_reset(framer, &ss->pool, true);
    else
        s->passing[from] = true;
}

/* The next line of a side, but for the rest of one that began in a hole; false if it is not whole yet. */
static bool next_line(struct sessions *ss, struct session *s, enum side from, struct reader *input, struct slice *line)
{
    bool joined;
    do {
        if (s->joined[from])
            pass_rest(ss, s, from, (struct slice){input->next, input->left});
        if (cut_line(ss, s, from, input, line) == SMTP_LINE_NEED_MORE)
            return false;
        joined = s->joined[from];
        s->joined[from] = false;
    } while (joined && !line_begins(from, *line));
    return true;
}

/* Bytes that nobody can judge before the reply are kept; when there are too many, or no reply can come, the likelier is assumed. */
static void assume(struct sessions *ss, struct session *s)
{
    enum smtp_expect expect = SMTP_EXPECT_COMMAND;
    if (s->dialog.expect == SMTP_EXPECT_DATA_REPLY) {
        struct reader head = reader_of_slice(waiting(s));
        struct smtp_command command;
        smtp_parse_command(reader_bytes(&head, head.left < 8 ? head.left : 8), &command);
        if (command.verb == SMTP_UNKNOWN || command.verb == SMTP_EMPTY)
            expect = SMTP_EXPECT_CONTENT;
    } else if (session_looks_like_tls(waiting(s))) {
        session_begin_tls(ss, s);
        s->tls_begun = s->handshake != NULL;
        s->mode = s->handshake ? SESSION_TLS : SESSION_SMTP;
    }
    smtp_dialog_assume(&s->dialog, expect);
}

/* It may be in a hole: that to DATA in any, since the reply to the content is not taken for it; a 220 only in one since STARTTLS. */
static bool reply_cannot_come(const struct session *s)
{
    bool hole = s->dialog.expect == SMTP_EXPECT_TLS_REPLY ? s->dialog.starttls_unsure : s->hole[SIDE_SERVER];
    return hole || !s->flow->seen[!s->flow->client];
}

/* Bytes that waited before and have to wait again stay where they are: what is pipelined costs no copy for each reply. */
static bool keep_waiting(struct sessions *ss, struct session *s, struct slice bytes)
{
    struct session_parts *parts = session_parts(ss, s);
    if (!parts)
        return false;
    if (parts->lent) {
        parts->wait = *parts->lent;
        *parts->lent = (struct buffer){0};
        parts->wait_from = parts->wait.length - (uint32_t)bytes.length; /* they are its end */
        return true;
    }
    if (parts->wait_from && bytes.length > LIMIT_WAIT - parts->wait.length) {
        buffer_consume(&parts->wait, parts->wait_from);
        parts->wait_from = 0;
    }
    return buffer_append(&ss->pool, &parts->wait, bytes, LIMIT_WAIT);
}

/* A client that did not wait for the reply to STARTTLS: what it sent instead is told when a record header of it is there, or no more can come. */
static void judge_early(struct session *s, struct slice bytes)
{
    bool hello = session_looks_like_tls(bytes);
    s->findings |= UINT32_C(1) << (hello ? FINDING_HELLO_BEFORE_220 : FINDING_COMMAND_INJECTION);
    s->early = false;
}

void session_judge_early(struct session *s)
{
    if (s->early)
        judge_early(s, waiting(s));
}

static void wait_for_reply(struct sessions *ss, struct session *s, struct reader *input)
{
    struct slice bytes = reader_rest(input);
    if (s->dialog.expect == SMTP_EXPECT_TLS_REPLY && !parts_of(s)->wait.length && !s->hole[SIDE_SERVER] && !s->hole[SIDE_CLIENT] && !reply_cannot_come(s) &&
        !(s->midstream && !(s->dialog.seen & SMTP_SEEN_REPLY))) /* else it may be a line of a message whose beginning is missing */
        s->early = true;
    bool kept = keep_waiting(ss, s, bytes);
    struct slice head = kept ? waiting(s) : bytes;
    if (s->early && (!kept || head.length >= TLS_RECORD_HEADER || !session_may_be_tls(head)))
        judge_early(s, head);
    if (!kept)
        session_limit(ss, s);
    else if (!reply_cannot_come(s))
        return;
    assume(ss, s);
}

static bool waits(const struct session *s)
{
    return s->dialog.expect == SMTP_EXPECT_DATA_REPLY || s->dialog.expect == SMTP_EXPECT_TLS_REPLY;
}

static void take_client_piece(struct sessions *ss, struct session *s, struct reader *input)
{
    struct slice line;
    switch (s->dialog.expect) {
    case SMTP_EXPECT_COMMAND:
    case SMTP_EXPECT_RESPONSE:
        if (next_line(ss, s, SIDE_CLIENT, input, &line))
            take_client_line(ss, s, line);
        break;
    case SMTP_EXPECT_CONTENT:
    case SMTP_EXPECT_CHUNK: smtp_dialog_content(&s->dialog, input); break;
    case SMTP_EXPECT_TLS: /* the 220 came, and now the client speaks */
        if (session_begin_tls(ss, s))
            s->mode = SESSION_TLS;
        else
            reader_skip(input, input->left);
        break;
    default: wait_for_reply(ss, s, input); break;
    }
}

/* The hello that begins a side's part of a handshake, as far as it goes. */
static bool is_hello(enum side from, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint8_t type = reader_u8(&r);
    reader_skip(&r, TLS_RECORD_HEADER - 1);
    uint8_t message = reader_u8(&r);
    return ssl2_hello_plausible(bytes) ||
           (type == TLS_HANDSHAKE && (r.bad || message == (from == SIDE_CLIENT ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO)));
}

/* After a hole (or at the start of a capture that began in the middle) the stream is joined again: at TLS, at a line, else at the next one. */
static void join(struct sessions *ss, struct session *s, enum side from, struct reader *input)
{
    struct slice bytes = {input->next, input->left};
    s->resync[from] = false;
    if (session_looks_like_tls(bytes) && !is_hello(from, bytes))
        s->tls_gap[SIDE_CLIENT] = s->tls_gap[SIDE_SERVER] = true; /* it begins in the hole */
    if (session_looks_like_tls(bytes) && session_begin_tls(ss, s)) {
        s->mode = SESSION_TLS;
        s->tls_begun = true;
    } else {
        s->joined[from] = true;
    }
}

/* Telling SMTP from other protocols: what is no command in the first line of the client, no reply in that of the server. */
static void judge_client(struct session *s)
{
    const unsigned known = SMTP_SEEN_COMMAND | SMTP_SEEN_REPLY;
    if (s->dialog.seen & known)
        s->smtp_seen = true;
}

static void read_client(struct sessions *ss, struct session *s, struct reader *input)
{
    if (s->resync[SIDE_CLIENT] && s->dialog.expect == SMTP_EXPECT_COMMAND)
        join(ss, s, SIDE_CLIENT, input);
    while (input->left && s->mode == SESSION_SMTP)
        take_client_piece(ss, s, input);
    judge_client(s);
}

/* What waited goes on as client bytes, now that their meaning is known; perhaps not all of it. */
static void release_wait(struct sessions *ss, struct session *s, int64_t time_ns)
{
    while (parts_of(s)->wait.length && !(s->mode == SESSION_SMTP && waits(s))) {
        session_judge_early(s);
        struct buffer lent = s->parts->wait;
        struct slice bytes = waiting(s);
        struct reader input = reader_of_slice(bytes);
        s->parts->wait = (struct buffer){0};
        s->parts->wait_from = 0;
        s->parts->lent = &lent;
        if (s->mode == SESSION_SMTP && s->dialog.expect == SMTP_EXPECT_TLS && !session_may_be_tls(bytes))
            reader_skip(&input, input.left); /* commands sent along with STARTTLS: not part of either dialog any more (CVE-2011-0411) */
        read_client(ss, s, &input);
        s->parts->lent = NULL;
        if (input.left && s->mode == SESSION_TLS && !session_hold(ss, s, SIDE_CLIENT, &input))
            session_tls(ss, s, SIDE_CLIENT, &input, time_ns);
        buffer_release(&ss->pool, &lent);
    }
}

void session_smtp_client(struct sessions *ss, struct session *s, struct reader *input, int64_t time_ns)
{
    read_client(ss, s, input);
    release_wait(ss, s, time_ns);
}

/* ---- server */

/* Replies that no SMTP server gives: FTP (RFC 959), with TLS (RFC 4217). */
static bool foreign_code(unsigned code)
{
    switch (code) {
    case 150:
    case 226:
    case 227:
    case 229:
    case 230:
    case 234:
    case 331:
    case 332: return true;
    default: return false;
    }
}

/* A 220 in the midst of a dialog of which the client's part is missing: nothing but STARTTLS is answered so (RFC 3207 4). */
static bool answers_unseen_starttls(const struct session *s, const struct smtp_reply_line *line)
{
    bool client_missing = s->hole[SIDE_CLIENT] || s->midstream || !s->flow->seen[s->flow->client];
    return line->code == 220 && client_missing && s->smtp_seen && s->dialog.starttls < STARTTLS_REQUESTED;
}

static void take_reply_line(struct sessions *ss, struct session *s, const struct smtp_reply_line *line)
{
    enum starttls before = (enum starttls)s->dialog.starttls;
    bool unasked = answers_unseen_starttls(s, line);
    struct smtp_answer answer = smtp_dialog_reply(&s->dialog, line);
    if (unasked && answer.first && answer.complete && !answer.greeting && answer.to == SMTP_UNKNOWN) {
        smtp_dialog_accept(&s->dialog);
        s->tls_gap[SIDE_CLIENT] = true; /* the hole may go on behind STARTTLS */
        answer.to = SMTP_STARTTLS;
    }
    if (answer.greeting && answer.first && !answer.broken && !s->smtp.banner_code)
        keep_greeting(ss, s, line);
    /* The text of the attempt that gets furthest: its first line, before it is known how far it gets. */
    if (answer.to == SMTP_STARTTLS && answer.first && !answer.greeting &&
        (line->code == 220 ? STARTTLS_ACCEPTED : STARTTLS_REFUSED) > before) {
        s->smtp.reply_text = (struct text_ref){0};
        if (!answer.broken)
            session_keep_text(ss, s, line->text, &s->smtp.reply_text);
    }
    if (foreign_code(line->code) && !(s->dialog.seen & SMTP_SEEN_HELLO))
        s->mode = SESSION_FOREIGN;
    if (s->dialog.expect == SMTP_EXPECT_TLS && answer.complete && answer.to == SMTP_STARTTLS)
        s->tls_begun = true;
}

static void take_server_line(struct sessions *ss, struct session *s, struct slice line)
{
    struct smtp_reply_line reply;
    bool hole = s->dialog.seen & SMTP_SEEN_DIALOG_HOLE;
    if (smtp_parse_reply(line, &reply))
        take_reply_line(ss, s, &reply);
    else if (!(s->dialog.seen & SMTP_SEEN_REPLY) && !hole)
        s->mode = SESSION_FOREIGN;
}

/* A first line that does not even begin like a reply need not be waited for: it may never end. */
static bool begins_foreign(const struct session *s, struct slice bytes)
{
    if (s->spoke[SIDE_SERVER] || s->dialog.seen & SMTP_SEEN_DIALOG_HOLE)
        return false;
    for (size_t i = 0; i < 3 && i < bytes.length; i++)
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            return true;
    return false;
}

/* Between the 220 and the client's hello a server has nothing to say in clear. Lines are passed over; what follows them may be TLS. */
static void pass_injected(struct session *s, struct reader *input)
{
    if (s->tls_gap[SIDE_CLIENT] || s->tls_gap[SIDE_SERVER]) { /* it may follow the hello, or be the rest of a record */
        reader_skip(input, input->left);
        return;
    }
    const uint8_t *end = memchr(input->next, '\n', input->left);
    s->findings |= UINT32_C(1) << FINDING_RESPONSE_INJECTION;
    s->in_injected = !end;
    reader_skip(input, end ? (size_t)(end - input->next) + 1 : input->left);
}

void session_smtp_server(struct sessions *ss, struct session *s, struct reader *input, int64_t time_ns)
{
    struct slice line;
    if (begins_foreign(s, (struct slice){input->next, input->left}))
        s->mode = SESSION_FOREIGN;
    if (parts_of(s)->wait.length && s->hole[SIDE_SERVER] && s->dialog.expect == SMTP_EXPECT_TLS_REPLY &&
        session_looks_like_tls((struct slice){input->next, input->left})) {
        assume(ss, s); /* the 220 was in the hole */
        release_wait(ss, s, time_ns);
        return;
    }
    if (s->resync[SIDE_SERVER] && s->dialog.expect != SMTP_EXPECT_TLS)
        join(ss, s, SIDE_SERVER, input);
    while (input->left && s->mode == SESSION_SMTP) {
        if (s->dialog.expect == SMTP_EXPECT_TLS) {
            if (!s->in_injected && (session_hold(ss, s, SIDE_SERVER, input) || session_looks_like_tls((struct slice){input->next, input->left})))
                return;
            if (!s->flow->seen[s->flow->client]) {
                smtp_dialog_assume(&s->dialog, SMTP_EXPECT_COMMAND); /* it answers what was not captured */
                continue;
            }
            pass_injected(s, input);
            continue;
        }
        if (!next_line(ss, s, SIDE_SERVER, input, &line))
            break;
        take_server_line(ss, s, line);
        release_wait(ss, s, time_ns);
    }
    if (s->dialog.seen & SMTP_SEEN_REPLY && s->mode != SESSION_FOREIGN)
        s->smtp_seen = true;
}

void session_smtp_gap(struct sessions *ss, struct session *s, enum side from, uint64_t length)
{
    if (from == SIDE_CLIENT && parts_of(s)->wait.length && waits(s)) {
        assume(ss, s); /* what follows the hole is not joined to what waits before it */
        release_wait(ss, s, s->flow->last_ns);
        if (s->mode == SESSION_TLS) {
            session_tls_gap(ss, s, from, length);
            return;
        }
    }
    if (s->parts)
        smtp_line_reset(&s->parts->line[from], &ss->pool, false);
    s->passing[from] = false;
    s->strange = s->strange && from != SIDE_CLIENT;
    s->resync[from] = true;
    s->in_injected = s->in_injected && from != SIDE_SERVER;
    s->joined[from] = false;
    s->tls_gap[from] = s->dialog.expect == SMTP_EXPECT_TLS || s->dialog.expect == SMTP_EXPECT_TLS_REPLY;
    smtp_dialog_gap(&s->dialog, from, length);
    if (from == SIDE_SERVER && parts_of(s)->wait.length && waits(s)) {
        assume(ss, s);
        release_wait(ss, s, s->flow->last_ns);
    }
}
