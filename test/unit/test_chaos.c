/* SPDX-License-Identifier: BSD-2-Clause */
/* The n-th allocation fails, for every n over a run from capture to lines: nothing crashes or leaks, each line is
 * whole, and what is missing is told: by a count, a message, or the run's own result. */
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "../../src/analyzer.h"
#include "base/memory.h"
#include "test.h"

struct taken {
    unsigned sessions, stats, broken;
};

static bool take(void *user, const struct line *line)
{
    struct taken *taken = user;
    json_t *event = json_loadb(line->data, line->length, 0, NULL);
    const char *type = json_string_value(json_object_get(event, "event_type"));
    if (!type || line->data[line->length - 1] != '\n')
        taken->broken++;
    else if (strcmp(type, "session") == 0)
        taken->sessions++;
    else
        taken->stats++;
    json_decref(event);
    return true;
}

/* One run in which the n-th allocation fails; true if all was well and nothing was missing. */
static bool run(const char *path, uint64_t n, struct taken *taken)
{
    static struct analyzer_options options;
    struct counters counters = {.packets = 0};
    struct log log = {.verbosity = -1};
    analyzer_options_default(&options);
    options.offers = true;
    memory_fail_at(n);
    struct capture *capture = capture_new(&log, NULL);
    bool good = capture != NULL;
    if (good) {
        capture_add(capture, path);
        good = capture_start(capture) &&
               analyzer_run(&options, capture, (struct analyzer_sink){.line = take, .user = taken}, &counters, &log) &&
               capture_errors(capture) == 0;
    }
    capture_free(capture);
    memory_fail_at(0);
    return good && !counters.memory_failures && !counters.buffer_limit && !log.errors && !log.warnings;
}

static void every_allocation(const char *path)
{
    struct taken whole = {0};
    if (access(path, R_OK) != 0)
        return;
    CHECK(run(path, 0, &whole));
    CHECK(whole.sessions > 0 && whole.stats == 1 && !whole.broken);
    unsigned failures = 0, silent = 0, quiet = 0;
    for (uint64_t n = 1; quiet < 20 && n < 5000; n++) {
        struct taken taken = {0};
        bool good = run(path, n, &taken);
        CHECK_INT(taken.broken, 0);
        failures += !good;
        if (good && (taken.sessions != whole.sessions || taken.stats != whole.stats))
            silent++;
        quiet = good ? quiet + 1 : 0; /* so many in a row: the run needs no more than n */
    }
    CHECK_INT(silent, 0);
    CHECK(failures > 10);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr))
        return 1;
    every_allocation("pcaps/exim-tls12.pcap");
    every_allocation("pcaps/plaintext-pipelined.pcap");
    every_allocation("pcaps/segments-swapped.pcap");
    every_allocation("pcaps/pcapng.pcapng");
    every_allocation("pcaps/gzip.pcap.gz");
    return TEST_END();
}
