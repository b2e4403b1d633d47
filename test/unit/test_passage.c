/* SPDX-License-Identifier: BSD-2-Clause */
/* Which filters may let tunnels over UDP through: two workers must not share those. */
#include "capture/live.h"
#include "unit/test.h"

static const char *const tight[] = {
    "tcp", "tcp port 25", "port 25", "port 25 or port 587", "portrange 20-30", "host 192.0.2.1 and port 25", "ip proto 6", "icmp",
    "tcp port 25 or (vlan and tcp port 25)", "tcp[13] & 2 != 0 and portrange 25-587", "tcp[tcpflags] & tcp-syn != 0", "ip6 proto 6",
    "not udp and not vlan", "udp port 53", "tcp and (net 10.0.0.0/8 or host 2001:db8::1)", "less 100 and tcp", "port 25 and ip[8] > ip[9] - 3",
    "ip and ip[6:2] & 0x1fff != 0",
};

static const char *const open[] = {
    "", "udp", "udp port 4789", "port 6081", "port 8472", "port 2152", "portrange 4000-5000", "host 192.0.2.1", "net 10.0.0.0/8",
    "not tcp", "not tcp port 22", "tcp port 25 or host 192.0.2.1", "ip6", "vlan", "less 2000", "tcp port 25 or (vlan and udp)",
    "src host 192.0.2.1 or dst host 192.0.2.1", "ip[12] = 10 and ip[9] > 6", "inbound", "udp[0:2] != 25 and udp[2:2] > 1024",
};

/* Milliseconds that the ring is left alone. */
static void test_pause(void)
{
    const int64_t ms = 1000000;
    CHECK_INT(live_pause(32768, 1000, 200 * ms), 10); /* after a silence nothing is known */
    CHECK_INT(live_pause(32768, 0, 0), 10);
    CHECK_INT(live_pause(32768, 1000, 50 * ms), 40);
    CHECK_INT(live_pause(32768, 0, 50 * ms), 40);
    CHECK_INT(live_pause(32768, 1250000, 10 * ms), 16);  /* 1 Gbit/s: a sixteenth of 32 MiB in 16.8 ms */
    CHECK_INT(live_pause(32768, 12500000, 10 * ms), 10); /* 10 Gbit/s */
    CHECK_INT(live_pause(262144, 12500000, 10 * ms), 13);
    CHECK_INT(live_pause(8192, 1000, 50 * ms), 8); /* 2 ms, four times */
    CHECK_INT(live_pause(2048, 1000, 50 * ms), 0);
}

int main(void)
{
    for (size_t i = 0; i < sizeof tight / sizeof *tight; i++)
        if (live_lets_tunnels(tight[i]))
            fprintf(stderr, "'%s' lets none through\n", tight[i]), test_failed++;
        else
            test_passed++;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (!live_lets_tunnels(open[i]))
            fprintf(stderr, "'%s' may let some through\n", open[i]), test_failed++;
        else
            test_passed++;
    test_pause();
    return TEST_END();
}
