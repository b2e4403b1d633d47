/* SPDX-License-Identifier: BSD-2-Clause */
/* One saved capture, of whatever format: packets in file order. Private to capture/. */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/packet.h"

struct capture_file;

/* Why a file could not be opened, or not be read to its end. */
struct capture_fault {
    bool foreign;   /* by its content it is no capture */
    int error;      /* errno of open(2), else 0 */
    char text[256]; /* for a message, after the file's name: "truncated after 3615 packets" */
};

/* capture_file_open opens a file or "-" and returns it (new), or NULL with *fault filled. */
struct capture_file *capture_file_open(const char *path, struct capture_fault *fault)
    __attribute__((warn_unused_result));

/*
 * capture_file_next fetches the next packets, as many as lie in memory together, CAPTURE_BATCH at
 * the most. Returns their number, with *packets pointing to them (borrowed until the next call; you
 * may change them, and fill in `source`), 0 at the end, -1 where the file cannot be read further,
 * with *fault filled.
 */
int capture_file_next(struct capture_file *file, struct packet **packets,
                      struct capture_fault *fault);

/* See input_can_reopen, input_size and input_read_bytes. */
bool capture_file_can_reopen(const struct capture_file *file);
uint64_t capture_file_size(const struct capture_file *file);
uint64_t capture_file_read_bytes(const struct capture_file *file);

/* capture_file_close closes and frees; NULL is allowed. */
void capture_file_close(struct capture_file *file);

#endif
