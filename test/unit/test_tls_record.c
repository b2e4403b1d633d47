/* SPDX-License-Identifier: BSD-2-Clause */
/* The record framer: any split, bad headers, gaps, resynchronisation. */
#include "proto/tls_record.h"
#include "unit/test.h"
#include "unit/test_tls_bytes.h"

/* What a stream consists of, as text: R<type>/<version>/<length>, payload bytes, '!' at its end, X
 * for NOT_TLS. */
static char log_text[8192];

static void log_add(const char *format, unsigned a, unsigned b, unsigned c)
{
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, format, a, b, c);
}

static void feed(struct tls_record_framer *framer, struct slice bytes)
{
    struct reader input = reader_of_slice(bytes);
    for (;;) {
        struct tls_piece piece = tls_record_next(framer, &input);
        if (piece.kind == TLS_PIECE_NEED_MORE) {
            CHECK_INT(input.left, 0);
            return;
        }
        if (piece.kind == TLS_PIECE_NOT_TLS) {
            log_add("X", 0, 0, 0);
            return;
        }
        if (piece.kind == TLS_PIECE_RECORD) {
            log_add("R%u/%x/%u:", piece.type, piece.version, piece.length);
            CHECK_INT(piece.last, piece.length == 0);
            continue;
        }
        CHECK(piece.payload.length > 0);
        for (size_t i = 0; i < piece.payload.length; i++)
            log_add("%02x", piece.payload.data[i], 0, 0);
        if (piece.last)
            log_add("!", 0, 0, 0);
    }
}

static const char *run(struct slice stream, size_t piece)
{
    struct tls_record_framer framer = {0};
    log_text[0] = '\0';
    for (size_t at = 0; at < stream.length; at += piece) {
        size_t count = stream.length - at < piece ? stream.length - at : piece;
        feed(&framer, block_of(stream.data + at, count));
    }
    return log_text;
}

static void test_splits(void)
{
    struct slice stream =
        hex("160301 0004 0e000000  140303 0001 01  170303 0005 aabbccddee  150303 0002 0228  "
            "160303 0000  180303 0003 010203");
    const char *expected =
        "R22/301/4:0e000000!R20/303/1:01!R23/303/5:R21/303/2:0228!R22/303/0:R24/303/3:010203!";
    for (size_t piece = 1; piece <= stream.length; piece++)
        CHECK_TEXT(run(stream, piece), expected);
    for (size_t at = 0; at <= stream.length; at++) {
        struct tls_record_framer framer = {0};
        log_text[0] = '\0';
        feed(&framer, head(stream, at));
        feed(&framer, block_of(stream.data + at, stream.length - at));
        CHECK_TEXT(log_text, expected);
    }
}

static void test_payload_tells_its_record(void)
{
    struct tls_record_framer framer = {0};
    struct reader input = reader_of_slice(hex("160302 0003 01"));
    CHECK_INT(tls_record_next(&framer, &input).kind, TLS_PIECE_RECORD);
    struct tls_piece piece = tls_record_next(&framer, &input);
    CHECK_INT(piece.type, TLS_HANDSHAKE);
    CHECK_INT(piece.version, 0x0302);
    CHECK_INT(piece.length, 3);
    CHECK_INT(piece.last, false);
}

static void test_not_tls(void)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        {"13", "X"},               /* type below */
        {"19 03 03 0001 00", "X"}, /* type above */
        {"16 02 00 0001 00", "X"}, /* major version */
        {"16 04 00 0001 00", "X"},
        {"16 03 03 4801", "X"}, /* 18433 bytes */
        {"16 03 03 ffff", "X"},
        {"32 32 30 20", "X"}, /* "220 " */
        {"150303 0002 0100 170303 0001 aa 00", "R21/303/2:0100!R23/303/1:X"},
        {"16 03 ff 0001 00", "R22/3ff/1:00!"},  /* the minor version is no fault */
        {"17 03 03 4800 00", "R23/303/18432:"}, /* the largest */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_TEXT(run(hex(cases[i].bytes), SIZE_MAX), cases[i].expected);
}

