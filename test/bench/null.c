/* SPDX-License-Identifier: BSD-2-Clause */
/* The null reader: what it costs to read a capture with libpcap and do nothing. Every cost of the bench is told as a ratio to it. */
#include <stdio.h>

#include <pcap/pcap.h>

static void nothing(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    (void)header;
    (void)bytes;
    ++*(unsigned long long *)(void *)user;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    unsigned long long packets = 0;
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
    if (!pcap) {
        fprintf(stderr, "null: %s\n", argc == 2 ? error : "usage: null FILE");
        return 1;
    }
    while (pcap_dispatch(pcap, -1, nothing, (u_char *)&packets) > 0)
        ;
    pcap_close(pcap);
    printf("%llu packets\n", packets);
    return 0;
}
