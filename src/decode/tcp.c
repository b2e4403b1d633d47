/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the way down: the TCP header (RFC 9293 3.1), and the segment to the sink. */
#include "decode/layers.h"

enum verdict decode_tcp(struct layers *layers, struct slice bytes)
{
    struct reader r = reader_of_slice(bytes);
    struct segment *segment = layers->segment;
    struct reader header = r;
    if (r.left < TCP_HEADER)
        return layers_fault(layers);
    uint32_t size = layers_take_tcp_header(&header, segment);
    uint32_t wire = layers_wire_length(layers, &r);
    if (size < TCP_HEADER || size > wire)
        return VERDICT_MALFORMED;
    segment->length = wire - size;
    /* Options that were cut take the payload with them, but its length is known. */
    reader_skip(&r, size < r.left ? size : r.left);
    segment->payload = reader_rest(&r);
    layers->decoder->sink.segment(layers->decoder->sink.user, segment);
    return VERDICT_SEGMENT;
}
