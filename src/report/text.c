/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for a terminal: verdict, policies, totals; the lists are in text_lists.c. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

unsigned page_width(const char *text)
{
    unsigned width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void page_tone(const struct page *page, enum page_tone tone)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[1;32m", "\033[1;31m",
                                        "\033[1;33m"};
    if (page->output->colour)
        fputs(codes[tone], page->output->out);
}

static void spaces(const struct page *page, unsigned count)
{
    fprintf(page->output->out, "%*s", (int)count, "");
}

void page_wrap(const struct page *page, const char *text, unsigned first, unsigned rest)
{
    unsigned column = first;
    bool fresh = true;
    spaces(page, first);
    while (*text) {
        int length = (int)strcspn(text, " ");
        char word[512];
        snprintf(word, sizeof word, "%.*s", length, text);
        unsigned width = length < (int)sizeof word ? page_width(word) : (unsigned)length;
        if (!fresh && column + 1 + width > PAGE_WIDTH) {
            fputc('\n', page->output->out);
            spaces(page, rest);
            column = rest;
            fresh = true;
        }
        fprintf(page->output->out, "%s%.*s", fresh ? "" : " ", length, text);
        column += width + !fresh;
        fresh = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', page->output->out);
}

void page_left(const struct page *page, const char *text, unsigned width)
{
    unsigned have = page_width(text);
    fputs(text, page->output->out);
    spaces(page, have < width ? width - have : 0);
}

void page_right(const struct page *page, const char *text, unsigned width)
{
    unsigned have = page_width(text);
    spaces(page, have < width ? width - have : 0);
    fputs(text, page->output->out);
}

void page_head(const struct page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    page_tone(page, TONE_HEAD);
    fputc(' ', page->output->out);
    vfprintf(page->output->out, format, arguments);
    page_tone(page, TONE_PLAIN);
    fputc('\n', page->output->out);
    va_end(arguments);
}

const char *page_safe(struct page *page, const char *text)
{
    prose_clear(&page->prose);
    wording_safe(&page->prose, text);
    return page->prose.text && *text ? page->prose.text : "";
}

static void page_verdict(struct page *page)
{
    static const enum page_tone tones[] = {TONE_GOOD, TONE_BAD, TONE_DOUBT};
    const struct figures *figures = page->figures;
    prose_clear(&page->prose);
    wording_add_verdict(figures, &page->prose, !page->output->anonymous);
    page_tone(page, tones[figures->verdict]);
    page_wrap(page, page->prose.text ? page->prose.text : "", 0, 0);
    page_tone(page, TONE_PLAIN);
    prose_clear(&page->prose);
    if (figures->guess && page->output->anonymous)
        prose_add(&page->prose, "Our side was guessed (no --local).");
    else if (figures->guess)
        prose_add(&page->prose,
                  "Taken for ours: %s, in %s of %s sessions without a direction. If that is wrong, "
                  "say --local.",
                  aggregate_text(figures->aggregate, figures->guess),
                  wording_number(figures->guess_sessions).text,
                  wording_number(figures->undirected).text);
    if (page->prose.length)
        page_wrap(page, page->prose.text, 0, 0);
    fputc('\n', page->output->out);
}

static void policy_line(struct page *page, unsigned policy, uint64_t total)
{
    const struct policy_line *line = &figures_policy(page->figures)[policy];
    enum { LABEL = 36 };
    struct prose label = {0};
    const char *text = wording_policy(page->figures, policy, &label);
    if (page_width(text) > LABEL) { /* a long one has lines of its own, and the figures below it */
        page_wrap(page, text, 3, 5);
        text = "";
    }
    fputs("   ", page->output->out);
    page_left(page, text, LABEL);
    struct small_text tls = wording_range(line->tls);
    size_t length = strlen(tls.text);
    if (line->tls.low == line->tls.high && total)
        snprintf(tls.text + length, sizeof tls.text - length, " %.8s",
                 wording_percent(line->tls.low, total).text);
    page_right(page, tls.text, 16);
    page_right(page, wording_range(line->clear).text, 13);
    page_right(page, wording_range(line->refused).text, 12);
    fputc('\n', page->output->out);
    prose_free(&label);
}

static void page_policies(struct page *page)
{
    const struct policy_line *lines = figures_policy(page->figures);
    uint64_t total = lines[POLICY_TODAY].tls.low + lines[POLICY_TODAY].clear.low +
                     lines[POLICY_TODAY].refused.low;
    page_head(page,
              page->figures->survey
                  ? "If you ...                              TLS servers   clear text     no mail"
                  : "If you ...                             TLS sessions   clear text     refused");
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        policy_line(page, i, total);
    if (lines[POLICY_DROP].clear.low != lines[POLICY_DROP].clear.high)
        page_wrap(page,
                  "A range where it was not observed whether a sender tries again without TLS, as "
                  "most do, or gives up.",
                  3, 3);
    fputc('\n', page->output->out);
}

static void flow_line(const struct page *page, const char *label, const uint64_t counts[FLOW_COUNT],
                      bool zero_too)
{
    uint64_t sum = 0;
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        sum += counts[flow];
    if (!sum && !zero_too)
        return;
    fputs("   ", page->output->out);
    page_left(page, label, 21);
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        if (page->figures->flows[flow])
            page_right(page, wording_number(counts[flow]).text, 14);
    fputc('\n', page->output->out);
}

static void below_line(const struct page *page)
{
    const struct figures *figures = page->figures;
    enum tls_version least = figures->requirement.version;
    if (least == TLS_VERSION_NONE)
        return;
    char label[32];
    snprintf(label, sizeof label, "  below %s", version_label(least));
    fputs("   ", page->output->out);
    page_left(page, label, 21);
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++) {
        uint64_t below = 0;
        for (unsigned version = TLS_VERSION_SSL2; version < least; version++)
            below += figures->versions[version][flow];
        if (figures->flows[flow]) {
            struct small_text share = wording_percent(below, figures->outcomes[OUTCOME_TLS][flow]);
            page_right(page, *share.text ? share.text : "-", 14);
        }
    }
    fputc('\n', page->output->out);
}

static void page_totals(const struct page *page)
{
    const struct figures *figures = page->figures;
    page_tone(page, TONE_HEAD);
    page_left(page, " Sessions", 24);
    for (unsigned flow = 0; flow < FLOW_COUNT; flow++)
        if (figures->flows[flow])
            page_right(page, wording_flow(flow), 14);
    page_tone(page, TONE_PLAIN);
    fputc('\n', page->output->out);
    flow_line(page, "TLS", figures->outcomes[OUTCOME_TLS], true);
    for (unsigned version = TLS_VERSION_TLS13; version > TLS_VERSION_NONE; version--) {
        char label[32];
        snprintf(label, sizeof label, "  %s", word_tls_version((enum tls_version)version));
        flow_line(page, label, figures->versions[version], false);
    }
    flow_line(page, "  version not seen", figures->versions[TLS_VERSION_NONE], false);
    below_line(page);
    flow_line(page, "clear text", figures->outcomes[OUTCOME_PLAINTEXT], true);
    flow_line(page, "handshake failed", figures->outcomes[OUTCOME_TLS_FAILED], true);
    flow_line(page, "no mail", figures->outcomes[OUTCOME_NO_MAIL], false);
    flow_line(page, "not SMTP", figures->outcomes[OUTCOME_NOT_SMTP], false);
    flow_line(page, "unknown", figures->outcomes[OUTCOME_UNKNOWN], false);
    fputc('\n', page->output->out);
}

static void word_lines(struct page *page, const char *title, const struct word_list *list,
                       uint64_t total)
{
    enum { SHOWN = 8 };
    uint64_t rest = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (i >= SHOWN && list->count > SHOWN + 1) {
            rest += list->items[i].count;
            continue;
        }
        const char *word = aggregate_text(page->figures->aggregate, list->items[i].word);
        fputs("   ", page->output->out);
        page_left(page, i ? "" : title, 8);
        page_left(page, list->items[i].word ? page_safe(page, word) : "not seen or none", 45);
        page_right(page, wording_number(list->items[i].count).text, 12);
        page_right(page, wording_percent(list->items[i].count, total).text, 12);
        fputc('\n', page->output->out);
    }
    if (!rest)
        return;
    char label[64];
    snprintf(label, sizeof label, "%u others (--format json lists them)",
             (unsigned)(list->count - SHOWN));
    fprintf(page->output->out, "%11s", "");
    page_left(page, label, 45);
    page_right(page, wording_number(rest).text, 12);
    page_right(page, wording_percent(rest, total).text, 12);
    fputc('\n', page->output->out);
}

