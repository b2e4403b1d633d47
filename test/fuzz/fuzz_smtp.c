/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks the SMTP framer, the parsers of commands and replies, and the dialog. Input: 8 bytes that
 * choose splits, then turns of two bytes (side or hole, length) and their bytes. Any split of a
 * side's bytes must give the same lines.
 */
#define FUZZ_QUIET
#include "base/limits.h"
#include "fuzz_help.h"
#include "proto/smtp_dialog.h"
#include "proto/smtp_line.h"

enum { SPLITS = 8 };

static void hash_line(uint64_t *hash, enum smtp_line_status status, struct slice line)
{
    uint8_t head = (uint8_t)status;
    hash_bytes(hash, &head, 1);
    hash_bytes(hash, line.data, line.length);
}

/* The lines of `bytes` in pieces; `splits` NULL: in one. */
static uint64_t lines_of(struct pool *pool, struct slice bytes, const uint8_t *splits)
{
    struct smtp_line_framer framer = {0};
    struct reader all = reader_of_slice(bytes);
    uint64_t hash = 14695981039346656037u;
    for (unsigned turn = 0; all.left; turn++) {
        size_t size = splits ? 1u + splits[turn % SPLITS] : all.left;
        struct reader input = reader_child(&all, size < all.left ? size : all.left);
        struct slice line;
        enum smtp_line_status status;
        while ((status = smtp_line_next(&framer, pool, &input, &line)) != SMTP_LINE_NEED_MORE) {
            must(line.length <= LIMIT_LINE);
            hash_line(&hash, status, line);
        }
        must(input.left == 0 && framer.held.length <= LIMIT_LINE);
    }
    smtp_line_reset(&framer, pool, false);
    return hash;
}

static bool lies_in(struct slice part, struct slice whole)
{
    return part.length == 0 ||
           (part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static void take_command(struct smtp_dialog *dialog, struct slice line)
{
    struct smtp_command command;
    smtp_parse_command(line, &command);
    must(lies_in(command.argument, line));
    struct slice rest = line;
    must(command.verb < SMTP_VERBS && (command.verb == SMTP_EMPTY) == (smtp_word(&rest).length == 0));
    must(smtp_sasl_name(command.argument) != NULL);
    if (dialog->expect == SMTP_EXPECT_RESPONSE)
        smtp_dialog_response(dialog, line);
    else
        smtp_dialog_command(dialog, &command);
}

static void take_reply(struct smtp_dialog *dialog, struct slice line)
{
    struct smtp_reply_line reply;
    if (!smtp_parse_reply(line, &reply))
        return;
    must(reply.code >= 100 && reply.code <= 599 && lies_in(reply.text, line));
    must(reply.enhanced.class <= 5 && reply.enhanced.subject <= 999 && reply.enhanced.detail <= 999);
    must(lies_in(smtp_greeting_host(reply.text), reply.text));
    struct smtp_answer answer = smtp_dialog_reply(dialog, &reply);
    must(answer.complete == !reply.more && answer.to < SMTP_VERBS);
}

/* What only grows has not shrunk, and what is counted is within bounds. */
static void compare(const struct smtp_dialog *before, const struct smtp_dialog *now)
{
    must(now->starttls >= before->starttls && now->starttls < STARTTLS_IMPLICIT);
    must(now->mail_in_clear >= before->mail_in_clear);
    must((now->seen & before->seen) == before->seen);
    must(now->pending_runs <= SMTP_PENDING_RUNS && now->expect <= SMTP_EXPECT_TLS);
    for (unsigned i = 0; i < now->pending_runs; i++)
        must(now->pending[i].count > 0);
}

static bool passes(const struct smtp_dialog *dialog)
{
    return dialog->expect == SMTP_EXPECT_CONTENT || dialog->expect == SMTP_EXPECT_CHUNK;
}

static void client_turn(struct smtp_dialog *dialog, struct smtp_line_framer *framer,
                        struct pool *pool, struct reader *input)
{
    struct slice line;
    while (input->left && dialog->expect != SMTP_EXPECT_TLS) {
        struct smtp_dialog before = *dialog;
        size_t left = input->left;
        if (passes(dialog)) {
            smtp_dialog_content(dialog, input);
        } else if (dialog->expect == SMTP_EXPECT_DATA_REPLY ||
                   dialog->expect == SMTP_EXPECT_TLS_REPLY) {
            smtp_dialog_assume(dialog, input->left % 2 ? SMTP_EXPECT_CONTENT : SMTP_EXPECT_COMMAND);
        } else if (smtp_line_next(framer, pool, input, &line) != SMTP_LINE_NEED_MORE) {
            take_command(dialog, line);
        }
        must(input->left < left || dialog->expect != before.expect);
        compare(&before, dialog);
    }
}

static void dialog_of(struct pool *pool, struct reader turns)
{
    struct smtp_dialog dialog;
    struct smtp_line_framer framer[2] = {{.skipping = false}, {.skipping = false}};
    struct slice line;
    smtp_dialog_init(&dialog, turns.left % 2);
    while (turns.left) {
        uint8_t what = reader_u8(&turns);
        size_t size = reader_u8(&turns);
        struct smtp_dialog before = dialog;
        struct reader input = reader_child(&turns, size < turns.left ? size : turns.left);
        enum side from = what & 1 ? SIDE_SERVER : SIDE_CLIENT;
        if (what & 2) {
            smtp_line_reset(&framer[from], pool, what & 4);
            smtp_dialog_gap(&dialog, from, size + 1);
        } else if (from == SIDE_CLIENT) {
            client_turn(&dialog, &framer[from], pool, &input);
        } else {
            while (smtp_line_next(&framer[from], pool, &input, &line) != SMTP_LINE_NEED_MORE)
                take_reply(&dialog, line);
        }
        compare(&before, &dialog);
    }
    for (unsigned side = 0; side < 2; side++)
        smtp_line_reset(&framer[side], pool, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool;
    struct reader input = reader_of(data, size);
    uint8_t splits[SPLITS];
    if (!reader_copy(&input, splits, SPLITS))
        return 0;
    pool_init(&pool, LIMIT_POOL_BYTES);
    struct slice bytes = {input.next, input.left};
    must(lines_of(&pool, bytes, NULL) == lines_of(&pool, bytes, splits));
    dialog_of(&pool, input);
    must(pool.held == 0);
    pool_close(&pool);
    return 0;
}
