/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for programs; its keys are described in mxtap-report(1) and only ever added to. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/emit.h"
#include "report/output.h"
#include "report/wording.h"

struct writing {
    const struct figures *figures;
    const struct report_output *output;
    struct emit emit;
    struct prose prose; /* scratch */
};

static void put_string(struct writing *w, const char *key, uint32_t string)
{
    if (!string)
        return;
    prose_clear(&w->prose);
    wording_safe(&w->prose, aggregate_text(w->figures->aggregate, string));
    emit_text(&w->emit, key, w->prose.text ? w->prose.text : "");
}

static void put_time(struct writing *w, const char *key, int64_t seconds)
{
    char text[TEXT_TIME];
    if (seconds != INT64_MIN)
        emit_text(&w->emit, key, text_time_seconds(seconds, text));
}

static void put_range(struct writing *w, const char *key, struct range range)
{
    emit_open(&w->emit, key, '{');
    emit_number(&w->emit, "low", range.low);
    emit_number(&w->emit, "high", range.high);
    emit_close(&w->emit, '}');
}

static void put_verdict(struct writing *w)
{
    static const char *const words[] = {"yes", "not_with_everyone", "cannot_tell"};
    static const char *const doubts[] = {"no_tls_readable", "packets_dropped",
                                         "sessions_incomplete"};
    const struct figures *figures = w->figures;
    char word[REQUIREMENT_LABEL];
    emit_text(&w->emit, "require", requirement_word(&figures->requirement, word));
    emit_text(&w->emit, "verdict", words[figures->verdict]);
    emit_open(&w->emit, "doubts", '[');
    for (unsigned i = 0; i < 3; i++)
        if (figures->doubts >> i & 1)
            emit_text(&w->emit, NULL, doubts[i]);
    emit_close(&w->emit, ']');
    prose_clear(&w->prose);
    wording_add_verdict(figures, &w->prose, !w->output->anonymous);
    emit_text(&w->emit, "verdict_text", w->prose.text);
}

static void put_policies(struct writing *w, const char *key, const struct policy_line *lines)
{
    static const char *const words[POLICY_COUNT] = {"today", "allow_clear_text", "refuse"};
    emit_open(&w->emit, key, '{');
    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        emit_open(&w->emit, words[i], '{');
        put_range(w, "tls", lines[i].tls);
        put_range(w, "clear_text", lines[i].clear);
        put_range(w, "refused", lines[i].refused);
        emit_close(&w->emit, '}');
    }
    emit_close(&w->emit, '}');
}

static void put_judged(struct writing *w)
{
    const struct figures *figures = w->figures;
    emit_open(&w->emit, "judged", '{');
    emit_number(&w->emit, "sessions", figures->judged);
    emit_number(&w->emit, "cannot", figures->as[AS_CANNOT]);
    emit_number(&w->emit, "can", figures->as[AS_CAN]);
    emit_number(&w->emit, "own", figures->as[AS_OWN]);
    emit_number(&w->emit, "unknown", figures->as[AS_UNKNOWN]);
    emit_close(&w->emit, '}');
}

static void put_flows(struct writing *w, const char *key, const uint64_t counts[FLOW_COUNT])
{
    uint64_t total = 0;
    emit_open(&w->emit, key, '{');
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++) {
        emit_number(&w->emit, wording_flow(flow), counts[flow]);
        total += counts[flow];
    }
    emit_number(&w->emit, "total", total);
    emit_close(&w->emit, '}');
}

static void put_totals(struct writing *w)
{
    const struct figures *figures = w->figures;
    put_flows(w, "sessions", figures->flows);
    emit_open(&w->emit, "outcomes", '{');
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        put_flows(w, word_outcome((enum outcome)i), figures->outcomes[i]);
    emit_close(&w->emit, '}');
    emit_open(&w->emit, "versions", '{');
    for (unsigned i = TLS_VERSION_SSL2; i < TLS_VERSION_COUNT; i++)
        put_flows(w, word_tls_version((enum tls_version)i), figures->versions[i]);
    put_flows(w, "not_seen", figures->versions[TLS_VERSION_NONE]);
    emit_close(&w->emit, '}');
    emit_number(&w->emit, "sessions_over_1kb", figures->substantial);
}

static void put_words(struct writing *w, const char *key, const struct word_list *list)
{
    emit_open(&w->emit, key, '{');
    for (uint32_t i = 0; i < list->count; i++) {
        const char *word = aggregate_text(w->figures->aggregate, list->items[i].word);
        prose_clear(&w->prose);
        wording_safe(&w->prose, list->items[i].word ? word : "not_seen");
        emit_number(&w->emit, w->prose.text ? w->prose.text : "", list->items[i].count);
    }
    emit_close(&w->emit, '}');
}