static void tristate_line(const struct page *page, const char *label, const uint64_t chosen[3],
                          const uint64_t offered[3], uint64_t total)
{
    fputs("   ", page->output->out);
    page_left(page, label, 21);
    fprintf(page->output->out, "chosen in %s (%s), offered by the client in %s",
            wording_number(chosen[TRISTATE_YES]).text,
            wording_percent(chosen[TRISTATE_YES], total).text,
            wording_number(offered[TRISTATE_YES]).text);
    fputc('\n', page->output->out);
}

static void page_choices(struct page *page)
{
    const struct figures *figures = page->figures;
    uint64_t tls = figures->policy[POLICY_TODAY].tls.low;
    if (!tls)
        return;
    page_head(page, "Chosen in %s TLS sessions", wording_number(tls).text);
    word_lines(page, "cipher", &figures->ciphers, tls);
    word_lines(page, "group", &figures->groups, tls);
    tristate_line(page, "forward secrecy", figures->pfs, figures->pfs_offered, tls);
    tristate_line(page, "post-quantum", figures->pq, figures->pq_offered, tls);
    if (figures->servers) {
        prose_clear(&page->prose);
        prose_add(&page->prose, "STARTTLS is offered by %s of the peers' %s servers, refused by %s",
                  wording_number(figures->servers_offering).text,
                  wording_number(figures->servers).text,
                  wording_number(figures->servers_refusing).text);
        if (figures->servers_implicit)
            prose_add(&page->prose, "; TLS from the first byte with %s",
                      wording_number(figures->servers_implicit).text);
        page_wrap(page, page->prose.text ? page->prose.text : "", 3, 5);
    }
    fputc('\n', page->output->out);
}

