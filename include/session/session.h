/* SPDX-License-Identifier: BSD-2-Clause */
/* From the in-order bytes of both sides of a mail connection to its record: SMTP, then TLS, then what became of it. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/digest.h"
#include "flow/flow.h"
#include "session/record.h"

/* An address block of --local. */
struct network {
    struct address address;
    uint8_t family;
    uint8_t prefix; /* bits */
};

struct session_options {
    const struct network *locals; /* borrowed */
    unsigned local_count;
    const char *sensor, *interface; /* borrowed, NULL absent */
    bool envelope_domains;        /* keep the domains of MAIL FROM and RCPT TO */
    bool offers;                  /* keep the full lists of the ClientHello */
    int64_t linger_ns;            /* a decided record waits this long for the end of its flow */
};

/* What session tells those who write; the record is borrowed for the call, and findings that need the past may be added to it. */
struct session_sink {
    void (*record)(void *user, struct record *record);
    const char *(*source)(void *user, uint16_t capture); /* name of the capture file, NULL: absent */
    void *user;
};

struct sessions;

/* sessions_new returns the session stage (new); options' strings and counters are borrowed. NULL without memory. */
struct sessions *sessions_new(const struct session_options *options, struct session_sink sink, struct counters *counters);

/* sessions_flow_sink returns the callbacks for flow; sessions_follow then says which table they came from. */
struct flow_sink sessions_flow_sink(struct sessions *sessions);
void sessions_follow(struct sessions *sessions, struct flow_table *table);

/* sessions_tick writes the records whose linger is over. Cheap when there is nothing to do. */
void sessions_tick(struct sessions *sessions, int64_t now_ns);

/* sessions_last_smtp_ns returns the time of the last payload that was SMTP, INT64_MIN for none. */
int64_t sessions_last_smtp_ns(const struct sessions *sessions);

/* sessions_held returns the bytes held by sessions and their buffers. */
uint64_t sessions_held(const struct sessions *sessions);

/* sessions_free frees; after flow_finish nothing is open. NULL is allowed. */
void sessions_free(struct sessions *sessions);

#endif
