/* SPDX-License-Identifier: BSD-2-Clause */
/* The same targets for AFL++, many inputs per process; built by afl-clang-fast alone. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUTS = 10000 /* then a new process, lest what is static fill up */ };

#pragma clang diagnostic ignored "-Wshorten-64-to-32" /* in the macros of AFL++ */
__AFL_FUZZ_INIT();

int main(void)
{
    __AFL_INIT();
    const uint8_t *shared = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(INPUTS)) {
        size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;
        /* A copy of its own size, so that a byte too far is found. */
        uint8_t *data = malloc(size ? size : 1);
        if (!data)
            abort();
        memcpy(data, shared, size);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    return 0;
}
