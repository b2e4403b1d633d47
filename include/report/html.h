/* SPDX-License-Identifier: BSD-2-Clause */
/* What the HTML report is made of; only for the html_*.c files. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/output.h"
#include "report/wording.h"

struct html {
    const struct figures *figures;
    const struct report_output *output;
    FILE *out;
    struct prose prose; /* scratch */
};

extern const char html_style[];

/* html_text writes a text with all that HTML gives a meaning to escaped; from the wire, controls
 * escaped as well. */
void html_text(struct html *html, const char *text);
void html_string(struct html *html, uint32_t string);

/* Cells; on a phone each row is a card, in which `label` names the figure. */
void html_cell(struct html *html, const char *label, const char *text);
void html_cell_string(struct html *html, const char *label, uint32_t string);
void html_cell_number(struct html *html, const char *label, uint64_t number);

/* A section with its heading; html_end closes it. */
void html_section(struct html *html, const char *id, const char *title);
void html_end(struct html *html);

/* Charts (html_chart.c): bars in SVG, all words beside them in HTML, so that they are legible on a
 * phone. */
void html_policy_bar(struct html *html, const struct policy_line *line);
void html_share_bar(struct html *html, const char *label, uint64_t part, uint64_t offered,
                    uint64_t of);
void html_days_chart(struct html *html);
void html_peers_chart(struct html *html);

/* Tables (html_tables.c). */
void html_policies(struct html *html);
void html_totals(struct html *html);
void html_peers(struct html *html);
void html_clear(struct html *html);
void html_incidents(struct html *html);
void html_failures(struct html *html);
void html_own(struct html *html);
void html_next(struct html *html);
void html_certificates(struct html *html);

#endif
