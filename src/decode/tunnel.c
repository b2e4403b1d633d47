/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels inside IP: GRE with ERSPAN and PPTP, and those over UDP by destination port: VXLAN,
 * Geneve, GTP-U, and Teredo by either port.
 */
#include "decode/layers.h"

enum {
    GRE_CHECKSUM = 0x8000, /* RFC 2784 2.1, RFC 2890 2 */
    GRE_ROUTING = 0x4000,  /* RFC 1701; deprecated, not followed */
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGMENT = 0x0080, /* RFC 2637 4.1 */
    GRE_VERSION = 0x0007,

    GRE_ERSPAN = 0x88be, /* draft-foschiano-erspan: type II, without a sequence number type I */
    GRE_ERSPAN3 = 0x22eb,
    GRE_WCCP = 0x883e,
    ERSPAN3_SUBHEADER = 1,
    ERSPAN3_IP = 2 /* frame type */
};

enum {
    PORT_GTP_USER = 2152,    /* 3GPP TS 29.281 */
    PORT_TEREDO = 3544,      /* RFC 4380 2.7 */
    PORT_VXLAN = 4789,       /* RFC 7348 */
    PORT_GENEVE = 6081,      /* RFC 8926 */
    PORT_VXLAN_LINUX = 8472, /* before the port was assigned */

    VXLAN_HAS_NETWORK = 0x08000000,
    GENEVE_VERSION = 0xc000,
    GENEVE_OPTIONS = 0x3f00,
    GTP_VERSION_AND_TYPE = 0xf0, /* version 1 and protocol type 1 make 0x30 */
    GTP_OPTIONAL = 0x07,         /* extension, sequence number, N-PDU number */
    GTP_USER_DATA = 0xff,
    TEREDO_ORIGIN = 0,
    TEREDO_AUTHENTICATION = 1,
    UDP_HEADER = 8
};

static enum verdict decode_erspan2(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    return reader_skip(&r, 8) ? decode_ethernet(layers, reader_rest(&r)) : layers_fault(layers);
}

static enum verdict decode_erspan3(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, 10);
    uint16_t flags = reader_u16(&r);
    if (flags & ERSPAN3_SUBHEADER)
        reader_skip(&r, 8);
    if (r.bad)
        return layers_fault(layers);
    return (flags >> 10 & 0x1f) == ERSPAN3_IP ? decode_ip(layers, reader_rest(&r))
                                              : decode_ethernet(layers, reader_rest(&r));
}

/*
 * A redirect header of 4 bytes may stand before the IP header; its first byte has no 4 on the left.
 */
static enum verdict decode_wccp(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes), peek = r;
    if (reader_u8(&peek) >> 4 != 4)
        reader_skip(&r, 4);
    return r.bad ? layers_fault(layers) : decode_ip4(layers, reader_rest(&r));
}

static enum verdict decode_gre_payload(struct layers *layers, struct slice bytes, uint16_t flags,
                                       uint16_t type)
{
    if (type == GRE_ERSPAN || type == GRE_ERSPAN3)
        layers->bounded = false; /* mirrored packets may have been cut before they were sent */
    switch (type) {
    case GRE_ERSPAN:
        return flags & GRE_SEQUENCE ? decode_erspan2(layers, bytes)
                                    : decode_ethernet(layers, bytes);
    case GRE_ERSPAN3: return decode_erspan3(layers, bytes);
    case GRE_WCCP: return decode_wccp(layers, bytes);
    default: return decode_ethertype(layers, bytes, type);
    }
}

enum verdict decode_gre(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint16_t flags = reader_u16(&r), type = reader_u16(&r);
    uint16_t version = flags & GRE_VERSION;
    if (!r.bad && (version > 1 || flags & GRE_ROUTING))
        return VERDICT_NOT_TCP;
    if (flags & GRE_CHECKSUM)
        reader_skip(&r, 4);
    if (flags & GRE_KEY)
        reader_skip(&r, 4);
    if (flags & GRE_SEQUENCE)
        reader_skip(&r, 4);
    if (version == 1 && flags & GRE_ACKNOWLEDGMENT)
        reader_skip(&r, 4);
    return r.bad ? layers_fault(layers) : decode_gre_payload(layers, reader_rest(&r), flags, type);
}

