/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole pipeline on a capture. Input: a byte of options, then a file of any format. Each line
 * must be one event of valid JSON. */
#define FUZZ_QUIET
#include <string.h>

#include <jansson.h>

#include "../../src/analyzer.h"
#include "base/limits.h"
#include "fuzz_help.h"
#include "fuzz_judge.h"

static bool take_line(void *user, const struct line *line)
{
    (void)user;
    must(line->length > 0 && line->length <= LIMIT_EVENT && line->data[line->length - 1] == '\n');
    for (size_t i = 0; i + 1 < line->length; i++)
        must((uint8_t)line->data[i] >= 0x20 && line->data[i] != 0x7f);
    json_t *event = json_loadb(line->data, line->length, JSON_REJECT_DUPLICATES, NULL);
    must(event != NULL);
    json_decref(event);
    return true;
}

/* EVE has several events for a session. */
static bool take_lines(void *user, const struct line *lines)
{
    must(lines->length > 0 && lines->data[lines->length - 1] == '\n');
    for (size_t begin = 0, end; begin < lines->length; begin = end) {
        const char *feed = memchr(lines->data + begin, '\n', lines->length - begin);
        end = (size_t)(feed - lines->data) + 1;
        take_line(user, &(struct line){.data = lines->data + begin, .length = end - begin});
    }
    return true;
}

static bool take_text(void *user, const struct line *line)
{
    (void)user;
    must(line->length > 0 && line->data[line->length - 1] == '\n');
    for (size_t i = 0; i + 1 < line->length; i++)
        must((uint8_t)line->data[i] >= 0x20 && line->data[i] != 0x7f);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct analyzer_options options;
    struct counters counters = {.packets = 0};
    struct log log = {.verbosity = -1};
    struct reader input = reader_of(data, size);
    uint8_t bits = reader_u8(&input);
    struct capture *capture = capture_new(&log, NULL);
    if (!capture)
        return 0; /* only in fuzz_memory */
    analyzer_options_default(&options);
    options.any_port = bits & 1;
    options.ignore_vlan = bits & 2;
    options.offers = bits & 4;
    options.envelope_domains = bits & 8;
    bool text = (bits & (16 | 128)) == 16;
    options.format = format_of(text ? "text" : bits & 16 ? "ecs" : bits & 128 ? "eve" : "mxtap");
    if (bits & 32)
        options.max_flows = 1;
    if (bits & 64)
        must(analyzer_ports("0-65535", options.ports));
    capture_add(capture, memory_file(input.next ? input.next : data, input.left));
    struct analyzer_sink sink = {.line = text ? take_text : take_lines};
    if (capture_start(capture))
        analyzer_run(&options, capture, sink, &counters, &log);
    must(counters.flows_open == 0);
    capture_free(capture);
    return 0;
}
