/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists in the order in which all output formats show them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/output.h"

bool report_lists(const struct peer_figures *peer, unsigned lists)
{
    bool unknown = !peer->cannot && !peer->can && peer->unknown;
    return lists & LIST_ALL || (lists & LIST_CANNOT && peer->cannot) ||
           (lists & LIST_CLEAR && peer->clear) || (lists & LIST_FAILED && peer->failed) ||
           (lists & LIST_UNKNOWN && unknown);
}

struct incident_sorter {
    const struct incident *item;
    const char *uid;
};

static int by_time(const void *a, const void *b)
{
    const struct incident_sorter *x = a, *y = b;
    if (x->item->time_ns != y->item->time_ns)
        return x->item->time_ns < y->item->time_ns ? -1 : 1;
    int order = strcmp(x->uid, y->uid);
    return order ? order
                 : (x->item->finding > y->item->finding) - (x->item->finding < y->item->finding);
}

const struct incident **report_incidents(const struct aggregate *aggregate)
{
    uint32_t count = aggregate->incidents.count;
    struct incident_sorter *sorted = memory_new_array(count, sizeof *sorted);
    const struct incident **list = memory_new_array((size_t)count + 1, sizeof *list);
    if (!sorted || !list) {
        memory_free(sorted);
        memory_free(list);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct incident *item = table_at(&aggregate->incidents, i);
        sorted[i] =
            (struct incident_sorter){.item = item, .uid = aggregate_text(aggregate, item->uid)};
    }
    qsort(sorted, count, sizeof *sorted, by_time);
    for (uint32_t i = 0; i < count; i++)
        list[i] = sorted[i].item;
    memory_free(sorted);
    return list;
}

struct certificate_sorter {
    struct certificate_shown shown;
    const char *sha256, *server;
};

static int by_end(const void *a, const void *b)
{
    const struct certificate_sorter *x = a, *y = b;
    int64_t p = x->shown.seen->key.not_after, q = y->shown.seen->key.not_after;
    if (p != q)
        return p < q ? -1 : 1;
    int order = strcmp(x->sha256, y->sha256);
    return order ? order : strcmp(x->server, y->server);
}

/* Joins what servers with the same certificate showed; they stand side by side. */
static uint32_t join_certificates(const struct certificate_sorter *sorted, uint32_t count,
                                  struct certificate_shown *list)
{
    uint32_t joined = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct certificate_shown *last = joined ? &list[joined - 1] : NULL;
        if (last && last->seen->key.sha256 == sorted[i].shown.seen->key.sha256 &&
            last->seen->key.sha256) {
            last->sessions += sorted[i].shown.sessions;
            last->servers++;
            if (sorted[i].shown.last > last->last)
                last->last = sorted[i].shown.last;
        } else {
            list[joined++] = sorted[i].shown;
        }
    }
    return joined;
}

struct certificate_shown *report_certificates(const struct aggregate *aggregate, uint32_t *count)
{
    uint32_t all = aggregate->certificates.count;
    struct certificate_sorter *sorted = memory_new_array(all, sizeof *sorted);
    struct certificate_shown *list = memory_new_array(all, sizeof *list);
    if (!sorted || !list) {
        memory_free(sorted);
        memory_free(list);
        return NULL;
    }
    for (uint32_t i = 0; i < all; i++) {
        const struct certificate_seen *seen = table_at(&aggregate->certificates, i);
        sorted[i] = (struct certificate_sorter){
            .shown = {.seen = seen, .sessions = seen->sessions, .servers = 1, .last = seen->last},
            .sha256 = aggregate_text(aggregate, seen->key.sha256),
            .server = aggregate_text(aggregate, seen->key.server),
        };
    }
    qsort(sorted, all, sizeof *sorted, by_end);
    *count = join_certificates(sorted, all, list);
    memory_free(sorted);
    return list;
}
