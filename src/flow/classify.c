/* SPDX-License-Identifier: BSD-2-Clause */
/* The only file that knows nDPI: versions 4.2 to 4.14 and 5, whose interfaces differ. */
#include <string.h>

#include <ndpi/ndpi_api.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/classify.h"

/* ---- nDPI's interface, version by version */

#define NDPI_AT_LEAST(major, minor) (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

#ifdef MXTAP_NDPI_NESTED /* ndpi_protocol has a member `proto`: a compile test of the Makefile, snapshots differ under one version */
#define NDPI_MASTER(protocol) ((protocol).proto.master_protocol)
#define NDPI_APP(protocol) ((protocol).proto.app_protocol)
#else
#define NDPI_MASTER(protocol) ((protocol).master_protocol)
#define NDPI_APP(protocol) ((protocol).app_protocol)
#endif

typedef struct ndpi_detection_module_struct module; /* nDPI's name is too long for any line */

static module *module_new(void)
{
#if NDPI_AT_LEAST(4, 10)
    module *m = ndpi_init_detection_module(NULL);
#else
    module *m = ndpi_init_detection_module(ndpi_no_prefs);
#endif
    if (!m)
        return NULL;
#if !NDPI_AT_LEAST(5, 0)
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(m, &all);
#endif
    ndpi_finalize_initialization(m);
    return m;
}

static ndpi_protocol module_packet(module *m, struct ndpi_flow_struct *flow, const uint8_t *packet, uint16_t length, uint64_t time_ms)
{
#if NDPI_AT_LEAST(4, 6)
    return ndpi_detection_process_packet(m, flow, packet, length, time_ms, NULL);
#else
    return ndpi_detection_process_packet(m, flow, packet, length, time_ms);
#endif
}

/* nDPI's last word, from what it saw alone: no guess from ports or addresses. */
static ndpi_protocol module_give_up(module *m, struct ndpi_flow_struct *flow)
{
#if NDPI_AT_LEAST(5, 0)
    return ndpi_detection_giveup(m, flow);
#else
    uint8_t guessed = 0;
#if NDPI_AT_LEAST(4, 10)
    return ndpi_detection_giveup(m, flow, &guessed);
#else
    return ndpi_detection_giveup(m, flow, 0, &guessed);
#endif
#endif
}

/* ---- packets for it: nDPI takes IP packets, and the session has payload */

enum { CLASSIFY_PAYLOAD = 1400, CLASSIFY_HEADERS = 60 };

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static size_t put_ip(uint8_t *packet, const struct flow *flow, unsigned half, size_t tcp_length)
{
    struct address source = flow_address(flow, half), destination = flow_address(flow, !half);
    if (flow->family == 4) {
        packet[0] = 0x45;
        put16(packet + 2, (unsigned)(20 + tcp_length));
        packet[8] = 64;
        packet[9] = 6;
        memcpy(packet + 12, source.bytes, 4);
        memcpy(packet + 16, destination.bytes, 4);
        return 20;
    }
    packet[0] = 0x60;
    put16(packet + 4, (unsigned)tcp_length);
    packet[6] = 6;
    packet[7] = 64;
    memcpy(packet + 8, source.bytes, 16);
    memcpy(packet + 24, destination.bytes, 16);
    return 40;
}

struct classification {
    struct ndpi_flow_struct *flow;
    ndpi_protocol protocol;
    uint32_t sequence[2]; /* by half */
    uint8_t packets;
    bool shaken; /* the TCP handshake was shown: nDPI asks for it */
};

static size_t make_packet(uint8_t *packet, const struct flow *flow, unsigned half, struct classification *c, uint8_t flags,
                          struct slice payload)
{
    size_t length = payload.length < CLASSIFY_PAYLOAD ? payload.length : CLASSIFY_PAYLOAD;
    memset(packet, 0, CLASSIFY_HEADERS);
    uint8_t *tcp = packet + put_ip(packet, flow, half, 20 + length);
    /* Ports that mean nothing: nDPI would take whatever is on port 25 for SMTP. */
    put16(tcp, 49152 + half);
    put16(tcp + 2, 49152 + !half);
    put32(tcp + 4, c->sequence[half]);
    put32(tcp + 8, flags & TCP_ACK ? c->sequence[!half] : 0);
    tcp[12] = 5 << 4;
    tcp[13] = flags;
    put16(tcp + 14, 0xffff);
    if (length)
        memcpy(tcp + 20, payload.data, length);
    c->sequence[half] += (uint32_t)length + (flags & TCP_SYN ? 1 : 0);
    return (size_t)(tcp + 20 + length - packet);
}

