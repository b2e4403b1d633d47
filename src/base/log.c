/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the operator; what came from a file name or the wire cannot steer the terminal. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"

enum { LOG_LINE = 8192 /* a path has at most 4096 bytes, and the reason stands behind it */ };

/* One write per line: messages of threads do not mix. */
static void log_line(const char *format, va_list arguments)
{
    static const char name[] = "mxtap: ";
    char text[LOG_LINE], line[sizeof name + LOG_LINE * TEXT_ESCAPED];
    vsnprintf(text, sizeof text, format, arguments);
    struct reader bytes = reader_of_slice(text_slice(text));
    memcpy(line, name, sizeof name);
    size_t length = sizeof name - 1;
    length += text_escape(&bytes, NULL, line + length, sizeof line - 1 - length);
    line[length++] = '\n';
    fwrite(line, 1, length, stderr);
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
