/* SPDX-License-Identifier: BSD-2-Clause */
/* Cuts the byte stream of one direction into TLS records, for tls_handshake.c and the session. */
#include "proto/tls_record.h"

enum {
    MINOR_MAX = 4, /* of a version that a record can plausibly bear: 3.4 */
    /* Longest alert and ChangeCipherSpec: CBC with a 16-byte IV, 64-byte MAC, 256 of padding. */
    SMALL_RECORD_MAX = 2 + 64 + 256 + 16
};

static bool type_known(uint8_t type)
{
    return type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_HEARTBEAT;
}

static uint16_t header_length(const uint8_t header[TLS_RECORD_HEADER])
{
    return (uint16_t)(header[3] << 8 | header[4]);
}

/* Whether the first `have` bytes, at least one, can begin a record at all. */
static bool header_possible(const uint8_t header[TLS_RECORD_HEADER], unsigned have)
{
    if (!type_known(header[0]))
        return false;
    if (have >= 2 && header[1] != 3)
        return false;
    return have < TLS_RECORD_HEADER || header_length(header) <= TLS_RECORD_MAX;
}

static bool length_plausible(uint8_t type, uint16_t length)
{
    switch (type) {
    case TLS_CHANGE_CIPHER_SPEC: return length >= 1 && length <= SMALL_RECORD_MAX;
    case TLS_ALERT: return length >= 2 && length <= SMALL_RECORD_MAX;
    default: return length >= 1; /* header_possible knows the most */
    }
}

bool tls_record_plausible(struct slice input)
{
    uint8_t header[TLS_RECORD_HEADER] = {0};
    unsigned have = input.length < TLS_RECORD_HEADER ? (unsigned)input.length : TLS_RECORD_HEADER;
    struct reader reader = reader_of_slice(input);
    reader_copy(&reader, header, have);
    if (!have || !header_possible(header, have))
        return false;
    if (have >= 3 && header[2] > MINOR_MAX)
        return false;
    return have < TLS_RECORD_HEADER || length_plausible(header[0], header_length(header));
}

static void piece_describe(struct tls_piece *piece, const uint8_t header[TLS_RECORD_HEADER])
{
    piece->type = header[0];
    piece->version = (uint16_t)(header[1] << 8 | header[2]);
    piece->length = header_length(header);
}

static void framer_lose(struct tls_record_framer *framer)
{
    *framer = (struct tls_record_framer){.lost = true};
}

/* Reads a header, perhaps begun in an earlier piece. */
static struct tls_piece next_header(struct tls_record_framer *framer, struct reader *input)
{
    struct tls_piece piece = {.kind = TLS_PIECE_NEED_MORE};
    struct reader ahead = *input;
    unsigned missing = TLS_RECORD_HEADER - framer->have, count = ahead.left < missing ? (unsigned)ahead.left : missing;
    reader_copy(&ahead, framer->header + framer->have, count);
    framer->have = (uint8_t)(framer->have + count);
    if (!header_possible(framer->header, framer->have)) {
        framer_lose(framer);
        piece.kind = TLS_PIECE_NOT_TLS;
        return piece;
    }
    *input = ahead;
    if (framer->have < TLS_RECORD_HEADER)
        return piece;
    framer->have = 0;
    framer->left = header_length(framer->header);
    piece.kind = TLS_PIECE_RECORD;
    piece_describe(&piece, framer->header);
    piece.last = framer->left == 0;
    return piece;
}

static struct slice take_payload(struct tls_record_framer *framer, struct reader *input)
{
    size_t count = framer->left < input->left ? framer->left : input->left;
    framer->left = (uint16_t)(framer->left - count);
    return reader_bytes(input, count);
}

struct tls_piece tls_record_next(struct tls_record_framer *framer, struct reader *input)
{
    struct tls_piece piece = {.kind = TLS_PIECE_NEED_MORE};
    if (framer->lost) {
        piece.kind = TLS_PIECE_NOT_TLS;
        return piece;
    }
    if (framer->left && framer->header[0] == TLS_APPLICATION_DATA)
        take_payload(framer, input);
    if (!input->left)
        return piece;
    if (!framer->left)
        return next_header(framer, input);
    piece.kind = TLS_PIECE_PAYLOAD;
    piece_describe(&piece, framer->header);
    piece.payload = take_payload(framer, input);
    piece.last = framer->left == 0;
    return piece;
}

bool tls_record_gap(struct tls_record_framer *framer, uint64_t length)
{
    if (framer->lost)
        return false;
    if (length <= framer->left) {
        framer->left = (uint16_t)(framer->left - length);
        return true;
    }
    framer_lose(framer);
    return false;
}

bool tls_record_resync(struct tls_record_framer *framer, struct slice input)
{
    uint8_t header[TLS_RECORD_HEADER];
    struct reader reader = reader_of_slice(input);
    if (!tls_record_plausible(input) || !reader_copy(&reader, header, sizeof header))
        return false;
    if (reader.left > header_length(header)) {
        reader_skip(&reader, header_length(header));
        if (!tls_record_plausible(reader_rest(&reader)))
            return false;
    }
    *framer = (struct tls_record_framer){.lost = false};
    return true;
}
