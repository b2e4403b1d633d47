/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of peers: which side of each pair is one, and what its sessions say. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/figures_parts.h"

struct guess_count {
    uint64_t sessions, as_server;
};

/* The address in the most sessions; where two are equal the one that is more often a server, then
 * the first in text order. */
static bool guess_better(const struct figures *figures, const struct guess_count *counts,
                         uint32_t a, uint32_t b)
{
    if (counts[a].sessions != counts[b].sessions)
        return counts[a].sessions > counts[b].sessions;
    if (counts[a].as_server != counts[b].as_server)
        return counts[a].as_server > counts[b].as_server;
    return strcmp(aggregate_text(figures->aggregate, a), aggregate_text(figures->aggregate, b)) < 0;
}

static void count_addresses(struct figures *figures, struct guess_count *counts)
{
    const struct aggregate *aggregate = figures->aggregate;
    for (uint32_t i = 0; i < aggregate->rows.count; i++) {
        const struct row *row = table_at(&aggregate->rows, i);
        const struct pair *pair = table_at(&aggregate->pairs, row->key.pair);
        if (pair->key.direction != DIRECTION_NONE || pair->key.by[SIDE_CLIENT] == NAMED_BY_FOLDED)
            continue;
        figures->undirected += row->sessions;
        counts[pair->key.address[SIDE_CLIENT]].sessions += row->sessions;
        if (pair->key.address[SIDE_CLIENT] != pair->key.address[SIDE_SERVER])
            counts[pair->key.address[SIDE_SERVER]].sessions += row->sessions;
        counts[pair->key.address[SIDE_SERVER]].as_server += row->sessions;
    }
}

static bool guess_ours(struct figures *figures)
{
    uint32_t strings = figures->aggregate->strings.count;
    struct guess_count *counts = memory_new_array((size_t)strings + 1, sizeof *counts);
    if (!counts)
        return false;
    count_addresses(figures, counts);
    for (uint32_t i = 1; i < strings; i++) /* 0: folded pairs have no address */
        if (counts[i].sessions &&
            (!figures->guess || guess_better(figures, counts, i, figures->guess)))
            figures->guess = i;
    figures->guess_sessions = counts[figures->guess].sessions;
    memory_free(counts);
    return true;
}

static uint8_t flow_of(const struct figures *figures, const struct pair_key *key)
{
    switch ((enum direction)key->direction) {
    case DIRECTION_INBOUND: return FLOW_IN;
    case DIRECTION_OUTBOUND: return FLOW_OUT;
    case DIRECTION_INTERNAL: return FLOW_INTERNAL;
    case DIRECTION_EXTERNAL: return FLOW_OTHER;
    case DIRECTION_NONE: break;
    }
    bool from_us = figures->guess && key->address[SIDE_CLIENT] == figures->guess;
    bool to_us = figures->guess && key->address[SIDE_SERVER] == figures->guess;
    return from_us ? to_us ? FLOW_INTERNAL : FLOW_OUT : to_us ? FLOW_IN : FLOW_OTHER;
}

static bool side_is_peer(unsigned flow, enum side side)
{
    return flow == FLOW_OTHER || (flow == FLOW_IN && side == SIDE_CLIENT) ||
           (flow == FLOW_OUT && side == SIDE_SERVER);
}

static void meet_peer(struct figures *figures, uint32_t *number_of, uint32_t pair_number,
                      enum side side)
{
    const struct pair *pair = table_at(&figures->aggregate->pairs, pair_number);
    uint32_t name = pair->key.name[side];
    if (!number_of[name])
        number_of[name] = ++figures->peer_count; /* number + 1; 0: not met */
    struct peer_figures *peer = &figures->peers[number_of[name] - 1];
    peer->name = name;
    if (pair->key.by[side] > peer->by)
        peer->by = pair->key.by[side];
    uint32_t address = pair->key.by[side] == NAMED_BY_ADDRESS ? 0 : pair->key.address[side];
    if (address && peer->address && peer->address != address)
        peer->addresses = true;
    if (!peer->address)
        peer->address = address;
    figures->pair_peers[2 * (size_t)pair_number + side] = number_of[name] - 1;
}

