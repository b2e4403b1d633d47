/* SPDX-License-Identifier: BSD-2-Clause */
/* Small captures made by hand in a folder of their own, and what the capture stage makes of them.
 */
#ifndef TEST_UNIT_CAPTURES_H
#define TEST_UNIT_CAPTURES_H

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"

/* --- the folder --- */

static char folder_path[256];

static inline void folder_begin(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder_path, sizeof folder_path, "%s/mxtap-test-XXXXXX", base ? base : P_tmpdir);
    if (!mkdtemp(folder_path)) {
        perror(folder_path);
        exit(1);
    }
}

static inline int folder_remove(const char *path, const struct stat *status, int kind,
                                struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

static inline void folder_end(void)
{
    nftw(folder_path, folder_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Returns the path of a file in the folder: good for the next 63 calls. */
static inline const char *in_folder(const char *name)
{
    static char paths[64][512];
    static unsigned turn;
    char *path = paths[turn++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", folder_path, name);
    return path;
}

/* --- bytes, and the files made of them --- */

struct bytes {
    uint8_t data[262144];
    size_t length;
    bool big; /* byte order of the numbers that are added */
};

static inline void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

static inline void bytes_number(struct bytes *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes->data[bytes->length++] = (uint8_t)(value >> 8 * (bytes->big ? size - 1 - i : i));
}

static inline void bytes_fill(struct bytes *bytes, uint8_t value, size_t count)
{
    memset(bytes->data + bytes->length, value, count);
    bytes->length += count;
}

static inline const char *write_data(const char *name, const void *data, size_t length)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    return path;
}

static inline const char *write_file(const char *name, const struct bytes *bytes)
{
    return write_data(name, bytes->data, bytes->length);
}

/* pcap: the file header and a packet of `captured` times `fill` (the format:
 * draft-ietf-opsawg-pcap). */
static inline void pcap_begin(struct bytes *bytes, bool big, uint32_t magic, uint32_t link)
{
    bytes->length = 0;
    bytes->big = big;
    bytes_number(bytes, magic, 4);
    bytes_number(bytes, 2, 2);
    bytes_number(bytes, 4, 2);
    bytes_number(bytes, 0, 8);
    bytes_number(bytes, 262144, 4);
    bytes_number(bytes, link, 4);
}

static inline void pcap_packet(struct bytes *bytes, uint32_t seconds, uint32_t fraction,
                               uint8_t fill, uint32_t captured)
{
    bytes_number(bytes, seconds, 4);
    bytes_number(bytes, fraction, 4);
    bytes_number(bytes, captured, 4);
    bytes_number(bytes, captured + 2, 4); /* on the wire */
    bytes_fill(bytes, fill, captured);
}

/* A pcap file with one packet of 4 bytes in each of the seconds listed, filled with `fill` and up;
 * 0 ends the list. */
static inline const char *pcap_seconds(const char *name, uint8_t fill, const uint32_t *seconds)
{
    static struct bytes bytes;
    pcap_begin(&bytes, false, 0xa1b2c3d4, 1);
    for (; *seconds; seconds++)
        pcap_packet(&bytes, *seconds, 0, fill++, 4);
    return write_file(name, &bytes);
}

/* pcapng: blocks (draft-ietf-opsawg-pcapng); block_begin returns where the block begins, block_end
 * sets both lengths. */
static inline size_t block_begin(struct bytes *bytes, uint32_t type)
{
    size_t at = bytes->length;
    bytes_number(bytes, type, 4);
    bytes_number(bytes, 0, 4);
    return at;
}

static inline void block_end(struct bytes *bytes, size_t at)
{
    while (bytes->length % 4)
        bytes->data[bytes->length++] = 0;
    size_t end = bytes->length + 4;
    bytes->length = at + 4;
    bytes_number(bytes, end - at, 4);
    bytes->length = end - 4;
    bytes_number(bytes, end - at, 4);
}

static inline void png_section(struct bytes *bytes, bool big)
{
    bytes->big = big;
    size_t at = block_begin(bytes, 0x0a0d0d0a);
    bytes_number(bytes, 0x1a2b3c4d, 4);
    bytes_number(bytes, 1, 2);
    bytes_number(bytes, 0, 2);
    bytes_number(bytes, UINT64_MAX, 8);
    block_end(bytes, at);
}

/* resolution 0xffff: without the option; offset 0: without it. */
static inline void png_interface(struct bytes *bytes, uint16_t link, uint32_t snaplen,
                                 unsigned resolution, int64_t offset)
{
    size_t at = block_begin(bytes, 1);
    bytes_number(bytes, link, 2);
    bytes_number(bytes, 0, 2);
    bytes_number(bytes, snaplen, 4);
    if (resolution != 0xffff) {
        bytes_number(bytes, 9, 2);
        bytes_number(bytes, 1, 2);
        bytes_add(bytes, (uint8_t[]){(uint8_t)resolution, 0, 0, 0}, 4);
    }
    if (offset) {
        bytes_number(bytes, 14, 2);
        bytes_number(bytes, 8, 2);
        bytes_number(bytes, (uint64_t)offset, 8);
    }
    bytes_number(bytes, 0, 4);
    block_end(bytes, at);
}

static inline void png_enhanced(struct bytes *bytes, uint32_t interface, uint64_t ticks,
                                uint8_t fill, uint32_t captured)
{
    size_t at = block_begin(bytes, 6);
    bytes_number(bytes, interface, 4);
    bytes_number(bytes, ticks >> 32, 4);
    bytes_number(bytes, ticks & 0xffffffff, 4);
    bytes_number(bytes, captured, 4);
    bytes_number(bytes, captured + 2, 4);
    bytes_fill(bytes, fill, captured);
    block_end(bytes, at);
}

/* --- reading --- */

enum { SEEN_MOST = 4096 };

struct seen_packet {
    int64_t time_ns;
    uint32_t captured, length;
    int link_type;
    uint16_t source;
    uint8_t first;
};

/* What came of reading; one at a time. */
struct seen {
    struct seen_packet packets[SEEN_MOST];
    unsigned count, errors;
    bool started;
    char messages[8192]; /* on standard error */
};

static int messages_saved = -1;

static inline void messages_begin(void)
{
    fflush(stderr);
    messages_saved = dup(STDERR_FILENO);
    int file = open(in_folder("messages"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
}

static inline void messages_end(char *text, size_t size)
{
    fflush(stderr);
    ssize_t length = pread(STDERR_FILENO, text, size - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    dup2(messages_saved, STDERR_FILENO);
    close(messages_saved);
    for (char *at;
         (at = strstr(text, folder_path));) /* names as if the folder were the current one */
        memmove(at, at + strlen(folder_path) + 1, strlen(at + strlen(folder_path) + 1) + 1);
    unlink(in_folder("messages"));
}

/* Touches each byte, so that a sanitizer sees one that is not there. */
static inline void see_packet(struct seen *seen, const struct packet *packet)
{
    uint8_t all = 0;
    for (uint32_t i = 0; i < packet->captured; i++)
        all |= packet->data[i];
    if (seen->count < SEEN_MOST) {
        seen->packets[seen->count] = (struct seen_packet){
            .time_ns = packet->time_ns,
            .captured = packet->captured,
            .length = packet->length,
            .link_type = packet->link_type,
            .source = packet->source,
            .first = packet->captured && all ? packet->data[0] : '-',
        };
    }
    seen->count++;
}

static inline struct seen *read_all(const char *filter, const char *const *paths, int verbosity)
{
    static struct seen seen;
    struct log log = {.verbosity = verbosity};
    memset(&seen, 0, sizeof seen);
    messages_begin();
    struct capture *capture = capture_new(&log, filter);
    for (; capture && *paths; paths++)
        capture_add(capture, *paths);
    seen.started = capture && capture_start(capture);
    const struct packet *packet;
    while (seen.started && (packet = capture_next(capture)))
        see_packet(&seen, packet);
    seen.errors = capture ? capture_errors(capture) : 0;
    capture_free(capture);
    messages_end(seen.messages, sizeof seen.messages);
    return &seen;
}

#define READ(...) read_all(NULL, (const char *const[]){__VA_ARGS__, NULL}, 0)

/* The first byte of each packet in their order, as text; "-" for one without bytes. */
static inline const char *seen_order(const struct seen *seen)
{
    static char order[SEEN_MOST + 1];
    unsigned i;
    for (i = 0; i < seen->count && i < SEEN_MOST; i++)
        order[i] = (char)seen->packets[i].first;
    order[i] = '\0';
    return order;
}

#endif
