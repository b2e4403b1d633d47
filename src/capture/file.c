/* SPDX-License-Identifier: BSD-2-Clause */
/* One saved capture: pcap and pcapng by the own readers (their files say why), what is odd by
 * libpcap; the words for what is wrong with one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/input.h"
#include "base/memory.h"
#include "capture/file.h"
#include "capture/pcapng.h"
#include "capture/savefile.h"

struct capture_file {
    struct input *input;
    struct savefile *savefile; /* one of the three */
    struct pcapng *pcapng;
    pcap_t *pcap;
    int link_type;
    uint64_t packets;
    struct packet batch[CAPTURE_BATCH];
};

/* The magic numbers that libpcap reads, in either byte order: microseconds, nanoseconds, and the
 * format of Linux 2.0's patched libpcap. */
static bool pcap_recognise(struct slice head)
{
    struct reader big = reader_of_slice(head), little = big;
    uint32_t magics[] = {reader_u32(&big), reader_u32le(&little)};
    for (unsigned i = 0; i < 2; i++) {
        if (magics[i] == 0xa1b2c3d4 || magics[i] == 0xa1b23c4d || magics[i] == 0xa1b2cd34)
            return true;
    }
    return false;
}

/* "after 3615 packets", appended to what happened; `detail` may be NULL. */
static int fault_after(struct capture_fault *fault, const char *what, uint64_t packets,
                       const char *detail)
{
    *fault = (struct capture_fault){0};
    snprintf(fault->text, sizeof fault->text, "%s after %llu packet%s%s%s", what,
             (unsigned long long)packets, packets == 1 ? "" : "s", detail ? ": " : "",
             detail ? detail : "");
    return -1;
}

static int fault_blocks(struct capture_fault *fault, uint64_t blocks, uint64_t packets)
{
    *fault = (struct capture_fault){0};
    snprintf(fault->text, sizeof fault->text,
             "%llu damaged block%s passed over, %llu packet%s read all the same",
             (unsigned long long)blocks, blocks == 1 ? "" : "s", (unsigned long long)packets,
             packets == 1 ? "" : "s");
    return -1;
}

static void fault_foreign(struct capture_fault *fault, const char *text)
{
    *fault = (struct capture_fault){.foreign = true};
    snprintf(fault->text, sizeof fault->text, "%s", text);
}

static void fault_open(struct capture_fault *fault, const char *path, const char *command)
{
    *fault = (struct capture_fault){.error = errno, .foreign = errno == ENOEXEC};
    if (errno != ENOEXEC)
        snprintf(fault->text, sizeof fault->text, "%s", strerror(errno));
    else if (strcmp(path, "-") == 0)
        snprintf(fault->text, sizeof fault->text,
                 "compressed, neither with gzip nor with zstd (... | %s | mxtap -r -)", command);
    else
        snprintf(fault->text, sizeof fault->text,
                 "compressed, neither with gzip nor with zstd (%s %s | mxtap -r -)", command, path);
}

static bool open_pcap(struct capture_file *file, struct capture_fault *fault)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    FILE *stream = input_file(file->input);
    if (!stream) {
        fault_after(fault, "out of memory", 0, NULL);
        return false;
    }
    file->pcap =
        pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!file->pcap) {
        const char *damage = input_damage(file->input);
        bool cut = feof(stream);
        fault_after(fault,
                    damage ? damage
                    : cut  ? "truncated"
                           : "damaged",
                    0, damage || cut ? NULL : reason);
        return false;
    }
    input_stolen(file->input);
    file->link_type = pcap_datalink(file->pcap);
    return true;
}

static bool open_own(struct capture_file *file, bool pcapng, struct capture_fault *fault)
{
    if (pcapng)
        file->pcapng = pcapng_open(file->input);
    else
        file->savefile = savefile_open(file->input);
    if (file->pcapng || file->savefile)
        return true;
    fault_after(fault, "out of memory", 0, NULL);
    return false;
}

