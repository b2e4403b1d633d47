/* SPDX-License-Identifier: BSD-2-Clause */
/* Finished records on their way from the workers to the scribe: copied, in batches, bounded. What finds no room is counted. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/memory.h"
#include "service_queue.h"
#include "session/certificate.h"

enum {
    BATCH = 65536,                  /* handed over before the turn ends */
    URGENT = LIMIT_QUEUE_BYTES / 8, /* waiting bytes that wake the scribe at once */
    PACE_MS = 50,                   /* else it looks that often: a wake-up costs more than a record */
    SPARE = 4                       /* empty batches that a lane keeps */
};

/* In a batch; what `record` points to is set when it is read, since a batch moves as it grows. */
struct message {
    size_t size; /* of all, a multiple of its alignment */
    size_t text_length;
    bool is_line;
    struct record record;
    struct smtp_facts smtp;
    struct tls_facts tls;
    char text[]; /* of the record, or the line */
};

enum { ALIGNMENT = _Alignof(struct message) };

struct batch {
    struct batch *next;
    struct lane *lane; /* whose certificates these are, and who gets it back; NULL: lines only, freed */
    unsigned char *data;
    size_t length, capacity;
    uint64_t items;
};

struct queue {
    pthread_mutex_t lock;         /* of all below, and of `returned` of the lanes */
    pthread_cond_t work, changed; /* for the scribe; for those who wait for room or for the end */
    struct batch *first, **last;
    size_t bytes;                 /* waiting, or with the scribe */
    uint64_t waiting;             /* items */
    uint64_t in_flight, lost;
    struct timespec due;          /* when the scribe looks again */
    struct timespec until;        /* with `ending`: after that nobody waits for room */
    bool idle;                    /* the scribe waits for the first batch */
    bool ending, reopen, closing, done, failed;
};

struct lane {
    struct queue *queue;
    struct batch *filling;
    struct batch *spare;    /* the lane's own */
    unsigned spares;
    struct batch *returned; /* read by the scribe, certificates still held */
};

static struct timespec later(struct timespec time, long ms)
{
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

static struct timespec in_ms(long ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return later(now, ms);
}

static bool conditions(struct queue *queue)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&queue->work, &attributes) == 0 &&
                pthread_cond_init(&queue->changed, &attributes) == 0 && pthread_mutex_init(&queue->lock, NULL) == 0;
    pthread_condattr_destroy(&attributes);
    return good;
}

struct queue *queue_new(void)
{
    struct queue *queue = memory_new(sizeof *queue);
    if (queue && !conditions(queue)) {
        memory_free(queue);
        return NULL;
    }
    if (queue)
        queue->last = &queue->first;
    return queue;
}

static void batch_free(struct batch *batch)
{
    if (batch)
        memory_free(batch->data);
    memory_free(batch);
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    for (struct batch *batch = queue->first, *next; batch; batch = next) {
        next = batch->next;
        if (!batch->lane) /* those of a lane are its own, with the certificates that they hold */
            batch_free(batch);
    }
    pthread_cond_destroy(&queue->work);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    memory_free(queue);
}

/* ---- filling */

/* Room for a message with so much text; NULL without memory. */
static struct message *batch_add(struct batch *batch, size_t text_length)
{
    size_t size = (sizeof(struct message) + text_length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > batch->capacity - batch->length) {
        size_t capacity = batch->length + size + (batch->lane ? BATCH : 0); /* a line has a batch of its own */
        unsigned char *grown = memory_resize(batch->data, capacity);
        if (!grown)
            return NULL;
        batch->data = grown;
        batch->capacity = capacity;
    }
    struct message *message = (struct message *)(void *)(batch->data + batch->length);
    message->size = size;
    message->text_length = text_length;
    message->is_line = false;
    batch->length += size;
    batch->items++;
    return message;
}

static void hold(const struct tls_side_facts *side)
{
    if (side->certificate)
        side->certificate->references++;
    if (side->fingerprint)
        side->fingerprint->references++;
}

static void let_go(const struct tls_side_facts *side)
{
    certificate_release(NULL, side->certificate);
    fingerprint_release(side->fingerprint);
}