static void put_tristate(struct writing *w, const char *key, const uint64_t chosen[3],
                         const uint64_t offered[3])
{
    emit_open(&w->emit, key, '{');
    emit_number(&w->emit, "chosen", chosen[TRISTATE_YES]);
    emit_number(&w->emit, "not_chosen", chosen[TRISTATE_NO]);
    emit_number(&w->emit, "choice_not_seen", chosen[TRISTATE_UNKNOWN]);
    emit_number(&w->emit, "offered", offered[TRISTATE_YES]);
    emit_number(&w->emit, "not_offered", offered[TRISTATE_NO]);
    emit_number(&w->emit, "offer_not_seen", offered[TRISTATE_UNKNOWN]);
    emit_close(&w->emit, '}');
}

static void put_choices(struct writing *w)
{
    const struct figures *figures = w->figures;
    put_words(w, "ciphers", &figures->ciphers);
    put_words(w, "groups", &figures->groups);
    put_tristate(w, "forward_secrecy", figures->pfs, figures->pfs_offered);
    put_tristate(w, "post_quantum", figures->pq, figures->pq_offered);
    emit_number(&w->emit, "resumed", figures->resumed);
    put_words(w, "failed_by_reason", &figures->reasons);
    emit_open(&w->emit, "findings", '{');
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (figures->findings[i])
            emit_number(&w->emit, word_finding((enum finding)i), figures->findings[i]);
    emit_close(&w->emit, '}');
    emit_open(&w->emit, "servers", '{');
    emit_number(&w->emit, "seen", figures->servers);
    emit_number(&w->emit, "offer_starttls", figures->servers_offering);
    emit_number(&w->emit, "refuse_starttls", figures->servers_refusing);
    emit_number(&w->emit, "offer_no_starttls", figures->servers_without);
    emit_number(&w->emit, "tls_from_the_first_byte", figures->servers_implicit);
    emit_close(&w->emit, '}');
}

static void put_peer_counts(struct writing *w)
{
    const struct figures *figures = w->figures;
    emit_open(&w->emit, "peer_counts", '{');
    emit_number(&w->emit, "all", figures->peer_count);
    emit_number(&w->emit, "judged", figures->peers_judged);
    emit_number(&w->emit, "cannot", figures->peers_cannot);
    emit_number(&w->emit, "cannot_and_fell_back", figures->peers_cannot_fell_back);
    emit_number(&w->emit, "can", figures->peers_can);
    emit_number(&w->emit, "unknown", figures->peers_unknown);
    emit_number(&w->emit, "clear_text", figures->peers_clear);
    emit_number(&w->emit, "failed", figures->peers_failed);
    emit_number(&w->emit, "seen_once", figures->peers_once);
    emit_open(&w->emit, "folded_sessions",
              '{'); /* each count above can be short by so many at most */
    emit_number(&w->emit, "all", figures->folded_sessions);
    emit_number(&w->emit, "judged", figures->folded_judged);
    emit_number(&w->emit, "cannot", figures->folded_cannot);
    emit_number(&w->emit, "clear_text", figures->folded_clear);
    emit_close(&w->emit, '}');
    emit_close(&w->emit, '}');
}

static void put_servers_word(struct writing *w, uint8_t servers)
{
    if (servers & SERVER_OFFERED)
        emit_text(&w->emit, "starttls", "offered");
    else if (servers & SERVER_REFUSED)
        emit_text(&w->emit, "starttls", "refused");
    else if (servers & SERVER_SEEN)
        emit_text(&w->emit, "starttls", "not_offered");
    else if (servers & SERVER_IMPLICIT)
        emit_text(&w->emit, "starttls", "implicit");
}

static void put_peer(struct writing *w, const struct peer_figures *peer)
{
    struct emit *emit = &w->emit;
    emit_open(emit, NULL, '{');
    put_string(w, "peer", peer->name);
    emit_text(emit, "named_by", wording_named_by_word((enum named_by)peer->by));
    emit_open(emit, "directions", '[');
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        if (peer->flows >> flow & 1)
            emit_text(emit, NULL, wording_flow(flow));
    emit_close(emit, ']');
    if (peer->cannot)
        emit_text(emit, "at_most", wording_at_most(w->figures, peer));
    put_servers_word(w, peer->servers);
    emit_number(emit, "cannot", peer->cannot);
    emit_number(emit, "cannot_over_1kb", peer->cannot_substantial);
    emit_number(emit, "sessions", peer->sessions);
    emit_number(emit, "sessions_over_1kb", peer->substantial);
    emit_number(emit, "can", peer->can);
    emit_number(emit, "unknown", peer->unknown);
    emit_number(emit, "own", peer->own);
    emit_number(emit, "clear_text", peer->clear);
    emit_number(emit, "clear_text_over_1kb", peer->clear_substantial);
    emit_number(emit, "failed", peer->failed);
    emit_number(emit, "fell_back", peer->fallback);
    put_time(w, "last_seen", peer->last);
    put_time(w, "last_cannot", peer->last_cannot);
    emit_close(emit, '}');
}

