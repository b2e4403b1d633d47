/* SPDX-License-Identifier: BSD-2-Clause */
/* The door of the stage: names of captures in, packets in time order out. */
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/folder.h"
#include "capture/merge.h"
#include "capture/source.h"

struct capture {
    struct source_context context;
    const char *expression;
    char **named; /* as given to capture_add */
    uint32_t named_count, named_room;
    struct source **sources; /* good ones, in order */
    uint32_t source_count, source_room;
    struct merge merge;
    bool full;          /* LIMIT_CAPTURES was told */
    unsigned in_folder; /* captures found in the folder that is walked, good or not */
};

/* Makes room for one more pointer: the array, moved or not, or NULL without memory. */
static void *array_grow(void *array, uint32_t count, uint32_t *room)
{
    if (count < *room)
        return array;
    uint32_t more = *room ? *room * 2 : 8;
    void *grown = memory_resize(array, more * sizeof(void *));
    if (grown)
        *room = more;
    return grown;
}

static void report(struct capture *capture, const char *path, const char *reason)
{
    capture->context.errors++;
    log_error(capture->context.log, "%s: %s", source_name(path), reason);
}

struct capture *capture_new(struct log *log, const char *filter)
{
    struct capture *capture = memory_new(sizeof *capture);
    if (!capture)
        return NULL;
    capture->context.log = log;
    capture->expression = filter && filter[0] ? filter : NULL;
    return capture;
}

void capture_add(struct capture *capture, const char *path)
{
    size_t size = strlen(path) + 1;
    char **grown = array_grow(capture->named, capture->named_count, &capture->named_room);
    if (grown)
        capture->named = grown;
    char *copy = grown ? memory_new(size) : NULL;
    if (!copy) {
        report(capture, path, "out of memory");
        return;
    }
    memcpy(copy, path, size);
    capture->named[capture->named_count++] = copy;
}

static void keep_source(struct capture *capture, struct source *source)
{
    struct source **grown =
        array_grow(capture->sources, capture->source_count, &capture->source_room);
    if (!grown) {
        report(capture, source->path, "out of memory");
        source_free(source);
        return;
    }
    capture->sources = grown;
    source->number = (uint16_t)capture->source_count;
    capture->sources[capture->source_count++] = source;
}

static enum source_look look_at(struct capture *capture, const char *path, bool quietly)
{
    if (capture->source_count >= LIMIT_CAPTURES) {
        if (!capture->full)
            report(capture, path,
                   "too many captures at once: this one and later ones are not read");
        capture->full = true;
        return SOURCE_BAD;
    }
    struct source *source;
    enum source_look look = source_look(&capture->context, path, quietly, &source);
    if (look == SOURCE_GOOD)
        keep_source(capture, source);
    return look;
}

static void folder_found(void *user, const char *path)
{
    struct capture *capture = user;
    if (look_at(capture, path, true) != SOURCE_FOREIGN)
        capture->in_folder++;
}

static void folder_failed(void *user, const char *path, int error)
{
    struct capture *capture = user;
    report(capture, path, strerror(error));
    capture->in_folder++; /* its own message suffices */
}

static void look_at_named(struct capture *capture, uint32_t index)
{
    const char *path = capture->named[index];
    bool standard = strcmp(path, "-") == 0;
    for (uint32_t i = 0; standard && i < index; i++) {
        if (strcmp(capture->named[i], "-") == 0) {
            report(capture, path, "named twice, but can be read only once");
            return;
        }
    }
    struct stat status;
    if (standard || stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        look_at(capture, path, false);
        return;
    }
    struct folder_visitor visitor = {capture, capture->context.log, folder_found, folder_failed};
    capture->in_folder = 0;
    folder_walk(path, &visitor);
    if (!capture->in_folder)
        report(capture, path, "no captures in this folder");
}

bool capture_start(struct capture *capture)
{
    struct source_context *context = &capture->context;
    if (capture->expression) {
        context->filter = capture_filter_new(capture->expression, context->log);
        if (!context->filter) {
            report(capture, "filter", "out of memory");
            return false;
        }
    }
    for (uint32_t i = 0; i < capture->named_count; i++)
        look_at_named(capture, i);
    if (context->filter && !capture_filter_check(context->filter))
        return false;
    if (!merge_init(&capture->merge, context, capture->sources, capture->source_count))
        report(capture, "merging", "out of memory");
    return true;
}

const struct packet *capture_next(struct capture *capture)
{
    const struct packet *packet;
    return merge_next(&capture->merge, 1, &packet) ? packet : NULL;
}

unsigned capture_next_batch(struct capture *capture, const struct packet **packets)
{
    return merge_next(&capture->merge, CAPTURE_BATCH, packets);
}

const char *capture_source_name(const struct capture *capture, uint16_t source)
{
    if (source >= capture->source_count)
        return "";
    const char *path = capture->sources[source]->path;
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

unsigned capture_errors(const struct capture *capture)
{
    return capture->context.errors;
}

uint64_t capture_progress(const struct capture *capture, uint64_t *total)
{
    uint64_t read = 0;
    bool known = true;
    *total = 0;
    for (uint32_t i = 0; i < capture->source_count; i++) {
        read += source_read_bytes(capture->sources[i]);
        *total += capture->sources[i]->size;
        known = known && capture->sources[i]->size;
    }
    if (!known)
        *total = 0;
    return read;
}

void capture_free(struct capture *capture)
{
    if (!capture)
        return;
    merge_close(&capture->merge);
    for (uint32_t i = 0; i < capture->source_count; i++)
        source_free(capture->sources[i]);
    for (uint32_t i = 0; i < capture->named_count; i++)
        memory_free(capture->named[i]);
    capture_filter_free(capture->context.filter);
    memory_free(capture->sources);
    memory_free(capture->named);
    memory_free(capture);
}
