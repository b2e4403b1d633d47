/* SPDX-License-Identifier: BSD-2-Clause */
/* The other figures: ciphers, groups and reasons by frequency, our own hosts, and the evidence. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/figures_parts.h"

enum { SLOTS_ASLEEP = 3 }; /* a sensor says something every five minutes; one or two may be late */

struct word_sorter {
    struct word_figures item;
    const char *text;
};

static int by_count(const void *a, const void *b)
{
    const struct word_sorter *x = a, *y = b;
    if (x->item.count != y->item.count)
        return x->item.count < y->item.count ? 1 : -1;
    return strcmp(x->text, y->text);
}

/* Turns counts by number of string into a list, the most frequent first. */
static bool list_words(const struct aggregate *aggregate, const uint64_t *counts,
                       struct word_list *list)
{
    uint32_t strings = aggregate->strings.count, count = 0;
    for (uint32_t i = 0; i < strings; i++)
        count += counts[i] != 0;
    struct word_sorter *sorted = memory_new_array(count, sizeof *sorted);
    list->items = memory_new_array(count, sizeof *list->items);
    bool whole = sorted && list->items;
    for (uint32_t i = 0, n = 0; whole && i < strings; i++)
        if (counts[i])
            sorted[n++] = (struct word_sorter){.item = {.word = i, .count = counts[i]},
                                               .text = aggregate_text(aggregate, i)};
    if (whole) {
        qsort(sorted, count, sizeof *sorted, by_count);
        for (uint32_t i = 0; i < count; i++)
            list->items[i] = sorted[i].item;
        list->count = count;
    }
    memory_free(sorted);
    return whole;
}

static uint32_t word_cipher(const struct posture *posture)
{
    return posture->outcome == OUTCOME_TLS ? posture->cipher : UINT32_MAX;
}

static uint32_t word_group(const struct posture *posture)
{
    return posture->outcome == OUTCOME_TLS ? posture->group : UINT32_MAX;
}

static uint32_t word_reason(const struct posture *posture)
{
    return posture->outcome == OUTCOME_TLS_FAILED ? posture->reason : UINT32_MAX;
}

static bool count_words(const struct figures *figures, uint32_t (*word)(const struct posture *),
                        struct word_list *list)
{
    const struct aggregate *aggregate = figures->aggregate;
    uint64_t *counts = memory_new_array((size_t)aggregate->strings.count + 1, sizeof *counts);
    if (!counts)
        return false;
    for (uint32_t i = 0; i < aggregate->rows.count; i++) {
        const struct row *row = table_at(&aggregate->rows, i);
        uint32_t number = word(table_at(&aggregate->postures, row->key.posture));
        if (number != UINT32_MAX)
            counts[number] += row->sessions;
    }
    bool whole = list_words(aggregate, counts, list);
    memory_free(counts);
    return whole;
}

bool figures_count_words(struct figures *figures)
{
    return count_words(figures, word_cipher, &figures->ciphers) &&
           count_words(figures, word_group, &figures->groups) &&
           count_words(figures, word_reason, &figures->reasons);
}

/* Our hosts: numbered by address and role while the rows are walked. */
struct own_finder {
    uint32_t *number_of[2]; /* by string of the address; number + 1 */
    uint32_t capacity;
    struct table details; /* struct own_detail */
};

/* Per host: sessions of each cipher and group, and the peers with which it fell short. */
enum own_kind { OWN_CIPHER, OWN_GROUP, OWN_PEER };
struct own_detail {
    struct {
        uint32_t own, kind, what, zero; /* number; enum own_kind; string, or number of the peer */
    } key;
    uint64_t count;
};

static bool own_count(struct own_finder *finder, uint32_t own, enum own_kind kind, uint32_t what,
                      uint64_t sessions)
{
    struct own_detail wanted = {.key = {.own = own, .kind = kind, .what = what}};
    struct own_detail *detail = table_get(&finder->details, &wanted.key);
    if (detail)
        detail->count += sessions;
    return detail != NULL;
}

static struct own_figures *own_get(struct figures *figures, struct own_finder *finder,
                                   uint32_t address, enum side side)
{
    uint32_t *number = &finder->number_of[side][address];
    if (*number)
        return &figures->own[*number - 1];
    if (figures->own_count == finder->capacity) {
        uint32_t want = finder->capacity * 2 + 16;
        struct own_figures *own = memory_resize(figures->own, want * sizeof *own);
        if (!own)
            return NULL;
        figures->own = own;
        finder->capacity = want;
    }
    struct own_figures *own = &figures->own[figures->own_count++];
    memset(own, 0, sizeof *own);
    own->address = address;
    own->side = (uint8_t)side;
    *number = figures->own_count;
    return own;
}

/* Names may change within a period: the first in text order stands for all, so that order does not
 * matter. */
