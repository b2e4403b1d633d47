/* SPDX-License-Identifier: BSD-2-Clause */
/* A mail connection from its first payload to its record: SMTP or TLS, what became of it, and when it is written. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "proto/tls_names.h"
#include "session/fingerprint.h"
#include "session/state.h"

/* ---- parts */

const struct session_parts session_no_parts;

struct session_parts *session_parts(struct sessions *ss, struct session *s)
{
    if (s->parts)
        return s->parts;
    s->parts = slab_take(&ss->parts_slab);
    if (!s->parts) {
        ss->counters->memory_failures++;
        return NULL;
    }
    ss->held += sizeof *s->parts;
    for (unsigned side = 0; side < 2; side++) {
        s->parts->line[side].skipping = s->passing[side];
        s->passing[side] = false;
    }
    return s->parts;
}

static void free_parts(struct sessions *ss, struct session *s)
{
    if (!s->parts)
        return;
    for (unsigned side = 0; side < 2; side++)
        buffer_release(&ss->pool, &s->parts->first[side]);
    if (s->parts->classification)
        ss->held -= classify_size();
    classify_end(ss->classifier, s->parts->classification);
    ss->held -= sizeof *s->parts;
    slab_give(&ss->parts_slab, s->parts);
    s->parts = NULL;
}

/* ---- birth and death */

static void release_buffers(struct sessions *ss, struct session *s)
{
    if (!s->parts)
        return;
    for (unsigned side = 0; side < 2; side++)
        smtp_line_reset(&s->parts->line[side], &ss->pool, false);
    buffer_release(&ss->pool, &s->parts->wait);
    session_release_tls_buffers(ss, s);
    if (!s->parts->have_proxied && !s->parts->classification && !s->parts->first[0].data && !s->parts->first[1].data)
        free_parts(ss, s);
}

static void session_free(struct sessions *ss, struct session *s)
{
    linger_remove(&ss->linger, s);
    release_buffers(ss, s);
    session_free_tls(ss, s);
    free_parts(ss, s);
    session_free_text(ss, s);
    ss->held -= sizeof *s;
    slab_give(&ss->session_slab, s);
}

/* ---- the record */

/* Identity is that of the packets; the client reported is the one behind the proxy. */
static void fill_proxied(const struct proxy_header *header, struct record *record)
{
    record->have_proxy = true;
    record->proxy_ip = record->client_ip;
    record->proxy_port = record->client_port;
    memcpy(record->client_ip.bytes, header->client, sizeof header->client);
    record->client_port = header->client_port;
    record->client_family = header->family;
}

static void fill_flow(struct sessions *ss, const struct session *s, struct record *record)
{
    const struct flow *flow = s->flow;
    unsigned client = flow->client, server = !client;
    record->time_ns = flow->first_ns;
    record->duration_ns = flow->last_ns > flow->first_ns ? flow->last_ns - flow->first_ns : 0;
    record->sensor = ss->options.sensor;
    record->interface = ss->options.interface;
    record->file = ss->sink.source ? ss->sink.source(ss->sink.user, flow->capture) : NULL;
    record->family = record->client_family = flow->family;
    record->vlans = flow->vlans < SEGMENT_VLANS ? flow->vlans : SEGMENT_VLANS;
    for (unsigned i = 0; i < record->vlans; i++)
        record->vlan[i] = flow->vlan[i] & 0x0fff;
    record->client_ip = flow_address(flow, client);
    record->server_ip = flow_address(flow, server);
    record->client_port = flow->port[client];
    record->server_port = flow->port[server];
    record->client_bytes = flow_bytes(flow, SIDE_CLIENT);
    record->server_bytes = flow_bytes(flow, SIDE_SERVER);
    identity_uid(ss->digests, record);
    identity_community(ss->digests, record);
    if (parts_of(s)->have_proxied)
        fill_proxied(&parts_of(s)->proxied, record);
    record->direction = identity_direction(&ss->options, record);
}

