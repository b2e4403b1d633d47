/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: the pipeline between an interface and an output, driven by packets, signals and the time of day. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "capture/live.h"
#include "capture/privilege.h"
#include "confine.h"
#include "service.h"
#include "service_queue.h"
#include "service_scribe.h"
#include "service_tell.h"
#include "service_worker.h"

#define SECOND_NS INT64_C(1000000000)

enum {
    TURN_MS = 100,        /* between two looks at timers */
    CLOSE_MS = 3000,      /* for what is open at the end to be written, or a stuck reader to go on */
    CLOSE_LAST_MS = 800,  /* for what is in the queue then */
    METRICS_SECONDS = 15, /* between two metrics files: what scrapers usually do */
    SAVE_SECONDS = 300    /* between two state files */
};

struct service {
    const struct service_options *options;
    const struct analyzer_options *analyzer;
    struct log *log;
    struct worker *workers[LIMIT_WORKERS];
    unsigned count;
    struct collector *collector;
    struct output *output;
    struct queue *queue;
    struct scribe *scribe;
    struct sandbox *sandbox;
    struct line line;     /* of stats */
    int signals, manager; /* descriptors */
    int64_t started_ns, stats_due_ns, metrics_due_ns, save_due_ns; /* monotonic */
    bool quiet_told, metrics_told, stop, failed;
    bool stuck; /* a thread, for good: what it uses is left to the end of the process */
};

static int64_t clock_of(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void service_options_default(struct service_options *options)
{
    *options = (struct service_options){.snaplen = LIMIT_PACKET,
                                        .ring_kib = 32768,
                                        .workers = 1,
                                        .stats_ns = 300 * SECOND_NS,
                                        .quiet_ns = 900 * SECOND_NS};
}

/* ---- from the pipelines */

static void add_kafka(struct kafka *kafka, struct worker_state *sum)
{
    struct kafka_counts counts = kafka_counts(kafka);
    sum->facts.kafka = true;
    sum->facts.kafka_delivered = counts.delivered;
    sum->facts.kafka_waiting = counts.waiting;
    sum->counters.events_lost += counts.lost;
}

static struct worker_state sum_of(struct service *service)
{
    struct worker_state sum = {.facts = {.quiet_ns = -1}};
    for (unsigned i = 0; i < service->count; i++)
        worker_add(service->workers[i], &sum);
    sum.facts.sensor = service->analyzer->sensor;
    sum.facts.interface = service->analyzer->interface;
    if (service->collector)
        collector_count(service->collector, &sum.counters);
    if (service->queue)
        sum.counters.events_lost = queue_lost(service->queue);
    if (service->options->kafka)
        add_kafka(service->options->kafka, &sum);
    return sum;
}

static void write_stats(struct service *service)
{
    struct worker_state sum = sum_of(service);
    if (!service->analyzer->format->stats)
        return;
    service->line.length = 0;
    service->line.failed = false;
    service->analyzer->format->stats(&service->line, &sum.counters, &sum.facts);
    if (!service->line.failed)
        queue_put_line(service->queue, &service->line);
}

/* False if it could not be written: told once, until it can again. */
static bool write_metrics(struct service *service)
{
    if (!service->options->metrics)
        return true;
    struct worker_state sum = sum_of(service);
    bool good = metrics_write(service->options->metrics, &sum.counters, &sum.facts, service->log, !service->metrics_told);
    service->metrics_told = !good;
    return good;
}

/* ---- the loop */

static void on_signal(struct service *service, uint32_t signal)
{
    switch (signal) {
    case SIGHUP:
        log_note(service->log, "SIGHUP: reopening the output");
        queue_reopen(service->queue);
        break;
    case SIGUSR1: write_stats(service); break;
    default: service->stop = true;
    }
}

static void read_signals(struct service *service)
{
    struct signalfd_siginfo info;
    while (read(service->signals, &info, sizeof info) == (ssize_t)sizeof info)
        on_signal(service, info.ssi_signo);
}

static bool is_due(int64_t *due_ns, int64_t interval_ns, int64_t now_ns)
{
    if (!interval_ns || now_ns < *due_ns)
        return false;
    *due_ns += interval_ns * ((now_ns - *due_ns) / interval_ns + 1);
    return true;
}

/* Somebody turned the mirror port, or the filter is wrong: said once in each silence. */
static void watch_quiet(struct service *service, int64_t now_ns)
{
    int64_t quiet_ns = sum_of(service).facts.quiet_ns, running_ns = now_ns - service->started_ns;
    if (quiet_ns < 0 || quiet_ns > running_ns)
        quiet_ns = running_ns;
    bool quiet = service->options->quiet_ns && quiet_ns >= service->options->quiet_ns;
    if (quiet && !service->quiet_told)
        log_warning(service->log, "%s: no SMTP for %lld seconds; is this the right interface, and the mirror port right?",
                    service->options->interface, (long long)(quiet_ns / SECOND_NS));
    service->quiet_told = quiet;
}

static void run_timers(struct service *service)
{
    int64_t now_ns = clock_of(CLOCK_MONOTONIC);
    if (is_due(&service->stats_due_ns, service->options->stats_ns, now_ns))
        write_stats(service);
    if (is_due(&service->save_due_ns, SAVE_SECONDS * SECOND_NS, now_ns))
        collector_save(service->collector);
    if (is_due(&service->metrics_due_ns, METRICS_SECONDS * SECOND_NS, now_ns))
        write_metrics(service);
    watch_quiet(service, now_ns);
}

/* What is wrong with one worker is wrong with all of them, and told once. */
static void watch_workers(struct service *service)
{
    for (unsigned i = 0; i < service->count && !service->failed; i++) {
        const char *fault = worker_fault(service->workers[i]);
        if (!fault)
            continue;
        log_error(service->log, "%s: %s", service->options->interface, fault);
        service->failed = true;
    }
}

static void loop(struct service *service)
{
    while (!service->stop && !service->failed) {
        struct pollfd ready = {.fd = service->signals, .events = POLLIN};
        if (poll(&ready, 1, TURN_MS) > 0)
            read_signals(service);
        run_timers(service);
        watch_workers(service);
        service->failed |= queue_failed(service->queue);
        service->failed |= service->options->kafka && !kafka_poll(service->options->kafka);
    }
}

/* ---- opening */

static void add_local(void *user, const char *address)
{
    analyzer_network(address, user);
}

/* What a live capture knows by itself, where no option says otherwise. */
static void fill_in(const struct service_options *options, struct analyzer_options *analyzer, char *host, size_t size)
{
    analyzer->interface = options->interface;
    analyzer->max_flows = (analyzer->max_flows + options->workers - 1) / options->workers;
    if (!analyzer->network_count)
        live_addresses(options->interface, add_local, analyzer);
    if (!analyzer->sensor && gethostname(host, size) == 0 && host[0]) {
        host[size - 1] = '\0';
        analyzer->sensor = host;
    }
}

static bool open_output(struct service *service, const struct privilege *privilege)
{
    const char *path = service->options->output;
    bool is_file = path && strcmp(path, "-") != 0;
    if (!path && service->options->kafka)
        return true;
    bool existed = !is_file || access(path, F_OK) == 0;
    service->output = output_open(path, service->log);
    if (!service->output)
        return false;
    if (!existed && privilege->change && fchown(output_descriptor(service->output), privilege->uid, privilege->gid) != 0)
        log_warning(service->log, "%s: cannot be given to the user that mxtap runs as: %s", path, strerror(errno));
    return true;
}

static bool open_signals(struct service *service)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        service->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (service->signals < 0)
        log_error(service->log, "signals: %s", strerror(errno));
    return service->signals >= 0;
}

