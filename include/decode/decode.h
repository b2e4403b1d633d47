/* SPDX-License-Identifier: BSD-2-Clause */
/* From a packet of any supported link type to a TCP segment, through VLAN tags, tunnels and IP fragments. */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include <stdbool.h>

#include "base/counters.h"
#include "capture/packet.h"
#include "decode/segment.h"

struct decoder;

/* Called for each TCP segment: the one that decode_packet was given, with its payload borrowed as long as the packet, unless reassembled. */
struct decode_sink {
    void (*segment)(void *user, const struct segment *segment);
    void *user;
};

/* decode_new returns a decoder (new), or NULL without memory. `counters` is borrowed. */
struct decoder *decode_new(struct decode_sink sink, struct counters *counters);

/*
 * decode_packet hands the TCP segment in the packet to the sink, which is written to *segment before; packets that are not TCP, cut before the end of the TCP
 * header or malformed only count; each packet and its captured bytes are counted here too. Never fails. Checksums are not required to be right. An IPv4 total length (or IPv6 payload length) of 0 means
 * "to the end of the packet" (segmentation offload); a length below the captured bytes cuts off Ethernet padding.
 */
void decode_packet(struct decoder *decoder, const struct packet *packet, struct segment *segment);

/* decode_knows_link tells whether a link type has a decoder. */
bool decode_knows_link(int link_type);

/* decode_free frees; NULL is allowed. */
void decode_free(struct decoder *decoder);

#endif