static void fill_smtp(struct sessions *ss, struct session *s, struct record *record)
{
    s->smtp.starttls = s->tls_first && !s->tls_inside && (!s->midstream || record->server_port == 465) ? STARTTLS_IMPLICIT : s->dialog.starttls;
    s->smtp.attempts = s->dialog.attempts;
    s->smtp.reply_code = s->dialog.starttls_code;
    s->smtp.mail_in_clear = s->dialog.mail_in_clear;
    record->offer = s->dialog.seen & SMTP_SEEN_OFFER      ? SMTP_OFFERED
                    : s->dialog.seen & SMTP_SEEN_EHLO_250 ? SMTP_LACKED
                                                          : SMTP_OFFER_UNKNOWN;
    record->have_smtp = record->outcome != OUTCOME_NOT_SMTP;
    record->protocol = record->have_smtp ? NULL : session_protocol(ss, s);
    record->smtp = &s->smtp;
    record->cut = s->text_cut;
    record->text = s->text ? s->text : "";
    record->text_length = s->text_length;
    record->tls = s->handshake ? &s->handshake->facts : NULL;
}

/* TLS that was accepted and never begun has an object too: established false. */
static void fill_tls(struct sessions *ss, struct session *s)
{
    if (s->tls_begun && !s->handshake)
        session_begin_tls(ss, s);
    struct handshake *h = s->handshake;
    if (!h || !h->progress.alert_by_shape || h->facts.have_alert || h->progress.verdict != TLS_FAILED)
        return;
    h->facts.have_alert = h->facts.alert_encrypted = true;
    h->facts.alert_from = h->progress.failed_by;
}

static void count(struct sessions *ss, const struct record *record)
{
    ss->counters->sessions++;
    ss->counters->outcomes[record->outcome]++;
    if (record->have_smtp && record->tls && record->tls->established)
        ss->counters->versions[tls_version_rank(record->tls->version)]++;
}

/* A flood of lone segments must not become one of records: those that had to make room for others have none. */
static bool is_noise(const struct session *s, enum end_how how)
{
    return how == END_EVICTED && !s->flow->proven && !session_unmistakable(s);
}

/* Both halves were seen, and not both from their SYN on. */
static bool half_in_the_midst(const struct flow *flow)
{
    return flow->seen[0] && flow->seen[1] && flow->began != 3;
}

/* A capture that has only one half's SYN, and the other half in the midst: known when both were seen. */
static void note_beginning(struct session *s)
{
    const struct flow *flow = s->flow;
    if (s->midstream || !half_in_the_midst(flow))
        return;
    s->midstream = true;
    s->dialog.seen |= SMTP_SEEN_DIALOG_HOLE;
    s->resync[flow_side(flow, flow_began(flow, 0))] = true;
}

/* Writes the session's one record and forgets the session. */
static void session_write(struct sessions *ss, struct session *s, enum end_how how, enum side from)
{
    if ((s->judged && !session_is_mail(s)) || is_noise(s, how)) {
        session_free(ss, s);
        return;
    }
    note_beginning(s); /* the other half may have said nothing since it was seen */
    struct record record = {.end = how, .end_from = from, .outcome = session_outcome(s, how), .incomplete = session_incomplete(s)};
    fill_flow(ss, s, &record);
    fill_tls(ss, s);
    fill_smtp(ss, s, &record);
    record.findings = record.have_smtp ? session_findings(s, &record) : 0;
    count(ss, &record);
    ss->sink.record(ss->sink.user, &record);
    session_free(ss, s);
}

static void write_early(struct sessions *ss, struct session *s)
{
    s->flow->session = NULL;
    session_write(ss, s, END_OPEN, SIDE_NONE);
}

