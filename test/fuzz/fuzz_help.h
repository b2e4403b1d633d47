/* SPDX-License-Identifier: BSD-2-Clause */
/* What the targets behind the parsers share: expectations, and a pipeline that judges without nDPI
 * and says nothing on standard error. Include it in one file of a program only. */
#ifndef TEST_FUZZ_FUZZ_HELP_H
#define TEST_FUZZ_FUZZ_HELP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reader.h"
#include "flow/classify.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An expectation that holds for every input. */
static inline void must(bool holds)
{
    if (!holds)
        abort();
}

/* FNV-1a, to compare what two runs over the same bytes say. */
static inline void hash_bytes(uint64_t *hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ bytes[i]) * 0x100000001b3u;
}

/* A file in memory that holds the input; its path is good until the next call. */
static inline const char *memory_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[32];
    if (file < 0) {
        file = memfd_create("input", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    must(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

#ifdef FUZZ_QUIET
void log_error(struct log *log, const char *format, ...)
{
    (void)format;
    log->errors++;
}

void log_warning(struct log *log, const char *format, ...)
{
    (void)format;
    log->warnings++;
}

void log_note(struct log *log, const char *format, ...)
{
    (void)log, (void)format;
}

void log_verbose(struct log *log, const char *format, ...)
{
    (void)log, (void)format;
}
#endif

#endif