static void page_paragraph(struct page *page, const char *title,
                           void (*add)(const struct figures *, struct prose *))
{
    prose_clear(&page->prose);
    if (*title)
        prose_add(&page->prose, "%s: ", title);
    size_t before = page->prose.length;
    add(page->figures, &page->prose);
    if (page->prose.length == before)
        return;
    page_wrap(page, page->prose.text, 1, 3);
    fputc('\n', page->output->out);
}

static void page_evidence(struct page *page)
{
    for (unsigned line = 0;; line++) {
        prose_clear(&page->prose);
        wording_add_evidence(page->figures, &page->prose, line);
        if (!page->prose.length)
            break;
        if (line == 0)
            page_head(page, "Evidence");
        page_wrap(page, page->prose.text, 3, 5);
    }
    const struct figures *figures = page->figures;
    if (figures->peers_cannot && !page->output->anonymous)
        fprintf(page->output->out,
                " Next: mxtap report --format csv ... > exceptions.csv   (%s %s)\n",
                wording_number(figures->peers_cannot).text,
                figures->peers_cannot == 1 ? "peer" : "peers");
}

bool report_text(const struct figures *figures, const struct report_output *output)
{
    struct page page = {.figures = figures, .output = output};
    page_verdict(&page);
    page_policies(&page);
    page_totals(&page);
    page_choices(&page);
    if (!output->anonymous) {
        page_peers(&page);
        page_paragraph(&page, "Our own doing", wording_add_own);
    }
    page_paragraph(&page, "Not known", wording_add_unknown);
    if (!output->anonymous)
        page_incidents(&page);
    page_failures(&page);
    if (!output->anonymous) {
        page_certificates(&page);
        page_own(&page);
    }
    page_days(&page);
    page_paragraph(&page, "Folded", wording_add_folded);
    page_evidence(&page);
    bool whole = !page.prose.failed;
    prose_free(&page.prose);
    return whole;
}
