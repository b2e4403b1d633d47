/* SPDX-License-Identifier: BSD-2-Clause */
/* A TCP segment on its way from decode to flow. */
#ifndef DECODE_SEGMENT_H
#define DECODE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10, TCP_URG = 0x20 };

enum { SEGMENT_VLANS = 2 };

/* An address in network byte order: IPv4 in the first 4 bytes, the rest zero. */
struct address {
    uint8_t bytes[16];
};

struct segment {
    int64_t time_ns;
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint8_t family;               /* 4 or 6: of the innermost IP header */
    uint8_t flags;                /* TCP_ bits */
    uint8_t vlans;                /* VLAN tags seen (may exceed SEGMENT_VLANS; only the outermost are kept); id 0 is a priority, not a VLAN */
    uint16_t vlan[SEGMENT_VLANS]; /* VLAN ids, outermost first */
    uint16_t capture;             /* struct packet's source */
    bool reassembled;             /* from IP fragments: the payload is decode's, for the call only; else it lies in the packet */
    uint32_t sequence, acknowledgment;
    uint16_t window;
    uint32_t length;      /* payload bytes on the wire */
    struct slice payload; /* those of them that were captured: payload.length <= length; borrowed */
};

#endif
