/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet clock: never back, and a leap of more than an hour only when eight packets agree. */
#include "base/clock.h"
#include "test.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

static void test_goes_on(void)
{
    struct clock clock = {.started = false};
    uint64_t leaps = 0;
    CHECK_INT(clock_advance(&clock, 1000 * HOUR, &leaps), 1000 * HOUR); /* whatever comes first */
    CHECK_INT(clock_advance(&clock, 1000 * HOUR + 5, &leaps), 1000 * HOUR + 5);
    CHECK_INT(clock_advance(&clock, 999 * HOUR, &leaps), 1000 * HOUR + 5); /* never back */
    CHECK_INT(clock_advance(&clock, 0, &leaps), 1000 * HOUR + 5);
    CHECK_INT(clock_advance(&clock, 1001 * HOUR + 5, &leaps), 1001 * HOUR + 5); /* an hour is none */
    CHECK_INT(leaps, 0);
}

static void test_one_broken_stamp(void)
{
    struct clock clock = {.started = false};
    uint64_t leaps = 0;
    clock_advance(&clock, HOUR, &leaps);
    CHECK_INT(clock_advance(&clock, 3 * HOUR, &leaps), HOUR);
    CHECK_INT(leaps, 1);
    CHECK_INT(clock_advance(&clock, HOUR + SECOND, &leaps), HOUR + SECOND);
    /* The leap is forgotten: eight more that agree with it are counted anew. */
    for (int i = 0; i < 8; i++)
        CHECK_INT(clock_advance(&clock, 3 * HOUR + i, &leaps), HOUR + SECOND);
    CHECK_INT(leaps, 9);
}

static void test_true_leap(void)
{
    struct clock clock = {.started = false};
    uint64_t leaps = 0;
    clock_advance(&clock, HOUR, &leaps);
    for (int i = 0; i < 8; i++)
        CHECK_INT(clock_advance(&clock, 25 * HOUR + i * SECOND, &leaps), HOUR);
    CHECK_INT(clock_advance(&clock, 25 * HOUR + 8 * SECOND, &leaps), 25 * HOUR + 8 * SECOND);
    CHECK_INT(leaps, 8);
    CHECK_INT(clock_advance(&clock, 25 * HOUR, &leaps), 25 * HOUR + 8 * SECOND);
}

/* Stamps that agree with nothing, not even with one another. */
static void test_noise(void)
{
    struct clock clock = {.started = false};
    uint64_t leaps = 0;
    clock_advance(&clock, HOUR, &leaps);
    for (int i = 1; i <= 40; i++)
        CHECK_INT(clock_advance(&clock, (i % 2 ? 100 : 200) * HOUR, &leaps), HOUR);
    CHECK_INT(leaps, 40);
}

int main(void)
{
    test_goes_on();
    test_one_broken_stamp();
    test_true_leap();
    test_noise();
    return TEST_END();
}
