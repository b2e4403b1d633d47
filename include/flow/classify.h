/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nDPI as the judge of what a connection speaks: is it SMTP on a port where nobody expects it, and what is it that is not SMTP on a mail
 * port. Nothing is initialised before the first question (7 MB, 20 ms). One classifier serves one thread.
 */
#ifndef FLOW_CLASSIFY_H
#define FLOW_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"

struct classifier;
struct classification; /* of one connection */

enum classify_verdict { CLASSIFY_OPEN, CLASSIFY_SMTP, CLASSIFY_OTHER, CLASSIFY_UNKNOWN };

/* classifier_new returns a classifier (new) that has not yet initialised nDPI, or NULL without memory. */
struct classifier *classifier_new(void);

/* classify_begin begins with a connection; NULL if nDPI cannot be had (then its questions stay open). */
struct classification *classify_begin(struct classifier *classifier);

/*
 * classify_payload shows nDPI the next payload of the connection, as a packet with the addresses and ports of `flow`. After
 * LIMIT_CLASSIFY_PACKETS the question is closed: UNKNOWN. A verdict other than OPEN is final.
 */
enum classify_verdict classify_payload(struct classifier *classifier, struct classification *classification, const struct flow *flow,
                                       enum side from, struct slice payload);

/* classify_name returns nDPI's name of the protocol (static), NULL if it has none. The last call but classify_end. */
const char *classify_name(struct classifier *classifier, struct classification *classification);

/* classify_size returns the bytes that a classification holds, at least. */
size_t classify_size(void);

/* classify_end frees a classification; NULL is allowed. */
void classify_end(struct classifier *classifier, struct classification *classification);

/* classifier_free frees; NULL is allowed. */
void classifier_free(struct classifier *classifier);

#endif
