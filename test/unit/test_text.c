/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text: escaping (RFC 3629 and Unicode's lists), times (RFC 3339), addresses (RFC 5952). */
#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "unit/test.h"

/* Escapes from a heap copy of the exact size, so that a sanitizer sees every byte too many. */
static const char *escape(const char *bytes, size_t length, const char *also, size_t size)
{
    static char out[1024];
    uint8_t *copy = memory_new(length);
    memcpy(copy, bytes, length);
    char *target = memory_new(size);
    struct reader from = reader_of(copy, length);
    size_t count = text_escape(&from, also, target, size);
    memcpy(out, target, count);
    out[count] = '\0';
    CHECK(count <= size);
    memory_free(copy);
    memory_free(target);
    return out;
}

#define CHECK_ESCAPE(bytes, expected)                                                              \
    CHECK_TEXT(escape(bytes, sizeof(bytes) - 1, NULL, 512), expected)

static void test_kept(void)
{
    CHECK_ESCAPE("", "");
    CHECK_ESCAPE("mx.example.net ESMTP \"Postfix\" ~", "mx.example.net ESMTP \"Postfix\" ~");
    /* the examples of RFC 3629 7: A<NOT IDENTICAL TO><ALPHA>., hangugeo, nihongo, a character
     * beyond 16 bits */
    CHECK_ESCAPE("\x41\xe2\x89\xa2\xce\x91\x2e", "A\xe2\x89\xa2\xce\x91.");
    CHECK_ESCAPE("\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4", "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4");
    CHECK_ESCAPE("\xf0\xa3\x8e\xb4", "\xf0\xa3\x8e\xb4");
    /* the last of each length, and the neighbours of what is not allowed */
    CHECK_ESCAPE("\xc2\xa0|\xdf\xbf|\xe0\xa0\x80|\xed\x9f\xbf|\xee\x80\x80|\xf0\x90\x80\x80|"
                 "\xf4\x8f\xbf\xbf",
                 "\xc2\xa0|\xdf\xbf|\xe0\xa0\x80|\xed\x9f\xbf|\xee\x80\x80|\xf0\x90\x80\x80|"
                 "\xf4\x8f\xbf\xbf");
    CHECK_ESCAPE("\xe2\x80\x8a\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf",
                 "\xe2\x80\x8a\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf");
}

static void test_controls(void)
{
    CHECK_ESCAPE("a\0b\r\n\t\x1b[2J\x7f", "a\\x00b\\x0d\\x0a\\x09\\x1b[2J\\x7f");
    CHECK_ESCAPE("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f");
    CHECK_ESCAPE("\xd8\x9c", "\\xd8\\x9c");                                     /* U+061C */
    CHECK_ESCAPE("\xe2\x80\x8b\xe2\x80\x8f", "\\xe2\\x80\\x8b\\xe2\\x80\\x8f"); /* U+200B, U+200F */
    CHECK_ESCAPE("\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"); /* U+2028, U+2029 */
    CHECK_ESCAPE("\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae"); /* U+202A, U+202E */
    CHECK_ESCAPE("\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"); /* U+2066, U+2069 */
    CHECK_ESCAPE("\xef\xbb\xbfx", "\\xef\\xbb\\xbfx");                          /* U+FEFF */
}

static void test_not_utf8(void)
{
    CHECK_ESCAPE("caf\xe9 ol\xe9", "caf\\xe9 ol\\xe9");       /* Latin-1 */
    CHECK_ESCAPE("\xc0\x80\xc1\xbf", "\\xc0\\x80\\xc1\\xbf"); /* overlong */
    CHECK_ESCAPE("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
    CHECK_ESCAPE("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
    CHECK_ESCAPE("\xed\xa0\x80\xed\xbf\xbf", "\\xed\\xa0\\x80\\xed\\xbf\\xbf"); /* surrogates */
    CHECK_ESCAPE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");                   /* U+110000 */
    CHECK_ESCAPE("\xf8\x88\x80\x80\x80\xfe\xff", "\\xf8\\x88\\x80\\x80\\x80\\xfe\\xff");
    CHECK_ESCAPE("\x80\xbf", "\\x80\\xbf"); /* continuation without a lead */
    CHECK_ESCAPE("\xc3", "\\xc3");          /* cut at the end */
    CHECK_ESCAPE("\xe2\x82", "\\xe2\\x82");
    CHECK_ESCAPE("\xe2\x82|\xc3\xa9", "\\xe2\\x82|\xc3\xa9"); /* in step again at the next byte */
    CHECK_ESCAPE("\xc3\xc3\xa9", "\\xc3\xc3\xa9");
}

static void test_reversible(void)
{
    CHECK_ESCAPE("\\", "\\\\");
    CHECK_ESCAPE("\\x41 \\\\", "\\\\x41 \\\\\\\\");
    CHECK_TEXT(escape("a<b>, helo=<c", 13, "<>", 512), "a\\x3cb\\x3e, helo=\\x3cc");
    CHECK_TEXT(escape("a\0<", 3, "<>", 512), "a\\x00\\x3c");
}

/* Restores what was escaped, with the rule that the manual gives to readers. */
static size_t restore(const char *text, size_t length, uint8_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' && text[i + 1] == '\\') {
            out[count++] = '\\';
            i++;
        } else if (text[i] == '\\') {
            char hex[3] = {text[i + 2], text[i + 3], '\0'};
            out[count++] = (uint8_t)strtoul(hex, NULL, 16);
            i += 3;
        } else {
            out[count++] = (uint8_t)text[i];
        }
    }
    return count;
}

static void test_random_bytes(void)
{
    static const uint8_t likely[] = {0xe2, 0x80, 0x8b, 0xc3, 0xa9, '\\', 'x',
                                     0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0};
    srand(1);
    unsigned wrong = 0;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[24], back[sizeof bytes * 4];
        char text[sizeof bytes * TEXT_ESCAPED];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = rand() % 2 ? (uint8_t)rand() : likely[(size_t)rand() % sizeof likely];
        struct reader from = reader_of(bytes, sizeof bytes);
        size_t length = text_escape(&from, NULL, text, sizeof text);
        if (from.left || restore(text, length, back) != sizeof bytes ||
            memcmp(bytes, back, sizeof bytes) != 0)
            wrong++;
    }
    CHECK_INT(wrong, 0);
}

