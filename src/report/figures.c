/* SPDX-License-Identifier: BSD-2-Clause */
/* From the cube to the figures that all output formats share. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/figures.h"
#include "report/figures_parts.h"

enum { DAY = 86400 };

int64_t figures_monday(int64_t day)
{
    int64_t number = day / DAY; /* 1970-01-01 was a Thursday */
    int64_t weekday = ((number + 3) % 7 + 7) % 7;
    return day - weekday * DAY;
}

static bool flow_ours(unsigned flow, enum side side)
{
    return flow == FLOW_INTERNAL || (flow == FLOW_IN && side == SIDE_SERVER) ||
           (flow == FLOW_OUT && side == SIDE_CLIENT);
}

enum judged_as figures_judge(const struct figures *figures, const struct row *row,
                             struct judgement *judgement)
{
    const struct aggregate *aggregate = figures->aggregate;
    const struct posture *posture = table_at(&aggregate->postures, row->key.posture);
    *judgement = policy_judge(&figures->requirement, posture);
    if (!judgement->judged)
        return AS_NOT_JUDGED;
    if (judgement->unknown)
        return AS_UNKNOWN;
    if (!judgement->lacks)
        return AS_CAN;
    unsigned flow = figures->pair_flow[row->key.pair];
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++)
        if ((judgement->lacks >> side & 1) && !flow_ours(flow, (enum side)side))
            return AS_CANNOT;
    return AS_OWN;
}

static void add_totals(struct figures *figures, const struct row *row,
                       const struct posture *posture)
{
    uint64_t n = row->sessions;
    unsigned flow = figures->pair_flow[row->key.pair];
    figures->sessions += n;
    figures->flows[flow] += n;
    figures->outcomes[posture->outcome][flow] += n;
    if (posture->flags & POSTURE_SUBSTANTIAL)
        figures->substantial += n;
    if (posture->flags & POSTURE_INCOMPLETE)
        figures->incomplete += n;
    if ((posture->flags & POSTURE_INCOMPLETE) || posture->outcome == OUTCOME_UNKNOWN)
        figures->incomplete_or_unknown += n;
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (posture->findings >> i & 1)
            figures->findings[i] += n;
    if (posture->outcome == OUTCOME_NO_MAIL &&
        (posture->findings >> FINDING_MAIL_REFUSED_WITHOUT_TLS & 1))
        figures->refused_today += n;
    if (posture->outcome != OUTCOME_TLS)
        return;
    figures->versions[posture->version][flow] += n;
    figures->pfs[posture->session_pfs] += n;
    figures->pq[posture->session_pq] += n;
    figures->pfs_offered[posture->client_pfs] += n;
    figures->pq_offered[posture->client_pq] += n;
    if (posture->flags & POSTURE_RESUMED)
        figures->resumed += n;
    if (posture->flags & POSTURE_CERTIFICATE)
        figures->certificates_visible += n;
}

static void add_day(struct figures *figures, const struct row *row, const struct posture *posture,
                    enum judged_as as)
{
    int64_t first = figures->days[0].day;
    struct day_figures *day = &figures->days[(row->key.bucket - first) / DAY];
    unsigned half = figures->pair_flow[row->key.pair] == FLOW_IN ? 0 : 1;
    day->sessions += row->sessions;
    day->as[as] += row->sessions;
    if (posture->outcome == OUTCOME_PLAINTEXT)
        day->clear[half] += row->sessions;
    if (posture->outcome == OUTCOME_TLS)
        day->versions[half][posture->version] += row->sessions;
}

static bool folded(const struct pair_key *key)
{
    return key->by[SIDE_CLIENT] == NAMED_BY_FOLDED || key->by[SIDE_SERVER] == NAMED_BY_FOLDED;
}

