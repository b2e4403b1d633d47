/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 (RFC 791) and IPv6 (RFC 8200) with extension headers and fragments; what is inside goes on
 * by protocol number.
 */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decode/layers.h"

enum { IP6_HEADER = 40 };

/* IANA Assigned Internet Protocol Numbers. */
enum {
    PROTOCOL_HOP_BY_HOP = 0,
    PROTOCOL_IP4 = 4,
    PROTOCOL_UDP = 17,
    PROTOCOL_IP6 = 41,
    PROTOCOL_ROUTING = 43,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_GRE = 47,
    PROTOCOL_AUTHENTICATION = 51,
    PROTOCOL_DESTINATION = 60,
    PROTOCOL_MOBILITY = 135,
    PROTOCOL_HIP = 139,
    PROTOCOL_SHIM6 = 140
};

static enum verdict decode_fragment(struct layers *layers, struct fragment *fragment)
{
    struct whole whole = {.data = NULL};
    fragment->key.source = layers->segment->source;
    fragment->key.destination = layers->segment->destination;
    fragment->key.family = layers->segment->family;
    fragment->cut = layers->missing != 0;
    switch (fragments_add(&layers->decoder->fragments, fragment, layers->segment->time_ns, &whole)) {
    case FRAGMENT_WHOLE: break;
    case FRAGMENT_MALFORMED: return VERDICT_MALFORMED;
    default: return VERDICT_HELD;
    }
    layers->bounded = true; /* and nothing is missing: what was cut is not put together */
    layers->segment->reassembled = true;
    struct slice payload = {.data = whole.data, .length = whole.length};
    enum verdict verdict = decode_ip_payload(layers, payload, whole.protocol);
    memory_free(whole.data);
    return verdict;
}

static enum verdict decode_ip4_fragment(struct layers *layers, struct slice bytes, const struct ip4 *ip4)
{
    struct fragment fragment = {
        .key = {.id = ip4->id, .protocol = ip4->protocol},
        .offset = (ip4->place & IP4_OFFSET) * 8u,
        .more = (ip4->place & IP4_MORE) != 0,
        .protocol = ip4->protocol,
        .bytes = bytes,
    };
    return decode_fragment(layers, &fragment);
}

/* RFC 8200 4.5; RFC 6946: a fragment that is all there is no fragment. */
static enum verdict decode_ip6_fragment(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint8_t next = reader_u8(&r);
    reader_skip(&r, 1);
    uint16_t place = reader_u16(&r);
    uint32_t id = reader_u32(&r);
    if (r.bad)
        return layers_fault(layers);
    struct fragment fragment = {
        .key = {.id = id},
        .offset = place & 0xfff8,
        .more = (place & 1) != 0,
        .protocol = next,
    };
    if (fragment.offset == 0 && !fragment.more)
        return decode_ip_payload(layers, reader_rest(&r), next);
    fragment.bytes = reader_rest(&r);
    return decode_fragment(layers, &fragment);
}

/*
 * extension_skip passes over one extension header: its length is in units of 8 bytes, in AH (RFC
 * 4302 2.2) of 4.
 */
static bool extension_skip(struct reader *r, uint8_t *protocol)
{
    uint32_t unit = *protocol == PROTOCOL_AUTHENTICATION ? 4 : 8;
    struct reader header = *r;
    uint8_t next = reader_u8(&header);
    uint32_t size = unit == 4 ? (reader_u8(&header) + 2u) * 4 : (reader_u8(&header) + 1u) * 8;
    if (header.bad || !reader_skip(r, size))
        return false;
    *protocol = next;
    return true;
}

enum verdict decode_ip_payload(struct layers *layers, struct slice bytes, uint8_t protocol)
{
    struct reader r = reader_of_slice(bytes);
    for (; layers->extensions <= LIMIT_EXTENSION_HEADERS; layers->extensions++) {
        switch (protocol) {
        case PROTOCOL_TCP: return decode_tcp(layers, reader_rest(&r));
        case PROTOCOL_UDP: return decode_udp(layers, reader_rest(&r));
        case PROTOCOL_GRE: return decode_gre(layers, reader_rest(&r));
        case PROTOCOL_IP4: return decode_ip4(layers, reader_rest(&r));
        case PROTOCOL_IP6: return decode_ip6(layers, reader_rest(&r));
        case PROTOCOL_AUTHENTICATION: break;
        case PROTOCOL_FRAGMENT:
        case PROTOCOL_HOP_BY_HOP:
        case PROTOCOL_ROUTING:
        case PROTOCOL_DESTINATION:
        case PROTOCOL_MOBILITY:
        case PROTOCOL_HIP:
        case PROTOCOL_SHIM6:
            if (layers->segment->family == 6)
                break;
            return VERDICT_NOT_TCP;
        default: return VERDICT_NOT_TCP;
        }
        if (protocol == PROTOCOL_FRAGMENT) {
            layers->extensions++;
            return decode_ip6_fragment(layers, reader_rest(&r));
        }
        if (!extension_skip(&r, &protocol))
            return layers_fault(layers);
    }
    return VERDICT_TOO_DEEP;
}

enum verdict decode_ip4(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    struct segment *segment = layers->segment;
    struct reader header = r;
    if (layers->ip_headers == LIMIT_TUNNEL_DEPTH)
        return VERDICT_TOO_DEEP;
    if (r.left < IP4_HEADER)
        return layers_fault(layers);
    struct ip4 ip4 = layers_take_ip4_header(&header, segment);

    uint32_t size = (ip4.version_and_size & 15) * 4u;
    if (ip4.version_and_size >> 4 != 4 || size < IP4_HEADER || (ip4.total && ip4.total < size))
        return VERDICT_MALFORMED;
    if (ip4.total)
        layers_narrow(layers, &r, ip4.total);
    if (!reader_skip(&r, size))
        return layers_fault(layers);
    layers->ip_headers++;
    layers->extensions = 0;
    segment->family = 4;
    if (ip4.place & (IP4_OFFSET | IP4_MORE))
        return decode_ip4_fragment(layers, reader_rest(&r), &ip4);
    return decode_ip_payload(layers, reader_rest(&r), ip4.protocol);
}

enum verdict decode_ip6(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    struct segment *segment = layers->segment;
    if (layers->ip_headers == LIMIT_TUNNEL_DEPTH)
        return VERDICT_TOO_DEEP;
    if (r.left < IP6_HEADER)
        return layers_fault(layers);
    uint32_t version = reader_u32(&r) >> 28;
    uint16_t length = reader_u16(&r);
    uint8_t next = reader_u8(&r);
    reader_skip(&r, 1);
    reader_copy(&r, segment->source.bytes, 16);
    reader_copy(&r, segment->destination.bytes, 16);
    if (version != 6)
        return VERDICT_MALFORMED;
    /* 0: segmentation offload, or a jumbogram (RFC 2675), whose length is the packet's too. */
    if (length)
        layers_narrow(layers, &r, length);
    layers->ip_headers++;
    layers->extensions = 0;
    segment->family = 6;
    return decode_ip_payload(layers, reader_rest(&r), next);
}

enum verdict decode_ip(struct layers *layers, struct slice bytes)
{
    struct reader peek = reader_of_slice(bytes);
    uint8_t first = reader_u8(&peek);
    if (peek.bad)
        return layers_fault(layers);
    switch (first >> 4) {
    case 4: return decode_ip4(layers, bytes);
    case 6: return decode_ip6(layers, bytes);
    default: return VERDICT_NOT_TCP;
    }
}
