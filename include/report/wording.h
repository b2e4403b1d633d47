/* SPDX-License-Identifier: BSD-2-Clause */
/* The report's sentences and words for people: the same in text, HTML and JSON. */
#ifndef REPORT_WORDING_H
#define REPORT_WORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/figures.h"

/* A text that grows; zero-initialised is empty. `failed`: memory ran out, and it is not whole. */
struct prose {
    char *text; /* NUL-terminated; NULL while empty */
    size_t length, capacity;
    bool failed;
};
void prose_add(struct prose *prose, const char *format, ...) __attribute__((format(printf, 2, 3)));
void prose_clear(struct prose *prose); /* empties it, keeping its memory */
void prose_free(struct prose *prose);

/* Small texts by value: wording_number(46467).text is "46,467". */
struct small_text {
    char text[48];
};
struct small_text wording_number(uint64_t number);
struct small_text wording_range(struct range range); /* "820-905" */
struct small_text wording_percent(uint64_t part,
                                  uint64_t of);    /* "96.4 %"; "0.18 %" below one; "" of 0 */
struct small_text wording_minute(int64_t seconds); /* "2026-11-22 11:20" */
struct small_text wording_date(int64_t seconds);   /* "2026-11-22" */
struct small_text wording_when(const struct figures *figures,
                               int64_t seconds);      /* "Sun 11:20" within a week, else the date */
struct small_text wording_duration(uint64_t seconds); /* "2 h 35 min" */
const char *wording_weekday(int64_t seconds);         /* "Sun" */

const char *wording_named_by(enum named_by by);       /* "EHLO" */
const char *wording_named_by_word(enum named_by by);  /* "ehlo", for programs */
enum named_by wording_named_by_of(const char *word);  /* COUNT: none of them */
const char *wording_by(enum peer_by by);              /* "domain" */
const char *wording_outcome(enum outcome outcome);    /* "clear text" */
const char *wording_flow(unsigned flow);              /* "inbound" */
struct small_text wording_flows(unsigned flows);      /* "in", "out", "i+o", "-" */
const char *wording_verdict(enum verdict verdict);    /* the phrase that opens the verdict */
const char *wording_finding(enum finding finding);    /* "STARTTLS vanished" */
struct small_text wording_reason(const char *reason); /* "version (alert by server)" */
const char *wording_policy(const struct figures *figures, unsigned policy, struct prose *out);

/* wording_otherwise says what a peer that cannot did else: "clear text", "can 273", "unknown". */
struct small_text wording_otherwise(const struct peer_figures *peer);

/* wording_at_most says up to what a peer that cannot was seen: "TLSv1", "no TLS", "no PFS". */
const char *wording_at_most(const struct figures *figures, const struct peer_figures *peer);

/* Paragraphs; each adds whole sentences. */
void wording_add_verdict(const struct figures *figures, struct prose *out, bool names);
void wording_add_own(const struct figures *figures,
                     struct prose *out); /* our own doing; nothing if there is none */
void wording_add_unknown(const struct figures *figures,
                         struct prose *out); /* what could not be judged */
void wording_add_evidence(const struct figures *figures, struct prose *out,
                          unsigned line); /* lines 0.. until it adds nothing */
void wording_add_folded(const struct figures *figures,
                        struct prose *out); /* what --max-peers did; nothing if nothing */

/* wording_peers writes a count of peers, with its largest possible error if peers were folded. */
struct small_text wording_peers(uint64_t count, uint64_t folded);

/* wording_safe adds a text from the wire so that it cannot steer a terminal: controls and the like
 * become \xNN. */
void wording_safe(struct prose *out, const char *text);

#endif
