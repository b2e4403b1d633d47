/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines out of a stream in pieces of every size (RFC 5321 2.3.8). */
#include <stdlib.h>

#include "base/limits.h"
#include "proto/smtp_line.h"
#include "test.h"

/* Puts all lines of `data`, cut into pieces of `size`, into `out` as "[line]", a cut one as "{line}". */
static void lines(const char *data, size_t length, size_t size, char *out)
{
    struct pool pool;
    struct smtp_line_framer framer = {.skipping = false};
    struct reader all = reader_of(data, length);
    struct slice line;
    enum smtp_line_status status;
    pool_init(&pool, LIMIT_POOL_BYTES);
    *out = '\0';
    while (all.left) {
        struct reader piece = reader_child(&all, size < all.left ? size : all.left);
        while ((status = smtp_line_next(&framer, &pool, &piece, &line)) != SMTP_LINE_NEED_MORE) {
            bool cut = status == SMTP_LINE_CUT;
            out += sprintf(out, cut ? "{%.*s}" : "[%.*s]", (int)line.length, (const char *)line.data);
        }
        CHECK(piece.left == 0);
    }
    smtp_line_reset(&framer, &pool, false);
    CHECK_INT(pool.held, 0);
    pool_close(&pool);
}

static void test_every_split(void)
{
    static const struct {
        const char *data, *lines;
    } rows[] = {
        {"EHLO a\r\nQUIT\r\n", "[EHLO a][QUIT]"},
        {"EHLO a\nQUIT\n", "[EHLO a][QUIT]"},        /* a bare LF ends a line too */
        {"a\rb\r\nc\r\r\n", "[a\rb][c\r]"},          /* a bare CR does not */
        {"\r\n\n\r\n", "[][][]"},
        {"no end", ""},
        {"220 x\r\n250", "[220 x]"},
        {"\r", ""},
    };
    char out[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t size = 1; size <= strlen(rows[i].data); size++) {
            lines(rows[i].data, strlen(rows[i].data), size, out);
            CHECK_TEXT(out, rows[i].lines);
        }
}

static void test_limit(void)
{
    static char data[3 * LIMIT_LINE], out[3 * LIMIT_LINE];
    static const size_t sizes[] = {1, 100, LIMIT_LINE - 1, LIMIT_LINE, LIMIT_LINE + 1, sizeof data};
    for (size_t length = LIMIT_LINE - 3; length <= LIMIT_LINE + 3; length++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            memset(data, 'x', length);
            memcpy(data + length, "\r\nNOOP\r\n", 8);
            lines(data, length + 8, sizes[i], out);
            bool fits = length + 2 <= LIMIT_LINE;
            CHECK(out[0] == (fits ? '[' : '{'));
            CHECK(strcmp(out + strlen(out) - 6, "[NOOP]") == 0);
            CHECK(strlen(out) <= LIMIT_LINE + 8);
        }
}

static void test_reset(void)
{
    struct pool pool;
    struct smtp_line_framer framer = {.skipping = false};
    struct slice line;
    pool_init(&pool, LIMIT_POOL_BYTES);
    struct reader piece = reader_of("MAIL FR", 7);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_NEED_MORE);
    smtp_line_reset(&framer, &pool, true); /* a hole: the rest of what is broken is passed over */
    piece = reader_of("of a line\r\nRSET\r\n", 17);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_CUT);
    CHECK_INT(line.length, 0);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_OK);
    CHECK(line.length == 4 && memcmp(line.data, "RSET", 4) == 0);
    smtp_line_reset(&framer, &pool, false);
    CHECK_INT(pool.held, 0);
    pool_close(&pool);
}

/* Without a buffer lines that need one are told as cut, the others as they are. */
static void test_no_buffer(void)
{
    struct pool pool;
    struct smtp_line_framer framer = {.skipping = false};
    struct slice line;
    pool_init(&pool, 0);
    struct reader piece = reader_of("whole\r\nhalf", 11);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_OK);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_NEED_MORE);
    piece = reader_of("a line\r\nnext\r\n", 14);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_CUT);
    CHECK_INT(smtp_line_next(&framer, &pool, &piece, &line), SMTP_LINE_OK);
    CHECK(line.length == 4 && memcmp(line.data, "next", 4) == 0);
    smtp_line_reset(&framer, &pool, false);
    pool_close(&pool);
}

int main(void)
{
    test_every_split();
    test_limit();
    test_reset();
    test_no_buffer();
    return TEST_END();
}
