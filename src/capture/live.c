/* SPDX-License-Identifier: BSD-2-Clause */
/* Where live packets enter: an interface, its ring in the kernel, and what was dropped there. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/live.h"

enum {
    WAIT_MS = 500,  /* between two looks for a missing interface */
    KIB_MS = 3050,  /* live_pause: of the ring for each millisecond of the shortest */
    PAUSE_MS = 10,  /* the shortest is no longer than that */
    PAUSES = 4,     /* the longest is so many of them */
    RING_PART = 16, /* of the ring, to be filled meanwhile */
    KNOWN_MS = 100, /* what came before tells nothing */
    NEXT_LINES = 3, /* of the cache, in which the headers of a packet begin */
    CACHE_LINE = 64
};

/* Counters of the interface in sysfs, opened before the sandbox closes. */
static const char *const drop_files[] = {"rx_missed_errors", "rx_fifo_errors"};
enum { DROP_FILES = sizeof drop_files / sizeof *drop_files };

struct live {
    pcap_t *pcap;
    struct log *log;
    const char *name;
    int link_type;
    uint16_t source;
    uint32_t ring_kib;
    int drop_fds[DROP_FILES];
    uint64_t drops_before[DROP_FILES]; /* when the capture began */
    struct live_counts counts;
    live_packet *packet; /* during live_read */
    void *user;
};

/* ---- opening */

static void log_open_error(struct log *log, const char *name, pcap_t *pcap, int status)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        log_error(log, "%s: no such interface; mxtap -D lists them, --wait waits for it", name);
        break;
    case PCAP_ERROR_IFACE_NOT_UP:
        log_error(log, "%s: the interface is down; set it up, or wait for it with --wait", name);
        break;
    case PCAP_ERROR_PERM_DENIED:
        log_error(log, "%s: not permitted; capturing needs root or CAP_NET_RAW", name);
        break;
    default:
        log_error(log, "%s: %s", name,
                  status == PCAP_ERROR ? pcap_geterr(pcap) : pcap_statustostr(status));
    }
}

static pcap_t *create(const struct live_options *options, struct log *log)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(options->interface, reason);
    if (!pcap) {
        log_error(log, "%s: %s", options->interface, reason);
        return NULL;
    }
    pcap_set_snaplen(pcap, (int)options->snaplen);
    pcap_set_promisc(pcap, options->promiscuous);
    pcap_set_buffer_size(pcap, (int)options->ring_kib * 1024);
    pcap_set_timeout(pcap, LIVE_BLOCK_MS);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    return pcap;
}

static void wait_a_little(bool *told, const char *name, int status, struct log *log)
{
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    if (!*told)
        log_note(log, "%s: %s; waiting for it", name,
                 status == PCAP_ERROR_IFACE_NOT_UP ? "the interface is down" : "no such interface");
    *told = true;
    nanosleep(&pause, NULL);
}

/* Returns the activated handle, or NULL after a message. */
static pcap_t *activate(const struct live_options *options, struct log *log)
{
    bool told = false;
    for (;;) {
        pcap_t *pcap = create(options, log);
        if (!pcap)
            return NULL;
        int status = pcap_activate(pcap);
        if (status > 0)
            log_warning(log, "%s: %s", options->interface,
                        status == PCAP_WARNING ? pcap_geterr(pcap) : pcap_statustostr(status));
        if (status >= 0)
            return pcap;
        bool may_come = status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_IFACE_NOT_UP;
        if (!options->wait || !may_come)
            log_open_error(log, options->interface, pcap, status);
        pcap_close(pcap);
        if (!options->wait || !may_come)
            return NULL;
        wait_a_little(&told, options->interface, status, log);
    }
}

/*
 * Joins the group before anything is read: a packet that comes earlier reaches every worker. The
 * hash is the same for both directions; fragments are put together first, or they would go by
 * their addresses only.
 */
static bool join_fanout(pcap_t *pcap, const struct live_options *options, struct log *log)
{
    const uint32_t type = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG;
    uint32_t value = ((uint32_t)options->fanout & 0xffff) | type << 16;
    if (options->fanout < 0 ||
        setsockopt(pcap_fileno(pcap), SOL_PACKET, PACKET_FANOUT, &value, sizeof value) == 0)
        return true;
    log_error(log, "%s: cannot share the packets among workers: %s", options->interface,
              strerror(errno));
    return false;
}

