/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest of test frames: each CHECK prints what failed; TEST_END ends main with the count. */
#ifndef TEST_UNIT_TEST_H
#define TEST_UNIT_TEST_H

#include <stdio.h>
#include <string.h>

static unsigned test_passed, test_failed;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #condition);                 \
        }                                                                                          \
    } while (0)

#define CHECK_INT(actual, expected)                                                                \
    do {                                                                                           \
        long long test_a = (long long)(actual), test_e = (long long)(expected);                    \
        if (test_a == test_e) {                                                                    \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #actual,     \
                    test_a, test_e);                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_TEXT(actual, expected)                                                               \
    do {                                                                                           \
        const char *test_a = (actual), *test_e = (expected);                                       \
        if (test_a && test_e ? strcmp(test_a, test_e) == 0 : test_a == test_e) {                   \
            test_passed++;                                                                         \
        } else {                                                                                   \
            test_failed++;                                                                         \
            fprintf(stderr, "%s:%d: %s is '%s', expected '%s'\n", __FILE__, __LINE__, #actual,     \
                    test_a ? test_a : "(null)", test_e ? test_e : "(null)");                       \
        }                                                                                          \
    } while (0)

/* Prints "N N" (passed, failed) for test/run; the exit status tells whether all passed. */
#define TEST_END() (printf("%u %u\n", test_passed, test_failed), test_failed ? 1 : 0)

#endif
