/* SPDX-License-Identifier: BSD-2-Clause */
/* Dialogs line by line, from the examples of RFC 5321 D, 3207, 4954, 3030, 2033 and 2920, and what the
 * dialog makes of them: "C: ", "S: ", "R: " (a line that answers 334), "+n" bytes of content or chunk, "-C" and
 * "-S" holes. */
#include <stdlib.h>

#include "proto/smtp_dialog.h"
#include "test.h"

static struct slice text(const char *string)
{
    return (struct slice){(const uint8_t *)string, strlen(string)};
}

static void content(struct smtp_dialog *dialog, const char *bytes)
{
    struct reader r = reader_of_slice(text(bytes));
    smtp_dialog_content(dialog, &r);
    CHECK_INT(r.left, 0);
}

static void take(struct smtp_dialog *dialog, const char *line)
{
    struct smtp_command command;
    struct smtp_reply_line reply;
    if (strncmp(line, "C: ", 3) == 0) {
        smtp_parse_command(text(line + 3), &command);
        smtp_dialog_command(dialog, &command);
    } else if (strncmp(line, "S: ", 3) == 0) {
        CHECK(smtp_parse_reply(text(line + 3), &reply));
        smtp_dialog_reply(dialog, &reply);
    } else if (strncmp(line, "R: ", 3) == 0) {
        CHECK_INT(dialog->expect, SMTP_EXPECT_RESPONSE);
        smtp_dialog_response(dialog, text(line + 3));
    } else if (line[0] == '-') {
        smtp_dialog_gap(dialog, line[1] == 'C' ? SIDE_CLIENT : SIDE_SERVER, 10);
    } else if (line[0] == '+') {
        static const uint8_t zeros[65536];
        struct reader r = reader_of(zeros, strtoul(line + 1, NULL, 10));
        smtp_dialog_content(dialog, &r);
        CHECK_INT(r.left, 0);
    } else {
        content(dialog, line);
    }
}

struct row {
    const char *lines[24];
    enum starttls starttls;
    unsigned mail, attempts, code;
    enum smtp_expect expect;
    unsigned seen; /* at least */
};

