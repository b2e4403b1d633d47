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
    if (reader_u16(&header) != ETHERTYPE_IP4)
        return false;
    struct ip4 ip4 = layers_take_ip4_header(&header, segment);
    size_t size = IP4_HEADER + layers_take_tcp_header(&header, segment), total = ip4.total;
    if (ip4.version_and_size != IP4_VERSION_AND_SIZE || ip4.place & (IP4_OFFSET | IP4_MORE) || ip4.protocol != PROTOCOL_TCP ||
        total > bytes.length - ETHERNET_HEADER || size < IP4_HEADER + TCP_HEADER || size > total)
        return false;
    struct reader rest = reader_of(bytes.data, ETHERNET_HEADER + total);
    reader_skip(&rest, ETHERNET_HEADER + size);
    segment->family = 4;
    segment->payload = reader_rest(&rest);
    segment->length = (uint32_t)segment->payload.length;
    layers->decoder->sink.segment(layers->decoder->sink.user, segment);
    return true;
}
