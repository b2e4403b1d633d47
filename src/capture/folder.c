/* SPDX-License-Identifier: BSD-2-Clause */
/* From a folder that was named to the files in it, for capture.c to look at. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/folder.h"

struct names {
    char **list;
    size_t count, room;
};

static char *path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] == '/' ? "" : "/";
    size_t size = length + strlen(name) + 2;
    char *path = memory_new(size);
    if (path)
        snprintf(path, size, "%s%s%s", folder, slash, name);
    return path;
}

static bool names_add(struct names *names, char *path)
{
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 64;
        char **grown = memory_resize(names->list, room * sizeof *grown);
        if (!grown)
            return false;
        names->list = grown;
        names->room = room;
    }
    names->list[names->count++] = path;
    return true;
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        memory_free(names->list[i]);
    memory_free(names->list);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Returns 0, or the errno of what failed; what was read before stays in *names. */
static int folder_list(const char *path, struct names *names)
{
    DIR *stream = opendir(path);
    if (!stream)
        return errno;
    struct dirent *entry;
    int error = 0;
    while (!error && (errno = 0, entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *joined = path_join(path, entry->d_name);
        if (!joined || !names_add(names, joined)) {
            memory_free(joined);
            error = ENOMEM;
        }
    }
    if (!entry && !error)
        error = errno;
    closedir(stream);
    return error;
}

static void walk_folder(const char *path, const struct folder_visitor *visitor, unsigned depth);

static void walk_entry(const char *path, const struct folder_visitor *visitor, unsigned depth)
{
    struct stat status;
    bool link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
    if (stat(path, &status) != 0) {
        if (link)
            log_verbose(visitor->log, "%s: passed over: a link to nowhere", path);
        else
            visitor->failed(visitor->user, path, errno);
    } else if (S_ISREG(status.st_mode)) {
        visitor->found(visitor->user, path);
    } else if (S_ISDIR(status.st_mode) && !link) {
        walk_folder(path, visitor, depth + 1);
    } else {
        log_verbose(visitor->log, "%s: passed over: %s", path,
                    link ? "a link to no file" : "no regular file");
    }
}

static void walk_folder(const char *path, const struct folder_visitor *visitor, unsigned depth)
{
    if (depth > LIMIT_CAPTURE_DEPTH) {
        log_warning(visitor->log, "%s: passed over: more than %d folders deep (name it itself)",
                    path, LIMIT_CAPTURE_DEPTH);
        return;
    }
    struct names names = {0};
    int error = folder_list(path, &names);
    if (error)
        visitor->failed(visitor->user, path, error);
    if (names.count)
        qsort(names.list, names.count, sizeof *names.list, compare_names);
    for (size_t i = 0; i < names.count; i++)
        walk_entry(names.list[i], visitor, depth);
    names_free(&names);
}

void folder_walk(const char *path, const struct folder_visitor *visitor)
{
    walk_folder(path, visitor, 0);
}
