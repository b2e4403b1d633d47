/* SPDX-License-Identifier: BSD-2-Clause */
/* Drives the TLS parsers with the bytes of both sides and keeps what the record tells of the handshake. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "proto/tls_names.h"
#include "session/fingerprint.h"
#include "session/handshake.h"

bool session_looks_like_tls(struct slice bytes)
{
    return tls_record_plausible(bytes) || ssl2_hello_plausible(bytes);
}

bool session_may_be_tls(struct slice bytes)
{
    return tls_record_plausible(bytes) || ssl2_hello_possible(bytes);
}

bool session_begin_tls(struct sessions *ss, struct session *s)
{
    session_free_tls(ss, s);
    s->handshake = slab_take(&ss->handshake_slab);
    if (!s->handshake) {
        ss->counters->memory_failures++;
        return false;
    }
    s->handshake->facts.limited_by = SIDE_NONE;
    for (unsigned side = 0; side < 2; side++) {
        s->handshake->gap[side] = s->tls_gap[side] || (s->resync[side] && s->hole[side]); /* nothing was read since the hole */
        s->handshake->progress.gap = s->handshake->progress.gap || s->handshake->gap[side];
    }
    ss->held += sizeof *s->handshake;
    return true;
}

void session_release_tls_buffers(struct sessions *ss, struct session *s)
{
    if (!s->parts)
        return;
    for (unsigned side = 0; side < 2; side++)
        tls_handshake_reset(&s->parts->message[side], &ss->pool);
    buffer_release(&ss->pool, &s->parts->ssl2.body);
    s->parts->ssl2 = (struct ssl2_reader){0};
}

static void release_certificate(struct sessions *ss, struct certificate *certificate)
{
    if (certificate)
        ss->held -= certificate_size(certificate);
    certificate_release(ss->certificates, certificate);
}

static void release_fingerprint(struct sessions *ss, struct fingerprint *fingerprint)
{
    if (fingerprint)
        ss->held -= sizeof *fingerprint;
    fingerprint_release(fingerprint);
}

void session_free_tls(struct sessions *ss, struct session *s)
{
    if (!s->handshake)
        return;
    session_release_tls_buffers(ss, s);
    release_certificate(ss, s->handshake->facts.client.certificate);
    release_certificate(ss, s->handshake->facts.server.certificate);
    release_fingerprint(ss, s->handshake->facts.client.fingerprint);
    release_fingerprint(ss, s->handshake->facts.server.fingerprint);
    ss->held -= sizeof *s->handshake;
    slab_give(&ss->handshake_slab, s->handshake);
    s->handshake = NULL;
}

static struct tls_side_facts *side_facts(struct handshake *h, enum side side)
{
    return side == SIDE_CLIENT ? &h->facts.client : &h->facts.server;
}

/* ---- hellos */

static uint32_t hash_session_id(struct slice id)
{
    uint32_t hash = 2166136261u; /* FNV-1a: only compared with another of the same connection */
    for (size_t i = 0; i < id.length; i++)
        hash = (hash ^ id.data[i]) * 16777619u;
    return id.length ? hash | 1u : 0;
}

static void keep_alpn_list(struct sessions *ss, struct session *s, struct slice list, struct text_ref *ref)
{
    uint8_t text[LIMIT_TEXT];
    size_t length = 0;
    struct reader names = reader_of_slice(list);
    while (names.left) {
        struct reader name = reader_child8(&names);
        struct slice bytes = reader_rest(&name);
        if (names.bad || !bytes.length)
            break;
        if (length + bytes.length + 1 > sizeof text) {
            session_limit(ss, s);
            break;
        }
        if (length)
            text[length++] = ',';
        memcpy(text + length, bytes.data, bytes.length);
        length += bytes.length;
    }
    session_keep_text(ss, s, (struct slice){text, length}, ref);
}

static void keep_offer(struct sessions *ss, struct session *s, struct slice ids, unsigned which)
{
    if (ids.length > LIMIT_OFFER)
        session_limit(ss, s);
    session_keep_bytes(ss, s, ids, LIMIT_OFFER, &s->handshake->facts.offers[which]);
}

