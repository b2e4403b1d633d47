/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue between workers and scribe: records arrive whole and in order, it is bounded, what is lost is counted, certificates
 * are given back. */
#include <pthread.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/memory.h"
#include "../../src/service_queue.h"
#include "unit/test.h"

enum { MANY = 3000 };

static void put_one(struct lane *lane, unsigned port, const char *text, struct certificate *certificate)
{
    struct smtp_facts smtp = {.attempts = (uint16_t)port, .banner = {0, (uint16_t)strlen(text)}};
    struct tls_facts tls = {.version = 0x0303, .server = {.certificate = certificate}};
    struct record record = {.client_port = (uint16_t)port,
                            .text = text,
                            .text_length = (uint16_t)strlen(text),
                            .smtp = &smtp,
                            .tls = certificate ? &tls : NULL};
    lane_put(lane, &record);
}

static void test_whole(void)
{
    struct queue *queue = queue_new();
    struct lane *lane = lane_new(queue);
    struct certificate certificate = {.references = 1};
    struct line line = {.data = (char[]){"{}\n"}, .length = 3};
    struct batch *batch;
    struct item item;
    bool reopen;
    size_t at = 0;
    put_one(lane, 1, "mx.example.net", &certificate);
    put_one(lane, 2, "", NULL);
    CHECK_INT(certificate.references, 2);
    lane_flush(lane);
    queue_put_line(queue, &line);
    queue_reopen(queue);
    CHECK(queue_take(queue, false, &batch, &reopen));
    CHECK(reopen);
    CHECK(batch_next(batch, &at, &item) && item.record);
    CHECK_INT(item.record->client_port, 1);
    CHECK_INT(item.record->smtp->attempts, 1);
    CHECK_INT(item.record->tls->version, 0x0303);
    CHECK(item.record->tls->server.certificate == &certificate);
    struct slice banner = record_text(item.record, item.record->smtp->banner);
    CHECK(banner.length == 14 && memcmp(banner.data, "mx.example.net", 14) == 0);
    CHECK(batch_next(batch, &at, &item) && item.record && !item.record->tls);
    CHECK(!batch_next(batch, &at, &item));
    batch = queue_give_back(queue, batch);
    at = 0;
    CHECK(batch && batch_next(batch, &at, &item) && !item.record && item.length == 3 && memcmp(item.line, "{}\n", 3) == 0);
    CHECK(queue_give_back(queue, batch) == NULL);
    CHECK_INT(certificate.references, 2); /* only the lane's own thread gives them back */
    put_one(lane, 3, "", NULL);
    lane_flush(lane);
    CHECK_INT(certificate.references, 1);
    CHECK(queue_take(queue, false, &batch, &reopen) && !reopen);
    queue_give_back(queue, batch);
    lane_free(lane);
    queue_free(queue);
}

/* Nobody takes: the queue fills up to its bound, the rest is counted, and the end does not wait for ever. */
static void test_bounded(void)
{
    static char text[60001];
    struct queue *queue = queue_new();
    struct lane *lane = lane_new(queue);
    struct batch *batch;
    uint64_t lost, kept = 0;
    bool reopen;
    memset(text, 'x', sizeof text - 1);
    for (unsigned i = 0; i < MANY; i++)
        put_one(lane, i, text, NULL);
    lane_flush(lane);
    CHECK(queue_lost(queue) > MANY - LIMIT_QUEUE_BYTES / (sizeof text - 1) - 1);
    CHECK(queue_lost(queue) < MANY);
    queue_end(queue, 0);
    put_one(lane, 0, text, NULL);
    lane_flush(lane);
    CHECK(!queue_close(queue, 0, &lost));
    CHECK_INT(lost, MANY + 1);
    CHECK(queue_take(queue, false, &batch, &reopen));
    while (batch) {
        struct item item;
        for (size_t at = 0; batch_next(batch, &at, &item);)
            kept++;
        batch = queue_give_back(queue, batch);
    }
    CHECK_INT(kept + queue_lost(queue), MANY + 1);
    CHECK(!queue_take(queue, false, &batch, &reopen));
    lane_free(lane);
    queue_free(queue);
}