/* Nothing can change any more: no more data are needed, and the record waits for the end of its flow. */
static void session_decide(struct sessions *ss, struct session *s)
{
    if (s->decided)
        return;
    s->decided = true;
    flow_shunt(ss->table, s->flow);
    release_buffers(ss, s);
    struct session *early = linger_full(&ss->linger) ? linger_due(&ss->linger, INT64_MAX) : NULL;
    if (early) {
        ss->counters->records_early++;
        write_early(ss, early);
    }
    linger_append(&ss->linger, s, ss->now_ns + ss->options.linger_ns);
}

/* Those that only wait go first. */
static void make_room(struct sessions *ss)
{
    do {
        struct session *waiting = linger_due(&ss->linger, INT64_MAX);
        if (!waiting && !flow_evict(ss->table))
            return;
        if (waiting) {
            ss->counters->records_early++;
            write_early(ss, waiting);
        }
    } while (ss->held > LIMIT_SESSIONS_BYTES);
}

void sessions_tick(struct sessions *ss, int64_t now_ns)
{
    ss->now_ns = now_ns;
    for (struct session *s = linger_due(&ss->linger, now_ns); s; s = linger_due(&ss->linger, now_ns))
        write_early(ss, s);
    if (ss->held > LIMIT_SESSIONS_BYTES)
        make_room(ss);
}

/* ---- what flow tells */

/* A TLS record that carries a hello. */
static bool is_hello(struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, TLS_RECORD_HEADER);
    uint8_t message = reader_u8(&r);
    return tls_record_plausible(bytes) && bytes.data[0] == TLS_HANDSHAKE && !r.bad &&
           (message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO);
}

/* Who is the client where neither SYN nor port told: by what is said first. */
static unsigned guess_client(const struct flow *flow, unsigned half, struct slice first)
{
    struct reader r = reader_of_slice(first);
    struct smtp_reply_line reply;
    struct smtp_command command;
    uint8_t type = reader_u8(&r);
    reader_skip(&r, 4);
    uint8_t message = reader_u8(&r);
    if (type == TLS_HANDSHAKE && !r.bad && (message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO))
        return message == TLS_CLIENT_HELLO ? half : !half;
    struct reader line = reader_of_slice(first);
    struct slice head = reader_bytes(&line, line.left < 4 ? line.left : 4);
    if (smtp_parse_reply(head, &reply))
        return !half;
    smtp_parse_command(head, &command);
    if (command.verb != SMTP_UNKNOWN || ssl2_hello_plausible(first))
        return half;
    return flow->port[0] > flow->port[1] ? 0 : 1;
}

static void *on_open(void *user, struct flow *flow, unsigned half, struct slice first)
{
    struct sessions *ss = user;
    if (!flow->mail_port && first.length && !session_worth_judging(first))
        return NULL;
    struct session *s = slab_take(&ss->session_slab);
    if (!s) {
        ss->counters->memory_failures++;
        return NULL;
    }
    if (!flow->roles_known)
        flow_set_client(flow, guess_client(flow, half, first));
    ss->held += sizeof *s;
    s->flow = flow;
    s->midstream = !flow->syn_seen || half_in_the_midst(flow);
    s->resync[SIDE_CLIENT] = s->resync[SIDE_SERVER] = s->midstream;
    s->proxy_over = s->midstream;
    s->judged = !flow->mail_port;
    s->worth_open = s->judged && !first.length;
    smtp_dialog_init(&s->dialog, s->midstream);
    return s;
}

/* TLS in answer to a beginning that was neither TLS nor SMTP (so far without a line end): told, but no mail session. */
static bool begins_late(const struct session *s, enum side from, struct slice bytes)
{
    if (s->server_last == (from == SIDE_SERVER))
        return false; /* what goes on is no answer, wherever it was cut */
    bool hole = s->midstream || s->hole[SIDE_CLIENT] || s->hole[SIDE_SERVER];
    return s->mode == SESSION_SMTP && s->spoke[SIDE_CLIENT] && !s->smtp_seen && !hole && is_hello(bytes);
}

