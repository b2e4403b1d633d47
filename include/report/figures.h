/* SPDX-License-Identifier: BSD-2-Clause */
/* Every figure of a report, computed once from an aggregate: text, HTML, JSON and CSV only print
 * them. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "report/aggregate.h"
#include "report/policy.h"

enum verdict { VERDICT_YES, VERDICT_NOT_ALL, VERDICT_CANNOT_TELL };

/* Why the verdict is "Cannot tell": bits. */
enum doubt { DOUBT_NO_TLS = 1, DOUBT_DROPS = 2, DOUBT_INCOMPLETE = 4 };

/* A number that is known only to lie in a range; low == high where it is exact. */
struct range {
    uint64_t low, high;
};

/* One line of the table "If you ...". */
struct policy_line {
    struct range tls, clear, refused;
};
enum { POLICY_TODAY, POLICY_DROP, POLICY_REFUSE, POLICY_COUNT };

/* Directions as shown: what the report guessed is resolved here. */
enum { FLOW_IN, FLOW_OUT, FLOW_INTERNAL, FLOW_OTHER, FLOW_COUNT };

/* What a session is in the verdict. */
enum judged_as { AS_CAN, AS_CANNOT, AS_OWN, AS_UNKNOWN, AS_NOT_JUDGED, AS_COUNT };

enum server_flag { SERVER_SEEN = 1, SERVER_OFFERED = 2, SERVER_REFUSED = 4, SERVER_IMPLICIT = 8 };

struct peer_figures {
    uint32_t name;   /* string */
    uint8_t by;      /* enum named_by: the best source among its sessions */
    uint8_t flows;   /* bits 1 << FLOW_* */
    uint8_t servers; /* enum server_flag: as a server, what its EHLO replies said */
    uint8_t highest; /* enum tls_version: the most that it showed in sessions that it cannot do */
    uint8_t lacking; /* enum lacks: in which role */
    uint64_t sessions, substantial;      /* all; over 1 KB */
    uint64_t cannot, cannot_substantial; /* charged to it */
    uint64_t cannot_tls;                 /* ... of outcome tls */
    uint64_t can, unknown, own;          /* judged; own: our side lacked it */
    uint64_t clear, clear_substantial, failed, fallback;
    int64_t last, last_cannot, last_clear, last_failed; /* seconds since 1970; INT64_MIN never */
    uint32_t address; /* string: its only address, where known; 0 */
    bool addresses;   /* it has several */
};

/* One of our own hosts. */
struct own_figures {
    uint32_t address, name; /* strings */
    uint8_t side;           /* enum side: the role */
    uint8_t servers;        /* enum server_flag */
    uint8_t highest;   /* enum tls_version: the most that it showed in sessions that it cannot do */
    bool offered_more; /* as a server: chose less although more was offered */
    uint64_t sessions, tls, lacking, peers; /* peers: of the sessions that lack; at least */
    uint64_t versions[TLS_VERSION_COUNT];   /* of outcome tls */
    uint32_t cipher, group;                 /* strings: the most frequent */
    uint64_t cipher_sessions, group_sessions;
};

struct word_figures {
    uint32_t word; /* string */
    uint64_t count;
};
struct word_list {
    struct word_figures *items;
    uint32_t count;
};

struct day_figures {
    int64_t day;
    uint64_t sessions;
    uint64_t as[AS_COUNT];
    uint64_t clear[2], versions[2][TLS_VERSION_COUNT]; /* by FLOW_IN, FLOW_OUT (all others) */
};

struct figures {
    const struct aggregate *aggregate; /* borrowed */
    struct requirement requirement;
    enum verdict verdict;
    unsigned doubts;

    uint32_t guess; /* string: the address taken for ours; 0 none */
    uint64_t guess_sessions, undirected;

    uint64_t sessions, substantial;
    uint64_t outcomes[OUTCOME_COUNT][FLOW_COUNT];
    uint64_t versions[TLS_VERSION_COUNT][FLOW_COUNT]; /* of outcome tls; NONE: not seen */
    uint64_t flows[FLOW_COUNT];
    uint64_t pfs[3], pq[3], pfs_offered[3], pq_offered[3]; /* of outcome tls, by enum tristate */
    uint64_t resumed, certificates_visible;                /* sessions of outcome tls */
    uint64_t incomplete, incomplete_or_unknown;
    uint64_t findings[FINDING_COUNT];
    struct word_list ciphers, groups, reasons;

    uint64_t judged, as[AS_COUNT];    /* AS_NOT_JUDGED too; judged is without */
    uint64_t cannot_tls, unknown_tls; /* sessions of outcome tls */
    uint64_t refused_today; /* sessions without mail in which it was refused for want of TLS */
    struct policy_line policy[POLICY_COUNT]; /* in sessions */
    bool survey; /* only probes of others' servers: no mail at all, so servers count */
    struct policy_line survey_policy[POLICY_COUNT]; /* in servers */

    struct peer_figures *peers; /* worst first: see figures_new */
    uint32_t peer_count;
    uint32_t peers_judged, peers_cannot, peers_can, peers_unknown, peers_clear, peers_failed,
        peers_once;
    uint32_t peers_cannot_fell_back; /* of those that cannot: seen to send in the clear after a
                                        failure */
    uint64_t folded_sessions, folded_judged, folded_cannot,
        folded_clear; /* of peers that were folded */
    uint32_t servers, servers_offering, servers_refusing, servers_implicit,
        servers_without; /* peers seen as servers */

    struct own_figures *own;
    uint32_t own_count;

    struct day_figures *days; /* in order, without holes */
    uint32_t day_count;

    uint64_t packets, packets_received, packets_dropped, events_lost;
    bool drops_known;
    uint32_t sensor_count, sensors_named, sensors_live;
    uint64_t downtime; /* seconds without a sign of life of live sensors */

    uint32_t *pair_peers; /* two per pair: number of the peer by enum side, UINT32_MAX none */
    uint8_t *pair_flow;   /* FLOW_* of each pair */
};

/* figures_new computes them (new); NULL without memory. The aggregate must be finished, and is
 * borrowed. */
struct figures *figures_new(const struct aggregate *aggregate,
                            const struct requirement *requirement);
void figures_free(struct figures *figures);

/* figures_policy returns the table to show: in servers for a survey, else in sessions. */
static inline const struct policy_line *figures_policy(const struct figures *figures)
{
    return figures->survey ? figures->survey_policy : figures->policy;
}

/* figures_judge tells what a row is in the verdict, and for each side whether it is charged. */
enum judged_as figures_judge(const struct figures *figures, const struct row *row,
                             struct judgement *judgement);

/* figures_peer_days writes, for each day of figures->days, a peer's sessions that are charged to
 * it. */
void figures_peer_days(const struct figures *figures, uint32_t peer, uint64_t *counts);

/* figures_weeks returns the Monday of a day's ISO week. */
int64_t figures_monday(int64_t day);

#endif
