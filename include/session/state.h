/* SPDX-License-Identifier: BSD-2-Clause */
/* An open session, as the files of this stage share it. Private to session/. */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include <assert.h>

#include "base/buffer.h"
#include "base/slab.h"
#include "flow/classify.h"
#include "proto/proxy.h"
#include "proto/smtp_dialog.h"
#include "proto/smtp_line.h"
#include "proto/tls_handshake.h"
#include "proto/tls_hello.h"
#include "proto/tls_progress.h"
#include "proto/tls_record.h"
#include "session/session.h"

/* A TLS handshake that was begun; arrays by enum side. */
struct handshake {
    struct tls_record_framer record[2];
    struct tls_progress progress;
    struct tls_facts facts;
    uint32_t session_id_hash;     /* of the ClientHello's session id; 0: it had none */
    uint8_t alert[2][2];          /* an alert that is being read */
    uint8_t alert_have[2];
    bool encrypted[2];            /* records of this side tell no more than their type */
    bool heard[2];                /* bytes were seen from this side */
    bool begun[2];                /* ... and a whole record header among them */
    bool gap[2];
    bool skip_payload[2];         /* the rest of this record follows a hole: no message begins in it */
    bool full;                    /* Certificate, ServerKeyExchange or ServerHelloDone was seen: a full handshake of 1.2 or below */
    bool ssl2_format[2];          /* this side's next record is an SSLv2 one */
};

/* SSLv2 records that are being read; arrays by enum side. */
struct ssl2_reader {
    uint8_t have[2];     /* bytes of a record header read so far */
    uint8_t header[2][3];
    uint16_t left[2];    /* bytes of the record still to come */
    bool broken[2];      /* part of the record that is being read is in a hole */
    bool lost[2];        /* a hole went over its end: where the next one begins is not known */
    uint8_t state;       /* see handshake_ssl2.c */
    struct buffer body;  /* a message that is being read; one side speaks at a time */
};

/* What few sessions need, or only until a line or message is whole: made on demand. */
struct session_parts {
    struct smtp_line_framer line[2];
    struct tls_handshake_framer message[2];
    struct buffer wait;            /* client bytes that cannot be judged before the server's reply */
    struct buffer *lent;           /* what waited, while it is read */
    uint32_t wait_from;            /* bytes of `wait` that were judged already */
    bool have_proxied;
    struct proxy_header proxied;   /* who the client is behind a proxy */
    struct ssl2_reader ssl2;
    struct buffer first[2];        /* the first bytes of a side where they are no SMTP: nDPI may be asked what they are */
    struct classification *classification; /* nDPI's question that is open or answered, NULL: none was asked */
    uint8_t head[2][TLS_RECORD_HEADER], head_length[2]; /* see session_hold */
    const char *mechanism;         /* SASL mechanism of the AUTH exchange that runs; static */
};

enum session_mode {
    SESSION_SMTP,     /* lines; nothing speaks against SMTP so far */
    SESSION_TLS,
    SESSION_FOREIGN   /* neither */
};

