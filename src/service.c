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
#include "base/memory.h"
#include "capture/live.h"
#include "capture/privilege.h"
#include "confine.h"
#include "service.h"
#include "service_queue.h"
#include "service_tell.h"

#define SECOND_NS INT64_C(1000000000)

enum {
    TURN_MS = 100,         /* an idle loop's turn */
    CLOSE_SECONDS = 3,     /* that a stuck reader of the output is given at the end */
    METRICS_SECONDS = 15,  /* between two metrics files: what scrapers usually do */
    SAVE_SECONDS = 300,    /* between two state files */
    LAST_TURNS = 3         /* at the end, for packets that are in the ring already */
};

struct service {
    const struct service_options *options;
    struct log *log;
    struct counters *counters;
    struct live *live;
    struct analyzer *analyzer;
    struct output *output;
    struct queue *queue;
    struct sandbox *sandbox;
    int signals, manager; /* descriptors */
    int64_t started_ns, stats_due_ns, metrics_due_ns, save_due_ns; /* monotonic */
    bool quiet_told, metrics_told, stop, failed;
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

/* ---- from the pipeline */

/* Never stops the pipeline: what is lost is counted. */
static bool on_line(void *user, const struct line *line)
{
    struct service *service = user;
    queue_put(service->queue, line);
    return true;
}

static void on_packet(void *user, const struct packet *packet)
{
    struct service *service = user;
    analyzer_packet(service->analyzer, packet);
}

static struct stats_facts facts_of(struct service *service)
{
    struct live_counts counts = live_counts(service->live);
    service->counters->events_lost = queue_lost(service->queue);
    return (struct stats_facts){.live = true,
                                .kernel_received = counts.received,
                                .kernel_dropped = counts.dropped,
                                .interface_dropped = counts.interface_dropped};
}

static void write_stats(struct service *service)
{
    struct stats_facts facts = facts_of(service);
    analyzer_stats(service->analyzer, &facts);
}

/* False if it could not be written: told once, until it can again. */
static bool write_metrics(struct service *service)
{
    if (!service->options->metrics)
        return true;
    struct stats_facts facts = facts_of(service);
    analyzer_facts(service->analyzer, &facts);
    bool good = metrics_write(service->options->metrics, service->counters, &facts, service->log, !service->metrics_told);
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
    struct stats_facts facts = {0};
    analyzer_facts(service->analyzer, &facts);
    int64_t seen_ns = facts.quiet_ns < 0 ? service->started_ns : now_ns - facts.quiet_ns;
    if (seen_ns < service->started_ns)
        seen_ns = service->started_ns;
    bool quiet = service->options->quiet_ns && now_ns - seen_ns >= service->options->quiet_ns;
    if (quiet && !service->quiet_told)
        log_warning(service->log, "%s: no SMTP for %lld seconds; is this the right interface, and the mirror port right?",
                    live_interface(service->live), (long long)((now_ns - seen_ns) / SECOND_NS));
    service->quiet_told = quiet;
}

static void run_timers(struct service *service)
{
    int64_t now_ns = clock_of(CLOCK_MONOTONIC);
    if (is_due(&service->stats_due_ns, service->options->stats_ns, now_ns))
        write_stats(service);
    if (is_due(&service->save_due_ns, SAVE_SECONDS * SECOND_NS, now_ns))
        analyzer_save(service->analyzer);
    if (is_due(&service->metrics_due_ns, METRICS_SECONDS * SECOND_NS, now_ns))
        write_metrics(service);
    watch_quiet(service, now_ns);
}

/* Reads what is there; once nothing is, time passes without packets, but not past those that may still lie in the ring. */
static void read_packets(struct service *service)
{
    int count = live_read(service->live, on_packet, service);
    if (count < 0)
        service->stop = service->failed = true;
    else if (count == 0)
        analyzer_tick(service->analyzer, clock_of(CLOCK_REALTIME) - LIVE_SETTLED_NS);
}

static void turn(struct service *service)
{
    struct pollfd ready[] = {{.fd = live_descriptor(service->live), .events = POLLIN},
                             {.fd = service->signals, .events = POLLIN}};
    if (poll(ready, 2, TURN_MS) > 0 && ready[1].revents)
        read_signals(service);
    read_packets(service);
    run_timers(service);
    if (queue_failed(service->queue))
        service->stop = service->failed = true;
}

static void loop(struct service *service)
{
    while (!service->stop)
        turn(service);
    for (int i = 0; i < LAST_TURNS && !service->failed; i++) {
        struct pollfd ready = {.fd = live_descriptor(service->live), .events = POLLIN};
        poll(&ready, 1, 2 * LIVE_BLOCK_MS);
        read_packets(service);
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
    sandbox_threads(service->sandbox);
    sandbox_write(service->sandbox, service->options->output);
    sandbox_write(service->sandbox, service->options->metrics);
    sandbox_write(service->sandbox, state);
    return true;
}

static bool open_capture(struct service *service, const struct analyzer_options *analyzer)
{
    const struct service_options *o = service->options;
    struct live_options live = {.interface = o->interface,
                                .expression = o->filter,
                                .ports = analyzer->ports,
                                .any_port = analyzer->any_port,
                                .snaplen = o->snaplen,
                                .ring_kib = o->ring_kib,
                                .promiscuous = o->promiscuous,
                                .wait = o->wait,
                                .fanout = -1};
    service->live = live_open(&live, service->log);
    return service->live != NULL;
}

/* Everything that needs privileges, then none of them any more. */
static bool start(struct service *service, struct analyzer_options *analyzer, char *host, size_t host_size)
{
    struct privilege privilege;
    if (!privilege_find(service->options->user, &privilege, service->log) || !open_capture(service, analyzer))
        return false;
    fill_in(service->options, analyzer, host, host_size);
    if (!open_output(service, &privilege) || !open_signals(service) || !open_sandbox(service, analyzer->state))
        return false;
    confine_warm_up(service->log);
    service->manager = notify_open();
    if (!privilege_drop(&privilege, service->log))
        return false;
    service->analyzer = analyzer_new(analyzer, NULL, (struct analyzer_sink){on_line, service}, service->counters, service->log);
    if (!service->analyzer) {
        log_error(service->log, "out of memory");
        return false;
    }
    if (!sandbox_enter(service->sandbox))
        return false;
    bool is_file = service->options->output && strcmp(service->options->output, "-") != 0;
    service->queue = queue_new(service->output, is_file, service->log);
    if (!service->queue) {
        log_error(service->log, "cannot start a thread: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool begin(struct service *service)
{
    int64_t now_ns = clock_of(CLOCK_MONOTONIC);
    service->started_ns = now_ns;
    service->stats_due_ns = now_ns + service->options->stats_ns;
    service->save_due_ns = now_ns + SAVE_SECONDS * SECOND_NS;
    service->metrics_due_ns = now_ns + METRICS_SECONDS * SECOND_NS;
    if (!write_metrics(service) || !analyzer_save(service->analyzer))
        return false; /* better now than after the first week */
    notify_send(service->manager, "READY=1");
    log_note(service->log, "listening on %s", live_interface(service->live));
    return true;
}

/* ---- the end */

/* Writes what is open. A reader that is stuck then still uses queue and output: they are left to the end of the process. */
static void finish(struct service *service)
{
    uint64_t lost = 0;
    notify_send(service->manager, "STOPPING=1");
    analyzer_finish(service->analyzer);
    service->failed |= !analyzer_save(service->analyzer);
    write_stats(service);
    write_metrics(service);
    bool ended = queue_close(service->queue, CLOSE_SECONDS, &lost);
    service->queue = NULL;
    service->counters->events_lost = lost;
    if (lost)
        log_error(service->log, "%llu events could not be written%s", (unsigned long long)lost,
                  ended ? "" : ": whoever reads the output is stuck");
    if (!ended)
        service->output = NULL;
    service->failed |= lost || !ended;
}

static void close_all(struct service *service)
{
    service->failed |= !output_close(service->output);
    analyzer_free(service->analyzer);
    sandbox_free(service->sandbox);
    live_close(service->live);
    if (service->signals >= 0)
        close(service->signals);
    if (service->manager >= 0)
        close(service->manager);
}

int service_run(const struct service_options *options, struct analyzer_options *analyzer, struct counters *counters, struct log *log)
{
    char host[256] = "";
    struct service service = {.options = options, .log = log, .counters = counters, .signals = -1, .manager = -1};
    bool started = start(&service, analyzer, host, sizeof host);
    if (started && begin(&service)) {
        loop(&service);
        finish(&service);
    } else {
        uint64_t lost;
        service.failed = true;
        if (service.queue)
            queue_close(service.queue, CLOSE_SECONDS, &lost);
    }
    close_all(&service);
    return service.failed ? 1 : 0;
}
