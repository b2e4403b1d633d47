/* SPDX-License-Identifier: BSD-2-Clause */
/* What is remembered of connections that are no flows: not yet, or not any more. */
#include "base/memory.h"
#include "flow/ring.h"

_Static_assert(sizeof(struct ring_entry) == 32, "two to a cache line");

enum {
    AHEAD = 4,  /* of the oldest one, whose place in the directory will be needed soon in a flood */
    PASSES = 4, /* of kept ones for one that comes: where more than so many stand in a row, the ring is too small for them */
};

static bool make(struct ring *ring, struct directory *directory, const struct ring_options *options, uint32_t places)
{
    *ring = (struct ring){.options = *options,
                          .directory = directory,
                          .places = memory_new_array(places, sizeof *ring->places),
                          .mask = places - 1};
    return ring->places != NULL;
}

bool ring_init(struct ring *ring, struct directory *directory, const struct ring_options *options)
{
    return make(ring, directory, options, options->first);
}

void ring_close(struct ring *ring)
{
    memory_free(ring->places);
    *ring = (struct ring){0};
}

void ring_remove(struct ring *ring, struct ring_entry *entry)
{
    directory_remove(ring->directory, entry->hash, ring->options.bit | (uint32_t)(entry - ring->places));
    entry->used = false;
}

/* Takes the oldest place off the ring; true if somebody was in it. */
static bool drop_oldest(struct ring *ring)
{
    struct ring_entry *entry = &ring->places[ring->oldest];
    bool used = entry->used;
    if (used)
        ring_remove(ring, entry);
    ring->oldest = (ring->oldest + 1) & ring->mask;
    ring->length--;
    directory_expect(ring->directory, ring->places[(ring->oldest + AHEAD) & ring->mask].hash);
    return used;
}

/* Twice the places, filled from the oldest one on. Without memory everything stays as it was. */
static void grow(struct ring *ring)
{
    struct ring grown;
    uint32_t bit = ring->options.bit;
    if (!make(&grown, ring->directory, &ring->options, 2 * (ring->mask + 1)))
        return;
    for (uint32_t i = 0; i < ring->length; i++) {
        uint32_t place = (ring->oldest + i) & ring->mask;
        const struct ring_entry *entry = &ring->places[place];
        if (!entry->used)
            continue;
        directory_replace(ring->directory, entry->hash, bit | place, bit | grown.length);
        grown.places[grown.length++] = *entry;
    }
    grown.touched = grown.length;
    ring_close(ring);
    *ring = grown;
}

/* Of a full ring: true if there is one that may go, which is then the oldest. Who is passed over stays in place and is the newest now. */
static bool find_old(struct ring *ring, int64_t time_ns)
{
    for (unsigned passed = 0; passed <= PASSES; passed++) {
        const struct ring_entry *entry = &ring->places[ring->oldest];
        int64_t age_ns = time_ns - entry->time_ns;
        if (!entry->used || age_ns >= (entry->kept ? ring->options.kept_ns : ring->options.young_ns))
            return true;
        if (age_ns < ring->options.young_ns)
            return false;
        ring->oldest = (ring->oldest + 1) & ring->mask;
    }
    return false;
}

struct ring_entry *ring_add(struct ring *ring, uint64_t hash, int64_t time_ns, bool *gone)
{
    if (ring->length > ring->mask && !find_old(ring, time_ns) && ring->mask + 1 < ring->options.most)
        grow(ring);
    *gone = ring->length > ring->mask && drop_oldest(ring);
    uint32_t place = (ring->oldest + ring->length) & ring->mask;
    if (!directory_add(ring->directory, hash, ring->options.bit | place))
        return NULL;
    ring->length++;
    ring->places[place] = (struct ring_entry){.hash = hash, .time_ns = time_ns, .used = true};
    if (ring->touched < place + 1)
        ring->touched = place + 1;
    return &ring->places[place];
}

bool ring_expire(struct ring *ring, int64_t before_ns)
{
    while (ring->length && !ring->places[ring->oldest].used)
        drop_oldest(ring);
    return ring->length && ring->places[ring->oldest].time_ns < before_ns && drop_oldest(ring);
}

uint64_t ring_held(const struct ring *ring)
{
    return (uint64_t)ring->touched * sizeof *ring->places;
}