static void test_fault_position(void)
{
    struct tls_record_framer framer = {0};
    struct slice stream = hex("150303 0002 0100 160303 ffff");
    struct reader input = reader_of_slice(stream);
    CHECK_INT(tls_record_next(&framer, &input).kind, TLS_PIECE_RECORD);
    CHECK_INT(tls_record_next(&framer, &input).kind, TLS_PIECE_PAYLOAD);
    CHECK_INT(tls_record_next(&framer, &input).kind, TLS_PIECE_NOT_TLS);
    CHECK_INT(input.left, 5);
    CHECK_INT(framer.lost, true);
    CHECK_INT(tls_record_next(&framer, &input).kind, TLS_PIECE_NOT_TLS);
    CHECK_INT(input.left, 5);
}

static void test_gaps(void)
{
    struct tls_record_framer framer = {0};
    struct slice start = hex("160303 0008 aabb");
    log_text[0] = '\0';
    CHECK_INT(tls_record_gap(&framer, 0), true);
    feed(&framer, start);
    CHECK_INT(tls_record_gap(&framer, 2), true); /* within the payload */
    feed(&framer, hex("cc"));
    CHECK_INT(tls_record_gap(&framer, 3), true); /* up to its end */
    feed(&framer, hex("150303 0002 0100"));
    CHECK_TEXT(log_text, "R22/303/8:aabbccR21/303/2:0100!");

    CHECK_INT(tls_record_gap(&framer, 1), false); /* at a border */
    CHECK_INT(framer.lost, true);
    CHECK_INT(tls_record_gap(&framer, 0), false);

    framer = (struct tls_record_framer){0};
    feed(&framer, start);
    CHECK_INT(tls_record_gap(&framer, 7), false); /* over the end */

    framer = (struct tls_record_framer){0};
    feed(&framer, hex("1603"));
    CHECK_INT(tls_record_gap(&framer, 1), false); /* within a header */

    framer = (struct tls_record_framer){0};
    feed(&framer, hex("170303 0100 00"));
    CHECK_INT(tls_record_gap(&framer, 255), true); /* skipped records too */
    feed(&framer, hex("170303 0100 00"));
    CHECK_INT(tls_record_gap(&framer, (uint64_t)1 << 40), false);
}

static void test_resync(void)
{
    static const struct {
        const char *bytes;
        bool expected;
    } cases[] = {
        {"170303 0010 00", true},
        {"170303 0010", true},
        {"170303 00", false}, /* half a header */
        {"", false},
        {"170305 0010 00", false},         /* no such version */
        {"170303 0000", false},            /* empty */
        {"140303 0153", false},            /* too long for a ChangeCipherSpec */
        {"140303 0001 01 16030300", true}, /* another header follows */
        {"140303 0001 01 99", false},      /* something else follows */
        {"150303 0001 00", false},         /* too short for an alert */
        {"150303 0002 0100", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_record_framer framer = {.lost = true};
        CHECK_INT(tls_record_resync(&framer, hex(cases[i].bytes)), cases[i].expected);
        CHECK_INT(framer.lost, !cases[i].expected);
    }
    struct tls_record_framer framer = {.lost = true};
    struct slice stream = hex("150303 0002 0228");
    CHECK(tls_record_resync(&framer, stream));
    log_text[0] = '\0';
    feed(&framer, stream);
    CHECK_TEXT(log_text, "R21/303/2:0228!");
}

static void test_plausible(void)
{
    static const struct {
        const char *bytes;
        bool expected;
    } cases[] = {
        {"", false},
        {"16", true},
        {"15", true},
        {"18", true},
        {"13", false},
        {"19", false},
        {"16 03", true},
        {"16 02", false},
        {"16 03 04", true},
        {"16 03 05", false},
        {"16 03 01 02", true},
        {"16 03 01 ff", true},
        {"16 03 01 ff ff", false},
        {"16 03 01 48 00", true},
        {"16 03 01 48 01", false},
        {"15 03 01 01 52", true},
        {"15 03 01 01 53", false},
        {"14 03 03 00 01", true},
        {"14 03 03 00 00", false},
        {"45 48 4c 4f", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(tls_record_plausible(hex(cases[i].bytes)), cases[i].expected);
}

int main(void)
{
    test_splits();
    test_payload_tells_its_record();
    test_not_tls();
    test_fault_position();
    test_gaps();
    test_resync();
    test_plausible();
    hex_free();
    return TEST_END();
}