/* ---- the judge */

struct classifier {
    module *module;
    bool tried;
};

struct classifier *classifier_new(void)
{
    return memory_new(sizeof(struct classifier));
}

void classifier_free(struct classifier *classifier)
{
    if (classifier && classifier->module)
        ndpi_exit_detection_module(classifier->module);
    memory_free(classifier);
}

/* The library that runs may be another one than that of the headers: then its structures cannot be trusted. */
static bool module_fits(void)
{
    return ndpi_detection_get_sizeof_ndpi_flow_struct() == sizeof(struct ndpi_flow_struct);
}

struct classification *classify_begin(struct classifier *classifier)
{
    if (!classifier->tried && module_fits())
        classifier->module = module_new();
    classifier->tried = true;
    struct classification *c = classifier->module ? memory_new(sizeof *c) : NULL;
    if (!c)
        return NULL;
    c->flow = memory_new(sizeof *c->flow);
    if (c->flow)
        return c;
    memory_free(c);
    return NULL;
}

size_t classify_size(void)
{
    return sizeof(struct classification) + sizeof(struct ndpi_flow_struct);
}

static void show(struct classifier *classifier, struct classification *c, const struct flow *flow, unsigned half, uint8_t flags,
                 struct slice payload)
{
    uint8_t packet[CLASSIFY_HEADERS + CLASSIFY_PAYLOAD];
    size_t length = make_packet(packet, flow, half, c, flags, payload);
    c->protocol = module_packet(classifier->module, c->flow, packet, (uint16_t)length, (uint64_t)(flow->last_ns / 1000000));
}

static bool is_smtp(unsigned protocol)
{
    return protocol == NDPI_PROTOCOL_MAIL_SMTP || protocol == NDPI_PROTOCOL_MAIL_SMTPS;
}

enum classify_verdict classify_payload(struct classifier *classifier, struct classification *c, const struct flow *flow,
                                       enum side from, struct slice payload)
{
    unsigned client = flow->client, half = from == SIDE_CLIENT ? client : !client;
    if (!c->shaken) {
        c->shaken = true;
        show(classifier, c, flow, client, TCP_SYN, (struct slice){0});
        show(classifier, c, flow, !client, TCP_SYN | TCP_ACK, (struct slice){0});
        show(classifier, c, flow, client, TCP_ACK, (struct slice){0});
    }
    show(classifier, c, flow, half, TCP_PSH | TCP_ACK, payload);
    if (is_smtp(NDPI_MASTER(c->protocol)) || is_smtp(NDPI_APP(c->protocol)))
        return CLASSIFY_SMTP;
    if (NDPI_MASTER(c->protocol) != NDPI_PROTOCOL_UNKNOWN || NDPI_APP(c->protocol) != NDPI_PROTOCOL_UNKNOWN)
        return CLASSIFY_OTHER;
    return ++c->packets < LIMIT_CLASSIFY_PACKETS ? CLASSIFY_OPEN : CLASSIFY_UNKNOWN;
}

const char *classify_name(struct classifier *classifier, struct classification *c)
{
    if (NDPI_MASTER(c->protocol) == NDPI_PROTOCOL_UNKNOWN && NDPI_APP(c->protocol) == NDPI_PROTOCOL_UNKNOWN)
        c->protocol = module_give_up(classifier->module, c->flow);
    unsigned id = NDPI_MASTER(c->protocol) != NDPI_PROTOCOL_UNKNOWN ? NDPI_MASTER(c->protocol) : NDPI_APP(c->protocol);
    return id == NDPI_PROTOCOL_UNKNOWN ? NULL : ndpi_get_proto_name(classifier->module, (uint16_t)id);
}

void classify_end(struct classifier *classifier, struct classification *c)
{
    (void)classifier;
    if (!c)
        return;
    ndpi_free_flow_data(c->flow);
    memory_wipe(c->flow, sizeof *c->flow); /* nDPI keeps user names and passwords */
    memory_free(c->flow);
    memory_free(c);
}
