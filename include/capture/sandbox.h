/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walls around what reads packets. The sandbox is told, not taught: whoever will open a file
 * later says so before it closes; everything else is forbidden afterwards.
 */
#ifndef CAPTURE_SANDBOX_H
#define CAPTURE_SANDBOX_H

#include <stdbool.h>

#include "base/log.h"

enum sandbox_mode {
    SANDBOX_AUTO,    /* as far as the kernel can; what it cannot is a warning */
    SANDBOX_REQUIRE, /* ... is an error */
    SANDBOX_OFF
};

/* sandbox_mode_of understands "auto", "require" and "off"; false if it is none. */
bool sandbox_mode_of(const char *word, enum sandbox_mode *mode);

struct sandbox;

/* sandbox_new returns a list of needs (new), still empty; NULL without memory. */
struct sandbox *sandbox_new(enum sandbox_mode mode, struct log *log)
    __attribute__((warn_unused_result));

/* sandbox_read: files below `path`, or itself, will be opened for reading. NULL, "-" and what does
 * not exist are passed over. */
void sandbox_read(struct sandbox *sandbox, const char *path);

/* sandbox_write: files in the directory of `path` will be created, written, replaced and removed.
 * NULL and "-" are passed over. */
void sandbox_write(struct sandbox *sandbox, const char *path);

/* sandbox_threads: threads will be started. sandbox_sockets: connections will be made; this need is
 * told before all others. */
void sandbox_threads(struct sandbox *sandbox);
void sandbox_sockets(struct sandbox *sandbox);

/*
 * sandbox_enter closes the walls, for this thread and those that it starts: no new privileges;
 * Landlock for files; seccomp, which ends the process at a forbidden system call and names that on
 * standard error. It first makes the libraries load what they would open files for. False after a
 * message if it must not go on. With SANDBOX_OFF, and in builds with sanitizers, nothing happens.
 */
bool sandbox_enter(struct sandbox *sandbox);

/* sandbox_free frees; NULL is allowed. The walls stay. */
void sandbox_free(struct sandbox *sandbox);

#endif
