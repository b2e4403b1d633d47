/* SPDX-License-Identifier: BSD-2-Clause */
/* mxtap report: options, what is read, and the report at the end. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "commands.h"
#include "confine.h"
#include "report/output.h"
#include "report/sources.h"
#include "report/wording.h"

static const char usage_text[] =
    "usage: mxtap report [options] [FILE ...]\n"
    "\n"
    "FILE is events of mxtap, an aggregate, a capture, a folder of them, or - (also gzip, zstd)\n"
    "  --require LIST      what is asked of every session: a version (TLSv1.2, the default),\n"
    "                      pfs, pq, tls; several with commas\n"
    "  --local CIDR        our side; may be repeated (default: the events' own direction, or a "
    "guess)\n"
    "  --names FILE        names of addresses, in the form of hosts(5)\n"
    "  --by WHAT           a peer is a domain (the default), a name or an ip\n"
    "  --since TIME        only the newest, e.g. 7d or 12h back from the newest event\n"
    "  --port LIST         only sessions to these server ports, e.g. 25,465\n"
    "  --any-port          in captures, recognise SMTP on any port\n"
    "  --peers LIST        which peers to list: cannot, clear, failed, unknown, all\n"
    "  --format NAME       text (the default), html, json or csv\n"
    "  --anonymous         totals only, fit to publish\n"
    "  --max-peers N       peers kept apart (200000)\n"
    "  --write-aggregate FILE   what was counted, to be merged later: mxtap report FILE ...\n"
    "  -o FILE             write the report to FILE\n"
    "  -q, -v              fewer, more messages\n"
    "      --sandbox MODE  auto (the default), require or off\n"
    "      --version, --help\n"
    "\n"
    "The rules are in mxtap-report(1).\n";

enum {
    OPTION_REQUIRE = 256,
    OPTION_LOCAL,
    OPTION_NAMES,
    OPTION_BY,
    OPTION_SINCE,
    OPTION_PORT,
    OPTION_ANY_PORT,
    OPTION_PEERS,
    OPTION_FORMAT,
    OPTION_ANONYMOUS,
    OPTION_MAX_PEERS,
    OPTION_WRITE_AGGREGATE,
    OPTION_SANDBOX,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"require", required_argument, NULL, OPTION_REQUIRE},
    {"local", required_argument, NULL, OPTION_LOCAL},
    {"names", required_argument, NULL, OPTION_NAMES},
    {"by", required_argument, NULL, OPTION_BY},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"any-port", no_argument, NULL, OPTION_ANY_PORT},
    {"peers", required_argument, NULL, OPTION_PEERS},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"anonymous", no_argument, NULL, OPTION_ANONYMOUS},
    {"max-peers", required_argument, NULL, OPTION_MAX_PEERS},
    {"write-aggregate", required_argument, NULL, OPTION_WRITE_AGGREGATE},
    {"output", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"sandbox", required_argument, NULL, OPTION_SANDBOX},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    bool (*write)(const struct figures *figures, const struct report_output *output);
} formats[] = {
    {"text", report_text},
    {"html", report_html},
    {"json", report_json},
    {"csv", report_csv},
};

enum { PORT_BYTES = 65536 / 8 };

struct command {
    struct log log;
    struct requirement requirement;
    enum peer_by by;
    enum sandbox_mode sandbox;
    bool by_given, any_port, capture_on_input;
    int64_t keep; /* seconds */
    uint32_t max_peers;
    const char *names, *ports_text, *aggregate_path, *path;
    uint8_t ports[PORT_BYTES];
    const char **local;
    size_t local_count;
    size_t format;
    bool format_given;
    struct report_output output;
    struct prose line; /* the command line */
    struct aggregate aggregate;
    struct peer_namer *namer;
    struct event_reader reader;
    struct timespec shown; /* when progress was shown last */
    bool progress_shown;
};

static bool parse_number(const char *text, unsigned long most, unsigned long *out, const char **end)
{
    char *stop;
    *out = strtoul(text, &stop, 10);
    *end = stop;
    return *text >= '0' && *text <= '9' && *out <= most;
}

