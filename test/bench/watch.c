/* SPDX-License-Identifier: BSD-2-Clause */
/* The null reader, live: what it costs to take packets from an interface with libpcap and do nothing. Until SIGTERM. */
#include <signal.h>
#include <stdio.h>

#include <pcap/pcap.h>

static pcap_t *pcap;

static void stop(int number)
{
    (void)number;
    pcap_breakloop(pcap);
}

static void nothing(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    (void)header;
    (void)bytes;
    ++*(unsigned long long *)(void *)user;
}

/* As mxtap opens it: the same ring, the same time until a block is handed over. */
static int open_live(const char *interface, const char *expression)
{
    struct bpf_program code;
    pcap_set_snaplen(pcap, 262144);
    pcap_set_buffer_size(pcap, 32768 * 1024);
    pcap_set_timeout(pcap, 50);
    if (pcap_activate(pcap) < 0)
        return -1;
    fprintf(stderr, "listening on %s\n", interface);
    return expression ? pcap_compile(pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) || pcap_setfilter(pcap, &code) ? -1 : 0 : 0;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    unsigned long long packets = 0;
    struct pcap_stat stat = {0};
    struct sigaction action = {.sa_handler = stop};
    pcap = argc == 2 || argc == 3 ? pcap_create(argv[1], error) : NULL;
    if (!pcap || open_live(argv[1], argv[2]) < 0) {
        fprintf(stderr, "watch: %s\n", pcap ? pcap_geterr(pcap) : argc < 2 ? "usage: watch INTERFACE [EXPRESSION]" : error);
        return 1;
    }
    sigaction(SIGTERM, &action, NULL);
    while (pcap_dispatch(pcap, -1, nothing, (u_char *)&packets) >= 0)
        ;
    pcap_stats(pcap, &stat);
    printf("%llu %u\n", packets, stat.ps_drop);
    pcap_close(pcap);
    return 0;
}