static void keep_offers(struct sessions *ss, struct session *s, const struct tls_client_hello *hello)
{
    keep_offer(ss, s, hello->versions, TLS_OFFER_VERSIONS);
    if (!(hello->flags & TLS_SSL2_FORMAT))
        keep_offer(ss, s, hello->ciphers, TLS_OFFER_CIPHERS);
    keep_offer(ss, s, hello->groups, TLS_OFFER_GROUPS);
    keep_offer(ss, s, hello->signatures, TLS_OFFER_SIGNATURES);
}

/* Each session that shares it counts it, as it may come to hold it alone. */
static void keep_fingerprint(struct sessions *ss, struct tls_side_facts *facts, struct fingerprint *fingerprint)
{
    facts->fingerprint = fingerprint;
    if (fingerprint)
        ss->held += sizeof *fingerprint;
}

void handshake_client_hello(struct sessions *ss, struct session *s, const struct tls_client_hello *hello, int64_t time_ns)
{
    struct tls_facts *facts = &s->handshake->facts;
    if (facts->have_client_hello)
        return; /* the second one after a HelloRetryRequest, or a renegotiation */
    facts->have_client_hello = true;
    facts->began_ns = time_ns;
    facts->client_max_version = hello->max_version;
    facts->client.flags = hello->flags;
    facts->client.record_size_limit = hello->record_size_limit;
    facts->client.max_fragment = hello->max_fragment;
    s->handshake->session_id_hash = hash_session_id(hello->session_id);
    session_keep_bytes(ss, s, hello->server_name, 255, &facts->server_name);
    keep_alpn_list(ss, s, hello->alpn, &facts->client.alpn);
    keep_fingerprint(ss, &facts->client, fingerprints_client(ss->fingerprints, hello));
    if (ss->options.offers)
        keep_offers(ss, s, hello);
}

/* Who kept the version below 1.3: see mxtap-events(5). */
static enum side limited_by(const struct tls_facts *facts)
{
    enum tls_version chosen = tls_version_rank(facts->version), highest = tls_version_rank(facts->client_max_version);
    if (!facts->have_client_hello || chosen == TLS_VERSION_TLS13 || chosen > highest || chosen == TLS_VERSION_NONE)
        return SIDE_NONE;
    return chosen < highest || facts->client.flags & TLS_HAS_FALLBACK_SCSV ? SIDE_SERVER : SIDE_CLIENT;
}

static void choose_resumption(struct handshake *h, const struct tls_server_hello *hello)
{
    if (tls_version_rank(hello->version) == TLS_VERSION_TLS13 && hello->flags & TLS_HAS_PRE_SHARED_KEY)
        h->facts.resumption = TLS_RESUMED_PSK;
    if (hash_session_id(hello->session_id) != h->session_id_hash)
        h->session_id_hash = 0; /* not echoed */
}

void handshake_chosen(struct handshake *h, uint16_t version, uint32_t cipher)
{
    h->facts.have_server_hello = true;
    h->facts.version = version;
    h->facts.cipher = cipher;
    h->facts.have_cipher = true;
    h->facts.limited_by = (uint8_t)limited_by(&h->facts);
}

static void server_hello(struct sessions *ss, struct session *s, const struct tls_server_hello *hello)
{
    struct handshake *h = s->handshake;
    struct tls_facts *facts = &h->facts;
    if (hello->hello_retry) {
        facts->hello_retry = true;
        facts->hello_retry_group = hello->group;
        tls_progress_retry(&h->progress);
        return;
    }
    if (facts->have_server_hello)
        return;
    handshake_chosen(h, hello->version, hello->cipher);
    facts->group = hello->group;
    facts->server_compression = hello->compression;
    facts->server_supports = tls_sentinel(hello->random);
    facts->server.flags = hello->flags;
    facts->server.record_size_limit = hello->record_size_limit;
    facts->server.max_fragment = hello->max_fragment;
    session_keep_text(ss, s, hello->alpn, &facts->server.alpn);
    choose_resumption(h, hello);
    keep_fingerprint(ss, &facts->server, fingerprints_server(ss->fingerprints, hello));
    tls_progress_chosen(&h->progress, tls_version_rank(hello->version), hello->cipher);
}

