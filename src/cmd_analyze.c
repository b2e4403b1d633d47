/* SPDX-License-Identifier: BSD-2-Clause */
/* mxtap -r FILE and mxtap -i INTERFACE: options, the run, and one line about it at the end. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer.h"
#include "base/input.h"
#include "base/limits.h"
#include "base/memory.h"
#include "capture/live.h"
#include "capture/sandbox.h"
#include "commands.h"
#include "confine.h"
#include "service.h"
#include "writer/kafka.h"

static const char usage_text[] =
    "usage: mxtap [options] -r FILE [-r FILE ...] [EXPRESSION]   analyze saved captures\n"
    "       mxtap [options] -i INTERFACE [EXPRESSION]            watch an interface\n"
    "       mxtap report [options] [FILE ...]                    who would break, or fall back\n"
    "\n"
    "  -r FILE             capture (pcap, pcapng; plain, gzip, zstd), a directory of them, or -\n"
    "  -o FILE             append the events to FILE instead of standard output\n"
    "      --format NAME   mxtap (JSON lines, the default), text (one line in an MTA's words),\n"
    "                      ecs (Elastic), eve (Suricata) or ocsf: see mxtap-formats(5)\n"
    "      --kafka BROKERS --topic NAME   send the events to Kafka; host:port,...\n"
    "      --kafka-config FILE   properties of librdkafka (TLS, SASL ...), one name=value a line\n"
    "      --port LIST     mail ports, e.g. 25,2500-2599 (default 25,465,587,2525)\n"
    "      --any-port      recognise SMTP on any port\n"
    "      --local CIDR    our side, for `direction`; may be repeated\n"
    "      --sensor NAME   name of this sensor in every event\n"
    "      --offers        add the full lists of what clients offer\n"
    "      --linger SECS   how long a decided record waits for the end of its connection (10)\n"
    "      --ignore-vlan   the two directions of a connection may carry different VLAN tags\n"
    "      --max-flows N   connections followed at once (1000000)\n"
    "      --idle-timeout SECS   silence that ends a connection (600)\n"
    "      --envelope-domains   add the domains of MAIL FROM and RCPT TO in the clear\n"
    "      --state FILE    remember what was seen of peers from run to run\n"
    "      --sandbox MODE  auto (the default), require or off\n"
    "  -q, -v              fewer, more messages\n"
    "      --version, --help\n"
    "\n"
    "live:\n"
    "  -i INTERFACE        or `any`; -D lists them\n"
    "  -p                  promiscuous mode: also packets that are not for this host\n"
    "  -B KIB, -s BYTES    the kernel's buffer (32768); how much of a packet is looked at (262144)\n"
    "  -Z USER             become USER once all is open (started as root: mxtap, else nobody)\n"
    "      --wait          for an interface that is missing or down\n"
    "      --workers N     threads that share the packets (1)\n"
    "      --stats SECS    between two `stats` events (300; 0: only at the end)\n"
    "      --quiet-warning SECS   without SMTP, after which to warn (900; 0: never)\n"
    "      --metrics FILE  counters for Prometheus, replaced every 15 s\n"
    "\n"
    "EXPRESSION is a filter as in pcap-filter(7). The events are described in mxtap-events(5).\n";

enum {
    OPTION_FORMAT = 256,
    OPTION_KAFKA,
    OPTION_TOPIC,
    OPTION_KAFKA_CONFIG,
    OPTION_PORT,
    OPTION_ANY_PORT,
    OPTION_LOCAL,
    OPTION_SENSOR,
    OPTION_OFFERS,
    OPTION_LINGER,
    OPTION_IGNORE_VLAN,
    OPTION_MAX_FLOWS,
    OPTION_IDLE_TIMEOUT,
    OPTION_STATE,
    OPTION_ENVELOPE_DOMAINS,
    OPTION_SANDBOX,
    OPTION_WAIT,
    OPTION_WORKERS,
    OPTION_STATS,
    OPTION_QUIET_WARNING,
    OPTION_METRICS,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"read", required_argument, NULL, 'r'},
    {"output", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"kafka", required_argument, NULL, OPTION_KAFKA},
    {"topic", required_argument, NULL, OPTION_TOPIC},
    {"kafka-config", required_argument, NULL, OPTION_KAFKA_CONFIG},
    {"port", required_argument, NULL, OPTION_PORT},
    {"any-port", no_argument, NULL, OPTION_ANY_PORT},
    {"local", required_argument, NULL, OPTION_LOCAL},
    {"sensor", required_argument, NULL, OPTION_SENSOR},
    {"offers", no_argument, NULL, OPTION_OFFERS},
    {"linger", required_argument, NULL, OPTION_LINGER},
    {"ignore-vlan", no_argument, NULL, OPTION_IGNORE_VLAN},
    {"max-flows", required_argument, NULL, OPTION_MAX_FLOWS},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"state", required_argument, NULL, OPTION_STATE},
    {"envelope-domains", no_argument, NULL, OPTION_ENVELOPE_DOMAINS},
    {"interface", required_argument, NULL, 'i'},
    {"list-interfaces", no_argument, NULL, 'D'},
    {"promiscuous", no_argument, NULL, 'p'},
    {"buffer", required_argument, NULL, 'B'},
    {"snaplen", required_argument, NULL, 's'},
    {"user", required_argument, NULL, 'Z'},
    {"sandbox", required_argument, NULL, OPTION_SANDBOX},
    {"wait", no_argument, NULL, OPTION_WAIT},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"stats", required_argument, NULL, OPTION_STATS},
    {"quiet-warning", required_argument, NULL, OPTION_QUIET_WARNING},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct command {
    struct analyzer_options analyzer;
    struct service_options live;
    struct log log;
    const char **reads;
    size_t read_count;
    const char *output;
    struct kafka_options kafka;
    char *filter;
};

static int usage(struct command *c, const char *problem, const char *value)
{
    log_error(&c->log, problem, value);
    fputs("Try `mxtap --help`.\n", stderr);
    return 2;
}

/* A number of seconds, with a fraction if need be; false if it is none or out of reach. */
static bool parse_seconds(const char *text, int64_t *nanoseconds)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0) || seconds > 1e9)
        return false;
    *nanoseconds = (int64_t)(seconds * 1e9);
    return true;
}

