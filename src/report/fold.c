/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merging aggregates, and keeping one within its limits. Everything is kept or dropped by a rank
 * that depends on its key alone: the k lowest of a union are always among the k lowest of each
 * part, so that order and grouping do not matter, and what is kept is exact.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "report/aggregate.h"

static uint32_t translate(struct aggregate *into, const struct aggregate *from, uint32_t string)
{
    return string ? aggregate_string(into, aggregate_text(from, string)) : 0;
}

static struct pair_key translate_pair(struct aggregate *into, const struct aggregate *from,
                                      const struct pair_key *key)
{
    struct pair_key copy = *key;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        copy.address[side] = translate(into, from, key->address[side]);
        copy.name[side] = translate(into, from, key->name[side]);
    }
    return copy;
}

static struct posture translate_posture(struct aggregate *into, const struct aggregate *from,
                                        const struct posture *posture)
{
    struct posture copy = *posture;
    copy.cipher = translate(into, from, posture->cipher);
    copy.group = translate(into, from, posture->group);
    copy.reason = translate(into, from, posture->reason);
    return copy;
}

/* Rows older than the cut are not taken over. Of a row that knows days only, the day of the cut is
 * taken whole. */
static bool row_wanted(const struct row *row, int64_t cut)
{
    return row->last >= cut;
}

static void merge_rows(struct aggregate *into, const struct aggregate *from, int64_t cut)
{
    for (uint32_t i = 0; i < from->rows.count; i++) {
        const struct row *row = table_at(&from->rows, i);
        if (!row_wanted(row, cut))
            continue;
        const struct pair *pair = table_at(&from->pairs, row->key.pair);
        struct pair_key key = translate_pair(into, from, &pair->key);
        struct posture posture =
            translate_posture(into, from, table_at(&from->postures, row->key.posture));
        aggregate_count(into, &key, &posture, row->last, row->sessions);
    }
}

static void merge_incidents(struct aggregate *into, const struct aggregate *from, int64_t cut)
{
    for (uint32_t i = 0; i < from->incidents.count; i++) {
        struct incident copy = *(const struct incident *)table_at(&from->incidents, i);
        if (copy.time_ns / 1000000000 < cut)
            continue;
        copy.uid = translate(into, from, copy.uid);
        copy.client = translate(into, from, copy.client);
        copy.server = translate(into, from, copy.server);
        copy.client_name = translate(into, from, copy.client_name);
        copy.server_name = translate(into, from, copy.server_name);
        aggregate_incident(into, &copy);
    }
}

static void merge_certificates(struct aggregate *into, const struct aggregate *from, int64_t cut)
{
    for (uint32_t i = 0; i < from->certificates.count; i++) {
        struct certificate_seen copy =
            *(const struct certificate_seen *)table_at(&from->certificates, i);
        if (copy.last < cut)
            continue;
        copy.key.sha256 = translate(into, from, copy.key.sha256);
        copy.key.server = translate(into, from, copy.key.server);
        copy.key.name = translate(into, from, copy.key.name);
        aggregate_certificate(into, &copy);
    }
}

static void merge_sensors(struct aggregate *into, const struct aggregate *from, int64_t cut)
{
    int64_t first_day = cut == INT64_MIN ? cut : aggregate_day(cut);
    for (uint32_t i = 0; i < from->sensors.count; i++) {
        struct sensor_day copy = *(const struct sensor_day *)table_at(&from->sensors, i);
        if (copy.key.day < first_day)
            continue;
        copy.key.name = translate(into, from, copy.key.name);
        copy.key.place = translate(into, from, copy.key.place);
        aggregate_sensor(into, &copy);
    }
    for (uint32_t i = 0; i < from->runs.count; i++) {
        struct run copy = *(const struct run *)table_at(&from->runs, i);
        if (copy.last < cut)
            continue;
        copy.key.name = translate(into, from, copy.key.name);
        copy.key.place = translate(into, from, copy.key.place);
        copy.key.run = translate(into, from, copy.key.run);
        aggregate_run(into, &copy);
    }
}

static void merge_all(struct aggregate *into, const struct aggregate *from, int64_t cut)
{
    if (from->threshold < into->threshold)
        into->threshold = from->threshold;
    into->damaged += from->damaged;
    into->certificates_cut |= from->certificates_cut;
    into->days_only |= from->days_only;
    into->failed |= from->failed;
    aggregate_period(into, from->first_ns, from->last_ns);
    merge_rows(into, from, cut);
    merge_incidents(into, from, cut);
    merge_certificates(into, from, cut);
    merge_sensors(into, from, cut);
}

void aggregate_lower(struct aggregate *aggregate, uint64_t threshold)
{
    if (threshold < aggregate->threshold)
        aggregate->threshold = threshold; /* those already here are folded when it is finished */
}

