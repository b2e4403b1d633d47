/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The headers that capture mechanisms and links put before the network layer, by a table of link
 * types.
 */
#include "decode/layers.h"

/*
 * Values of struct packet's link_type: those of libpcap's DLT_, whose header belongs to capture/.
 */
enum link_type {
    LINK_NULL = 0,
    LINK_PPP = 9,
    LINK_RAW = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_SERIAL = 50,
    LINK_PPPOE = 51,      /* DLT_PPP_ETHER: a PPPoE header without Ethernet before it */
    LINK_RAW_SAVED = 101, /* LINKTYPE_RAW, in case nobody translated it */
    LINK_CISCO_HDLC = 104,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_PPP_DIRECTION = 204,
    LINK_MPLS = 219,
    LINK_IP4 = 228,
    LINK_IP6 = 229,
    LINK_NFLOG = 239,
    LINK_LINUX_SLL2 = 276
};

enum {
    SLL_LLC = 4, /* LINUX_SLL_P_802_2: no EtherType, a LLC header */
    PPP_ADDRESS = 0xff,
    PPP_IP4 = 0x0021, /* PPP DLL Protocol Numbers of IANA */
    PPP_IP6 = 0x0057,
    PPP_MPLS = 0x0281,
    PPP_MPLS_MULTICAST = 0x0283,
    HDLC_UNICAST = 0x0f,
    HDLC_MULTICAST = 0x8f,
    NFLOG_PAYLOAD = 9 /* NFULA_PAYLOAD */
};

enum verdict decode_ethernet(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 12);
    uint16_t type = reader_u16(&r);
    if (r.bad)
        return layers_fault(layers);
    return type == ETHERTYPE_IP4 ? decode_ip4(layers, reader_rest(&r))
                                 : decode_type_or_length(layers, reader_rest(&r), type);
}

/*
 * An address family in the byte order of the machine that captured, or (LOOP) of the network. Those
 * of IPv6 differ between systems: 10 Linux, 23 Windows, 24 NetBSD and OpenBSD, 28 FreeBSD, 30
 * macOS.
 */
static enum verdict decode_family(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes), swapped = r;
    uint32_t family = reader_u32(&r);
    if (r.bad)
        return layers_fault(layers);
    if (family > UINT16_MAX)
        family = reader_u32le(&swapped);
    switch (family) {
    case 2:
    case 10:
    case 23:
    case 24:
    case 28:
    case 30: return decode_ip(layers, reader_rest(&r));
    default: return VERDICT_NOT_TCP;
    }
}

static enum verdict decode_sll_payload(struct layers *layers, struct reader *r, uint16_t protocol)
{
    if (r->bad)
        return layers_fault(layers);
    return protocol == SLL_LLC ? decode_llc(layers, reader_rest(r))
                               : decode_ethertype(layers, reader_rest(r), protocol);
}

static enum verdict decode_sll(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 14);
    uint16_t protocol = reader_u16(&r);
    return decode_sll_payload(layers, &r, protocol);
}

static enum verdict decode_sll2(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint16_t protocol = reader_u16(&r);
    reader_skip(&r, 18);
    return decode_sll_payload(layers, &r, protocol);
}

/*
 * RFC 1661 2 and 6.5 (a protocol of one byte is odd), RFC 1662 3.1 (address and control may be left
 * out).
 */
enum verdict decode_ppp(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint16_t protocol = reader_u8(&r);
    if (protocol == PPP_ADDRESS) {
        reader_skip(&r, 1);
        protocol = reader_u8(&r);
    }
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | reader_u8(&r));
    if (r.bad)
        return layers_fault(layers);
    switch (protocol) {
    case PPP_IP4: return decode_ip4(layers, reader_rest(&r));
    case PPP_IP6: return decode_ip6(layers, reader_rest(&r));
    case PPP_MPLS:
    case PPP_MPLS_MULTICAST: return decode_mpls(layers, reader_rest(&r));
    default: return VERDICT_NOT_TCP;
    }
}

static enum verdict decode_hdlc(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 2);
    uint16_t type = reader_u16(&r);
    return r.bad ? layers_fault(layers) : decode_ethertype(layers, reader_rest(&r), type);
}

/* RFC 1662, or Cisco's framing where its address stands first (RFC 1547 4.3.1). */
static enum verdict decode_ppp_serial(struct layers *layers, struct slice bytes)
{
    struct reader peek = reader_of_slice(bytes);
    uint8_t address = reader_u8(&peek);
    return address == HDLC_UNICAST || address == HDLC_MULTICAST ? decode_hdlc(layers, bytes)
                                                                : decode_ppp(layers, bytes);
}

/* A byte tells the direction. */
static enum verdict decode_ppp_direction(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    return reader_skip(&r, 1) ? decode_ppp(layers, reader_rest(&r)) : layers_fault(layers);
}

/*
 * Linux netfilter's log: four bytes, then attributes of length (its own four bytes included), type
 * and value, padded to four, in the byte order of the machine that captured. All types are below
 * 256, so the type tells the order.
 */
static enum verdict decode_nflog(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 4);
    while (r.left) {
        struct reader swapped = r;
        uint16_t length = reader_u16le(&r), type = reader_u16le(&r);
        if (type > UINT8_MAX) {
            length = reader_u16(&swapped);
            type = reader_u16(&swapped);
        }
        if (r.bad)
            break;
        if (length < 4)
            return VERDICT_MALFORMED;
        if (type == NFLOG_PAYLOAD) {
            layers_narrow(layers, &r, length - 4u);
            layers->bounded = false; /* a capture within the capture: it may have been cut */
            return decode_ip(layers, reader_rest(&r));
        }
        if (!reader_skip(&r, (length - 1u) & ~3u))
            break;
    }
    return r.bad || layers->missing ? layers_fault(layers) : VERDICT_NOT_TCP;
}

/* In order of how often they are met: the table is searched for each packet. */
static const struct link {
    int type;
    enum verdict (*decode)(struct layers *layers, struct slice bytes);
} links[] = {
    {LINK_ETHERNET, decode_ethernet},
    {LINK_LINUX_SLL, decode_sll},
    {LINK_LINUX_SLL2, decode_sll2},
    {LINK_RAW, decode_ip},
    {LINK_IP4, decode_ip4},
    {LINK_IP6, decode_ip6},
    {LINK_NULL, decode_family},
    {LINK_LOOP, decode_family},
    {LINK_NFLOG, decode_nflog},
    {LINK_PPP, decode_ppp},
    {LINK_PPP_SERIAL, decode_ppp_serial},
    {LINK_PPPOE, decode_pppoe},
    {LINK_PPP_DIRECTION, decode_ppp_direction},
    {LINK_CISCO_HDLC, decode_hdlc},
    {LINK_MPLS, decode_mpls},
    {LINK_RAW_OPENBSD, decode_ip},
    {LINK_RAW_SAVED, decode_ip},
};

static const struct link *link_find(int type)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (links[i].type == type)
            return &links[i];
    }
    return NULL;
}

enum verdict decode_link(struct layers *layers, struct slice bytes, int link_type)
{
    const struct link *link = link_find(link_type);
    return link ? link->decode(layers, bytes) : VERDICT_UNKNOWN_LINK;
}

bool decode_knows_link(int link_type)
{
    return link_find(link_type) != NULL;
}
