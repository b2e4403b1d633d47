/* SPDX-License-Identifier: BSD-2-Clause */
/* What a network output needs beside its library: names checked, looked up, and told to the
 * sandbox. */
#ifndef WRITER_BROKER_H
#define WRITER_BROKER_H

#include <stdbool.h>

#include "base/log.h"
#include "capture/sandbox.h"

/*
 * broker_look_up looks each of "host:port,..." up once: the C library loads a module for each
 * source that nsswitch.conf names when it first asks it, which it could not do in the sandbox.
 * False, after a message, if one is no broker; one that is not found is a warning.
 */
bool broker_look_up(const char *brokers, struct log *log);

/* broker_check_topic tells whether Kafka allows a topic of that name; false after a message. */
bool broker_check_topic(const char *topic, struct log *log);

/* broker_needs tells the sandbox what connections need: sockets, threads, the files of the resolver
 * and the authorities that the system trusts. Before all other needs. */
void broker_needs(struct sandbox *sandbox);

#endif