static bool parse_count(const char *text, uint32_t *count)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || value < 1 || value > 1000000000)
        return false;
    *count = (uint32_t)value;
    return true;
}

/* A number between two bounds; false if it is none. */
static bool parse_within(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
    return parse_count(text, number) && *number >= least && *number <= most;
}

static const char *take_live_value(struct service_options *live, int option, const char *value)
{
    switch (option) {
    case 'B': return parse_within(value, 64, 2097151, &live->ring_kib) ? NULL : "-B %s: expected KiB, 64 to 2097151";
    case 's': return parse_within(value, 64, LIMIT_PACKET, &live->snaplen) ? NULL : "-s %s: expected bytes, 64 to 262144";
    case OPTION_SANDBOX:
        return sandbox_mode_of(value, &live->sandbox) ? NULL : "--sandbox %s: there are auto, require and off";
    case OPTION_WORKERS:
        return parse_within(value, 1, LIMIT_WORKERS, &live->workers) ? NULL : "--workers %s: expected a number up to 64";
    case OPTION_STATS: return parse_seconds(value, &live->stats_ns) ? NULL : "--stats %s: expected seconds";
    default: return parse_seconds(value, &live->quiet_ns) ? NULL : "--quiet-warning %s: expected seconds";
    }
}

/* Options whose value can be wrong; the text of the problem, NULL if there is none. */
static const char *take_value(struct command *c, int option, const char *value)
{
    struct analyzer_options *a = &c->analyzer;
    switch (option) {
    case OPTION_FORMAT:
        a->format = format_of(value);
        return a->format ? NULL : "--format %s: not known; there are mxtap, text, ecs, eve and ocsf";
    case OPTION_PORT: return analyzer_ports(value, a->ports) ? NULL : "--port %s: expected numbers and ranges such as 25,2500-2599";
    case OPTION_LOCAL: return analyzer_network(value, a) ? NULL : "--local %s: expected an address block such as 192.0.2.0/24";
    case OPTION_LINGER: return parse_seconds(value, &a->linger_ns) ? NULL : "--linger %s: expected seconds";
    case OPTION_MAX_FLOWS: return parse_count(value, &a->max_flows) ? NULL : "--max-flows %s: expected a number";
    case OPTION_IDLE_TIMEOUT:
        return parse_seconds(value, &a->idle_ns) && a->idle_ns ? NULL : "--idle-timeout %s: expected seconds";
    default: return take_live_value(&c->live, option, value);
    }
}

