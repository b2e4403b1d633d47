/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a peer is: its address, host name or registrable domain. Home of libpsl. */
#ifndef REPORT_PEER_H
#define REPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/words.h"
#include "report/aggregate.h"

/* An address in binary form: family 4 or 6. Unused bytes are zero. */
struct peer_address {
    uint8_t family;
    uint8_t bytes[16];
};

/* peer_address_parse reads an address in text form; false if it is none. */
bool peer_address_parse(const char *text, struct peer_address *out);

enum { PEER_CERTIFICATE_NAMES = 16, PEER_NAME = 256 };

/* What an event says about one side. Borrowed; NULL where it says nothing. */
struct peer_evidence {
    const char *ip;
    struct peer_address address;
    const char *announced;      /* host named by the banner, or argument of EHLO */
    enum named_by announced_by; /* NAMED_BY_BANNER or NAMED_BY_HELLO */
    const char *certificate[PEER_CERTIFICATE_NAMES]; /* host names in its certificate */
    unsigned certificates;
};

struct peer_name {
    const char *name; /* valid until the next call */
    enum named_by by;
};

struct peer_namer;

/* peer_namer_new returns a namer (new), NULL without memory. */
struct peer_namer *peer_namer_new(enum peer_by by);
void peer_namer_free(struct peer_namer *namer);

/* peer_namer_set_by changes what a peer is; only before anything was named. */
void peer_namer_set_by(struct peer_namer *namer, enum peer_by by);

/* peer_namer_load reads a names file in the form of hosts(5): an address and its name on each line.
 * False, and a message, if it cannot be read; lines that are not of this form are reported and
 * passed over. */
bool peer_namer_load(struct peer_namer *namer, const char *path, struct log *log);

/* peer_namer_local adds a network of ours, "192.0.2.0/24" or one address; false if it is none. */
bool peer_namer_local(struct peer_namer *namer, const char *cidr);

/* peer_namer_has_local tells whether there is one. */
bool peer_namer_has_local(const struct peer_namer *namer);

/* peer_direction tells the direction by the networks of ours. */
enum direction peer_direction(const struct peer_namer *namer, const struct peer_address *client,
                              const struct peer_address *server);

/* peer_identify names a peer: by the names file, the certificate, what it announced, in this order,
 * else by its address. */
struct peer_name peer_identify(struct peer_namer *namer, const struct peer_evidence *evidence);

/* peer_host_name names one of our own hosts by the names file or what it announced; by NONE and ""
 * if neither is a host name. */
struct peer_name peer_host_name(struct peer_namer *namer, const struct peer_evidence *evidence);

/* peer_host_clean writes a host name in lower case, without "*." in front or a dot at the end;
 * false if it is no host name (RFC 1123 2.1, underscores allowed) of two labels or more. */
bool peer_host_clean(const char *text, char out[PEER_NAME]);

#endif
