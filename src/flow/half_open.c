/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs that wait for the rest of their handshake. */
#include "base/limits.h"
#include "flow/half_open.h"

unsigned half_open_add(struct ring *ring, uint64_t hash, const struct segment *segment, unsigned half)
{
    bool gone;
    struct ring_entry *entry = ring_add(ring, hash, segment->time_ns, &gone);
    if (!entry)
        return 1u + gone;
    entry->capture = segment->capture;
    entry->vlans = segment->vlans;
    entry->first = half & 1;
    half_open_note(entry, segment, half);
    return gone;
}

void half_open_note(struct ring_entry *entry, const struct segment *segment, unsigned half)
{
    bool answers = segment->flags & TCP_ACK, other_seen = half_open_seen(entry, !half);
    entry->sequence[half] = segment->sequence;
    if (answers && !other_seen)
        entry->sequence[!half] = segment->acknowledgment - 1;
    entry->seen = (entry->seen | 1u << half) & 3;
    entry->kept = entry->kept || answers;
    entry->answers = ((entry->answers & ~(1u << half)) | (unsigned)answers << half) & 3;
}

bool half_open_fits(const struct ring_entry *entry, const struct segment *segment, unsigned half)
{
    if (half_open_seen(entry, half))
        return segment->sequence - entry->sequence[half] <= LIMIT_HELD_BYTES;
    return segment->flags & TCP_ACK && segment->acknowledgment - (entry->sequence[!half] + 1) <= LIMIT_HELD_BYTES;
}

bool half_open_replay(const struct ring_entry *entry, unsigned half, struct segment *segment)
{
    bool answers = entry->answers >> half & 1;
    *segment = (struct segment){.time_ns = entry->time_ns,
                                .flags = answers ? TCP_SYN | TCP_ACK : TCP_SYN,
                                .capture = entry->capture,
                                .vlans = entry->vlans,
                                .sequence = entry->sequence[half],
                                .acknowledgment = answers ? entry->sequence[!half] + 1 : 0};
    return half_open_seen(entry, half);
}
