/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of a pcap file (draft-ietf-opsawg-pcap). Private to capture/. */
#ifndef CAPTURE_SAVEFILE_H
#define CAPTURE_SAVEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"
#include "base/reader.h"
#include "capture/packet.h"

struct savefile;

/* savefile_recognise tells whether a file that begins with `head` is pcap of a kind that is read
 * here; what else there is of pcap is left to libpcap. */
bool savefile_recognise(struct slice head);

/* savefile_open returns a reader (new) of such an `input` (borrowed, nothing read from it yet), or
 * NULL without memory. */
struct savefile *savefile_open(struct input *input) __attribute__((warn_unused_result));

/*
 * savefile_next fetches packets in file order: as many as lie in memory together, up to `most`.
 * Returns their number, with so many of `out` filled but for `source` (borrowed until the next
 * call), 0 at the end, -1 where the file is cut or damaged, then again and again.
 */
int savefile_next(struct savefile *savefile, struct packet *out, unsigned most);

/* savefile_damage returns what is wrong after -1 (static), NULL if the file is merely cut. */
const char *savefile_damage(const struct savefile *savefile);

/* savefile_close frees; NULL is allowed. */
void savefile_close(struct savefile *savefile);

#endif
