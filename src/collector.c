/* SPDX-License-Identifier: BSD-2-Clause */
/* Between pipeline and output: the memory of peers. */
#include <pthread.h>

#include "base/memory.h"
#include "collector.h"
#include "session/history.h"

struct collector {
    pthread_mutex_t lock; /* live, it is saved while records are judged */
    struct history *history;
    const char *state;
    struct log *log;
};

struct collector *collector_new(const char *state, struct log *log)
{
    struct collector *collector = memory_new(sizeof *collector);
    if (!collector)
        return NULL;
    collector->state = state;
    collector->log = log;
    collector->history = history_new();
    if (!collector->history || pthread_mutex_init(&collector->lock, NULL) != 0) {
        history_free(collector->history);
        memory_free(collector);
        return NULL;
    }
    if (state)
        history_load(collector->history, state, log);
    return collector;
}

void collector_judge(struct collector *collector, struct record *record)
{
    pthread_mutex_lock(&collector->lock);
    history_judge(collector->history, record);
    pthread_mutex_unlock(&collector->lock);
}

bool collector_save(struct collector *collector)
{
    if (!collector->state)
        return true;
    pthread_mutex_lock(&collector->lock);
    bool good = history_save(collector->history, collector->state, collector->log);
    pthread_mutex_unlock(&collector->lock);
    return good;
}

void collector_count(struct collector *collector, struct counters *counters)
{
    pthread_mutex_lock(&collector->lock);
    history_count(collector->history, counters);
    pthread_mutex_unlock(&collector->lock);
}

void collector_free(struct collector *collector)
{
    if (!collector)
        return;
    history_free(collector->history);
    pthread_mutex_destroy(&collector->lock);
    memory_free(collector);
}
