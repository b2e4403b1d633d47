/* SPDX-License-Identifier: BSD-2-Clause */
/* Which packets of the captures are looked at at all: one compiled program per link type, run
 * before decode. */
#include <stdio.h>

#include <pcap/pcap.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/filter.h"

struct filter_program {
    int link_type;
    bool compiled, warned;
    struct bpf_program code;
};

struct capture_filter {
    const char *expression;
    struct log *log;
    struct filter_program *last; /* of the packet before: most often the right one */
    unsigned count;
    bool usable;
    char reason[PCAP_ERRBUF_SIZE]; /* of the first that did not compile */
    struct filter_program programs[LIMIT_FILTER_LINKS];
};

static bool program_compile(struct capture_filter *filter, struct filter_program *program)
{
    pcap_t *dead = pcap_open_dead(program->link_type, LIMIT_PACKET);
    if (!dead)
        return false;
    bool good =
        pcap_compile(dead, &program->code, filter->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good && !filter->reason[0])
        snprintf(filter->reason, sizeof filter->reason, "%s", pcap_geterr(dead));
    pcap_close(dead);
    return good;
}

/* Finds the program of a link type, or makes it. The last place serves all link types for which
 * there is none left. */
static struct filter_program *program_of(struct capture_filter *filter, int link_type)
{
    for (unsigned i = 0; i < filter->count; i++) {
        if (filter->programs[i].link_type == link_type)
            return &filter->programs[i];
    }
    if (filter->count == LIMIT_FILTER_LINKS)
        return &filter->programs[LIMIT_FILTER_LINKS - 1];
    struct filter_program *program = &filter->programs[filter->count++];
    program->link_type = link_type;
    program->compiled = filter->count < LIMIT_FILTER_LINKS && program_compile(filter, program);
    filter->usable |= program->compiled;
    return program;
}

struct capture_filter *capture_filter_new(const char *expression, struct log *log)
{
    struct capture_filter *filter = memory_new(sizeof *filter);
    if (filter) {
        filter->expression = expression;
        filter->log = log;
    }
    return filter;
}

void capture_filter_prepare(struct capture_filter *filter, int link_type)
{
    program_of(filter, link_type);
}

bool capture_filter_check(struct capture_filter *filter)
{
    if (!filter->count)
        program_of(filter, DLT_EN10MB);
    if (!filter->usable)
        log_error(filter->log, "filter '%s': %s (pcap-filter(7) tells how to write one)",
                  filter->expression, filter->reason);
    return filter->usable;
}

static void program_warn(struct capture_filter *filter, struct filter_program *program)
{
    const char *name = pcap_datalink_val_to_name(program->link_type);
    log_warning(filter->log,
                "filter '%s' makes no sense on link type %d (%s): no packet of it is read",
                filter->expression, program->link_type, name ? name : "unknown");
    program->warned = true;
}

bool capture_filter_match(struct capture_filter *filter, const struct packet *packet)
{
    struct filter_program *program = filter->last;
    if (!program || program->link_type != packet->link_type)
        program = filter->last = program_of(filter, packet->link_type);
    if (!program->compiled) {
        if (!program->warned)
            program_warn(filter, program);
        return false;
    }
    struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
    return pcap_offline_filter(&program->code, &header, packet->data) != 0;
}

void capture_filter_free(struct capture_filter *filter)
{
    if (!filter)
        return;
    for (unsigned i = 0; i < filter->count; i++) {
        if (filter->programs[i].compiled)
            pcap_freecode(&filter->programs[i].code);
    }
    memory_free(filter);
}