static bool open_sandbox(struct service *service, const char *state)
{
    service->sandbox = sandbox_new(service->options->sandbox, service->log);
    if (!service->sandbox)
        return false;
    kafka_needs(service->options->kafka, service->sandbox);
    sandbox_threads(service->sandbox);
    sandbox_write(service->sandbox, service->options->output);
    sandbox_write(service->sandbox, service->options->metrics);
    sandbox_write(service->sandbox, state);
    return true;
}

/* The outer ports of a tunnel over UDP differ by direction: the kernel would give its two directions to different workers. */
static bool may_share(const struct service_options *options, struct log *log)
{
    if (options->workers == 1 || !options->filter || !live_lets_tunnels(options->filter))
        return true;
    log_error(log,
              "--workers %u: not with a filter that lets tunnels over UDP through, whose directions would be torn apart; "
              "let only TCP through, 'tcp and (...)'",
              options->workers);
    return false;
}

static bool open_workers(struct service *service)
{
    const struct service_options *o = service->options;
    struct live_options live = {.interface = o->interface,
                                .expression = o->filter,
                                .ports = service->analyzer->ports,
                                .any_port = service->analyzer->any_port,
                                .snaplen = o->snaplen,
                                .ring_kib = o->ring_kib,
                                .promiscuous = o->promiscuous,
                                .wait = o->wait,
                                .fanout = o->workers > 1 ? (int)(getpid() & 0xffff) : -1};
    while (service->count < o->workers) {
        struct worker *worker = worker_open(&live, service->log);
        if (!worker)
            return false;
        service->workers[service->count++] = worker;
    }
    return true;
}

static bool equip_workers(struct service *service)
{
    service->collector = collector_new(service->analyzer->state, service->log);
    service->queue = service->collector ? queue_new() : NULL;
    bool good = service->queue != NULL;
    if (!good)
        log_error(service->log, "out of memory");
    for (unsigned i = 0; i < service->count && good; i++)
        good = worker_equip(service->workers[i], service->analyzer, service->queue);
    return good;
}

