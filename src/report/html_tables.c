/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of the HTML report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/html.h"

void html_policies(struct html *html)
{
    const struct figures *figures = html->figures;
    const struct policy_line *lines = figures_policy(figures);
    struct prose label = {0};
    fprintf(html->out,
            "<section id=\"policies\"><h2>If you ...</h2><table "
            "class=\"cards\"><thead><tr><th></th><th class=\"n\">TLS %s</th>"
            "<th class=\"n\">Clear text</th><th class=\"n\">%s</th></tr></thead><tbody>\n",
            figures->survey ? "servers" : "sessions", figures->survey ? "No mail" : "Refused");
    uint64_t total = lines[POLICY_TODAY].tls.low + lines[POLICY_TODAY].clear.low +
                     lines[POLICY_TODAY].refused.low;
    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        fputs("<tr><td>", html->out);
        html_text(html, wording_policy(figures, i, &label));
        html_policy_bar(html, &lines[i]);
        fprintf(html->out, "</td><td class=\"n\" data-l=\"TLS\">%s",
                wording_range(lines[i].tls).text);
        if (lines[i].tls.low == lines[i].tls.high && total)
            fprintf(html->out, " <small>%s</small>", wording_percent(lines[i].tls.low, total).text);
        fprintf(html->out,
                "</td><td class=\"n\" data-l=\"Clear text\">%s</td><td class=\"n\" "
                "data-l=\"%s\">%s</td></tr>\n",
                wording_range(lines[i].clear).text, figures->survey ? "No mail" : "Refused",
                wording_range(lines[i].refused).text);
    }
    fputs("</tbody></table>\n", html->out);
    if (lines[POLICY_DROP].clear.low != lines[POLICY_DROP].clear.high)
        fputs("<p class=\"soft\">A range (pale in the bar) where it was not observed whether a "
              "sender tries again without TLS, as most do, "
              "or gives up.</p>\n",
              html->out);
    html_end(html);
    prose_free(&label);
}

static void total_row(struct html *html, const char *label, const uint64_t counts[FLOW_COUNT],
                      bool zero_too, bool sub)
{
    uint64_t sum = 0;
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        sum += counts[flow];
    if (!sum && !zero_too)
        return;
    fprintf(html->out, "<tr><td%s>%s</td>", sub ? " class=\"sub\"" : "", label);
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        if (html->figures->flows[flow])
            html_cell_number(html, wording_flow(flow), counts[flow]);
    fputs("</tr>\n", html->out);
}

static void word_rows(struct html *html, const char *title, const struct word_list *list,
                      uint64_t total)
{
    fprintf(html->out,
            "<table><thead><tr><th>%s</th><th class=\"n\">Sessions</th><th "
            "class=\"n\"></th></tr></thead><tbody>\n",
            title);
    for (uint32_t i = 0; i < list->count; i++) {
        fputs("<tr><td>", html->out);
        if (list->items[i].word)
            html_string(html, list->items[i].word);
        else
            fputs("not seen or none", html->out);
        fputs("</td>", html->out);
        html_cell_number(html, "sessions", list->items[i].count);
        fprintf(html->out, "<td class=\"n\">%s</td></tr>\n",
                wording_percent(list->items[i].count, total).text);
    }
    fputs("</tbody></table>\n", html->out);
}

void html_totals(struct html *html)
{
    const struct figures *figures = html->figures;
    html_section(html, "totals", "Totals");
    fputs("<table><thead><tr><th>Sessions</th>", html->out);
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        if (figures->flows[flow])
            fprintf(html->out, "<th class=\"n\">%s</th>", wording_flow(flow));
    fputs("</tr></thead><tbody>\n", html->out);
    total_row(html, "TLS", figures->outcomes[OUTCOME_TLS], true, false);
    for (unsigned version = TLS_VERSION_TLS13; version > TLS_VERSION_NONE; version--)
        total_row(html, word_tls_version((enum tls_version)version), figures->versions[version],
                  false, true);
    total_row(html, "version not seen", figures->versions[TLS_VERSION_NONE], false, true);
    total_row(html, "clear text", figures->outcomes[OUTCOME_PLAINTEXT], true, false);
    total_row(html, "handshake failed", figures->outcomes[OUTCOME_TLS_FAILED], true, false);
    total_row(html, "no mail", figures->outcomes[OUTCOME_NO_MAIL], false, false);
    total_row(html, "not SMTP", figures->outcomes[OUTCOME_NOT_SMTP], false, false);
    total_row(html, "unknown", figures->outcomes[OUTCOME_UNKNOWN], false, false);
    fputs("</tbody></table>\n", html->out);
    uint64_t tls = figures->policy[POLICY_TODAY].tls.low;
    if (tls) {
        fputs("<details><summary>Ciphers and groups chosen</summary>\n", html->out);
        word_rows(html, "Cipher", &figures->ciphers, tls);
        word_rows(html, "Group", &figures->groups, tls);
        fputs("</details>\n", html->out);
    }
    if (figures->servers)
        fprintf(html->out,
                "<p>STARTTLS is offered by %s of the peers' %s servers, refused by %s.</p>\n",
                wording_number(figures->servers_offering).text,
                wording_number(figures->servers).text,
                wording_number(figures->servers_refusing).text);
    html_end(html);
}

