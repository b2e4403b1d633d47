/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of which little needs to be known, 32 bytes each in a ring: those that are half open, and those that ended (TIME-WAIT). The
 * oldest one makes room, unless it is still young: then the ring grows, up to a limit. Those that are to be kept longer are passed over
 * once the ring comes to them, until they are older too.
 * Entries are found in the flow table's directory, by its keyed 64-bit hash alone.
 */
#ifndef FLOW_RING_H
#define FLOW_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/directory.h"

struct ring_entry {
    uint64_t hash;
    int64_t time_ns;      /* when it came in */
    uint32_t sequence[2]; /* of the SYN of each half, as far as known */
    uint16_t capture;     /* from here on of half-open ones: struct packet's source of the first SYN */
    uint8_t vlans;        /* tags of the first SYN */
    uint8_t used : 1;     /* of any */
    uint8_t kept : 1;     /* of any: lasts longer than others */
    uint8_t first : 1;    /* index of the half whose SYN came first */
    uint8_t seen : 2;     /* a bit for each half: its SYN was seen */
    uint8_t answers : 2;  /* ... and was a SYN-ACK */
};

struct ring_options {
    uint32_t bit;         /* which tells the ring's entries in the directory from all others */
    uint32_t first, most; /* places at the beginning, and at most; powers of two */
    int64_t young_ns;     /* an entry that is not older does not make room while the ring can grow */
    int64_t kept_ns;      /* ... of those that are kept, if any are; not shorter */
};

struct ring {
    struct ring_options options;
    struct directory *directory; /* borrowed */
    struct ring_entry *places;
    uint32_t mask;               /* number of places - 1 */
    uint32_t oldest, length;     /* in places; those that were taken out count until the ring comes round. Passed over, one is the newest */
    uint32_t touched;            /* places that were ever used */
};

/* ring_init makes an empty ring whose entries the directory leads to; false, and nothing to close, without memory. */
bool ring_init(struct ring *ring, struct directory *directory, const struct ring_options *options) __attribute__((warn_unused_result));
void ring_close(struct ring *ring);

/* ring_at returns the entry that the directory has: the ring's bit, and its place. */
static inline struct ring_entry *ring_at(const struct ring *ring, uint32_t entry)
{
    return &ring->places[entry & ~ring->options.bit];
}

/* ring_add returns a new entry for a connection that has none, NULL without memory. *gone: an older one had to go for it. */
struct ring_entry *ring_add(struct ring *ring, uint64_t hash, int64_t time_ns, bool *gone);

/* ring_remove takes an entry out. */
void ring_remove(struct ring *ring, struct ring_entry *entry);

/* ring_expire takes out the oldest entry if it came in before that time; false if there is none. */
bool ring_expire(struct ring *ring, int64_t before_ns);

/* ring_held returns the bytes of the places that were ever used. */
uint64_t ring_held(const struct ring *ring);

#endif