static bool start_threads(struct service *service)
{
    const char *path = service->options->output;
    struct scribe_options options = {.queue = service->queue,
                                     .collector = service->collector,
                                     .format = service->analyzer->format,
                                     .sensor = service->analyzer->sensor,
                                     .output = service->output,
                                     .kafka = service->options->kafka,
                                     .file = path && strcmp(path, "-") != 0,
                                     .aside = service->options->kafka != NULL};
    bool good = (!options.kafka || kafka_start(options.kafka)) && (service->scribe = scribe_start(&options, service->log));
    for (unsigned i = 0; i < service->count && good; i++)
        good = worker_start(service->workers[i]);
    return good;
}

/* Everything that needs privileges, then none of them any more. */
static bool start(struct service *service, struct analyzer_options *analyzer, char *host, size_t host_size)
{
    struct privilege privilege;
    if (!may_share(service->options, service->log) || !privilege_find(service->options->user, &privilege, service->log) ||
        !open_workers(service))
        return false;
    fill_in(service->options, analyzer, host, host_size);
    if (!open_output(service, &privilege) || !open_signals(service) || !open_sandbox(service, analyzer->state))
        return false;
    confine_warm_up(service->log);
    service->manager = notify_open();
    return privilege_drop(&privilege, service->log) && equip_workers(service) && sandbox_enter(service->sandbox) &&
           write_metrics(service) && collector_save(service->collector) && start_threads(service);
}

static void begin(struct service *service)
{
    int64_t now_ns = clock_of(CLOCK_MONOTONIC);
    service->started_ns = now_ns;
    service->stats_due_ns = now_ns + service->options->stats_ns;
    service->save_due_ns = now_ns + SAVE_SECONDS * SECOND_NS;
    service->metrics_due_ns = now_ns + METRICS_SECONDS * SECOND_NS;
    notify_send(service->manager, "READY=1");
    log_note(service->log, "listening on %s", service->options->interface);
}

/* ---- the end */

/* Returns how many connections there was no time for. */
static uint64_t stop_workers(struct service *service)
{
    uint64_t left, sum = 0;
    for (unsigned i = 0; i < service->count; i++)
        worker_stop(service->workers[i], CLOSE_MS);
    for (unsigned i = 0; i < service->count; i++) {
        service->stuck |= !worker_join(service->workers[i], &left);
        sum += left;
    }
    if (sum)
        log_error(service->log, "%llu open connections could not be written in time", (unsigned long long)sum);
    service->failed |= sum > 0;
    return sum;
}

/* From here on pipelines wait for room. */
static void begin_end(struct service *service)
{
    if (service->queue)
        queue_end(service->queue, CLOSE_MS);
    kafka_end(service->options->kafka, CLOSE_MS / 1000);
}

/* Lets what waits be written. A scribe whose reader is stuck is left to the end of the process, with all that it uses. */
static uint64_t close_queue(struct service *service)
{
    uint64_t lost = 0;
    if (!service->scribe)
        return 0;
    bool stuck = !queue_close(service->queue, CLOSE_LAST_MS, &lost);
    if (lost)
        log_error(service->log, "%llu events could not be written%s", (unsigned long long)lost,
                  stuck ? ": whoever reads the output is stuck" : "");
    if (!stuck)
        scribe_end(service->scribe);
    service->stuck |= stuck;
    service->failed |= lost || stuck;
    return lost;
}

/* What waits is delivered meanwhile; events lost for either output. */
static uint64_t close_outputs(struct service *service)
{
    struct kafka_counts counts = {0};
    uint64_t lost = close_queue(service);
    if (!service->stuck)
        service->failed |= !kafka_close(service->options->kafka, &counts);
    else if (service->options->kafka)
        counts = kafka_counts(service->options->kafka);
    return lost + counts.lost;
}

static void finish(struct service *service, struct counters *counters)
{
    notify_send(service->manager, "STOPPING=1");
    begin_end(service);
    uint64_t left = stop_workers(service);
    write_stats(service);
    service->failed |= !write_metrics(service);
    *counters = sum_of(service).counters;
    counters->events_lost = close_outputs(service) + left;
    service->failed |= !collector_save(service->collector);
}

static void close_all(struct service *service)
{
    if (service->stuck)
        return;
    service->failed |= !output_close(service->output);
    for (unsigned i = 0; i < service->count; i++)
        worker_free(service->workers[i]);
    queue_free(service->queue);
    collector_free(service->collector);
    sandbox_free(service->sandbox);
    line_free(&service->line);
    if (service->signals >= 0)
        close(service->signals);
    if (service->manager >= 0)
        close(service->manager);
}

int service_run(const struct service_options *options, struct analyzer_options *analyzer, struct counters *counters, struct log *log)
{
    char host[256] = "";
    struct service service = {.options = options, .analyzer = analyzer, .log = log, .signals = -1, .manager = -1};
    if (start(&service, analyzer, host, sizeof host)) {
        begin(&service);
        loop(&service);
        finish(&service, counters);
    } else {
        service.failed = true;
        begin_end(&service);
        stop_workers(&service);
        close_outputs(&service);
    }
    close_all(&service);
    return service.failed ? 1 : 0;
}
