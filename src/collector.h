/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the records of all pipelines meet: what was seen of peers before, and the order of the output. Private to the files
 * directly in src/.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>

#include "base/log.h"
#include "session/record.h"

struct collector;

/* collector_new returns a collector (new) that goes on with a state file (borrowed; NULL: none), or NULL without memory. */
struct collector *collector_new(const char *state, struct log *log);

/*
 * collector_enter judges a record by those before it; until collector_leave, which the same thread calls once the record is
 * written, no other thread gets in: records are judged in the order in which they are written.
 */
void collector_enter(struct collector *collector, struct record *record);
void collector_leave(struct collector *collector);

/* collector_save writes the state file, if there is one; false, with a message, if it cannot. */
bool collector_save(struct collector *collector);

/* collector_free frees; NULL is allowed. */
void collector_free(struct collector *collector);

#endif
