/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake framer: messages over any pieces, limits, failing memory. */
#include "base/limits.h"
#include "proto/tls_handshake.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

static struct pool pool;
static char log_text[8192];

static void feed(struct tls_handshake_framer *framer, struct slice bytes)
{
    struct reader input = reader_of_slice(bytes);
    struct tls_message message;
    for (;;) {
        enum tls_message_status status = tls_handshake_next(framer, &pool, &input, &message);
        size_t used = strlen(log_text);
        if (status == TLS_MESSAGE_NEED_MORE) {
            CHECK_INT(input.left, 0);
            return;
        }
        used += (size_t)snprintf(log_text + used, sizeof log_text - used, "%u/%u%s", message.type,
                                 message.length, status == TLS_MESSAGE_CUT ? " cut" : ":");
        CHECK_INT(message.body.length, status == TLS_MESSAGE_CUT ? 0 : message.length);
        for (size_t i = 0; i < message.body.length && i < 16; i++)
            used += (size_t)snprintf(log_text + used, sizeof log_text - used, "%02x",
                                     message.body.data[i]);
        snprintf(log_text + used, sizeof log_text - used, " ");
    }
}

static const char *run(struct slice stream, size_t piece)
{
    struct tls_handshake_framer framer = {0};
    log_text[0] = '\0';
    for (size_t at = 0; at < stream.length; at += piece) {
        size_t count = stream.length - at < piece ? stream.length - at : piece;
        feed(&framer, block_of(stream.data + at, count));
    }
    tls_handshake_reset(&framer, &pool);
    CHECK_INT(pool.held, 0);
    return log_text;
}

static void test_splits(void)
{
    struct slice stream = hex("02 000003 010203  0e 000000  00 000000  0b 000006 aabbccddeeff  14 "
                              "000001 77  0c 000002 00");
    const char *expected = "2/3:010203 14/0: 0/0: 11/6:aabbccddeeff 20/1:77 ";
    for (size_t piece = 1; piece <= stream.length; piece++)
        CHECK_TEXT(run(stream, piece), expected);
    for (size_t at = 0; at <= stream.length; at++) {
        struct tls_handshake_framer framer = {0};
        log_text[0] = '\0';
        feed(&framer, head(stream, at));
        feed(&framer, block_of(stream.data + at, stream.length - at));
        CHECK_TEXT(log_text, expected);
        tls_handshake_reset(&framer, &pool);
    }
    CHECK_INT(pool.held, 0);
}

/* A message whole in its piece is borrowed from there, any other from the framer until the next
 * call. */
static void test_borrowing(void)
{
    struct tls_handshake_framer framer = {0};
    struct slice whole = hex("01 000002 aabb"), rest = hex("bb");
    struct reader input = reader_of_slice(whole);
    struct tls_message message;
    CHECK_INT(tls_handshake_next(&framer, &pool, &input, &message), TLS_MESSAGE_OK);
    CHECK(message.body.data == whole.data + 4);
    CHECK_INT(pool.held, 0);

    input = reader_of_slice(hex("01 000002 aa"));
    CHECK_INT(tls_handshake_next(&framer, &pool, &input, &message), TLS_MESSAGE_NEED_MORE);
    CHECK_INT(message.type, 1);
    CHECK_INT(message.length, 2);
    CHECK_INT(pool.held > 0, true);
    input = reader_of_slice(rest);
    CHECK_INT(tls_handshake_next(&framer, &pool, &input, &message), TLS_MESSAGE_OK);
    CHECK(message.body.data == framer.held.data);
    CHECK_INT(tls_handshake_next(&framer, &pool, &input, &message), TLS_MESSAGE_NEED_MORE);
    CHECK_INT(pool.held, 0);
}

static struct slice long_message(uint32_t length)
{
    static uint8_t zeros[LIMIT_TLS_MESSAGE + 1];
    uint8_t header[4] = {11, (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    return join(block_of(header, 4), block_of(zeros, length));
}

static void test_limit(void)
{
    struct slice after = hex("0e 000000"), fits = join(long_message(LIMIT_TLS_MESSAGE), after);
    struct slice cut = join(long_message(LIMIT_TLS_MESSAGE + 1), after);
    const char *whole = "11/131072:00000000000000000000000000000000 14/0: ";
    CHECK_TEXT(run(fits, SIZE_MAX), whole);
    CHECK_TEXT(run(fits, 16384), whole);
    CHECK_TEXT(run(cut, SIZE_MAX), "11/131073 cut 14/0: ");
    CHECK_TEXT(run(cut, 16384), "11/131073 cut 14/0: ");
    CHECK_TEXT(run(hex("0b ffffff 00"), 1), "11/16777215 cut ");
}

static void test_no_buffer(void)
{
    struct slice stream = hex("0b 000006 aabbccddeeff 0e 000000");
    struct pool good = pool;
    pool.limit = 0;
    CHECK_TEXT(run(stream, SIZE_MAX), "11/6:aabbccddeeff 14/0: "); /* needs none */
    CHECK_TEXT(run(stream, 7), "11/6 cut 14/0: ");
    CHECK_TEXT(run(stream, 1), "11/6 cut 14/0: ");
    pool = good;

    /* The pool is used up in the middle: 256 bytes are there, 1024 are not. */
    struct slice longer = join(long_message(600), hex("0e 000000"));
    pool.limit = 256;
    CHECK_TEXT(run(longer, 100), "11/600 cut 14/0: ");
    pool.limit = good.limit;
    CHECK_TEXT(run(longer, 100), "11/600:00000000000000000000000000000000 14/0: ");
}

static void test_reset(void)
{
    struct tls_handshake_framer framer = {0};
    log_text[0] = '\0';
    feed(&framer, hex("0b 000006 aabb"));
    tls_handshake_reset(&framer, &pool);
    feed(&framer, hex("0e 000000"));
    feed(&framer, hex("0b ffffff"));
    tls_handshake_reset(&framer, &pool);
    feed(&framer, hex("14 000001 01"));
    feed(&framer, hex("0b 00"));
    tls_handshake_reset(&framer, &pool);
    feed(&framer, hex("14 000001 02"));
    tls_handshake_reset(&framer, &pool);
    tls_handshake_reset(&framer, &pool);
    CHECK_TEXT(log_text, "14/0: 11/16777215 cut 20/1:01 20/1:02 ");
    CHECK_INT(pool.held, 0);
}

int main(void)
{
    pool_init(&pool, LIMIT_POOL_BYTES);
    test_splits();
    test_borrowing();
    test_limit();
    test_no_buffer();
    test_reset();
    pool_close(&pool);
    hex_free();
    return TEST_END();
}
