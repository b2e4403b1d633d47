/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain, gzip and zstd files and standard input, all as one kind of FILE. Home of zlib and libzstd. */
#ifndef BASE_INPUT_H
#define BASE_INPUT_H

#include <stdint.h>
#include <stdio.h>

struct input;

/*
 * input_open opens `path` ("-": standard input) and tells by content what it is. Returns it (new), or NULL with errno set
 * (ENOEXEC: compressed in a way that is not known here).
 */
struct input *input_open(const char *path);

/*
 * input_file returns the decompressed bytes as a FILE with a large buffer, borrowed: input_close closes it, unless it was
 * handed to something that does (pcap_fopen_offline), in which case say so with input_stolen.
 */
FILE *input_file(struct input *input);
void input_stolen(struct input *input);

/* input_read_bytes returns how many bytes of the file on disk were consumed so far (compressed ones where it is so). */
uint64_t input_read_bytes(const struct input *input);

/* input_damage returns NULL, or a static text if the compressed data ended early or are damaged. */
const char *input_damage(const struct input *input);

/* input_close closes and frees; NULL is allowed. */
void input_close(struct input *input);

#endif
