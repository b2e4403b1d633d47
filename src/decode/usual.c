/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way for nearly all packets: Ethernet, IPv4 without options and in one piece, TCP, whole.
 * Whatever differs, and all that is wrong, goes the long way through the layers, with the same result.
 */
#include "decode/layers.h"

enum { HEADERS = ETHERNET_HEADER + IP4_HEADER + TCP_HEADER, IP4_VERSION_AND_SIZE = 0x45 };

bool decode_usual(struct layers *layers, struct slice bytes)
{
    struct segment *segment = layers->segment;
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
    layers_take_ip4(&header, &segment->source);
    layers_take_ip4(&header, &segment->destination);
    segment->source_port = reader_u16(&header);
    segment->destination_port = reader_u16(&header);
    segment->sequence = reader_u32(&header);
    segment->acknowledgment = reader_u32(&header);
    uint16_t offset_and_flags = reader_u16(&header);
    segment->flags = offset_and_flags & TCP_FLAGS;
    segment->window = reader_u16(&header);

    size_t size = IP4_HEADER + (size_t)(offset_and_flags >> 12) * 4;
    if (place & (IP4_OFFSET | IP4_MORE) || protocol != PROTOCOL_TCP || total > bytes.length - ETHERNET_HEADER ||
        size < IP4_HEADER + TCP_HEADER || size > total)
        return false;
    struct reader rest = reader_of(bytes.data, ETHERNET_HEADER + total);
    reader_skip(&rest, ETHERNET_HEADER + size);
    segment->family = 4;
    segment->payload = reader_rest(&rest);
    segment->length = (uint32_t)segment->payload.length;
    layers->decoder->sink.segment(layers->decoder->sink.user, segment);
    return true;
}
