/* SPDX-License-Identifier: BSD-2-Clause */
/* The charts of the HTML report. Widths are in thousandths of the space there is. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html.h"

enum { WHOLE = 1000, BAR = 18, DAYS_HEIGHT = 200, CHART_DAYS = 92, MULTIPLES = 8 };

static unsigned share(uint64_t part, uint64_t of)
{
    return of ? (unsigned)((double)part / (double)of * WHOLE + 0.5) : 0;
}

/* What is not nothing is seen, if only as a sliver. */
static unsigned seen_share(uint64_t part, uint64_t of)
{
    unsigned width = share(part, of);
    return part && width < 3 ? 3 : width;
}

static unsigned segment(struct html *html, unsigned at, uint64_t part, uint64_t of,
                        const char *class, const char *what)
{
    unsigned width = seen_share(part, of);
    if (at + width > WHOLE)
        width = WHOLE - at;
    if (width)
        fprintf(
            html->out,
            "<rect class=\"%s\" x=\"%u\" width=\"%u\" height=\"%d\"><title>%s %s</title></rect>",
            class, at, width, BAR, what, wording_number(part).text);
    return at + width;
}

static void open_bar(struct html *html, const char *label)
{
    fprintf(html->out,
            "<svg viewBox=\"0 0 %d %d\" height=\"%d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s\">",
            WHOLE, BAR, BAR, label);
}

/* TLS, what may be TLS, clear text or nothing, clear text, refused. */
void html_policy_bar(struct html *html, const struct policy_line *line)
{
    uint64_t total = line->tls.high + line->clear.low + line->refused.low;
    uint64_t sure = line->tls.low + line->clear.low + line->refused.low;
    if (total < line->tls.low + line->clear.high + line->refused.low)
        total = line->tls.low + line->clear.high + line->refused.low;
    uint64_t open = total - sure;
    unsigned at = 0;
    open_bar(html, "share of TLS, clear text and refused");
    /* The small parts get their sliver first; TLS is what is left. */
    unsigned small = seen_share(line->clear.low, total) + seen_share(open, total) +
                     seen_share(line->refused.low, total);
    if (line->tls.low) {
        fprintf(html->out,
                "<rect class=\"v13\" width=\"%u\" height=\"%d\"><title>TLS %s</title></rect>",
                WHOLE - small, BAR, wording_range(line->tls).text);
        at = WHOLE - small;
    }
    at = segment(html, at, open, total, "clear half", "clear text or not at all:");
    at = segment(html, at, line->clear.low, total, "clear", "clear text");
    segment(html, at, line->refused.low, total, "unknown", "refused");
    fputs("</svg>", html->out);
}

void html_share_bar(struct html *html, const char *label, uint64_t part, uint64_t offered,
                    uint64_t of)
{
    fprintf(html->out, "<figure><figcaption>%s: %s of %s (%s)", label, wording_number(part).text,
            wording_number(of).text, wording_percent(part, of).text);
    if (offered != UINT64_MAX)
        fprintf(html->out, "; offered by the client in %s", wording_number(offered).text);
    fputs("</figcaption>", html->out);
    open_bar(html, label);
    fprintf(html->out, "<rect class=\"track\" width=\"%d\" height=\"%d\"/>", WHOLE, BAR);
    segment(html, 0, part, of, "v13", label);
    fputs("</svg></figure>\n", html->out);
}

/* The last days of a long period; the caption says so. */
static uint32_t first_shown(const struct figures *figures)
{
    return figures->day_count > CHART_DAYS ? figures->day_count - CHART_DAYS : 0;
}

enum { PART_V13, PART_V12, PART_OLD, PART_UNKNOWN, PART_CLEAR, PARTS };
static const char *const part_class[PARTS] = {"v13", "v12", "old", "unknown", "clear"};
static const char *const part_name[PARTS] = {"TLS 1.3", "TLS 1.2", "older", "version not seen",
                                             "clear text"};

