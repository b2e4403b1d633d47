/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as one HTML file: nothing is loaded, nothing runs, every value from the wire is
 * escaped. */
#include <stdio.h>
#include <string.h>

#include "report/html.h"

static void escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*text, out);
        }
    }
}

void html_text(struct html *html, const char *text)
{
    prose_clear(&html->prose);
    wording_safe(&html->prose, text);
    escaped(html->out, html->prose.text && *text ? html->prose.text : "");
}

void html_string(struct html *html, uint32_t string)
{
    html_text(html, aggregate_text(html->figures->aggregate, string));
}

void html_cell(struct html *html, const char *label, const char *text)
{
    fprintf(html->out, "<td data-l=\"%s\">", label);
    html_text(html, text);
    fputs("</td>", html->out);
}

void html_cell_string(struct html *html, const char *label, uint32_t string)
{
    html_cell(html, label, aggregate_text(html->figures->aggregate, string));
}

void html_cell_number(struct html *html, const char *label, uint64_t number)
{
    fprintf(html->out, "<td class=\"n\" data-l=\"%s\">%s</td>", label, wording_number(number).text);
}

void html_section(struct html *html, const char *id, const char *title)
{
    fprintf(html->out, "<section id=\"%s\"><h2>", id);
    html_text(html, title);
    fputs("</h2>\n", html->out);
}

void html_end(struct html *html)
{
    fputs("</section>\n", html->out);
}

static void head(struct html *html)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'\">\n"
          "<meta name=\"referrer\" content=\"no-referrer\"><title>mxtap report</title>\n<style>\n",
          html->out);
    fputs(html_style, html->out);
    fputs("</style></head><body>\n", html->out);
}

/* The paragraph's text is made in the scratch, which html_text needs itself. */
static void paragraph(struct html *html, const char *open, const char *close,
                      void (*add)(const struct figures *, struct prose *))
{
    struct prose text = {0};
    add(html->figures, &text);
    if (text.length) {
        fputs(open, html->out);
        html_text(html, text.text);
        fputs(close, html->out);
    }
    html->prose.failed |= text.failed;
    prose_free(&text);
}

static void verdict(struct html *html)
{
    static const char *const classes[] = {"yes", "not_all", "cannot_tell"};
    const struct figures *figures = html->figures;
    char label[REQUIREMENT_LABEL];
    struct prose text = {0};
    wording_add_verdict(figures, &text, !html->output->anonymous);
    const char *phrase = wording_verdict(figures->verdict);
    fprintf(html->out,
            "<h1>mxtap report: is it safe to require %s?</h1>\n<p class=\"verdict %s\"><b>%s.</b>",
            requirement_label(&figures->requirement, label), classes[figures->verdict], phrase);
    html_text(html, text.text ? text.text + strlen(phrase) + 1 : "");
    fputs("</p>\n", html->out);
    html->prose.failed |= text.failed;
    prose_free(&text);
    prose_clear(&html->prose);
    if (figures->guess) {
        fputs("<p class=\"soft\">Our side was guessed", html->out);
        if (!html->output->anonymous) {
            fputs(": ", html->out);
            html_string(html, figures->guess);
            fprintf(html->out, ", in %s of %s sessions without a direction",
                    wording_number(figures->guess_sessions).text,
                    wording_number(figures->undirected).text);
        }
        fputs(". If that is wrong, say --local.</p>\n", html->out);
    }
    struct prose evidence = {0};
    wording_add_evidence(figures, &evidence, 0);
    fputs("<p class=\"badge\">", html->out);
    html_text(html, evidence.text ? evidence.text : "");
    fputs("</p>\n", html->out);
    prose_free(&evidence);
}

static void evidence(struct html *html)
{
    html_section(html, "evidence", "Evidence and limits");
    fputs("<ul>\n", html->out);
    for (unsigned line = 0;; line++) {
        struct prose text = {0};
        wording_add_evidence(html->figures, &text, line);
        bool more = text.length != 0;
        if (more) {
            fputs("<li>", html->out);
            html_text(html, text.text);
            fputs("</li>\n", html->out);
        }
        prose_free(&text);
        if (!more)
            break;
    }
    paragraph(html, "<li>", "</li>\n", wording_add_unknown);
    paragraph(html, "<li>", "</li>\n", wording_add_folded);
    fputs("</ul>\n<p class=\"soft\">Judged are sessions with TLS", html->out);
    if (html->figures->requirement.tls)
        fputs(", and those in clear text", html->out);
    fputs("; who lacks what is required is told by the rules of mxtap-report(1).</p>\n<p "
          "class=\"soft\">mxtap " MXTAP_VERSION,
          html->out);
    if (!html->output->anonymous && html->output->command) {
        fputs(": <span class=\"mono\">", html->out);
        html_text(html, html->output->command);
        fputs("</span>", html->out);
    }
    fputs("</p>\n", html->out);
    html_end(html);
}

bool report_html(const struct figures *figures, const struct report_output *output)
{
    struct html html = {.figures = figures, .output = output, .out = output->out};
    bool all = !output->anonymous;
    head(&html);
    verdict(&html);
    html_policies(&html);
    if (all)
        html_peers(&html);
    html_days_chart(&html);
    if (all) {
        html_peers_chart(&html);
        html_clear(&html);
        html_incidents(&html);
    }
    html_failures(&html);
    if (all)
        html_own(&html);
    html_next(&html);
    if (all)
        html_certificates(&html);
    html_totals(&html);
    evidence(&html);
    fputs("</body></html>\n", html.out);
    bool whole = !html.prose.failed;
    prose_free(&html.prose);
    return whole;
}
