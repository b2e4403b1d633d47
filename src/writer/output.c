/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the pipeline: whole lines to a file, a pipe or standard output, whatever happens to
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "writer/writer.h"

enum { OUTPUT_BUFFER = 65536 };

struct output {
    int fd;
    bool standard; /* standard output, which stays open */
    bool regular;
    bool failed; /* reported; nothing more is written */
    struct log *log;
    char *name; /* for messages */
    size_t used;
    char buffer[OUTPUT_BUFFER]; /* whole lines */
};

static void output_fail(struct output *output)
{
    output->failed = true;
    log_error(output->log, "%s: %s", output->name, strerror(errno));
}

/* Looks for the end of the last whole line. `tail` gets the bytes after it (at most LIMIT_EVENT),
 * -1 if it was not found there. */
static ssize_t read_tail(int fd, off_t size, char tail[LIMIT_EVENT])
{
    size_t count = size < LIMIT_EVENT ? (size_t)size : LIMIT_EVENT;
    ssize_t got = pread(fd, tail, count, size - (off_t)count);
    if (got != (ssize_t)count)
        return -1;
    const char *newline = memrchr(tail, '\n', count);
    if (!newline && count < (size_t)size)
        return -1;
    size_t before = newline ? (size_t)(newline + 1 - tail) : 0;
    memmove(tail, tail + before, count - before);
    return (ssize_t)(count - before);
}

/* Whether bytes may be the beginning of a line of ours: a JSON object, a date, or what a crash of
 * the system left in place of it. */
static bool tail_is_ours(const char *tail)
{
    return tail[0] == '{' || (tail[0] >= '0' && tail[0] <= '9') || tail[0] == '\0';
}

/* Cuts off what a crash left of a last line, so that the next one begins at a line's start. A
 * foreign file is not touched. */
static bool output_mend(struct output *output, const char *path, const struct stat *status)
{
    char tail[LIMIT_EVENT];
    struct stat again;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return true; /* may be appended to but not read: so be it */
    bool same =
        fstat(fd, &again) == 0 && again.st_dev == status->st_dev && again.st_ino == status->st_ino;
    ssize_t left = same ? read_tail(fd, status->st_size, tail) : 0;
    close(fd);
    if (left == 0)
        return true;
    if (left < 0 || !tail_is_ours(tail)) {
        log_error(output->log,
                  "%s: not appended to: its last line is not finished and not by mxtap; choose "
                  "another file",
                  output->name);
        return false;
    }
    if (ftruncate(output->fd, status->st_size - left) < 0) {
        output_fail(output);
        return false;
    }
    log_warning(output->log, "%s: cut off an unfinished last line of %zd bytes", output->name,
                left);
    return true;
}

static bool output_attach(struct output *output, const char *path)
{
    struct stat status;
    output->fd = output->standard
                     ? STDOUT_FILENO
                     : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (output->fd < 0 || fstat(output->fd, &status) < 0) {
        output_fail(output);
        return false;
    }
    output->regular = S_ISREG(status.st_mode);
    return output->standard || !output->regular || status.st_size == 0 ||
           output_mend(output, path, &status);
}

struct output *output_open(const char *path, struct log *log)
{
    bool standard = !path || strcmp(path, "-") == 0;
    const char *name = standard ? "standard output" : path;
    size_t size = strlen(name) + 1;
    struct output *output = memory_new(sizeof *output);
    if (!output || !(output->name = memory_new(size))) {
        log_error(log, "%s: %s", name, strerror(ENOMEM));
        memory_free(output);
        return NULL;
    }
    memcpy(output->name, name, size);
    output->log = log;
    output->standard = standard;
    if (output_attach(output, path))
        return output;
    if (!standard && output->fd >= 0)
        close(output->fd);
    memory_free(output->name);
    memory_free(output);
    return NULL;
}

/* Cuts a regular file back by the part of a line that was still written, unless somebody else has
 * appended meanwhile. */
static void output_cut(struct output *output, const char *data, size_t written)
{
    const char *newline = written ? memrchr(data, '\n', written) : NULL;
    size_t whole = newline ? (size_t)(newline + 1 - data) : 0;
    struct stat status;
    off_t end = lseek(output->fd, 0, SEEK_CUR);
    if (!output->regular || whole == written || end < 0 || fstat(output->fd, &status) < 0 ||
        status.st_size != end)
        return;
    off_t cut = end - (off_t)(written - whole);
    if (ftruncate(output->fd, cut) < 0 || lseek(output->fd, cut, SEEK_SET) < 0)
        log_error(output->log, "%s: its last line is not whole: %s", output->name, strerror(errno));
}

/* Waits until the descriptor takes bytes again: whoever gave it to us may have made it
 * non-blocking. */
static bool output_wait(const struct output *output)
{
    struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
    return poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

static bool output_send(struct output *output, const char *data, size_t length)
{
    size_t written = 0;
    while (written < length && !output->failed) {
        ssize_t count = write(output->fd, data + written, length - written);
        if (count > 0) {
            written += (size_t)count;
            continue;
        }
        if (count < 0 &&
            (errno == EINTR || ((errno == EAGAIN || errno == EWOULDBLOCK) && output_wait(output))))
            continue;
        if (count == 0)
            errno = ENOSPC;
        output_fail(output);
        output_cut(output, data, written);
    }
    return !output->failed;
}

bool output_flush(struct output *output)
{
    size_t used = output->used;
    output->used = 0;
    return !output->failed && (used == 0 || output_send(output, output->buffer, used));
}

bool output_write(struct output *output, const struct line *line)
{
    if (output->failed || line->failed)
        return !output->failed;
    if (line->length > sizeof output->buffer - output->used && !output_flush(output))
        return false;
    if (line->length > sizeof output->buffer)
        return output_send(output, line->data, line->length);
    if (line->length)
        memcpy(output->buffer + output->used, line->data, line->length);
    output->used += line->length;
    return true;
}

bool output_may_wait(const struct output *output)
{
    return !output->regular;
}

bool output_ready(const struct output *output)
{
    struct pollfd ready = {.fd = output->fd, .events = POLLOUT};
    return poll(&ready, 1, 0) > 0;
}

bool output_reopen(struct output *output)
{
    if (output->standard)
        return true;
    output_flush(output);
    int old = output->fd;
    bool regular = output->regular, failed = output->failed;
    output->failed = false;
    if (output_attach(output, output->name)) {
        close(old);
        return true;
    }
    if (output->fd >= 0)
        close(output->fd);
    output->fd = old;
    output->regular = regular;
    output->failed = failed;
    return false;
}

int output_descriptor(const struct output *output)
{
    return output->fd;
}

bool output_close(struct output *output)
{
    if (!output)
        return true;
    output_flush(output);
    /* Some file systems tell of a full disk only here; standard output is not ours to close, a copy
     * of it is. */
    int fd = output->standard ? dup(output->fd) : output->fd;
    if ((fd < 0 || close(fd) < 0) && !output->failed)
        output_fail(output);
    bool good = !output->failed;
    memory_free(output->name);
    memory_free(output);
    return good;
}