static void day_parts(const struct day_figures *day, unsigned half, uint64_t parts[PARTS])
{
    const uint64_t *versions = day->versions[half];
    parts[PART_V13] = versions[TLS_VERSION_TLS13];
    parts[PART_V12] = versions[TLS_VERSION_TLS12];
    parts[PART_OLD] = 0;
    for (unsigned version = TLS_VERSION_SSL2; version < TLS_VERSION_TLS12; version++)
        parts[PART_OLD] += versions[version];
    parts[PART_UNKNOWN] = versions[TLS_VERSION_NONE];
    parts[PART_CLEAR] = day->clear[half];
}

static uint64_t day_total(const uint64_t parts[PARTS])
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PARTS; i++)
        sum += parts[i];
    return sum;
}

static uint64_t highest_day(const struct figures *figures)
{
    uint64_t highest = 1;
    for (uint32_t i = first_shown(figures); i < figures->day_count; i++)
        for (unsigned half = 0; half < 2; half++) {
            uint64_t parts[PARTS];
            day_parts(&figures->days[i], half, parts);
            uint64_t sum = day_total(parts);
            highest = sum > highest ? sum : highest;
        }
    return highest;
}

static void day_column(struct html *html, const struct day_figures *day, unsigned half,
                       uint64_t highest, unsigned x, unsigned width)
{
    uint64_t parts[PARTS];
    day_parts(day, half, parts);
    double y = DAYS_HEIGHT;
    for (unsigned i = 0; i < PARTS; i++) {
        if (!parts[i])
            continue;
        double height = (double)parts[i] / (double)highest * DAYS_HEIGHT;
        height = height < 1.5 ? 1.5 : height;
        y -= height;
        fprintf(html->out,
                "<rect class=\"%s\" x=\"%u\" y=\"%.1f\" width=\"%u\" height=\"%.1f\"><title>%s %s: "
                "%s</title></rect>",
                part_class[i], x, y < 0 ? 0 : y, width, height, wording_date(day->day).text,
                part_name[i], wording_number(parts[i]).text);
    }
}

static void day_ticks(struct html *html)
{
    const struct figures *figures = html->figures;
    uint32_t first = first_shown(figures), count = figures->day_count - first;
    bool each = count <= 7;
    fprintf(html->out, "<div class=\"ticks%s\">", each ? " days" : "");
    for (uint32_t i = first; i < figures->day_count; i++) {
        int64_t day = figures->days[i].day;
        if (each)
            fprintf(html->out, "<span>%s %s</span>", wording_weekday(day),
                    wording_date(day).text + 8);
        else if (i == first || i == first + count / 2 || i + 1 == figures->day_count)
            fprintf(html->out, "<span>%s</span>", wording_date(day).text);
    }
    fputs("</div>", html->out);
}

static void days_half(struct html *html, unsigned half, const char *title, uint64_t highest)
{
    const struct figures *figures = html->figures;
    uint32_t first = first_shown(figures), count = figures->day_count - first;
    unsigned step = WHOLE / (count ? count : 1), gap = step > 12 ? step / 6 : 1;
    fprintf(html->out, "<figure><figcaption>%s; the top is %s sessions a day</figcaption>", title,
            wording_number(highest).text);
    fprintf(html->out,
            "<svg viewBox=\"0 0 %u %d\" height=\"110\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"%s\">",
            step * count, DAYS_HEIGHT, title);
    fprintf(html->out, "<rect class=\"track\" y=\"%d\" width=\"%u\" height=\"1\"/>",
            DAYS_HEIGHT - 1, step * count);
    for (uint32_t i = 0; i < count; i++)
        day_column(html, &figures->days[first + i], half, highest, i * step + gap / 2, step - gap);
    fputs("</svg>", html->out);
    day_ticks(html);
    fputs("</figure>\n", html->out);
}