/* TLS from the first byte: port 465, or a capture that began after STARTTLS. */
static void begin_first(struct sessions *ss, struct session *s, enum side from, struct slice bytes)
{
    /* A client may do so although the server greeted in clear: it takes the port for an implicit one. */
    bool in_clear = from == SIDE_SERVER ? s->smtp_seen : s->dialog.seen & SMTP_SEEN_COMMAND;
    if (s->spoke[from] || in_clear || s->mode != SESSION_SMTP || !session_looks_like_tls(bytes))
        return;
    if (!session_begin_tls(ss, s))
        return;
    s->mode = SESSION_TLS;
    s->tls_begun = true;
    s->tls_first = !s->hole[SIDE_CLIENT] && !s->hole[SIDE_SERVER];
    if (from == SIDE_CLIENT && s->smtp_seen && s->tls_first && !s->midstream) { /* the server speaks in clear, whichever came first */
        s->handshake->facts.saw_not_tls = true;
        tls_progress_fatal(&s->handshake->progress, SIDE_SERVER);
    }
    struct reader r = reader_of_slice(bytes);
    uint8_t type = reader_u8(&r);
    s->tls_inside = type == TLS_APPLICATION_DATA || type == TLS_CHANGE_CIPHER_SPEC || type == TLS_ALERT;
    s->resync[SIDE_CLIENT] = s->resync[SIDE_SERVER] = false;
    if (s->tls_inside)
        tls_progress_gap(&s->handshake->progress);
}

/* Another protocol may turn to TLS too (IMAP, POP3, a proxy): the hellos are told, the outcome stays not_smtp. */
static void look_for_hello(struct sessions *ss, struct session *s, struct reader *input)
{
    struct slice bytes = {input->next, input->left};
    s->foreign = true;
    if (is_hello(bytes) && session_begin_tls(ss, s))
        s->mode = SESSION_TLS;
    else
        reader_skip(input, input->left);
}

/* The client went on in clear after the 220, and the server answers with an alert: it is told, the dialog stays what it is. */
static bool answers_in_tls(const struct session *s, struct slice bytes)
{
    const struct handshake *h = s->handshake;
    if (!h || !h->facts.saw_not_tls || s->dialog.expect == SMTP_EXPECT_TLS)
        return false; /* no handshake broke, or one begins anew */
    if (h->begun[SIDE_SERVER])
        return true;
    bool answers = !s->server_last && tls_record_plausible(bytes);
    return !h->record[SIDE_SERVER].lost && (h->record[SIDE_SERVER].have || answers);
}

static void feed(struct sessions *ss, struct session *s, enum side from, struct reader *input, int64_t time_ns)
{
    size_t before = SIZE_MAX;
    struct slice bytes = {input->next, input->left};
    if (session_hold(ss, s, from, input))
        return;
    if (begins_late(s, from, bytes))
        s->mode = SESSION_FOREIGN;
    begin_first(ss, s, from, bytes);
    /* Each round uses bytes up or changes the mode, and the mode changes at most once a round. */
    for (unsigned rounds = 0; input->left && (input->left < before || rounds < 4); rounds++) {
        before = input->left;
        if (s->mode == SESSION_TLS)
            session_tls(ss, s, from, input, time_ns);
        else if (s->mode == SESSION_FOREIGN)
            look_for_hello(ss, s, input);
        else if (from == SIDE_CLIENT)
            session_smtp_client(ss, s, input, time_ns);
        else if (answers_in_tls(s, (struct slice){input->next, input->left}))
            session_tls(ss, s, from, input, time_ns);
        else if (s->dialog.expect == SMTP_EXPECT_TLS && !s->in_injected && session_looks_like_tls((struct slice){input->next, input->left}) &&
                 session_begin_tls(ss, s))
            s->mode = SESSION_TLS;
        else
            session_smtp_server(ss, s, input, time_ns);
    }
    s->spoke[from] = true;
    s->server_last = from == SIDE_SERVER;
}

