/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the report remembers of events: counts that can be merged. Whatever the order or grouping of
 * merges, the same events give the same aggregate, and written to a file the same bytes.
 */
#ifndef REPORT_AGGREGATE_H
#define REPORT_AGGREGATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/words.h"
#include "report/table.h"

/* Where a name comes from, the best source last. FOLDED: the peer was folded at --max-peers. */
enum named_by {
    NAMED_BY_NONE,
    NAMED_BY_FOLDED,
    NAMED_BY_ADDRESS,
    NAMED_BY_HELLO,
    NAMED_BY_BANNER,
    NAMED_BY_CERTIFICATE,
    NAMED_BY_FILE,
    NAMED_BY_COUNT
};

/* What a peer is: --by. */
enum peer_by { PEER_BY_DOMAIN, PEER_BY_NAME, PEER_BY_IP, PEER_BY_COUNT };

/* Something that may be known: a boolean of an event that can be absent. */
enum tristate { TRISTATE_UNKNOWN, TRISTATE_NO, TRISTATE_YES };

enum posture_flag {
    POSTURE_INCOMPLETE = 1,  /* the event has `incomplete` */
    POSTURE_SUBSTANTIAL = 2, /* the client sent more than REPORT_SUBSTANTIAL bytes of payload */
    POSTURE_CERTIFICATE = 4, /* the server's certificate was visible */
    POSTURE_RESUMED = 8
};

enum { REPORT_SUBSTANTIAL = 1024 };

/* How a session was protected: everything in an event that a policy can ask for. All of it is the
 * key of its table; numbers of strings are 0 where the event has none. */
struct posture {
    uint8_t outcome;                 /* enum outcome */
    uint8_t starttls;                /* enum starttls; STARTTLS_COUNT: no smtp object */
    uint8_t client_max;              /* enum tls_version, NONE unknown */
    uint8_t version;                 /* ... what the server chose */
    uint8_t supports;                /* ... what the sentinel in the server's random proves */
    uint8_t client_pfs, client_pq;   /* enum tristate: offered */
    uint8_t session_pfs, session_pq; /* enum tristate: chosen */
    uint8_t limited_by;              /* enum side */
    uint8_t flags;                   /* enum posture_flag */
    uint8_t zero;
    uint32_t findings;      /* bits 1 << enum finding */
    uint32_t cipher, group; /* strings: name, else id */
    uint32_t reason;        /* string: why TLS failed; only with outcome tls_failed */
};

/* Who talked with whom. A side that is ours has its address and, if known, its host name; a peer is
 * named by --by, and has its address only where it is not known which side is ours (direction
 * NONE). */
struct pair_key {
    uint32_t address[2], name[2]; /* strings, by enum side */
    uint8_t by[2];                /* enum named_by */
    uint8_t direction;            /* enum direction */
    uint8_t zero;
};
struct pair {
    struct pair_key key;
    uint64_t priority; /* of the peer in it: those with the highest are folded first; 0: never */
};

/* One cell of the cube: sessions of a pair with a posture on a day (UTC). */
struct row_key {
    uint32_t pair, posture;
    int64_t bucket; /* start of the day, seconds since 1970; with a period to keep (--since): the
                       second */
};
struct row {
    struct row_key key;
    uint64_t sessions;
    int64_t last; /* seconds since 1970, of the newest session */
};

/* A session in which somebody interfered, or that fell back to clear text: all of it is its key. */
struct incident {
    int64_t time_ns;
    uint32_t uid, finding;                             /* string; enum finding */
    uint32_t client, server, client_name, server_name; /* strings: addresses, host names */
};

struct certificate_key {
    int64_t not_after;             /* seconds since 1970 */
    uint32_t sha256, server, name; /* strings: digest, address that showed it, first name in it */
    uint32_t zero;
};
struct certificate_seen {
    struct certificate_key key;
    int64_t last; /* seconds since 1970 */
    uint64_t sessions;
};

