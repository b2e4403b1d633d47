/* SPDX-License-Identifier: BSD-2-Clause */
/* Live only: one handle on the interface, one pipeline, one thread. Private to the files directly in src/. */
#ifndef SERVICE_WORKER_H
#define SERVICE_WORKER_H

#include <stdbool.h>

#include "analyzer.h"
#include "capture/live.h"
#include "service_queue.h"

struct worker;

/* What a worker has seen, as of its last turn. */
struct worker_state {
    struct counters counters;
    struct stats_facts facts;
};

/* worker_open opens the interface and returns a worker (new), or NULL after a message. */
struct worker *worker_open(const struct live_options *live, struct log *log) __attribute__((warn_unused_result));

/* worker_equip gives it a pipeline, whose records go to the queue; all is borrowed. False after a message. */
bool worker_equip(struct worker *worker, const struct analyzer_options *options, struct queue *queue);

/* worker_start lets its thread run; false after a message. */
bool worker_start(struct worker *worker);

/* worker_add adds what it has seen, at most a tenth of a second ago, to a sum of workers that starts with quiet_ns -1. */
void worker_add(struct worker *worker, struct worker_state *sum);

/* worker_fault returns why it ended by itself (the interface is gone), NULL if it did not; borrowed. */
const char *worker_fault(struct worker *worker);

/*
 * worker_stop lets it read what is in the ring, write what is open, and end, within `ms` milliseconds. worker_join waits for that;
 * false: there was more than it could write, and it does nothing any more, but may not be freed. `left` gets the connections that
 * are still open then.
 */
void worker_stop(struct worker *worker, unsigned ms);
bool worker_join(struct worker *worker, uint64_t *left);

/* worker_free frees a worker that does not run; NULL is allowed. */
void worker_free(struct worker *worker);

#endif
