/* SPDX-License-Identifier: BSD-2-Clause */
/* Between events and figures: adds each session to the cube of pair, posture and day. */
#include <string.h>

#include "base/limits.h"
#include "report/aggregate.h"

enum { DAY = 86400 };

void aggregate_init(struct aggregate *aggregate, enum peer_by by, uint32_t max_peers, int64_t keep)
{
    memset(aggregate, 0, sizeof *aggregate);
    aggregate->by = by;
    aggregate->max_peers = max_peers;
    aggregate->keep = keep;
    aggregate->first_ns = INT64_MAX;
    aggregate->last_ns = INT64_MIN;
    aggregate->threshold = UINT64_MAX;
    aggregate->pairs_next = (uint64_t)max_peers + max_peers / 4 + 1;
    aggregate->rows_next = LIMIT_REPORT_ROWS_TIDY;
    aggregate->bytes_next = LIMIT_REPORT_STRINGS_TIDY;
    strings_init(&aggregate->strings);
    table_init(&aggregate->postures, sizeof(struct posture), sizeof(struct posture));
    table_init(&aggregate->pairs, sizeof(struct pair), sizeof(struct pair_key));
    table_init(&aggregate->rows, sizeof(struct row), sizeof(struct row_key));
    table_init(&aggregate->incidents, sizeof(struct incident), sizeof(struct incident));
    table_init(&aggregate->certificates, sizeof(struct certificate_seen),
               sizeof(struct certificate_key));
    table_init(&aggregate->sensors, sizeof(struct sensor_day), sizeof(struct sensor_key));
    table_init(&aggregate->runs, sizeof(struct run), sizeof(struct run_key));
}

void aggregate_close(struct aggregate *aggregate)
{
    strings_close(&aggregate->strings);
    table_close(&aggregate->postures);
    table_close(&aggregate->pairs);
    table_close(&aggregate->rows);
    table_close(&aggregate->incidents);
    table_close(&aggregate->certificates);
    table_close(&aggregate->sensors);
    table_close(&aggregate->runs);
}

uint32_t aggregate_string(struct aggregate *aggregate, const char *text)
{
    uint32_t number = text ? strings_add(&aggregate->strings, text, strlen(text)) : 0;
    if (number == STRINGS_FAILED) {
        aggregate->failed = true;
        return 0;
    }
    return number;
}

int64_t aggregate_day(int64_t seconds)
{
    int64_t rest = seconds % DAY;
    return seconds - (rest < 0 ? rest + DAY : rest);
}

int64_t aggregate_cut(const struct aggregate *aggregate)
{
    if (!aggregate->keep || aggregate->first_ns > aggregate->last_ns)
        return INT64_MIN;
    int64_t last = aggregate->last_ns / 1000000000;
    return last - aggregate->keep;
}

/* Both sides of a pair where it is not known which is ours, or neither is: the pair is the unit. */
static uint64_t pair_priority(const struct aggregate *aggregate, const struct pair_key *key)
{
    uint64_t sum = 0;
    bool peer = false;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        bool ours = (key->direction == DIRECTION_INBOUND && side == SIDE_SERVER) ||
                    (key->direction == DIRECTION_OUTBOUND && side == SIDE_CLIENT) ||
                    key->direction == DIRECTION_INTERNAL;
        if (ours || key->by[side] == NAMED_BY_FOLDED)
            continue;
        peer = true;
        /* The side counts only where there are two: a peer is the same one in both directions. */
        bool both = key->direction == DIRECTION_NONE || key->direction == DIRECTION_EXTERNAL;
        uint64_t hash = table_fixed_hash(aggregate_text(aggregate, key->name[side])) +
                        3 * table_fixed_hash(aggregate_text(aggregate, key->address[side]));
        sum += both && side == SIDE_SERVER ? hash * 0x9e3779b97f4a7c15u : hash;
    }
    return !peer ? 0 : sum == 0 || sum == UINT64_MAX ? 1 : sum;
}