static void add_row(struct figures *figures, const struct row *row)
{
    const struct aggregate *aggregate = figures->aggregate;
    const struct posture *posture = table_at(&aggregate->postures, row->key.posture);
    const struct pair *pair = table_at(&aggregate->pairs, row->key.pair);
    struct judgement judgement;
    enum judged_as as = figures_judge(figures, row, &judgement);
    figures->as[as] += row->sessions;
    if (as != AS_NOT_JUDGED)
        figures->judged += row->sessions;
    if (posture->outcome == OUTCOME_TLS && as == AS_CANNOT)
        figures->cannot_tls += row->sessions;
    if (posture->outcome == OUTCOME_TLS && as == AS_UNKNOWN)
        figures->unknown_tls += row->sessions;
    add_totals(figures, row, posture);
    add_day(figures, row, posture, as);
    if (folded(&pair->key)) {
        figures->folded_sessions += row->sessions;
        figures->folded_judged += as != AS_NOT_JUDGED ? row->sessions : 0;
        figures->folded_cannot += as == AS_CANNOT ? row->sessions : 0;
        figures->folded_clear += posture->outcome == OUTCOME_PLAINTEXT ? row->sessions : 0;
    }
    figures_add_peers(figures, row, posture, &judgement, as);
}

/* The days of the period, also those on which nothing was seen. */
static bool make_days(struct figures *figures)
{
    const struct aggregate *aggregate = figures->aggregate;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint32_t i = 0; i < aggregate->rows.count; i++) {
        const struct row *row = table_at(&aggregate->rows, i);
        first = row->key.bucket < first ? row->key.bucket : first;
        last = row->key.bucket > last ? row->key.bucket : last;
    }
    if (first > last)
        return true;
    /* A file with one wrong clock must not ask for a century of days. */
    uint64_t count = (uint64_t)(last - first) / DAY + 1;
    figures->days = memory_new_array(count, sizeof *figures->days);
    if (!figures->days)
        return false;
    figures->day_count = (uint32_t)count;
    for (uint32_t i = 0; i < count; i++)
        figures->days[i].day = first + (int64_t)i * DAY;
    return true;
}

static uint64_t outcome_total(const struct figures *figures, enum outcome outcome)
{
    uint64_t sum = 0;
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        sum += figures->outcomes[outcome][flow];
    return sum;
}

static struct range exactly(uint64_t value)
{
    return (struct range){.low = value, .high = value};
}

/*
 * Sessions that cannot either come back in the clear or not at all; sessions of which it is unknown
 * may do either or stay. What our own side lacks is taken as mended first. Who is refused today
 * stays so.
 */
static void make_policies(struct figures *figures)
{
    uint64_t tls = outcome_total(figures, OUTCOME_TLS),
             clear = outcome_total(figures, OUTCOME_PLAINTEXT);
    uint64_t refused = figures->refused_today, cannot = figures->cannot_tls,
             unknown = figures->unknown_tls;
    struct policy_line *today = &figures->policy[POLICY_TODAY],
                       *drop = &figures->policy[POLICY_DROP];
    struct policy_line *refuse = &figures->policy[POLICY_REFUSE];
    today->tls = exactly(tls);
    today->clear = exactly(clear);
    today->refused = exactly(refused);
    drop->tls = (struct range){.low = tls - cannot - unknown, .high = tls - cannot};
    drop->clear = (struct range){.low = clear, .high = clear + cannot + unknown};
    drop->refused = exactly(refused);
    refuse->tls = drop->tls;
    refuse->clear = exactly(0);
    refuse->refused =
        (struct range){.low = refused + clear + cannot, .high = refused + clear + cannot + unknown};
}

/*
 * A survey asks servers and delivers nothing: no session has mail, and what a server without
 * STARTTLS would get is clear text all the same. Then servers are what is counted.
 */
