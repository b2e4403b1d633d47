/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands of the program, and the seam between them. Private to the files directly in src/.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

/* Each takes its command line, the name of the command as argv[0], and returns the exit status. */
int cmd_analyze(int argc, char **argv);
int cmd_report(int argc, char **argv);

/* How `mxtap report` has captures read. All strings are borrowed. */
struct report_pipe {
    void (*event)(void *user, const char *line,
                  size_t length); /* one JSON line, without its LF or with it */
    void *user;
    const char *ports; /* as for --port; NULL: the default ones */
    bool any_port;
    const char *const *local; /* as for --local */
    size_t local_count;
};

/*
 * analyze_captures reads all captures as one stream, as `mxtap -r` does, and hands on each event.
 * False if something could not be read, which was reported; what could be was handed on.
 */
bool analyze_captures(const char *const *paths, size_t count, const struct report_pipe *pipe,
                      struct log *log);

#endif
