/* SPDX-License-Identifier: BSD-2-Clause */
/* A pcap-filter(7) expression, compiled once per link type. Private to capture/. */
#ifndef CAPTURE_FILTER_H
#define CAPTURE_FILTER_H

#include <stdbool.h>

#include "base/log.h"
#include "capture/packet.h"

struct capture_filter;

/* capture_filter_new returns a filter (new) for an expression (borrowed, as is `log`), or NULL
 * without memory. */
struct capture_filter *capture_filter_new(const char *expression, struct log *log)
    __attribute__((warn_unused_result));

/* capture_filter_prepare compiles for a link type that will come. */
void capture_filter_prepare(struct capture_filter *filter, int link_type);

/*
 * capture_filter_check is called after the last prepare (for Ethernet, if there was none): false,
 * and a message, if the expression makes sense on none of the link types.
 */
bool capture_filter_check(struct capture_filter *filter);

/*
 * capture_filter_match tells whether a packet is wanted. On a link type for which the expression
 * makes no sense none is, which is told once as a warning.
 */
bool capture_filter_match(struct capture_filter *filter, const struct packet *packet);

/* capture_filter_free frees; NULL is allowed. */
void capture_filter_free(struct capture_filter *filter);

#endif
