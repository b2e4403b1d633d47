/* SPDX-License-Identifier: BSD-2-Clause */
/* Laying out text for a terminal of 80 columns; only for the report's text_*.c files. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/output.h"
#include "report/wording.h"

enum { PAGE_WIDTH = 80 };
enum page_tone { TONE_PLAIN, TONE_HEAD, TONE_GOOD, TONE_BAD, TONE_DOUBT };

struct page {
    const struct figures *figures;
    const struct report_output *output;
    struct prose prose; /* scratch */
};

/* page_width returns the columns of a UTF-8 text: its characters. */
unsigned page_width(const char *text);

/* page_tone switches the colour, if there is any. */
void page_tone(const struct page *page, enum page_tone tone);

/* page_wrap writes a text in lines of at most PAGE_WIDTH columns, the first after `first`, the
 * others after `rest` blanks. A word longer than a line gets one of its own. */
void page_wrap(const struct page *page, const char *text, unsigned first, unsigned rest);

/* page_left and page_right write a text padded to a width, never cut. */
void page_left(const struct page *page, const char *text, unsigned width);
void page_right(const struct page *page, const char *text, unsigned width);

/* page_head writes a heading of one line. */
void page_head(const struct page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* page_safe returns a text from the wire made harmless, in page->prose. */
const char *page_safe(struct page *page, const char *text);

/* The parts of the text report (text_lists.c). */
void page_peers(struct page *page);
void page_incidents(struct page *page);
void page_failures(struct page *page);
void page_certificates(struct page *page);
void page_own(struct page *page);
void page_days(struct page *page);

#endif