static bool batch_add_record(struct batch *batch, const struct record *record)
{
    struct message *message = batch_add(batch, record->text_length);
    if (!message)
        return false;
    message->record = *record;
    if (record->smtp)
        message->smtp = *record->smtp;
    if (record->tls) {
        message->tls = *record->tls;
        hold(&message->tls.client);
        hold(&message->tls.server);
    }
    if (record->text_length)
        memcpy(message->text, record->text, record->text_length);
    return true;
}

static struct message *message_at(struct batch *batch, size_t at)
{
    return (struct message *)(void *)(batch->data + at);
}

/* Gives back what its records held. Only the thread of the lane may: references are not counted atomically. */
static void batch_empty(struct batch *batch)
{
    for (size_t at = 0; at < batch->length;) {
        struct message *message = message_at(batch, at);
        if (!message->is_line && message->record.tls) {
            let_go(&message->tls.client);
            let_go(&message->tls.server);
        }
        at += message->size;
    }
    batch->length = 0;
    batch->items = 0;
}

static void lane_keep(struct lane *lane, struct batch *batch)
{
    batch_empty(batch);
    if (lane->spares == SPARE || batch->capacity > 4 * BATCH) {
        batch_free(batch);
        return;
    }
    batch->next = lane->spare;
    lane->spare = batch;
    lane->spares++;
}

static struct batch *lane_batch(struct lane *lane)
{
    struct batch *batch = lane->spare;
    if (batch) {
        lane->spare = batch->next;
        lane->spares--;
    } else if ((batch = memory_new(sizeof *batch)) != NULL) {
        batch->lane = lane;
    }
    if (batch)
        batch->next = NULL;
    return batch;
}

struct lane *lane_new(struct queue *queue)
{
    struct lane *lane = memory_new(sizeof *lane);
    if (lane)
        lane->queue = queue;
    return lane;
}

static void lose(struct queue *queue, uint64_t count)
{
    pthread_mutex_lock(&queue->lock);
    queue->lost += count;
    pthread_mutex_unlock(&queue->lock);
}

void lane_put(struct lane *lane, const struct record *record)
{
    if (!lane->filling)
        lane->filling = lane_batch(lane);
    if (!lane->filling || !batch_add_record(lane->filling, record))
        lose(lane->queue, 1);
    else if (lane->filling->length >= BATCH)
        lane_flush(lane);
}

/* At the end all open sessions come at once: now, for the first time, a pipeline may wait for the output. Locked. */
static bool has_room(struct queue *queue, size_t length)
{
    int status = 0;
    while (queue->ending && status == 0 && !queue->failed && queue->bytes + length > LIMIT_QUEUE_BYTES)
        status = pthread_cond_timedwait(&queue->changed, &queue->lock, &queue->until);
    return !queue->failed && queue->bytes + length <= LIMIT_QUEUE_BYTES;
}

/* Locked. False: there is no room, and what the batch holds is lost. */
static bool append(struct queue *queue, struct batch *batch)
{
    if (!has_room(queue, batch->length)) {
        queue->lost += batch->items;
        return false;
    }
    *queue->last = batch;
    queue->last = &batch->next;
    queue->bytes += batch->length;
    queue->waiting += batch->items;
    if (queue->idle || queue->bytes >= URGENT)
        pthread_cond_signal(&queue->work);
    return true;
}

void lane_flush(struct lane *lane)
{
    if (!lane->filling || !lane->filling->items)
        return;
    pthread_mutex_lock(&lane->queue->lock);
    bool taken = append(lane->queue, lane->filling);
    struct batch *returned = lane->returned;
    lane->returned = NULL;
    pthread_mutex_unlock(&lane->queue->lock);
    if (taken)
        lane->filling = NULL;
    else
        batch_empty(lane->filling);
    while (returned) {
        struct batch *next = returned->next;
        lane_keep(lane, returned);
        returned = next;
    }
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    lane_flush(lane); /* there is nothing, but for an end in the middle */
    if (lane->filling)
        lane_keep(lane, lane->filling);
    for (struct batch *batch = lane->returned, *next; batch; batch = next) {
        next = batch->next;
        lane_keep(lane, batch);
    }
    for (struct batch *batch = lane->spare, *next; batch; batch = next) {
        next = batch->next;
        batch_free(batch);
    }
    memory_free(lane);
}

