/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs that wait for the rest of their handshake. */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/half_open.h"

_Static_assert((LIMIT_HALF_OPEN_FIRST & (LIMIT_HALF_OPEN_FIRST - 1)) == 0, "places and buckets are found by a mask");
_Static_assert(sizeof(struct half_open) == 32, "two to a cache line");

enum { AHEAD = 4 /* of the oldest one, whose bucket will be needed soon in a flood */ };

static bool make(struct half_open_table *table, uint32_t places)
{
    *table = (struct half_open_table){.places = memory_new_array(places, sizeof *table->places),
                                      .buckets = memory_new_array(2 * (size_t)places, sizeof *table->buckets),
                                      .mask = places - 1,
                                      .bucket_mask = 2 * places - 1};
    if (table->places && table->buckets)
        return true;
    half_open_close(table);
    return false;
}

bool half_open_init(struct half_open_table *table)
{
    return make(table, LIMIT_HALF_OPEN_FIRST);
}

void half_open_close(struct half_open_table *table)
{
    memory_free(table->places);
    memory_free(table->buckets);
    *table = (struct half_open_table){0};
}

struct half_open *half_open_find(const struct half_open_table *table, uint64_t hash)
{
    for (uint32_t place = table->buckets[hash & table->bucket_mask]; place; place = table->places[place - 1].next)
        if (table->places[place - 1].hash == hash)
            return &table->places[place - 1];
    return NULL;
}

void half_open_remove(struct half_open_table *table, struct half_open *entry)
{
    uint32_t place = (uint32_t)(entry - table->places) + 1, *at = &table->buckets[entry->hash & table->bucket_mask];
    while (*at != place)
        at = &table->places[*at - 1].next;
    *at = entry->next;
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
    half_open_expect(table, table->places[(table->oldest + AHEAD) & table->mask].hash);
    return used;
}

/* Twice the places, filled from the oldest one on. Without memory everything stays as it was. */
static void grow(struct half_open_table *table)
{
    struct half_open_table grown;
    if (!make(&grown, 2 * (table->mask + 1)))
        return;
    for (uint32_t i = 0; i < table->length; i++) {
        struct half_open *entry = &grown.places[grown.length];
        *entry = table->places[(table->oldest + i) & table->mask];
        if (!entry->used)
            continue;
        uint32_t *bucket = &grown.buckets[entry->hash & grown.bucket_mask];
        entry->next = *bucket;
        *bucket = ++grown.length;
    }
    grown.touched = grown.length;
    half_open_close(table);
    *table = grown;
}

bool half_open_add(struct half_open_table *table, uint64_t hash, const struct segment *segment, unsigned half)
{
    const struct half_open *oldest = &table->places[table->oldest];
    if (table->length > table->mask && table->mask + 1 < LIMIT_HALF_OPEN && oldest->used &&
        segment->time_ns - oldest->time_ns < LIMIT_HALF_OPEN_S * INT64_C(1000000000))
        grow(table);
    bool dropped = table->length > table->mask && drop_oldest(table);
    uint32_t place = (table->oldest + table->length++) & table->mask, *bucket = &table->buckets[hash & table->bucket_mask];
    table->places[place] = (struct half_open){.hash = hash,
                                              .time_ns = segment->time_ns,
                                              .next = *bucket,
                                              .capture = segment->capture,
                                              .vlans = segment->vlans,
                                              .used = true,
                                              .first = half & 1};
    *bucket = place + 1;
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
    return table->touched * sizeof *table->places + (table->bucket_mask + (uint64_t)1) * sizeof *table->buckets;
}
