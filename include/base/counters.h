/* SPDX-License-Identifier: BSD-2-Clause */
/* What was counted on the way: every limit and every loss shows here, and from here in the `stats` event. */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stdint.h>

#include "base/words.h"

struct counters {
    uint64_t packets, bytes;            /* read: packets, bytes captured */
    uint64_t packets_not_tcp;           /* readable, but no TCP */
    uint64_t packets_unknown_link;      /* link type without decoder */
    uint64_t packets_malformed;         /* a header lied about a length */
    uint64_t packets_truncated;         /* cut by the capture before the end of the TCP header */
    uint64_t fragments;                 /* IP fragments seen */
    uint64_t fragments_dropped;         /* given up: limit, overlap, timeout */
    uint64_t tunnels_too_deep;          /* nested beyond the limit */
    uint64_t segments;                  /* TCP segments on followed ports */
    uint64_t segments_stray;            /* segments out of any flow's window, ignored */
    uint64_t flows_opened, flows_evicted;
    uint64_t flows_without_payload;     /* ended without a byte of payload: no event */
    uint64_t flows_unproven;            /* ended before a segment came that fits the first one: half-open, or a stray */
    uint64_t flows_open, flows_open_peak;
    uint64_t overlaps_different;        /* retransmissions whose bytes differed from the first copy */
    uint64_t gaps;                      /* holes given up */
    uint64_t held_limit;                /* out-of-order bytes or segments refused at a limit */
    uint64_t buffer_limit;              /* lines, messages, strings or lists cut at a limit, or no buffer left */
    uint64_t certificates_unread;       /* only hashed: too large, or too many in a second */
    uint64_t records_early;             /* waiting records written early: pool full */
    uint64_t history_forgotten;         /* offers and failed handshakes of peers, forgotten or not remembered at a limit */
    uint64_t memory_failures;           /* an allocation failed and something was left out */
    uint64_t events_lost;               /* live: the reader of the output was too slow, or it failed */
    uint64_t clock_leaps;               /* packets whose time leapt and was not believed */
    uint64_t sessions;                  /* events of type session */
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t versions[TLS_VERSION_COUNT]; /* established ones, by what the server chose */
};

#endif
