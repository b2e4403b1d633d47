/* SPDX-License-Identifier: BSD-2-Clause */
/* What if something were required of every session: who could not. */
#ifndef REPORT_POLICY_H
#define REPORT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "report/aggregate.h"

/* What is required (--require); all of it. */
struct requirement {
    enum tls_version version; /* NONE: none in particular */
    bool pfs, pq, tls;
};

/* requirement_parse reads "TLSv1.2", "pfs", "pq", "tls", or several with commas; false if a word is
 * none of them. */
bool requirement_parse(const char *text, struct requirement *out);

/* requirement_label writes it for people: "TLS 1.2 with forward secrecy"; returns out.
 * requirement_word as it was asked for. */
enum { REQUIREMENT_LABEL = 96 };
const char *requirement_label(const struct requirement *requirement, char out[REQUIREMENT_LABEL]);
const char *requirement_word(const struct requirement *requirement, char out[REQUIREMENT_LABEL]);

/* version_label returns "TLS 1.2" for TLSv1.2. */
const char *version_label(enum tls_version version);

enum lacks { LACKS_CLIENT = 1 << SIDE_CLIENT, LACKS_SERVER = 1 << SIDE_SERVER };

/* A session against what is required. */
struct judgement {
    bool judged;    /* its outcome is one that is judged */
    unsigned lacks; /* enum lacks: sides that cannot */
    bool unknown;   /* nothing is proven either way */
    unsigned can;   /* enum lacks: sides that were seen to be able to, by version */
};
struct judgement policy_judge(const struct requirement *requirement, const struct posture *posture);

#endif
