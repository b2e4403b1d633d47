/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the tests of decode/: packets from hexadecimal text, and a sink that remembers. */
#ifndef TEST_UNIT_TEST_DECODE_H
#define TEST_UNIT_TEST_DECODE_H

#include <ctype.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decode/decode.h"
#include "unit/test.h"

/* The segment in every packet of the tables: "220 hi\r\n" from port 25 to 4660. */
#define TCP_TEXT     "0019 1234 01020304 05060708 5018 2000 0000 0000"
#define PAYLOAD_TEXT "3232302068690d0a"
#define SEGMENT_TEXT TCP_TEXT " " PAYLOAD_TEXT
/*
 * It in IPv4 from 10.0.0.1 to 10.0.0.2 (48 bytes), and in IPv6 from 2001:db8::1 to 2001:db8::2 (68
 * bytes).
 */
#define IP4_TEXT      "4500 0030 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT
#define IP6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6_TEXT      "60000000 001c 06 40 " IP6_ADDRESSES SEGMENT_TEXT
#define ETHERNET_TEXT "020000000002 020000000001 "

enum { PACKET_MOST = 70000, PAYLOAD_LENGTH = 8 };

struct bytes {
    uint8_t data[PACKET_MOST];
    uint32_t length;
};

/* bytes_add appends hexadecimal text; blanks are for the eye. */
static inline void bytes_add(struct bytes *bytes, const char *text)
{
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        char pair[3] = {text[0], text[1], 0};
        bytes->data[bytes->length++] = (uint8_t)strtoul(pair, NULL, 16);
        text++;
    }
}

static inline void bytes_add_16(struct bytes *bytes, uint32_t value)
{
    bytes->data[bytes->length++] = (uint8_t)(value >> 8);
    bytes->data[bytes->length++] = (uint8_t)value;
}

static inline void bytes_add_raw(struct bytes *bytes, const void *data, uint32_t length)
{
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

/* What the sink was given. */
struct seen {
    unsigned count;
    struct segment segment; /* the last; its payload is in the next field */
    uint8_t payload[PACKET_MOST];
};

static inline void seen_segment(void *user, const struct segment *segment)
{
    struct seen *seen = user;
    seen->count++;
    seen->segment = *segment;
    if (segment->payload.length)
        memcpy(seen->payload, segment->payload.data, segment->payload.length);
    seen->segment.payload.data = seen->payload;
}

/* A decoder with all that belongs to it. */
struct bench {
    struct decoder *decoder;
    struct counters counters;
    struct seen seen;
    int64_t time_ns;
    int link_type;
};

static inline bool bench_open(struct bench *bench, int link_type)
{
    memset(bench, 0, sizeof(*bench));
    bench->link_type = link_type;
    bench->decoder = decode_new((struct decode_sink){seen_segment, &bench->seen}, &bench->counters);
    CHECK(bench->decoder != NULL);
    return bench->decoder != NULL;
}

static inline void bench_close(struct bench *bench)
{
    decode_free(bench->decoder);
}

/*
 * bench_packet decodes `captured` bytes of a packet of `length`, from memory of just that size, so
 * that a sanitizer sees a byte too far.
 */
static inline void bench_packet(struct bench *bench, const uint8_t *data, uint32_t captured,
                                uint32_t length)
{
    uint8_t *copy = malloc(captured ? captured : 1);
    if (!copy)
        return;
    memcpy(copy, data, captured);
    struct packet packet = {
        .time_ns = bench->time_ns,
        .data = copy,
        .captured = captured,
        .length = length,
        .link_type = bench->link_type,
        .source = 7,
    };
    struct segment segment;
    decode_packet(bench->decoder, &packet, &segment);
    free(copy);
}

static inline void bench_bytes(struct bench *bench, const struct bytes *bytes)
{
    bench_packet(bench, bytes->data, bytes->length, bytes->length);
}

/* Packets that came to nothing, for whatever reason. */
static inline uint64_t bench_losses(const struct bench *bench)
{
    const struct counters *c = &bench->counters;
    return c->packets_not_tcp + c->packets_unknown_link + c->packets_malformed +
           c->packets_truncated + c->tunnels_too_deep;
}

#endif
