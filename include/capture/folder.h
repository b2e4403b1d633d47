/* SPDX-License-Identifier: BSD-2-Clause */
/* Every file in a folder, recursively, in name order. Private to capture/. */
#ifndef CAPTURE_FOLDER_H
#define CAPTURE_FOLDER_H

#include "base/log.h"

/* Whoever walks: told of each regular file (path borrowed), and of each folder that cannot be read.
 */
struct folder_visitor {
    void *user;
    struct log *log; /* for what is passed over */
    void (*found)(void *user, const char *path);
    void (*failed)(void *user, const char *path, int error);
};

/*
 * folder_walk visits `path` and what is below, each folder's entries in the order of their bytes.
 * Links to files are followed, links to folders are not (they may lead round in circles), pipes and
 * devices are passed over.
 */
void folder_walk(const char *path, const struct folder_visitor *visitor);

#endif
