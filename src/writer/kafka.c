/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the pipeline where many sensors feed one store: lines to Kafka, through librdkafka. */
#include "writer/kafka.h"

#ifndef MXTAP_KAFKA

struct kafka *kafka_new(const struct kafka_options *options, const struct log *log)
{
    struct log copy = *log;
    (void)options;
    log_error(&copy, "--kafka: not built in; install librdkafka-dev, then make clean and make");
    return NULL;
}

void kafka_needs(const struct kafka *kafka, struct sandbox *sandbox)
{
    (void)kafka;
    (void)sandbox;
}

bool kafka_start(struct kafka *kafka)
{
    (void)kafka;
    return false;
}

bool kafka_send(struct kafka *kafka, const struct line *lines)
{
    (void)kafka;
    (void)lines;
    return false;
}

bool kafka_poll(struct kafka *kafka)
{
    (void)kafka;
    return false;
}

struct kafka_counts kafka_counts(struct kafka *kafka)
{
    (void)kafka;
    return (struct kafka_counts){0};
}

void kafka_end(struct kafka *kafka, unsigned seconds)
{
    (void)kafka;
    (void)seconds;
}

bool kafka_close(struct kafka *kafka, struct kafka_counts *counts)
{
    (void)kafka;
    *counts = (struct kafka_counts){0};
    return true;
}

#else

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

#include "base/limits.h"
#include "base/memory.h"
#include "writer/broker.h"

/* By their names without rd_kafka_. */
#define LIBRARY(FUNCTION) \
    FUNCTION(conf_destroy) FUNCTION(conf_get) FUNCTION(conf_new) FUNCTION(conf_set) FUNCTION(conf_set_dr_msg_cb) \
    FUNCTION(conf_set_error_cb) FUNCTION(conf_set_log_cb) FUNCTION(conf_set_opaque) FUNCTION(destroy) FUNCTION(err2str) \
    FUNCTION(fatal_error) FUNCTION(flush) FUNCTION(last_error) FUNCTION(new) FUNCTION(opaque) FUNCTION(outq_len) \
    FUNCTION(poll) FUNCTION(produce) FUNCTION(purge) FUNCTION(topic_destroy) FUNCTION(topic_new)

/*
 * Loaded when --kafka asks for it: the others of its users have neither it nor what it needs (TLS, SASL, compression) in a process that
 * reads what strangers send.
 */
static struct {
#define POINTER(name) __typeof__(rd_kafka_##name) *(name);
    LIBRARY(POINTER)
} library;

enum {
    WAIT_MS = 100,       /* a turn of waiting, after which `stop` is looked at */
    CLOSE_SECONDS = 3,   /* for what waits, once `stop` is set */
    DESTROY_SECONDS = 1, /* for the library's threads; one may hang in a look-up of a name */
    TELL_SECONDS = 60,   /* between two messages about brokers */
    CONFIG_LINE = 8192,  /* of --kafka-config */
    TEXT = 512           /* of a message of the library */
};

struct kafka {
    rd_kafka_conf_t *conf; /* until kafka_start */
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic;
    char *topic_name;
    const volatile sig_atomic_t *stop;
    pthread_mutex_t lock; /* of what follows */
    uint64_t accepted, delivered, lost;
    bool ending, fatal, trouble; /* trouble: told, and nothing delivered since */
    time_t told, until;          /* monotonic seconds */
    struct log log;
};

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool load_library(struct log *log)
{
    void *handle = dlopen("librdkafka.so.1", RTLD_NOW);
#define FIND(name) &&(library.name = (__typeof__(library.name))dlsym(handle, "rd_kafka_" #name))
    if (handle LIBRARY(FIND))
        return true;
    log_error(log, "--kafka: %s", dlerror());
    return false;
}

/* ---- what the library tells, all of it from within rd_kafka_poll and rd_kafka_flush */

