/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burst INTERFACE FILE RATE SECONDS: the packets of a capture (pcap, Ethernet), over and over, RATE of them a second (0: as many as
 * the kernel takes), past the queues of the interface. Prints how many were sent, and in how many seconds.
 */
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>

enum { BATCH = 32, MOST = 8000000 };

struct packet {
    const uint8_t *data;
    size_t length;
};

static struct packet packets[MOST];
static size_t count;

static void keep(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    uint8_t *copy = count < MOST ? malloc(header->caplen) : NULL;
    (void)user;
    if (!copy)
        return;
    memcpy(copy, data, header->caplen);
    packets[count++] = (struct packet){copy, header->caplen};
}

static int open_socket(const char *interface)
{
    int yes = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    return fd;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t send_batch(int fd, size_t from)
{
    struct mmsghdr messages[BATCH];
    struct iovec pieces[BATCH];
    unsigned n = 0;
    memset(messages, 0, sizeof messages);
    for (; n < BATCH && from + n < count; n++) {
        pieces[n].iov_base = (void *)(uintptr_t)packets[from + n].data;
        pieces[n].iov_len = packets[from + n].length;
        messages[n].msg_hdr.msg_iov = &pieces[n];
        messages[n].msg_hdr.msg_iovlen = 1;
    }
    int sent = sendmmsg(fd, messages, n, 0);
    return sent > 0 ? (size_t)sent : 0;
}

static uint64_t send_all(int fd, double rate, double seconds)
{
    uint64_t sent = 0;
    double began = now(), late;
    size_t at = 0;
    while ((late = now() - began) < seconds) {
        if (rate > 0 && (double)sent > rate * late) {
            usleep(200);
            continue;
        }
        size_t n = send_batch(fd, at);
        sent += n;
        at = (at + (n ? n : 1)) % count;
    }
    return sent;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = argc == 5 ? pcap_open_offline(argv[2], error) : NULL;
    int fd = pcap ? open_socket(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "burst: %s\n", argc != 5 ? "usage: burst INTERFACE FILE RATE SECONDS" : pcap ? argv[1] : error);
        return 1;
    }
    pcap_dispatch(pcap, -1, keep, NULL);
    pcap_close(pcap);
    double began = now();
    uint64_t sent = count ? send_all(fd, atof(argv[3]), atof(argv[4])) : 0;
    printf("%llu %.3f\n", (unsigned long long)sent, now() - began);
    return 0;
}
