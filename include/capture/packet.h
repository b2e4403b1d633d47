/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet on its way from capture to decode. */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include <stdint.h>

enum {
    CAPTURE_BATCH = 32 /* packets handed out together at the most: their headers fit the caches */
};

/* `data` is borrowed until the next packet is asked for. */
struct packet {
    int64_t time_ns;     /* since 1970-01-01 UTC, as captured */
    const uint8_t *data; /* caught bytes, beginning with the link-layer header */
    uint32_t captured;   /* bytes at data (pcap: caplen) */
    uint32_t length;     /* bytes on the wire (pcap: len), never below captured */
    int link_type;       /* DLT_ value as libpcap presents it */
    uint16_t source; /* number of the capture or interface it came from: capture_source_name() */
};

#endif
