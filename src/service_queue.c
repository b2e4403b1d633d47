/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines wait here while the output is written: bounded, and what finds no room is counted. */
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/memory.h"
#include "service_queue.h"

enum {
    PIECE = PIPE_BUF,   /* written at once: a pipe takes so much as a whole or not at all, so no line is torn by a stuck reader */
    SPARE = 1048576,    /* a larger buffer is given back when it is empty */
    RETRY_SECONDS = 10, /* until a failed file is tried again */
};

/* Whole lines. */
struct batch {
    char *data;
    size_t length, capacity;
    uint64_t lines;
};

struct queue {
    pthread_t thread;
    pthread_mutex_t lock;    /* of all below but `writing` and what it points to */
    pthread_cond_t changed;  /* for the thread: work; for queue_close: `done` */
    struct output *output;   /* the thread's */
    struct batch writing;    /* the thread's; its lines are counted in `in_flight` */
    struct batch waiting;
    uint64_t in_flight;      /* lines of `writing` not yet written */
    uint64_t lost;
    struct timespec until;   /* with `ending`: that late, lines are lost */
    bool ending, again, reopen, closing, done, failed;
    struct log log;          /* the thread's copy */
};

static bool batch_add(struct batch *batch, const char *data, size_t length)
{
    if (batch->length + length > LIMIT_QUEUE_BYTES)
        return false;
    if (batch->length + length > batch->capacity) {
        size_t capacity = 2 * (batch->length + length) + 65536;
        char *grown = memory_resize(batch->data, capacity);
        if (!grown)
            return false;
        batch->data = grown;
        batch->capacity = capacity;
    }
    memcpy(batch->data + batch->length, data, length);
    batch->length += length;
    for (size_t at = 0; at < length; at++) /* some formats have two lines for a session, or none */
        batch->lines += data[at] == '\n';
    return true;
}

static void batch_empty(struct batch *batch)
{
    if (batch->capacity > SPARE) {
        memory_free(batch->data);
        batch->data = NULL;
        batch->capacity = 0;
    }
    batch->length = 0;
    batch->lines = 0;
}

/* At the end all open sessions come at once: now, for the first time, the pipeline may wait for the output. */
static void wait_for_room(struct queue *queue, size_t length)
{
    int status = 0;
    while (status == 0 && !queue->failed && queue->waiting.length + length > LIMIT_QUEUE_BYTES)
        status = pthread_cond_timedwait(&queue->changed, &queue->lock, &queue->until);
}

bool queue_put(struct queue *queue, const struct line *line)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->ending)
        wait_for_room(queue, line->length);
    bool good = !queue->failed && batch_add(&queue->waiting, line->data, line->length);
    if (!good)
        queue->lost++;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return good;
}

/* ---- the thread */

static void written(struct queue *queue, uint64_t lines, bool good)
{
    pthread_mutex_lock(&queue->lock);
    queue->in_flight -= lines;
    if (!good)
        queue->lost += lines;
    pthread_mutex_unlock(&queue->lock);
}

/* As many whole lines as a piece holds, one at least. */
static size_t next_piece(const char *data, size_t length, uint64_t *lines)
{
    size_t piece = 0;
    *lines = 0;
    while (piece < length) {
        const char *newline = memchr(data + piece, '\n', length - piece);
        size_t line = newline ? (size_t)(newline + 1 - data) - piece : length - piece;
        if (*lines && piece + line > PIECE)
            break;
        piece += line;
        ++*lines;
    }
    return piece;
}

static bool write_batch(struct queue *queue)
{
    struct batch *batch = &queue->writing;
    bool good = true;
    for (size_t at = 0; at < batch->length;) {
        uint64_t lines;
        size_t piece = next_piece(batch->data + at, batch->length - at, &lines);
        struct line line = {.data = batch->data + at, .length = piece, .capacity = piece};
        good = good && output_write(queue->output, &line) && output_flush(queue->output);
        written(queue, lines, good);
        at += piece;
    }
    batch_empty(batch);
    return good;
}

/* A file that failed (a full disk) may take lines again later. */
static bool retry(struct queue *queue, time_t *failed_at)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!*failed_at)
        *failed_at = now.tv_sec;
    if (now.tv_sec - *failed_at < RETRY_SECONDS)
        return false;
    *failed_at = now.tv_sec;
    if (!output_reopen(queue->output))
        return false;
    *failed_at = 0;
    return true;
}

/* Waits for work and takes it. False: there will be none. */
static bool take(struct queue *queue, bool *reopen)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->waiting.length && !queue->closing && !queue->reopen)
        pthread_cond_wait(&queue->changed, &queue->lock);
    struct batch empty = queue->writing;
    queue->writing = queue->waiting;
    queue->waiting = empty;
    queue->in_flight = queue->writing.lines;
    *reopen = queue->reopen;
    queue->reopen = false;
    if (queue->ending)
        pthread_cond_broadcast(&queue->changed);
    bool more = queue->writing.length || *reopen || !queue->closing;
    pthread_mutex_unlock(&queue->lock);
    return more;
}

static void give_up(struct queue *queue, bool done)
{
    pthread_mutex_lock(&queue->lock);
    queue->failed |= !done;
    queue->done |= done;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static void *run(void *user)
{
    struct queue *queue = user;
    bool reopen, good = true;
    time_t failed_at = 0;
    while (take(queue, &reopen)) {
        if (!good && queue->again)
            good = retry(queue, &failed_at);
        good = write_batch(queue) && good;
        if (reopen && output_reopen(queue->output)) {
            good = true;
            failed_at = 0;
        } else if (reopen) {
            log_warning(&queue->log, "going on with the file that was open");
        }
        if (!good && !queue->again)
            give_up(queue, false);
    }
    give_up(queue, true);
    return NULL;
}

/* ---- opening and closing */

static bool conditions(struct queue *queue)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&queue->changed, &attributes) == 0 && pthread_mutex_init(&queue->lock, NULL) == 0;
    pthread_condattr_destroy(&attributes);
    return good;
}

struct queue *queue_new(struct output *output, bool again, const struct log *log)
{
    struct queue *queue = memory_new(sizeof *queue);
    if (queue) {
        queue->output = output;
        queue->again = again;
        queue->log = *log;
    }
    if (queue && conditions(queue) && pthread_create(&queue->thread, NULL, run, queue) == 0)
        return queue;
    memory_free(queue);
    return NULL;
}

void queue_reopen(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->reopen = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

uint64_t queue_lost(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    uint64_t lost = queue->lost;
    pthread_mutex_unlock(&queue->lock);
    return lost;
}

bool queue_failed(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool failed = queue->failed;
    pthread_mutex_unlock(&queue->lock);
    return failed;
}

void queue_end(struct queue *queue, unsigned seconds)
{
    pthread_mutex_lock(&queue->lock);
    queue->ending = true;
    clock_gettime(CLOCK_MONOTONIC, &queue->until);
    queue->until.tv_sec += seconds;
    pthread_mutex_unlock(&queue->lock);
}

bool queue_close(struct queue *queue, uint64_t *lost)
{
    int status = 0;
    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    pthread_cond_broadcast(&queue->changed);
    while (!queue->done && status == 0)
        status = pthread_cond_timedwait(&queue->changed, &queue->lock, &queue->until);
    bool done = queue->done;
    *lost = queue->lost + (done ? 0 : queue->waiting.lines + queue->in_flight);
    pthread_mutex_unlock(&queue->lock);
    if (!done)
        return false;
    pthread_join(queue->thread, NULL);
    memory_free(queue->writing.data);
    memory_free(queue->waiting.data);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    memory_free(queue);
    return true;
}
