/* SPDX-License-Identifier: BSD-2-Clause */
/* The report's output formats; each prints the same figures. */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "report/figures.h"

/* Which peers are listed (--peers): bits. */
enum peer_list {
    LIST_CANNOT = 1,
    LIST_CLEAR = 2,
    LIST_FAILED = 4,
    LIST_UNKNOWN = 8,
    LIST_ALL = 16
};

struct report_output {
    FILE *out;
    bool colour;         /* text: escape sequences may be written */
    bool anonymous;      /* totals only: no peer, host, address, uid or sensor */
    unsigned lists;      /* enum peer_list; 0: the format's own choice */
    const char *command; /* the command line, for the report's foot */
};

/* Each writes a whole report; errors show as ferror(out), except that false means memory ran out.
 */
bool report_text(const struct figures *figures, const struct report_output *output);
bool report_html(const struct figures *figures, const struct report_output *output);
bool report_json(const struct figures *figures, const struct report_output *output);
bool report_csv(const struct figures *figures, const struct report_output *output);

/* report_lists tells whether a peer belongs into one of the lists. */
bool report_lists(const struct peer_figures *peer, unsigned lists);

/* report_incidents returns the incidents in order of time (new: memory_free), NULL without memory.
 */
const struct incident **report_incidents(const struct aggregate *aggregate);

/* A certificate of one server or several, by its digest: what the lists show. */
struct certificate_shown {
    const struct certificate_seen *seen; /* the one of the first server in text order */
    uint64_t sessions;
    uint32_t servers;
    int64_t last; /* seconds since 1970 */
};

/* report_certificates returns all certificates in the order in which they end (new: memory_free),
 * NULL without memory; *count tells how many. */
struct certificate_shown *report_certificates(const struct aggregate *aggregate, uint32_t *count);

/* Certificates that end within this time of the newest session are listed as about to. */
enum { REPORT_CERTIFICATE_SOON = 30 * 86400 };

/* The days shown as such; a longer period is shown by weeks. */
enum { REPORT_DAYS_SHOWN = 14 };

#endif
