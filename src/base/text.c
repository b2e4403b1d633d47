/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes, times and addresses as text; the writer calls it for every string of an event. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <string.h>

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

size_t text_number(uint64_t number, char out[TEXT_NUMBER])
{
    char reversed[TEXT_NUMBER];
    size_t size = 0;
    do
        reversed[size++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    for (size_t i = 0; i < size; i++)
        out[i] = reversed[size - 1 - i];
    return size;
}

/* Writes exactly `digits` digits; returns where they end. */
static char *put_digits(char *out, unsigned number, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, number /= 10)
        out[i - 1] = (char)('0' + number % 10);
    return out + digits;
}

/* Year, month and day of a day counted from 1970, in the Gregorian calendar. Years are counted from
 * March on, so that the leap day is the last one of its year: 153 days in every five months. */
static void civil_of_days(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    enum { DAYS_OF_400_YEARS = 146097, DAYS_FROM_MARCH_0000 = 719468 };
    uint32_t since = (uint32_t)(days + DAYS_FROM_MARCH_0000 + DAYS_OF_400_YEARS); /* positive */
    uint32_t era = since / DAYS_OF_400_YEARS, of_era = since % DAYS_OF_400_YEARS;
    uint32_t of_year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_OF_400_YEARS - 1)) / 365;
    uint32_t rest = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    uint32_t from_march = (5 * rest + 2) / 153;
    *day = rest - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + of_year - 400 + (*month <= 2);
}

/* Writes "2019-08-26T14:03:11" and returns its size. */
static size_t time_until_seconds(int64_t seconds, char out[TEXT_TIME])
{
    enum { DAY = 86400 };
    static const int64_t first = -62167219200,
                         last = 253402300799; /* 0000-01-01T00:00:00, 9999-12-31T23:59:59 */
    seconds = seconds < first ? first : seconds > last ? last : seconds;
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    unsigned of_day = (unsigned)(seconds - days * DAY), year, month, day;
    civil_of_days(days, &year, &month, &day);
    char *at = put_digits(out, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, day, 2);
    *at++ = 'T';
    at = put_digits(at, of_day / 3600, 2);
    *at++ = ':';
    at = put_digits(at, of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, of_day % 60, 2);
    return (size_t)(at - out);
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
    char *at = out + time_until_seconds(seconds, out);
    *at++ = '.';
    if (fraction % 1000)
        at = put_digits(at, fraction, 9);
    else
        at = put_digits(at, fraction / 1000, 6);
    memcpy(at, "Z", 2);
    return out;
}

double text_milliseconds(int64_t ns)
{
    return (double)text_tenths(ns) / 10.0;
}

uint64_t text_tenths(int64_t ns)
{
    return ns < 0 ? 0 : (uint64_t)(ns / 100000 + (ns % 100000 >= 50000));
}

static void put_address4(const uint8_t *bytes, char *out)
{
    for (unsigned i = 0; i < 4; i++) {
        out += text_number(bytes[i], out);
        *out++ = i < 3 ? '.' : '\0';
    }
}

/* The first of the longest runs of zero words; its length, 0 if none has two words. */
static unsigned longest_zeros(const uint16_t words[8], unsigned *start)
{
    unsigned longest = 1, run = 0;
    *start = 8;
    for (unsigned i = 0; i < 8; i++) {
        run = words[i] ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            *start = i + 1 - run;
        }
    }
    return *start == 8 ? 0 : longest;
}

static char *put_word(char *out, uint16_t word)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = word > 0xfff  ? 12
                     : word > 0xff ? 8
                     : word > 0xf  ? 4
                                   : 0;
         shift >= 0; shift -= 4)
        *out++ = digits[word >> shift & 15];
    return out;
}

static void put_address6(const uint8_t *bytes, char *out)
{
    uint16_t words[8];
    unsigned start;
    for (unsigned i = 0; i < 8; i++)
        words[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    unsigned zeros = longest_zeros(words, &start);
    for (unsigned i = 0; i < 8; i++) {
        if (i == start) {
            *out++ = ':';
            i += zeros - 1;
            if (i == 7)
                *out++ = ':';
            continue;
        }
        if (i)
            *out++ = ':';
        out = put_word(out, words[i]);
    }
    *out = '\0';
}

const char *text_address(unsigned family, const uint8_t *bytes, char out[TEXT_ADDRESS])
{
    static const uint8_t zeros[10];
    if (family == 4)
        put_address4(bytes, out);
    else if (memcmp(bytes, zeros, sizeof zeros) != 0)
        put_address6(bytes, out);
    else if (!inet_ntop(AF_INET6, bytes, out, TEXT_ADDRESS)) /* an IPv4 address may be inside */
        out[0] = '\0';
    return out;
}
