/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of a network interface, as they come. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "capture/packet.h"

struct live_options {
    const char *interface; /* or "any"; borrowed */
    const char
        *expression;      /* pcap-filter(7), "" for every packet; NULL: what live_filter_of says */
    const uint8_t *ports; /* a bit for each mail port, for that filter; borrowed */
    bool any_port;        /* the same for every port */
    uint32_t snaplen;     /* bytes of a packet */
    uint32_t ring_kib;    /* the kernel's buffer */
    bool promiscuous;
    bool wait;       /* for an interface that is missing or down */
    int fanout;      /* group of workers that share the packets, -1: none */
    uint16_t source; /* what packets say of where they come from */
};

/*
 * A packet lies in an open block of the ring for up to twice LIVE_BLOCK_MS before it can be read:
 * once the ring is drained, what is older than LIVE_SETTLED_NS has been read.
 */
enum { LIVE_BLOCK_MS = 50 };
#define LIVE_SETTLED_NS (250 * INT64_C(1000000))

/* Packets that live_read hands over at the most. */
enum { LIVE_READ_MOST = 4096 };

struct live;

/*
 * live_open opens an interface, with a filter in the kernel, and returns it (new), or NULL after a
 * message. With `wait` it comes back only when the interface is there and up. Needs CAP_NET_RAW.
 */
struct live *live_open(const struct live_options *options, struct log *log)
    __attribute__((warn_unused_result));

/* live_descriptor returns what becomes readable when packets are there: for poll(2). */
int live_descriptor(const struct live *live);

/* live_interface returns its name, borrowed. */
const char *live_interface(const struct live *live);

/* Takes a packet, borrowed for the call. */
typedef void live_packet(void *user, const struct packet *packet);

/* live_ring returns the size of the ring in KiB. */
uint32_t live_ring(const struct live *live);

/*
 * live_pause returns for how many milliseconds a ring may be left alone once it is drained, after
 * `bytes` of packets came within `elapsed_ns`: a sixteenth of it fills meanwhile if they go on like
 * that, and a sudden 10 Gbit/s would fill two fifths of it in the shortest pause. Waking up for each
 * block of the ring costs more than the packets of the block, and whoever sleeps finds cold caches.
 * 0 for a small ring.
 */
int live_pause(uint32_t ring_kib, uint64_t bytes, int64_t elapsed_ns);

/*
 * live_read hands over the packets that are there, never waiting, at most LIVE_READ_MOST.
 * Returns their number, 0 when the ring is drained, -1 when the interface is gone: see live_fault.
 * One that is down, or comes back up, is no error.
 */
int live_read(struct live *live, live_packet *packet, void *user);

/* live_fault returns what ended live_read, for a message after the interface's name; borrowed. */
const char *live_fault(struct live *live);

/* What happened to packets since the start. */
struct live_counts {
    uint64_t received;          /* passed the filter, dropped ones included */
    uint64_t dropped;           /* by the kernel: the ring was full */
    uint64_t interface_dropped; /* by the interface before anything saw them; 0 if not known */
};

/* live_counts asks the kernel. */
struct live_counts live_counts(struct live *live);

/* live_close closes and frees; NULL is allowed. */
void live_close(struct live *live);

/*
 * live_filter_of writes the filter that lets mail through: the ports, with up to two VLAN tags, and
 * fragments and extension headers of IP, which decode sorts out. Returns a string (new), NULL
 * without memory.
 */
char *live_filter_of(const uint8_t *ports, bool any_port, bool tags);

/*
 * live_lets_tunnels tells whether a filter of one's own may let tunnels over UDP through, whatever
 * their addresses.
 */
bool live_lets_tunnels(const char *expression);

/* live_addresses tells the addresses of an interface ("any": of all) as text. */
void live_addresses(const char *interface, void (*found)(void *user, const char *address),
                    void *user);

/* live_list prints the interfaces to standard output; false, after a message, if that failed. */
bool live_list(struct log *log);

#endif