static void test_cut(void)
{
    CHECK_TEXT(escape("abcdef", 6, NULL, 3), "abc");
    CHECK_TEXT(escape("ab\n", 3, NULL, 5), "ab"); /* never half an escape */
    CHECK_TEXT(escape("ab\n", 3, NULL, 6), "ab\\x0a");
    CHECK_TEXT(escape("a\xc3\xa9", 3, NULL, 2), "a"); /* never half a character */
    CHECK_TEXT(escape("a\xc3\xa9", 3, NULL, 3), "a\xc3\xa9");
    CHECK_TEXT(escape("a\\", 2, NULL, 2), "a");
    CHECK_TEXT(escape("a\xe2\x80\xae", 4, NULL, 12),
               "a"); /* never a part of an escaped character */
    CHECK_TEXT(escape("\xff\xff\xff", 3, NULL, 9), "\\xff\\xff");
    CHECK_TEXT(escape("abc", 3, NULL, 0), "");
    struct reader from = reader_of("abcdef", 6);
    char out[4];
    CHECK_INT(text_escape(&from, NULL, out, sizeof out), 4);
    CHECK_INT(from.left, 2);
}

static void test_time(void)
{
    char out[TEXT_TIME];
    /* expected values: date -u -d @SECONDS */
    CHECK_TEXT(text_time(0, out), "1970-01-01T00:00:00.000000Z");
    CHECK_TEXT(text_time(1566828191123456000, out), "2019-08-26T14:03:11.123456Z");
    CHECK_TEXT(text_time(1566828191123456789, out), "2019-08-26T14:03:11.123456789Z");
    CHECK_TEXT(text_time(1566828191000000001, out), "2019-08-26T14:03:11.000000001Z");
    CHECK_TEXT(text_time(951782400000000000, out), "2000-02-29T00:00:00.000000Z");
    CHECK_TEXT(text_time(-1, out), "1969-12-31T23:59:59.999999999Z");
    CHECK_TEXT(text_time(-1000, out), "1969-12-31T23:59:59.999999Z");
    CHECK_TEXT(text_time(-1000000000, out), "1969-12-31T23:59:59.000000Z");
    CHECK_TEXT(text_time(INT64_MAX, out), "2262-04-11T23:47:16.854775807Z");
    CHECK_TEXT(text_time(INT64_MIN, out), "1677-09-21T00:12:43.145224192Z");
    CHECK_TEXT(text_time_seconds(1566828191, out), "2019-08-26T14:03:11Z");
    CHECK_TEXT(text_time_seconds(-62167219200, out), "0000-01-01T00:00:00Z");
    CHECK_TEXT(text_time_seconds(253402300799, out),
               "9999-12-31T23:59:59Z"); /* RFC 5280 4.1.2.5: no end */
    CHECK_TEXT(text_time_seconds(INT64_MAX, out), "9999-12-31T23:59:59Z");
    CHECK_TEXT(text_time_seconds(INT64_MIN, out), "0000-01-01T00:00:00Z");
    CHECK_INT(text_seconds(-1), -1);
    CHECK_INT(text_seconds(-1000000000), -1);
    CHECK_INT(text_seconds(1999999999), 1);
}

