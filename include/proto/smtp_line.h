/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP lines of one direction, cut from a byte stream that arrives in any pieces (RFC 5321 2.3.8). */
#ifndef PROTO_SMTP_LINE_H
#define PROTO_SMTP_LINE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/reader.h"

/* Holds only an unfinished line. Zero-initialised is ready. */
struct smtp_line_framer {
    struct buffer held;
    bool skipping; /* the rest of the line is passed over */
    bool over;     /* ... because it went over LIMIT_LINE, or no buffer was left; still so when the line has been told */
};

enum smtp_line_status { SMTP_LINE_NEED_MORE, SMTP_LINE_OK, SMTP_LINE_CUT };

/*
 * smtp_line_next cuts the next line off the front of *input, without its CRLF; a bare LF ends a line too. The line is borrowed: from the
 * input where it lies in it whole, else from the framer until its next call. CUT: the line was longer than LIMIT_LINE, or no buffer was left; its
 * beginning is told. Call until NEED_MORE.
 */
enum smtp_line_status smtp_line_next(struct smtp_line_framer *framer, struct pool *pool, struct reader *input,
                                     struct slice *line);

/* smtp_line_reset forgets an unfinished line; with `skip` the rest of it, up to the next LF, is passed over too (after a gap). */
void smtp_line_reset(struct smtp_line_framer *framer, struct pool *pool, bool skip);

#endif
