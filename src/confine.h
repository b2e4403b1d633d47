/* SPDX-License-Identifier: BSD-2-Clause */
/* The sandbox of what reads saved files. Private to the files directly in src/. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "capture/sandbox.h"
#include "writer/kafka.h"

enum { CONFINE_WRITES = 2 };

/* What will be opened; NULL and "-" are passed over. All strings are borrowed for the call. */
struct confine_needs {
    const char *const *reads;
    size_t read_count;
    const char *writes[CONFINE_WRITES];
    const struct kafka *kafka; /* NULL none */
};

/* confine_warm_up lets the libraries of the pipeline load what they need files for. */
void confine_warm_up(struct log *log);

/*
 * confine_enter warms up, and closes the sandbox. False after a message if
 * the program must not go on.
 */
bool confine_enter(enum sandbox_mode mode, const struct confine_needs *needs, struct log *log);

#endif