/* Once in each outage, and not every second if there are many. The lock is held. */
static void tell(struct kafka *kafka, const char *what, const char *why)
{
    time_t now = seconds_now();
    if (kafka->trouble || (kafka->told && now - kafka->told < TELL_SECONDS))
        return;
    kafka->trouble = true;
    kafka->told = now;
    log_warning(&kafka->log, "kafka: %s: %s", what, why);
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *user)
{
    struct kafka *kafka = user;
    (void)handle;
    pthread_mutex_lock(&kafka->lock);
    if (message->err) {
        kafka->lost++;
        if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
            message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
            tell(kafka, "an event was not delivered", library.err2str(message->err));
    } else {
        kafka->delivered++;
        if (kafka->trouble)
            log_note(&kafka->log, "kafka: delivering again; lost so far: %llu events",
                     (unsigned long long)kafka->lost);
        kafka->trouble = false;
    }
    pthread_mutex_unlock(&kafka->lock);
}

static void on_error(rd_kafka_t *handle, int error, const char *reason, void *user)
{
    struct kafka *kafka = user;
    char text[TEXT];
    pthread_mutex_lock(&kafka->lock);
    if (error == RD_KAFKA_RESP_ERR__FATAL && !kafka->fatal) {
        kafka->fatal = true;
        library.fatal_error(handle, text, sizeof text);
        log_error(&kafka->log, "kafka: nothing more can be delivered: %s", text);
    } else if (error != RD_KAFKA_RESP_ERR__FATAL) {
        tell(kafka, "brokers", reason);
    }
    pthread_mutex_unlock(&kafka->lock);
}

/* From any thread of the library: only on request. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    struct kafka *kafka = library.opaque(handle);
    struct log copy = kafka->log;
    (void)level;
    log_verbose(&copy, "kafka: %s: %s", facility, text);
}

/* ---- options */