struct certificate *handshake_certificate(struct sessions *ss, struct slice der, int64_t time_ns)
{
    const struct certificate_counts *counts = certificate_cache_counts(ss->certificates);
    uint64_t unread = counts->too_large + counts->over_budget;
    struct certificate *certificate = certificate_get(ss->certificates, der, time_ns);
    ss->counters->certificates_unread += counts->too_large + counts->over_budget - unread;
    if (certificate)
        ss->held += certificate_size(certificate); /* of those that share it, each counts it */
    return certificate;
}

/* Certificate (RFC 5246 7.4.2): leaf first; only the number of the others is told. */
static void certificates(struct sessions *ss, struct session *s, enum side from, struct slice body, int64_t time_ns)
{
    struct tls_side_facts *facts = side_facts(s->handshake, from);
    struct reader r = reader_of_slice(body), list = reader_child24(&r);
    if (tls_version_rank(s->handshake->facts.version) == TLS_VERSION_TLS13 || facts->chain_length)
        return;
    while (list.left && facts->chain_length < UINT8_MAX) {
        struct reader certificate = reader_child24(&list);
        if (list.bad)
            break;
        struct slice der = reader_rest(&certificate);
        if (!facts->chain_length)
            facts->certificate = handshake_certificate(ss, der, time_ns);
        facts->chain_length++;
    }
}

/* A ServerHello spoilt in its extensions still names cipher and version, unless the version may be in what is spoilt. */
static bool usable(enum tls_parse parsed, const struct tls_server_hello *hello)
{
    bool known = tls_version_rank(hello->version) != TLS_VERSION_NONE;
    return known && (parsed == TLS_PARSE_OK || hello->flags & TLS_HAS_SUPPORTED_VERSIONS);
}

static void server_message(struct sessions *ss, struct session *s, const struct tls_message *message)
{
    struct handshake *h = s->handshake;
    struct tls_server_hello hello;
    struct tls_key_exchange exchange;
    switch (message->type) {
    case TLS_SERVER_HELLO:
        if (usable(tls_parse_server_hello(message->body, &hello), &hello))
            server_hello(ss, s, &hello);
        break;
    case TLS_HELLO_RETRY_REQUEST_DRAFT:
        if (usable(tls_parse_hello_retry_draft(message->body, &hello), &hello))
            server_hello(ss, s, &hello);
        break;
    case TLS_SERVER_KEY_EXCHANGE:
        if (tls_parse_server_key_exchange(message->body, h->facts.version, (uint16_t)h->facts.cipher, &exchange) == TLS_PARSE_OK &&
            h->facts.have_cipher) {
            h->facts.group = exchange.group;
            h->facts.dh_bits = exchange.prime_bits;
        }
        break;
    default: break;
    }
    if (message->type == TLS_CERTIFICATE || message->type == TLS_SERVER_KEY_EXCHANGE || message->type == TLS_SERVER_HELLO_DONE)
        h->full = true;
}

static void take_message(struct sessions *ss, struct session *s, enum side from, const struct tls_message *message, int64_t time_ns)
{
    struct tls_side_facts *facts = side_facts(s->handshake, from);
    struct tls_client_hello hello;
    facts->last_message = message->type;
    facts->saw_message = true;
    if (message->type == TLS_CERTIFICATE)
        certificates(ss, s, from, message->body, time_ns);
    if (from == SIDE_SERVER)
        server_message(ss, s, message);
    else if (message->type == TLS_CLIENT_HELLO) {
        tls_parse_client_hello(message->body, &hello);
        handshake_client_hello(ss, s, &hello, time_ns);
    }
}

/* ---- records */

static void take_alert(struct handshake *h, enum side from, const struct tls_piece *piece)
{
    struct reader bytes = reader_of_slice(piece->payload);
    if (piece->length != 2 || h->encrypted[from])
        return; /* encrypted */
    while (bytes.left && h->alert_have[from] < 2)
        h->alert[from][h->alert_have[from]++] = reader_u8(&bytes);
    if (h->alert_have[from] < 2)
        return;
    uint8_t level = h->alert[from][0], code = h->alert[from][1];
    h->alert_have[from] = 0;
    /* In 1.3 all but close_notify and user_canceled are fatal whatever the level says (RFC 8446 6). */
    bool fatal = level == 2 || (h->progress.tls13 && code != 0 && code != 90);
    if (!fatal || h->facts.have_alert || h->progress.verdict == TLS_ESTABLISHED)
        return;
    h->facts.have_alert = true;
    h->facts.alert_from = (uint8_t)from;
    h->facts.alert_level = level;
    h->facts.alert_code = code;
    tls_progress_fatal(&h->progress, from);
}