struct session {
    struct flow *flow;
    struct smtp_dialog dialog;
    struct smtp_facts smtp;
    struct handshake *handshake;
    struct session_parts *parts;   /* NULL: none was needed; see parts_of */
    char *text;
    uint32_t place;                /* where it waits for its linger to pass: see struct linger; 0: it does not */
    uint32_t findings;             /* of the dialog, a bit each */
    uint16_t text_length, text_capacity;
    uint8_t mode;                  /* enum session_mode */
    uint8_t verdict;               /* enum classify_verdict */
    bool spoke[2];                 /* payload was seen, by enum side */
    bool gap[2];
    bool hole[2];                  /* bytes of that side are missing, for whatever reason */
    bool joined[2];                /* the line that is being read may have begun in a hole */
    bool passing[2];               /* ... and is no command or reply: passed over up to its end; of a session without parts */
    bool tls_gap[2];               /* a hole where the side's part of the handshake may have begun */
    bool resync[2];                /* after a hole: looking for where to go on */
    bool cut : 1;
    bool text_cut : 1;             /* something was longer than is kept: a string, list, line or message */
    bool midstream : 1;
    bool tls_begun : 1;            /* 220 to STARTTLS, or TLS from the first byte */
    bool tls_first : 1;            /* ... from the first byte of its side */
    bool tls_inside : 1;           /* the capture begins inside TLS */
    bool foreign : 1;              /* neither SMTP nor TLS at first; TLS that follows is told, the outcome stays not_smtp */
    bool smtp_seen : 1;            /* some of it was SMTP */
    bool names_smtp : 1;           /* the greeting says so */
    bool answer_missing : 1;       /* the reply to STARTTLS, which decides whether TLS was begun */
    bool strange : 1;              /* the client's line that is being read is no command, and told as such when it ends: nothing of it is kept */
    bool proxy_over : 1;           /* the client's first bytes were judged: a PROXY header or none */
    bool decided : 1;              /* only waits to be written */
    bool server_first : 1;         /* the server's first bytes came first */
    bool worth_open : 1;           /* judged, but whether that is worth it only its first payload in order will tell */
    bool early : 1;                /* the client did not wait for the reply to STARTTLS, and with what is not known yet */
    bool server_last : 1;          /* the server's bytes were read last */
    bool server_turn : 1;          /* ... came last: they may be held */
    bool in_injected : 1;          /* the server is within a line that it put after the 220 */
    bool holds : 1;                /* see session_hold */
    bool settling : 1;             /* ... what is held is judged as it is */
    bool judged : 1;               /* not a mail port: it is a mail session only if nDPI, or else the dialog, says so */
};

static_assert(sizeof(struct session) <= 160, "two and a half cache lines");
static_assert(FINDING_COUNT <= 32, "findings are bits");

extern const struct session_parts session_no_parts; /* all zero */

/* parts_of is for reading; session_parts makes them, NULL (counted) without memory. */
static inline const struct session_parts *parts_of(const struct session *session)
{
    return session->parts ? session->parts : &session_no_parts;
}

/* Decided sessions that wait for the end of their flow, in a ring: all wait equally long. */
struct linger {
    struct linger_place *places; /* twice as many when they are full, up to LIMIT_WAITING */
    uint32_t mask;               /* their number - 1 */
    uint32_t oldest, length;     /* in places; those that were taken out count until the ring comes round */
};

bool linger_init(struct linger *linger) __attribute__((warn_unused_result));
void linger_close(struct linger *linger);

/* linger_append makes a session wait until due_ns; the ring must not be full. linger_remove takes it out; one that does not wait is allowed. */
void linger_append(struct linger *linger, struct session *session, int64_t due_ns);
void linger_remove(struct linger *linger, struct session *session);
bool linger_full(struct linger *linger); /* and can have no more places */

/* linger_due takes out the session that has waited longest if it is due; NULL for none. */
struct session *linger_due(struct linger *linger, int64_t now_ns);

struct sessions {
    struct session_options options;
    struct session_sink sink;
    struct counters *counters;
    struct flow_table *table;
    struct pool pool;
    struct slab session_slab, handshake_slab, parts_slab, text_slab;
    struct smtp_line_framer line;        /* of a session without parts: lines that lie in one piece leave nothing in it */
    struct tls_handshake_framer message; /* likewise */
    struct digests *digests;
    struct certificate_cache *certificates;
    struct fingerprints *fingerprints;
    struct classifier *classifier;
    struct linger linger;
    uint64_t held;
    int64_t now_ns, last_smtp_ns;
};

/* session_limit notes that something of the session is longer than is kept: in its record and in the counts. */
static inline void session_limit(struct sessions *sessions, struct session *session)
{
    session->text_cut = true;
    sessions->counters->buffer_limit++;
}

struct session_parts *session_parts(struct sessions *sessions, struct session *session);

/* session_keep_text copies at most LIMIT_TEXT bytes of a string from the wire into the session; without memory it is left out. */
void session_keep_text(struct sessions *sessions, struct session *session, struct slice bytes, struct text_ref *ref);
void session_keep_bytes(struct sessions *sessions, struct session *session, struct slice bytes, size_t most, struct text_ref *ref);

