/* SPDX-License-Identifier: BSD-2-Clause */
/* nDPI's verdicts on well-known dialogs, in IPv4 and IPv6: RFC 5321 D.1, RFC 9112 2.1. */
#include "base/limits.h"
#include "flow/classify.h"
#include "test.h"

struct line {
    enum side from;
    const char *text;
};

static const struct line mail[] = {
    {SIDE_SERVER, "220 foo.com Simple Mail Transfer Service Ready\r\n"},
    {SIDE_CLIENT, "EHLO bar.com\r\n"},
    {SIDE_SERVER, "250-foo.com greets bar.com\r\n250-8BITMIME\r\n250-SIZE\r\n250-DSN\r\n250 HELP\r\n"},
    {SIDE_CLIENT, "MAIL FROM:<Smith@bar.com>\r\n"},
    {SIDE_SERVER, "250 OK\r\n"},
    {SIDE_CLIENT, "RCPT TO:<Jones@foo.com>\r\n"},
    {SIDE_SERVER, "250 OK\r\n"},
    {SIDE_CLIENT, "DATA\r\n"},
    {SIDE_SERVER, "354 Start mail input; end with <CRLF>.<CRLF>\r\n"},
};

static const struct line web[] = {
    {SIDE_CLIENT, "GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\n"
                  "Accept-Language: en, mi\r\n\r\n"},
    {SIDE_SERVER, "HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nServer: Apache\r\n"
                  "Content-Length: 3\r\nContent-Type: text/plain\r\n\r\nHi\n"},
};

/* A flow with room for its addresses. */
union placed_flow {
    struct flow flow;
    uint8_t bytes[sizeof(struct flow) + 2 * sizeof(struct address)];
};

static union placed_flow flow_of(unsigned family)
{
    static const uint8_t begin[2][4] = {{192, 0, 2}, {0x20, 0x01, 0x0d, 0xb8}};
    union placed_flow placed = {.bytes = {0}};
    struct flow *flow = &placed.flow;
    flow->family = family & 7;
    flow->last_ns = INT64_C(1700000000000000000);
    for (unsigned i = 0; i < 2; i++) {
        size_t size = family == 4 ? 4 : 16;
        uint8_t *address = placed.bytes + offsetof(struct flow, address) + i * size;
        memcpy(address, begin[family == 6], 4);
        address[size - 1] = (uint8_t)(i + 1);
        flow->port[i] = i ? 8025 : 40000;
    }
    return placed;
}

/* The first verdict that is not OPEN; `name` becomes what nDPI calls it. */
static enum classify_verdict verdict_of(struct classifier *classifier, uint8_t family, const struct line *lines, size_t count,
                                        const char **name)
{
    union placed_flow placed = flow_of(family);
    struct classification *c = classify_begin(classifier);
    enum classify_verdict verdict = CLASSIFY_OPEN;
    for (size_t i = 0; c && i < count && verdict == CLASSIFY_OPEN; i++)
        verdict = classify_payload(classifier, c, &placed.flow, lines[i].from,
                                   (struct slice){(const uint8_t *)lines[i].text, strlen(lines[i].text)});
    *name = c ? classify_name(classifier, c) : NULL;
    classify_end(classifier, c);
    return verdict;
}

static void test_family(struct classifier *classifier, uint8_t family)
{
    const char *name;
    CHECK_INT(verdict_of(classifier, family, mail, sizeof mail / sizeof *mail, &name), CLASSIFY_SMTP);
    CHECK_INT(verdict_of(classifier, family, web, sizeof web / sizeof *web, &name), CLASSIFY_OTHER);
    CHECK_TEXT(name, "HTTP");
}

/* What nobody knows is asked LIMIT_CLASSIFY_PACKETS times, no more. */
static void test_unknown(struct classifier *classifier)
{
    static const uint8_t zeros[1500];
    union placed_flow placed = flow_of(4);
    struct classification *c = classify_begin(classifier);
    unsigned asked = 1;
    while (classify_payload(classifier, c, &placed.flow, SIDE_CLIENT, (struct slice){zeros, 1 + asked}) == CLASSIFY_OPEN && asked < 100)
        asked++;
    CHECK_INT(asked, LIMIT_CLASSIFY_PACKETS);
    CHECK(classify_name(classifier, c) == NULL);
    classify_end(classifier, c);
    c = classify_begin(classifier); /* longer than what is shown of it */
    CHECK_INT(classify_payload(classifier, c, &placed.flow, SIDE_SERVER, (struct slice){zeros, sizeof zeros}), CLASSIFY_OPEN);
    classify_end(classifier, c);
}

int main(void)
{
    struct classifier *classifier = classifier_new();
    struct classification *c = classify_begin(classifier);
    CHECK(classifier != NULL);
    if (c) { /* else this nDPI is not the one that was compiled for, and is not asked */
        classify_end(classifier, c);
        test_family(classifier, 4);
        test_family(classifier, 6);
        test_unknown(classifier);
    }
    classify_end(classifier, NULL);
    classifier_free(classifier);
    return TEST_END();
}
