/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of one ring through one pipeline, in a thread that waits for nothing else. */
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "service_worker.h"

#define SECOND_NS INT64_C(1000000000)

enum {
    TURN_MS = 100,   /* an idle turn */
    FRAME = 100,     /* bytes in the ring beside those of a packet, about */
    SMALL = 512,     /* bytes of a packet that is copied */
    WORTH = 4,       /* fewer gathered ones are looked at singly: nothing would come in time */
    LAST_TURNS = 3,  /* at the end, for packets that are in the ring already */
    REST_MS = 1000,  /* all in all */
    LOOK = 64,       /* at the clock at the end: records */
    PARK_MS = 300    /* for a worker to notice that its time is over */
};

struct worker {
    struct live *live;
    struct analyzer *analyzer;
    struct lane *lane; /* to the scribe */
    struct counters counters; /* the thread's */
    struct log *log;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    int64_t until_ns;          /* monotonic; set before `stop` */
    unsigned last;             /* the thread's: records at the end, 0 before */
    pthread_mutex_t lock;      /* of what follows: for the others */
    struct worker_state state;
    const char *fault;
    int64_t published_ns;      /* the thread's */
    struct packet batch[CAPTURE_BATCH]; /* the thread's */
    uint8_t copies[CAPTURE_BATCH][SMALL];
    unsigned gathered;
    uint64_t bytes;    /* in the ring, of packets since the last rest; the thread's */
    int64_t rested_ns; /* monotonic */
};

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

struct worker *worker_open(const struct live_options *options, struct log *log)
{
    struct worker *worker = memory_new(sizeof *worker);
    if (!worker || pthread_mutex_init(&worker->lock, NULL) != 0) {
        memory_free(worker);
        log_error(log, "out of memory");
        return NULL;
    }
    worker->log = log;
    worker->state.facts.quiet_ns = -1;
    worker->live = live_open(options, log);
    if (worker->live)
        return worker;
    worker_free(worker);
    return NULL;
}

static void park(struct worker *worker);

static void on_record(void *user, const struct record *record)
{
    struct worker *worker = user;
    lane_put(worker->lane, record);
    if (worker->last && worker->last++ % LOOK == 0 && clock_of(CLOCK_MONOTONIC) > worker->until_ns)
        park(worker);
}

bool worker_equip(struct worker *worker, const struct analyzer_options *options, struct queue *queue)
{
    struct analyzer_sink sink = {.user = worker, .record = on_record};
    worker->lane = lane_new(queue);
    if (worker->lane)
        worker->analyzer = analyzer_new(options, NULL, sink, &worker->counters, worker->log);
    if (!worker->analyzer)
        log_error(worker->log, "out of memory");
    return worker->analyzer != NULL;
}

/* ---- the thread */

static void publish(struct worker *worker, bool now)
{
    struct worker_state state = {.facts = {.live = true}};
    int64_t time_ns = clock_of(CLOCK_MONOTONIC);
    if (!now && time_ns - worker->published_ns < TURN_MS * INT64_C(1000000))
        return;
    worker->published_ns = time_ns;
    struct live_counts counts = live_counts(worker->live);
    state.counters = worker->counters;
    analyzer_facts(worker->analyzer, &state.facts);
    state.facts.kernel_received = counts.received;
    state.facts.kernel_dropped = counts.dropped;
    state.facts.interface_dropped = counts.interface_dropped;
    pthread_mutex_lock(&worker->lock);
    worker->state = state;
    pthread_mutex_unlock(&worker->lock);
}

/* More was open than there is time to write: the end of the process is not to wait for it. */
static void park(struct worker *worker)
{
    lane_flush(worker->lane);
    publish(worker, true);
    for (;;)
        poll(NULL, 0, -1);
}

static void pass_batch(struct worker *worker)
{
    unsigned at_once = worker->gathered < WORTH ? 1 : worker->gathered;
    for (unsigned at = 0; at < worker->gathered; at += at_once)
        analyzer_packets(worker->analyzer, worker->batch + at, at_once);
    worker->gathered = 0;
}

/*
 * A packet is gone when the next one comes. So small ones are copied until there are enough to be looked at together, which lets
 * memory come in time; a copy of a large one would cost more than that saves: it ends the batch.
 */
static void on_packet(void *user, const struct packet *packet)
{
    struct worker *worker = user;
    unsigned at = worker->gathered++;
    worker->batch[at] = *packet;
    worker->bytes += packet->captured + FRAME;
    if (packet->captured <= SMALL) { /* memmove: for a memcpy of a bounded length compilers write a loop that starts slowly */
        memmove(worker->copies[at], packet->data, packet->captured);
        worker->batch[at].data = worker->copies[at];
    }
    if (packet->captured > SMALL || worker->gathered == CAPTURE_BATCH)
        pass_batch(worker);
}

