/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshake messages of one direction, assembled over any number of records (RFC 8446 4, RFC 5246 7.4). */
#ifndef PROTO_TLS_HANDSHAKE_H
#define PROTO_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/reader.h"

enum tls_handshake_type {
    TLS_HELLO_REQUEST = 0,
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_NEW_SESSION_TICKET = 4,
    TLS_END_OF_EARLY_DATA = 5,
    TLS_HELLO_RETRY_REQUEST_DRAFT = 6, /* drafts of 1.3 before 22 */
    TLS_ENCRYPTED_EXTENSIONS = 8,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CERTIFICATE_VERIFY = 15,
    TLS_CLIENT_KEY_EXCHANGE = 16,
    TLS_FINISHED = 20,
    TLS_CERTIFICATE_STATUS = 22,
    TLS_KEY_UPDATE = 24
};

/* Assembles; holds only an unfinished message, in a buffer of the pool. Zero-initialised is ready. */
struct tls_handshake_framer {
    struct buffer held; /* body of a message that lay in several pieces */
    uint32_t skip;      /* bytes of a message that was cut, still to come */
    uint8_t header[4];
    uint8_t have; /* bytes of the header read so far */
};

enum tls_message_status {
    TLS_MESSAGE_NEED_MORE,
    TLS_MESSAGE_OK,
    TLS_MESSAGE_CUT /* over LIMIT_TLS_MESSAGE, or no buffer left: only the type and the length are told, the body is skipped */
};

struct tls_message {
    uint8_t type;
    uint32_t length;   /* of the body, as announced */
    struct slice body; /* borrowed: from the piece where the message lies in it whole, else from the framer until its next call */
};

/*
 * tls_handshake_next cuts the next message off the front of *payload (payload of handshake records, in order, in any pieces).
 * Call until NEED_MORE. `pool` lends the buffer.
 */
enum tls_message_status tls_handshake_next(struct tls_handshake_framer *framer, struct pool *pool, struct reader *payload,
                                           struct tls_message *out);

/* tls_handshake_reset forgets an unfinished message and gives the buffer back (gap, end of the plain handshake, end of flow). */
void tls_handshake_reset(struct tls_handshake_framer *framer, struct pool *pool);

#endif
