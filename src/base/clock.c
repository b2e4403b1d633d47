/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet time, by which everything expires. */
#include "base/clock.h"

#define LEAP_NS (3600 * INT64_C(1000000000)) /* more than this ahead is a leap */

enum { LEAP_AGREE = 8 /* packets after the leaping one that have to agree with it */ };

static bool agrees(const struct clock *clock, int64_t time_ns)
{
    return time_ns > clock->leap_ns - LEAP_NS && time_ns < clock->leap_ns + LEAP_NS;
}

int64_t clock_advance(struct clock *clock, int64_t time_ns, uint64_t *leaps)
{
    if (!clock->started) {
        clock->started = true;
        clock->now_ns = time_ns;
    } else if (time_ns <= clock->now_ns + LEAP_NS) {
        if (time_ns > clock->now_ns)
            clock->now_ns = time_ns;
        clock->agree = 0;
    } else if (clock->agree && agrees(clock, time_ns)) {
        if (++clock->agree > LEAP_AGREE) {
            clock->now_ns = time_ns;
            clock->agree = 0;
        } else {
            ++*leaps;
        }
    } else {
        clock->leap_ns = time_ns;
        clock->agree = 1;
        ++*leaps;
    }
    return clock->now_ns;
}
