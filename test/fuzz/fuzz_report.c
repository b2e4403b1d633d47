/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks the report's reader: lines of events and aggregates of any content. Whatever was read, the
 * aggregate can be written, and what is written can be read again and then says the same. */
#define FUZZ_QUIET
#include <string.h>

#include "fuzz_help.h"
#include "report/aggregate.h"
#include "report/events.h"
#include "report/peer.h"

struct reading {
    struct aggregate aggregate;
    struct event_reader reader;
    struct peer_namer *namer;
    struct log log;
};

static void begin(struct reading *reading)
{
    memset(reading, 0, sizeof *reading);
    reading->log.verbosity = -1;
    reading->namer = peer_namer_new(PEER_BY_DOMAIN);
    must(reading->namer != NULL);
    aggregate_init(&reading->aggregate, PEER_BY_DOMAIN, 1000, 0);
    event_reader_init(&reading->reader);
    reading->reader.aggregate = &reading->aggregate;
    reading->reader.namer = reading->namer;
    reading->reader.log = &reading->log;
}

static void read_text(struct reading *reading, const void *data, size_t size)
{
    struct input *input = input_open(memory_file(data, size), NULL);
    if (input)
        event_reader_file(&reading->reader, input, "input", true);
    input_close(input);
}

static void end(struct reading *reading, char **text, size_t *length)
{
    FILE *out = open_memstream(text, length);
    must(out != NULL);
    aggregate_finish(&reading->aggregate);
    must(aggregate_write(&reading->aggregate, out));
    fclose(out);
    event_reader_close(&reading->reader);
    aggregate_close(&reading->aggregate);
    peer_namer_free(reading->namer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading first, second;
    char *text, *again;
    size_t length, again_length;
    begin(&first);
    read_text(&first, data, size);
    end(&first, &text, &length);
    begin(&second);
    read_text(&second, text, length);
    must(second.reader.damaged == 0);
    end(&second, &again, &again_length);
    if (length != again_length || memcmp(text, again, length) != 0) {
        fprintf(stderr, "first:\n%ssecond:\n%s", text, again);
        abort();
    }
    free(text);
    free(again);
    return 0;
}
