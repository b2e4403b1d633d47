/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of which only SYNs were seen: 32 bytes each in a ring, so that a flood of SYNs costs no flow. The oldest one
 * makes room, unless it is still young: then the ring grows, up to LIMIT_HALF_OPEN.
 * Entries are found in the flow table's directory, by its keyed 64-bit hash alone.
 */
#ifndef FLOW_HALF_OPEN_H
#define FLOW_HALF_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/directory.h"
#include "base/limits.h"
#include "decode/segment.h"

struct half_open {
    uint64_t hash;
    int64_t time_ns;      /* of the first SYN */
    uint32_t sequence[2]; /* of the SYN of each half, where it was seen or the other one's acknowledges it */
    uint16_t capture;     /* struct packet's source of the first SYN */
    uint8_t vlans;        /* tags of the first SYN */
    uint8_t used : 1;
    uint8_t first : 1;    /* index of the half whose SYN came first */
    uint8_t seen : 2;     /* a bit for each half: its SYN was seen */
    uint8_t answers : 2;  /* ... and was a SYN-ACK */
};

struct half_open_table {
    struct directory *directory; /* borrowed */
    struct half_open *places;    /* a ring */
    uint32_t mask;               /* number of places - 1 */
    uint32_t oldest, length;     /* of the ring, in places; those that were taken out count until the ring comes round */
    uint32_t touched;            /* places that were ever used */
};

/* half_open_init makes an empty table whose entries the directory leads to; false, and nothing to close, without memory. */
bool half_open_init(struct half_open_table *table, struct directory *directory) __attribute__((warn_unused_result));
void half_open_close(struct half_open_table *table);

/* The place of an entry, and this bit, are what the directory has of it; nothing else in it has this bit. */
#define HALF_OPEN 0x80000000u

static inline struct half_open *half_open_at(const struct half_open_table *table, uint32_t entry)
{
    return &table->places[entry & ~HALF_OPEN];
}

/* half_open_seen tells whether the SYN of a half was seen. */
static inline bool half_open_seen(const struct half_open *entry, unsigned half)
{
    return entry->seen >> half & 1;
}

/* half_open_add makes an entry for a connection that has none. Returns how many had to go for it: an older one, without memory itself. */
unsigned half_open_add(struct half_open_table *table, uint64_t hash, const struct segment *segment, unsigned half);

/* half_open_note takes another SYN of the same connection. */
void half_open_note(struct half_open *entry, const struct segment *segment, unsigned half);

/*
 * half_open_fits tells whether a segment goes on after the SYN of its half, or acknowledges that of the other (a RST too: RFC 9293
 * 3.10.7.3).
 */
bool half_open_fits(const struct half_open *entry, const struct segment *segment, unsigned half);

/* half_open_remove takes an entry out. */
void half_open_remove(struct half_open_table *table, struct half_open *entry);

/* half_open_expire takes out the oldest entry if it began before that time; false if there is none. */
bool half_open_expire(struct half_open_table *table, int64_t before_ns);

/* half_open_replay fills in the SYN of one half as it was seen; false if it was not. Addresses and ports are not filled in. */
bool half_open_replay(const struct half_open *entry, unsigned half, struct segment *segment);

/* half_open_held returns the bytes of the places that were ever used. */
uint64_t half_open_held(const struct half_open_table *table);

#endif