static void own_named(const struct aggregate *aggregate, struct own_figures *own, uint32_t name)
{
    if (name && name != own->address &&
        (!own->name ||
         strcmp(aggregate_text(aggregate, name), aggregate_text(aggregate, own->name)) < 0))
        own->name = name;
}

static void own_starttls(struct own_figures *own, uint8_t starttls)
{
    if (starttls == STARTTLS_OFFERED || starttls == STARTTLS_ACCEPTED)
        own->servers |= SERVER_SEEN | SERVER_OFFERED;
    else if (starttls == STARTTLS_NOT_OFFERED)
        own->servers |= SERVER_SEEN;
    else if (starttls == STARTTLS_REFUSED)
        own->servers |= SERVER_SEEN | SERVER_REFUSED;
    else if (starttls == STARTTLS_IMPLICIT)
        own->servers |= SERVER_IMPLICIT;
}

static bool own_add_lacking(const struct figures *figures, struct own_finder *finder,
                            struct own_figures *own, const struct row *row,
                            const struct posture *posture)
{
    own->lacking += row->sessions;
    uint8_t shown =
        own->side == SIDE_CLIENT && posture->client_max ? posture->client_max : posture->version;
    if (posture->outcome == OUTCOME_TLS && shown > own->highest)
        own->highest = shown;
    if (own->side == SIDE_SERVER && posture->client_max > posture->version)
        own->offered_more = true;
    uint32_t peer = figures->pair_peers[2 * (size_t)row->key.pair + !own->side];
    uint32_t number = (uint32_t)(own - figures->own);
    return peer == UINT32_MAX || own_count(finder, number, OWN_PEER, peer, row->sessions);
}

static bool own_add(const struct figures *figures, struct own_finder *finder,
                    struct own_figures *own, const struct row *row)
{
    const struct posture *posture = table_at(&figures->aggregate->postures, row->key.posture);
    struct judgement judgement;
    enum judged_as as = figures_judge(figures, row, &judgement);
    uint32_t number = (uint32_t)(own - figures->own);
    own->sessions += row->sessions;
    if (own->side == SIDE_SERVER)
        own_starttls(own, posture->starttls);
    if (posture->outcome == OUTCOME_TLS) {
        own->tls += row->sessions;
        own->versions[posture->version] += row->sessions;
        if (!own_count(finder, number, OWN_CIPHER, posture->cipher, row->sessions) ||
            !own_count(finder, number, OWN_GROUP, posture->group, row->sessions))
            return false;
    }
    if (as == AS_NOT_JUDGED || as == AS_UNKNOWN || !(judgement.lacks >> own->side & 1))
        return true;
    return own_add_lacking(figures, finder, own, row, posture);
}

static bool side_is_ours(unsigned flow, unsigned side)
{
    return flow == FLOW_INTERNAL || (flow == FLOW_IN && side == SIDE_SERVER) ||
           (flow == FLOW_OUT && side == SIDE_CLIENT);
}

static bool own_walk(struct figures *figures, struct own_finder *finder)
{
    const struct aggregate *aggregate = figures->aggregate;
    for (uint32_t i = 0; i < aggregate->rows.count; i++) {
        const struct row *row = table_at(&aggregate->rows, i);
        const struct pair *pair = table_at(&aggregate->pairs, row->key.pair);
        unsigned flow = figures->pair_flow[row->key.pair];
        for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
            if (!side_is_ours(flow, side) || !pair->key.address[side])
                continue;
            struct own_figures *own =
                own_get(figures, finder, pair->key.address[side], (enum side)side);
            if (!own)
                return false;
            own_named(aggregate, own, pair->key.name[side]);
            if (!own_add(figures, finder, own, row))
                return false;
        }
    }
    return true;
}

/* What was counted for the hosts goes to them; where two are equally frequent the first in text
 * order is shown. */
static void own_most(const struct aggregate *aggregate, uint32_t *word, uint64_t *most,
                     const struct own_detail *detail)
{
    bool first =
        strcmp(aggregate_text(aggregate, detail->key.what), aggregate_text(aggregate, *word)) < 0;
    if (detail->key.what && (detail->count > *most || (detail->count == *most && first))) {
        *word = detail->key.what;
        *most = detail->count;
    }
}

static void own_details(struct figures *figures, const struct table *details)
{
    for (uint32_t i = 0; i < details->count; i++) {
        const struct own_detail *detail = table_at(details, i);
        struct own_figures *own = &figures->own[detail->key.own];
        if (detail->key.kind == OWN_PEER)
            own->peers++;
        else if (detail->key.kind == OWN_CIPHER)
            own_most(figures->aggregate, &own->cipher, &own->cipher_sessions, detail);
        else
            own_most(figures->aggregate, &own->group, &own->group_sessions, detail);
    }
}

struct own_sorter {
    struct own_figures own;
    const char *text;
};

