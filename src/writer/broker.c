/* SPDX-License-Identifier: BSD-2-Clause */
/* Brokers and topics as the operator names them, before the library for Kafka gets them. */
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "writer/broker.h"

static char *skip_blanks(char *text)
{
    return text + strspn(text, " \t");
}

/* Cuts "host", "host:port" or "[address]:port" down to the host; NULL if it is none of them. */
static char *host_of(char *broker)
{
    char *host = skip_blanks(broker), *end, *port = NULL;
    if (*host == '[') {
        if (!(end = strchr(++host, ']')))
            return NULL;
        port = end[1] == ':' ? end + 2 : NULL;
        if (end[1] && !port)
            return NULL;
    } else if ((end = strchr(host, ':'))) {
        port = end + 1;
    }
    if (end)
        *end = '\0';
    if (port &&
        (strspn(port, "0123456789") != strlen(port) || atol(port) < 1 || atol(port) > 65535))
        return NULL;
    return *host ? host : NULL;
}

/* The C library loads a module for each source that nsswitch.conf names, when it first asks it. */
static void look_up(const char *host, struct log *log)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
    int status = getaddrinfo(host, NULL, &hints, &found);
    if (status)
        log_warning(log, "kafka: %s: %s; going on", host, gai_strerror(status));
    if (found)
        freeaddrinfo(found);
}

static char *copy_of(const char *text)
{
    char *copy = memory_new(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

bool broker_look_up(const char *brokers, struct log *log)
{
    char *list = copy_of(brokers), *rest = list;
    bool good = list != NULL;
    while (good && rest) {
        char *host = host_of(strsep(&rest, ","));
        if (host)
            look_up(host, log);
        else
            log_error(log, "--kafka %s: expected host:port,... such as broker1:9092,broker2:9092",
                      brokers);
        good = host != NULL;
    }
    memory_free(list);
    return good;
}

bool broker_check_topic(const char *topic, struct log *log)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(topic);
    if (length >= 1 && length <= 249 && strspn(topic, letters) == length)
        return true;
    log_error(log, "--topic %s: expected up to 249 letters, digits, dots, hyphens and underscores",
              topic);
    return false;
}

/* ---- the sandbox */

/* A link to where a service of the system keeps its file, and replaces it: the folder, then. */
static void need_file(struct sandbox *sandbox, const char *path)
{
    char target[PATH_MAX];
    if (!realpath(path, target))
        return;
    char *slash = strrchr(target, '/');
    if (strncmp(target, "/etc/", 5) != 0 && slash > target)
        *slash = '\0';
    sandbox_read(sandbox, target);
}

void broker_needs(struct sandbox *sandbox)
{
    static const char *const resolver[] = {"/etc/resolv.conf",   "/etc/hosts",
                                           "/etc/nsswitch.conf", "/etc/host.conf",
                                           "/etc/gai.conf",      "/etc/services"};
    /* where distributions keep the authorities that they trust; links lead from one to the other */
    static const char *const authorities[] = {"/etc/ssl/certs",
                                              "/etc/ssl/openssl.cnf",
                                              "/etc/pki/tls/certs",
                                              "/etc/pki/tls/openssl.cnf",
                                              "/etc/pki/ca-trust/extracted",
                                              "/usr/share/ca-certificates",
                                              "/usr/local/share/ca-certificates"};
    sandbox_sockets(sandbox);
    sandbox_threads(sandbox);
    for (size_t i = 0; i < sizeof resolver / sizeof *resolver; i++)
        need_file(sandbox, resolver[i]);
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++)
        sandbox_read(sandbox, authorities[i]);
}