void aggregate_merge(struct aggregate *into, const struct aggregate *from)
{
    bool lower = from->threshold < into->threshold;
    merge_all(into, from, INT64_MIN);
    if (lower)
        aggregate_finish(into); /* what was kept here may be beyond the other's threshold */
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The lowest priority that is to be folded so that at most max_peers are left. */
static uint64_t find_threshold(struct aggregate *aggregate)
{
    uint32_t count = aggregate->pairs.count, distinct = 0;
    if (count <= aggregate->max_peers)
        return aggregate->threshold;
    uint64_t *priorities = memory_new_array(count, sizeof *priorities);
    if (!priorities) {
        aggregate->failed = true;
        return aggregate->threshold;
    }
    for (uint32_t i = 0; i < count; i++)
        priorities[i] = ((const struct pair *)table_at(&aggregate->pairs, i))->priority;
    qsort(priorities, count, sizeof *priorities, by_number);
    uint64_t threshold = aggregate->threshold, last = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (priorities[i] == last) /* also 0: pairs without a peer */
            continue;
        last = priorities[i];
        if (distinct++ == aggregate->max_peers) {
            threshold = last < threshold ? last : threshold;
            break;
        }
    }
    memory_free(priorities);
    return threshold;
}

struct ranked {
    int64_t rank;
    uint32_t item;
    const char *tie[2];
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    int order = strcmp(x->tie[0], y->tie[0]);
    return order ? order : strcmp(x->tie[1], y->tie[1]);
}

static struct ranked rank_incident(const struct aggregate *aggregate, uint32_t i)
{
    const struct incident *item = table_at(&aggregate->incidents, i);
    return (struct ranked){
        .rank = -(item->time_ns / 2), /* the newest are kept; halved: it cannot overflow */
        .item = i,
        .tie = {aggregate_text(aggregate, item->uid), word_finding((enum finding)item->finding)},
    };
}

static struct ranked rank_certificate(const struct aggregate *aggregate, uint32_t i)
{
    const struct certificate_seen *item = table_at(&aggregate->certificates, i);
    return (struct ranked){
        .rank = item->key.not_after,
        .item = i,
        .tie = {aggregate_text(aggregate, item->key.sha256),
                aggregate_text(aggregate, item->key.server)},
    };
}

/* Leaves the `most` lowest items of a table; true if some had to go. */
static bool keep_lowest(struct aggregate *aggregate, struct table *table, uint32_t most,
                        struct ranked (*rank)(const struct aggregate *, uint32_t))
{
    if (table->count <= most)
        return false;
    struct ranked *ranks = memory_new_array(table->count, sizeof *ranks);
    if (!ranks) {
        aggregate->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < table->count; i++)
        ranks[i] = rank(aggregate, i);
    qsort(ranks, table->count, sizeof *ranks, by_rank);
    struct table kept;
    table_init(&kept, table->item_size, table->key_size);
    for (uint32_t i = 0; i < most; i++) {
        const void *item = table_at(table, ranks[i].item);
        void *copy = table_get(&kept, item);
        if (copy)
            memcpy(copy, item, table->item_size);
        else
            aggregate->failed = true;
    }
    memory_free(ranks);
    table_close(table);
    *table = kept;
    return true;
}

static void trim_lists(struct aggregate *aggregate)
{
    keep_lowest(aggregate, &aggregate->incidents, LIMIT_REPORT_INCIDENTS, rank_incident);
    if (keep_lowest(aggregate, &aggregate->certificates, LIMIT_REPORT_CERTIFICATES,
                    rank_certificate))
        aggregate->certificates_cut = true;
}

/* The period begins with the first session that was kept; its row knows the second. */
static void period_from_rows(struct aggregate *aggregate, const struct aggregate *old, int64_t cut)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < old->rows.count; i++) {
        const struct row *row = table_at(&old->rows, i);
        int64_t at = row->key.bucket > cut ? row->key.bucket : cut;
        if (row_wanted(row, cut) && at < first)
            first = at;
    }
    if (first > aggregate->first_ns / 1000000000 && first != INT64_MAX)
        aggregate->first_ns = first * 1000000000;
}

/* Makes the aggregate anew from its own contents: what is folded, too old or in no use any more
 * falls away. */
static void rebuild(struct aggregate *aggregate, int64_t keep)
{
    struct aggregate old = *aggregate;
    int64_t cut = aggregate_cut(&old);
    old.threshold = find_threshold(&old);
    aggregate_init(aggregate, old.by, old.max_peers, keep);
    merge_all(aggregate, &old, cut);
    if (cut != INT64_MIN)
        period_from_rows(aggregate, &old, cut);
    aggregate_close(&old);
    uint64_t pairs = aggregate->pairs.count, rows = aggregate->rows.count;
    aggregate->pairs_next = pairs + pairs / 4 + aggregate->max_peers / 4 + 1;
    aggregate->rows_next = rows * 2 + LIMIT_REPORT_ROWS_TIDY;
    aggregate->bytes_next = aggregate->strings.length * 2 + LIMIT_REPORT_STRINGS_TIDY;
}

void aggregate_tidy(struct aggregate *aggregate)
{
    if (aggregate->incidents.count > 2 * LIMIT_REPORT_INCIDENTS ||
        aggregate->certificates.count > 2 * LIMIT_REPORT_CERTIFICATES)
        trim_lists(aggregate);
    if (aggregate->pairs.count >= aggregate->pairs_next ||
        (aggregate->keep && aggregate->rows.count >= aggregate->rows_next) ||
        aggregate->strings.length >= aggregate->bytes_next)
        rebuild(aggregate, aggregate->keep);
}

void aggregate_finish(struct aggregate *aggregate)
{
    trim_lists(aggregate);
    int64_t keep = aggregate->keep;
    rebuild(aggregate, 0);
    aggregate->keep = keep;
}