static void put_peers(struct writing *w)
{
    const struct figures *figures = w->figures;
    unsigned lists =
        w->output->lists ? w->output->lists : LIST_CANNOT | LIST_CLEAR | LIST_FAILED | LIST_UNKNOWN;
    emit_open(&w->emit, "peers", '[');
    for (uint32_t i = 0; i < figures->peer_count; i++)
        if (report_lists(&figures->peers[i], lists))
            put_peer(w, &figures->peers[i]);
    emit_close(&w->emit, ']');
}

static void put_own(struct writing *w)
{
    const struct figures *figures = w->figures;
    emit_open(&w->emit, "own_hosts", '[');
    for (uint32_t i = 0; i < figures->own_count; i++) {
        const struct own_figures *own = &figures->own[i];
        emit_open(&w->emit, NULL, '{');
        put_string(w, "ip", own->address);
        put_string(w, "name", own->name);
        emit_text(&w->emit, "role", word_side((enum side)own->side));
        put_servers_word(w, own->servers);
        emit_number(&w->emit, "sessions", own->sessions);
        emit_number(&w->emit, "tls", own->tls);
        emit_number(&w->emit, "cannot", own->lacking);
        emit_number(&w->emit, "peers_affected", own->peers);
        emit_open(&w->emit, "versions", '{');
        for (unsigned version = TLS_VERSION_SSL2; version < TLS_VERSION_COUNT; version++)
            if (own->versions[version])
                emit_number(&w->emit, word_tls_version((enum tls_version)version),
                            own->versions[version]);
        emit_close(&w->emit, '}');
        put_string(w, "most_frequent_cipher", own->cipher);
        put_string(w, "most_frequent_group", own->group);
        emit_close(&w->emit, '}');
    }
    emit_close(&w->emit, ']');
}

static void put_incidents(struct writing *w)
{
    const struct aggregate *aggregate = w->figures->aggregate;
    const struct incident **list = report_incidents(aggregate);
    w->prose.failed |= !list;
    emit_open(&w->emit, "interference", '[');
    for (uint32_t i = 0; list && i < aggregate->incidents.count; i++) {
        char time[TEXT_TIME];
        emit_open(&w->emit, NULL, '{');
        emit_text(&w->emit, "finding", word_finding((enum finding)list[i]->finding));
        emit_text(&w->emit, "time", text_time(list[i]->time_ns, time));
        put_string(w, "uid", list[i]->uid);
        put_string(w, "client", list[i]->client);
        put_string(w, "client_name", list[i]->client_name);
        put_string(w, "server", list[i]->server);
        put_string(w, "server_name", list[i]->server_name);
        emit_close(&w->emit, '}');
    }
    emit_close(&w->emit, ']');
    memory_free(list);
}

static void put_certificates(struct writing *w)
{
    const struct aggregate *aggregate = w->figures->aggregate;
    uint32_t count = 0;
    struct certificate_shown *list = report_certificates(aggregate, &count);
    int64_t now = aggregate->last_ns / 1000000000;
    w->prose.failed |= !list;
    emit_open(&w->emit, "certificates", '{');
    emit_number(&w->emit, "visible", count);
    emit_boolean(&w->emit, "visible_is_lower_bound", aggregate->certificates_cut);
    emit_number(&w->emit, "sessions_with_visible", w->figures->certificates_visible);
    emit_open(&w->emit, "ending", '[');
    for (uint32_t i = 0;
         list && i < count && list[i].seen->key.not_after < now + REPORT_CERTIFICATE_SOON; i++) {
        emit_open(&w->emit, NULL, '{');
        put_string(w, "name", list[i].seen->key.name);
        put_string(w, "server", list[i].seen->key.server);
        emit_number(&w->emit, "servers", list[i].servers);
        put_time(w, "not_after", list[i].seen->key.not_after);
        emit_boolean(&w->emit, "expired", list[i].seen->key.not_after < now);
        put_string(w, "sha256", list[i].seen->key.sha256);
        emit_number(&w->emit, "sessions", list[i].sessions);
        emit_close(&w->emit, '}');
    }
    emit_close(&w->emit, ']');
    emit_close(&w->emit, '}');
    memory_free(list);
}

struct series_sum {
    uint64_t sessions, as[AS_COUNT], clear, versions[TLS_VERSION_COUNT];
};