static void make_survey(struct figures *figures)
{
    uint64_t without = figures->servers_without, tls = figures->peers_judged,
             cannot = figures->peers_cannot;
    uint64_t unknown = figures->peers_unknown;
    figures->survey = without && !outcome_total(figures, OUTCOME_PLAINTEXT) &&
                      !figures->flows[FLOW_IN] && !figures->flows[FLOW_INTERNAL] &&
                      !figures->folded_sessions && !figures->requirement.tls;
    struct policy_line *lines = figures->survey_policy;
    lines[POLICY_TODAY] = (struct policy_line){exactly(tls), exactly(without), exactly(0)};
    lines[POLICY_DROP].tls = (struct range){.low = tls - cannot - unknown, .high = tls - cannot};
    lines[POLICY_DROP].clear = (struct range){.low = without, .high = without + cannot + unknown};
    lines[POLICY_DROP].refused = exactly(0);
    lines[POLICY_REFUSE].tls = lines[POLICY_DROP].tls;
    lines[POLICY_REFUSE].clear = exactly(0);
    lines[POLICY_REFUSE].refused =
        (struct range){.low = without + cannot, .high = without + cannot + unknown};
}

static void make_verdict(struct figures *figures)
{
    uint64_t readable = figures->judged - figures->as[AS_UNKNOWN];
    uint64_t seen = figures->packets_received;
    if (figures->as[AS_CANNOT]) {
        figures->verdict = VERDICT_NOT_ALL;
        return;
    }
    if (readable == 0)
        figures->doubts |= DOUBT_NO_TLS;
    if (figures->drops_known && figures->packets_dropped * 100 > seen)
        figures->doubts |= DOUBT_DROPS;
    if (figures->incomplete_or_unknown * 10 > figures->sessions)
        figures->doubts |= DOUBT_INCOMPLETE;
    figures->verdict = figures->doubts ? VERDICT_CANNOT_TELL : VERDICT_YES;
}

static bool compute(struct figures *figures)
{
    const struct aggregate *aggregate = figures->aggregate;
    if (!figures_resolve(figures) || !make_days(figures))
        return false;
    for (uint32_t i = 0; i < aggregate->rows.count; i++)
        add_row(figures, table_at(&aggregate->rows, i));
    if (!figures_count_words(figures) || !figures_make_own(figures))
        return false;
    figures_finish_peers(figures);
    figures_evidence(figures);
    make_policies(figures);
    make_survey(figures);
    make_verdict(figures);
    return true;
}

struct figures *figures_new(const struct aggregate *aggregate,
                            const struct requirement *requirement)
{
    struct figures *figures = memory_new(sizeof *figures);
    if (!figures)
        return NULL;
    figures->aggregate = aggregate;
    figures->requirement = *requirement;
    if (!compute(figures)) {
        figures_free(figures);
        return NULL;
    }
    return figures;
}

void figures_free(struct figures *figures)
{
    if (!figures)
        return;
    memory_free(figures->ciphers.items);
    memory_free(figures->groups.items);
    memory_free(figures->reasons.items);
    memory_free(figures->peers);
    memory_free(figures->own);
    memory_free(figures->days);
    memory_free(figures->pair_peers);
    memory_free(figures->pair_flow);
    memory_free(figures);
}

void figures_peer_days(const struct figures *figures, uint32_t peer, uint64_t *counts)
{
    const struct aggregate *aggregate = figures->aggregate;
    memset(counts, 0, figures->day_count * sizeof *counts);
    for (uint32_t i = 0; i < aggregate->rows.count; i++) {
        const struct row *row = table_at(&aggregate->rows, i);
        struct judgement judgement;
        const uint32_t *sides = &figures->pair_peers[2 * (size_t)row->key.pair];
        if (sides[0] != peer && sides[1] != peer)
            continue;
        if (figures_judge(figures, row, &judgement) != AS_CANNOT)
            continue;
        bool charged = (sides[0] == peer && (judgement.lacks & LACKS_CLIENT)) ||
                       (sides[1] == peer && (judgement.lacks & LACKS_SERVER));
        if (charged)
            counts[(row->key.bucket - figures->days[0].day) / DAY] += row->sessions;
    }
}
