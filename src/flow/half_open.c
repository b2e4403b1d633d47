/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs that wait for the rest of their handshake. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/half_open.h"

_Static_assert((LIMIT_HALF_OPEN_FIRST & (LIMIT_HALF_OPEN_FIRST - 1)) == 0, "places are found by a mask");
_Static_assert(sizeof(struct half_open) == 32, "two to a cache line");

enum { AHEAD = 4 /* of the oldest one, whose place in the directory will be needed soon in a flood */ };

static bool make(struct half_open_table *table, struct directory *directory, uint32_t places)
{
    *table = (struct half_open_table){.directory = directory,
                                      .places = memory_new_array(places, sizeof *table->places),
                                      .mask = places - 1};
    return table->places != NULL;
}

bool half_open_init(struct half_open_table *table, struct directory *directory)
{
    return make(table, directory, LIMIT_HALF_OPEN_FIRST);
}

void half_open_close(struct half_open_table *table)
{
    memory_free(table->places);
    *table = (struct half_open_table){0};
}

void half_open_remove(struct half_open_table *table, struct half_open *entry)
{
    directory_remove(table->directory, entry->hash, HALF_OPEN | (uint32_t)(entry - table->places));
    entry->used = false;
}

/* Takes the oldest place off the ring; true if somebody was in it. */
static bool drop_oldest(struct half_open_table *table)
{
    struct half_open *entry = &table->places[table->oldest];
    bool used = entry->used;
    if (used)
        half_open_remove(table, entry);
    table->oldest = (table->oldest + 1) & table->mask;
    table->length--;
    directory_expect(table->directory, table->places[(table->oldest + AHEAD) & table->mask].hash);
    return used;
}

/* Twice the places, filled from the oldest one on. Without memory everything stays as it was. */
static void grow(struct half_open_table *table)
{
    struct half_open_table grown;
    if (!make(&grown, table->directory, 2 * (table->mask + 1)))
        return;
    for (uint32_t i = 0; i < table->length; i++) {
        uint32_t place = (table->oldest + i) & table->mask;
        const struct half_open *entry = &table->places[place];
        if (!entry->used)
            continue;
        directory_replace(table->directory, entry->hash, HALF_OPEN | place, HALF_OPEN | grown.length);
        grown.places[grown.length++] = *entry;
    }
    grown.touched = grown.length;
    half_open_close(table);
    *table = grown;
}

unsigned half_open_add(struct half_open_table *table, uint64_t hash, const struct segment *segment, unsigned half)
{
    const struct half_open *oldest = &table->places[table->oldest];
    if (table->length > table->mask && table->mask + 1 < LIMIT_HALF_OPEN && oldest->used &&
        segment->time_ns - oldest->time_ns < LIMIT_HALF_OPEN_S * INT64_C(1000000000))
        grow(table);
    unsigned dropped = table->length > table->mask && drop_oldest(table);
    uint32_t place = (table->oldest + table->length) & table->mask;
    if (!directory_add(table->directory, hash, HALF_OPEN | place))
        return dropped + 1;
    table->length++;
    table->places[place] = (struct half_open){.hash = hash,
                                              .time_ns = segment->time_ns,
                                              .capture = segment->capture,
                                              .vlans = segment->vlans,
                                              .used = true,
                                              .first = half & 1};
    if (table->touched < place + 1)
        table->touched = place + 1;
    half_open_note(&table->places[place], segment, half);
    return dropped;
}

void half_open_note(struct half_open *entry, const struct segment *segment, unsigned half)
{
    bool answers = segment->flags & TCP_ACK, other_seen = half_open_seen(entry, !half);
    entry->sequence[half] = segment->sequence;
    if (answers && !other_seen)
        entry->sequence[!half] = segment->acknowledgment - 1;
    entry->seen = (entry->seen | 1u << half) & 3;
    entry->answers = ((entry->answers & ~(1u << half)) | (unsigned)answers << half) & 3;
}

bool half_open_fits(const struct half_open *entry, const struct segment *segment, unsigned half)
{
    if (half_open_seen(entry, half))
        return segment->sequence - entry->sequence[half] <= LIMIT_HELD_BYTES;
    return segment->flags & TCP_ACK && segment->acknowledgment - (entry->sequence[!half] + 1) <= LIMIT_HELD_BYTES;
}

bool half_open_expire(struct half_open_table *table, int64_t before_ns)
{
    while (table->length && !table->places[table->oldest].used)
        drop_oldest(table);
    return table->length && table->places[table->oldest].time_ns < before_ns && drop_oldest(table);
}

bool half_open_replay(const struct half_open *entry, unsigned half, struct segment *segment)
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

uint64_t half_open_held(const struct half_open_table *table)
{
    return (uint64_t)table->touched * sizeof *table->places;
}