/* From the ChangeCipherSpec of a side on its records are encrypted; but in 1.3 it means nothing, nor after a HelloRetryRequest. */
static void change_cipher(const struct session *s, enum side from)
{
    struct handshake *h = s->handshake;
    bool server_unseen = h->gap[SIDE_SERVER] || !s->flow->seen[!s->flow->client];
    enum tls_version version = tls_version_rank(h->facts.version);
    if (version == TLS_VERSION_TLS13 || (!h->facts.have_server_hello && !server_unseen))
        return;
    h->encrypted[from] = true;
    if (from == SIDE_SERVER && h->facts.have_server_hello && !h->full && !h->gap[SIDE_SERVER])
        h->facts.resumption = h->facts.client.flags & TLS_OFFERS_TICKET ? TLS_RESUMED_TICKET : TLS_RESUMED_SESSION_ID;
}

static void take_record(struct session *s, enum side from, const struct tls_piece *piece, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    bool finished = h->progress.client_finished;
    h->begun[from] = true;
    h->skip_payload[from] = false;
    h->alert_have[from] = 0;
    if (piece->type == TLS_CHANGE_CIPHER_SPEC)
        change_cipher(s, from);
    tls_progress_record(&h->progress, from, piece->type, piece->length);
    if (h->progress.client_finished && !finished)
        h->facts.established_ns = time_ns;
}

static bool handshake_type(uint8_t type)
{
    return type <= TLS_END_OF_EARLY_DATA + 1 || type == TLS_ENCRYPTED_EXTENSIONS ||
           (type >= TLS_CERTIFICATE && type <= TLS_CLIENT_KEY_EXCHANGE) || (type >= TLS_FINISHED && type <= TLS_KEY_UPDATE);
}

/* Where bytes are missing, the ChangeCipherSpec may be among them: then what follows does not read like a message. */
static bool reads_encrypted(const struct session *s, const struct tls_message *message, enum tls_message_status status)
{
    bool hole = s->midstream || s->hole[SIDE_CLIENT] || s->hole[SIDE_SERVER] || !s->flow->seen[0] || !s->flow->seen[1];
    return hole && (status == TLS_MESSAGE_CUT || !handshake_type(message->type));
}

/* The session's own framer, once a message lay in several pieces; else one that all share, since nothing stays in it. */
static enum tls_message_status cut_message(struct sessions *ss, struct session *s, enum side from, struct reader *payload,
                                           struct tls_message *message)
{
    struct tls_handshake_framer *framer = s->parts ? &s->parts->message[from] : &ss->message;
    enum tls_message_status status = tls_handshake_next(framer, &ss->pool, payload, message);
    if (s->parts || !(framer->held.data || framer->have || framer->skip))
        return status;
    if (session_parts(ss, s))
        s->parts->message[from] = ss->message;
    else
        buffer_release(&ss->pool, &ss->message.held);
    ss->message = (struct tls_handshake_framer){0};
    return status;
}

static void take_payload(struct sessions *ss, struct session *s, enum side from, struct tls_piece *piece, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    struct reader payload = reader_of_slice(piece->payload);
    struct tls_message message;
    enum tls_message_status status;
    if (piece->type == TLS_ALERT)
        take_alert(h, from, piece);
    if (piece->type != TLS_HANDSHAKE || h->encrypted[from] || h->skip_payload[from])
        return;
    while ((status = cut_message(ss, s, from, &payload, &message)) != TLS_MESSAGE_NEED_MORE) {
        if (reads_encrypted(s, &message, status)) {
            h->encrypted[from] = true;
            return;
        }
        if (status == TLS_MESSAGE_CUT)
            session_limit(ss, s);
        take_message(ss, s, from, &message, time_ns);
    }
}

