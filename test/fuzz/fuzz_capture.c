/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks the reader of saved captures, of any format and compression. Input: a file. Of a pcap file
 * it says packet for packet what libpcap says. */
#define FUZZ_QUIET
#include <string.h>

#include <pcap/pcap.h>

#include "base/limits.h"
#include "capture/file.h"
#include "fuzz_help.h"

enum { MOST = 1 << 26 }; /* bytes of packets: what a compressed file of this size is good for */

static volatile uint32_t sum;

static void check_packet(const struct packet *packet)
{
    must(packet->captured <= packet->length && packet->captured <= LIMIT_PACKET);
    must(packet->time_ns >= 0);
    for (uint32_t i = 0; i < packet->captured; i++)
        sum += packet->data[i];
}

static void compare(pcap_t *oracle, const struct packet *packet)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    must(pcap_next_ex(oracle, &header, &data) == 1);
    must(pcap_datalink(oracle) == packet->link_type);
    must(header->caplen == packet->captured && memcmp(data, packet->data, header->caplen) == 0);
    must(packet->length == (header->len > header->caplen ? header->len : header->caplen));
    int64_t time_ns = (int64_t)(uint32_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
    if (header->ts.tv_usec >= 0 && header->ts.tv_usec < 1000000000) /* libpcap gives others a sign */
        must(packet->time_ns == time_ns);
}

static void compare_end(pcap_t *oracle, int status)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    must(pcap_next_ex(oracle, &header, &data) == (status < 0 ? PCAP_ERROR : PCAP_ERROR_BREAK));
}

/* A pcap file read by libpcap beside; NULL for what is none, or is compressed. */
static pcap_t *open_oracle(const uint8_t *data, size_t size)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34, 0xd4c3b2a1, 0x4d3cb2a1,
                                      0x34cdb2a1};
    char reason[PCAP_ERRBUF_SIZE];
    struct reader r = reader_of(data, size);
    uint32_t magic = reader_u32(&r);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (magic != magics[i])
            continue;
        FILE *file = fmemopen((void *)(uintptr_t)data, size, "rb");
        must(file != NULL);
        pcap_t *oracle = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO,
                                                                  reason);
        if (!oracle)
            fclose(file);
        return oracle;
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture_fault fault;
    struct capture_file *file = capture_file_open(memory_file(data, size), &fault);
    struct packet *packets = NULL;
    uint64_t bytes = 0;
    int status;
    if (!file) {
        must(strlen(fault.text) > 0);
        return 0;
    }
    pcap_t *oracle = open_oracle(data, size);
    while ((status = capture_file_next(file, &packets, &fault)) > 0 && bytes < MOST) {
        for (int i = 0; i < status; i++) {
            check_packet(&packets[i]);
            if (oracle)
                compare(oracle, &packets[i]);
            bytes += packets[i].captured + 16;
        }
    }
    must(status >= 0 || strlen(fault.text) > 0);
    if (oracle && status <= 0)
        compare_end(oracle, status);
    if (oracle)
        pcap_close(oracle);
    capture_file_close(file);
    return 0;
}
