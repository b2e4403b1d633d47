/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to decode/: one packet on its way down through the layers, and the decoder of each layer.
 */
#ifndef DECODE_LAYERS_H
#define DECODE_LAYERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/counters.h"
#include "base/reader.h"
#include "decode/decode.h"
#include "decode/fragment.h"
#include "decode/segment.h"

/*
 * What a packet turned out to be. Each decoder below takes the bytes from its header on, as
 * captured, and returns the verdict on them; decode_packet counts it, once. A header that does not
 * fit is TRUNCATED where the capture lacks bytes of the packet, else MALFORMED: the sender lied.
 */
enum verdict {
    VERDICT_SEGMENT, /* handed to the sink */
    VERDICT_NOT_TCP,
    VERDICT_UNKNOWN_LINK,
    VERDICT_MALFORMED,
    VERDICT_TRUNCATED,
    VERDICT_TOO_DEEP,
    VERDICT_HELD /* a fragment, kept or given up; counted by fragments_add */
};

/*
 * The packet at hand. Addresses, ports and what else TCP has are set on the way, the rest by
 * layers_start.
 */
struct layers {
    struct decoder *decoder;
    struct segment *segment; /* the caller's */
    uint32_t missing;   /* bytes on the wire behind those at hand, which the capture lacks */
    bool bounded;       /* their end is known: by the packet or by a header's length */
    uint8_t ip_headers; /* so far; at most LIMIT_TUNNEL_DEPTH */
    uint8_t tags;       /* VLAN tags, MPLS labels and the like; at most LIMIT_VLAN_TAGS */
    uint8_t extensions; /* of the current IP header; at most LIMIT_EXTENSION_HEADERS */
};

struct decoder {
    struct decode_sink sink;
    struct counters *counters;
    struct fragments fragments;
    struct layers layers; /* of the packet at hand */
};

/* layers_start forgets the packet before. */
static inline void layers_start(struct layers *layers, const struct packet *packet,
                                struct segment *segment, uint32_t missing)
{
    layers->segment = segment;
    segment->time_ns = packet->time_ns;
    segment->capture = packet->source;
    segment->vlans = 0;
    segment->reassembled = false;
    memset(segment->vlan, 0, sizeof(segment->vlan));
    layers->missing = missing;
    layers->bounded = true;
    layers->ip_headers = layers->tags = layers->extensions = 0;
}

/* layers_fault is the verdict on a header that is not all there. */
static inline enum verdict layers_fault(const struct layers *layers)
{
    return layers->missing ? VERDICT_TRUNCATED : VERDICT_MALFORMED;
}

/* layers_wire_length returns how many bytes the reader would have if nothing had been cut off. */
static inline uint32_t layers_wire_length(const struct layers *layers, const struct reader *r)
{
    return (uint32_t)r->left + layers->missing;
}

/*
 * layers_narrow makes a header's own length the measure of what follows. Less than is there:
 * padding or a trailer is cut off. More than was captured: the rest is missing. More than was there
 * on the wire is a lie, and the end that was known stands: if a tool cut the packet and rewrote its
 * length, the stream finds the hole by the next sequence number; a lie that was believed would
 * swallow the bytes that come next. Only where packets are known to be cut on their way (NFLOG with
 * a copy range, mirror ports) the inner length is believed.
 */
static inline void layers_narrow(struct layers *layers, struct reader *r, uint32_t length)
{
    if (length <= r->left) {
        r->left = length;
        layers->missing = 0;
    } else if (!layers->bounded || length <= layers_wire_length(layers, r)) {
        layers->missing = length - (uint32_t)r->left;
    }
    layers->bounded = true;
}

/*
 * layers_take_ip4 takes an address by way of a whole word: bytes that were written in two sizes are
 * slow to read back (the flow table reads them at once).
 */
static inline void layers_take_ip4(struct reader *r, struct address *address)
{
    uint64_t words[2] = {0, 0};
    reader_copy(r, &words[0], 4);
    memcpy(address->bytes, words, sizeof(words));
}