/* Lets packets gather, since each wake-up costs as much as some fifty of them. */
static void rest(struct worker *worker)
{
    int64_t now_ns = clock_of(CLOCK_MONOTONIC);
    int pause_ms = live_pause(live_ring(worker->live), worker->bytes, now_ns - worker->rested_ns);
    if (pause_ms > 0)
        poll(NULL, 0, pause_ms);
    worker->bytes = 0;
    worker->rested_ns = now_ns;
}

/*
 * Reads what is there; once nothing is, time passes without packets, but not past those that may still lie in the ring. Returns
 * the number of packets, -1 if the interface is gone.
 */
static int turn(struct worker *worker, int wait_ms)
{
    struct pollfd ready = {.fd = live_descriptor(worker->live), .events = POLLIN};
    poll(&ready, 1, wait_ms);
    int count = live_read(worker->live, on_packet, worker);
    pass_batch(worker);
    if (count == 0)
        analyzer_tick(worker->analyzer, clock_of(CLOCK_REALTIME) - LIVE_SETTLED_NS);
    lane_flush(worker->lane);
    if (count > 0 && count < LIVE_READ_MOST)
        rest(worker);
    return count;
}

/* What lies in the ring belongs to the run; but packets may come faster than they are read. */
static bool read_rest(struct worker *worker)
{
    int64_t until_ns = clock_of(CLOCK_MONOTONIC) + REST_MS * INT64_C(1000000);
    int count = 0;
    for (int turns = 0; turns < LAST_TURNS && count >= 0 && clock_of(CLOCK_MONOTONIC) < until_ns; turns += count < LIVE_READ_MOST)
        count = turn(worker, 2 * LIVE_BLOCK_MS);
    return count >= 0;
}

static void *run(void *user)
{
    struct worker *worker = user;
    bool good = true;
    while (good && !atomic_load_explicit(&worker->stop, memory_order_acquire)) {
        good = turn(worker, TURN_MS) >= 0;
        publish(worker, false);
    }
    good = good && read_rest(worker);
    worker->last = 1;
    analyzer_finish(worker->analyzer);
    lane_flush(worker->lane);
    publish(worker, true);
    pthread_mutex_lock(&worker->lock);
    worker->fault = good ? NULL : live_fault(worker->live);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* ---- for the others */

bool worker_start(struct worker *worker)
{
    int status = pthread_create(&worker->thread, NULL, run, worker);
    worker->running = status == 0;
    if (status)
        log_error(worker->log, "cannot start a thread: %s", strerror(status));
    return worker->running;
}

static void add_facts(struct stats_facts *sum, const struct stats_facts *one)
{
    sum->live = true;
    if (one->time_ns > sum->time_ns)
        sum->time_ns = one->time_ns;
    if (!sum->started_ns || (one->started_ns && one->started_ns < sum->started_ns))
        sum->started_ns = one->started_ns;
    if (one->quiet_ns >= 0 && (sum->quiet_ns < 0 || one->quiet_ns < sum->quiet_ns))
        sum->quiet_ns = one->quiet_ns;
    sum->bytes_held += one->bytes_held;
    sum->kernel_received += one->kernel_received;
    sum->kernel_dropped += one->kernel_dropped;
    if (one->interface_dropped > sum->interface_dropped) /* all workers ask the same interface */
        sum->interface_dropped = one->interface_dropped;
}

void worker_add(struct worker *worker, struct worker_state *sum)
{
    static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "counters are 64 bits each");
    pthread_mutex_lock(&worker->lock);
    struct worker_state one = worker->state;
    pthread_mutex_unlock(&worker->lock);
    uint64_t *to = (uint64_t *)(void *)&sum->counters;
    const uint64_t *from = (const uint64_t *)(const void *)&one.counters;
    for (size_t i = 0; i < sizeof one.counters / sizeof *from; i++)
        to[i] += from[i];
    add_facts(&sum->facts, &one.facts);
}

const char *worker_fault(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    const char *fault = worker->fault;
    pthread_mutex_unlock(&worker->lock);
    return fault;
}

void worker_stop(struct worker *worker, unsigned ms)
{
    worker->until_ns = clock_of(CLOCK_MONOTONIC) + ms * INT64_C(1000000);
    atomic_store(&worker->stop, true);
}

bool worker_join(struct worker *worker, uint64_t *left)
{
    int64_t until_ns = worker->until_ns + PARK_MS * INT64_C(1000000);
    struct timespec until = {.tv_sec = until_ns / SECOND_NS, .tv_nsec = until_ns % SECOND_NS};
    *left = 0;
    if (!worker->running)
        return true;
    if (pthread_clockjoin_np(worker->thread, NULL, CLOCK_MONOTONIC, &until) == 0) {
        worker->running = false;
        return true;
    }
    pthread_mutex_lock(&worker->lock);
    *left = worker->state.counters.flows_open;
    pthread_mutex_unlock(&worker->lock);
    return false;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    lane_free(worker->lane);
    analyzer_free(worker->analyzer);
    live_close(worker->live);
    pthread_mutex_destroy(&worker->lock);
    memory_free(worker);
}
