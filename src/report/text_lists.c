/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of the text report: peers, interference, failures, certificates, our servers, days. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/page.h"

static void line_end(const struct page *page)
{
    fputc('\n', page->output->out);
}

/* A name that is longer than its column has a line of its own: nothing is cut. */
static void name_column(struct page *page, const char *name, unsigned width)
{
    const char *safe = page_safe(page, name);
    fputs("   ", page->output->out);
    page_left(page, safe, width);
    if (page_width(safe) > width) {
        line_end(page);
        fprintf(page->output->out, "%*s", (int)width + 3, "");
    }
}

enum { NAME_COLUMN = 19 };

static void cannot_row(struct page *page, const struct peer_figures *peer)
{
    const struct figures *figures = page->figures;
    name_column(page, aggregate_text(figures->aggregate, peer->name), NAME_COLUMN);
    FILE *out = page->output->out;
    fprintf(out, " %-7s %-3s %-7s", wording_named_by((enum named_by)peer->by),
            wording_flows(peer->flows).text, wording_at_most(figures, peer));
    page_right(page, wording_number(peer->cannot).text, 9);
    page_right(page, wording_number(peer->cannot_substantial).text, 6);
    fprintf(out, "  %-10s", wording_when(figures, peer->last_cannot).text);
    if (peer->fallback)
        page_tone(page, TONE_BAD);
    fprintf(out, " %s", wording_otherwise(peer).text);
    if (peer->fallback)
        page_tone(page, TONE_PLAIN);
    line_end(page);
}

static void plain_row(struct page *page, const struct peer_figures *peer, uint64_t count,
                      int64_t last)
{
    const struct figures *figures = page->figures;
    name_column(page, aggregate_text(figures->aggregate, peer->name), NAME_COLUMN + 9);
    fprintf(page->output->out, " %-7s %-3s", wording_named_by((enum named_by)peer->by),
            wording_flows(peer->flows).text);
    page_right(page, wording_number(count).text, 10);
    page_right(page, wording_number(peer->sessions).text, 10);
    fprintf(page->output->out, "  %s", wording_when(figures, last).text);
    line_end(page);
}

static void list_cannot(struct page *page)
{
    const struct figures *figures = page->figures;
    if (!figures->as[AS_CANNOT])
        return;
    char label[REQUIREMENT_LABEL];
    uint64_t sessions = figures->as[AS_CANNOT];
    page_head(page, "Cannot do %s: %s %s, %s %s", requirement_label(&figures->requirement, label),
              wording_peers(figures->peers_cannot, figures->folded_cannot).text,
              figures->peers_cannot == 1 ? "peer" : "peers", wording_number(sessions).text,
              sessions == 1 ? "session" : "sessions");
    fputs("   peer                named   dir at most  sessions  >1KB  last seen  otherwise\n",
          page->output->out);
    for (uint32_t i = 0; i < figures->peer_count && figures->peers[i].cannot; i++)
        cannot_row(page, &figures->peers[i]);
    line_end(page);
}

static void list_of(struct page *page, unsigned list, const char *title, uint32_t peers)
{
    const struct figures *figures = page->figures;
    if (!(page->output->lists & list))
        return;
    page_head(page, "%s: %s %s", title, wording_number(peers).text, peers == 1 ? "peer" : "peers");
    fputs("   peer                         named   dir  sessions    of all  last seen\n",
          page->output->out);
    for (uint32_t i = 0; i < figures->peer_count; i++) {
        const struct peer_figures *peer = &figures->peers[i];
        if (!report_lists(peer, list))
            continue;
        uint64_t count = list == LIST_CLEAR    ? peer->clear
                         : list == LIST_FAILED ? peer->failed
                         : list == LIST_ALL    ? peer->sessions
                                               : peer->unknown;
        int64_t last = list == LIST_CLEAR    ? peer->last_clear
                       : list == LIST_FAILED ? peer->last_failed
                                             : peer->last;
        plain_row(page, peer, count, last);
    }
    line_end(page);
}

static void servers_without(struct page *page)
{
    const struct figures *figures = page->figures;
    uint32_t without = figures->servers_without;
    if (!without)
        return;
    page_head(page, "Offer no STARTTLS: %s of %s servers of peers", wording_number(without).text,
              wording_number(figures->servers).text);
    for (uint32_t i = 0; i < figures->peer_count; i++) {
        const struct peer_figures *peer = &figures->peers[i];
        if ((peer->servers & (SERVER_SEEN | SERVER_OFFERED | SERVER_REFUSED)) != SERVER_SEEN)
            continue;
        const char *address = peer->addresses ? "several addresses"
                                              : aggregate_text(figures->aggregate, peer->address);
        name_column(page, aggregate_text(figures->aggregate, peer->name), 30);
        fprintf(page->output->out, " %-7s %-17s", wording_named_by((enum named_by)peer->by),
                address);
        page_right(page, wording_number(peer->clear).text, 6);
        fputs(" in clear\n", page->output->out);
    }
    line_end(page);
}