static int take_option(struct command *c, int option, char *value)
{
    switch (option) {
    case 'r': c->reads[c->read_count++] = value; return -1;
    case 'o': c->output = value; return -1;
    case OPTION_KAFKA: c->kafka.brokers = value; return -1;
    case OPTION_TOPIC: c->kafka.topic = value; return -1;
    case OPTION_KAFKA_CONFIG: c->kafka.config = value; return -1;
    case 'q': c->log.verbosity = -1; return -1;
    case 'v': c->log.verbosity = 1; return -1;
    case 'i': c->live.interface = value; return -1;
    case 'p': c->live.promiscuous = true; return -1;
    case 'Z': c->live.user = value; return -1;
    case 'D': return live_list(&c->log) ? 0 : 1;
    case OPTION_WAIT: c->live.wait = true; return -1;
    case OPTION_METRICS: c->live.metrics = value; return -1;
    case OPTION_ANY_PORT: c->analyzer.any_port = true; return -1;
    case OPTION_SENSOR: c->analyzer.sensor = value; return -1;
    case OPTION_OFFERS: c->analyzer.offers = true; return -1;
    case OPTION_IGNORE_VLAN: c->analyzer.ignore_vlan = true; return -1;
    case OPTION_ENVELOPE_DOMAINS: c->analyzer.envelope_domains = true; return -1;
    case OPTION_STATE: c->analyzer.state = value; return -1;
    case OPTION_VERSION: puts("mxtap " MXTAP_VERSION); return 0;
    case OPTION_HELP: fputs(usage_text, stdout); return 0;
    case '?': fputs("Try `mxtap --help`.\n", stderr); return 2;
    default: break;
    }
    const char *problem = take_value(c, option, value);
    return problem ? usage(c, problem, value) : -1;
}

/* The words behind the options are one filter expression, as in tcpdump. */
static bool join_filter(struct command *c, char **words)
{
    size_t size = 1;
    for (char **word = words; *word; word++)
        size += strlen(*word) + 1;
    if (!*words)
        return true;
    c->filter = memory_new(size);
    for (char **word = words; c->filter && *word; word++) {
        if (c->filter[0])
            strcat(c->filter, " ");
        strcat(c->filter, *word);
    }
    return c->filter != NULL;
}

static int parse_command_line(struct command *c, int argc, char **argv)
{
    int option, status = -1;
    analyzer_options_default(&c->analyzer);
    service_options_default(&c->live);
    c->reads = memory_new_array((size_t)argc, sizeof *c->reads);
    if (!c->reads)
        return 1;
    while (status < 0 && (option = getopt_long(argc, argv, "r:o:qvi:DpB:s:Z:", long_options, NULL)) != -1)
        status = take_option(c, option, optarg);
    if (status >= 0)
        return status;
    if (c->live.interface && c->read_count)
        return usage(c, "-i %s: not together with -r", c->live.interface);
    if (!c->live.interface && !c->read_count && optind < argc)
        return usage(c, "nothing to read; a capture is named with -r: mxtap -r %s", argv[optind]);
    if (!c->live.interface && !c->read_count)
        return usage(c, "nothing to read; %s", "name a capture with -r FILE, or an interface with -i");
    if ((c->kafka.brokers == NULL) != (c->kafka.topic == NULL))
        return usage(c, "%s", "--kafka BROKERS and --topic NAME belong together");
    return join_filter(c, argv + optind) ? -1 : 1;
}

/* Where lines go: to a file or pipe, to Kafka, or to both. */
struct sinks {
    struct output *output; /* NULL none */
    struct kafka *kafka;   /* NULL none */
};

static bool write_line(void *user, const struct line *line)
{
    const struct sinks *sinks = user;
    bool good = !sinks->output || output_write(sinks->output, line);
    return (!sinks->kafka || kafka_send(sinks->kafka, line)) && good;
}

/* The line at the end; where nothing was found it says what to try. */
static void summarize(struct command *c, const struct counters *counters)
{
    char outcomes[256] = "";
    size_t length = 0;
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        if (counters->outcomes[i] && length < sizeof outcomes)
            length += (size_t)snprintf(outcomes + length, sizeof outcomes - length, "%s %llu %s", length ? "," : ":",
                                       (unsigned long long)counters->outcomes[i], word_outcome((enum outcome)i));
    log_note(&c->log, "%llu packets, %llu sessions%s", (unsigned long long)counters->packets,
             (unsigned long long)counters->sessions, outcomes);
    if (counters->sessions || !counters->packets)
        return;
    if (counters->packets_unknown_link == counters->packets)
        log_note(&c->log, "no packet has a link type that mxtap can read");
    else if (!counters->segments)
        log_note(&c->log, "no TCP on the mail ports; other ports: --port LIST or --any-port");
    else
        log_note(&c->log, "no connection on the mail ports carried data in this capture");
}

