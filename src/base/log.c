/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the operator; what came from a file name or the wire cannot steer the terminal. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

enum { LOG_LINE = 1024 };

static void log_line(const char *format, va_list arguments)
{
    char text[LOG_LINE];
    vsnprintf(text, sizeof text, format, arguments);
    fputs("mxtap: ", stderr);
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f)
            fprintf(stderr, "\\x%02x", c);
        else
            fputc(c, stderr);
    }
    fputc('\n', stderr);
}

#define LOG_FORWARD(format)                                                                        \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        log_line(format, arguments);                                                               \
        va_end(arguments);                                                                         \
    } while (0)

void log_error(struct log *log, const char *format, ...)
{
    log->errors++;
    LOG_FORWARD(format);
}

void log_warning(struct log *log, const char *format, ...)
{
    log->warnings++;
    if (log->verbosity >= 0)
        LOG_FORWARD(format);
}

void log_note(struct log *log, const char *format, ...)
{
    if (log->verbosity >= 0)
        LOG_FORWARD(format);
}

void log_verbose(struct log *log, const char *format, ...)
{
    if (log->verbosity >= 1)
        LOG_FORWARD(format);
}
