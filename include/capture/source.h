/* SPDX-License-Identifier: BSD-2-Clause */
/* One input among several: looked at first, opened when its time comes, closed at its end. Private
 * to capture/. */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "capture/file.h"
#include "capture/filter.h"
#include "capture/packet.h"

/* What the sources have in common; borrowed by each call. */
struct source_context {
    struct log *log;
    struct capture_filter *filter; /* NULL: every packet */
    unsigned errors;               /* inputs that could not be read, or not to their end */
};

struct source {
    struct capture_file *file; /* NULL: not open now */
    struct packet *packets;    /* the next ones, while it is open: those that the filter wants */
    unsigned count;
    int64_t first_ns;    /* time of the first packet in the file */
    uint64_t size, read; /* bytes on disk; those read of it once it is closed */
    uint16_t number;
    bool once; /* a pipe: it cannot be opened a second time, so it stays open */
    char path[];
};

/* How source_look judged a file. */
enum source_look {
    SOURCE_GOOD,
    SOURCE_EMPTY /* a capture without packets */,
    SOURCE_FOREIGN,
    SOURCE_BAD
};

/*
 * source_look opens `path`, reads its first packet and makes *out (new) of it if it is GOOD.
 * Whatever is wrong is reported and counted, except that with `quietly` FOREIGN files are only
 * mentioned to who wants to know everything.
 */
enum source_look source_look(struct source_context *context, const char *path, bool quietly,
                             struct source **out);

/*
 * source_open opens it and fetches the first packet that the filter wants. ENDED: there is none,
 * reported if that is an error. LATER, only with `may_wait`: descriptors are lacking; try again
 * when another source is closed.
 */
enum source_open { SOURCE_OPENED, SOURCE_ENDED, SOURCE_LATER };
enum source_open source_open(struct source *source, struct source_context *context, bool may_wait);

/* source_pass goes on by `passed` of its packets and fetches more if these were all. False at the
 * end, reported if it is an early one; it is closed then. */
bool source_pass(struct source *source, struct source_context *context, unsigned passed);

/* source_read_bytes returns how many bytes on disk of it were read. */
uint64_t source_read_bytes(const struct source *source);

/* source_name returns a path as messages name it: "standard input" for "-". */
const char *source_name(const char *path);

/* source_free closes and frees; NULL is allowed. */
void source_free(struct source *source);

#endif