static void cannot_row(struct html *html, const struct peer_figures *peer)
{
    const struct figures *figures = html->figures;
    fputs("<tr>", html->out);
    html_cell_string(html, "peer", peer->name);
    html_cell(html, "named by", wording_named_by((enum named_by)peer->by));
    html_cell(html, "direction", wording_flows(peer->flows).text);
    html_cell(html, "at most", wording_at_most(figures, peer));
    html_cell_number(html, "sessions", peer->cannot);
    html_cell_number(html, "over 1 KB", peer->cannot_substantial);
    html_cell(html, "last seen", wording_minute(peer->last_cannot).text);
    fprintf(html->out, "<td data-l=\"otherwise\"%s>%s</td></tr>\n",
            peer->fallback ? " class=\"warn\"" : "", wording_otherwise(peer).text);
}

struct ordered {
    const struct peer_figures *peer;
    const char *name;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ordered *)a)->name, ((const struct ordered *)b)->name);
}

static int by_last(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    int64_t p = x->peer->last_cannot, q = y->peer->last_cannot;
    return p != q ? (p < q ? 1 : -1) : strcmp(x->name, y->name);
}

static void cannot_table(struct html *html, const struct ordered *list, uint32_t count,
                         unsigned order)
{
    fprintf(html->out,
            "<div class=\"order by%u\"><table class=\"cards\"><thead><tr><th>Peer</th><th>Named "
            "by</th><th>Direction</th><th>At most</th>"
            "<th class=\"n\">Sessions</th><th class=\"n\">&gt; 1 KB</th><th>Last seen "
            "(UTC)</th><th>Otherwise</th></tr></thead><tbody>\n",
            order);
    for (uint32_t i = 0; i < count; i++)
        cannot_row(html, list[i].peer);
    fputs("</tbody></table></div>\n", html->out);
}

/* Sorting without scripts: the table is there in each order, and a radio button shows one. */
enum { SORTABLE = 500 };

void html_peers(struct html *html)
{
    const struct figures *figures = html->figures;
    uint32_t count = figures->peers_cannot;
    struct ordered *list = memory_new_array(count, sizeof *list);
    if (!figures->as[AS_CANNOT] || !list) {
        html->prose.failed |= !list;
        memory_free(list);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct ordered){&figures->peers[i],
                                   aggregate_text(figures->aggregate, figures->peers[i].name)};
    char label[REQUIREMENT_LABEL], title[320];
    snprintf(title, sizeof title, "Cannot do %s: %s %s, %s %s",
             requirement_label(&figures->requirement, label),
             wording_peers(count, figures->folded_cannot).text, count == 1 ? "peer" : "peers",
             wording_number(figures->as[AS_CANNOT]).text,
             figures->as[AS_CANNOT] == 1 ? "session" : "sessions");
    html_section(html, "cannot", title);
    bool sortable = count > 1 && count <= SORTABLE;
    fputs("<input class=\"radio\" type=\"radio\" name=\"o\" id=\"o1\" checked>", html->out);
    if (sortable)
        fputs("<input class=\"radio\" type=\"radio\" name=\"o\" id=\"o2\"><input class=\"radio\" "
              "type=\"radio\" name=\"o\" id=\"o3\">"
              "<div class=\"orders\">Order by <label for=\"o1\">sessions</label><label "
              "for=\"o2\">name</label>"
              "<label for=\"o3\">last seen</label></div>\n",
              html->out);
    cannot_table(html, list, count, 1);
    if (sortable) {
        qsort(list, count, sizeof *list, by_name);
        cannot_table(html, list, count, 2);
        qsort(list, count, sizeof *list, by_last);
        cannot_table(html, list, count, 3);
    }
    html_end(html);
    memory_free(list);
}

static void clear_row(struct html *html, const struct peer_figures *peer)
{
    fputs("<tr>", html->out);
    html_cell_string(html, "peer", peer->name);
    html_cell(html, "named by", wording_named_by((enum named_by)peer->by));
    html_cell(html, "direction", wording_flows(peer->flows).text);
    html_cell_number(html, "in clear text", peer->clear);
    html_cell_number(html, "after a failure", peer->fallback);
    html_cell_number(html, "of all", peer->sessions);
    html_cell(html, "last seen", wording_minute(peer->last_clear).text);
    fputs("</tr>\n", html->out);
}