void queue_put_line(struct queue *queue, const struct line *line)
{
    struct batch *batch = memory_new(sizeof *batch);
    struct message *message = batch ? batch_add(batch, line->length) : NULL;
    if (message) {
        message->is_line = true;
        memcpy(message->text, line->data, line->length);
    }
    pthread_mutex_lock(&queue->lock);
    bool taken = message && append(queue, batch);
    if (!message)
        queue->lost++;
    pthread_mutex_unlock(&queue->lock);
    if (!taken)
        batch_free(batch);
}

/* ---- the scribe */

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* The first batch after a silence is taken at once, later ones when they are due; then, if `soon`, it ends without any. Locked. */
static void await(struct queue *queue, bool soon)
{
    int status = 0;
    while (!queue->ending && !queue->reopen && !queue->closing && queue->bytes < URGENT) {
        struct timespec now = in_ms(0);
        if ((queue->first || soon) && !is_before(&now, &queue->due))
            return;
        queue->idle = !queue->first && !soon;
        if (queue->idle)
            pthread_cond_wait(&queue->work, &queue->lock);
        else
            pthread_cond_timedwait(&queue->work, &queue->lock, &queue->due);
    }
    queue->idle = true;
    while (!queue->first && !queue->reopen && !queue->closing && status == 0)
        status = soon ? pthread_cond_timedwait(&queue->work, &queue->lock, &queue->due) : pthread_cond_wait(&queue->work, &queue->lock);
}

bool queue_take(struct queue *queue, bool soon, struct batch **batches, bool *reopen)
{
    pthread_mutex_lock(&queue->lock);
    await(queue, soon);
    queue->idle = false;
    queue->due = in_ms(PACE_MS);
    *batches = queue->first;
    queue->first = NULL;
    queue->last = &queue->first;
    queue->in_flight += queue->waiting;
    queue->waiting = 0;
    *reopen = queue->reopen;
    queue->reopen = false;
    bool more = *batches || *reopen || !queue->closing;
    pthread_mutex_unlock(&queue->lock);
    return more;
}

bool batch_next(struct batch *batch, size_t *at, struct item *item)
{
    if (*at >= batch->length)
        return false;
    struct message *message = message_at(batch, *at);
    *at += message->size;
    *item = (struct item){.line = message->text, .length = message->text_length};
    if (message->is_line)
        return true;
    item->record = &message->record;
    message->record.text = message->text;
    if (message->record.smtp)
        message->record.smtp = &message->smtp;
    if (message->record.tls)
        message->record.tls = &message->tls;
    return true;
}

struct batch *queue_give_back(struct queue *queue, struct batch *batch)
{
    struct batch *next = batch->next;
    struct lane *lane = batch->lane;
    pthread_mutex_lock(&queue->lock);
    queue->bytes -= batch->length;
    if (lane) {
        batch->next = lane->returned;
        lane->returned = batch;
    }
    if (queue->ending)
        pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    if (!lane)
        batch_free(batch);
    return next;
}

void queue_formatted(struct queue *queue, uint64_t items, uint64_t lines)
{
    pthread_mutex_lock(&queue->lock);
    queue->in_flight += lines - items;
    pthread_mutex_unlock(&queue->lock);
}

void queue_written(struct queue *queue, uint64_t lines, bool good)
{
    pthread_mutex_lock(&queue->lock);
    queue->in_flight -= lines;
    if (!good)
        queue->lost += lines;
    pthread_mutex_unlock(&queue->lock);
}

void queue_fail(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->failed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void queue_done(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->done = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- the service */

void queue_reopen(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->reopen = true;
    pthread_cond_signal(&queue->work);
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

bool queue_ending(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool ending = queue->ending;
    pthread_mutex_unlock(&queue->lock);
    return ending;
}

void queue_end(struct queue *queue, unsigned ms)
{
    pthread_mutex_lock(&queue->lock);
    queue->until = in_ms((long)ms);
    queue->ending = true;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_close(struct queue *queue, unsigned ms, uint64_t *lost)
{
    int status = 0;
    pthread_mutex_lock(&queue->lock);
    struct timespec until = later(queue->until, (long)ms);
    queue->closing = true;
    pthread_cond_signal(&queue->work);
    while (!queue->done && status == 0)
        status = pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
    bool done = queue->done;
    *lost = queue->lost + (done ? 0 : queue->waiting + queue->in_flight);
    pthread_mutex_unlock(&queue->lock);
    return done;
}
