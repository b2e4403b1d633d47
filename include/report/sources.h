/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line names: files, folders, standard input; each told by content to be lines or
 * a capture. */
#ifndef REPORT_SOURCES_H
#define REPORT_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "report/events.h"

/* Captures that were met: they are read together, as one stream. */
struct sources {
    struct event_reader *reader; /* borrowed: lines are read at once */
    char **captures;             /* owned */
    size_t count, capacity;
    bool capture_on_input; /* standard input is a capture */
    bool failed;           /* something could not be read; it was reported */
};

/* sources_take reads a path ("-": standard input) if it holds lines, keeps it if it is a capture.
 * In a folder, files that are neither are passed over. */
void sources_take(struct sources *sources, const char *path);
/* sources_capture_on_input tells whether standard input is a capture, taking nothing from it. It
 * opens what a sandbox would not let it. */
bool sources_capture_on_input(void);

void sources_free(struct sources *sources);

#endif
