/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages for the TLS tests, written as hexadecimal text; each in a block of its exact size, so
 * that ASan sees every step over the end. */
#ifndef TEST_UNIT_TEST_TLS_BYTES_H
#define TEST_UNIT_TEST_TLS_BYTES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/reader.h"

enum { HEX_BLOCKS = 4096 };

static void *hex_blocks[HEX_BLOCKS];
static unsigned hex_count;

static inline struct slice block_of(const uint8_t *data, size_t length)
{
    uint8_t *block = memory_new(length);
    if (!block || hex_count == HEX_BLOCKS) {
        fprintf(stderr, "test: too many blocks\n");
        _Exit(2);
    }
    if (length)
        memcpy(block, data, length);
    hex_blocks[hex_count++] = block;
    return (struct slice){.data = block, .length = length};
}

static inline void hex_free(void)
{
    while (hex_count)
        memory_free(hex_blocks[--hex_count]);
}

/* Bytes of hexadecimal text; white space is passed over. */
static inline struct slice hex(const char *text)
{
    static uint8_t bytes[1 << 18];
    size_t digits = 0;
    for (; *text; text++) {
        const char *set = "0123456789abcdef", *digit = strchr(set, *text);
        if (!digit)
            continue;
        unsigned value = (unsigned)(digit - set);
        bytes[digits / 2] = (uint8_t)((digits % 2 ? (unsigned)bytes[digits / 2] << 4 : 0) | value);
        digits++;
    }
    return block_of(bytes, digits / 2);
}

static inline struct slice join(struct slice a, struct slice b)
{
    static uint8_t bytes[1 << 18];
    if (a.length)
        memcpy(bytes, a.data, a.length);
    if (b.length)
        memcpy(bytes + a.length, b.data, b.length);
    return block_of(bytes, a.length + b.length);
}

/* The first `count` bytes, in a block of their own. */
static inline struct slice head(struct slice bytes, size_t count)
{
    return block_of(bytes.data, count);
}

/* A vector: its length in `width` bytes before it. */
static inline struct slice vector(unsigned width, struct slice body)
{
    uint8_t length[3] = {(uint8_t)(body.length >> 16), (uint8_t)(body.length >> 8),
                         (uint8_t)body.length};
    return join(block_of(length + 3 - width, width), body);
}

static inline bool same(struct slice bytes, const char *text)
{
    struct slice other = hex(text);
    return bytes.length == other.length &&
           (!other.length || memcmp(bytes.data, other.data, other.length) == 0);
}

/* RFC 8448 section 3: the body of the ClientHello ... */
#define RFC8448_CLIENT_HELLO                                                                       \
    "0303 cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 00 0006 130113031302 "  \
    "01 00 0091 0000 000b 0009 00 0006 736572766572 ff01 0001 00 000a 0014 0012 001d 0017 0018 "   \
    "0019 0100 0101 0102 0103 0104 0023 0000 0033 0026 0024 001d 0020 "                            \
    "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c 002b 0003 02 0304 "          \
    "000d 0020 001e 0403 0503 0603 0203 0804 0805 0806 0401 0501 0601 0201 0402 0502 0602 0202 "   \
    "002d 0002 0101 001c 0002 4001"

/* ... and of the ServerHello; section 5: the body of the HelloRetryRequest. */
#define RFC8448_SERVER_HELLO                                                                       \
    "0303 a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928 00 1301 00 002e 0033 "  \
    "0024 001d 0020 c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f "             \
    "002b 0002 0304"
#define RFC8448_HELLO_RETRY                                                                        \
    "0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 00 1301 00 0084 0033 "  \
    "0002 0017 002c 0074 0072 71dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd"    \
    "0030953f4edf625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda" \
    "4aa15b0c8be778257d16aa3030e9e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0 002b 0002 0304"

#define ZEROS_32 "0000000000000000000000000000000000000000000000000000000000000000"

#endif
