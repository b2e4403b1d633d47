/* SPDX-License-Identifier: BSD-2-Clause */
/* Before events: opens what the command line names and tells by content what it is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "report/sources.h"

enum kind { KIND_LINES, KIND_CAPTURE, KIND_EMPTY, KIND_FOREIGN };

/* pcap with micro- and nanoseconds in both byte orders, the modified format of old Linux, and
 * pcapng. */
static bool capture_magic(struct slice head)
{
    struct reader at = reader_of_slice(head);
    uint32_t magic = reader_u32(&at);
    static const uint32_t known[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1,
                                     0xa1b2cd34, 0x34cdb2a1, 0x0a0d0d0a};
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !at.bad; i++)
        if (magic == known[i])
            return true;
    return false;
}

/* Lines begin with a brace, after blank ones perhaps, and a byte order mark. */
static enum kind kind_of(struct slice head)
{
    struct reader at = reader_of_slice(head);
    if (!at.left)
        return KIND_EMPTY;
    if (capture_magic(head))
        return KIND_CAPTURE;
    uint8_t c = ' ';
    while (at.left && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
        c = reader_u8(&at);
    return c == '{' || c == ' ' || c == '\n' ? KIND_LINES : KIND_FOREIGN;
}

static void keep_capture(struct sources *sources, const char *path)
{
    if (sources->count == sources->capacity) {
        size_t want = sources->capacity * 2 + 16;
        char **captures = memory_resize(sources->captures, want * sizeof *captures);
        if (!captures) {
            sources->failed = true;
            return;
        }
        sources->captures = captures;
        sources->capacity = want;
    }
    size_t size = strlen(path) + 1;
    char *copy = memory_new(size);
    if (!copy) {
        sources->failed = true;
        return;
    }
    memcpy(copy, path, size);
    sources->captures[sources->count++] = copy;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A file whose name says lines is taken for lines even if its first one is damaged. */
static bool named_lines(const char *path)
{
    static const char *const ends[] = {".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_with(path, ends[i]))
            return true;
    return false;
}

static void take_file(struct sources *sources, const char *path, bool named)
{
    const char *command = NULL;
    struct input *input = input_open(path, &command);
    if (!input) {
        if (!named && errno == ENOEXEC)
            return; /* in a folder: some other compressed file */
        sources->failed = true;
        if (errno == ENOEXEC && command)
            log_error(sources->reader->log,
                      "%s: compressed in another way; try: %s %s | mxtap report -", path, command,
                      path);
        else
            log_error(sources->reader->log, "%s: %m", path);
        return;
    }
    enum kind kind = kind_of(input_head(input));
    if (kind == KIND_FOREIGN && named_lines(path))
        kind = KIND_LINES;
    if (kind == KIND_CAPTURE) {
        keep_capture(sources, path);
    } else if (kind == KIND_LINES) {
        event_reader_file(sources->reader, input, path, named);
    } else if (kind == KIND_FOREIGN && named) {
        sources->failed = true;
        log_error(sources->reader->log, "%s: neither events of mxtap nor a capture", path);
    } else if (kind == KIND_EMPTY && named && input_damage(input)) {
        sources->failed = true;
        log_error(sources->reader->log, "%s: %s", path, input_damage(input));
    } else if (kind == KIND_EMPTY && named) {
        log_warning(sources->reader->log, "%s: empty", path);
    }
    input_close(input);
}

static int hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void take_path(struct sources *sources, const char *path, bool named, unsigned depth);

static void take_folder(struct sources *sources, const char *path, unsigned depth)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, hidden, alphasort);
    if (count < 0) {
        sources->failed = true;
        log_error(sources->reader->log, "%s: %m", path);
        return;
    }
    for (int i = 0; i < count; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *below = memory_new(size);
        if (below) {
            snprintf(below, size, "%s%s%s", path, ends_with(path, "/") ? "" : "/",
                     entries[i]->d_name);
            take_path(sources, below, false, depth + 1);
        }
        memory_free(below);
        free(entries[i]); /* scandir's */
    }
    free(entries);
}

static void take_path(struct sources *sources, const char *path, bool named, unsigned depth)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode)) {
        if (depth <= LIMIT_CAPTURE_DEPTH)
            take_folder(sources, path, depth);
        else
            log_warning(sources->reader->log, "%s: too deep, passed over", path);
        return;
    }
    if (!named && there && !S_ISREG(status.st_mode))
        return;
    take_file(sources, path, named);
}

/*
 * Standard input is looked at without taking anything from it, since a capture is read by others,
 * from its beginning: a pipe's first bytes are copied by tee(2), a file is opened once more.
 */
static enum kind kind_of_standard_input(void)
{
    int ends[2] = {-1, -1};
    char path[32] = "/proc/self/fd/0";
    struct stat status;
    if (fstat(STDIN_FILENO, &status) < 0)
        return KIND_LINES;
    if (S_ISFIFO(status.st_mode)) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            return KIND_LINES;
        bool copied = tee(STDIN_FILENO, ends[1], 65536, 0) >= 0;
        close(ends[1]);
        if (!copied) {
            close(ends[0]);
            return KIND_LINES;
        }
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    } else if (!S_ISREG(status.st_mode)) {
        return KIND_LINES;
    }
    struct input *input = input_open(path, NULL);
    enum kind kind = input ? kind_of(input_head(input)) : KIND_LINES;
    input_close(input);
    if (ends[0] >= 0)
        close(ends[0]);
    return kind;
}

static void take_standard_input(struct sources *sources)
{
    if (sources->capture_on_input) {
        keep_capture(sources, "-");
        return;
    }
    struct input *input = input_open("-", NULL);
    if (!input) {
        sources->failed = true;
        log_error(sources->reader->log, "standard input: %m");
        return;
    }
    event_reader_file(sources->reader, input, "standard input", true);
    input_close(input);
}

bool sources_capture_on_input(void)
{
    return kind_of_standard_input() == KIND_CAPTURE;
}

void sources_take(struct sources *sources, const char *path)
{
    if (strcmp(path, "-") == 0)
        take_standard_input(sources);
    else
        take_path(sources, path, true, 0);
}

void sources_free(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        memory_free(sources->captures[i]);
    memory_free(sources->captures);
}