/* What came is no TLS. If nothing of it was before, this side never began TLS and the dialog goes on in clear. */
static void not_tls(struct session *s, enum side from, struct reader *input)
{
    struct handshake *h = s->handshake;
    enum side other = from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    /* What the other side said, or chose, would tell whether this is SSLv2. */
    bool unsure = !h->facts.have_server_hello && (h->gap[other] || !s->flow->seen[other == SIDE_CLIENT ? s->flow->client : !s->flow->client]);
    if (h->gap[from] || unsure) {
        s->resync[from] = true;
        reader_skip(input, input->left);
        return;
    }
    h->facts.saw_not_tls = true;
    bool refused_unseen = from == SIDE_SERVER && (!s->tls_first || s->midstream) && s->dialog.starttls != STARTTLS_ACCEPTED;
    if (refused_unseen)
        s->answer_missing = true; /* it may have been no 220, and this the reply to the hello */
    else if (!h->progress.gap)
        tls_progress_fatal(&h->progress, from);
    if (h->begun[from]) {
        reader_skip(input, input->left);
        return;
    }
    if (s->mode != SESSION_TLS)
        return; /* what only looked like an answer in TLS: the dialog is where it was */
    s->mode = s->foreign ? SESSION_FOREIGN : SESSION_SMTP;
    s->dialog.expect = SMTP_EXPECT_COMMAND;
}

static void take_records(struct sessions *ss, struct session *s, enum side from, struct reader *input, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    while (h->progress.verdict != TLS_ESTABLISHED) {
        struct tls_piece piece = tls_record_next(&h->record[from], input);
        if (piece.kind == TLS_PIECE_NEED_MORE)
            return;
        if (piece.kind == TLS_PIECE_NOT_TLS) {
            not_tls(s, from, input);
            return;
        }
        if (piece.kind == TLS_PIECE_RECORD)
            take_record(s, from, &piece, time_ns);
        else
            take_payload(ss, s, from, &piece, time_ns);
    }
}

static void note_established(struct handshake *h, int64_t time_ns)
{
    if (h->progress.verdict != TLS_ESTABLISHED || h->facts.established)
        return;
    h->facts.established = true;
    if (!h->facts.established_ns)
        h->facts.established_ns = time_ns;
}

/* Where a side was not captured, or the beginning is missing, what would have decided may be missing too. */
static void note_missing(const struct session *s)
{
    struct handshake *h = s->handshake;
    bool hole = s->midstream || s->hole[SIDE_CLIENT] || s->hole[SIDE_SERVER];
    if (!s->flow->seen[0] || !s->flow->seen[1] || (hole && !h->facts.have_client_hello))
        tls_progress_gap(&h->progress);
}

void session_tls(struct sessions *ss, struct session *s, enum side from, struct reader *input, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    bool first = !h->heard[from];
    h->heard[from] = true;
    if (from == SIDE_SERVER)
        note_missing(s);
    if (h->ssl2_format[from] || (first && handshake_is_ssl2(h, from, (struct slice){input->next, input->left})))
        handshake_ssl2(ss, s, from, input, time_ns);
    if (!input->left)
        ;
    else if (s->resync[from] && h->record[from].lost &&
             !tls_record_resync(&h->record[from], (struct slice){input->next, input->left}))
        reader_skip(input, input->left);
    else
        take_records(ss, s, from, input, time_ns);
    s->resync[from] = s->resync[from] && h->record[from].lost;
    note_established(h, time_ns);
    if (h->facts.established)
        reader_skip(input, input->left);
}

void session_tls_gap(struct sessions *ss, struct session *s, enum side from, uint64_t length)
{
    struct handshake *h = s->handshake;
    h->gap[from] = true;
    h->skip_payload[from] = true;
    if (s->parts)
        tls_handshake_reset(&s->parts->message[from], &ss->pool);
    if (h->ssl2_format[from])
        handshake_ssl2_gap(ss, s, from, length);
    bool in_record = tls_record_gap(&h->record[from], length);
    if (!in_record)
        s->resync[from] = true;
    if (!in_record || !h->progress.chosen)
        tls_progress_gap(&h->progress); /* else no record was missed, and of those that follow type and length are enough */
}

void session_tls_close(struct session *s, enum side from, bool reset, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    note_missing(s);
    tls_progress_close(&h->progress, from, reset);
    note_established(h, time_ns);
}
