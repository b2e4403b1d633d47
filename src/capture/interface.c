/* SPDX-License-Identifier: BSD-2-Clause */
/* What is to be known of interfaces before packets come: which there are, their addresses, and the
 * filter that lets mail through. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "base/memory.h"
#include "capture/live.h"

/* ---- the filter */

/* A text that grows; failed once there was no memory. */
struct text {
    char *data;
    size_t length, capacity;
    bool failed;
};

static void add(struct text *text, const char *word)
{
    size_t length = strlen(word);
    if (text->length + length >= text->capacity) {
        size_t capacity = 2 * (text->length + length) + 256;
        char *grown = text->failed ? NULL : memory_resize(text->data, capacity);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->capacity = capacity;
    }
    memcpy(text->data + text->length, word, length + 1);
    text->length += length;
}

static bool has_port(const uint8_t *ports, unsigned port)
{
    return ports[port >> 3] >> (port & 7) & 1;
}

/* "tcp port 25 or tcp portrange 2500-2599" */
static void add_ports(struct text *text, const uint8_t *ports)
{
    char word[64];
    const char *joint = "";
    for (unsigned from = 0, to; from <= 65535; from = to + 1) {
        to = from;
        if (!has_port(ports, from))
            continue;
        while (to < 65535 && has_port(ports, to + 1))
            to++;
        snprintf(word, sizeof word, "%stcp portrange %u-%u", joint, from, to);
        add(text, word);
        joint = " or ";
    }
    if (!*joint)
        add(text, "less 0");
}

/*
 * Mail itself; later fragments of IPv4, which have no ports; packets of IPv6 whose first header is
 * hop-by-hop (0), routing (43), fragment (44) or destination options (60), behind which the filter
 * cannot look.
 */
static void add_mail(struct text *text, const uint8_t *ports, bool any_port)
{
    add(text, "(");
    if (any_port)
        add(text, "tcp");
    else
        add_ports(text, ports);
    add(text, " or (ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6 and (ip6[6] = 0 or ip6[6] = 43 or"
              " ip6[6] = 44 or ip6[6] = 60)))");
}

char *live_filter_of(const uint8_t *ports, bool any_port, bool tags)
{
    struct text text = {0};
    add_mail(&text, ports, any_port);
    if (tags) { /* what follows `vlan` in an expression is looked for behind the tag */
        add(&text, " or (vlan and (");
        add_mail(&text, ports, any_port);
        add(&text, " or (vlan and ");
        add_mail(&text, ports, any_port);
        add(&text, ")))");
    }
    if (!text.failed)
        return text.data;
    memory_free(text.data);
    return NULL;
}

/* ---- addresses and names */

void live_addresses(const char *interface, void (*found)(void *user, const char *address),
                    void *user)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];
    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || (strcmp(interface, "any") != 0 && strcmp(interface, one->ifa_name) != 0))
            continue;
        const void *address = NULL;
        if (one->ifa_addr->sa_family == AF_INET)
            address = &((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr;
        else if (one->ifa_addr->sa_family == AF_INET6)
            address = &((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr;
        if (address && inet_ntop(one->ifa_addr->sa_family, address, text, sizeof text))
            found(user, text);
    }
    freeifaddrs(all);
}

bool live_list(struct log *log)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, reason) != 0) {
        log_error(log, "cannot list the interfaces: %s", reason);
        return false;
    }
    for (pcap_if_t *one = all; one; one = one->next)
        printf("%-16s %s%s%s%s\n", one->name, one->flags & PCAP_IF_UP ? "up" : "down",
               one->flags & PCAP_IF_LOOPBACK ? ", loopback" : "", one->description ? ", " : "",
               one->description ? one->description : "");
    pcap_freealldevs(all);
    if (fflush(stdout) == 0)
        return true;
    log_error(log, "standard output: cannot write");
    return false;
}
