/* SPDX-License-Identifier: BSD-2-Clause */
/* For fuzz targets: sums every byte that a parser lends, so that ASan sees each of them. */
#ifndef TEST_FUZZ_FUZZ_TLS_TALLY_H
#define TEST_FUZZ_FUZZ_TLS_TALLY_H

#include <stdint.h>
#include <stdlib.h>

#include "base/reader.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t tally_sum;

static inline void tally(struct slice bytes)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes.length; i++)
        sum = sum * 31 + bytes.data[i];
    tally_sum += sum;
}

/* FNV-1a, to compare what two runs over the same bytes say. */
static inline void tally_hash(uint64_t *hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        *hash = (*hash ^ bytes[i]) * 0x100000001b3u;
}

/* An expectation that holds for every input. */
static inline void must(bool holds)
{
    if (!holds)
        abort();
}

#endif