static bool parse_since(const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    unsigned long count;
    const char *end;
    if (!parse_number(text, 100000, &count, &end) || count == 0 || !*end || end[1])
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (*end == units[i].unit) {
            *seconds = (int64_t)count * units[i].seconds;
            return true;
        }
    return false;
}

static bool parse_ports(const char *text, uint8_t ports[PORT_BYTES])
{
    for (;;) {
        unsigned long first, last;
        if (!parse_number(text, 65535, &first, &text))
            return false;
        last = first;
        if (*text == '-' && (!parse_number(text + 1, 65535, &last, &text) || last < first))
            return false;
        for (unsigned long port = first; port <= last; port++)
            ports[port / 8] |= (uint8_t)(1 << port % 8);
        if (*text != ',')
            return *text == '\0';
        text++;
    }
}

static bool parse_lists(const char *text, unsigned *lists)
{
    static const struct {
        const char *name;
        unsigned list;
    } names[] = {{"cannot", LIST_CANNOT},
                 {"clear", LIST_CLEAR},
                 {"failed", LIST_FAILED},
                 {"unknown", LIST_UNKNOWN},
                 {"all", LIST_ALL}};
    for (;;) {
        size_t length = strcspn(text, ","), i = 0;
        while (i < sizeof names / sizeof names[0] &&
               !(strlen(names[i].name) == length && memcmp(names[i].name, text, length) == 0))
            i++;
        if (i == sizeof names / sizeof names[0])
            return false;
        *lists |= names[i].list;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

static bool parse_format(struct command *c, const char *name)
{
    c->format_given = true;
    for (c->format = 0; c->format < sizeof formats / sizeof formats[0]; c->format++)
        if (strcmp(formats[c->format].name, name) == 0)
            return true;
    return false;
}

static bool parse_by(struct command *c, const char *name)
{
    c->by_given = true;
    for (unsigned by = 0; by < PEER_BY_COUNT; by++)
        if (strcmp(wording_by((enum peer_by)by), name) == 0) {
            c->by = (enum peer_by)by;
            return true;
        }
    return false;
}

static bool parse_max_peers(struct command *c, const char *text)
{
    unsigned long count;
    const char *end;
    if (!parse_number(text, 1000000000, &count, &end) || *end || !count)
        return false;
    c->max_peers = (uint32_t)count;
    return true;
}

/* Options whose value can be wrong; the text of the problem, NULL if there is none. */
static const char *take_value(struct command *c, int option, const char *value)
{
    switch (option) {
    case OPTION_REQUIRE:
        return requirement_parse(value, &c->requirement)
                   ? NULL
                   : "--require %s: expected a version such as TLSv1.2, pfs, pq or tls";
    case OPTION_BY: return parse_by(c, value) ? NULL : "--by %s: expected domain, name or ip";
    case OPTION_SINCE:
        return parse_since(value, &c->keep)
                   ? NULL
                   : "--since %s: expected hours, days or weeks such as 12h, 7d, 4w";
    case OPTION_PORT:
        c->ports_text = value;
        return parse_ports(value, c->ports)
                   ? NULL
                   : "--port %s: expected numbers and ranges such as 25,2500-2599";
    case OPTION_PEERS:
        return parse_lists(value, &c->output.lists)
                   ? NULL
                   : "--peers %s: expected cannot, clear, failed, unknown or all";
    case OPTION_SANDBOX:
        return sandbox_mode_of(value, &c->sandbox) ? NULL : "--sandbox %s: expected auto, require or off";
    case OPTION_FORMAT:
        return parse_format(c, value) ? NULL : "--format %s: expected text, html, json or csv";
    default: return parse_max_peers(c, value) ? NULL : "--max-peers %s: expected a number above 0";
    }
}

/* Returns the exit status if the program is to end, else -1. */
static int take_option(struct command *c, int option, char *value)
{
    switch (option) {
    case 'o': c->path = value; return -1;
    case 'q': c->log.verbosity = -1; return -1;
    case 'v': c->log.verbosity = 1; return -1;
    case OPTION_LOCAL: c->local[c->local_count++] = value; return -1;
    case OPTION_NAMES: c->names = value; return -1;
    case OPTION_ANY_PORT: c->any_port = true; return -1;
    case OPTION_ANONYMOUS: c->output.anonymous = true; return -1;
    case OPTION_WRITE_AGGREGATE: c->aggregate_path = value; return -1;
    case OPTION_VERSION: puts("mxtap " MXTAP_VERSION); return 0;
    case OPTION_HELP: fputs(usage_text, stdout); return 0;
    case '?': fputs("Try `mxtap report --help`.\n", stderr); return 2;
    default: break;
    }
    const char *problem = take_value(c, option, value);
    if (!problem)
        return -1;
    log_error(&c->log, problem, value);
    return 2;
}

static int parse_command_line(struct command *c, int argc, char **argv)
{
    int option, status = -1;
    c->requirement.version = TLS_VERSION_TLS12;
    c->max_peers = LIMIT_REPORT_PEERS;
    c->local = memory_new_array((size_t)argc, sizeof *c->local);
    if (!c->local)
        return 1;
    prose_add(&c->line, "mxtap");
    for (int i = 0; i < argc; i++)
        prose_add(&c->line, " %s", argv[i]);
    optind = 1;
    while (status < 0 && (option = getopt_long(argc, argv, "o:qv", long_options, NULL)) != -1)
        status = take_option(c, option, optarg);
    if (status < 0 && optind == argc && isatty(STDIN_FILENO)) {
        log_error(&c->log,
                  "nothing to read: name events, aggregates or captures, or - for standard input");
        return 2;
    }
    return status;
}

/* --names and --local, which say who is who. */
static int make_namer(struct command *c)
{
    c->namer = peer_namer_new(c->by);
    if (!c->namer)
        return 1;
    for (size_t i = 0; i < c->local_count; i++)
        if (!peer_namer_local(c->namer, c->local[i])) {
            log_error(&c->log, "--local %s: expected an address block such as 192.0.2.0/24",
                      c->local[i]);
            return 2;
        }
    return c->names && !peer_namer_load(c->namer, c->names, &c->log) ? 1 : -1;
}

static void show_progress(void *user, const struct event_reader *reader)
{
    struct command *c = user;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t passed =
        (now.tv_sec - c->shown.tv_sec) * 1000 + (now.tv_nsec - c->shown.tv_nsec) / 1000000;
    if (passed < 250)
        return;
    c->shown = now;
    c->progress_shown = true;
    uint64_t size = reader->input ? input_size(reader->input) : 0;
    if (size)
        fprintf(stderr, "\rmxtap: %s sessions, %u %% of this file\033[K",
                wording_number(reader->sessions).text,
                (unsigned)(input_read_bytes(reader->input) * 100 / size));
    else
        fprintf(stderr, "\rmxtap: %s sessions\033[K", wording_number(reader->sessions).text);
}

static void make_reader(struct command *c)
{
    aggregate_init(&c->aggregate, c->by, c->max_peers, c->keep);
    event_reader_init(&c->reader);
    c->reader.aggregate = &c->aggregate;
    c->reader.namer = c->namer;
    c->reader.by_given = c->by_given;
    c->reader.ports = c->ports_text ? c->ports : NULL;
    c->reader.log = &c->log;
    c->reader.user = c;
    if (c->log.verbosity >= 0 && isatty(STDERR_FILENO))
        c->reader.progress = show_progress;
}

/* An event of the pipeline is one of ours: what is wrong with it is a defect, and reported like
 * damage. */
static void take_event(void *user, const char *line, size_t length)
{
    struct command *c = user;
    const char *why = event_reader_line(&c->reader, line, length);
    if (why)
        event_reader_damage(&c->reader, "capture", c->reader.lines, why);
}

static bool read_all(struct command *c, char **paths)
{
    static char standard_input[] = "-";
    char *nothing[] = {standard_input, NULL};
    struct sources sources = {.reader = &c->reader, .capture_on_input = c->capture_on_input};
    for (char **path = *paths ? paths : nothing; *path; path++)
        sources_take(&sources, *path);
    bool whole = !sources.failed;
    if (sources.count) {
        struct report_pipe pipe = {.event = take_event,
                                   .user = c,
                                   .ports = c->ports_text,
                                   .any_port = c->any_port,
                                   .local = c->local,
                                   .local_count = c->local_count};
        whole = analyze_captures((const char *const *)sources.captures, sources.count, &pipe,
                                 &c->log) &&
                whole;
    }
    sources_free(&sources);
    if (c->progress_shown)
        fputs("\r\033[K", stderr);
    if (!c->reader.lines && whole)
        log_warning(&c->log,
                    "no events: is this the output of mxtap, or a capture with mail on its ports?");
    else if (c->reader.other_ports)
        log_note(&c->log, "%s sessions on other ports passed over",
                 wording_number(c->reader.other_ports).text);
    return whole && !c->reader.damaged;
}

static bool use_colour(void)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

/* A device or a pipe is written to as it is. */
static bool is_special(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* Whole or not at all: the file gets its name when everything is in it. */
static bool write_file(struct command *c, const char *path,
                       bool (*write)(struct command *c, FILE *out))
{
    bool standard = strcmp(path, "-") == 0, special = is_special(path);
    struct prose part = {0};
    prose_add(&part, special ? "%s" : "%s.part", path);
    errno = 0;
    FILE *out = standard ? stdout : part.text ? fopen(part.text, "w") : NULL;
    bool good = out && write(c, out);
    if (out)
        good = (standard ? fflush(out) : fclose(out)) == 0 && good;
    if (!standard && !special && good)
        good = rename(part.text, path) == 0;
    if (!good) {
        log_error(&c->log, "%s: %s", standard ? "standard output" : path,
                  errno ? strerror(errno) : "out of memory");
        if (out && !standard && !special)
            remove(part.text);
    }
    prose_free(&part);
    return good;
}

static bool write_aggregate(struct command *c, FILE *out)
{
    return aggregate_write(&c->aggregate, out);
}

static bool write_report(struct command *c, FILE *out)
{
    struct figures *figures = figures_new(&c->aggregate, &c->requirement);
    if (!figures)
        return false;
    c->output.out = out;
    c->output.command = c->line.text;
    bool good = formats[c->format].write(figures, &c->output) && !ferror(out);
    figures_free(figures);
    return good;
}

static bool confine(const struct command *c, char **paths, struct log *log)
{
    struct confine_needs needs = {.reads = (const char *const *)paths, .writes = {c->path, c->aggregate_path}};
    while (paths[needs.read_count])
        needs.read_count++;
    return confine_enter(c->sandbox, &needs, log);
}

/* What the sandbox does not let through is asked before. */
static void look_around(struct command *c, char **paths)
{
    bool standard = !*paths;
    for (char **path = paths; *path; path++)
        standard |= strcmp(*path, "-") == 0;
    c->capture_on_input = standard && sources_capture_on_input();
    c->output.colour = (!c->path || strcmp(c->path, "-") == 0) && use_colour();
}

static int run(struct command *c, char **paths)
{
    make_reader(c);
    look_around(c, paths);
    if (!confine(c, paths, &c->log))
        return 1;
    bool good = read_all(c, paths);
    aggregate_finish(&c->aggregate);
    if (c->aggregate.failed) {
        log_error(&c->log, "out of memory: a report would not be whole (fewer peers: --max-peers)");
        return 1;
    }
    if (c->aggregate_path)
        good = write_file(c, c->aggregate_path, write_aggregate) && good;
    if (!c->aggregate_path || c->format_given)
        good = write_file(c, c->path ? c->path : "-", write_report) && good;
    return good ? 0 : 1;
}

int cmd_report(int argc, char **argv)
{
    struct command c = {0};
    int status = parse_command_line(&c, argc, argv);
    if (status < 0)
        status = make_namer(&c);
    if (status < 0) {
        status = run(&c, argv + optind);
        event_reader_close(&c.reader);
        aggregate_close(&c.aggregate);
    }
    peer_namer_free(c.namer);
    prose_free(&c.line);
    memory_free(c.local);
    return status;
}
