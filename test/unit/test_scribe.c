/* SPDX-License-Identifier: BSD-2-Clause */
/* The scribe beside another output: a reader that is stuck holds up nothing but its own lines, which wait for it up to a limit. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "../../src/service_queue.h"
#include "../../src/service_scribe.h"
#include "unit/test.h"
#include "writer/line.h"

enum {
    LINE = 5000, /* more than a pipe takes as a whole */
    STEP = 200,  /* at a time: the queue holds more */
    MANY = 3 * LIMIT_QUEUE_BYTES / LINE / STEP * STEP,
    PIPE = 65536,
    LITTLE_MS = 5,
    TRIES = 2000
};

struct bench {
    int reading;
    struct queue *queue;
    struct lane *lane;
    struct collector *collector;
    struct output *output;
    struct scribe *scribe;
    struct log log;
};

static atomic_uint written; /* lines made */

/* A line with the number of its record. */
static void write_long(struct line *line, const struct record *record)
{
    char text[LINE];
    memset(text, 'x', sizeof text);
    snprintf(text, sizeof text, "%08u", (unsigned)record->client_bytes);
    text[8] = ' ';
    text[LINE - 1] = '\n';
    line_add(line, text, sizeof text);
    atomic_fetch_add(&written, 1);
}

static const struct format format = {.name = "long", .session = write_long};

/* The scribe's output is a pipe that nobody reads. */
static bool begin(struct bench *bench)
{
    int ends[2];
    char name[32];
    if (pipe(ends) != 0)
        return false;
    bench->reading = ends[0];
    snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
    bench->output = output_open(name, &bench->log);
    close(ends[1]);
    bench->queue = queue_new();
    bench->lane = lane_new(bench->queue);
    bench->collector = collector_new(NULL, &bench->log);
    struct scribe_options options = {.queue = bench->queue,
                                     .collector = bench->collector,
                                     .format = &format,
                                     .output = bench->output,
                                     .aside = true};
    atomic_store(&written, 0);
    bench->scribe = bench->output ? scribe_start(&options, &bench->log) : NULL;
    return bench->scribe != NULL;
}

static void end(struct bench *bench)
{
    scribe_end(bench->scribe);
    output_close(bench->output);
    lane_free(bench->lane);
    queue_free(bench->queue);
    collector_free(bench->collector);
}

/* Whether lines are made of so many records while the reader does nothing. */
static bool put(struct bench *bench, unsigned from, unsigned count)
{
    const struct timespec pause = {.tv_nsec = LITTLE_MS * 1000000L};
    for (unsigned i = from; i < from + count; i++) {
        struct record record = {.client_bytes = i};
        lane_put(bench->lane, &record);
    }
    lane_flush(bench->lane);
    for (int tries = 0; tries < TRIES && atomic_load(&written) < from + count; tries++)
        nanosleep(&pause, NULL);
    return atomic_load(&written) == from + count;
}

struct reading {
    int from;
    unsigned lines, torn, disorder;
};

static void *read_all(void *user)
{
    struct reading *reading = user;
    FILE *file = fdopen(reading->from, "r");
    char line[LINE + 2];
    for (unsigned last = 0, number = 0; file && fgets(line, sizeof line, file); last = number) {
        reading->torn += strlen(line) != LINE || sscanf(line, "%8u ", &number) != 1;
        reading->disorder += reading->lines++ && number <= last;
    }
    fclose(file);
    return NULL;
}

static void test_stuck(void)
{
    struct bench bench = {0};
    uint64_t lost = 0;
    unsigned stalls = 0;
    CHECK(begin(&bench));
    for (unsigned at = 0; at < MANY && !stalls; at += STEP)
        stalls += !put(&bench, at, STEP);
    CHECK_INT(stalls, 0);
    lost = queue_lost(bench.queue);
    CHECK((MANY - lost) * LINE <= LIMIT_QUEUE_BYTES + PIPE && (MANY - lost) * LINE > LIMIT_QUEUE_BYTES - LINE);
    struct reading reading = {.from = bench.reading};
    pthread_t reader;
    pthread_create(&reader, NULL, read_all, &reading);
    CHECK(put(&bench, MANY, 1)); /* lost, or in time */
    queue_end(bench.queue, 5000);
    CHECK(queue_close(bench.queue, 5000, &lost));
    end(&bench);
    pthread_join(reader, NULL);
    CHECK_INT(reading.lines + lost, MANY + 1);
    CHECK_INT(reading.torn + reading.disorder, 0);
}

/* What waits at the end is counted, for as long as it waits. */
static void test_end(void)
{
    struct bench bench = {0};
    uint64_t lost = 0;
    CHECK(begin(&bench));
    CHECK(put(&bench, 0, 100));
    CHECK_INT(queue_lost(bench.queue), 0);
    queue_end(bench.queue, 0);
    CHECK(!queue_close(bench.queue, 100, &lost));
    CHECK(lost >= 100 - PIPE / LINE && lost < 100);
    struct reading reading = {.from = bench.reading};
    pthread_t reader;
    pthread_create(&reader, NULL, read_all, &reading);
    CHECK(queue_close(bench.queue, 5000, &lost));
    CHECK_INT(lost, 0);
    end(&bench);
    pthread_join(reader, NULL);
    CHECK_INT(reading.lines, 100);
}

int main(void)
{
    test_stuck();
    test_end();
    return TEST_END();
}