static void resolve_pairs(struct figures *figures, uint32_t *number_of)
{
    const struct aggregate *aggregate = figures->aggregate;
    for (uint32_t i = 0; i < aggregate->pairs.count; i++) {
        const struct pair *pair = table_at(&aggregate->pairs, i);
        figures->pair_flow[i] = flow_of(figures, &pair->key);
        for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
            figures->pair_peers[2 * (size_t)i + side] = UINT32_MAX;
            if (side_is_peer(figures->pair_flow[i], (enum side)side) &&
                pair->key.by[side] > NAMED_BY_FOLDED)
                meet_peer(figures, number_of, i, (enum side)side);
        }
    }
    for (uint32_t i = 0; i < figures->peer_count; i++) {
        struct peer_figures *peer = &figures->peers[i];
        peer->last = peer->last_cannot = peer->last_clear = peer->last_failed = INT64_MIN;
    }
}

bool figures_resolve(struct figures *figures)
{
    size_t pairs = figures->aggregate->pairs.count, names = figures->aggregate->strings.count;
    uint32_t *number_of = memory_new_array(names + 1, sizeof *number_of);
    figures->pair_flow = memory_new_array(pairs + 1, sizeof *figures->pair_flow);
    figures->pair_peers = memory_new_array(2 * pairs + 1, sizeof *figures->pair_peers);
    /* There can be no more peers than sides, nor than names. */
    figures->peers =
        memory_new_array((names < 2 * pairs ? names : 2 * pairs) + 1, sizeof *figures->peers);
    bool whole = number_of && figures->pair_flow && figures->pair_peers && figures->peers &&
                 guess_ours(figures);
    if (whole)
        resolve_pairs(figures, number_of);
    memory_free(number_of);
    return whole;
}

static void latest(int64_t *kept, int64_t value)
{
    if (value > *kept)
        *kept = value;
}

static void add_server(uint8_t *flags, const struct posture *posture)
{
    switch ((enum starttls)posture->starttls) {
    case STARTTLS_NOT_OFFERED: *flags |= SERVER_SEEN; break;
    case STARTTLS_OFFERED:
    case STARTTLS_ACCEPTED: *flags |= SERVER_SEEN | SERVER_OFFERED; break;
    case STARTTLS_REFUSED: *flags |= SERVER_SEEN | SERVER_REFUSED; break;
    case STARTTLS_IMPLICIT: *flags |= SERVER_IMPLICIT; break;
    case STARTTLS_REQUESTED:
    case STARTTLS_UNSEEN:
    case STARTTLS_COUNT: break; /* says nothing */
    }
}

static void add_charged(struct peer_figures *peer, const struct row *row,
                        const struct posture *posture, unsigned lacks)
{
    peer->cannot += row->sessions;
    peer->lacking |= (uint8_t)lacks;
    if (posture->flags & POSTURE_SUBSTANTIAL)
        peer->cannot_substantial += row->sessions;
    if (posture->outcome == OUTCOME_TLS)
        peer->cannot_tls += row->sessions;
    latest(&peer->last_cannot, row->last);
    uint8_t shown =
        lacks & LACKS_CLIENT && posture->client_max ? posture->client_max : posture->version;
    if (posture->outcome == OUTCOME_TLS && shown > peer->highest)
        peer->highest = shown;
}

static void add_peer(struct peer_figures *peer, const struct row *row,
                     const struct posture *posture)
{
    peer->sessions += row->sessions;
    latest(&peer->last, row->last);
    if (posture->flags & POSTURE_SUBSTANTIAL)
        peer->substantial += row->sessions;
    if (posture->findings >> FINDING_PLAINTEXT_FALLBACK & 1)
        peer->fallback += row->sessions;
    if (posture->outcome == OUTCOME_PLAINTEXT) {
        peer->clear += row->sessions;
        if (posture->flags & POSTURE_SUBSTANTIAL)
            peer->clear_substantial += row->sessions;
        latest(&peer->last_clear, row->last);
    }
    if (posture->outcome == OUTCOME_TLS_FAILED) {
        peer->failed += row->sessions;
        latest(&peer->last_failed, row->last);
    }
}

