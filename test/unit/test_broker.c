/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lists of brokers and which topics are taken; numbers are not looked up anywhere. */
#include "writer/broker.h"
#include "unit/test.h"

static struct log quiet = {.verbosity = -1};

int main(void)
{
    static const char *const good[] = {
        "127.0.0.1", "127.0.0.1:9092",         "127.0.0.1:65535",  "[::1]:9092",
        "[::1]",     "127.0.0.1, 127.0.0.2:1", "127.0.0.1,[::1]:1"};
    static const char *const bad[] = {"",
                                      ",",
                                      "127.0.0.1,",
                                      ",127.0.0.1",
                                      ":9092",
                                      "[::1",
                                      "[::1]9092",
                                      "::1",
                                      "[]:1",
                                      "127.0.0.1:",
                                      "127.0.0.1:0",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:x",
                                      "127.0.0.1:-1"};
    static const char *const topics[] = {"mxtap", "a.b_c-9", "A"};
    static const char *const no_topics[] = {"", "a b", "a/b", "\xc3\xa4", "a,b"};
    char longest[251];
    /* errors go to standard error, which a unit test leaves empty */
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(broker_look_up(good[i], &quiet));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!broker_look_up(bad[i], &quiet));
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        CHECK(broker_check_topic(topics[i], &quiet));
    for (size_t i = 0; i < sizeof no_topics / sizeof *no_topics; i++)
        CHECK(!broker_check_topic(no_topics[i], &quiet));
    memset(longest, 'x', sizeof longest);
    longest[250] = '\0';
    CHECK(!broker_check_topic(longest, &quiet));
    longest[249] = '\0';
    CHECK(broker_check_topic(longest, &quiet));
    CHECK_INT(quiet.errors, sizeof bad / sizeof *bad + sizeof no_topics / sizeof *no_topics + 1);
    return TEST_END();
}
