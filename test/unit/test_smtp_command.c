/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines, from the examples of RFC 5321, 3207, 4954, 3030 and 2033. */
#include "proto/smtp_command.h"
#include "test.h"

static struct slice text(const char *string)
{
    return (struct slice){(const uint8_t *)string, strlen(string)};
}

static bool same(struct slice a, const char *b)
{
    return a.length == strlen(b) && (!a.length || memcmp(a.data, b, a.length) == 0);
}

static const struct {
    const char *line;
    enum smtp_verb verb;
    const char *argument;
} rows[] = {
    {"EHLO bar.com", SMTP_EHLO, "bar.com"},
    {"ehlo bar.com", SMTP_EHLO, "bar.com"},
    {"HELO [192.0.2.1]", SMTP_HELO, "[192.0.2.1]"},
    {"LHLO foo.edu", SMTP_LHLO, "foo.edu"},
    {"MAIL FROM:<Smith@bar.com>", SMTP_MAIL, "FROM:<Smith@bar.com>"},
    {"RCPT TO:<Jones@foo.com>", SMTP_RCPT, "TO:<Jones@foo.com>"},
    {"DATA", SMTP_DATA, ""},
    {"  DATA  ", SMTP_DATA, ""},
    {"RSET", SMTP_RSET, ""},
    {"NOOP anything at all", SMTP_NOOP, "anything at all"},
    {"HELP", SMTP_HELP, ""},
    {"VRFY Crispin", SMTP_VRFY, "Crispin"},
    {"EXPN Executive-Washroom-List", SMTP_EXPN, "Executive-Washroom-List"},
    {"ETRN example.com", SMTP_ETRN, "example.com"},
    {"QUIT", SMTP_QUIT, ""},
    {"STARTTLS", SMTP_STARTTLS, ""},
    {"StartTls", SMTP_STARTTLS, ""},
    {"X-ANONYMOUSTLS", SMTP_STARTTLS, ""},
    {"STARTTLS now", SMTP_STARTTLS, "now"},
    {"STARTTLSX", SMTP_UNKNOWN, ""},
    {"STARTTL", SMTP_UNKNOWN, ""},
    {"AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=", SMTP_AUTH, "PLAIN dGVzdAB0ZXN0ADEyMzQ="},
    {"BDAT 86 LAST", SMTP_BDAT, "86 LAST"},
    {"XCLIENT ADDR=192.0.2.1", SMTP_XCLIENT, "ADDR=192.0.2.1"},
    {"XXXXXXXA", SMTP_MASKED, ""},
    {"XXXXXXX", SMTP_UNKNOWN, ""},
    {"XXXXXXXAB", SMTP_UNKNOWN, ""},
    {"", SMTP_EMPTY, ""},
    {"   ", SMTP_EMPTY, ""},
    {"GET / HTTP/1.1", SMTP_FOREIGN, "/ HTTP/1.1"},
    {"USER anonymous", SMTP_FOREIGN, "anonymous"},
    {"From: somebody", SMTP_UNKNOWN, "somebody"},
    {"DATA\tx", SMTP_DATA, "x"},
};

static void test_verbs(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_command command;
        smtp_parse_command(text(rows[i].line), &command);
        CHECK_INT(command.verb, rows[i].verb);
        if (!same(command.argument, rows[i].argument)) {
            fprintf(stderr, "argument of '%s'\n", rows[i].line);
            CHECK(false);
        }
    }
}

/* chunk-size = 1*DIGIT (RFC 3030 2). */
static void test_chunks(void)
{
    static const struct {
        const char *line;
        enum smtp_verb verb;
        uint64_t size;
        bool last;
    } chunks[] = {
        {"BDAT 1000", SMTP_BDAT, 1000, false},
        {"BDAT 324 LAST", SMTP_BDAT, 324, true},
        {"bdat 0 last", SMTP_BDAT, 0, true},
        {"BDAT 000012", SMTP_BDAT, 12, false},
        {"BDAT 999999999999999999", SMTP_BDAT, 999999999999999999u, false},
        {"BDAT 9999999999999999999", SMTP_UNKNOWN, 0, false}, /* beyond what is counted */
        {"BDAT", SMTP_UNKNOWN, 0, false},
        {"BDAT -1", SMTP_UNKNOWN, 0, false},
        {"BDAT 12x", SMTP_UNKNOWN, 0, false},
        {"BDAT LAST", SMTP_UNKNOWN, 0, false},
    };
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct smtp_command command;
        smtp_parse_command(text(chunks[i].line), &command);
        CHECK_INT(command.verb, chunks[i].verb);
        if (chunks[i].verb == SMTP_BDAT) {
            CHECK_INT(command.chunk_size, chunks[i].size);
            CHECK_INT(command.last, chunks[i].last);
        }
    }
}

static void test_mechanisms(void)
{
    CHECK_TEXT(smtp_sasl_name(text("plain")), "PLAIN");
    CHECK_TEXT(smtp_sasl_name(text("Login")), "LOGIN");
    CHECK_TEXT(smtp_sasl_name(text("XOAUTH2")), "XOAUTH2");
    CHECK_TEXT(smtp_sasl_name(text("SCRAM-SHA-256-PLUS")), "SCRAM-SHA-256-PLUS");
    CHECK_TEXT(smtp_sasl_name(text("hunter2")), "other"); /* it may be a password */
    CHECK_TEXT(smtp_sasl_name(text("")), "other");
    CHECK_TEXT(smtp_sasl_name(text("PLAIN\0x")), "PLAIN");
    CHECK_TEXT(smtp_sasl_name((struct slice){(const uint8_t *)"PLAIN\0x", 7}), "other");
}

static void test_words(void)
{
    struct slice rest = text("  one\ttwo  three ");
    CHECK(same(smtp_word(&rest), "one"));
    CHECK(same(smtp_word(&rest), "two"));
    CHECK(same(smtp_word(&rest), "three"));
    CHECK_INT(smtp_word(&rest).length, 0);
    CHECK_INT(smtp_word(&rest).length, 0);
    struct slice none = {NULL, 0};
    CHECK_INT(smtp_word(&none).length, 0);
    CHECK(smtp_text_names(text("Must issue a StartTLS command"), "STARTTLS"));
    CHECK(!smtp_text_names(text("Must issue a Start TLS"), "STARTTLS"));
    CHECK(smtp_text_names(text("starttls"), "STARTTLS"));
    CHECK(!smtp_text_names(text("starttl"), "STARTTLS"));
}

int main(void)
{
    test_verbs();
    test_chunks();
    test_mechanisms();
    test_words();
    return TEST_END();
}
