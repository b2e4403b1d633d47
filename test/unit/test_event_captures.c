/* SPDX-License-Identifier: BSD-2-Clause */
/* Every event of every capture in pcaps/, written twice: by the writer, and by way of jansson. */
#include <glob.h>
#include <stdlib.h>

#include "../../src/analyzer.h"
#include "unit/event_reference.h"
#include "unit/test.h"

static struct reference_line reference;

static void compare(const struct line *line)
{
    bool same = !line->failed && !reference.failed && line->length == reference.length &&
                memcmp(line->data, reference.data, line->length) == 0;
    CHECK(same);
    if (!same)
        fprintf(stderr, "%.*s%.*s", (int)line->length, line->data, (int)reference.length,
                reference.data);
}

static void write_session(struct line *line, const struct record *record)
{
    format_of("mxtap")->session(line, record);
    reference = (struct reference_line){0};
    reference_write_session(&reference, record);
    compare(line);
}

static void write_stats(struct line *line, const struct counters *counters,
                        const struct stats_facts *facts)
{
    format_of("mxtap")->stats(line, counters, facts);
    reference = (struct reference_line){0};
    reference_write_stats(&reference, counters, facts);
    compare(line);
}

static const struct format both = {.name = "both", .session = write_session, .stats = write_stats};

static bool drop_line(void *user, const struct line *line)
{
    (void)line;
    ++*(unsigned *)user;
    return true;
}

static unsigned read_capture(const char *path, bool everything)
{
    static struct analyzer_options options;
    struct counters counters = {0};
    struct log log = {.verbosity = -1};
    struct capture *capture = capture_new(&log, NULL);
    unsigned lines = 0;
    analyzer_options_default(&options);
    options.format = &both;
    options.offers = options.envelope_domains = everything;
    options.sensor = everything ? "gw\"1\\" : NULL;
    CHECK(!everything || analyzer_network("198.51.100.0/24", &options));
    capture_add(capture, path);
    CHECK(capture_start(capture));
    CHECK(analyzer_run(&options, capture, (struct analyzer_sink){.line = drop_line, .user = &lines}, &counters,
                       &log));
    capture_free(capture);
    return lines;
}

int main(void)
{
    glob_t captures = {0};
    CHECK(glob("pcaps/*.pcap*", 0, NULL, &captures) == 0);
    for (size_t i = 0; i < captures.gl_pathc; i++) {
        CHECK(read_capture(captures.gl_pathv[i], false) > 0);
        CHECK(read_capture(captures.gl_pathv[i], true) > 0);
    }
    globfree(&captures);
    return TEST_END();
}
