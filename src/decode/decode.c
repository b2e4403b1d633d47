/* SPDX-License-Identifier: BSD-2-Clause */
/* The stage's front: one packet in, at most one TCP segment out, one verdict counted. */
#include "base/limits.h"
#include "base/memory.h"
#include "decode/decode.h"
#include "decode/layers.h"

struct decoder *decode_new(struct decode_sink sink, struct counters *counters)
{
    struct decoder *decoder = memory_new(sizeof(*decoder));
    if (!decoder)
        return NULL;
    decoder->sink = sink;
    decoder->counters = counters;
    decoder->layers.decoder = decoder;
    if (!fragments_init(&decoder->fragments, counters)) {
        memory_free(decoder);
        return NULL;
    }
    return decoder;
}

void decode_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    fragments_close(&decoder->fragments);
    memory_free(decoder);
}

static void count(struct counters *counters, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_SEGMENT:
    case VERDICT_HELD: break;
    case VERDICT_NOT_TCP: counters->packets_not_tcp++; break;
    case VERDICT_UNKNOWN_LINK: counters->packets_unknown_link++; break;
    case VERDICT_MALFORMED: counters->packets_malformed++; break;
    case VERDICT_TRUNCATED: counters->packets_truncated++; break;
    case VERDICT_TOO_DEEP: counters->tunnels_too_deep++; break;
    }
}

/* Bytes that the capture lacks. A length that no packet can have would become one of a segment. */
static uint32_t missing_bytes(const struct packet *packet)
{
    uint32_t length = packet->length < LIMIT_WIRE_LENGTH ? packet->length : LIMIT_WIRE_LENGTH;
    return length > packet->captured ? length - packet->captured : 0;
}

void decode_packet(struct decoder *decoder, const struct packet *packet, struct segment *segment)
{
    decoder->counters->packets++;
    decoder->counters->bytes += packet->captured;
    layers_start(&decoder->layers, packet, segment, missing_bytes(packet));
    struct slice bytes = {.data = packet->data, .length = packet->captured};
    if (packet->link_type == LINK_ETHERNET && decode_usual(&decoder->layers, bytes))
        return;
    count(decoder->counters, decode_link(&decoder->layers, bytes, packet->link_type));
}
