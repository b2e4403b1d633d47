/* SPDX-License-Identifier: BSD-2-Clause */
/* Saved captures as one stream of packets in time order: what the rest of the program sees of
 * capture/. */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "capture/packet.h"

struct capture;

/*
 * capture_new returns an empty set of captures (new), or NULL without memory.
 * `log` (borrowed) gets every message; `filter` is a pcap-filter(7) expression or NULL (borrowed).
 */
struct capture *capture_new(struct log *log, const char *filter);

/*
 * capture_add names one more input: a file, "-" for standard input, or a directory, which stands
 * for every capture in it, recursively, in name order (told by content; other files are passed
 * over, links to directories are not followed). Nothing is opened yet.
 */
void capture_add(struct capture *capture, const char *path);

/*
 * capture_start is called once after the last capture_add: looks at the first packet of each file
 * and compiles the filter. A named file that is missing, empty or no capture, and a directory
 * without captures, are reported and counted by capture_errors(); the others go on. A capture
 * without packets is none of these. Returns false, with a message, on a usage error (a filter that
 * compiles for none of the link types) or without memory. Waits for the first packet of a pipe.
 */
bool capture_start(struct capture *capture);

/*
 * capture_next returns the next packet in time order (borrowed until the next call; equal times: in
 * the order of capture_add), NULL at the end. Within one file packets keep the file's order, even
 * where its time steps back. Times are between 0 and 2^32 seconds. A file that ends in the middle
 * of a packet, or becomes unreadable, is reported ("mail.pcap: truncated after 3615 packets"),
 * counted, and closed: the others go on.
 */
const struct packet *capture_next(struct capture *capture);

/*
 * capture_next_batch is capture_next for several packets, which all are there at once, so that what
 * a later one will need can be fetched while an earlier one is worked on. Returns how many follow
 * one another from *packets on, at least 1 and at most CAPTURE_BATCH, 0 at the end; never waits for
 * more than one.
 */
unsigned capture_next_batch(struct capture *capture, const struct packet **packets);

/* capture_source_name returns the base name of the file that packet.source numbers ("-" for
 * standard input); borrowed. */
const char *capture_source_name(const struct capture *capture, uint16_t source);

/* capture_errors returns how many inputs could not be read, or not to their end. */
unsigned capture_errors(const struct capture *capture);

/* capture_progress returns bytes read so far and, in *total, the bytes of all inputs on disk (0 if
 * not known). */
uint64_t capture_progress(const struct capture *capture, uint64_t *total);

/* capture_free closes everything; NULL is allowed. */
void capture_free(struct capture *capture);

#endif
