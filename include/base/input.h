/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain, gzip and zstd files and standard input, all as one stream of bytes. Home of zlib and
 * libzstd. */
#ifndef BASE_INPUT_H
#define BASE_INPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reader.h"

struct input;

/*
 * input_open opens `path` ("-": standard input) and tells by content what it is. Returns it (new),
 * or NULL with errno set. ENOEXEC: compressed in a way that is not known here; *command (may be
 * NULL) is then the command that writes the decompressed bytes of a file to standard output ("xz
 * -dc"; static).
 */
struct input *input_open(const char *path, const char **command)
    __attribute__((warn_unused_result));

/* input_head returns the first decompressed bytes (24, fewer if there are no more), borrowed; they
 * are still to be read. */
enum { INPUT_HEAD = 24 };
struct slice input_head(const struct input *input);

/*
 * input_read reads up to `size` decompressed bytes to `out` and returns how many: what is there, as
 * from a pipe; 0 only at the end, which may be early: input_damage.
 */
size_t input_read(struct input *input, void *out, size_t size);

/*
 * input_file returns the same bytes as a FILE with a large buffer and without locks (for one thread
 * at a time), borrowed; NULL without memory. Use it or input_read, not both. input_close closes it,
 * unless it was handed to something that does (pcap_fopen_offline), in which case say so with
 * input_stolen, and close that first.
 */
FILE *input_file(struct input *input);
void input_stolen(struct input *input);

/* input_can_reopen tells whether the path can be opened again from its beginning: a regular file,
 * not "-" and not a pipe. */
bool input_can_reopen(const struct input *input);

/* input_size returns the bytes on disk (compressed ones where it is so) when it was opened, 0 if
 * not known (a pipe). */
uint64_t input_size(const struct input *input);

/* input_read_bytes returns how many bytes of the file on disk were consumed so far. */
uint64_t input_read_bytes(const struct input *input);

/*
 * input_damage returns NULL, or why the bytes ended too early, as a text to which "after 3615
 * packets" can be added (static): the compressed data end early or are damaged, the file shrank
 * while it was read, reading failed.
 */
const char *input_damage(const struct input *input);

/* input_close closes and frees; NULL is allowed. */
void input_close(struct input *input);

/* input_stop_at lets a read that waits for a pipe fail once a signal has interrupted it and `flag` is
 * set (borrowed, for the whole process; NULL, as it begins: such a read goes on). */
void input_stop_at(const volatile sig_atomic_t *flag);

#endif
