/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks the reader of pcapng blocks. Input: a file. Each packet's bytes are read, and a file that
 * ends well has no damage. */
#define FUZZ_QUIET
#include "base/limits.h"
#include "capture/pcapng.h"
#include "fuzz_help.h"

static volatile uint32_t sum;

static void see_packet(const struct packet *packet)
{
    must(packet->captured <= packet->length && packet->captured <= LIMIT_PACKET);
    must(packet->time_ns >= 0);
    for (uint32_t i = 0; i < packet->captured; i++)
        sum += packet->data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input *input = input_open(memory_file(data, size), NULL);
    if (!input)
        return 0;
    struct pcapng *pcapng = pcapng_recognise(input_head(input)) ? pcapng_open(input) : NULL;
    struct packet packets[CAPTURE_BATCH];
    int status = 0;
    while (pcapng && (status = pcapng_next(pcapng, packets, CAPTURE_BATCH)) > 0) {
        for (int i = 0; i < status; i++)
            see_packet(&packets[i]);
    }
    if (pcapng && status == 0)
        must(pcapng_damage(pcapng) == NULL);
    pcapng_close(pcapng);
    input_close(input);
    return 0;
}