void page_peers(struct page *page)
{
    const struct figures *figures = page->figures;
    list_cannot(page);
    servers_without(page);
    if (figures->peers_clear) {
        page_head(page, "In clear text: %s sessions, with %s %s%s",
                  wording_number(figures->policy[POLICY_TODAY].clear.low).text,
                  wording_peers(figures->peers_clear, figures->folded_clear).text,
                  figures->peers_clear == 1 ? "peer" : "peers",
                  page->output->lists & LIST_CLEAR ? "" : "   (--peers clear lists them)");
        line_end(page);
    }
    list_of(page, LIST_CLEAR, "Peers with mail in clear text", figures->peers_clear);
    list_of(page, LIST_FAILED, "Peers with failed handshakes", figures->peers_failed);
    list_of(page, LIST_UNKNOWN, "Peers that were not tested", figures->peers_unknown);
    list_of(page, LIST_ALL, "All peers", figures->peer_count);
}

static void incident_row(struct page *page, const struct incident *incident)
{
    const struct aggregate *aggregate = page->figures->aggregate;
    FILE *out = page->output->out;
    int64_t seconds = incident->time_ns / 1000000000;
    fprintf(out, "   %s:%02u  %s  %s\n", wording_minute(seconds).text,
            (unsigned)((seconds % 60 + 60) % 60),
            page_safe(page, aggregate_text(aggregate, incident->uid)),
            wording_finding((enum finding)incident->finding));
    struct prose line = {0};
    prose_add(&line, "%s", aggregate_text(aggregate, incident->client));
    if (incident->client_name) {
        prose_add(&line, " (");
        wording_safe(&line, aggregate_text(aggregate, incident->client_name));
        prose_add(&line, ")");
    }
    prose_add(&line, " to %s", aggregate_text(aggregate, incident->server));
    if (incident->server_name) {
        prose_add(&line, " (");
        wording_safe(&line, aggregate_text(aggregate, incident->server_name));
        prose_add(&line, ")");
    }
    page_wrap(page, line.text ? line.text : "", 5, 7);
    prose_free(&line);
}

void page_incidents(struct page *page)
{
    const struct figures *figures = page->figures;
    uint32_t count = figures->aggregate->incidents.count;
    prose_clear(&page->prose);
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (figures->findings[i] && (word_finding_class((enum finding)i) == FINDING_ATTACK ||
                                     i == FINDING_PLAINTEXT_FALLBACK))
            prose_add(&page->prose, "%s%s in %s", page->prose.length ? ", " : "Interference: ",
                      wording_finding((enum finding)i), wording_number(figures->findings[i]).text);
    if (!page->prose.length)
        return;
    page_wrap(page, page->prose.text, 1, 3);
    const struct incident **list = report_incidents(figures->aggregate);
    enum { SHOWN = 20 };
    for (uint32_t i = 0; list && i < count && i < SHOWN; i++)
        incident_row(page, list[i]);
    if (count > SHOWN)
        fprintf(page->output->out, "   ... and %s more: --format json or html lists them\n",
                wording_number(count - SHOWN).text);
    memory_free(list);
    line_end(page);
}

void page_failures(struct page *page)
{
    const struct figures *figures = page->figures;
    const struct word_list *reasons = &figures->reasons;
    uint64_t failed = 0;
    for (uint32_t i = 0; i < reasons->count; i++)
        failed += reasons->items[i].count;
    if (!failed)
        return;
    prose_clear(&page->prose);
    prose_add(&page->prose, "Failed handshakes: %s:", wording_number(failed).text);
    for (uint32_t i = 0; i < reasons->count; i++) {
        prose_add(&page->prose, "%s ", i ? "," : "");
        wording_safe(
            &page->prose,
            wording_reason(aggregate_text(figures->aggregate, reasons->items[i].word)).text);
        prose_add(&page->prose, " %s", wording_number(reasons->items[i].count).text);
    }
    if (!page->output->anonymous && !(page->output->lists & LIST_FAILED))
        prose_add(&page->prose, "   (--peers failed)");
    page_wrap(page, page->prose.text, 1, 3);
    line_end(page);
}

