/* SPDX-License-Identifier: BSD-2-Clause */
/* Reply lines (RFC 5321 4.2) and enhanced codes (RFC 3463). */
#include "proto/smtp_reply.h"
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
    int code; /* 0: no reply line */
    bool more;
    const char *text;
    int class, subject, detail;
} rows[] = {
    {"220 foo.com Simple Mail Transfer Service Ready", 220, false, "foo.com Simple Mail Transfer Service Ready", 0, 0, 0},
    {"250-foo.com greets bar.com", 250, true, "foo.com greets bar.com", 0, 0, 0},
    {"250-8BITMIME", 250, true, "8BITMIME", 0, 0, 0},
    {"250 HELP", 250, false, "HELP", 0, 0, 0},
    {"250", 250, false, "", 0, 0, 0},
    {"250-", 250, true, "", 0, 0, 0},
    {"220 2.0.0 Ready to start TLS", 220, false, "2.0.0 Ready to start TLS", 2, 0, 0},
    {"530 5.7.0 Must issue a STARTTLS command first", 530, false, "5.7.0 Must issue a STARTTLS command first", 5, 7, 0},
    {"538 5.7.11 Encryption required", 538, false, "5.7.11 Encryption required", 5, 7, 11},
    {"454 4.7.0 TLS not available", 454, false, "4.7.0 TLS not available", 4, 7, 0},
    {"550 5.7.999", 550, false, "5.7.999", 5, 7, 999},
    {"550 5.7.1000 x", 550, false, "5.7.1000 x", 0, 0, 0},
    {"550 5.7.1x", 550, false, "5.7.1x", 0, 0, 0},
    {"550 3.7.1 x", 550, false, "3.7.1 x", 0, 0, 0},
    {"550 5.7 x", 550, false, "5.7 x", 0, 0, 0},
    {"599 x", 599, false, "x", 0, 0, 0},
    {"100 x", 100, false, "x", 0, 0, 0},
    {"600 x", 0, false, "", 0, 0, 0},
    {"099 x", 0, false, "", 0, 0, 0},
    {"22 x", 0, false, "", 0, 0, 0},
    {"220text", 0, false, "", 0, 0, 0},
    {"2200 x", 0, false, "", 0, 0, 0},
    {"+OK ready", 0, false, "", 0, 0, 0},
    {"* OK IMAP4", 0, false, "", 0, 0, 0},
    {"", 0, false, "", 0, 0, 0},
};

static void test_lines(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_reply_line line;
        bool is = smtp_parse_reply(text(rows[i].line), &line);
        CHECK_INT(is, rows[i].code != 0);
        if (!is)
            continue;
        CHECK_INT(line.code, rows[i].code);
        CHECK_INT(line.more, rows[i].more);
        CHECK(same(line.text, rows[i].text));
        CHECK_INT(line.enhanced.class, rows[i].class);
        CHECK_INT(line.enhanced.subject, rows[i].subject);
        CHECK_INT(line.enhanced.detail, rows[i].detail);
    }
}

static void test_hosts(void)
{
    static const struct {
        const char *text, *host;
    } hosts[] = {
        {"mx.example.net ESMTP Postfix", "mx.example.net"},
        {"MX.Example.NET", "MX.Example.NET"},
        {"[192.0.2.1] ESMTP", "[192.0.2.1]"},
        {"[192.0.2.1 ESMTP", ""},
        {"Welcome to mail.example", ""},
        {"ESMTP", ""},
        {"mx.example.net, ready", ""},
        {"***************", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        CHECK(same(smtp_greeting_host(text(hosts[i].text)), hosts[i].host));
}

int main(void)
{
    test_lines();
    test_hosts();
    return TEST_END();
}
