/* SPDX-License-Identifier: BSD-2-Clause */
/* The SSLv2 part of a handshake: the old format of the ClientHello, and SSLv2 proper (draft-hickman-netscape-ssl-00). */
#include "session/handshake.h"

enum { SSL2_ERROR = 0, SSL2_CLIENT_HELLO = 1, SSL2_CLIENT_MASTER_KEY = 2, SSL2_SERVER_HELLO = 4 };
enum { SSL2_RECORD_MAX = 32767, SSL2_KEEP = 16384 /* of a message: SERVER-HELLO carries a certificate */ };

/* Progress of an SSLv2 handshake: what came last. */
enum ssl2_state { SSL2_STATE_NONE, SSL2_STATE_HELLO, SSL2_STATE_SERVER_HELLO, SSL2_STATE_KEY, SSL2_STATE_SERVER_VERIFIED };

bool handshake_is_ssl2(const struct handshake *h, enum side from, struct slice bytes)
{
    if (from == SIDE_CLIENT)
        return ssl2_hello_plausible(bytes);
    return h->facts.client.flags & TLS_SSL2_FORMAT && !tls_record_plausible(bytes) && bytes.length && bytes.data[0] & 0x80;
}

static void take_hello(struct sessions *ss, struct session *s, struct slice body, int64_t time_ns)
{
    struct tls_client_hello hello;
    if (ssl2_parse_client_hello(body, &hello) != TLS_PARSE_OK)
        return;
    hello.flags |= TLS_SSL2_FORMAT;
    handshake_client_hello(ss, s, &hello, time_ns);
    s->parts->ssl2.state = SSL2_STATE_HELLO;
    s->handshake->facts.client.last_message = TLS_CLIENT_HELLO;
    s->handshake->facts.client.saw_message = true;
    /* What follows is TLS if the server answers in TLS; if it answers in SSLv2 it goes on in SSLv2. */
    s->handshake->ssl2_format[SIDE_CLIENT] = s->handshake->ssl2_format[SIDE_SERVER];
}

static void take_server_hello(struct sessions *ss, struct session *s, struct slice body, int64_t time_ns)
{
    struct ssl2_server_hello hello;
    struct handshake *h = s->handshake;
    struct ssl2_reader *reader = &s->parts->ssl2;
    if (ssl2_parse_server_hello(body, &hello) != TLS_PARSE_OK)
        return;
    h->facts.have_server_hello = true;
    h->facts.version = hello.version;
    if (hello.certificate.length) {
        h->facts.server.certificate = handshake_certificate(ss, hello.certificate, time_ns);
        h->facts.server.chain_length = 1;
    }
    h->facts.limited_by = h->facts.client_max_version > hello.version ? SIDE_SERVER : SIDE_CLIENT;
    h->facts.resumption = hello.session_id_hit ? TLS_RESUMED_SESSION_ID : TLS_NOT_RESUMED;
    h->ssl2_format[SIDE_CLIENT] = true;
    reader->state = hello.session_id_hit ? SSL2_STATE_KEY : SSL2_STATE_SERVER_HELLO;
}

/* After CLIENT-MASTER-KEY the server proves itself with a record that is no ERROR, then the client speaks under the keys. */
static void take_later(struct handshake *h, struct ssl2_reader *reader, enum side from, struct slice body)
{
    uint32_t cipher;
    if (from == SIDE_CLIENT && reader->state == SSL2_STATE_SERVER_HELLO &&
        ssl2_parse_client_master_key(body, &cipher) == TLS_PARSE_OK) {
        h->facts.cipher = cipher;
        h->facts.have_cipher = true;
        reader->state = SSL2_STATE_KEY;
    } else if (from == SIDE_SERVER && reader->state == SSL2_STATE_KEY) {
        reader->state = SSL2_STATE_SERVER_VERIFIED;
    } else if (from == SIDE_CLIENT && reader->state == SSL2_STATE_SERVER_VERIFIED &&
               h->progress.verdict == TLS_UNDECIDED) {
        h->progress.verdict = TLS_ESTABLISHED;
    }
}

static void take_body(struct sessions *ss, struct session *s, enum side from, struct slice body, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    struct ssl2_reader *reader = &s->parts->ssl2;
    struct reader r = reader_of_slice(body);
    uint8_t type = reader_u8(&r);
    if (type == SSL2_ERROR && body.length == 3)
        tls_progress_fatal(&h->progress, from);
    else if (from == SIDE_CLIENT && type == SSL2_CLIENT_HELLO && reader->state == SSL2_STATE_NONE)
        take_hello(ss, s, body, time_ns);
    else if (from == SIDE_SERVER && type == SSL2_SERVER_HELLO && reader->state == SSL2_STATE_HELLO)
        take_server_hello(ss, s, body, time_ns);
    else
        take_later(h, reader, from, body);
}

/* Reads a record header byte by byte; true when it is whole. */
static bool take_header(struct ssl2_reader *reader, enum side from, struct reader *input)
{
    while (input->left && reader->have[from] < 3) {
        reader->header[from][reader->have[from]++] = reader_u8(input);
        if (ssl2_record_header((struct slice){reader->header[from], reader->have[from]}, &reader->left[from]))
            return true;
    }
    return false;
}

/* Three bytes that are no header of either form (a record of no length): whatever this is, it is not read on. */
static void not_ssl2(struct handshake *h, struct ssl2_reader *reader, enum side from, struct reader *input)
{
    reader->have[from] = 0;
    if (!h->gap[from]) {
        h->facts.saw_not_tls = true;
        tls_progress_fatal(&h->progress, from);
    }
    reader_skip(input, input->left);
}

void handshake_ssl2(struct sessions *ss, struct session *s, enum side from, struct reader *input, int64_t time_ns)
{
    struct handshake *h = s->handshake;
    if (!session_parts(ss, s)) {
        reader_skip(input, input->left);
        return;
    }
    struct ssl2_reader *reader = &s->parts->ssl2;
    h->begun[from] = h->ssl2_format[from] = true;
    while (input->left && h->ssl2_format[from] && !reader->lost[from] && h->progress.verdict == TLS_UNDECIDED) {
        if (!reader->left[from]) {
            bool whole = take_header(reader, from, input);
            if (!whole && reader->have[from] == sizeof reader->header[from])
                not_ssl2(h, reader, from, input);
            if (!whole)
                continue;
            reader->have[from] = 0;
        }
        size_t count = reader->left[from] < input->left ? reader->left[from] : input->left;
        if (!buffer_append(&ss->pool, &reader->body, reader_bytes(input, count), SSL2_KEEP))
            session_limit(ss, s);
        reader->left[from] = (uint16_t)(reader->left[from] - count);
        if (reader->left[from])
            continue;
        struct buffer body = reader->body;
        reader->body = (struct buffer){0};
        if (!reader->broken[from])
            take_body(ss, s, from, buffer_slice(&body), time_ns);
        reader->broken[from] = false;
        buffer_release(&ss->pool, &body);
    }
    if (h->progress.verdict != TLS_UNDECIDED || reader->lost[from])
        reader_skip(input, input->left);
}

void handshake_ssl2_gap(struct sessions *ss, struct session *s, enum side from, uint64_t length)
{
    if (!s->parts)
        return;
    struct ssl2_reader *reader = &s->parts->ssl2;
    buffer_release(&ss->pool, &reader->body);
    reader->lost[from] = reader->lost[from] || length > reader->left[from];
    reader->left[from] = reader->lost[from] ? 0 : (uint16_t)(reader->left[from] - length);
    reader->broken[from] = reader->left[from] != 0;
}
