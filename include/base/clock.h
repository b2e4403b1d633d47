/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet clock: the highest time seen. It never goes back, and one broken time stamp cannot make everything expire. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t now_ns;
    int64_t leap_ns;  /* a time more than an hour ahead that the next packets have to confirm */
    unsigned agree;   /* packets that did so far, the leaping one included; 0: no leap */
    bool started;
};

/* clock_advance takes a packet's time and returns now. *leaps counts packets whose leap was not believed (yet). */
int64_t clock_advance(struct clock *clock, int64_t time_ns, uint64_t *leaps);

#endif
