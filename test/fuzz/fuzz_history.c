/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks the history: its reader of state, and its judging. Input: a state file, then, after a byte
 * 0, records of 16 bytes each. Whatever was read and judged, what is saved is read without complaint
 * and then saved alike.
 */
#define FUZZ_QUIET
#include <string.h>

#include "base/limits.h"
#include "fuzz_help.h"
#include "session/history.h"

enum { RECORD = 16 };

static char folder[64], state[80], damaged[96];

static void remove_folder(void)
{
    unlink(state);
    unlink(damaged);
    rmdir(folder);
}

/* In memory where that is possible: each save is synchronised. */
static void make_folder(void)
{
    snprintf(folder, sizeof folder, "%s/mxtap-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    must(mkdtemp(folder) != NULL);
    snprintf(state, sizeof state, "%s/state", folder);
    snprintf(damaged, sizeof damaged, "%s.damaged", state);
    atexit(remove_folder);
}

static void write_state(const uint8_t *data, size_t size)
{
    FILE *file = fopen(state, "wb");
    must(file && fwrite(data, 1, size, file) == size);
    must(fclose(file) == 0);
}

static char *read_state(size_t *size)
{
    FILE *file = fopen(state, "rb");
    char *text = NULL;
    FILE *copy = open_memstream(&text, size);
    must(file && copy);
    for (int c; (c = getc(file)) != EOF;)
        putc(c, copy);
    fclose(file);
    must(fclose(copy) == 0);
    return text;
}

/* Few peers and names, so that they meet again. */
static void judge(struct history *history, struct reader *r)
{
    static const char names[] = "mx.example.netMX.EXAMPLE.netclient.examplea b%\x01\xff";
    struct smtp_facts smtp = {.hello = SMTP_HELLO_EHLO};
    struct record record = {.have_smtp = true, .smtp = &smtp, .text = names, .server_port = 25};
    record.family = record.client_family = reader_u8(r) & 1 ? 4 : 6;
    record.client_ip.bytes[0] = reader_u8(r) & 7;
    record.server_ip.bytes[1] = reader_u8(r) & 3;
    record.offer = reader_u8(r) % (SMTP_OFFERED + 1);
    record.outcome = (enum outcome)(reader_u8(r) % OUTCOME_COUNT);
    smtp.server_name = (struct text_ref){reader_u8(r) & 31, reader_u8(r) & 15};
    smtp.client_name = (struct text_ref){reader_u8(r) & 31, reader_u8(r) & 15};
    record.time_ns = (int64_t)((uint64_t)reader_u32(r) << 28 | reader_u24(r));
    record.uid = (uint64_t)record.time_ns * 0x9e3779b97f4a7c15u;
    uint64_t before = record.findings = reader_u8(r) & 1 ? UINT64_C(1) << FINDING_STARTTLS_MASKED : 0;
    history_judge(history, &record);
    must((record.findings & before) == before);
    must(record.have_fallback == (record.findings >> FINDING_PLAINTEXT_FALLBACK & 1));
    must(!record.have_fallback || record.fallback_time_ns <= record.time_ns);
}

/* What a history saves that has read the state. */
static char *again(struct log *log, size_t *size)
{
    struct history *history = history_new();
    must(history != NULL);
    history_load(history, state, log);
    must(history_save(history, state, log));
    history_free(history);
    return read_state(size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log log = {.verbosity = -1};
    struct reader input = reader_of(data, size);
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - data) : size, once, twice;
    if (!*folder)
        make_folder();
    write_state(data, length);
    struct history *history = history_new();
    must(history != NULL);
    history_load(history, state, &log);
    reader_skip(&input, end ? length + 1 : length);
    while (input.left >= RECORD)
        judge(history, &input);
    must(history_save(history, state, &log));
    history_free(history);
    log = (struct log){.verbosity = -1};
    char *first = again(&log, &once), *second = again(&log, &twice);
    must(log.warnings == 0 && log.errors == 0);
    must(once == twice && memcmp(first, second, once) == 0);
    free(first);
    free(second);
    return 0;
}
