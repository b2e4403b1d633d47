/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections of which only SYNs were seen, in a ring of their own, so that a flood of SYNs costs no flow. */
#ifndef FLOW_HALF_OPEN_H
#define FLOW_HALF_OPEN_H

#include "decode/segment.h"
#include "flow/ring.h"

/* half_open_add makes an entry for a connection that has none. Returns how many had to go for it: an older one, without memory itself. */
unsigned half_open_add(struct ring *ring, uint64_t hash, const struct segment *segment, unsigned half);

/* half_open_seen tells whether the SYN of a half was seen. */
static inline bool half_open_seen(const struct ring_entry *entry, unsigned half)
{
    return entry->seen >> half & 1;
}

/* half_open_note takes another SYN of the same connection. */
void half_open_note(struct ring_entry *entry, const struct segment *segment, unsigned half);

/*
 * half_open_fits tells whether a segment goes on after the SYN of its half, or acknowledges that of the other (a RST too: RFC 9293
 * 3.10.7.3).
 */
bool half_open_fits(const struct ring_entry *entry, const struct segment *segment, unsigned half);

/* half_open_replay fills in the SYN of one half as it was seen; false if it was not. Addresses and ports are not filled in. */
bool half_open_replay(const struct ring_entry *entry, unsigned half, struct segment *segment);

#endif