void html_days_chart(struct html *html)
{
    const struct figures *figures = html->figures;
    if (!figures->day_count)
        return;
    uint64_t highest = highest_day(figures);
    bool both = figures->flows[FLOW_IN] && figures->sessions != figures->flows[FLOW_IN];
    html_section(html, "days", "Sessions per day, by what protected them");
    fputs("<div class=\"key\">", html->out);
    for (unsigned i = 0; i < PARTS; i++)
        fprintf(html->out, "<span><i class=\"%s\"></i>%s</span>", part_class[i], part_name[i]);
    fputs("</div>\n", html->out);
    if (figures->flows[FLOW_IN])
        days_half(html, 0, "Inbound", highest);
    if (both || !figures->flows[FLOW_IN])
        days_half(html, 1, both || figures->flows[FLOW_OUT] ? "Outbound" : "All", highest);
    if (figures->day_count > CHART_DAYS)
        fprintf(html->out, "<p class=\"soft\">The last %d of %u days; --format json has all.</p>\n",
                CHART_DAYS, (unsigned)figures->day_count);
    html_end(html);
}

static void small_multiple(struct html *html, uint32_t number, const uint64_t *counts,
                           uint64_t highest)
{
    const struct figures *figures = html->figures;
    const struct peer_figures *peer = &figures->peers[number];
    uint32_t first = first_shown(figures), count = figures->day_count - first;
    unsigned step = WHOLE / (count ? count : 1), gap = step > 12 ? step / 6 : 1;
    fputs("<figure><figcaption>", html->out);
    html_string(html, peer->name);
    fprintf(html->out, ": %s</figcaption>", wording_number(peer->cannot).text);
    fprintf(html->out, "<svg viewBox=\"0 0 %u %d\" height=\"48\" preserveAspectRatio=\"none\">",
            step * count, DAYS_HEIGHT);
    fprintf(html->out, "<rect class=\"track\" y=\"%d\" width=\"%u\" height=\"3\"/>",
            DAYS_HEIGHT - 3, step * count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = counts[first + i];
        double height = (double)value / (double)highest * DAYS_HEIGHT;
        if (value)
            fprintf(html->out,
                    "<rect class=\"old\" x=\"%u\" y=\"%.1f\" width=\"%u\" "
                    "height=\"%.1f\"><title>%s: %s</title></rect>",
                    i * step + gap / 2, DAYS_HEIGHT - height, step - gap, height,
                    wording_date(figures->days[first + i].day).text, wording_number(value).text);
    }
    fputs("</svg></figure>\n", html->out);
}

void html_peers_chart(struct html *html)
{
    const struct figures *figures = html->figures;
    uint32_t shown = figures->peers_cannot < MULTIPLES ? figures->peers_cannot : MULTIPLES;
    if (!shown || figures->day_count < 2)
        return;
    uint64_t *counts = memory_new_array((size_t)figures->day_count * shown, sizeof *counts),
             highest = 1;
    if (!counts) {
        html->prose.failed = true;
        return;
    }
    for (uint32_t i = 0; i < shown; i++)
        figures_peer_days(figures, i, counts + (size_t)i * figures->day_count);
    for (size_t i = 0; i < (size_t)figures->day_count * shown; i++)
        highest = counts[i] > highest ? counts[i] : highest;
    html_section(html, "peer-days", "Sessions that cannot, per day and peer");
    fputs("<p class=\"soft\">", html->out);
    if (shown < figures->peers_cannot)
        fprintf(html->out, "The busiest %u of %s peers, ", (unsigned)shown,
                wording_number(figures->peers_cannot).text);
    fprintf(html->out, "%s to the same scale: the top is %s a day.</p><div class=\"multiples\">\n",
            shown < figures->peers_cannot ? "all" : "All", wording_number(highest).text);
    for (uint32_t i = 0; i < shown; i++)
        small_multiple(html, i, counts + (size_t)i * figures->day_count, highest);
    fputs("</div>\n", html->out);
    html_end(html);
    memory_free(counts);
}
