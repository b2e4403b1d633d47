/* SPDX-License-Identifier: BSD-2-Clause */
/* Before saved files are read: nothing but them may be opened any more. */
#include "analyzer.h"
#include "confine.h"

static bool ignore(void *user, const struct line *line)
{
    (void)user;
    (void)line;
    return true;
}

/*
 * A pipeline that sees no packet, and one event: libcrypto reads its configuration and fetches its algorithms, jansson reads a seed
 * for its hashes.
 */
void confine_warm_up(struct log *log)
{
    struct analyzer_options options;
    struct counters counters = {0};
    analyzer_options_default(&options);
    struct analyzer *analyzer = analyzer_new(&options, NULL, (struct analyzer_sink){.line = ignore}, &counters, log);
    if (analyzer)
        analyzer_stats(analyzer, NULL);
    analyzer_free(analyzer);
}

bool confine_enter(enum sandbox_mode mode, const struct confine_needs *needs, struct log *log)
{
    struct sandbox *sandbox = sandbox_new(mode, log);
    if (!sandbox)
        return false;
    confine_warm_up(log);
    kafka_needs(needs->kafka, sandbox);
    for (size_t i = 0; i < needs->read_count; i++)
        sandbox_read(sandbox, needs->reads[i]);
    for (size_t i = 0; i < CONFINE_WRITES; i++)
        sandbox_write(sandbox, needs->writes[i]);
    bool good = sandbox_enter(sandbox);
    sandbox_free(sandbox);
    return good;
}
