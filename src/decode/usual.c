/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way for nearly all packets: Ethernet, IPv4 without options and in one piece, TCP, whole.
 * Whatever differs, and all that is wrong, goes the long way through the layers, with the same result.
 */
#include "decode/layers.h"

enum { ETHERNET = 14, IP4 = 20, TCP = 20, HEADERS = ETHERNET + IP4 + TCP };
enum { IP4_VERSION_AND_SIZE = 0x45, IP4_PLACE = 0x3fff /* offset and more fragments */, IP4_TCP = 6, TCP_FLAGS = 0x3f };

/* By way of a whole word, as in ip.c. */
static inline void take_address(struct reader *r, struct address *address)
{
    uint64_t words[2] = {0, 0};
    reader_copy(r, &words[0], 4);
    memcpy(address->bytes, words, sizeof(words));
}

bool decode_usual(struct layers *layers, struct slice bytes)
{
    struct segment *segment = &layers->segment;
    if (bytes.length < HEADERS)
        return false;
    struct reader header = reader_of(bytes.data, HEADERS);
    reader_skip(&header, 12);
    if (reader_u16(&header) != ETHERTYPE_IP4 || reader_u8(&header) != IP4_VERSION_AND_SIZE)
        return false;
    reader_skip(&header, 1);
    size_t total = reader_u16(&header);
    reader_skip(&header, 2);
    uint16_t place = reader_u16(&header);
    reader_skip(&header, 1);
    uint8_t protocol = reader_u8(&header);
    reader_skip(&header, 2);
    take_address(&header, &segment->source);
    take_address(&header, &segment->destination);
    segment->source_port = reader_u16(&header);
    segment->destination_port = reader_u16(&header);
    segment->sequence = reader_u32(&header);
    segment->acknowledgment = reader_u32(&header);
    uint16_t offset_and_flags = reader_u16(&header);
    segment->flags = offset_and_flags & TCP_FLAGS;
    segment->window = reader_u16(&header);

    size_t size = IP4 + (size_t)(offset_and_flags >> 12) * 4;
    if (place & IP4_PLACE || protocol != IP4_TCP || total > bytes.length - ETHERNET || size < IP4 + TCP || size > total)
        return false;
    struct reader rest = reader_of(bytes.data, ETHERNET + total);
    reader_skip(&rest, ETHERNET + size);
    segment->family = 4;
    segment->payload = reader_rest(&rest);
    segment->length = (uint32_t)segment->payload.length;
    layers->decoder->sink.segment(layers->decoder->sink.user, segment);
    return true;
}
