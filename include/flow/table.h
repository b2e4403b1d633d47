/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of connections: birth, lists by age, the end. Private to flow/. */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include "base/directory.h"
#include "base/siphash.h"
#include "base/slab.h"
#include "flow/flow.h"
#include "flow/half_open.h"
#include "flow/stream.h"

struct list {
    struct flow *oldest, *newest;
    uint32_t count;
};

struct flow_table {
    struct directory directory; /* of flows, and of what is in the rings */
    uint64_t key[2];            /* of its hashes; random */
    uint32_t count;             /* flows */
    struct flow_options options;
    struct flow_sink sink;
    struct counters *counters;
    struct stream_context streams;
    struct ring half_open, time_wait; /* connections before and after they are flows */
    struct list lists[FLOW_LISTS];
    struct slab slabs[2]; /* of flows of IPv4 and of IPv6 */
    int64_t swept_ns;
};

/*
 * table_take returns a zeroed flow, evicting another where the table is full; NULL without memory. table_insert puts it in, as unproven,
 * or takes it back: false without memory.
 */
struct flow *table_take(struct flow_table *table, unsigned family);
bool table_insert(struct flow_table *table, struct flow *flow, uint64_t hash);

/*
 * What the directory has of a flow: its number in the slab, and a bit for which slab that is. Of what is in the rings: their bits, of
 * which the highest is theirs alone, and the place.
 */
#define TABLE_FLOW_4 0x20000000u
#define TABLE_FLOW_6 0x40000000u
#define TABLE_HALF_OPEN 0x80000000u
#define TABLE_TIME_WAIT 0xc0000000u

static inline const struct ring *table_ring(const struct flow_table *table, uint32_t entry)
{
    return (entry & TABLE_TIME_WAIT) == TABLE_TIME_WAIT ? &table->time_wait : &table->half_open;
}

/* Bytes of a key that count, in struct flow_key and at the end of struct flow. */
enum { TABLE_KEY_4 = offsetof(struct flow_key, address) + 2 * 4, TABLE_KEY_6 = sizeof(struct flow_key) };

_Static_assert(offsetof(struct flow_key, address) == offsetof(struct flow, address) - offsetof(struct flow, port), "one layout");
_Static_assert(offsetof(struct flow, port) + TABLE_KEY_4 == 128, "a flow of IPv4 is two cache lines");

static inline const void *table_key(const struct flow *flow)
{
    return (const char *)flow + offsetof(struct flow, port);
}

/* table_hash is of such a key. */
static inline uint64_t table_hash(const struct flow_table *table, const void *key, unsigned family)
{
    return family == 6 ? siphash(table->key, 1, 3, key, TABLE_KEY_6) : siphash(table->key, 1, 3, key, TABLE_KEY_4);
}

/* As words: what memcmp would be called for. */
static inline bool table_same_words(const void *a, const void *b, unsigned words)
{
    uint64_t differ = 0;
    for (unsigned i = 0; i < words; i++) {
        uint64_t x, y;
        memcpy(&x, (const char *)a + i * sizeof x, sizeof x);
        memcpy(&y, (const char *)b + i * sizeof y, sizeof y);
        differ |= x ^ y;
    }
    return !differ;
}

/* table_same_key compares two such keys of one family. */
static inline bool table_same_key(const void *a, const void *b, unsigned family)
{
    return family == 6 ? table_same_words(a, b, TABLE_KEY_6 / 8) : table_same_words(a, b, TABLE_KEY_4 / 8);
}

static inline struct flow *table_flow(const struct flow_table *table, uint32_t entry)
{
    return slab_at(&table->slabs[entry & TABLE_FLOW_6 ? 1 : 0], entry & (TABLE_FLOW_4 - 1));
}

/* Cache lines, and how many of them an ordinary segment touches. */
enum { TABLE_CACHE_LINE = 64, TABLE_FLOW_LINES = 2, TABLE_SESSION_LINES = 3 };

/* table_prefetch fetches memory into the caches that is needed soon. */
static inline void table_prefetch(const void *from, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++)
        __builtin_prefetch((const char *)from + i * TABLE_CACHE_LINE);
}

/* A flow that goes on is moved this often only: that touches its neighbours in the list, which are in no cache. Timeouts come later by less than that. */
enum { TABLE_REQUEUE_S = 4 };

/* table_move puts a flow at the end of a list: it was heard of now. */
void table_move(struct flow_table *table, struct flow *flow, enum flow_list which, int64_t now_ns);

/* table_tell_end tells the session how the flow ended; a FIN of one side began the end already, whatever comes after. `from`: half, or -1. */
void table_tell_end(struct flow_table *table, struct flow *flow, enum end_how how, int from);

/* table_end: the connection is over, and the flow is gone; it is remembered a while, so that late segments do not open a new one. */
void table_end(struct flow_table *table, struct flow *flow, enum end_how how, int from, int64_t now_ns);

/* table_close_if_over ends (and takes away) a flow of which both sides sent their FIN, or the only side that was captured did. */
void table_close_if_over(struct flow_table *table, struct flow *flow, int64_t now_ns);

/* table_remove takes a flow out whose end has been told. The other two tell it. */
void table_remove(struct flow_table *table, struct flow *flow);
void table_evict(struct flow_table *table, struct flow *flow);
void table_time_out(struct flow_table *table, struct flow *flow);

/* table_timed_out: silent for long by its packets' own times and by the clock: one of the two is wrong where a capture steps back or leaps. */
bool table_timed_out(const struct flow_table *table, const struct flow *flow, int64_t now_ns);

/* What counts as a flow: half-open ones too. */
void table_count_opened(struct flow_table *table);
void table_count_half_open_end(struct flow_table *table);

#endif
