/* SPDX-License-Identifier: BSD-2-Clause */
/* What an EtherType announces: IP, or tags, labels and sessions that stand before it. */
#include "base/limits.h"
#include "decode/layers.h"

enum {
    LENGTH_MOST = 1500, /* IEEE 802.3 3.2.6: a length up to here, a type from 1536 */
    VLAN_ID = 0x0fff,   /* IEEE 802.1Q 9.6 */
    LLC_IP = 0x06,      /* RFC 948 */
    LLC_SNAP = 0xaa,    /* RFC 1042 */
    LLC_UNNUMBERED = 3,
    MPLS_BOTTOM = 0x100, /* RFC 3032 2.1: the S bit */
    MPLS_WORD = 4,
    PPPOE_SESSION = 0x1100 /* RFC 2516 4: version 1, type 1, code 0 */
};

/* Whatever may stand before another of its kind is counted, so that recursion ends. */
static bool tag_allowed(struct layers *layers)
{
    return layers->tags++ < LIMIT_VLAN_TAGS;
}

/* Id 0 is no VLAN, only a priority (IEEE 802.1Q 9.6): the way back may well go without it. */
static enum verdict decode_vlan(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    if (!tag_allowed(layers))
        return VERDICT_TOO_DEEP;
    uint16_t id = reader_u16(&r) & VLAN_ID;
    uint16_t type = reader_u16(&r);
    if (r.bad)
        return layers_fault(layers);
    struct segment *segment = layers->segment;
    if (id && segment->vlans < SEGMENT_VLANS)
        segment->vlan[segment->vlans] = id;
    if (id)
        segment->vlans++;
    return decode_type_or_length(layers, reader_rest(&r), type);
}

/*
 * Cisco MetaData, which carries security group tags: version, length in units of 4 bytes, options,
 * then the EtherType.
 */
static enum verdict decode_cisco_metadata(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    if (!tag_allowed(layers))
        return VERDICT_TOO_DEEP;
    reader_skip(&r, 1);
    reader_skip(&r, reader_u8(&r) * 4u);
    uint16_t type = reader_u16(&r);
    return r.bad ? layers_fault(layers) : decode_type_or_length(layers, reader_rest(&r), type);
}

enum verdict decode_pppoe(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    if (!tag_allowed(layers))
        return VERDICT_TOO_DEEP;
    uint16_t head = reader_u16(&r);
    reader_skip(&r, 2);
    uint16_t length = reader_u16(&r);
    if (r.bad)
        return layers_fault(layers);
    if (head != PPPOE_SESSION)
        return VERDICT_NOT_TCP;
    layers_narrow(layers, &r, length);
    return decode_ppp(layers, reader_rest(&r));
}

enum verdict decode_llc(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint8_t destination = reader_u8(&r), source = reader_u8(&r), control = reader_u8(&r);
    if (r.bad)
        return layers_fault(layers);
    if (control != LLC_UNNUMBERED || destination != source)
        return VERDICT_NOT_TCP;
    if (destination == LLC_IP)
        return decode_ip4(layers, reader_rest(&r));
    if (destination != LLC_SNAP)
        return VERDICT_NOT_TCP;
    uint32_t organisation = reader_u24(&r);
    uint16_t type = reader_u16(&r);
    if (r.bad)
        return layers_fault(layers);
    /*
     * 0: EtherTypes (RFC 1042); 0000f8: those of bridges between kinds of networks (IEEE 802.1H).
     */
    return organisation == 0 || organisation == 0xf8
               ? decode_ethertype(layers, reader_rest(&r), type)
               : VERDICT_NOT_TCP;
}

/*
 * Nothing in an MPLS packet says what is in it; each of these asks whether it could be what its
 * first bytes look like.
 */
static bool could_be_ip(const struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint32_t wire = layers_wire_length(layers, &r);
    uint16_t first = reader_u16(&r), second = reader_u16(&r), third = reader_u16(&r);
    if (first >> 12 == 6)
        return !r.bad && third + 40u <= wire;
    return !r.bad && (first >> 8 & 15) >= 5 && second >= 20 && second <= wire;
}

static bool could_be_ethernet(struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 12);
    switch (reader_u16(&r)) {
    case ETHERTYPE_IP4:
    case ETHERTYPE_IP6:
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_MPLS:
    case ETHERTYPE_PPPOE: return true;
    default: return false;
    }
}

/*
 * Below the labels: IP (RFC 3032 2.1 with RFC 4928), or Ethernet with or without a control word of
 * 0000 in its first bits (RFC 4448 4.6).
 */
static enum verdict decode_mpls_payload(struct layers *layers, struct slice bytes)
{
    struct reader inner = reader_of_slice(bytes);
    uint8_t nibble = reader_u8(&inner) >> 4;
    if (inner.bad)
        return layers_fault(layers);
    bool is_ip = nibble == 4 || nibble == 6;
    if (is_ip && (could_be_ip(layers, bytes) || !could_be_ethernet(bytes)))
        return decode_ip(layers, bytes);
    if (layers->missing && bytes.length < MPLS_WORD + ETHERNET_HEADER)
        return VERDICT_TRUNCATED; /* too little to tell */
    reader_skip(&inner, 3);
    struct slice behind_word = reader_rest(&inner);
    if (nibble == 0 && could_be_ethernet(behind_word))
        return decode_ethernet(layers, behind_word);
    return could_be_ethernet(bytes) ? decode_ethernet(layers, bytes) : VERDICT_NOT_TCP;
}

enum verdict decode_mpls(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint32_t entry;
    do {
        if (!tag_allowed(layers))
            return VERDICT_TOO_DEEP;
        entry = reader_u32(&r);
        if (r.bad)
            return layers_fault(layers);
    } while (!(entry & MPLS_BOTTOM));
    return decode_mpls_payload(layers, reader_rest(&r));
}

enum verdict decode_ethertype(struct layers *layers, struct slice bytes, uint16_t type)
{
    switch (type) {
    case ETHERTYPE_IP4: return decode_ip4(layers, bytes);
    case ETHERTYPE_IP6: return decode_ip6(layers, bytes);
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD: return decode_vlan(layers, bytes);
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST: return decode_mpls(layers, bytes);
    case ETHERTYPE_PPPOE: return decode_pppoe(layers, bytes);
    case ETHERTYPE_PPP: return decode_ppp(layers, bytes);
    case ETHERTYPE_CISCO_METADATA: return decode_cisco_metadata(layers, bytes);
    case ETHERTYPE_TRANSPARENT:
        return tag_allowed(layers) ? decode_ethernet(layers, bytes) : VERDICT_TOO_DEEP;
    default: return VERDICT_NOT_TCP;
    }
}

enum verdict decode_type_or_length(struct layers *layers, struct slice bytes, uint16_t type)
{
    struct reader r = reader_of_slice(bytes);
    if (type > LENGTH_MOST)
        return decode_ethertype(layers, reader_rest(&r), type);
    layers_narrow(layers, &r, type);
    return decode_llc(layers, reader_rest(&r));
}