static void test_milliseconds(void)
{
    CHECK(text_milliseconds(812400000) == 812.4);
    CHECK(text_milliseconds(812449999) == 812.4);
    CHECK(text_milliseconds(812450000) == 812.5);
    CHECK(text_milliseconds(0) == 0.0);
    CHECK(text_milliseconds(49999) == 0.0);
    CHECK(text_milliseconds(-5000000) == 0.0);
    CHECK(text_milliseconds(INT64_MAX) == 9223372036854.8);
}

static void test_address(void)
{
    char out[TEXT_ADDRESS];
    static const uint8_t v4[16] = {192, 0, 2, 10};
    static const uint8_t loopback[16] = {[15] = 1};
    static const uint8_t any[16] = {0};
    /* RFC 5952 4.1, 4.2.2, 4.2.3, 4.3 */
    static const uint8_t leading[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    static const uint8_t one_field[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1,
                                          0,    1,    0,    1,    0, 1, 0, 1};
    static const uint8_t longest[16] = {0x20, 0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t first[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t lower[16] = {0x20, 0x01, 0x0d, 0xb8, 0xaa, 0xaa, 0xbb, 0xbb,
                                      0xcc, 0xcc, 0xdd, 0xdd, 0xee, 0xee, 0xff, 0xff};
    CHECK_TEXT(text_address(4, v4, out), "192.0.2.10");
    CHECK_TEXT(text_address(6, loopback, out), "::1");
    CHECK_TEXT(text_address(6, any, out), "::");
    CHECK_TEXT(text_address(6, leading, out), "2001:db8::1");
    CHECK_TEXT(text_address(6, one_field, out), "2001:db8:0:1:1:1:1:1");
    CHECK_TEXT(text_address(6, longest, out), "2001:0:0:1::1");
    CHECK_TEXT(text_address(6, first, out), "2001:db8::1:0:0:1");
    CHECK_TEXT(text_address(6, lower, out), "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff");
}

/* Against the C library: pseudo-random addresses with many zeros, and a time in every day of 400
 * years. */
static void test_against_library(void)
{
    char out[TEXT_ADDRESS], expected[TEXT_ADDRESS], time[TEXT_TIME], broken_down[TEXT_TIME];
    uint32_t state = 1;
    unsigned wrong = 0;
    for (unsigned n = 0; n < 20000; n++) {
        uint8_t bytes[16];
        for (unsigned i = 0; i < sizeof bytes; i++) {
            state = state * 1664525 + 1013904223;
            bytes[i] = state >> 28 < 11 ? 0 : (uint8_t)(state >> 20);
        }
        for (int family = 4; family <= 6; family += 2) {
            inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, expected, sizeof expected);
            wrong += strcmp(text_address((unsigned)family, bytes, out), expected) != 0;
        }
    }
    CHECK_INT(wrong, 0);
    for (time_t when = -12219292800 + 3723; when < 1700000000; when += 86400 + 61) {
        struct tm utc;
        gmtime_r(&when, &utc);
        strftime(broken_down, sizeof broken_down, "%Y-%m-%dT%H:%M:%SZ", &utc);
        wrong += strcmp(text_time_seconds(when, time), broken_down) != 0;
    }
    CHECK_INT(wrong, 0);
}

static void test_numbers(void)
{
    char out[TEXT_NUMBER];
    CHECK(text_number(0, out) == 1 && out[0] == '0');
    CHECK(text_number(1090, out) == 4 && memcmp(out, "1090", 4) == 0);
    CHECK(text_number(UINT64_MAX, out) == 20 && memcmp(out, "18446744073709551615", 20) == 0);
}

int main(void)
{
    test_kept();
    test_controls();
    test_not_utf8();
    test_reversible();
    test_random_bytes();
    test_cut();
    test_time();
    test_milliseconds();
    test_address();
    test_against_library();
    test_numbers();
    return TEST_END();
}
