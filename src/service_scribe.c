/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of all workers become lines here, in one order, and the lines are written: the only thread that a slow reader holds up. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/memory.h"
#include "service_scribe.h"
#include "writer/line.h"

enum {
    GATHERED = 65536,   /* bytes of lines that are written before more are made */
    PIECE = PIPE_BUF,   /* at once into a pipe, which takes so much as a whole or not at all: a stuck reader tears no line */
    RETRY_SECONDS = 10, /* until a failed file is tried again */
};

struct scribe {
    pthread_t thread;
    struct scribe_options options;
    struct log log;
    struct line line, gathered; /* one event; whole lines */
    size_t sent;                /* of what is gathered */
    bool good;
    time_t failed_at;
};

/* As many whole lines as a piece holds, one at least. */
static size_t next_piece(const char *data, size_t length, size_t most, uint64_t *lines)
{
    size_t piece = 0;
    *lines = 0;
    while (piece < length) {
        const char *newline = memchr(data + piece, '\n', length - piece);
        size_t line = newline ? (size_t)(newline + 1 - data) - piece : length - piece;
        if (*lines && piece + line > most)
            break;
        piece += line;
        ++*lines;
    }
    return piece;
}

static size_t unsent(const struct scribe *scribe)
{
    return scribe->gathered.length - scribe->sent;
}

/* What is gone makes room, but is not worth moving the rest for each time. */
static void forget_sent(struct scribe *scribe)
{
    struct line *all = &scribe->gathered;
    if (scribe->sent < unsent(scribe))
        return;
    if (unsent(scribe))
        memmove(all->data, all->data + scribe->sent, unsent(scribe));
    all->length -= scribe->sent;
    scribe->sent = 0;
}

/* All, or, if not `wait`, what a reader takes now. */
static void write_gathered(struct scribe *scribe, bool wait)
{
    struct line *all = &scribe->gathered;
    struct output *output = scribe->options.output;
    bool may_wait = output && output_may_wait(output);
    wait = wait || !may_wait;
    while (unsent(scribe) && (wait || !scribe->good || output_ready(output))) {
        uint64_t lines;
        size_t most = may_wait ? PIECE : GATHERED;
        size_t piece = next_piece(all->data + scribe->sent, unsent(scribe), most, &lines);
        if (!wait && piece > most) { /* the rest of a long line follows */
            piece = most;
            lines = 0;
        }
        struct line line = {.data = all->data + scribe->sent, .length = piece, .capacity = piece};
        scribe->good = scribe->good && output_write(output, &line) && output_flush(output);
        queue_written(scribe->options.queue, lines, scribe->good);
        scribe->sent += piece;
    }
    forget_sent(scribe);
}

static uint64_t lines_of(const struct line *line)
{
    uint64_t lines = 0;
    const char *from = line->data, *end = line->data + line->length;
    while (from < end && (from = memchr(from, '\n', (size_t)(end - from))) != NULL) {
        from++;
        lines++;
    }
    return lines;
}

static void format_item(struct scribe *scribe, const struct item *item)
{
    struct line *line = &scribe->line;
    line->length = 0;
    line->failed = false;
    line->key = scribe->options.sensor;
    if (!item->record) {
        line_add(line, item->line, item->length);
        return;
    }
    collector_judge(scribe->options.collector, item->record);
    scribe->options.format->session(line, item->record);
    line->key = *item->record->community_id ? item->record->community_id : NULL;
}

/* For a line more. At the end all open sessions come at once: then it waits for the reader. */
static bool has_room(struct scribe *scribe)
{
    if (unsent(scribe) + scribe->line.length <= LIMIT_QUEUE_BYTES)
        return true;
    if (!queue_ending(scribe->options.queue))
        return false;
    write_gathered(scribe, true);
    return true;
}

/* One without memory or room is as lost as one that cannot be written. */
static void take_item(struct scribe *scribe, const struct item *item)
{
    struct line *line = &scribe->line, *gathered = &scribe->gathered;
    format_item(scribe, item);
    if (scribe->options.kafka && !line->failed)
        kafka_send(scribe->options.kafka, line);
    bool wanted = scribe->options.output && !line->failed, room = !wanted || has_room(scribe);
    size_t before = gathered->length;
    if (wanted && room)
        line_add(gathered, line->data, line->length);
    if (line->failed || gathered->failed || !room) {
        gathered->failed = false;
        queue_written(scribe->options.queue, 1, false);
        return;
    }
    /* some formats have two lines for a session, or none */
    queue_formatted(scribe->options.queue, 1, gathered->length > before ? lines_of(line) : 0);
    if (unsent(scribe) >= GATHERED)
        write_gathered(scribe, !scribe->options.aside);
}

/* A file that failed (a full disk) may take lines again later. */
static void retry(struct scribe *scribe)
{
    struct timespec now;
    if (scribe->good || !scribe->options.file)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!scribe->failed_at)
        scribe->failed_at = now.tv_sec;
    if (now.tv_sec - scribe->failed_at < RETRY_SECONDS)
        return;
    scribe->failed_at = output_reopen(scribe->options.output) ? 0 : now.tv_sec;
    scribe->good = !scribe->failed_at;
}

static void reopen(struct scribe *scribe)
{
    if (!scribe->options.output)
        return;
    if (!output_reopen(scribe->options.output)) {
        log_warning(&scribe->log, "going on with the file that was open");
        return;
    }
    scribe->good = true;
    scribe->failed_at = 0;
}

static void *run(void *user)
{
    struct scribe *scribe = user;
    struct batch *batches;
    bool again;
    while (queue_take(scribe->options.queue, unsent(scribe) > 0, &batches, &again)) {
        retry(scribe);
        while (batches) {
            struct item item;
            for (size_t at = 0; batch_next(batches, &at, &item);)
                take_item(scribe, &item);
            batches = queue_give_back(scribe->options.queue, batches);
        }
        write_gathered(scribe, !scribe->options.aside);
        if (again)
            reopen(scribe);
        if (!scribe->good && !scribe->options.file)
            queue_fail(scribe->options.queue);
    }
    write_gathered(scribe, true);
    queue_done(scribe->options.queue);
    return NULL;
}

struct scribe *scribe_start(const struct scribe_options *options, struct log *log)
{
    struct scribe *scribe = memory_new(sizeof *scribe);
    int status = ENOMEM;
    if (scribe) {
        scribe->options = *options;
        scribe->log = *log;
        scribe->good = true;
        status = pthread_create(&scribe->thread, NULL, run, scribe);
    }
    if (status == 0)
        return scribe;
    log_error(log, "cannot start a thread: %s", strerror(status));
    memory_free(scribe);
    return NULL;
}

void scribe_end(struct scribe *scribe)
{
    if (!scribe)
        return;
    pthread_join(scribe->thread, NULL);
    line_free(&scribe->line);
    line_free(&scribe->gathered);
    memory_free(scribe);
}
