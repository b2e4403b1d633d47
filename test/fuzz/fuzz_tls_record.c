/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks the framers of records and handshake messages and, with what they assemble, the parsers
 * behind them. Input: 8 bytes that choose the splits, one that chooses gaps, then the stream.
 * Without gaps any split must say the same as the stream in one piece.
 */
#include "base/limits.h"
#include "fuzz_tls_tally.h"
#include "proto/tls_handshake.h"
#include "proto/tls_hello.h"
#include "proto/tls_record.h"

enum { SPLITS = 8 };

struct run {
    struct pool *pool;
    struct tls_record_framer records;
    struct tls_handshake_framer handshake;
    uint64_t records_said, messages_said; /* hashes of everything that was told */
};

static void take_message(struct run *run, enum tls_message_status status,
                         const struct tls_message *message)
{
    struct tls_client_hello client;
    struct tls_server_hello server;
    uint8_t head[2] = {(uint8_t)status, message->type};
    tally_hash(&run->messages_said, head, sizeof head);
    tally_hash(&run->messages_said, &message->length, sizeof message->length);
    tally_hash(&run->messages_said, message->body.data, message->body.length);
    must(status == TLS_MESSAGE_CUT ? !message->body.length
                                   : message->body.length == message->length);
    if (message->type == TLS_CLIENT_HELLO)
        tls_parse_client_hello(message->body, &client);
    if (message->type == TLS_SERVER_HELLO)
        tls_parse_server_hello(message->body, &server);
}

static void take_payload(struct run *run, const struct tls_piece *piece)
{
    struct reader payload = reader_of_slice(piece->payload);
    struct tls_message message;
    enum tls_message_status status;
    must(piece->payload.length > 0);
    tally_hash(&run->records_said, piece->payload.data, piece->payload.length);
    if (piece->type != TLS_HANDSHAKE)
        return;
    while ((status = tls_handshake_next(&run->handshake, run->pool, &payload, &message)) !=
           TLS_MESSAGE_NEED_MORE)
        take_message(run, status, &message);
    must(payload.left == 0);
}

static void feed(struct run *run, struct slice bytes)
{
    struct reader input = reader_of_slice(bytes);
    for (;;) {
        struct tls_piece piece = tls_record_next(&run->records, &input);
        uint8_t head[4] = {piece.type, (uint8_t)piece.version, (uint8_t)(piece.length >> 8),
                           (uint8_t)piece.length};
        if (piece.kind == TLS_PIECE_NEED_MORE)
            break;
        if (piece.kind == TLS_PIECE_NOT_TLS) {
            must(run->records.lost);
            return;
        }
        if (piece.kind == TLS_PIECE_RECORD)
            tally_hash(&run->records_said, head, sizeof head);
        else
            take_payload(run, &piece);
    }
    must(input.left == 0);
}

static void finish(struct run *run)
{
    tally_hash(&run->records_said, &run->records.lost, sizeof run->records.lost);
    tls_handshake_reset(&run->handshake, run->pool);
    must(run->pool->held == 0);
}

/* A gap of up to 15 bytes more than the piece that it swallows. */
static void lose(struct run *run, struct slice piece, unsigned more)
{
    if (!tls_record_gap(&run->records, piece.length + more))
        tls_handshake_reset(&run->handshake, run->pool);
}

static struct run run_split(struct pool *pool, struct slice stream, const uint8_t splits[SPLITS],
                            uint8_t gaps)
{
    struct run run = {.pool = pool};
    struct reader r = reader_of_slice(stream);
    for (unsigned i = 0; r.left; i++) {
        size_t count = (size_t)splits[i % SPLITS] + 1;
        struct slice piece = reader_bytes(&r, count < r.left ? count : r.left);
        if (gaps && i % 2) {
            lose(&run, piece, gaps >> 4);
            continue;
        }
        if (gaps && run.records.lost)
            tls_record_resync(&run.records, piece);
        feed(&run, piece);
    }
    finish(&run);
    return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pool pool;
    uint8_t splits[SPLITS];
    struct reader r = reader_of(data, size);
    struct run whole = {.pool = &pool};
    if (!pool.limit)
        pool_init(&pool, LIMIT_POOL_BYTES);
    if (!reader_copy(&r, splits, sizeof splits))
        return 0;
    uint8_t gaps = reader_u8(&r);
    struct slice stream = reader_rest(&r);
    feed(&whole, stream);
    finish(&whole);
    struct run split = run_split(&pool, stream, splits, gaps & 1 ? gaps : 0);
    must(gaps & 1 ||
         (split.records_said == whole.records_said && split.messages_said == whole.messages_said));
    return 0;
}
