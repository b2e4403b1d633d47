/* SPDX-License-Identifier: BSD-2-Clause */
/* The header that HAProxy puts before a connection's first byte (PROXY protocol, versions 1 and 2): who the client really is. */
#ifndef PROTO_PROXY_H
#define PROTO_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

enum proxy_status {
    PROXY_NONE,      /* the bytes are no such header */
    PROXY_NEED_MORE, /* they may be the beginning of one */
    PROXY_LOCAL,     /* a header that names nobody (UNKNOWN, LOCAL, other families) */
    PROXY_CLIENT     /* a header that names the client */
};

enum {
    PROXY_V1_MAX = 107, /* section 2.1: the longest line, with its CRLF */
    PROXY_V2_MAX = 1024 /* addresses and TLVs; the specification allows 65551, none that is in use comes near */
};

struct proxy_header {
    uint8_t family;       /* 4 or 6 */
    uint8_t client[16];   /* network byte order; IPv4 in the first 4 bytes */
    uint16_t client_port;
    size_t size;          /* of the header */
};

/* proxy_parse looks at the first bytes of a connection. Pure. */
enum proxy_status proxy_parse(struct slice bytes, struct proxy_header *out);

#endif
