/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of decode_packet. The first byte chooses the link type; then packets, each of two bytes of
 * length, two of what was cut off, and its bytes, so that fragments find one another. Checks the
 * promises of decode.h: the payload lies within the packet or within a datagram put together, and
 * is no longer than the segment.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decode/decode.h"

static const int link_types[] = {1, 0, 9, 12, 50, 51, 104, 108, 113, 204, 219, 228, 229, 239, 276};

static void check(void *user, const struct segment *segment)
{
    uint64_t *sum = user;
    if (segment->payload.length > segment->length || (segment->family != 4 && segment->family != 6))
        abort();
    if (segment->length > LIMIT_WIRE_LENGTH)
        abort();
    /* Reading every byte lets the sanitizer see whether it may be read. */
    for (size_t i = 0; i < segment->payload.length; i++)
        *sum += segment->payload.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct counters counters = {.packets = 0};
    uint64_t sum = 0;
    struct decoder *decoder = decode_new((struct decode_sink){check, &sum}, &counters);
    struct reader r = reader_of(data, size);
    int link_type = link_types[reader_u8(&r) % (sizeof(link_types) / sizeof(link_types[0]))];
    for (int64_t time_ns = 0; decoder && r.left; time_ns += 1000000000) {
        uint32_t length = reader_u16(&r), missing = reader_u16(&r);
        struct slice bytes = reader_bytes(&r, length < r.left ? length : r.left);
        /* A copy of its own size, so that a byte too far is found. */
        uint8_t *copy = memory_new(bytes.length);
        if (copy && bytes.length)
            memcpy(copy, bytes.data, bytes.length);
        struct packet packet = {
            .time_ns = time_ns,
            .data = copy,
            .captured = (uint32_t)bytes.length,
            .length = (uint32_t)bytes.length + missing,
            .link_type = link_type,
        };
        struct segment segment;
        if (copy)
            decode_packet(decoder, &packet, &segment);
        memory_free(copy);
    }
    decode_free(decoder);
    return 0;
}