/* What the bytes that a side holds back wait for does not come, or something else comes first: they are judged as they are. */
static void settle(struct sessions *ss, struct session *s, enum side from)
{
    uint8_t head[TLS_RECORD_HEADER];
    if (!s->holds)
        return;
    struct reader input = reader_of(head, session_head(s, from, head));
    s->settling = true;
    if (input.left)
        feed(ss, s, from, &input, s->flow->last_ns);
    s->settling = false;
}

/* A side that may hold bytes back goes on: they and these are put into `whole`. What the other holds back is all that it says for now. */
static struct slice go_on(struct sessions *ss, struct session *s, enum side from, struct slice bytes, struct buffer *whole)
{
    uint8_t head[TLS_RECORD_HEADER];
    const uint32_t most = UINT16_MAX + TLS_RECORD_HEADER;
    enum side other = from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    if (s->server_turn == (other == SIDE_SERVER))
        settle(ss, s, other); /* else it is what the client said before a 220 that came within this turn, and it may still go on */
    struct reader held = reader_of(head, session_head(s, from, head));
    s->holds = parts_of(s)->head_length[other] != 0;
    if (!held.left)
        return bytes;
    if (buffer_append(&ss->pool, whole, reader_rest(&held), most) && buffer_append(&ss->pool, whole, bytes, most))
        return buffer_slice(whole);
    session_limit(ss, s);
    return bytes;
}

/* No mail, on a port that is no mail port: nothing is told of it. */
static void drop(struct sessions *ss, struct session *s)
{
    flow_shunt(ss->table, s->flow);
    s->flow->session = NULL;
    session_free(ss, s);
}

static void after_input(struct sessions *ss, struct session *s)
{
    if (s->judged && (s->verdict == CLASSIFY_OTHER || s->mode == SESSION_FOREIGN || s->foreign)) {
        drop(ss, s);
        return;
    }
    const struct flow *flow = s->flow;
    bool established = s->handshake && s->handshake->facts.established;
    bool foreign = s->mode == SESSION_FOREIGN && flow->half[0].next + flow->half[1].next > LIMIT_FOREIGN;
    if (established || foreign)
        session_decide(ss, s);
    if ((s->smtp_seen || s->tls_begun) && !s->foreign)
        ss->last_smtp_ns = ss->now_ns;
}

/* The client's first bytes, which may follow a PROXY header; what waited to be judged as one is lent by a buffer of its own. */
static void feed_first(struct sessions *ss, struct session *s, struct reader *input, int64_t time_ns)
{
    if (!session_strip_proxy(ss, s, input))
        return;
    struct buffer waited = parts_of(s)->wait;
    if (s->parts)
        s->parts->wait = (struct buffer){0};
    if (input->left)
        feed(ss, s, SIDE_CLIENT, input, time_ns);
    buffer_release(&ss->pool, &waited);
}

static void on_data(void *user, struct flow *flow, enum side from, struct slice bytes, int64_t time_ns)
{
    struct sessions *ss = user;
    struct session *s = flow->session;
    struct buffer whole = {0};
    if (s->worth_open && !session_worth_judging(bytes)) {
        drop(ss, s);
        return;
    }
    s->worth_open = false;
    note_beginning(s);
    s->server_first = s->server_first || (from == SIDE_SERVER && !flow_bytes(flow, SIDE_CLIENT));
    struct slice all = s->holds ? go_on(ss, s, from, bytes, &whole) : bytes;
    s->server_turn = from == SIDE_SERVER;
    struct reader input = reader_of_slice(all);
    session_judge(ss, s, from, bytes);
    if (from == SIDE_CLIENT && !s->proxy_over)
        feed_first(ss, s, &input, time_ns);
    else
        feed(ss, s, from, &input, time_ns);
    buffer_release(&ss->pool, &whole);
    after_input(ss, s);
}

