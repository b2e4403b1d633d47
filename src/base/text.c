/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes, times and addresses as text; the writer calls it for every string of an event. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

static_assert(TEXT_ADDRESS >= INET6_ADDRSTRLEN, "an IPv6 address fits");

enum { NS_PER_SECOND = 1000000000, SEQUENCE_MAX = 4 };

/* The bytes that a lead byte announces, and the smallest code point that needs so many (RFC 3629 3:
 * no overlong forms). */
static unsigned sequence_length(uint8_t lead, uint32_t *least)
{
    static const uint32_t smallest[SEQUENCE_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = lead >= 0xf8 || (lead & 0xc0) == 0x80 ? 0 : 1;
    while (length && (lead & 0xc0) == 0xc0 && (lead << length & 0x80))
        length++;
    *least = smallest[length];
    return length;
}

/* Takes one character by value of the reader; returns its length in bytes, 0 if what stands there
 * is no UTF-8. */
static unsigned next_character(struct reader at, uint32_t *character)
{
    uint32_t least = 0;
    uint8_t lead = reader_u8(&at);
    unsigned length = sequence_length(lead, &least);
    uint32_t c = length < 2 ? lead : lead & (0x7fU >> length);
    for (unsigned i = 1; i < length; i++) {
        uint8_t next = reader_u8(&at);
        if ((next & 0xc0) != 0x80)
            return 0; /* also at the end of the bytes, where the reader gives 0 */
        c = c << 6 | (next & 0x3fU);
    }
    *character = c;
    bool valid = c >= least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    return valid ? length : 0;
}

/* Characters that would not be seen as what they are: see text_escape. */
static bool character_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f}, /* controls */
        {0x061c, 0x061c},               /* Arabic letter mark: direction */
        {0x200b, 0x200f},               /* zero width; marks of direction */
        {0x2028, 0x202e}, /* separators of lines and paragraphs; embedding and override */
        {0x2060, 0x2060}, {0x2066, 0x2069}, /* word joiner; isolates */
        {0xfeff, 0xfeff},                   /* byte order mark */
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

/* How many of the next bytes are printable ASCII that stays as it is: nearly always all of them. */
static size_t plain_run(struct reader at, const char *also)
{
    size_t run = 0;
    for (size_t left = at.left; run < left; run++) {
        uint8_t c = reader_u8(&at);
        if (c < 0x20 || c >= 0x7f || c == '\\' || (also && strchr(also, c)))
            break;
    }
    return run;
}

/* Takes the next character, or the next byte if it is none, and writes what stands for it; returns
 * its size. */
static size_t escape_one(struct reader *bytes, const char *also,
                         char out[TEXT_ESCAPED * SEQUENCE_MAX])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t c = 0;
    unsigned length = next_character(*bytes, &c);
    if (length == 1 && c == '\\') {
        reader_skip(bytes, 1);
        memcpy(out, "\\\\", 2);
        return 2;
    }
    bool special = length == 1 && also && c && strchr(also, (int)c);
    if (length && !special && !character_hidden(c)) {
        reader_copy(bytes, out, length);
        return length;
    }
    size_t size = 0;
    for (unsigned i = 0; i < (length ? length : 1); i++) {
        uint8_t byte = reader_u8(bytes);
        out[size++] = '\\';
        out[size++] = 'x';
        out[size++] = digits[byte >> 4];
        out[size++] = digits[byte & 15];
    }
    return size;
}

size_t text_escape(struct reader *bytes, const char *also, char *out, size_t size)
{
    size_t length = 0;
    while (bytes->left) {
        size_t run = plain_run(*bytes, also);
        run = run < size - length ? run : size - length;
        reader_copy(bytes, out + length, run);
        length += run;
        if (!bytes->left)
            break;
        char piece[TEXT_ESCAPED * SEQUENCE_MAX];
        struct reader before = *bytes;
        size_t count = escape_one(bytes, also, piece);
        if (count > size - length) {
            *bytes = before;
            break;
        }
        memcpy(out + length, piece, count);
        length += count;
    }
    return length;
}

int64_t text_seconds(int64_t ns)
{
    return ns / NS_PER_SECOND - (ns % NS_PER_SECOND < 0);
}

/* Writes "2019-08-26T14:03:11" and returns its size. */
static size_t time_until_seconds(int64_t seconds, char out[TEXT_TIME])
{
    static const int64_t first = -62167219200,
                         last = 253402300799; /* 0000-01-01T00:00:00, 9999-12-31T23:59:59 */
    time_t when = (time_t)(seconds < first ? first : seconds > last ? last : seconds);
    struct tm utc = {0};
    gmtime_r(&when, &utc);
    int size = snprintf(out, TEXT_TIME, "%04u-%02u-%02uT%02u:%02u:%02u",
                        (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
                        (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100,
                        (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
    return (size_t)size;
}

const char *text_time_seconds(int64_t seconds, char out[TEXT_TIME])
{
    size_t size = time_until_seconds(seconds, out);
    memcpy(out + size, "Z", 2);
    return out;
}

const char *text_time(int64_t ns, char out[TEXT_TIME])
{
    int64_t seconds = text_seconds(ns);
    unsigned fraction =
        (unsigned)(ns % NS_PER_SECOND + (ns % NS_PER_SECOND < 0 ? NS_PER_SECOND : 0));
    size_t size = time_until_seconds(seconds, out);
    if (fraction % 1000)
        snprintf(out + size, TEXT_TIME - size, ".%09uZ", fraction);
    else
        snprintf(out + size, TEXT_TIME - size, ".%06uZ", fraction / 1000);
    return out;
}

double text_milliseconds(int64_t ns)
{
    int64_t tenths = ns < 0 ? 0 : ns / 100000 + (ns % 100000 >= 50000);
    return (double)tenths / 10.0;
}

const char *text_address(unsigned family, const uint8_t *bytes, char out[TEXT_ADDRESS])
{
    if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, out, TEXT_ADDRESS))
        out[0] = '\0';
    return out;
}