static void put_sum(struct writing *w, const char *key, int64_t day, const struct series_sum *sum)
{
    emit_open(&w->emit, NULL, '{');
    emit_text(&w->emit, key, wording_date(day).text);
    emit_number(&w->emit, "sessions", sum->sessions);
    emit_number(&w->emit, "cannot", sum->as[AS_CANNOT]);
    emit_number(&w->emit, "can", sum->as[AS_CAN]);
    emit_number(&w->emit, "own", sum->as[AS_OWN]);
    emit_number(&w->emit, "unknown", sum->as[AS_UNKNOWN]);
    emit_number(&w->emit, "clear_text", sum->clear);
    emit_open(&w->emit, "versions", '{');
    for (unsigned version = TLS_VERSION_SSL2; version < TLS_VERSION_COUNT; version++)
        if (sum->versions[version])
            emit_number(&w->emit, word_tls_version((enum tls_version)version),
                        sum->versions[version]);
    emit_close(&w->emit, '}');
    emit_close(&w->emit, '}');
}

static void add_day(struct series_sum *sum, const struct day_figures *day)
{
    sum->sessions += day->sessions;
    sum->clear += day->clear[0] + day->clear[1];
    for (unsigned i = 0; i < AS_COUNT; i++)
        sum->as[i] += day->as[i];
    for (unsigned i = 0; i < TLS_VERSION_COUNT; i++)
        sum->versions[i] += day->versions[0][i] + day->versions[1][i];
}

/* Days, or weeks, in which nothing was seen are left out. */
static void put_series(struct writing *w, const char *list, const char *key, bool weekly)
{
    const struct figures *figures = w->figures;
    emit_open(&w->emit, list, '[');
    for (uint32_t i = 0; i < figures->day_count;) {
        struct series_sum sum = {0};
        int64_t at = weekly ? figures_monday(figures->days[i].day) : figures->days[i].day;
        for (; i < figures->day_count &&
               (weekly ? figures_monday(figures->days[i].day) : figures->days[i].day) == at;
             i++)
            add_day(&sum, &figures->days[i]);
        if (sum.sessions)
            put_sum(w, key, at, &sum);
    }
    emit_close(&w->emit, ']');
}

static void put_evidence(struct writing *w)
{
    const struct figures *figures = w->figures;
    const struct aggregate *aggregate = figures->aggregate;
    char time[TEXT_TIME];
    emit_open(&w->emit, "evidence", '{');
    if (aggregate->first_ns <= aggregate->last_ns) {
        emit_text(&w->emit, "first", text_time(aggregate->first_ns, time));
        emit_text(&w->emit, "last", text_time(aggregate->last_ns, time));
    }
    emit_text(&w->emit, "peer_is", wording_by(aggregate->by));
    if (figures->guess && !w->output->anonymous)
        put_string(w, "guessed_local", figures->guess);
    emit_boolean(&w->emit, "local_was_guessed", figures->guess != 0);
    emit_number(&w->emit, "sensors", figures->sensor_count);
    emit_number(&w->emit, "sensors_live", figures->sensors_live);
    if (figures->sensors_live)
        emit_number(&w->emit, "downtime_s", figures->downtime);
    if (figures->drops_known) {
        emit_number(&w->emit, "packets", figures->packets_received);
        emit_number(&w->emit, "packets_dropped", figures->packets_dropped);
        emit_number(&w->emit, "events_lost", figures->events_lost);
    }
    emit_number(&w->emit, "sessions_incomplete", figures->incomplete);
    emit_number(&w->emit, "sessions_incomplete_or_unknown", figures->incomplete_or_unknown);
    emit_number(&w->emit, "lines_damaged", aggregate->damaged);
    emit_close(&w->emit, '}');
}

bool report_json(const struct figures *figures, const struct report_output *output)
{
    struct writing w = {
        .figures = figures, .output = output, .emit = {.out = output->out, .pretty = true}};
    emit_open(&w.emit, NULL, '{');
    emit_text(&w.emit, "report", "mxtap");
    emit_number(&w.emit, "schema", 1);
    put_verdict(&w);
    put_judged(&w);
    put_policies(&w, "policies", figures->policy);
    if (figures->survey)
        put_policies(&w, "survey_policies", figures->survey_policy);
    put_totals(&w);
    put_choices(&w);
    put_peer_counts(&w);
    if (!output->anonymous) {
        put_peers(&w);
        put_own(&w);
        put_incidents(&w);
        put_certificates(&w);
    }
    put_series(&w, "days", "day", false);
    put_series(&w, "weeks", "monday", true);
    put_evidence(&w);
    emit_close(&w.emit, '}');
    fputc('\n', output->out);
    bool whole = !w.prose.failed;
    prose_free(&w.prose);
    return whole;
}
