/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the operator on standard error: program, object, reason and, where there is one, the cure. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

struct log {
    int verbosity;     /* -1 quiet (errors only), 0 default, 1 and up verbose */
    uint64_t errors;   /* messages of log_error so far */
    uint64_t warnings; /* messages of log_warning so far */
};

/* Each writes one line "mxtap: ...", bytes that a terminal could take as commands escaped. */
void log_error(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_note(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));    /* verbosity >= 0 */
void log_verbose(struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3))); /* verbosity >= 1 */

#endif
