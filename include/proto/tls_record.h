/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS records of one direction, cut from a byte stream that arrives in any pieces (RFC 8446 5.1, RFC 5246 6.2). */
#ifndef PROTO_TLS_RECORD_H
#define PROTO_TLS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23, TLS_HEARTBEAT = 24 };

enum {
    TLS_RECORD_HEADER = 5,
    TLS_RECORD_MAX = 16384 + 2048 /* RFC 5246 6.2.3: the largest ciphertext fragment of any version */
};

struct tls_record_framer {
    uint8_t header[TLS_RECORD_HEADER];
    uint8_t have;  /* bytes of a header that was cut by the end of a piece */
    uint16_t left; /* bytes of its payload still to come */
    bool lost;     /* not in step with record borders */
};

enum tls_piece_kind {
    TLS_PIECE_NEED_MORE, /* the input is used up */
    TLS_PIECE_RECORD,    /* a record begins: type, version, length; last: it is empty and no payload follows */
    TLS_PIECE_PAYLOAD,   /* bytes of its payload (all types but APPLICATION_DATA, which is skipped by length); last: its end */
    TLS_PIECE_NOT_TLS    /* what comes is no record; the framer is lost, the input stays where this piece of the header began */
};

struct tls_piece {
    enum tls_piece_kind kind;
    uint8_t type;
    uint16_t version;     /* of the record header */
    uint16_t length;      /* of the whole record's payload */
    struct slice payload; /* borrowed from the input */
    bool last;
};

/*
 * tls_record_next cuts the next piece off the front of *input. Call until NEED_MORE or NOT_TLS. Type, version and length of the
 * record are told with its payload as well. NOT_TLS: unknown type, major version other than 3, longer than TLS_RECORD_MAX; empty
 * records pass (OpenSSL takes up to 32 in a row). A framer that is lost says NOT_TLS until tls_record_resync.
 */
struct tls_piece tls_record_next(struct tls_record_framer *framer, struct reader *input);

/*
 * tls_record_gap tells the framer that `length` bytes are missing. True if it is still in step: the hole lay
 * within the payload of one record, perhaps up to its end. Otherwise it is lost.
 */
bool tls_record_gap(struct tls_record_framer *framer, uint64_t length);

/*
 * tls_record_resync is asked at the beginning of a segment when the framer is lost: true, and in step again, if a
 * whole plausible record header stands there and, if the record ends within the input, another one (or its first bytes) follows.
 */
bool tls_record_resync(struct tls_record_framer *framer, struct slice input);

/*
 * tls_record_plausible tells whether bytes look like the start of a record, by as many of the first 5 as are there (none: false):
 * known type, version 3.0 to 3.4, length possible for the type. Stricter than tls_record_next.
 */
bool tls_record_plausible(struct slice input);

#endif