/* A longer list is folded away until it is asked for, or printed. */
enum { OPEN_ROWS = 20 };

void html_clear(struct html *html)
{
    const struct figures *figures = html->figures;
    uint64_t clear = figures->policy[POLICY_TODAY].clear.low;
    if (!clear && !figures->servers_without)
        return;
    char title[256];
    snprintf(title, sizeof title, "In clear text: %s %s, with %s %s", wording_number(clear).text,
             clear == 1 ? "session" : "sessions",
             wording_peers(figures->peers_clear, figures->folded_clear).text,
             figures->peers_clear == 1 ? "peer" : "peers");
    html_section(html, "clear", title);
    if (figures->peers_clear)
        fprintf(html->out, "<details%s><summary>The list</summary>\n",
                figures->peers_clear <= OPEN_ROWS ? " open" : "");
    if (figures->peers_clear)
        fputs("<table class=\"cards\"><thead><tr><th>Peer</th><th>Named "
              "by</th><th>Direction</th><th class=\"n\">In clear text</th>"
              "<th class=\"n\">After a failure</th><th class=\"n\">Of all</th><th>Last seen "
              "(UTC)</th></tr></thead><tbody>\n",
              html->out);
    for (uint32_t i = 0; i < figures->peer_count; i++)
        if (figures->peers[i].clear)
            clear_row(html, &figures->peers[i]);
    if (figures->peers_clear)
        fputs("</tbody></table></details>\n", html->out);
    if (figures->servers_without) {
        fprintf(html->out, "<p>No STARTTLS is offered by %s of the peers' %s servers: ",
                wording_number(figures->servers_without).text,
                wording_number(figures->servers).text);
        bool first = true;
        for (uint32_t i = 0; i < figures->peer_count; i++) {
            if ((figures->peers[i].servers & (SERVER_SEEN | SERVER_OFFERED | SERVER_REFUSED)) !=
                SERVER_SEEN)
                continue;
            fputs(first ? "" : ", ", html->out);
            html_string(html, figures->peers[i].name);
            first = false;
        }
        fputs(".</p>\n", html->out);
    }
    html_end(html);
}

void html_incidents(struct html *html)
{
    const struct aggregate *aggregate = html->figures->aggregate;
    if (!aggregate->incidents.count)
        return;
    const struct incident **list = report_incidents(aggregate);
    html->prose.failed |= !list;
    html_section(html, "interference", "Interference, and falls to clear text");
    fputs("<table class=\"cards\"><thead><tr><th>What</th><th>Time "
          "(UTC)</th><th>uid</th><th>Client</th><th>Server</th></tr></thead><tbody>\n",
          html->out);
    for (uint32_t i = 0; list && i < aggregate->incidents.count; i++) {
        const struct incident *incident = list[i];
        int64_t seconds = incident->time_ns / 1000000000;
        fputs("<tr>", html->out);
        html_cell(html, "what", wording_finding((enum finding)incident->finding));
        fprintf(html->out, "<td data-l=\"time\">%s:%02u</td>", wording_minute(seconds).text,
                (unsigned)((seconds % 60 + 60) % 60));
        fputs("<td class=\"mono\" data-l=\"uid\">", html->out);
        html_string(html, incident->uid);
        fputs("</td><td data-l=\"client\">", html->out);
        html_string(html, incident->client);
        fputs(" ", html->out);
        html_string(html, incident->client_name);
        fputs("</td><td data-l=\"server\">", html->out);
        html_string(html, incident->server);
        fputs(" ", html->out);
        html_string(html, incident->server_name);
        fputs("</td></tr>\n", html->out);
    }
    fputs("</tbody></table>\n", html->out);
    html_end(html);
    memory_free(list);
}

void html_failures(struct html *html)
{
    const struct figures *figures = html->figures;
    uint64_t failed = 0;
    for (uint32_t i = 0; i < figures->reasons.count; i++)
        failed += figures->reasons.items[i].count;
    if (!failed)
        return;
    char title[256];
    snprintf(title, sizeof title, "Failed handshakes: %s", wording_number(failed).text);
    html_section(html, "failed", title);
    fputs("<table><tbody>\n", html->out);
    for (uint32_t i = 0; i < figures->reasons.count; i++) {
        fputs("<tr><td>", html->out);
        html_text(html,
                  wording_reason(aggregate_text(figures->aggregate, figures->reasons.items[i].word))
                      .text);
        fputs("</td>", html->out);
        html_cell_number(html, "sessions", figures->reasons.items[i].count);
        fputs("</tr>\n", html->out);
    }
    fputs("</tbody></table>\n", html->out);
    html_end(html);
}