static const struct row rows[] = {
    /* RFC 5321 D.1 */
    {{"S: 220 foo.com Simple Mail Transfer Service Ready", "C: EHLO bar.com", "S: 250-foo.com greets bar.com", "S: 250-8BITMIME", "S: 250 HELP",
      "C: MAIL FROM:<Smith@bar.com>", "S: 250 OK", "C: RCPT TO:<Jones@foo.com>", "S: 250 OK", "C: DATA", "S: 354 Start mail input", "Blah blah\r\n..x\r\n.",
      "\r\n", "S: 250 OK", "C: QUIT", "S: 221 closing"},
     STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_GREETING | SMTP_SEEN_HELLO | SMTP_SEEN_EHLO_250},
    /* RFC 3207 6 */
    {{"S: 220 mail.imc.org SMTP service ready", "C: EHLO mail.example.com", "S: 250-mail.imc.org offers a warm hug of welcome", "S: 250-8BITMIME",
      "S: 250-STARTTLS", "S: 250 DSN", "C: STARTTLS", "S: 220 Go ahead"},
     STARTTLS_ACCEPTED, 0, 1, 220, SMTP_EXPECT_TLS, SMTP_SEEN_OFFER},
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250 STARTTLS", "C: STARTTLS", "S: 454 TLS not available"},
     STARTTLS_REFUSED, 0, 1, 454, SMTP_EXPECT_COMMAND, SMTP_SEEN_OFFER},
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250 STARTTLS", "C: STARTTLS"}, STARTTLS_REQUESTED, 0, 1, 0, SMTP_EXPECT_TLS_REPLY, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250 STARTTLS", "C: MAIL FROM:<>"}, STARTTLS_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    /* Refused, then accepted: the furthest counts, all attempts are counted. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250 STARTTLS", "C: STARTTLS", "S: 454 later", "C: STARTTLS", "S: 220-go", "S: 220 ahead"},
     STARTTLS_ACCEPTED, 0, 2, 220, SMTP_EXPECT_TLS, 0},
    /* Not offered in one reply and offered in the next. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: EHLO c", "S: 250-a", "S: 250 STARTTLS"}, STARTTLS_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    /* The keyword on the first line is the server's name. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250 STARTTLS"}, STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250-XXXXXXXA", "S: 250 DSN"}, STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_MASKED_KEYWORD},
    {{"S: 220 a.b", "C: EHLO c", "S: 502 no", "C: HELO c", "S: 250 a"}, STARTTLS_UNSEEN, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    /* A lost keyword must not read as missing. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "-S", "S: 250 DSN"}, STARTTLS_UNSEEN, 0, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_DIALOG_HOLE},
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250-STARTTLS", "-S", "C: STARTTLS"}, STARTTLS_REQUESTED, 0, 1, 0, SMTP_EXPECT_TLS_REPLY, 0},
    /* RFC 2920: all at once; DATA refused. */
    {{"S: 220 a.b", "C: HELO c", "S: 250 a", "C: MAIL FROM:<>", "C: RCPT TO:<x@y>", "C: DATA", "S: 250 1", "S: 550 2", "S: 554 3"},
     STARTTLS_UNSEEN, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: HELO c", "S: 250 a", "C: MAIL FROM:<>", "C: RCPT TO:<x@y>", "C: RCPT TO:<z@y>", "C: DATA", "S: 250 1", "S: 550 2", "S: 250 3", "S: 354 4"},
     STARTTLS_UNSEEN, 1, 0, 0, SMTP_EXPECT_CONTENT, 0},
    /* 354 counts whatever becomes of the message. */
    {{"S: 220 a.b", "C: HELO c", "S: 250 a", "C: DATA", "S: 354 go", "x\r\n.\r\n", "S: 550 spam", "C: DATA", "S: 354 go", ".\r\n", "S: 250 ok"},
     STARTTLS_UNSEEN, 2, 0, 0, SMTP_EXPECT_COMMAND, 0},
    /* RFC 3030 4.1: chunks up to LAST are one message; an empty one is none. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "S: 250 CHUNKING", "C: MAIL FROM:<>", "S: 250 ok", "C: RCPT TO:<x@y>", "S: 250 ok", "C: BDAT 1000", "+400", "+600",
      "C: BDAT 324 LAST", "+324", "S: 250 1000 octets", "S: 250 ok", "C: QUIT", "S: 221 bye"},
     STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 0 LAST", "S: 250 ok"}, STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 20 LAST", "-C"}, STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_CHUNK, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 20 LAST", "-C", "+10"}, STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 10 LAST", "-C"}, STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 10 LAST", "+9"}, STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_CHUNK, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: BDAT 1 LAST", "+1", "C: BDAT 1", "+1", "C: BDAT 0 LAST", "S: 250 x", "S: 250 y"},
     STARTTLS_NOT_OFFERED, 2, 0, 0, SMTP_EXPECT_COMMAND, 0},
    /* RFC 4954 4: a challenge and its answers. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250 AUTH LOGIN", "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "R: dGVzdA==", "S: 334 UGFzc3dvcmQ6", "R: MTIzNA==", "S: 235 2.7.0 ok",
      "C: NOOP", "S: 250 ok"},
     STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: AUTH PLAIN", "S: 334 ", "R: *", "S: 501 cancelled"}, STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: MAIL FROM:<>", "S: 530 5.7.0 Must issue a STARTTLS command first"},
     STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_TLS_REQUIRED},
    {{"S: 220 a.b", "C: EHLO c", "S: 250 a", "C: AUTH PLAIN x", "S: 538 5.7.11 Encryption required"},
     STARTTLS_NOT_OFFERED, 0, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_TLS_REQUIRED},
    /* RFC 2033 4.2: a reply for each recipient that was accepted. */
    {{"S: 220 a.b LMTP", "C: LHLO c", "S: 250 a", "C: MAIL FROM:<>", "S: 250 ok", "C: RCPT TO:<a@b>", "S: 250 ok", "C: RCPT TO:<c@d>", "S: 550 no", "C: RCPT TO:<e@f>",
      "S: 250 ok", "C: DATA", "S: 354 go", "x\r\n.\r\n", "S: 250 1", "S: 452 2", "C: DATA", "S: 503 none"},
     STARTTLS_NOT_OFFERED, 1, 0, 0, SMTP_EXPECT_COMMAND, 0},
    {{"S: 554 no service"}, STARTTLS_UNSEEN, 0, 0, 0, SMTP_EXPECT_COMMAND, SMTP_SEEN_GREETING},
    /* The client speaks before the greeting. */
    {{"C: EHLO c", "S: 220 a.b", "S: 250-a", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go"}, STARTTLS_ACCEPTED, 0, 1, 220, SMTP_EXPECT_TLS, SMTP_SEEN_GREETING},
    /* The middle of the reply is missing, then another reply begins. */
    {{"S: 220 a.b", "C: EHLO c", "S: 250-a", "-S", "C: STARTTLS", "S: 220 go"}, STARTTLS_ACCEPTED, 0, 1, 220, SMTP_EXPECT_TLS, 0},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct smtp_dialog dialog;
        unsigned failed = test_failed;
        smtp_dialog_init(&dialog, false);
        for (size_t line = 0; row->lines[line]; line++)
            take(&dialog, row->lines[line]);
        CHECK_INT(dialog.starttls, row->starttls);
        CHECK_INT(dialog.mail_in_clear, row->mail);
        CHECK_INT(dialog.attempts, row->attempts);
        CHECK_INT(dialog.starttls_code, row->code);
        CHECK_INT(dialog.expect, row->expect);
        CHECK_INT(dialog.seen & row->seen, row->seen);
        if (test_failed != failed)
            fprintf(stderr, "... in dialog %zu\n", i);
    }
}

