/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes, times and addresses as text: the one place where something from the wire becomes a string
 * that people and programs read. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

enum {
    TEXT_ESCAPED = 4, /* one byte from the wire becomes at most so many */
    TEXT_TIME = 31,   /* "2019-08-26T14:03:11.123456789Z" and a NUL */
    TEXT_ADDRESS = 46, /* the longest IPv6 address and a NUL (INET6_ADDRSTRLEN) */
    TEXT_NUMBER = 20   /* the longest number, no NUL */
};

/*
 * text_escape writes the bytes as valid UTF-8 without a character that steers a terminal, breaks a
 * line or hides text, and returns how many bytes it wrote (no NUL). Printable UTF-8 stays as it is.
 * A backslash becomes "\\". These become "\xNN" byte by byte, so that the original can be restored:
 * what is not UTF-8 (RFC 3629: also overlong forms, surrogates, above U+10FFFF), control characters
 * (C0, DEL, C1), line and paragraph separators, zero-width characters, the byte order mark, and the
 * controls of writing direction. `also` (NULL: none) names ASCII characters to escape in the same
 * way. It stops before a character that no longer fits in `size`: what was left out remains in the
 * reader.
 */
size_t text_escape(struct reader *bytes, const char *also, char *out, size_t size);

/* text_slice borrows a NUL-terminated string as bytes. */
static inline struct slice text_slice(const char *text)
{
    return (struct slice){.data = (const uint8_t *)text, .length = strlen(text)};
}

/* text_time writes nanoseconds since 1970 UTC as RFC 3339 with 6 digits, 9 if they are no whole
 * microseconds; returns out. */
const char *text_time(int64_t ns, char out[TEXT_TIME]);

/* text_time_seconds does so for seconds, without a fraction. Years outside 0000 to 9999 become the
 * nearest time inside (RFC 3339 has no others). */
const char *text_time_seconds(int64_t seconds, char out[TEXT_TIME]);

/* text_seconds returns the whole second in which a time of nanoseconds lies, also before 1970. */
int64_t text_seconds(int64_t ns);

/* text_milliseconds returns a duration in milliseconds, rounded to one decimal; a negative one is
 * 0. */
double text_milliseconds(int64_t ns);

/* text_tenths returns the same in tenths of a millisecond. */
uint64_t text_tenths(int64_t ns);

/* text_number writes a number in decimal, no NUL; returns its size. */
size_t text_number(uint64_t number, char out[TEXT_NUMBER]);

/* text_address writes an address of network byte order (family 4: 4 bytes, 6: 16 bytes) as RFC 5952
 * says; returns out. */
const char *text_address(unsigned family, const uint8_t *bytes, char out[TEXT_ADDRESS]);

#endif