/* Set by a signal while saved captures go to Kafka: what waits is then delivered, or counted as lost. */
static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* A second signal ends the program at once. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    input_stop_at(&stopped);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

/* False, after a message, if there should be one and is not. */
static bool open_kafka(struct command *c, struct kafka **kafka)
{
    if (!c->kafka.brokers)
        return true;
    if (!c->live.interface) {
        c->kafka.stop = &stopped;
        watch_signals();
    }
    return (*kafka = kafka_new(&c->kafka, &c->log)) != NULL;
}

static int run_live(struct command *c)
{
    struct counters counters = {0};
    if (!open_kafka(c, &c->live.kafka))
        return 2;
    c->live.filter = c->filter;
    c->live.output = c->output;
    int status = service_run(&c->live, &c->analyzer, &counters, &c->log);
    summarize(c, &counters);
    return status;
}

static bool confine(struct command *c, const struct kafka *kafka)
{
    struct confine_needs needs = {
        .reads = c->reads, .read_count = c->read_count, .writes = {c->output, c->analyzer.state}, .kafka = kafka};
    return confine_enter(c->live.sandbox, &needs, &c->log);
}

/* Analyzes what `capture` has, into what is opened here: `kafka` is closed. */
static bool write_all(struct command *c, struct capture *capture, struct kafka *kafka)
{
    struct counters counters = {0};
    struct kafka_counts delivered;
    struct sinks sinks = {.kafka = kafka};
    bool good = !kafka || kafka_start(kafka);
    if (good && (!kafka || c->output))
        good = (sinks.output = output_open(c->output, &c->log)) != NULL;
    if (good) {
        good = analyzer_run(&c->analyzer, capture, (struct analyzer_sink){.line = write_line, .user = &sinks}, &counters, &c->log);
        good = output_close(sinks.output) && good;
        summarize(c, &counters);
    }
    return kafka_close(kafka, &delivered) && good;
}

static int run(struct command *c)
{
    struct capture *capture = capture_new(&c->log, c->filter);
    struct kafka *kafka = NULL;
    bool good = capture && open_kafka(c, &kafka);
    for (size_t i = 0; good && i < c->read_count; i++)
        capture_add(capture, c->reads[i]);
    /* a filter may name hosts and services, which are looked up in files and in the network */
    if (!good || (!c->filter && !confine(c, kafka)) || !capture_start(capture) || (c->filter && !confine(c, kafka))) {
        kafka_close(kafka, &(struct kafka_counts){0});
        capture_free(capture);
        return 2;
    }
    good = write_all(c, capture, kafka) && !capture_errors(capture);
    capture_free(capture);
    return good ? 0 : 1;
}

int cmd_analyze(int argc, char **argv)
{
    struct command c = {0};
    int status = parse_command_line(&c, argc, argv);
    if (status < 0)
        status = c.live.interface ? run_live(&c) : run(&c);
    memory_free(c.filter);
    memory_free(c.reads);
    return status;
}

/* ---- for mxtap report */

static bool hand_on(void *user, const struct line *line)
{
    const struct report_pipe *pipe = user;
    pipe->event(pipe->user, line->data, line->length);
    return true;
}

bool analyze_captures(const char *const *paths, size_t count, const struct report_pipe *pipe, struct log *log)
{
    struct analyzer_options options;
    struct counters counters = {0};
    analyzer_options_default(&options);
    options.any_port = pipe->any_port;
    if (pipe->ports && !analyzer_ports(pipe->ports, options.ports)) {
        log_error(log, "--port %s: expected numbers and ranges such as 25,2500-2599", pipe->ports);
        return false;
    }
    for (size_t i = 0; i < pipe->local_count; i++)
        if (!analyzer_network(pipe->local[i], &options)) {
            log_error(log, "--local %s: expected an address block such as 192.0.2.0/24", pipe->local[i]);
            return false;
        }
    struct capture *capture = capture_new(log, NULL);
    for (size_t i = 0; capture && i < count; i++)
        capture_add(capture, paths[i]);
    struct report_pipe copy = *pipe;
    bool good = capture && capture_start(capture) &&
                analyzer_run(&options, capture, (struct analyzer_sink){.line = hand_on, .user = &copy}, &counters, log) && !capture_errors(capture);
    capture_free(capture);
    return good;
}
