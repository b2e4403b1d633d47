/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembles handshake messages from the payload of records; complete ones go to the parsers of
 * tls_hello.h. */
#include "base/limits.h"
#include "proto/tls_handshake.h"

enum { MESSAGE_HEADER = 4 };

static uint32_t header_length(const uint8_t header[MESSAGE_HEADER])
{
    return (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
}

/* Drops what is left of a message that was cut; false if there is more of it to come. */
static bool skip_message(struct tls_handshake_framer *framer, struct reader *payload)
{
    uint32_t count = framer->skip < payload->left ? framer->skip : (uint32_t)payload->left;
    reader_skip(payload, count);
    framer->skip -= count;
    return framer->skip == 0;
}

static bool read_header(struct tls_handshake_framer *framer, struct reader *payload)
{
    while (framer->have < MESSAGE_HEADER && payload->left)
        framer->header[framer->have++] = reader_u8(payload);
    return framer->have == MESSAGE_HEADER;
}

static enum tls_message_status cut_message(struct tls_handshake_framer *framer, struct pool *pool,
                                           uint32_t to_come)
{
    tls_handshake_reset(framer, pool);
    framer->skip = to_come;
    return TLS_MESSAGE_CUT;
}

enum tls_message_status tls_handshake_next(struct tls_handshake_framer *framer, struct pool *pool,
                                           struct reader *payload, struct tls_message *out)
{
    *out = (struct tls_message){0};
    /* A complete body still held was borrowed by the caller until now. */
    if (framer->have == MESSAGE_HEADER && framer->held.length == header_length(framer->header))
        tls_handshake_reset(framer, pool);
    if (!skip_message(framer, payload) || !read_header(framer, payload))
        return TLS_MESSAGE_NEED_MORE;
    uint32_t length = header_length(framer->header);
    out->type = framer->header[0];
    out->length = length;
    if (length > LIMIT_TLS_MESSAGE)
        return cut_message(framer, pool, length);
    if (!framer->held.length && payload->left >= length) {
        framer->have = 0;
        out->body = reader_bytes(payload, length);
        return TLS_MESSAGE_OK;
    }
    uint32_t missing = length - framer->held.length;
    struct reader rest = *payload;
    struct slice piece = reader_bytes(&rest, missing < rest.left ? missing : rest.left);
    if (!buffer_append(pool, &framer->held, piece, LIMIT_TLS_MESSAGE))
        return cut_message(framer, pool, missing);
    *payload = rest;
    if (framer->held.length < length)
        return TLS_MESSAGE_NEED_MORE;
    out->body = buffer_slice(&framer->held);
    return TLS_MESSAGE_OK;
}

void tls_handshake_reset(struct tls_handshake_framer *framer, struct pool *pool)
{
    buffer_release(pool, &framer->held);
    *framer = (struct tls_handshake_framer){0};
}
