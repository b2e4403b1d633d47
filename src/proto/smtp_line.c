/* SPDX-License-Identifier: BSD-2-Clause */
/* From stream to SMTP lines: the one framer of commands and replies. */
#include <string.h>

#include "base/limits.h"
#include "proto/smtp_line.h"

static struct slice without_cr(struct slice line)
{
    if (line.length && line.data[line.length - 1] == '\r')
        line.length--;
    return line;
}

/* Keeps a piece of an unfinished line; what does not fit is passed over, so that a line costs at most LIMIT_LINE. */
static void keep(struct smtp_line_framer *framer, struct pool *pool, struct slice piece)
{
    size_t room = LIMIT_LINE - framer->held.length;
    if (piece.length > room) {
        piece.length = room;
        framer->skipping = framer->over = true;
    }
    if (!buffer_append(pool, &framer->held, piece, LIMIT_LINE))
        framer->skipping = framer->over = true;
}

enum smtp_line_status smtp_line_next(struct smtp_line_framer *framer, struct pool *pool, struct reader *input,
                                     struct slice *line)
{
    /* What the last call lent out is over now; an unfinished line has no LF at its end. */
    if (framer->held.length && framer->held.data[framer->held.length - 1] == '\n')
        buffer_release(pool, &framer->held);
    if (!input->left)
        return SMTP_LINE_NEED_MORE;
    if (!framer->skipping)
        framer->over = false;
    const uint8_t *end = memchr(input->next, '\n', input->left);
    struct slice piece = reader_bytes(input, end ? (size_t)(end - input->next) + 1 : input->left);
    if (end && !framer->held.data && !framer->skipping && piece.length <= LIMIT_LINE) {
        *line = without_cr((struct slice){piece.data, piece.length - 1});
        return SMTP_LINE_OK;
    }
    if (!framer->skipping)
        keep(framer, pool, piece);
    if (!end)
        return SMTP_LINE_NEED_MORE;
    bool cut = framer->skipping;
    framer->skipping = false;
    *line = buffer_slice(&framer->held);
    if (cut && line->length) {
        framer->held.data[line->length - 1] = '\n'; /* so that the next call knows it was told */
        line->length--;
    } else if (line->length) {
        line->length--;
        *line = without_cr(*line);
    }
    return cut ? SMTP_LINE_CUT : SMTP_LINE_OK;
}

void smtp_line_reset(struct smtp_line_framer *framer, struct pool *pool, bool skip)
{
    buffer_release(pool, &framer->held);
    framer->skipping = skip;
    framer->over = false;
}
