/* SPDX-License-Identifier: BSD-2-Clause */
/* Live only: between the pipelines, which must not wait, and the scribe, whose output may be slow. Private to the files directly in
 * src/. */
#ifndef SERVICE_QUEUE_H
#define SERVICE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/record.h"
#include "writer/writer.h"

/* The queue is bounded by LIMIT_QUEUE_BYTES; what finds no room is lost and counted. */
struct queue;

/* queue_new returns an empty queue (new), or NULL without memory. */
struct queue *queue_new(void) __attribute__((warn_unused_result));

/* queue_free frees; its lanes go before. NULL is allowed. */
void queue_free(struct queue *queue);

/* ---- those who fill it */

/* One worker's end of the queue; only its thread uses it. */
struct lane;

/* lane_new returns a lane (new) of a queue (borrowed), or NULL without memory. */
struct lane *lane_new(struct queue *queue) __attribute__((warn_unused_result));

/* lane_put copies a finished record, never waiting; the scribe gets it at lane_flush at the latest. */
void lane_put(struct lane *lane, const struct record *record);

/* lane_flush hands over what was put, never waiting before queue_end: to be called once in each turn of the worker. */
void lane_flush(struct lane *lane);

/* lane_free gives back what the records held; nobody may use them any more. NULL is allowed. */
void lane_free(struct lane *lane);

/* queue_put_line hands over a line that is written already (copied). Any thread may call it. */
void queue_put_line(struct queue *queue, const struct line *line);

/* ---- the scribe */

/* Items of one lane. */
struct batch;

/* One item: a record, or the bytes of a line. Borrowed from the batch. */
struct item {
    struct record *record; /* NULL: a line */
    const char *line;
    size_t length;
};

/*
 * queue_take waits for work; if `soon`, not for long. It returns the batches that are there (possibly none), and tells whether the
 * output is to be reopened after them. False: there will be no more.
 */
bool queue_take(struct queue *queue, bool soon, struct batch **batches, bool *reopen);

/* batch_next tells the next item, from *at = 0 on; false: there is none left. */
bool batch_next(struct batch *batch, size_t *at, struct item *item);

/* queue_give_back returns a batch and the next one. */
struct batch *queue_give_back(struct queue *queue, struct batch *batch);

/*
 * What was taken is in flight until it is written: queue_formatted says that so many items became so many lines, queue_written
 * that so many lines were written (or, if not `good`, lost).
 */
void queue_formatted(struct queue *queue, uint64_t items, uint64_t lines);
void queue_written(struct queue *queue, uint64_t lines, bool good);

/* queue_fail says that the output takes no more for good; queue_done that the scribe has ended. */
void queue_fail(struct queue *queue);
void queue_done(struct queue *queue);

/* ---- the service */

/* queue_reopen lets the scribe reopen the output, after what was put before. */
void queue_reopen(struct queue *queue);

/* queue_lost returns how many events could not be written so far; queue_failed tells that no more can. */
uint64_t queue_lost(struct queue *queue);
bool queue_failed(struct queue *queue);

/* queue_ending tells that queue_end was called. */
bool queue_ending(struct queue *queue);

/*
 * queue_end says that no more come than those of the end, which wait for room instead of being lost, all in all for `ms`
 * milliseconds at the most.
 */
void queue_end(struct queue *queue, unsigned ms);

/*
 * queue_close, after queue_end, waits until all is written and the scribe has ended, for `ms` milliseconds beyond that time at the
 * most. False: it is stuck, and `lost` counts what it and the queue still hold.
 */
bool queue_close(struct queue *queue, unsigned ms, uint64_t *lost);

#endif
