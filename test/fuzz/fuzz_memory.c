/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole pipeline on a capture while an allocation fails. Input: two bytes that say which one, then
 * as for fuzz_pipeline. What is written is whole all the same. */
#define LLVMFuzzerTestOneInput fuzz_pipeline
#include "fuzz_pipeline.c"
#undef LLVMFuzzerTestOneInput

#include "base/memory.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1024 /* allocations of a run on a small capture */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    uint16_t which = reader_u16(&r);
    struct slice rest = reader_rest(&r);
    memory_fail_at(which % MOST);
    fuzz_pipeline(rest.data, rest.length);
    memory_fail_at(0);
    return 0;
}