/* What stays of a pair whose peer is folded: our side and the direction. */
static struct pair_key pair_folded(const struct pair_key *key)
{
    struct pair_key folded = *key;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        bool ours = (key->direction == DIRECTION_INBOUND && side == SIDE_SERVER) ||
                    (key->direction == DIRECTION_OUTBOUND && side == SIDE_CLIENT);
        if (ours)
            continue;
        folded.address[side] = 0;
        folded.name[side] = 0;
        folded.by[side] = NAMED_BY_FOLDED;
    }
    return folded;
}

static struct pair *pair_get(struct aggregate *aggregate, const struct pair_key *key)
{
    struct pair *pair = table_find(&aggregate->pairs, key);
    if (pair)
        return pair;
    uint64_t priority = pair_priority(aggregate, key);
    if (priority >= aggregate->threshold) {
        struct pair_key folded = pair_folded(key);
        return table_get(&aggregate->pairs, &folded); /* its priority stays 0 */
    }
    pair = table_get(&aggregate->pairs, key);
    if (pair)
        pair->priority = priority;
    return pair;
}

void aggregate_count(struct aggregate *aggregate, const struct pair_key *key,
                     const struct posture *posture, int64_t seconds, uint64_t sessions)
{
    const struct pair *pair = pair_get(aggregate, key);
    const struct posture *kept = pair ? table_get(&aggregate->postures, posture) : NULL;
    if (!kept) {
        aggregate->failed = true;
        return;
    }
    struct row_key cell = {
        .pair = table_number(&aggregate->pairs, pair),
        .posture = table_number(&aggregate->postures, kept),
        .bucket = aggregate->keep ? seconds : aggregate_day(seconds),
    };
    struct row *row = table_get(&aggregate->rows, &cell);
    if (!row) {
        aggregate->failed = true;
        return;
    }
    if (row->sessions == 0 || row->last < seconds)
        row->last = seconds;
    row->sessions += sessions;
}

void aggregate_period(struct aggregate *aggregate, int64_t first_ns, int64_t last_ns)
{
    if (first_ns < aggregate->first_ns)
        aggregate->first_ns = first_ns;
    if (last_ns > aggregate->last_ns)
        aggregate->last_ns = last_ns;
}

void aggregate_incident(struct aggregate *aggregate, const struct incident *incident)
{
    if (!table_get(&aggregate->incidents, incident))
        aggregate->failed = true;
}

void aggregate_certificate(struct aggregate *aggregate, const struct certificate_seen *certificate)
{
    struct certificate_seen *kept = table_get(&aggregate->certificates, &certificate->key);
    if (!kept) {
        aggregate->failed = true;
        return;
    }
    if (kept->sessions == 0 || certificate->last > kept->last)
        kept->last = certificate->last;
    kept->sessions += certificate->sessions;
}

void aggregate_sensor(struct aggregate *aggregate, const struct sensor_day *day)
{
    struct sensor_day *kept = table_get(&aggregate->sensors, &day->key);
    if (!kept) {
        aggregate->failed = true;
        return;
    }
    kept->sessions += day->sessions;
    kept->stats += day->stats;
    for (unsigned i = 0; i < sizeof kept->alive; i++)
        kept->alive[i] |= day->alive[i];
}

static void keep_highest(uint64_t *kept, uint64_t value)
{
    if (value > *kept)
        *kept = value;
}

void aggregate_run(struct aggregate *aggregate, const struct run *run)
{
    struct run *kept = table_get(&aggregate->runs, &run->key);
    if (!kept) {
        aggregate->failed = true;
        return;
    }
    keep_highest(&kept->packets, run->packets);
    keep_highest(&kept->dropped, run->dropped);
    keep_highest(&kept->received, run->received);
    keep_highest(&kept->lost, run->lost);
    if (kept->last < run->last)
        kept->last = run->last;
}
