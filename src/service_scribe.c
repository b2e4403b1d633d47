/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of all workers become lines here, in one order, and the lines are written: the only thread that a slow reader holds up. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

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

static void write_gathered(struct scribe *scribe)
{
    struct line *all = &scribe->gathered;
    struct output *output = scribe->options.output;
    for (size_t at = 0; at < all->length;) {
        uint64_t lines;
        size_t piece = next_piece(all->data + at, all->length - at, scribe->options.file ? GATHERED : PIECE, &lines);
        struct line line = {.data = all->data + at, .length = piece, .capacity = piece};
        scribe->good = scribe->good && output_write(output, &line) && output_flush(output);
        queue_written(scribe->options.queue, lines, scribe->good);
        at += piece;
    }
    all->length = 0;
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

/* One without memory is as lost as one that cannot be written. */
static void take_item(struct scribe *scribe, const struct item *item)
{
    struct line *line = &scribe->line, *gathered = &scribe->gathered;
    size_t before = gathered->length;
    format_item(scribe, item);
    if (scribe->options.kafka && !line->failed)
        kafka_send(scribe->options.kafka, line);
    if (scribe->options.output && !line->failed)
        line_add(gathered, line->data, line->length);
    if (line->failed || gathered->failed) {
        gathered->failed = false;
        queue_written(scribe->options.queue, 1, false);
        return;
    }
    /* some formats have two lines for a session, or none */
    queue_formatted(scribe->options.queue, 1, gathered->length > before ? lines_of(line) : 0);
    if (gathered->length >= GATHERED)
        write_gathered(scribe);
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
    while (queue_take(scribe->options.queue, &batches, &again)) {
        retry(scribe);
        while (batches) {
            struct item item;
            for (size_t at = 0; batch_next(batches, &at, &item);)
                take_item(scribe, &item);
            batches = queue_give_back(scribe->options.queue, batches);
        }
        write_gathered(scribe);
        if (again)
            reopen(scribe);
        if (!scribe->good && !scribe->options.file)
            queue_fail(scribe->options.queue);
    }
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