void html_own(struct html *html)
{
    const struct figures *figures = html->figures;
    bool any = false;
    for (uint32_t i = 0; i < figures->own_count; i++)
        any |= figures->own[i].side == SIDE_SERVER || figures->own[i].lacking;
    if (!any)
        return;
    html_section(html, "own", "Our own servers: what each chooses");
    prose_clear(&html->prose);
    wording_add_own(figures, &html->prose);
    if (html->prose.length) {
        struct prose own = html->prose; /* html_text uses the scratch */
        html->prose = (struct prose){0};
        fputs("<p class=\"warn\">", html->out);
        html_text(html, own.text);
        fputs("</p>\n", html->out);
        prose_free(&own);
    }
    fputs("<table class=\"cards\"><thead><tr><th>Host</th><th>Name</th><th class=\"n\">TLS</th><th "
          "class=\"n\">1.3</th><th class=\"n\">1.2</th>"
          "<th class=\"n\">Older</th><th>Mostly</th></tr></thead><tbody>\n",
          html->out);
    for (uint32_t i = 0; i < figures->own_count; i++) {
        const struct own_figures *own = &figures->own[i];
        if (own->side != SIDE_SERVER)
            continue;
        uint64_t older = 0;
        for (unsigned version = TLS_VERSION_SSL2; version < TLS_VERSION_TLS12; version++)
            older += own->versions[version];
        fputs("<tr>", html->out);
        html_cell_string(html, "host", own->address);
        html_cell_string(html, "name", own->name);
        html_cell_number(html, "TLS", own->tls);
        html_cell_number(html, "1.3", own->versions[TLS_VERSION_TLS13]);
        html_cell_number(html, "1.2", own->versions[TLS_VERSION_TLS12]);
        html_cell_number(html, "older", older);
        html_cell_string(html, "mostly", own->cipher);
        fputs("</tr>\n", html->out);
    }
    fputs("</tbody></table>\n", html->out);
    html_end(html);
}

void html_next(struct html *html)
{
    const struct figures *figures = html->figures;
    uint64_t tls = figures->policy[POLICY_TODAY].tls.low, v13 = 0;
    if (!tls)
        return;
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        v13 += figures->versions[TLS_VERSION_TLS13][flow];
    html_section(html, "next", "Ready for what comes next?");
    html_share_bar(html, "Forward secrecy chosen", figures->pfs[TRISTATE_YES],
                   figures->pfs_offered[TRISTATE_YES], tls);
    html_share_bar(html, "TLS 1.3 chosen", v13, UINT64_MAX, tls);
    html_share_bar(html, "Post-quantum key exchange chosen", figures->pq[TRISTATE_YES],
                   figures->pq_offered[TRISTATE_YES], tls);
    html_end(html);
}

void html_certificates(struct html *html)
{
    const struct aggregate *aggregate = html->figures->aggregate;
    uint32_t count = 0, ending = 0;
    struct certificate_shown *list = report_certificates(aggregate, &count);
    if (!list || !count) {
        html->prose.failed |= !list;
        memory_free(list);
        return;
    }
    int64_t now = aggregate->last_ns / 1000000000;
    while (ending < count && list[ending].seen->key.not_after < now + REPORT_CERTIFICATE_SOON)
        ending++;
    char title[256];
    snprintf(title, sizeof title,
             "Certificates expired, or about to within 30 days: %s of %s%s visible",
             wording_number(ending).text, aggregate->certificates_cut ? "at least " : "",
             wording_number(count).text);
    html_section(html, "certificates", title);
    if (ending)
        fputs("<table class=\"cards\"><thead><tr><th>Name</th><th>Ends</th><th>Server</th><th "
              "class=\"n\">Sessions</th></tr></thead><tbody>\n",
              html->out);
    for (uint32_t i = 0; i < ending; i++) {
        fputs("<tr>", html->out);
        html_cell_string(html, "name", list[i].seen->key.name);
        fprintf(html->out, "<td data-l=\"ends\"%s>%s</td><td data-l=\"server\">",
                list[i].seen->key.not_after < now ? " class=\"warn\"" : "",
                wording_date(list[i].seen->key.not_after).text);
        html_string(html, list[i].seen->key.server);
        if (list[i].servers > 1)
            fprintf(html->out, " and %u more", (unsigned)list[i].servers - 1);
        fputs("</td>", html->out);
        html_cell_number(html, "sessions", list[i].sessions);
        fputs("</tr>\n", html->out);
    }
    if (ending)
        fputs("</tbody></table>\n", html->out);
    html_end(html);
    memory_free(list);
}