static void test_accounts(void)
{
    struct queue *queue = queue_new();
    struct lane *lane = lane_new(queue);
    struct batch *batch;
    uint64_t lost;
    bool reopen;
    for (unsigned i = 0; i < 10; i++)
        put_one(lane, i, "", NULL);
    lane_flush(lane);
    CHECK(queue_take(queue, false, &batch, &reopen));
    queue_give_back(queue, batch);
    for (unsigned i = 0; i < 9; i++)
        queue_formatted(queue, 1, 2);
    queue_written(queue, 1, false); /* the tenth could not be made a line */
    queue_written(queue, 6, true);
    queue_written(queue, 2, false);
    queue_end(queue, 0);
    CHECK(!queue_close(queue, 0, &lost));
    CHECK_INT(lost, 1 + 2 + 10); /* lost, and still held by a scribe that is stuck */
    queue_written(queue, 10, true);
    queue_done(queue);
    CHECK(queue_close(queue, 0, &lost));
    CHECK_INT(lost, 3);
    lane_free(lane);
    queue_free(queue);
}

/* ---- two workers against a scribe */

struct scribing {
    struct queue *queue;
    uint64_t items, disorder;
};

static void *scribble(void *user)
{
    struct scribing *scribing = user;
    struct batch *batch;
    bool reopen;
    while (queue_take(scribing->queue, false, &batch, &reopen)) {
        for (; batch; batch = queue_give_back(scribing->queue, batch)) {
            struct item item;
            long last = -1;
            for (size_t at = 0; batch_next(batch, &at, &item); scribing->items++) {
                scribing->disorder += item.record->client_port <= last && item.record->client_port;
                last = item.record->client_port;
                queue_formatted(scribing->queue, 1, 1);
                queue_written(scribing->queue, 1, true);
            }
        }
    }
    queue_done(scribing->queue);
    return NULL;
}

struct working {
    struct lane *lane;
    struct certificate certificate;
};

static void *work_on(void *user)
{
    struct working *working = user;
    for (unsigned i = 0; i < 10 * MANY; i++) {
        put_one(working->lane, i % 60000, "220 mx.example.net", i % 3 ? &working->certificate : NULL);
        if (i % 50 == 0)
            lane_flush(working->lane);
    }
    lane_flush(working->lane);
    return NULL;
}

static void test_threads(void)
{
    struct queue *queue = queue_new();
    struct scribing scribing = {.queue = queue};
    struct working workings[2];
    pthread_t scribe, workers[2];
    uint64_t lost = 0;
    pthread_create(&scribe, NULL, scribble, &scribing);
    for (int i = 0; i < 2; i++) {
        workings[i] = (struct working){.lane = lane_new(queue), .certificate = {.references = 1}};
        pthread_create(&workers[i], NULL, work_on, &workings[i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(workers[i], NULL);
    queue_end(queue, 10000);
    CHECK(queue_close(queue, 10000, &lost));
    pthread_join(scribe, NULL);
    CHECK_INT(scribing.items + lost, 20 * MANY);
    CHECK_INT(scribing.disorder, 0);
    for (int i = 0; i < 2; i++) {
        lane_free(workings[i].lane);
        CHECK_INT(workings[i].certificate.references, 1);
    }
    queue_free(queue);
}

/* Without memory a record is lost and counted. */
static void test_memory(void)
{
    for (unsigned n = 1; n < 6; n++) {
        struct queue *queue = queue_new();
        struct lane *lane = lane_new(queue);
        struct batch *batch;
        bool reopen;
        uint64_t items = 0;
        struct line line = {.data = (char[]){"{}\n"}, .length = 3};
        memory_fail_at(n);
        put_one(lane, 1, "x", NULL);
        lane_flush(lane);
        queue_put_line(queue, &line);
        memory_fail_at(0);
        queue_reopen(queue);
        CHECK(queue_take(queue, false, &batch, &reopen));
        while (batch) {
            struct item item;
            for (size_t at = 0; batch_next(batch, &at, &item);)
                items++;
            batch = queue_give_back(queue, batch);
        }
        CHECK_INT(items + queue_lost(queue), 2);
        CHECK_INT(queue_lost(queue), n <= 4);
        lane_free(lane);
        queue_free(queue);
    }
}

int main(void)
{
    test_whole();
    test_bounded();
    test_accounts();
    test_threads();
    test_memory();
    return TEST_END();
}