static bool install(pcap_t *pcap, const char *expression)
{
    struct bpf_program code;
    if (pcap_compile(pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return false;
    bool good = pcap_setfilter(pcap, &code) == 0;
    pcap_freecode(&code);
    return good;
}

/* On link types without VLAN tags of their own (such as "any") the filter does without. */
static bool set_filter(pcap_t *pcap, const struct live_options *options, struct log *log)
{
    const char *given = options->expression;
    bool good = false;
    for (int tags = 1; tags >= 0 && !good && !given; tags--) {
        char *own = live_filter_of(options->ports, options->any_port, tags);
        good = own && install(pcap, own);
        memory_free(own);
    }
    if (given)
        good = install(pcap, given);
    if (!good)
        log_error(log, "filter '%s': %s (pcap-filter(7) tells how to write one)",
                  given ? given : "mail ports", pcap_geterr(pcap));
    return good;
}

static uint64_t read_drops(int fd)
{
    char text[32];
    ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return strtoull(text, NULL, 10);
}

static void open_drops(struct live *live)
{
    char path[256];
    for (int i = 0; i < DROP_FILES; i++) {
        snprintf(path, sizeof path, "/sys/class/net/%s/statistics/%s", live->name, drop_files[i]);
        live->drop_fds[i] = strchr(live->name, '/') ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        live->drops_before[i] = read_drops(live->drop_fds[i]);
    }
}

struct live *live_open(const struct live_options *options, struct log *log)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = activate(options, log);
    if (!pcap)
        return NULL;
    struct live *live = NULL;
    if (join_fanout(pcap, options, log) && set_filter(pcap, options, log)) {
        live = pcap_setnonblock(pcap, 1, reason) == 0 ? memory_new(sizeof *live) : NULL;
        if (!live)
            log_error(log, "%s: %s", options->interface, reason[0] ? reason : strerror(ENOMEM));
    }
    if (!live) {
        pcap_close(pcap);
        return NULL;
    }
    *live = (struct live){.pcap = pcap,
                          .log = log,
                          .name = options->interface,
                          .link_type = pcap_datalink(pcap),
                          .source = options->source,
                          .ring_kib = options->ring_kib};
    open_drops(live);
    return live;
}

/* ---- reading */

int live_descriptor(const struct live *live)
{
    return pcap_get_selectable_fd(live->pcap);
}

uint32_t live_ring(const struct live *live)
{
    return live->ring_kib;
}

int live_pause(uint32_t ring_kib, uint64_t bytes, int64_t elapsed_ns)
{
    int64_t shortest = ring_kib / KIB_MS < PAUSE_MS ? ring_kib / KIB_MS : PAUSE_MS;
    if (elapsed_ns <= 0 || elapsed_ns > KNOWN_MS * INT64_C(1000000))
        return (int)shortest;
    uint64_t share = (uint64_t)ring_kib * 1024 / RING_PART;
    int64_t pause = bytes ? (int64_t)(share * (uint64_t)(elapsed_ns / 1000) / bytes / 1000) : INT64_MAX;
    int64_t longest = PAUSES * shortest;
    return (int)(pause < shortest ? shortest : pause > longest ? longest : pause);
}

const char *live_interface(const struct live *live)
{
    return live->name;
}

/*
 * In a block of TPACKET_V3 the next packet lies behind this one: its header and those of its
 * protocols come into the cache while this one is looked at. Only a hint: nothing is read there.
 */
static void fetch_next(const u_char *data, bpf_u_int32 captured)
{
    for (int line = 0; line < NEXT_LINES; line++)
        __builtin_prefetch(data + captured + line * CACHE_LINE);
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    struct live *live = (struct live *)(void *)user;
    fetch_next(data, header->caplen);
    struct packet packet = {.time_ns = header->ts.tv_sec * INT64_C(1000000000) + header->ts.tv_usec,
                            .data = data,
                            .captured = header->caplen,
                            .length = header->len > header->caplen ? header->len : header->caplen,
                            .link_type = live->link_type,
                            .source = live->source};
    live->packet(live->user, &packet);
}

int live_read(struct live *live, live_packet *packet, void *user)
{
    live->packet = packet;
    live->user = user;
    int count = pcap_dispatch(live->pcap, LIVE_READ_MOST, on_packet, (u_char *)live);
    return count < 0 ? -1 : count;
}

const char *live_fault(struct live *live)
{
    const char *reason = pcap_geterr(live->pcap);
    size_t length = strlen(live->name);
    bool named = strncmp(reason, live->name, length) == 0 && strncmp(reason + length, ": ", 2) == 0;
    return named ? reason + length + 2 : reason;
}

/* Not pcap_stats, which opens files each time: the sandbox allows none. */
struct live_counts live_counts(struct live *live)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof stats;
    if (getsockopt(pcap_fileno(live->pcap), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0) {
        live->counts.received += stats.tp_packets; /* since the last time it was asked */
        live->counts.dropped += stats.tp_drops;
    }
    live->counts.interface_dropped = 0;
    for (int i = 0; i < DROP_FILES; i++) {
        uint64_t now = read_drops(live->drop_fds[i]);
        if (now > live->drops_before[i])
            live->counts.interface_dropped += now - live->drops_before[i];
    }
    return live->counts;
}

void live_close(struct live *live)
{
    if (!live)
        return;
    for (int i = 0; i < DROP_FILES; i++)
        if (live->drop_fds[i] >= 0)
            close(live->drop_fds[i]);
    pcap_close(live->pcap);
    memory_free(live);
}