/* Where events came from, by day: five-minute slots in which the sensor gave a sign of life. */
enum { SENSOR_SLOT = 300, SENSOR_SLOTS = 86400 / SENSOR_SLOT };
struct sensor_key {
    int64_t day;
    uint32_t name, place; /* strings: sensor's name; its interface or file */
};
struct sensor_day {
    struct sensor_key key;
    uint64_t sessions, stats;
    uint8_t alive[SENSOR_SLOTS / 8];
    uint8_t zero[4];
};

/* Packets of one run of mxtap: counters grow during a run, so that the highest are its last. */
struct run_key {
    uint32_t name, place;
    uint32_t run;  /* string: when it started, or for a saved capture the time of its stats */
    uint32_t live; /* drops are counted */
};
struct run {
    struct run_key key;
    uint64_t packets, dropped, received;
    uint64_t lost; /* events that its output did not take */
    int64_t last;  /* seconds since 1970, of its newest stats */
};

struct aggregate {
    enum peer_by by;
    uint32_t max_peers;
    int64_t keep;              /* seconds before the newest session that are wanted; 0: all */
    int64_t first_ns, last_ns; /* period of the sessions; first > last: none */
    uint64_t damaged;          /* lines that could not be used */
    uint64_t threshold; /* peers with this priority or a higher one are folded; UINT64_MAX: none */
    bool certificates_cut; /* some were left out at the limit */
    bool days_only;        /* some came from an aggregate, which knows days only */
    bool failed;           /* memory ran out: the aggregate is not whole */
    uint64_t pairs_next, rows_next, bytes_next; /* when to fold and tidy up */
    struct strings strings;
    struct table postures, pairs, rows, incidents, certificates, sensors, runs;
};

/* aggregate_init makes an empty one. keep: seconds, see --since. */
void aggregate_init(struct aggregate *aggregate, enum peer_by by, uint32_t max_peers, int64_t keep);
void aggregate_close(struct aggregate *aggregate);

/* aggregate_string returns the number of a string; without memory 0, with `failed` set. NULL is 0.
 */
uint32_t aggregate_string(struct aggregate *aggregate, const char *text);

static inline const char *aggregate_text(const struct aggregate *aggregate, uint32_t string)
{
    return strings_text(&aggregate->strings, string);
}

/* aggregate_count adds sessions of a pair with a posture; `seconds` is the time of the newest. The
 * keys are copied; their unused bytes must be zero. */
void aggregate_count(struct aggregate *aggregate, const struct pair_key *pair,
                     const struct posture *posture, int64_t seconds, uint64_t sessions);

/* aggregate_period widens the period. */
void aggregate_period(struct aggregate *aggregate, int64_t first_ns, int64_t last_ns);

/* These add up, or join, what has the same key. Kept within limits: the newest incidents, the
 * certificates that end first. */
void aggregate_incident(struct aggregate *aggregate, const struct incident *incident);
void aggregate_certificate(struct aggregate *aggregate, const struct certificate_seen *certificate);
void aggregate_sensor(struct aggregate *aggregate, const struct sensor_day *day);
void aggregate_run(struct aggregate *aggregate, const struct run *run);

/* aggregate_merge adds all of another aggregate, which stays as it was. */
void aggregate_merge(struct aggregate *into, const struct aggregate *from);

/* aggregate_lower says that peers from this priority on were folded elsewhere, so they are here as
 * well. */
void aggregate_lower(struct aggregate *aggregate, uint64_t threshold);

/* aggregate_tidy folds and drops what is beyond the limits, if it is time to. Numbers of strings
 * change: call it only between events. */
void aggregate_tidy(struct aggregate *aggregate);

/* aggregate_finish does so in any case, and turns seconds into days. More may be added afterwards.
 */
void aggregate_finish(struct aggregate *aggregate);

/* aggregate_cut returns the second from which on sessions are wanted; INT64_MIN: all. */
int64_t aggregate_cut(const struct aggregate *aggregate);

/* aggregate_day returns the start of the UTC day of a second. */
int64_t aggregate_day(int64_t seconds);

/* aggregate_write writes it as lines of JSON, in an order that depends on nothing but what is in
 * it; it must be finished. False if the stream has an error. */
bool aggregate_write(const struct aggregate *aggregate, FILE *out);

#endif
