/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of one input: between merge, which says when, and file, which reads. All messages about
 * files come from here. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "capture/source.h"

const char *source_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void source_report(struct source_context *context, const char *path,
                          const struct capture_fault *fault)
{
    context->errors++;
    log_error(context->log, "%s: %s", source_name(path), fault->text);
}

static struct source *source_new(struct source_context *context, const char *path)
{
    size_t length = strlen(path) + 1;
    struct source *source = memory_new(sizeof *source + length);
    if (!source) {
        context->errors++;
        log_error(context->log, "%s: out of memory", source_name(path));
        return NULL;
    }
    memcpy(source->path, path, length);
    return source;
}

static void source_close(struct source *source)
{
    if (source->file)
        source->read = capture_file_read_bytes(source->file);
    capture_file_close(source->file);
    source->file = NULL;
    source->packets = NULL;
    source->count = 0;
}

/* A file that can be opened again is closed until its turn: thousands may be named. */
static enum source_look look_first(struct source *source, struct source_context *context)
{
    struct capture_fault fault;
    source->size = capture_file_size(source->file);
    source->once = !capture_file_can_reopen(source->file);
    int status = capture_file_next(source->file, &source->packets, &fault);
    if (status < 0)
        source_report(context, source->path, &fault);
    if (status == 0)
        log_verbose(context->log, "%s: no packets", source_name(source->path));
    if (status <= 0)
        return status < 0 ? SOURCE_BAD : SOURCE_EMPTY;
    source->count = (unsigned)status;
    source->first_ns = source->packets->time_ns;
    if (context->filter)
        capture_filter_prepare(context->filter, source->packets->link_type);
    if (!source->once) {
        source_close(source);
        source->read = 0;
    }
    return SOURCE_GOOD;
}

enum source_look source_look(struct source_context *context, const char *path, bool quietly,
                             struct source **out)
{
    struct capture_fault fault;
    struct source *source = source_new(context, path);
    if (!source)
        return SOURCE_BAD;
    enum source_look look;
    source->file = capture_file_open(path, &fault);
    if (source->file) {
        look = look_first(source, context);
    } else {
        look = fault.foreign ? SOURCE_FOREIGN : SOURCE_BAD;
        if (fault.foreign && quietly)
            log_verbose(context->log, "%s: passed over: %s", path, fault.text);
        else
            source_report(context, path, &fault);
    }
    if (look == SOURCE_GOOD)
        *out = source;
    else
        source_free(source);
    return look;
}

/* Keeps of the packets those that are wanted; false if there are none. */
static bool source_sift(struct source *source, struct source_context *context)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < source->count; i++) {
        struct packet *packet = &source->packets[i];
        packet->source = source->number;
        if (!context->filter)
            continue;
        if (capture_filter_match(context->filter, packet))
            source->packets[kept++] = *packet;
    }
    if (context->filter)
        source->count = kept;
    return source->count > 0;
}

static bool source_next(struct source *source, struct source_context *context)
{
    struct capture_fault fault;
    int status;
    while ((status = capture_file_next(source->file, &source->packets, &fault)) > 0) {
        source->count = (unsigned)status;
        if (source_sift(source, context))
            return true;
    }
    if (status < 0)
        source_report(context, source->path, &fault);
    source_close(source);
    return false;
}

bool source_pass(struct source *source, struct source_context *context, unsigned passed)
{
    source->packets += passed;
    source->count -= passed;
    return source->count || source_next(source, context);
}

enum source_open source_open(struct source *source, struct source_context *context, bool may_wait)
{
    struct capture_fault fault;
    bool first = source->file && source_sift(source, context); /* open since it was looked at */
    if (!source->file)
        source->file = capture_file_open(source->path, &fault);
    if (source->file)
        return first || source_next(source, context) ? SOURCE_OPENED : SOURCE_ENDED;
    if (may_wait && (fault.error == EMFILE || fault.error == ENFILE))
        return SOURCE_LATER;
    source_report(context, source->path, &fault);
    return SOURCE_ENDED;
}

uint64_t source_read_bytes(const struct source *source)
{
    return source->file ? capture_file_read_bytes(source->file) : source->read;
}

void source_free(struct source *source)
{
    if (!source)
        return;
    source_close(source);
    memory_free(source);
}