static void certificate_row(struct page *page, const struct certificate_shown *shown, int64_t now)
{
    const struct aggregate *aggregate = page->figures->aggregate;
    bool expired = shown->seen->key.not_after < now;
    fputs("   ", page->output->out);
    page_left(page, expired ? "expired" : "expires", 8);
    fprintf(page->output->out, "%s  ", wording_date(shown->seen->key.not_after).text);
    struct prose line = {0};
    wording_safe(&line, aggregate_text(aggregate, shown->seen->key.name));
    prose_add(&line, ", %s", aggregate_text(aggregate, shown->seen->key.server));
    if (shown->servers > 1)
        prose_add(&line, " and %u more", (unsigned)shown->servers - 1);
    prose_add(&line, ": %s %s", wording_number(shown->sessions).text,
              shown->sessions == 1 ? "session" : "sessions");
    if (page_width(line.text ? line.text : "") + 23 <= PAGE_WIDTH) {
        fprintf(page->output->out, "%s\n", line.text ? line.text : "");
    } else {
        line_end(page);
        page_wrap(page, line.text ? line.text : "", 5, 7);
    }
    prose_free(&line);
}

void page_certificates(struct page *page)
{
    const struct aggregate *aggregate = page->figures->aggregate;
    uint32_t count = 0, ending = 0;
    struct certificate_shown *list = report_certificates(aggregate, &count);
    if (!list || !count) {
        memory_free(list);
        return;
    }
    int64_t now = aggregate->last_ns / 1000000000;
    while (ending < count && list[ending].seen->key.not_after < now + REPORT_CERTIFICATE_SOON)
        ending++;
    page_head(page, "Certificates expired, or about to within 30 days: %s of %s%s visible",
              wording_number(ending).text, aggregate->certificates_cut ? "at least " : "",
              wording_number(count).text);
    for (uint32_t i = 0; i < ending; i++)
        certificate_row(page, &list[i], now);
    line_end(page);
    memory_free(list);
}

static void own_row(struct page *page, const struct own_figures *own)
{
    const struct aggregate *aggregate = page->figures->aggregate;
    prose_clear(&page->prose);
    prose_add(&page->prose, "%s", aggregate_text(aggregate, own->address));
    if (own->name) {
        prose_add(&page->prose, " (");
        wording_safe(&page->prose, aggregate_text(aggregate, own->name));
        prose_add(&page->prose, ")");
    }
    prose_add(&page->prose, ": %s TLS of %s sessions", wording_number(own->tls).text,
              wording_number(own->sessions).text);
    for (unsigned version = TLS_VERSION_TLS13; version > TLS_VERSION_NONE; version--)
        if (own->versions[version])
            prose_add(&page->prose, ", %s %s", word_tls_version((enum tls_version)version),
                      wording_number(own->versions[version]).text);
    if (own->cipher) {
        prose_add(&page->prose, "; mostly ");
        wording_safe(&page->prose, aggregate_text(aggregate, own->cipher));
    }
    if (own->group) {
        prose_add(&page->prose, ", ");
        wording_safe(&page->prose, aggregate_text(aggregate, own->group));
    }
    if ((own->servers & (SERVER_SEEN | SERVER_OFFERED)) == SERVER_SEEN)
        prose_add(&page->prose, "; offers no STARTTLS");
    page_wrap(page, page->prose.text ? page->prose.text : "", 3, 5);
}

void page_own(struct page *page)
{
    const struct figures *figures = page->figures;
    bool headed = false;
    for (uint32_t i = 0; i < figures->own_count; i++) {
        if (figures->own[i].side != SIDE_SERVER)
            continue;
        if (!headed)
            page_head(page, "Our own servers: what each chooses");
        headed = true;
        own_row(page, &figures->own[i]);
    }
    if (headed)
        line_end(page);
}

/* One figure of each day, or of each week where there are many days; days without a session are
 * left out. */
static void add_series(const struct figures *figures, struct prose *prose, bool weekly)
{
    for (uint32_t i = 0; i < figures->day_count;) {
        int64_t at = weekly ? figures_monday(figures->days[i].day) : figures->days[i].day;
        uint64_t cannot = 0, sessions = 0;
        for (; i < figures->day_count &&
               (weekly ? figures_monday(figures->days[i].day) : figures->days[i].day) == at;
             i++) {
            cannot += figures->days[i].as[AS_CANNOT];
            sessions += figures->days[i].sessions;
        }
        if (!sessions)
            continue;
        bool named = !weekly && figures->day_count <= 7;
        prose_add(prose, "%s %s %s", prose->length ? "," : "",
                  named ? wording_weekday(at) : wording_date(at).text, wording_number(cannot).text);
    }
}

void page_days(struct page *page)
{
    const struct figures *figures = page->figures;
    if (figures->day_count < 2)
        return;
    bool weekly = figures->day_count > REPORT_DAYS_SHOWN;
    prose_clear(&page->prose);
    struct prose series = {0};
    add_series(figures, &series, weekly);
    prose_add(&page->prose, "Sessions that cannot, by %s:%s",
              weekly ? "week (from Monday, UTC)" : "day (UTC)", series.text ? series.text : "");
    prose_free(&series);
    page_wrap(page, page->prose.text, 1, 3);
    line_end(page);
}
