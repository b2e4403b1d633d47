/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to decode/: IP datagrams in reassembly (RFC 791 3.2, RFC 8200 4.5). */
#ifndef DECODE_FRAGMENT_H
#define DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/hashmap.h"
#include "base/reader.h"
#include "decode/segment.h"

/*
 * What fragments of one datagram have in common. No VLAN: the parts of one datagram need not be
 * tagged alike.
 */
struct fragment_key {
    struct address source, destination;
    uint32_t id;
    uint8_t family;
    uint8_t protocol; /* IPv4; 0 in IPv6 */
    uint8_t zero[2];  /* the key is hashed and compared as bytes */
};

struct fragment {
    struct fragment_key key;
    uint32_t offset;    /* in bytes */
    struct slice bytes; /* borrowed */
    uint8_t protocol;   /* of the datagram's payload: that of the first fragment counts */
    bool more;          /* others follow */
    bool cut;           /* the capture lacks its end */
};

struct datagram;

struct fragments {
    struct counters *counters;
    struct hashmap map;
    struct datagram *oldest, *newest; /* by arrival of their first fragment */
    uint32_t held;                    /* bytes in pieces */
};

/* A datagram put together: the payload behind its IP header(s). */
struct whole {
    uint8_t *data; /* new: memory_free it */
    uint32_t length;
    uint8_t protocol;
};

enum fragment_state { FRAGMENT_HELD, FRAGMENT_WHOLE, FRAGMENT_MALFORMED };

/* fragments_init prepares an empty table; false without memory. `counters` is borrowed. */
bool fragments_init(struct fragments *fragments, struct counters *counters);

/* fragments_close drops all that is held. A zeroed table is allowed. */
void fragments_close(struct fragments *fragments);

/*
 * fragments_add takes one more fragment, at packet time `now` (ns). WHOLE: it completed a datagram,
 * which is in *out. HELD: it waits for others, or was given up and counted. A datagram is given up
 * at 30 seconds, at the limits, when a fragment was cut by the capture, and in IPv6 when fragments
 * overlap (RFC 5722); in IPv4 the first copy wins.
 */
enum fragment_state fragments_add(struct fragments *fragments, const struct fragment *fragment,
                                  int64_t now, struct whole *out);

#endif
