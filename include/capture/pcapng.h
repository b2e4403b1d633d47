/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of a pcapng file (draft-ietf-opsawg-pcapng). Private to capture/. */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"
#include "base/reader.h"
#include "capture/packet.h"

struct pcapng;

/* pcapng_recognise tells whether a file that begins with `head` is pcapng. */
bool pcapng_recognise(struct slice head);

/* pcapng_open returns a reader (new) of the blocks of `input` (borrowed, nothing read from it yet),
 * or NULL without memory. */
struct pcapng *pcapng_open(struct input *input) __attribute__((warn_unused_result));

/*
 * pcapng_next fetches packets in file order: as many as lie in memory together, up to `most`.
 * Returns their number, with so many of `out` filled but for `source` (borrowed until the next
 * call), 0 at the end, -1 where the file is cut or its blocks do not fit together. A packet that
 * only itself is wrong (an interface that was never described, a length beyond its block) is passed
 * over and counted by pcapng_bad_blocks.
 */
int pcapng_next(struct pcapng *pcapng, struct packet *out, unsigned most);

/* pcapng_damage returns what is wrong after -1 (static), NULL if the file is merely cut. */
const char *pcapng_damage(const struct pcapng *pcapng);

uint64_t pcapng_bad_blocks(const struct pcapng *pcapng);

/* pcapng_close frees; NULL is allowed. */
void pcapng_close(struct pcapng *pcapng);

#endif
