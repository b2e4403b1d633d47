/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits that a run does not show, since what it tells is right on both sides of them: what is held, or asked, changes. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "../../src/service_queue.h"
#include "base/limits.h"
#include "flow/classify.h"
#include "report/aggregate.h"
#include "report/peer.h"
#include "test.h"
#include "writer/kafka.h"

/* Sessions older than --since are dropped when there are so many cells. */
static void test_rows(void)
{
    struct aggregate aggregate;
    struct pair_key pair = {.direction = DIRECTION_INBOUND, .by = {NAMED_BY_ADDRESS, NAMED_BY_ADDRESS}};
    struct posture posture = {.outcome = OUTCOME_TLS};
    const int64_t start = 1700000000, keep = 1000;
    aggregate_init(&aggregate, PEER_BY_IP, 1000, keep);
    for (int64_t i = 0; i < LIMIT_REPORT_ROWS_TIDY - 1; i++)
        aggregate_count(&aggregate, &pair, &posture, start + i, 1);
    aggregate_period(&aggregate, start * 1000000000, (start + LIMIT_REPORT_ROWS_TIDY - 1) * 1000000000);
    aggregate_tidy(&aggregate);
    CHECK_INT(aggregate.rows.count, LIMIT_REPORT_ROWS_TIDY - 1);
    aggregate_count(&aggregate, &pair, &posture, start + LIMIT_REPORT_ROWS_TIDY - 1, 1);
    CHECK_INT(aggregate.rows.count, LIMIT_REPORT_ROWS_TIDY);
    aggregate_tidy(&aggregate);
    CHECK(aggregate.rows.count <= keep + 1 && aggregate.rows.count >= keep);
    CHECK(!aggregate.failed);
    aggregate_close(&aggregate);
}

/* Names that nothing refers to any more go when there are so many bytes of them. */
static void test_strings(void)
{
    struct aggregate aggregate;
    char name[1025];
    aggregate_init(&aggregate, PEER_BY_IP, 1000, 0);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (unsigned i = 0; aggregate.strings.length + sizeof name < LIMIT_REPORT_STRINGS_TIDY; i++) {
        snprintf(name, 12, "%010u", i);
        name[10] = 'x';
        CHECK(aggregate_string(&aggregate, name) != 0);
    }
    size_t before = aggregate.strings.length;
    aggregate_tidy(&aggregate);
    CHECK_INT(aggregate.strings.length, before);
    CHECK(aggregate_string(&aggregate, "the one more") && aggregate_string(&aggregate, name + 1));
    aggregate_tidy(&aggregate);
    CHECK(aggregate.strings.length < 1024);
    aggregate_close(&aggregate);
}

static void check_name(struct peer_namer *namer, unsigned number)
{
    char host[64], domain[64];
    snprintf(host, sizeof host, "mx.d%u.example", number);
    snprintf(domain, sizeof domain, "d%u.example", number);
    struct peer_evidence evidence = {.ip = "192.0.2.1", .announced = host, .announced_by = NAMED_BY_BANNER};
    CHECK(peer_address_parse(evidence.ip, &evidence.address));
    struct peer_name name = peer_identify(namer, &evidence);
    CHECK_TEXT(name.name, domain);
}

/* The cache of domains is begun anew; what it says stays right. */
static void test_names(void)
{
    struct peer_namer *namer = peer_namer_new(PEER_BY_DOMAIN);
    for (unsigned i = 0; i < LIMIT_REPORT_NAMES + 10; i++)
        check_name(namer, i);
    for (unsigned i = 0; i < 10; i++)
        check_name(namer, i);
    peer_namer_free(namer);
}

/* nDPI is asked about so many payloads, then it has no answer. */
static void test_classify(void)
{
    struct classifier *classifier = classifier_new();
    struct classification *c = classify_begin(classifier);
    union {
        struct flow flow;
        uint8_t bytes[sizeof(struct flow) + 8]; /* with its addresses */
    } placed = {.bytes = {0}};
    static const uint8_t payload[] = "\x9c\xee\x01\x77 nothing that anybody knows \xf3\x80";
    struct slice bytes = {payload, sizeof payload - 1};
    placed.flow.family = 4;
    placed.flow.port[0] = 40000;
    placed.flow.port[1] = 10025;
    CHECK(c != NULL);
    for (unsigned i = 1; c && i < LIMIT_CLASSIFY_PACKETS; i++)
        CHECK_INT(classify_payload(classifier, c, &placed.flow, SIDE_CLIENT, bytes), CLASSIFY_OPEN);
    if (c)
        CHECK_INT(classify_payload(classifier, c, &placed.flow, SIDE_CLIENT, bytes), CLASSIFY_UNKNOWN);
    classify_end(classifier, c);
    classifier_free(classifier);
}

/* Nobody takes lines out of the queue: what finds no room is counted. */
static void test_queue(void)
{
    static char bytes[4096];
    struct line line = {.data = bytes, .length = sizeof bytes, .capacity = sizeof bytes};
    struct queue *queue = queue_new();
    unsigned put = 0;
    memset(bytes, 'x', sizeof bytes);
    bytes[sizeof bytes - 1] = '\n';
    for (; put < 2 * LIMIT_QUEUE_BYTES / sizeof bytes && queue_lost(queue) == 0; put++)
        queue_put_line(queue, &line);
    CHECK(put * sizeof bytes > LIMIT_QUEUE_BYTES * 0.8 && put * sizeof bytes <= LIMIT_QUEUE_BYTES + sizeof bytes);
    CHECK_INT(queue_lost(queue), 1);
    queue_free(queue);
}

/* No broker is there. Built without librdkafka there is nothing to reach. */
static void test_kafka(void)
{
    static char bytes[LIMIT_EVENT];
    struct line line = {.data = bytes, .length = sizeof bytes, .capacity = sizeof bytes};
    struct kafka_options options = {.brokers = "127.0.0.1:9", .topic = "mail"};
    struct log log = {.verbosity = -1};
    struct kafka_counts counts = {0};
    struct kafka *kafka = kafka_new(&options, &log);
    unsigned sent = 0;
    if (!kafka || !kafka_start(kafka))
        return;
    memset(bytes, 'x', sizeof bytes);
    bytes[sizeof bytes - 1] = '\n';
    while (sent < 2 * LIMIT_KAFKA_BYTES / sizeof bytes && kafka_send(kafka, &line))
        sent++;
    CHECK(sent * sizeof bytes > LIMIT_KAFKA_BYTES * 0.9 && sent * sizeof bytes <= LIMIT_KAFKA_BYTES + sizeof bytes);
    CHECK_INT(kafka_counts(kafka).lost, 1);
    kafka_end(kafka, 0);
    CHECK(!kafka_close(kafka, &counts));
    CHECK_INT(counts.lost, sent + 1);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) /* messages about what is lost; results are counted */
        return 1;
    test_rows();
    test_strings();
    test_names();
    test_classify();
    test_queue();
    test_kafka();
    return TEST_END();
}