static bool set(struct kafka *kafka, const char *where, const char *name, const char *value)
{
    char text[TEXT];
    if (library.conf_set(kafka->conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return true;
    log_error(&kafka->log, "%s: %s", where, text);
    return false;
}

/* What holds unless the file of properties says otherwise. */
static bool set_defaults(struct kafka *kafka)
{
    char kbytes[32];
    snprintf(kbytes, sizeof kbytes, "%d", LIMIT_KAFKA_BYTES / 1024);
    /* live, an event waits for as long as there is room; who reads a file wants to know */
    return set(kafka, "--kafka", "client.id", "mxtap") &&
           set(kafka, "--kafka", "enable.idempotence", "true") &&
           set(kafka, "--kafka", "compression.codec", "lz4") &&
           set(kafka, "--kafka", "queue.buffering.max.kbytes", kbytes) &&
           (kafka->stop || set(kafka, "--kafka", "message.timeout.ms", "0"));
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static bool set_line(struct kafka *kafka, const char *path, unsigned number, char *line)
{
    char where[PATH_MAX + 16];
    char *name = trim(line), *equals = strchr(name, '=');
    snprintf(where, sizeof where, "%s:%u", path, number);
    if (!*name || *name == '#')
        return true;
    if (!equals || strlen(line) >= CONFIG_LINE - 2) {
        log_error(&kafka->log, "%s: expected a line such as security.protocol=ssl", where);
        return false;
    }
    *equals = '\0';
    return set(kafka, where, trim(name), trim(equals + 1));
}

static bool set_file(struct kafka *kafka, const char *path)
{
    char line[CONFIG_LINE];
    FILE *file = path ? fopen(path, "re") : NULL;
    bool good = !path || file;
    for (unsigned number = 1; good && file && fgets(line, sizeof line, file); number++)
        good = set_line(kafka, path, number, line);
    if (!good && !file)
        log_error(&kafka->log, "%s: %s", path, strerror(errno));
    if (file && ferror(file)) { /* a directory, for one */
        log_error(&kafka->log, "%s: %s", path, strerror(errno));
        good = false;
    }
    if (file)
        fclose(file);
    memory_wipe(line, sizeof line); /* of passwords */
    return good;
}

static bool configure(struct kafka *kafka, const struct kafka_options *options)
{
    if (!(kafka->conf = library.conf_new()))
        return false;
    library.conf_set_opaque(kafka->conf, kafka);
    library.conf_set_dr_msg_cb(kafka->conf, on_delivery);
    library.conf_set_error_cb(kafka->conf, on_error);
    library.conf_set_log_cb(kafka->conf, on_log);
    return set_defaults(kafka) && set_file(kafka, options->config) &&
           set(kafka, "--kafka", "bootstrap.servers", options->brokers);
}

static char *copy_of(const char *text)
{
    char *copy = memory_new(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

static void discard(struct kafka *kafka)
{
    if (kafka->conf)
        library.conf_destroy(kafka->conf);
    pthread_mutex_destroy(&kafka->lock);
    memory_free(kafka->topic_name);
    memory_free(kafka);
}

struct kafka *kafka_new(const struct kafka_options *options, const struct log *log)
{
    struct log copy = *log;
    struct kafka *kafka = memory_new(sizeof *kafka);
    if (!kafka) {
        log_error(&copy, "--kafka: out of memory");
        return NULL;
    }
    kafka->log = *log;
    kafka->stop = options->stop;
    pthread_mutex_init(&kafka->lock, NULL);
    kafka->topic_name = copy_of(options->topic);
    if (kafka->topic_name && load_library(&kafka->log) && broker_check_topic(options->topic, &kafka->log) &&
        configure(kafka, options) && broker_look_up(options->brokers, &kafka->log))
        return kafka;
    discard(kafka);
    return NULL;
}

/* ---- the sandbox */

void kafka_needs(const struct kafka *kafka, struct sandbox *sandbox)
{
    static const char *const properties[] = {"ssl.ca.location", "ssl.certificate.location",
                                             "ssl.key.location", "ssl.keystore.location",
                                             "ssl.crl.location"};
    if (!kafka)
        return;
    broker_needs(sandbox);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        char path[PATH_MAX];
        size_t size = sizeof path;
        if (library.conf_get(kafka->conf, properties[i], path, &size) == RD_KAFKA_CONF_OK && *path)
            sandbox_read(sandbox, path);
    }
}

/* ---- running */

bool kafka_start(struct kafka *kafka)
{
    char text[TEXT];
    kafka->handle = library.new(RD_KAFKA_PRODUCER, kafka->conf, text, sizeof text);
    if (!kafka->handle) {
        log_error(&kafka->log, "kafka: %s", text);
        return false;
    }
    kafka->conf = NULL; /* stolen */
    kafka->topic = library.topic_new(kafka->handle, kafka->topic_name, NULL);
    if (!kafka->topic)
        log_error(&kafka->log, "--topic %s: %s", kafka->topic_name,
                  library.err2str(library.last_error()));
    return kafka->topic != NULL;
}

struct kafka_counts kafka_counts(struct kafka *kafka)
{
    struct kafka_counts counts = {0};
    if (!kafka)
        return counts;
    pthread_mutex_lock(&kafka->lock);
    counts.delivered = kafka->delivered;
    counts.lost = kafka->lost;
    counts.waiting = kafka->accepted - kafka->delivered - kafka->lost;
    pthread_mutex_unlock(&kafka->lock);
    return counts;
}

/* Going on is of no use: who reads a file is told to stop. */
static bool is_stopped(struct kafka *kafka)
{
    pthread_mutex_lock(&kafka->lock);
    bool stopped = kafka->fatal || (kafka->stop && (*kafka->stop || kafka->lost));
    pthread_mutex_unlock(&kafka->lock);
    return stopped;
}

static bool may_wait(struct kafka *kafka)
{
    if (is_stopped(kafka))
        return false;
    pthread_mutex_lock(&kafka->lock);
    bool wait = kafka->stop || (kafka->ending && seconds_now() < kafka->until);
    pthread_mutex_unlock(&kafka->lock);
    return wait;
}

static void count_lost(struct kafka *kafka, rd_kafka_resp_err_t error)
{
    pthread_mutex_lock(&kafka->lock);
    kafka->lost++;
    tell(kafka, "events are lost", library.err2str(error));
    pthread_mutex_unlock(&kafka->lock);
}

static bool send_one(struct kafka *kafka, char *data, size_t length, const char *key)
{
    pthread_mutex_lock(&kafka->lock);
    kafka->accepted++;
    pthread_mutex_unlock(&kafka->lock);
    while (library.produce(kafka->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, data, length,
                            key, key ? strlen(key) : 0, NULL) != 0) {
        rd_kafka_resp_err_t error = library.last_error();
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || !may_wait(kafka)) {
            count_lost(kafka, error);
            return false;
        }
        library.poll(kafka->handle, WAIT_MS);
    }
    return true;
}

/* A format may have several lines for a session, or none. */
bool kafka_send(struct kafka *kafka, const struct line *lines)
{
    bool good = true;
    for (size_t at = 0; at < lines->length;) {
        const char *newline = memchr(lines->data + at, '\n', lines->length - at);
        size_t end = newline ? (size_t)(newline - lines->data) : lines->length;
        good = send_one(kafka, lines->data + at, end - at, lines->key) && good;
        at = end + 1;
    }
    if (!kafka->stop)
        return good;
    library.poll(kafka->handle, 0);
    return good && !is_stopped(kafka);
}

bool kafka_poll(struct kafka *kafka)
{
    library.poll(kafka->handle, 0);
    pthread_mutex_lock(&kafka->lock);
    bool fatal = kafka->fatal;
    pthread_mutex_unlock(&kafka->lock);
    return !fatal;
}

/* ---- the end */

void kafka_end(struct kafka *kafka, unsigned seconds)
{
    if (!kafka)
        return;
    pthread_mutex_lock(&kafka->lock);
    if (!kafka->ending)
        kafka->until = seconds_now() + (time_t)seconds;
    kafka->ending = true;
    pthread_mutex_unlock(&kafka->lock);
}

/* Waits for the brokers' answers. Who reads a file has time, until told to stop or something is
 * lost. */
static void flush(struct kafka *kafka)
{
    while (library.outq_len(kafka->handle) > 0 && !kafka->fatal) {
        if (is_stopped(kafka))
            kafka_end(kafka, CLOSE_SECONDS);
        if (kafka->ending && seconds_now() >= kafka->until)
            break;
        library.flush(kafka->handle, WAIT_MS);
    }
}

/* What is left is lost. Nothing here waits for a thread of the library. */
static void give_up(struct kafka *kafka)
{
    library.purge(kafka->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                      RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (int turn = 0; turn < 2 && library.outq_len(kafka->handle) > 0; turn++)
        library.flush(kafka->handle, WAIT_MS);
    pthread_mutex_lock(&kafka->lock);
    kafka->lost = kafka->accepted - kafka->delivered;
    pthread_mutex_unlock(&kafka->lock);
}

static void *destroy(void *user)
{
    struct kafka *kafka = user;
    if (kafka->topic)
        library.topic_destroy(kafka->topic);
    library.destroy(kafka->handle);
    return NULL;
}

/* False if a thread of the library does not end: it is left to the end of the process. */
static bool destroy_in_time(struct kafka *kafka)
{
    pthread_t thread;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DESTROY_SECONDS;
    return pthread_create(&thread, NULL, destroy, kafka) == 0 &&
           pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void tell_counts(struct kafka *kafka, const struct kafka_counts *counts)
{
    log_note(&kafka->log, "kafka: %llu events delivered to %s",
             (unsigned long long)counts->delivered, kafka->topic_name);
    if (counts->lost)
        log_error(&kafka->log, "kafka: %llu events were lost, or not confirmed",
                  (unsigned long long)counts->lost);
}

bool kafka_close(struct kafka *kafka, struct kafka_counts *counts)
{
    *counts = (struct kafka_counts){0};
    if (!kafka)
        return true;
    if (!kafka->handle) {
        discard(kafka);
        return true;
    }
    flush(kafka);
    if (library.outq_len(kafka->handle) > 0)
        give_up(kafka);
    *counts = kafka_counts(kafka);
    tell_counts(kafka, counts);
    if (destroy_in_time(kafka))
        discard(kafka);
    return counts->lost == 0;
}

#endif
