/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines to a topic of Kafka: each is delivered, and known to be, or counted as lost. */
#ifndef WRITER_KAFKA_H
#define WRITER_KAFKA_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "capture/sandbox.h"
#include "writer/writer.h"

struct kafka_options {
    const char *brokers; /* "host:port,..." to begin with; all strings are borrowed for kafka_new */
    const char *topic;
    const char *config;                /* file of lines "property=value" of librdkafka; NULL none */
    const volatile sig_atomic_t *stop; /* borrowed; set when whoever waits for room shall give up.
                                          NULL (live): nobody waits, but at the end */
};

/* Events, each of them in one of these. */
struct kafka_counts {
    uint64_t delivered; /* confirmed by the brokers that `acks` asks for (all in-sync replicas) */
    uint64_t lost;      /* refused, without room in the queue, or not confirmed */
    uint64_t waiting;
};

struct kafka;

/*
 * kafka_new reads the configuration and looks the brokers up once, so that the C library loads what
 * it needs for that; returns an output (new) that is not started. NULL, after a message, if an
 * option is wrong, or the program was built without librdkafka.
 */
struct kafka *kafka_new(const struct kafka_options *options, const struct log *log)
    __attribute__((warn_unused_result));

/* kafka_needs tells the sandbox what it needs: threads, sockets, files of the resolver and those
 * that properties name. Before all other needs. NULL is allowed. */
void kafka_needs(const struct kafka *kafka, struct sandbox *sandbox);

/* kafka_start starts the threads of the library; false after a message. In the sandbox and without
 * privileges, since neither is passed on to threads that run already. */
bool kafka_start(struct kafka *kafka);

/*
 * kafka_send queues each line of `lines` (copied) under their key. Where `stop` is given it waits
 * for room. False if something of it is lost, or, with `stop`, if it is set or something was lost
 * before: then going on is of no use. Any thread may call it.
 */
bool kafka_send(struct kafka *kafka, const struct line *lines);

/* kafka_poll takes the brokers' answers, never waiting; to be called several times a second while
 * nobody waits for room. False once nothing will be delivered any more (a fatal error, told). */
bool kafka_poll(struct kafka *kafka);

struct kafka_counts kafka_counts(struct kafka *kafka);

/* kafka_end: from now on, for `seconds` at the most, kafka_send waits for room, since all open
 * sessions come at once. */
void kafka_end(struct kafka *kafka, unsigned seconds);

/*
 * kafka_close delivers what waits, until kafka_end's time is over (without kafka_end: three seconds
 * after `stop` is set or something is lost), and tells what was delivered and lost. `counts` gets
 * the figures. Frees; NULL is allowed. False if something was lost.
 */
bool kafka_close(struct kafka *kafka, struct kafka_counts *counts);

#endif