static enum verdict decode_vxlan(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint32_t flags = reader_u32(&r);
    reader_skip(&r, 4);
    if (r.bad)
        return layers_fault(layers);
    return flags & VXLAN_HAS_NETWORK ? decode_ethernet(layers, reader_rest(&r)) : VERDICT_NOT_TCP;
}

static enum verdict decode_geneve(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint16_t flags = reader_u16(&r), type = reader_u16(&r);
    if (flags & GENEVE_VERSION)
        return VERDICT_NOT_TCP;
    reader_skip(&r, 4);
    reader_skip(&r, (uint8_t)((flags & GENEVE_OPTIONS) >> 8) * 4u);
    return r.bad ? layers_fault(layers) : decode_ethertype(layers, reader_rest(&r), type);
}

/*
 * Extension headers: a length in units of 4 bytes, itself and the type of the next one included (TS
 * 29.281 5.2.1).
 */
static void gtp_skip_extensions(struct reader *r)
{
    reader_skip(r, 3);
    uint8_t next = reader_u8(r);
    while (next && !r->bad) {
        size_t size = reader_u8(r) * 4u;
        reader_skip(r, size ? size - 2 : SIZE_MAX);
        next = reader_u8(r);
    }
}

static enum verdict decode_gtp(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint8_t flags = reader_u8(&r), type = reader_u8(&r);
    uint16_t length = reader_u16(&r);
    reader_skip(&r, 4);
    if (r.bad)
        return layers_fault(layers);
    if ((flags & GTP_VERSION_AND_TYPE) != 0x30 || type != GTP_USER_DATA)
        return VERDICT_NOT_TCP;
    layers_narrow(layers, &r, length);
    if (flags & GTP_OPTIONAL)
        gtp_skip_extensions(&r);
    return r.bad ? layers_fault(layers) : decode_ip(layers, reader_rest(&r));
}

/*
 * IPv6, perhaps behind an authentication header (lengths of the client's name and of a value, both, a nonce and a
 * confirmation) and the sender's outer address and port (RFC 4380 5.1.1).
 */
static enum verdict decode_teredo(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes), peek = r;
    if (reader_u16(&peek) == TEREDO_AUTHENTICATION) {
        size_t name = reader_u8(&peek), value = reader_u8(&peek);
        reader_skip(&peek, name + value + 8 + 1);
        r = peek;
    }
    peek = r;
    if (reader_u16(&peek) == TEREDO_ORIGIN) {
        reader_skip(&peek, 6);
        r = peek;
    }
    peek = r;
    uint8_t version = reader_u8(&peek) >> 4;
    if (peek.bad)
        return layers_fault(layers);
    return version == 6 ? decode_ip6(layers, reader_rest(&r)) : VERDICT_NOT_TCP;
}

enum verdict decode_udp(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    uint16_t source = reader_u16(&r), port = reader_u16(&r);
    uint16_t length = reader_u16(&r);
    reader_skip(&r, 2);
    if (r.bad)
        return layers_fault(layers);
    if (length >= UDP_HEADER) /* 0: segmentation offload or a jumbogram (RFC 2675 4) */
        layers_narrow(layers, &r, length - (uint32_t)UDP_HEADER);
    switch (port) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX: return decode_vxlan(layers, reader_rest(&r));
    case PORT_GENEVE: return decode_geneve(layers, reader_rest(&r));
    case PORT_GTP_USER: return decode_gtp(layers, reader_rest(&r));
    case PORT_TEREDO: return decode_teredo(layers, reader_rest(&r));
    default: return source == PORT_TEREDO ? decode_teredo(layers, reader_rest(&r)) : VERDICT_NOT_TCP;
    }
}
