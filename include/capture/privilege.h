/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up what only opening needed. */
#ifndef CAPTURE_PRIVILEGE_H
#define CAPTURE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"

/* As whom the program goes on. */
struct privilege {
    bool change; /* false: as whoever started it */
    uid_t uid;
    gid_t gid;
};

/*
 * privilege_find looks up the user to change to. NULL: "mxtap", else "nobody", if the program was
 * started as root, else none. False after a message if a named one is not known.
 */
bool privilege_find(const char *user, struct privilege *privilege, struct log *log);

/*
 * privilege_drop becomes that user, without supplementary groups, keeps no capability and lets none
 * be had again (no_new_privs). Called before threads are made. False after a message: then do not
 * go on.
 */
bool privilege_drop(const struct privilege *privilege, struct log *log);

#endif