static int by_role(const void *a, const void *b)
{
    const struct own_sorter *x = a, *y = b;
    if ((x->own.lacking == 0) != (y->own.lacking == 0))
        return x->own.lacking ? -1 : 1;
    if (x->own.side != y->own.side)
        return x->own.side == SIDE_SERVER ? -1 : 1;
    if (x->own.sessions != y->own.sessions)
        return x->own.sessions < y->own.sessions ? 1 : -1;
    return strcmp(x->text, y->text);
}

static bool own_sort(struct figures *figures)
{
    struct own_sorter *sorted = memory_new_array(figures->own_count, sizeof *sorted);
    if (!sorted)
        return false;
    for (uint32_t i = 0; i < figures->own_count; i++)
        sorted[i] = (struct own_sorter){
            .own = figures->own[i],
            .text = aggregate_text(figures->aggregate, figures->own[i].address)};
    qsort(sorted, figures->own_count, sizeof *sorted, by_role);
    for (uint32_t i = 0; i < figures->own_count; i++)
        figures->own[i] = sorted[i].own;
    memory_free(sorted);
    return true;
}

bool figures_make_own(struct figures *figures)
{
    size_t strings = (size_t)figures->aggregate->strings.count + 1;
    struct own_finder finder = {0};
    finder.number_of[0] = memory_new_array(strings, sizeof *finder.number_of[0]);
    finder.number_of[1] = memory_new_array(strings, sizeof *finder.number_of[1]);
    table_init(&finder.details, sizeof(struct own_detail), sizeof((struct own_detail){0}.key));
    bool whole = finder.number_of[0] && finder.number_of[1] && own_walk(figures, &finder);
    if (whole)
        own_details(figures, &finder.details);
    table_close(&finder.details);
    memory_free(finder.number_of[0]);
    memory_free(finder.number_of[1]);
    return whole && own_sort(figures);
}

/* Slots of a live sensor without a sign of life, three or more in a row, between its first and its
 * last one. */
struct sensor_walk {
    const struct sensor_day *day;
    const char *name, *place;
};

static int by_sensor(const void *a, const void *b)
{
    const struct sensor_walk *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    order = order ? order : strcmp(x->place, y->place);
    if (order)
        return order;
    return (x->day->key.day > y->day->key.day) - (x->day->key.day < y->day->key.day);
}

static uint64_t downtime_of(const struct sensor_walk *days, uint32_t count)
{
    int64_t awake = -1; /* slots since 1970 */
    uint64_t silent = 0;
    for (uint32_t i = 0; i < count; i++)
        for (unsigned slot = 0; slot < SENSOR_SLOTS; slot++) {
            if (!(days[i].day->alive[slot / 8] >> slot % 8 & 1))
                continue;
            int64_t now = days[i].day->key.day / SENSOR_SLOT + slot;
            if (awake >= 0 && now - awake > SLOTS_ASLEEP)
                silent += (uint64_t)(now - awake - 1) * SENSOR_SLOT;
            awake = now;
        }
    return silent;
}

static void walk_sensors(struct figures *figures, struct sensor_walk *walk, uint32_t count)
{
    for (uint32_t i = 0, end; i < count; i = end) {
        uint64_t stats = 0;
        for (end = i; end < count && walk[end].day->key.name == walk[i].day->key.name &&
                      walk[end].day->key.place == walk[i].day->key.place;
             end++)
            stats += walk[end].day->stats;
        figures->sensor_count++;
        figures->sensors_named += *walk[i].name != '\0';
        if (!stats)
            continue; /* not live, or without stats: silence tells nothing */
        figures->sensors_live++;
        figures->downtime += downtime_of(walk + i, end - i);
    }
}

void figures_evidence(struct figures *figures)
{
    const struct aggregate *aggregate = figures->aggregate;
    uint32_t count = aggregate->sensors.count;
    struct sensor_walk *walk = memory_new_array(count, sizeof *walk);
    for (uint32_t i = 0; walk && i < count; i++) {
        const struct sensor_day *day = table_at(&aggregate->sensors, i);
        walk[i] = (struct sensor_walk){.day = day,
                                       .name = aggregate_text(aggregate, day->key.name),
                                       .place = aggregate_text(aggregate, day->key.place)};
    }
    if (walk) {
        qsort(walk, count, sizeof *walk, by_sensor);
        walk_sensors(figures, walk, count);
    }
    memory_free(walk);
    for (uint32_t i = 0; i < aggregate->runs.count; i++) {
        const struct run *run = table_at(&aggregate->runs, i);
        figures->packets += run->packets;
        if (!run->key.live)
            continue;
        figures->drops_known = true;
        figures->packets_dropped += run->dropped;
        figures->events_lost += run->lost;
        figures->packets_received += run->received > run->packets ? run->received : run->packets;
    }
}
