/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP connections: the five-tuple table, who is client, in-order data of both sides, and the end. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/words.h"
#include "capture/packet.h"
#include "decode/segment.h"

/* One direction. Offsets count payload bytes from the first one of the direction (or of the capture, if it began later). */
struct flow_half {
    uint64_t next;    /* offset of the next byte to deliver; when shunted: of the highest byte seen */
    uint32_t first;   /* sequence number of offset 0 */
    uint32_t acked;   /* the other side acknowledged up to here: low 32 bits of the offset */
};

/* UNPROVEN: nothing has come yet that fits the first segment, which may be a stray. There may be few of them. */
enum flow_list { FLOW_UNPROVEN, FLOW_BARE, FLOW_ACTIVE, FLOW_LISTS };

/* What tells connections apart. Both ends are in a fixed order, the same for both directions: they have one key. */
struct flow_key {
    uint16_t port[2];
    uint16_t vlan[SEGMENT_VLANS];
    uint8_t address[2 * sizeof(struct address)]; /* both, one behind the other: 8 bytes of IPv4, 32 of IPv6 */
};

/*
 * A connection, in two cache lines where it is of IPv4. `client` tells which index of port, address and half is the client's.
 */
struct flow {
    void *session;          /* the sink's, NULL without */
    struct stream *stream;  /* out-of-order data, NULL without */
    struct flow_half half[2];
    int64_t last_ns;        /* time of the last packet */
    uint32_t hash;          /* low bits of the key's hash */
    uint32_t entry;         /* what the table's directory has of it */

    uint32_t queued_s;      /* when it was last moved to the end of its list */
    uint16_t capture;       /* struct packet's source of the first packet */
    uint8_t known[2];       /* half[i].first is set: KNOWN_ states */
    uint8_t seen[2];        /* packets of that half were seen */
    uint8_t fin[2];         /* FIN_ states */
    uint8_t family : 3;     /* 4 or 6 */
    uint8_t list : 2;       /* enum flow_list */
    uint8_t client : 1;     /* index of the client's half */
    uint8_t end_from : 1;   /* index of the half that began the end */
    uint8_t vlans;
    uint8_t began : 2;      /* a bit for each half: where it began is known by its SYN, or by the SYN-ACK to it */
    bool roles_known : 1;   /* by SYN or by port */
    bool syn_seen : 1;      /* of either side */
    bool reuse_asked : 1;
    bool shunted : 1;       /* no data are delivered any more */
    bool had_payload : 1;
    bool mail_port : 1;     /* the server's port is a mail port; where no SYN was seen, one of the two is */
    bool opened : 1;        /* the sink was asked for a session */
    bool proven : 1;        /* a segment came that fits an earlier one: this is a connection, not a lone segment */
    uint32_t stray;         /* where a segment far out of the window ended: the next one that goes on there is believed */
    uint32_t reuse;         /* first sequence number of a SYN that asks for the same ports again */
    struct flow *older, *newer;
    int64_t first_ns;       /* time of the first packet */
    uint16_t port[2];       /* from here on as in struct flow_key */
    uint16_t vlan[SEGMENT_VLANS];
    uint8_t address[];
};

enum { KNOWN_NOT, KNOWN, KNOWN_BY_BOTH /* the other side acknowledged it: no SYN changes it any more */ };
enum { FIN_NONE, FIN_SEEN /* behind a hole */, FIN_DELIVERED };

/*
 * What flow tells the session stage. Bytes are borrowed for the call. `from` is who sent them; in open it is the index of the half, since roles may not be
 * known then (set them with flow_set_client).
 */
struct flow_sink {
    void *(*open)(void *user, struct flow *flow, unsigned half, struct slice first); /* first payload, empty if its half began before it: returns the session, NULL: not followed */
    void (*data)(void *user, struct flow *flow, enum side from, struct slice bytes, int64_t time_ns);
    void (*gap)(void *user, struct flow *flow, enum side from, uint64_t length, bool cut); /* cut: by the capture's snapshot length */
    void (*close_half)(void *user, struct flow *flow, enum side from, int64_t time_ns);    /* its FIN, in order */
    void (*end)(void *user, struct flow *flow, enum end_how how, enum side from);          /* last call: takes flow->session */
    void (*expect)(const void *session, bool end);  /* data for it follow soon (or its end), and it was fetched into the caches: so may be what it points to; NULL: nothing */
    void *user;
};

struct flow_options {
    const uint8_t *ports;    /* 65536 bits: ports to follow; borrowed */
    bool any_port;           /* follow all; `ports` still tells roles */
    bool ignore_vlan;
    uint32_t max_flows;
    int64_t idle_ns;         /* a flow with payload ends after this much silence */
};

struct flow_table;

/* flow_table_new returns a table (new); options' ports, counters are borrowed. NULL without memory. */
struct flow_table *flow_table_new(const struct flow_options *options, struct flow_sink sink, struct counters *counters);

/* A segment on its way into the table, with what finds its connection: filled in by flow_expect. */
struct flow_arrival {
    struct segment segment;
    struct flow_key key;
    uint64_t hash;
    unsigned half; /* index of the sender's half */
};

/* flow_follows tells whether a segment's ports are followed: others need not be brought here. */
bool flow_follows(const struct flow_table *table, const struct segment *segment);

enum { FLOW_EXPECT = CAPTURE_BATCH /* most segments that flow_expect takes */ };

/*
 * flow_expect announces segments: what flow_arrive will touch is fetched into the caches for all of them at once, since waiting
 * for memory is most of what a packet costs.
 */
void flow_expect(const struct flow_table *table, struct flow_arrival *arrivals, unsigned count);

/* flow_arrive takes the next TCP segment; now_ns is the packet clock. */
void flow_arrive(struct flow_table *table, const struct flow_arrival *arrival, int64_t now_ns);

/* flow_segment is all three for one segment. */
void flow_segment(struct flow_table *table, const struct segment *segment, int64_t now_ns);

/* flow_tick lets time pass: timeouts, holes that nobody will fill. Cheap when there is nothing to do. */
void flow_tick(struct flow_table *table, int64_t now_ns);

/* flow_evict ends the flow with data that was silent for longest (END_EVICTED); false if there is none. Between segments only. */
bool flow_evict(struct flow_table *table);

/* flow_finish ends all flows as at the end of the capture (END_EOF), oldest first. */
void flow_finish(struct flow_table *table);

/* flow_shunt: the session needs no more data of this flow; only its bytes are counted and its end is awaited. */
void flow_shunt(struct flow_table *table, struct flow *flow);

/* flow_set_client says which half is the client's, where neither SYN nor port told. */
void flow_set_client(struct flow *flow, unsigned half);

/* flow_bytes returns how many payload bytes a side sent, by sequence numbers. */
uint64_t flow_bytes(const struct flow *flow, enum side from);

/* flow_held returns the bytes that the table and its streams hold. */
uint64_t flow_held(const struct flow_table *table);

/* flow_table_free frees; flows that were not finished vanish without an end. NULL is allowed. */
void flow_table_free(struct flow_table *table);

/* flow_address returns the address of the half with that index; of IPv4 the first four bytes. */
struct address flow_address(const struct flow *flow, unsigned half);

/* flow_began tells whether it is known where a half began. */
static inline bool flow_began(const struct flow *flow, unsigned half)
{
    return flow->began >> half & 1;
}

static inline enum side flow_side(const struct flow *flow, unsigned half)
{
    return half == flow->client ? SIDE_CLIENT : SIDE_SERVER;
}

#endif
