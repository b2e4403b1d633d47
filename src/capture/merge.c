/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several captures as one stream in time order: a heap of open files, keyed by the time of each
 * one's next packet, and beside it the files whose first packet is still to come. A single file is
 * a heap of one, and costs one comparison a packet.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/merge.h"

static bool is_before(const struct source *a, const struct source *b)
{
    if (a->packets->time_ns != b->packets->time_ns)
        return a->packets->time_ns < b->packets->time_ns;
    return a->number < b->number;
}

static int compare_first(const void *left, const void *right)
{
    const struct source *a = *(struct source *const *)left;
    const struct source *b = *(struct source *const *)right;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static void heap_sink(struct merge *merge)
{
    struct source **heap = merge->open, *moved = heap[0];
    uint32_t at = 0, child;
    while ((child = 2 * at + 1) < merge->open_count) {
        if (child + 1 < merge->open_count && is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static void heap_add(struct merge *merge, struct source *source)
{
    struct source **heap = merge->open;
    uint32_t at = merge->open_count++;
    while (at > 0 && is_before(source, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = source;
}

/* The root's packets are used up: fetch its next ones, or take the source out. */
static void merge_advance(struct merge *merge)
{
    unsigned passed = merge->delivered;
    merge->delivered = 0;
    if (!source_pass(merge->open[0], merge->context, passed))
        merge->open[0] = merge->open[--merge->open_count];
    if (merge->open_count > 1)
        heap_sink(merge);
}

/* At the limit, the order in time is given up rather than packets. */
static void merge_full(struct merge *merge)
{
    if (!merge->told)
        log_warning(
            merge->context->log,
            "more than %u captures overlap in time: some packets come later than their time says",
            merge->open_limit);
    merge->told = true;
}

/* Opens what begins no later than the earliest packet at hand; files of the same time too, for the
 * order of their numbers. */
static void merge_open_due(struct merge *merge)
{
    while (merge->waiting_next < merge->waiting_count) {
        struct source *source = merge->waiting[merge->waiting_next];
        if (merge->open_count && source->first_ns > merge->open[0]->packets->time_ns)
            return;
        if (merge->open_count >= merge->open_limit) {
            merge_full(merge);
            return;
        }
        enum source_open status = source_open(source, merge->context, merge->open_count > 0);
        if (status == SOURCE_LATER) {
            merge->open_limit = merge->open_count; /* the system allows no more */
            continue;
        }
        merge->waiting_next++;
        if (status == SOURCE_OPENED)
            heap_add(merge, source);
    }
}

bool merge_init(struct merge *merge, struct source_context *context, struct source **sources,
                uint32_t count)
{
    *merge = (struct merge){.context = context, .open_limit = LIMIT_OPEN_CAPTURES};
    merge->waiting = memory_new_array(count, sizeof *merge->waiting);
    merge->open = memory_new_array(LIMIT_OPEN_CAPTURES, sizeof *merge->open);
    if (!merge->waiting || !merge->open)
        return false;
    if (count)
        memcpy(merge->waiting, sources, count * sizeof *sources);
    merge->waiting_count = count;
    qsort(merge->waiting, count, sizeof *merge->waiting, compare_first);
    return true;
}

/* Whether a packet of the root, which comes after its first, comes before those of all others, too.
 */
static bool is_next(const struct merge *merge, const struct packet *packet)
{
    const struct source *root = merge->open[0];
    if (merge->waiting_next < merge->waiting_count &&
        merge->waiting[merge->waiting_next]->first_ns <= packet->time_ns)
        return false;
    for (uint32_t child = 1; child <= 2 && child < merge->open_count; child++) {
        const struct source *other = merge->open[child];
        int64_t time_ns = other->packets->time_ns;
        if (time_ns < packet->time_ns ||
            (time_ns == packet->time_ns && other->number < root->number))
            return false;
    }
    return true;
}

/* How many of the root's packets follow one another in the merged stream. */
static unsigned run_length(const struct merge *merge, unsigned most)
{
    const struct source *root = merge->open[0];
    unsigned count = 1;
    if (merge->open_count == 1 && merge->waiting_next == merge->waiting_count)
        return root->count < most ? root->count : most;
    while (count < root->count && count < most && is_next(merge, &root->packets[count]))
        count++;
    return count;
}

unsigned merge_next(struct merge *merge, unsigned most, const struct packet **packets)
{
    if (merge->delivered)
        merge_advance(merge);
    if (merge->waiting_next < merge->waiting_count)
        merge_open_due(merge);
    if (!merge->open_count)
        return 0;
    merge->delivered = run_length(merge, most);
    *packets = merge->open[0]->packets;
    return merge->delivered;
}

void merge_close(struct merge *merge)
{
    memory_free(merge->waiting);
    memory_free(merge->open);
    *merge = (struct merge){0};
}
