/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables and strings of the report: found again, distinct, and safe when memory runs out at any
 * request. */
#include <stdio.h>

#include "base/memory.h"
#include "report/aggregate.h"
#include "unit/test.h"

struct item {
    uint32_t key[2];
    uint64_t value;
};

static void test_table(void)
{
    struct table table;
    table_init(&table, sizeof(struct item), sizeof(uint32_t[2]));
    unsigned wrong = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t key[2] = {i, i * 7};
        struct item *item = table_get(&table, key);
        if (item)
            item->value = i;
    }
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t key[2] = {i, i * 7}, other[2] = {i, i * 7 + 1};
        const struct item *item = table_get(&table, key);
        wrong += !item || item->value != i || table_number(&table, item) != i ||
                 table_find(&table, other);
    }
    CHECK_INT(table.count, 5000);
    CHECK_INT(wrong, 0);
    table_close(&table);
}

static void test_strings(void)
{
    struct strings strings;
    strings_init(&strings);
    CHECK_INT(strings_add(&strings, "", 0), 0);
    uint32_t a = strings_add(&strings, "abc", 3), b = strings_add(&strings, "abcdef", 3);
    uint32_t c = strings_add(&strings, "abcd", 4), nul = strings_add(&strings, "abc\0xyz", 7);
    CHECK(a == b && a == nul && a != c && a != 0);
    CHECK_TEXT(strings_text(&strings, a), "abc");
    CHECK_TEXT(strings_text(&strings, 0), "");
    CHECK_TEXT(strings_text(&strings, 4711), "");
    strings_close(&strings);
}

static void count_some(struct aggregate *aggregate)
{
    for (unsigned i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "peer%u.example", i % 50);
        struct pair_key pair = {.by = {NAMED_BY_HELLO, NAMED_BY_NONE},
                                .direction = DIRECTION_INBOUND};
        pair.name[SIDE_CLIENT] = aggregate_string(aggregate, name);
        struct posture posture = {.outcome = OUTCOME_TLS,
                                  .version = (uint8_t)(i % TLS_VERSION_COUNT),
                                  .limited_by = SIDE_NONE};
        aggregate_count(aggregate, &pair, &posture, 86400 * (int64_t)(i % 3), 1);
        aggregate_tidy(aggregate);
    }
    aggregate_finish(aggregate);
}

static uint64_t total(const struct aggregate *aggregate)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < aggregate->rows.count; i++)
        sum += ((const struct row *)table_at(&aggregate->rows, i))->sessions;
    return sum;
}

/* Every request in turn fails: the aggregate says so, or nothing was lost. */
static void test_memory(void)
{
    unsigned silent = 0;
    for (uint64_t n = 1; n < 400; n++) {
        struct aggregate aggregate;
        aggregate_init(&aggregate, PEER_BY_DOMAIN, 10, 0);
        memory_fail_at(n);
        count_some(&aggregate);
        memory_fail_at(0);
        silent += !aggregate.failed && total(&aggregate) != 200;
        aggregate_close(&aggregate);
    }
    CHECK_INT(silent, 0);
}

/* The days of a week that begins on a Monday; 1970-01-01 was a Thursday. */
static void test_days(void)
{
    CHECK_INT(aggregate_day(86399), 0);
    CHECK_INT(aggregate_day(-1), -86400);
    CHECK_INT(aggregate_day(-86400), -86400);
}

int main(void)
{
    test_table();
    test_strings();
    test_memory();
    test_days();
    return TEST_END();
}