/* Of headers that the short way and the long one read; the protocol number is IANA's. */
enum { ETHERNET_HEADER = 14, IP4_HEADER = 20, TCP_HEADER = 20 };
enum { IP4_OFFSET = 0x1fff, IP4_MORE = 0x2000, PROTOCOL_TCP = 6, TCP_FLAGS = 0x3f };

/* What IPv4's first 20 bytes say besides the addresses (RFC 791 3.1). */
struct ip4 {
    uint8_t version_and_size, protocol;
    uint16_t total, id, place; /* place: IP4_OFFSET and IP4_MORE */
};

/* layers_take_ip4_header takes them, and the addresses into the segment. */
static inline struct ip4 layers_take_ip4_header(struct reader *r, struct segment *segment)
{
    struct ip4 ip4 = {.version_and_size = reader_u8(r)};
    reader_skip(r, 1);
    ip4.total = reader_u16(r);
    ip4.id = reader_u16(r);
    ip4.place = reader_u16(r);
    reader_skip(r, 1);
    ip4.protocol = reader_u8(r);
    reader_skip(r, 2);
    layers_take_ip4(r, &segment->source);
    layers_take_ip4(r, &segment->destination);
    return ip4;
}

/* layers_take_tcp_header takes TCP's first fields (RFC 9293 3.1) into the segment; it returns the size that the header claims. */
static inline uint32_t layers_take_tcp_header(struct reader *r, struct segment *segment)
{
    segment->source_port = reader_u16(r);
    segment->destination_port = reader_u16(r);
    segment->sequence = reader_u32(r);
    segment->acknowledgment = reader_u32(r);
    uint16_t offset_and_flags = reader_u16(r);
    segment->flags = offset_and_flags & TCP_FLAGS;
    segment->window = reader_u16(r);
    return (offset_and_flags >> 12) * 4u;
}

/* link.c. decode_link chooses by DLT: LINK_ETHERNET is the usual one. */
enum { LINK_ETHERNET = 1 };
enum verdict decode_link(struct layers *layers, struct slice bytes, int link_type);
enum verdict decode_ethernet(struct layers *layers, struct slice bytes);
enum verdict decode_ppp(struct layers *layers, struct slice bytes);

/* usual.c. False, and nothing handed to the sink, for a packet that wants the long way. */
bool decode_usual(struct layers *layers, struct slice bytes);

/* ethertype.c. What an EtherType announces. */
enum ethertype {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_TRANSPARENT = 0x6558, /* Ethernet in GRE or Geneve */
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IP6 = 0x86dd,
    ETHERTYPE_PPP = 0x880b, /* in GRE (RFC 2637) */
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_MULTICAST = 0x8848,
    ETHERTYPE_PPPOE = 0x8864,
    ETHERTYPE_QINQ = 0x88a8,
    ETHERTYPE_CISCO_METADATA = 0x8909,
    ETHERTYPE_QINQ_OLD = 0x9100
};
enum verdict decode_ethertype(struct layers *layers, struct slice bytes, uint16_t type);

/*
 * decode_type_or_length is for fields that hold the length of an LLC frame if they are below 1536
 * (IEEE 802.3 3.2.6).
 */
enum verdict decode_type_or_length(struct layers *layers, struct slice bytes, uint16_t type);
enum verdict decode_llc(struct layers *layers, struct slice bytes);
enum verdict decode_mpls(struct layers *layers, struct slice bytes);
enum verdict decode_pppoe(struct layers *layers, struct slice bytes);

/* ip.c. decode_ip chooses by the version; decode_ip_payload by the protocol number. */
enum verdict decode_ip(struct layers *layers, struct slice bytes);
enum verdict decode_ip4(struct layers *layers, struct slice bytes);
enum verdict decode_ip6(struct layers *layers, struct slice bytes);
enum verdict decode_ip_payload(struct layers *layers, struct slice bytes, uint8_t protocol);

/* tunnel.c. */
enum verdict decode_gre(struct layers *layers, struct slice bytes);
enum verdict decode_udp(struct layers *layers, struct slice bytes);

/* tcp.c. */
enum verdict decode_tcp(struct layers *layers, struct slice bytes);

#endif
