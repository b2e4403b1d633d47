/* SPDX-License-Identifier: BSD-2-Clause */
/* Live only: what monitoring and the service manager are told. Private to the files directly in src/. */
#ifndef SERVICE_TELL_H
#define SERVICE_TELL_H

#include <stdbool.h>

#include "base/counters.h"
#include "base/log.h"
#include "writer/writer.h"

/*
 * metrics_write replaces `path` by the counters in the text format of Prometheus, as a whole: a reader sees the old file or the new
 * one. False if it cannot; reported if `loud`.
 */
bool metrics_write(const char *path, const struct counters *counters, const struct stats_facts *facts, struct log *log, bool loud);

/*
 * notify_open connects to the service manager that NOTIFY_SOCKET names (sd_notify(3)) and returns a descriptor, -1 if there is none.
 * notify_send tells it "READY=1" and the like; -1 is allowed.
 */
int notify_open(void);
void notify_send(int fd, const char *state);

#endif