enum { SESSION_TEXT_FIRST = 96 /* what most sessions keep, in a block of a slab; beyond it an allocation of their own */ };

/* session_free_text frees what the session has kept. */
void session_free_text(struct sessions *sessions, struct session *session);

/* session_smtp_client and _server take in-order bytes of SMTP; they return with bytes left over when the mode changed. */
void session_smtp_client(struct sessions *sessions, struct session *session, struct reader *input, int64_t time_ns);
void session_smtp_server(struct sessions *sessions, struct session *session, struct reader *input, int64_t time_ns);
void session_smtp_gap(struct sessions *sessions, struct session *session, enum side from, uint64_t length);

/*
 * session_strip_proxy takes a PROXY header off the client's first bytes; false while it is not known whether they are one (then the
 * input is used up). Afterwards *input may lie in session.wait, which is released when it was used.
 */
bool session_strip_proxy(struct sessions *sessions, struct session *session, struct reader *input);

/* session_worth_judging is the cheap look at the first payload on a port that is no mail port: could this be SMTP? */
bool session_worth_judging(struct slice first);

/* session_judge shows nDPI the payload of a judged session; of others it keeps what nDPI needs to name them, should they be no mail. */
void session_judge(struct sessions *sessions, struct session *session, enum side from, struct slice payload);

/* session_is_mail tells, at the end of a judged session, whether it is one. */
bool session_is_mail(const struct session *session);

/* session_protocol returns the name of what a foreign connection speaks (static), NULL unknown. */
const char *session_protocol(struct sessions *sessions, struct session *session);

/* session_begin_tls makes the session's handshake (again, if there was one before that failed); false without memory. */
bool session_begin_tls(struct sessions *sessions, struct session *session);

/* session_tls takes in-order bytes of one side of TLS. It returns with bytes left over if the other side turned out to speak no TLS: then mode is SESSION_SMTP again. */
void session_tls(struct sessions *sessions, struct session *session, enum side from, struct reader *input, int64_t time_ns);
void session_tls_gap(struct sessions *sessions, struct session *session, enum side from, uint64_t length);

void session_tls_close(struct session *session, enum side from, bool reset, int64_t time_ns);

/* session_release_tls_buffers gives back what a handshake holds of unfinished messages. */
void session_release_tls_buffers(struct sessions *sessions, struct session *session);

/* session_free_tls gives back the handshake and what it holds. */
void session_free_tls(struct sessions *sessions, struct session *session);

/* session_looks_like_tls tells whether bytes are the start of a TLS record or of an SSLv2 (format) ClientHello. */
bool session_looks_like_tls(struct slice bytes);

/* session_may_be_tls tells whether they may become one, as far as they go. */
bool session_may_be_tls(struct slice bytes);

/*
 * session_hold keeps a rest of input that is no longer than a record header, and the first of its side, or such that may become TLS or
 * goes on with a header, until more of this side comes, or the other speaks, or anything ends; true: nothing is left. session_head takes
 * out what is held and returns its length (0: nothing).
 */
bool session_hold(struct sessions *sessions, struct session *session, enum side from, struct reader *input);
size_t session_head(struct session *session, enum side from, uint8_t head[TLS_RECORD_HEADER]);

/* session_judge_early says what it was that the client sent before the reply to STARTTLS, if that is not told yet. */
void session_judge_early(struct session *session);

/* session_outcome tells what became of a session that ends so; session_incomplete what of it is missing (bits of INCOMPLETE_). */
enum outcome session_outcome(const struct session *session, enum end_how how);
unsigned session_incomplete(const struct session *session);

/* session_unmistakable: it has SMTP or a hello, which no noise looks like. */
bool session_unmistakable(const struct session *session);

/* session_findings returns the findings that the record's own facts give: the table of rules. */
uint64_t session_findings(const struct session *session, const struct record *record);

/* Identity of a record, see mxtap-events(5). */
void identity_uid(struct digests *digests, struct record *record);
void identity_community(struct digests *digests, struct record *record);
enum direction identity_direction(const struct session_options *options, const struct record *record);

#endif
