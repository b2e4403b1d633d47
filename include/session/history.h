/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was seen of peers before: who offered STARTTLS to whom, and which handshakes failed lately. Bounded and expiring; it works on
 * finished records, in the order in which they are written. Rules: mxtap-events(5), starttls_vanished and plaintext_fallback.
 */
#ifndef SESSION_HISTORY_H
#define SESSION_HISTORY_H

#include <stdbool.h>

#include "base/counters.h"
#include "base/log.h"
#include "session/record.h"

struct history;

/* history_new returns an empty memory (new), or NULL. */
struct history *history_new(void);

/* history_judge raises the findings of a record that need the past, fills in its fallback_ fields, and remembers it. */
void history_judge(struct history *history, struct record *record);

/*
 * history_load reads what history_save wrote. A file that is missing is an empty one. One that is damaged or of another version is
 * reported and renamed to FILE.damaged: what was read before the damage is kept. Never fatal.
 */
void history_load(struct history *history, const char *path, struct log *log);

/* history_save writes the memory to FILE.new and renames that to FILE; false, with a message, if it cannot. */
bool history_save(const struct history *history, const char *path, struct log *log);

/* history_count adds to the counters what was forgotten at a limit, and what there was no memory for. */
void history_count(const struct history *history, struct counters *counters);

/* history_free frees; NULL is allowed. */
void history_free(struct history *history);

#endif
