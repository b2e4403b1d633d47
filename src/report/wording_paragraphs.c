/* SPDX-License-Identifier: BSD-2-Clause */
/* The report's sentences: verdict, our own doing, what stays unknown, evidence. */
#include <stdio.h>
#include <string.h>

#include "report/wording.h"

enum { NAMED_IN_VERDICT = 3 };

#define NUMBER(n) (wording_number(n).text)

static const char *plural(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void add_names(const struct figures *figures, struct prose *out)
{
    if (figures->peers_cannot > NAMED_IN_VERDICT || figures->folded_cannot)
        return;
    for (uint32_t i = 0; i < figures->peers_cannot; i++) {
        prose_add(out, i == 0 ? ": " : i + 1 == figures->peers_cannot ? " and " : ", ");
        wording_safe(out, aggregate_text(figures->aggregate, figures->peers[i].name));
        prose_add(out, " (%s)", wording_at_most(figures, &figures->peers[i]));
    }
}

static void add_fallback(const struct figures *figures, struct prose *out)
{
    uint64_t fell = figures->peers_cannot_fell_back, all = figures->peers_cannot;
    if (!fell)
        return;
    if (all == 1)
        prose_add(out, " It was seen");
    else
        prose_add(out, " %s of the %s %s seen", NUMBER(fell), NUMBER(all),
                  plural(fell, "was", "were"));
    prose_add(out,
              " to send in clear text after a failed handshake: for %s it would mean less "
              "protection, not more.",
              all == 1 || fell == 1 ? "it" : "them");
}

static void add_not_all(const struct figures *figures, const char *label, struct prose *out,
                        bool names)
{
    uint64_t cannot = figures->as[AS_CANNOT];
    bool only_tls = figures->cannot_tls == cannot;
    if (figures->survey)
        prose_add(out, " Requiring %s ends TLS with %s of the %s servers that offer it", label,
                  NUMBER(figures->peers_cannot), NUMBER(figures->peers_judged));
    else
        prose_add(out, " Requiring %s %s %s of %s %s (%s), with %s of %s %s", label,
                  only_tls ? "ends TLS in" : "ends mail as it is in", NUMBER(cannot),
                  NUMBER(figures->judged), plural(figures->judged, "session", "sessions"),
                  wording_percent(cannot, figures->judged).text,
                  wording_peers(figures->peers_cannot, figures->folded_cannot).text,
                  wording_peers(figures->peers_judged, figures->folded_judged).text,
                  plural(figures->peers_judged, "peer", "peers"));
    if (names)
        add_names(figures, out);
    prose_add(out, ".");
    add_fallback(figures, out);
}

static void add_yes(const struct figures *figures, const char *label, struct prose *out)
{
    uint64_t can = figures->as[AS_CAN];
    prose_add(out, " No peer was seen that cannot do %s: %s of %s %s, with %s %s, could.", label,
              NUMBER(can), NUMBER(figures->judged), plural(figures->judged, "session", "sessions"),
              wording_peers(figures->peers_judged, figures->folded_judged).text,
              plural(figures->peers_judged, "peer", "peers"));
}

static void add_cannot_tell(const struct figures *figures, const char *label, struct prose *out)
{
    if (figures->doubts & DOUBT_NO_TLS)
        prose_add(out, " No session was readable from which %s could be judged%s.", label,
                  figures->sessions ? "" : ": there is no session at all");
    else
        prose_add(out,
                  " No peer was seen that cannot do %s, but too much is missing to rely on it.",
                  label);
    if (figures->doubts & DOUBT_DROPS)
        prose_add(out, " %s of %s packets (%s) were dropped before mxtap saw them.",
                  NUMBER(figures->packets_dropped), NUMBER(figures->packets_received),
                  wording_percent(figures->packets_dropped, figures->packets_received).text);
    if (figures->doubts & DOUBT_INCOMPLETE)
        prose_add(out, " %s of %s sessions (%s) are incomplete or unknown.",
                  NUMBER(figures->incomplete_or_unknown), NUMBER(figures->sessions),
                  wording_percent(figures->incomplete_or_unknown, figures->sessions).text);
}

/* Servers without TLS are no matter of the version, but whoever asks wants to know. */
static void add_no_starttls(const struct figures *figures, struct prose *out)
{
    uint32_t without = figures->servers_without;
    if (without && !figures->requirement.tls)
        prose_add(out, " %s of %s servers %s no TLS at all, whatever version is required.",
                  NUMBER(without), NUMBER(figures->servers), plural(without, "offers", "offer"));
}

void wording_add_verdict(const struct figures *figures, struct prose *out, bool names)
{
    char label[REQUIREMENT_LABEL];
    requirement_label(&figures->requirement, label);
    prose_add(out, "%s.", wording_verdict(figures->verdict));
    if (figures->verdict == VERDICT_NOT_ALL)
        add_not_all(figures, label, out, names);
    else if (figures->verdict == VERDICT_YES)
        add_yes(figures, label, out);
    else
        add_cannot_tell(figures, label, out);
    add_no_starttls(figures, out);
}

static void add_own_host(const struct figures *figures, const struct own_figures *own,
                         struct prose *out)
{
    const char *version =
        own->highest != TLS_VERSION_NONE && own->highest < figures->requirement.version
            ? word_tls_version((enum tls_version)own->highest)
            : NULL;
    prose_add(out, " %s", aggregate_text(figures->aggregate, own->address));
    if (own->name) {
        prose_add(out, " (");
        wording_safe(out, aggregate_text(figures->aggregate, own->name));
        prose_add(out, ")");
    }
    if (own->side == SIDE_CLIENT)
        prose_add(out, " as client %s%s in %s %s",
                  version ? "offered at most " : "did not offer it", version ? version : "",
                  NUMBER(own->lacking), plural(own->lacking, "session", "sessions"));
    else
        prose_add(out, " chose %s in %s %s%s", version ? version : "less", NUMBER(own->lacking),
                  plural(own->lacking, "session", "sessions"),
                  own->offered_more ? " though more was offered" : "");
    prose_add(out, " (%s %s).", NUMBER(own->peers), plural(own->peers, "peer", "peers"));
}

void wording_add_own(const struct figures *figures, struct prose *out)
{
    uint64_t sessions = figures->as[AS_OWN];
    if (!sessions)
        return;
    char label[REQUIREMENT_LABEL];
    prose_add(out, "%s %s in which our side could not do %s:", NUMBER(sessions),
              plural(sessions, "session", "sessions"),
              requirement_label(&figures->requirement, label));
    for (uint32_t i = 0; i < figures->own_count && figures->own[i].lacking; i++)
        add_own_host(figures, &figures->own[i], out);
    prose_add(out, " Not counted above and charged to no peer: mend this first.");
}

void wording_add_unknown(const struct figures *figures, struct prose *out)
{
    uint64_t sessions = figures->as[AS_UNKNOWN];
    if (sessions)
        prose_add(out,
                  "%s judged %s could not be decided either way: what was offered or chosen was "
                  "not seen. ",
                  NUMBER(sessions), plural(sessions, "session", "sessions"));
    if (figures->peers_unknown)
        prose_add(out, "%s %s not tested: no session shows what %s can. ",
                  NUMBER(figures->peers_unknown),
                  plural(figures->peers_unknown, "peer was", "peers were"),
                  plural(figures->peers_unknown, "it", "they"));
}

void wording_add_folded(const struct figures *figures, struct prose *out)
{
    if (!figures->folded_sessions)
        return;
    prose_add(out,
              "More than %s peers were met: %s sessions of the others are in every total but in no "
              "list of peers. Counts of "
              "peers are therefore \"at least\", with the most by which they can be short; raise "
              "--max-peers to list all.",
              NUMBER(figures->aggregate->max_peers), NUMBER(figures->folded_sessions));
}

static void add_period(const struct figures *figures, struct prose *out)
{
    const struct aggregate *aggregate = figures->aggregate;
    if (aggregate->first_ns > aggregate->last_ns) {
        prose_add(out, "no session");
        return;
    }
    int64_t first = aggregate->first_ns / 1000000000, last = aggregate->last_ns / 1000000000;
    struct small_text from = wording_minute(first), to = wording_minute(last);
    bool same_year = strncmp(from.text, to.text, 5) == 0,
         same_day = strncmp(from.text, to.text, 11) == 0;
    prose_add(out, "%s %s with %s %s, %s to %s UTC", NUMBER(figures->sessions),
              plural(figures->sessions, "session", "sessions"),
              wording_peers(figures->peer_count, figures->folded_sessions).text,
              plural(figures->peer_count, "peer", "peers"), from.text,
              to.text + (same_day    ? 11
                         : same_year ? 5
                                     : 0));
}

static void add_sensors(const struct figures *figures, struct prose *out)
{
    if (!figures->sensors_live) {
        prose_add(out, "%s %s, none with live stats: downtime and drops are not known",
                  NUMBER(figures->sensor_count),
                  figures->sensors_named ? plural(figures->sensor_count, "sensor", "sensors")
                                         : plural(figures->sensor_count, "capture", "captures"));
        return;
    }
    prose_add(out, "%s live %s, ", NUMBER(figures->sensors_live),
              plural(figures->sensors_live, "sensor", "sensors"));
    if (figures->downtime)
        prose_add(out, "silent for %s in all", wording_duration(figures->downtime).text);
    else
        prose_add(out, "no downtime");
    prose_add(out, "; %s of %s packets dropped", NUMBER(figures->packets_dropped),
              NUMBER(figures->packets_received));
    if (figures->events_lost)
        prose_add(out, "; %s events lost before they were written", NUMBER(figures->events_lost));
}

void wording_add_evidence(const struct figures *figures, struct prose *out, unsigned line)
{
    switch (line) {
    case 0: add_period(figures, out); break;
    case 1: add_sensors(figures, out); break;
    case 2:
        prose_add(
            out,
            "sessions incomplete: %s, unknown: %s; the certificate was visible in %s of %s TLS "
            "sessions",
            NUMBER(figures->incomplete),
            NUMBER(figures->outcomes[OUTCOME_UNKNOWN][FLOW_IN] +
                   figures->outcomes[OUTCOME_UNKNOWN][FLOW_OUT] +
                   figures->outcomes[OUTCOME_UNKNOWN][FLOW_INTERNAL] +
                   figures->outcomes[OUTCOME_UNKNOWN][FLOW_OTHER]),
            NUMBER(figures->certificates_visible), NUMBER(figures->policy[POLICY_TODAY].tls.low));
        break;
    case 3:
        prose_add(out, "%s %s seen once; who writes less often than this period may be missing",
                  wording_peers(figures->peers_once, figures->folded_sessions).text,
                  plural(figures->peers_once, "peer", "peers"));
        break;
    case 4:
        prose_add(out, "recipients' domains are invisible once TLS is on: peers are hosts and "
                       "their domains, not the "
                       "domains mail is for; can means by version, a common cipher is not proven");
        break;
    case 5:
        if (figures->aggregate->damaged)
            prose_add(out, "%s %s of the input could not be used",
                      NUMBER(figures->aggregate->damaged),
                      plural(figures->aggregate->damaged, "line", "lines"));
        else if (figures->aggregate->days_only && figures->aggregate->keep)
            prose_add(out, "aggregates know days only: the first day of the period is taken whole");
        break;
    default: break;
    }
}
