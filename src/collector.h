/* SPDX-License-Identifier: BSD-2-Clause */
/* What was seen of peers before, by which finished records are judged, and the file in which it outlives the run. Private to the
 * files directly in src/. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>

#include "base/counters.h"
#include "base/log.h"
#include "session/record.h"

struct collector;

/* collector_new returns a collector (new) that goes on with a state file (borrowed; NULL: none), or NULL without memory. */
struct collector *collector_new(const char *state, struct log *log);

/* collector_judge raises the findings of a record that need those before it. To be called in the order of the output, by one thread. */
void collector_judge(struct collector *collector, struct record *record);

/* collector_save writes the state file, if there is one; false, with a message, if it cannot. Any thread may call it. */
bool collector_save(struct collector *collector);

/* collector_count adds to the counters what was forgotten; see history_count. Any thread may call it. */
void collector_count(struct collector *collector, struct counters *counters);

/* collector_free frees; NULL is allowed. */
void collector_free(struct collector *collector);

#endif