/* CRLF.CRLF and nothing else ends the content, however it is cut (RFC 5321 4.1.1.4). */
static void test_content(void)
{
    static const struct {
        const char *bytes;
        size_t end; /* 0: it does not end */
    } contents[] = {
        {".\r\nQUIT", 3}, {"\r\n.\r\n", 5}, {"a\r\n..\r\nb\r\n.\r\nc", 13}, {"a\n.\nb", 0}, {"a\r\n.\nb", 0}, {"a\n.\r\nb", 0},
        {"a\r.\r\n", 0}, {"a\r\r\n.\r\n", 7}, {"a\r\n.\r\r\n.\r\n", 10}, {"a\r\n.b\r\n.\r\n", 10}, {"\r\n\r\n.\r\n", 7},
    };
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        for (size_t size = 1; size <= strlen(contents[i].bytes); size++) {
            struct smtp_dialog dialog;
            smtp_dialog_init(&dialog, false);
            take(&dialog, "S: 220 a.b");
            take(&dialog, "C: DATA");
            take(&dialog, "S: 354 go");
            struct reader all = reader_of_slice(text(contents[i].bytes));
            size_t used = 0;
            while (all.left && dialog.expect == SMTP_EXPECT_CONTENT) {
                struct reader piece = reader_child(&all, size < all.left ? size : all.left);
                size_t before = piece.left;
                smtp_dialog_content(&dialog, &piece);
                used += before - piece.left;
            }
            CHECK_INT(dialog.expect == SMTP_EXPECT_CONTENT ? 0 : used, contents[i].end);
        }
}

/* LIMIT_COMMANDS_PENDING: as many equal ones as any server answers, and never more than there is room for. */
static void test_pending(void)
{
    struct smtp_dialog dialog;
    smtp_dialog_init(&dialog, false);
    take(&dialog, "S: 220 a.b");
    for (unsigned i = 0; i < 200; i++)
        take(&dialog, "C: RCPT TO:<a@b>");
    take(&dialog, "C: DATA");
    for (unsigned i = 0; i < 200; i++)
        take(&dialog, "S: 250 ok");
    take(&dialog, "S: 354 go");
    CHECK_INT(dialog.mail_in_clear, 1);
    CHECK(!(dialog.seen & SMTP_SEEN_DIALOG_HOLE));
    smtp_dialog_init(&dialog, false);
    take(&dialog, "S: 220 a.b");
    for (unsigned i = 0; i < 100; i++) {
        take(&dialog, "C: NOOP");
        take(&dialog, "C: RSET");
    }
    CHECK(dialog.pending_runs <= SMTP_PENDING_RUNS);
    CHECK(dialog.seen & SMTP_SEEN_DIALOG_HOLE);
}

int main(void)
{
    test_rows();
    test_content();
    test_pending();
    return TEST_END();
}