static bool open_content(struct capture_file *file, struct capture_fault *fault)
{
    struct slice head = input_head(file->input);
    if (savefile_recognise(head) || pcapng_recognise(head))
        return open_own(file, pcapng_recognise(head), fault);
    if (pcap_recognise(head))
        return open_pcap(file, fault);
    const char *damage = input_damage(file->input);
    if (damage)
        fault_after(fault, damage, 0, NULL);
    else
        fault_foreign(fault, head.length ? "not a capture (neither pcap nor pcapng)" : "empty");
    return false;
}

struct capture_file *capture_file_open(const char *path, struct capture_fault *fault)
{
    const char *command = "";
    struct capture_file *file = memory_new(sizeof *file);
    if (!file) {
        errno = ENOMEM;
        fault_open(fault, path, command);
        return NULL;
    }
    file->input = input_open(path, &command);
    if (!file->input)
        fault_open(fault, path, command);
    else if (open_content(file, fault))
        return file;
    capture_file_close(file);
    return NULL;
}

/* Seconds are 32 bits without sign, though libpcap takes them as signed (tcpdump's own files after
 * 2038). */
static int64_t pcap_time(const struct pcap_pkthdr *header)
{
    int64_t time = (int64_t)(uint32_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
    return time < 0 ? 0 : time;
}

static int next_pcap(struct capture_file *file, struct packet *out)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    int status = pcap_next_ex(file->pcap, &header, &data);
    if (status != 1)
        return status == PCAP_ERROR_BREAK ? 0 : -1;
    out->time_ns = pcap_time(header);
    out->data = data;
    out->captured = header->caplen;
    out->length = header->len > header->caplen ? header->len : header->caplen;
    out->link_type = file->link_type;
    return 1;
}

static int next_packets(struct capture_file *file)
{
    if (file->savefile)
        return savefile_next(file->savefile, file->batch, CAPTURE_BATCH);
    if (file->pcapng)
        return pcapng_next(file->pcapng, file->batch, CAPTURE_BATCH);
    return next_pcap(file, file->batch);
}

/* What the reader found, NULL if the file is merely cut. */
static const char *damage_found(struct capture_file *file)
{
    if (file->savefile)
        return savefile_damage(file->savefile);
    if (file->pcapng)
        return pcapng_damage(file->pcapng);
    return feof(input_file(file->input)) ? NULL : pcap_geterr(file->pcap);
}

/* Why no packet came; 0 if it is the regular end. */
static int file_end(struct capture_file *file, int status, struct capture_fault *fault)
{
    const char *damage = input_damage(file->input);
    if (damage)
        return fault_after(fault, damage, file->packets, NULL);
    if (status < 0) {
        damage = damage_found(file);
        return fault_after(fault, damage ? "damaged" : "truncated", file->packets, damage);
    }
    if (!file->pcapng || !pcapng_bad_blocks(file->pcapng))
        return 0;
    return fault_blocks(fault, pcapng_bad_blocks(file->pcapng), file->packets);
}

int capture_file_next(struct capture_file *file, struct packet **packets,
                      struct capture_fault *fault)
{
    int count = next_packets(file);
    if (count <= 0)
        return file_end(file, count, fault);
    file->packets += (unsigned)count;
    *packets = file->batch;
    return count;
}

bool capture_file_can_reopen(const struct capture_file *file)
{
    return input_can_reopen(file->input);
}

uint64_t capture_file_size(const struct capture_file *file)
{
    return input_size(file->input);
}

uint64_t capture_file_read_bytes(const struct capture_file *file)
{
    return input_read_bytes(file->input);
}

void capture_file_close(struct capture_file *file)
{
    if (!file)
        return;
    if (file->pcap)
        pcap_close(file->pcap);
    savefile_close(file->savefile);
    pcapng_close(file->pcapng);
    input_close(file->input);
    memory_free(file);
}