static void on_gap(void *user, struct flow *flow, enum side from, uint64_t length, bool cut)
{
    struct sessions *ss = user;
    struct session *s = flow->session;
    settle(ss, s, SIDE_CLIENT);
    settle(ss, s, SIDE_SERVER);
    s->hole[from] = true;
    if (cut)
        s->cut = true;
    else
        s->gap[from] = true;
    if (from == SIDE_CLIENT && !s->proxy_over) {
        s->proxy_over = true; /* half a PROXY header names nobody */
        if (s->parts)
            buffer_release(&ss->pool, &s->parts->wait);
    }
    if (s->mode == SESSION_TLS)
        session_tls_gap(ss, s, from, length);
    else
        session_smtp_gap(ss, s, from, length);
}

static void on_close_half(void *user, struct flow *flow, enum side from, int64_t time_ns)
{
    struct sessions *ss = user;
    struct session *s = flow->session;
    settle(ss, s, from);
    if (s->mode == SESSION_TLS)
        session_tls_close(s, from, false, time_ns);
    after_input(ss, s);
}

static void on_end(void *user, struct flow *flow, enum end_how how, enum side from)
{
    struct sessions *ss = user;
    struct session *s = flow->session;
    settle(ss, s, SIDE_CLIENT);
    settle(ss, s, SIDE_SERVER);
    session_judge_early(s);
    if (how == END_RST && s->mode == SESSION_TLS)
        session_tls_close(s, from, true, flow->last_ns);
    session_write(ss, s, how, from);
}

/* ---- the stage */

struct sessions *sessions_new(const struct session_options *options, struct session_sink sink, struct counters *counters)
{
    struct sessions *ss = memory_new(sizeof *ss);
    if (!ss)
        return NULL;
    ss->options = *options;
    ss->sink = sink;
    ss->counters = counters;
    ss->last_smtp_ns = INT64_MIN;
    pool_init(&ss->pool, LIMIT_POOL_BYTES);
    slab_init(&ss->session_slab, sizeof(struct session));
    slab_init(&ss->handshake_slab, sizeof(struct handshake));
    slab_init(&ss->parts_slab, sizeof(struct session_parts));
    slab_init(&ss->text_slab, SESSION_TEXT_FIRST);
    ss->digests = digests_new();
    ss->certificates = ss->digests ? certificate_cache_new(ss->digests) : NULL;
    ss->fingerprints = fingerprints_new(ss->digests);
    ss->classifier = classifier_new();
    if (!ss->certificates || !ss->fingerprints || !ss->classifier || !linger_init(&ss->linger)) {
        sessions_free(ss);
        return NULL;
    }
    return ss;
}

/* The handshake and, for the record, what is kept of the text. */
static void on_expect(const void *session, bool end)
{
    const struct session *s = session;
    const char *handshake = (const char *)s->handshake;
    for (size_t at = 0; handshake && at < sizeof(struct handshake); at += 64)
        __builtin_prefetch(handshake + at);
    for (size_t at = 0; end && at < s->text_length; at += 64)
        __builtin_prefetch(s->text + at);
}

struct flow_sink sessions_flow_sink(struct sessions *ss)
{
    return (struct flow_sink){.open = on_open, .data = on_data, .gap = on_gap, .close_half = on_close_half, .end = on_end, .expect = on_expect, .user = ss};
}

void sessions_follow(struct sessions *ss, struct flow_table *table)
{
    ss->table = table;
}

int64_t sessions_last_smtp_ns(const struct sessions *ss)
{
    return ss->last_smtp_ns;
}

uint64_t sessions_held(const struct sessions *ss)
{
    return ss->held + ss->pool.held;
}

void sessions_free(struct sessions *ss)
{
    if (!ss)
        return;
    certificate_cache_free(ss->certificates);
    fingerprints_free(ss->fingerprints);
    classifier_free(ss->classifier);
    digests_free(ss->digests);
    linger_close(&ss->linger);
    smtp_line_reset(&ss->line, &ss->pool, false);
    pool_close(&ss->pool);
    slab_close(&ss->session_slab);
    slab_close(&ss->handshake_slab);
    slab_close(&ss->parts_slab);
    slab_close(&ss->text_slab);
    memory_free(ss);
}
