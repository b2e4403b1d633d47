/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters for a metrics file, and readiness for the service manager. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/words.h"
#include "service_tell.h"

/* ---- metrics */

struct metric {
    const char *name, *type, *help;
    size_t at; /* in struct counters */
};

#define METRIC(name, type, member, help) {"mxtap_" name, type, help, offsetof(struct counters, member)}

static const struct metric metrics[] = {
    METRIC("packets_total", "counter", packets, "Packets read."),
    METRIC("bytes_total", "counter", bytes, "Bytes of packets read."),
    METRIC("packets_malformed_total", "counter", packets_malformed, "Packets with wrong lengths."),
    METRIC("packets_truncated_total", "counter", packets_truncated, "Packets cut by the snapshot length."),
    METRIC("gaps_total", "counter", gaps, "Holes in connections that were given up."),
    METRIC("flows", "gauge", flows_open, "Connections followed now."),
    METRIC("flows_evicted_total", "counter", flows_evicted, "Connections given up at the limit."),
    METRIC("flows_unproven_total", "counter", flows_unproven, "Half-open connections and lone segments forgotten."),
    METRIC("history_forgotten_total", "counter", history_forgotten, "Offers and failed handshakes of peers forgotten at a limit."),
    METRIC("memory_failures_total", "counter", memory_failures, "Times that memory ran out."),
    METRIC("events_lost_total", "counter", events_lost, "Events that the output did not take."),
};

static void head(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(FILE *file, const char *name, const char *type, const char *help, uint64_t value)
{
    head(file, name, type, help);
    fprintf(file, "%s %llu\n", name, (unsigned long long)value);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void label(FILE *file, const char *name, const char *value)
{
    fprintf(file, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            fputs("\\n", file);
            continue;
        }
        if (*value == '\\' || *value == '"')
            fputc('\\', file);
        fputc(*value, file);
    }
    fputc('"', file);
}

static void put_sessions(FILE *file, const struct counters *counters)
{
    head(file, "mxtap_sessions_total", "counter", "Sessions by outcome.");
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        fprintf(file, "mxtap_sessions_total{outcome=\"%s\"} %llu\n", word_outcome((enum outcome)i),
                (unsigned long long)counters->outcomes[i]);
    head(file, "mxtap_tls_sessions_total", "counter", "Sessions with established TLS by version.");
    for (unsigned i = TLS_VERSION_NONE + 1; i < TLS_VERSION_COUNT; i++)
        fprintf(file, "mxtap_tls_sessions_total{version=\"%s\"} %llu\n", word_tls_version((enum tls_version)i),
                (unsigned long long)counters->versions[i]);
}

static void put_facts(FILE *file, const struct stats_facts *facts)
{
    number(file, "mxtap_kernel_received_total", "counter", "Packets that passed the filter.", facts->kernel_received);
    number(file, "mxtap_kernel_dropped_total", "counter", "Packets that the kernel dropped: ring full.", facts->kernel_dropped);
    number(file, "mxtap_interface_dropped_total", "counter", "Packets that the interface dropped.", facts->interface_dropped);
    number(file, "mxtap_held_bytes", "gauge", "Bytes in buffers for connections.", facts->bytes_held);
    if (facts->quiet_ns >= 0)
        number(file, "mxtap_last_smtp_timestamp_seconds", "gauge", "Time of the last packet with SMTP.",
               (uint64_t)(facts->time_ns - facts->quiet_ns) / 1000000000);
    if (facts->kafka) {
        number(file, "mxtap_kafka_delivered_total", "counter", "Events that Kafka has confirmed.", facts->kafka_delivered);
        number(file, "mxtap_kafka_waiting", "gauge", "Events that wait for Kafka.", facts->kafka_waiting);
    }
    head(file, "mxtap_info", "gauge", "Version and place of this sensor.");
    fputs("mxtap_info{", file);
    label(file, "version", MXTAP_VERSION);
    fputc(',', file);
    label(file, "interface", facts->interface ? facts->interface : "");
    fputc(',', file);
    label(file, "sensor", facts->sensor ? facts->sensor : "");
    fputs("} 1\n", file);
}

static bool put_all(int fd, const struct counters *counters, const struct stats_facts *facts)
{
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        number(file, metrics[i].name, metrics[i].type, metrics[i].help,
               *(const uint64_t *)(const void *)((const char *)counters + metrics[i].at));
    put_sessions(file, counters);
    put_facts(file, facts);
    bool good = !ferror(file);
    return fclose(file) == 0 && good;
}

bool metrics_write(const char *path, const struct counters *counters, const struct stats_facts *facts, struct log *log, bool loud)
{
    char temporary[4096];
    int length = snprintf(temporary, sizeof temporary, "%s.new", path);
    errno = ENAMETOOLONG;
    int fd = length < (int)sizeof temporary
                 ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644)
                 : -1;
    bool good = fd >= 0 && put_all(fd, counters, facts) && rename(temporary, path) == 0;
    int reason = errno;
    bool forbidden = reason == EACCES || reason == EPERM || reason == EROFS;
    if (!good && fd >= 0)
        unlink(temporary); /* a part of it helps nobody, least of all on a full disk */
    if (!good && loud)
        log_error(log, "%s: cannot be replaced: %s%s", path, strerror(reason),
                  forbidden ? "; its directory has to be writable by the user that mxtap runs as" : "");
    return good;
}

/* ---- readiness */

int notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract address */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

void notify_send(int fd, const char *state)
{
    if (fd >= 0 && write(fd, state, strlen(state)) < 0)
        return; /* the manager finds out by itself */
}
