/* SPDX-License-Identifier: BSD-2-Clause */
/* Live only: between the pipeline, which must not wait, and an output whose reader may be slow. Private to the files directly in
 * src/. */
#ifndef SERVICE_QUEUE_H
#define SERVICE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "writer/writer.h"

struct queue;

/*
 * queue_new starts a thread that writes to `output` (borrowed) and returns the queue (new), or NULL after a message. `again`: the
 * output is a file, and is tried again after a failure; else a failure is final.
 */
struct queue *queue_new(struct output *output, bool again, const struct log *log) __attribute__((warn_unused_result));

/* queue_put takes a line (copied), never waiting; false if there is no room: it is lost. Any thread may call it. */
bool queue_put(struct queue *queue, const struct line *line);

/* queue_reopen lets the thread reopen the output, after what was put before. */
void queue_reopen(struct queue *queue);

/* queue_lost returns how many lines could not be written so far; queue_failed tells that no more can. */
uint64_t queue_lost(struct queue *queue);
bool queue_failed(struct queue *queue);

/*
 * queue_end says that no more lines come than those of the end, which wait for room in the queue instead of being lost, all in all
 * for `seconds` at the most.
 */
void queue_end(struct queue *queue, unsigned seconds);

/*
 * queue_close, after queue_end, waits for what is in the queue to be written, within the same time, and ends the thread. True:
 * frees. False: the reader is stuck; the thread still uses the queue and the output, and only the end of the process ends it.
 */
bool queue_close(struct queue *queue, uint64_t *lost);

#endif
