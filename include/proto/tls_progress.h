/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did the handshake complete? Told from the types and lengths of records alone, since in TLS 1.3 all that decides is encrypted.
 * The rule is in mxtap-events(5), "established".
 */
#ifndef PROTO_TLS_PROGRESS_H
#define PROTO_TLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"

enum tls_verdict {
    TLS_UNDECIDED,
    TLS_ESTABLISHED,
    TLS_FAILED
};

struct tls_progress {
    uint8_t verdict;           /* enum tls_verdict */
    uint8_t hash, tag;         /* 1.3: lengths of the suite's hash and AEAD tag */
    bool chosen;               /* a ServerHello was seen */
    bool tls13;
    bool gap;
    bool client_finished;      /* 1.3: the record that carries the client's Finished was seen */
    bool ccs[2];               /* by enum side: sent ChangeCipherSpec */
    bool finished[2];          /* ... and after it a handshake record */
    bool data[2];              /* ... sent application data records, after a gap */
    bool alert_by_shape;       /* what failed it was a record of an encrypted alert's length */
    uint8_t failed_by;         /* enum side */
};

/* tls_progress_chosen tells what the ServerHello chose: the version's rank and the cipher suite's id. */
void tls_progress_chosen(struct tls_progress *progress, enum tls_version version, uint16_t cipher);

/* tls_progress_retry takes a HelloRetryRequest: it is 1.3, but nothing is chosen for good (RFC 8446 4.1.4). */
void tls_progress_retry(struct tls_progress *progress);

/* tls_progress_record takes the next record: its content type and payload length. */
void tls_progress_record(struct tls_progress *progress, enum side from, uint8_t type, uint16_t length);

/* tls_progress_fatal takes a readable fatal alert. */
void tls_progress_fatal(struct tls_progress *progress, enum side from);

/* tls_progress_close takes a FIN (in order) or RST of one side. */
void tls_progress_close(struct tls_progress *progress, enum side from, bool reset);

/* tls_progress_gap: bytes of one side are missing. */
void tls_progress_gap(struct tls_progress *progress);

#endif
