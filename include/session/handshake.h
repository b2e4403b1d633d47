/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the files that drive a handshake. Private to session/. */
#ifndef SESSION_HANDSHAKE_H
#define SESSION_HANDSHAKE_H

#include "session/state.h"

/* handshake_client_hello keeps what the first ClientHello of a connection says, in either format. */
void handshake_client_hello(struct sessions *sessions, struct session *session, const struct tls_client_hello *hello,
                            int64_t time_ns);

/* handshake_chosen notes version and cipher of a ServerHello. */
void handshake_chosen(struct handshake *handshake, uint16_t version, uint32_t cipher);

/* handshake_certificate is certificate_get; it counts what is only hashed. */
struct certificate *handshake_certificate(struct sessions *sessions, struct slice der, int64_t time_ns);

/* handshake_is_ssl2 tells whether the first bytes of a side are SSLv2 records: a hello in that format, or the answer to one. */
bool handshake_is_ssl2(const struct handshake *handshake, enum side from, struct slice bytes);

/* handshake_ssl2 takes bytes of SSLv2 records; after a hello in that format it may leave bytes over, which are TLS. */
void handshake_ssl2(struct sessions *sessions, struct session *session, enum side from, struct reader *input, int64_t time_ns);

/* handshake_ssl2_gap: `length` bytes of SSLv2 records are missing. The message that they are part of is not read. */
void handshake_ssl2_gap(struct sessions *sessions, struct session *session, enum side from, uint64_t length);

#endif