static void add_judged(struct peer_figures *peer, const struct row *row,
                       const struct posture *posture, const struct judgement *judgement,
                       unsigned roles, enum judged_as as)
{
    if (as == AS_NOT_JUDGED)
        return;
    if (judgement->lacks & roles)
        add_charged(peer, row, posture, judgement->lacks & roles);
    else if ((judgement->can & roles) == roles)
        peer->can += row->sessions;
    else
        peer->unknown += row->sessions;
    if (as == AS_OWN)
        peer->own += row->sessions;
}

void figures_add_peers(struct figures *figures, const struct row *row,
                       const struct posture *posture, const struct judgement *judgement,
                       enum judged_as as)
{
    const uint32_t *sides = &figures->pair_peers[2 * (size_t)row->key.pair];
    unsigned flow = 1U << figures->pair_flow[row->key.pair];
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        if (sides[side] == UINT32_MAX || (side == SIDE_SERVER && sides[0] == sides[1]))
            continue; /* both sides are the same one: it was added as the client */
        struct peer_figures *peer = &figures->peers[sides[side]];
        unsigned roles = sides[0] == sides[1] ? LACKS_CLIENT | LACKS_SERVER : 1U << side;
        peer->flows |= (uint8_t)flow;
        if (roles & LACKS_SERVER)
            add_server(&peer->servers, posture);
        add_peer(peer, row, posture);
        add_judged(peer, row, posture, judgement, roles, as);
    }
}

/* What qsort compares: it has no argument of its own, so the text comes along. */
struct sorted_peer {
    struct peer_figures peer;
    const char *text;
    uint32_t number;
};

static int descending(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int by_weight(const void *a, const void *b)
{
    const struct sorted_peer *x = a, *y = b;
    int order = descending(x->peer.cannot, y->peer.cannot);
    order = order ? order : descending(x->peer.clear, y->peer.clear);
    order = order ? order : descending(x->peer.failed, y->peer.failed);
    order = order ? order : descending(x->peer.sessions, y->peer.sessions);
    return order ? order : strcmp(x->text, y->text);
}

static void sort_peers(struct figures *figures)
{
    uint32_t count = figures->peer_count;
    struct sorted_peer *sorted = memory_new_array(count, sizeof *sorted);
    uint32_t *now_at = memory_new_array(count, sizeof *now_at);
    for (uint32_t i = 0; sorted && now_at && i < count; i++)
        sorted[i] =
            (struct sorted_peer){.peer = figures->peers[i],
                                 .text = aggregate_text(figures->aggregate, figures->peers[i].name),
                                 .number = i};
    if (sorted && now_at) {
        qsort(sorted, count, sizeof *sorted, by_weight);
        for (uint32_t i = 0; i < count; i++) {
            figures->peers[i] = sorted[i].peer;
            now_at[sorted[i].number] = i;
        }
        for (size_t i = 0; i < 2 * (size_t)figures->aggregate->pairs.count; i++)
            if (figures->pair_peers[i] != UINT32_MAX)
                figures->pair_peers[i] = now_at[figures->pair_peers[i]];
    }
    memory_free(sorted);
    memory_free(now_at);
}

static void count_server(struct figures *figures, const struct peer_figures *peer)
{
    if (peer->servers & (SERVER_SEEN | SERVER_IMPLICIT))
        figures->servers++;
    if (peer->servers & SERVER_OFFERED)
        figures->servers_offering++;
    else if (peer->servers & SERVER_REFUSED)
        figures->servers_refusing++;
    else if (peer->servers == SERVER_IMPLICIT)
        figures->servers_implicit++;
    else if (peer->servers & SERVER_SEEN)
        figures->servers_without++;
}

void figures_finish_peers(struct figures *figures)
{
    sort_peers(figures);
    for (uint32_t i = 0; i < figures->peer_count; i++) {
        const struct peer_figures *peer = &figures->peers[i];
        bool judged = peer->cannot || peer->can || peer->unknown;
        figures->peers_judged += judged;
        figures->peers_cannot += peer->cannot != 0;
        figures->peers_can += !peer->cannot && peer->can;
        figures->peers_unknown += !peer->cannot && !peer->can && peer->unknown;
        figures->peers_clear += peer->clear != 0;
        figures->peers_failed += peer->failed != 0;
        figures->peers_once += peer->sessions == 1;
        figures->peers_cannot_fell_back += peer->cannot && peer->fallback;
        count_server(figures, peer);
    }
}
