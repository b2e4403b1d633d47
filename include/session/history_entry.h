/* SPDX-License-Identifier: BSD-2-Clause */
/* What a history is made of. Private to session/. */
#ifndef SESSION_HISTORY_ENTRY_H
#define SESSION_HISTORY_ENTRY_H

#include "base/hashmap.h"
#include "base/limits.h"
#include "session/history.h"

/* One end of a connection. */
struct history_peer {
    struct address ip;
    uint16_t port; /* servers only */
    uint8_t family;
};

/* A server as a whole (client.family 0), or as one client saw it, under one banner name; times in seconds, 0 never. */
struct offer {
    struct hashlink link;
    struct offer *older, *newer;
    struct history_peer server, client;
    int64_t offered_s; /* it offered STARTTLS */
    int64_t lacked_s;  /* a complete reply to EHLO lacked it */
    struct history_peer lacked_by; /* whole server: the client that last saw that */
    bool lacked_by_several;
    uint32_t clients;  /* whole server: clients to which it offered, that are remembered */
    char name[];       /* of the banner, lower case, "" none */
};

/* A handshake that failed. */
struct failure {
    struct hashlink by_address, by_name;
    struct failure *older, *newer;
    struct history_peer server, client;
    int64_t time_ns;
    uint64_t uid;
    char community_id[32];
    char *banner;  /* in text, "" none */
    char text[];   /* EHLO name, NUL, banner name, NUL; lower case */
};

struct offer_list {
    struct offer *oldest, *newest;
    uint32_t count;
};

struct failure_list {
    struct failure *oldest, *newest;
    uint32_t count;
};

struct history {
    struct hashmap offers, failures_by_address, failures_by_name;
    struct offer_list offer_list;
    struct failure_list failure_list;
};

enum { HISTORY_NAME = 256 };

/* history_offer finds or makes the entry of a server (client NULL: as a whole), and makes it the newest; NULL without memory. */
struct offer *history_offer(struct history *history, const struct history_peer *server, const struct history_peer *client,
                            const char *name);

/* history_failure remembers a failure in place of an older one of the same client and server; NULL without memory. */
struct failure *history_failure(struct history *history, const struct history_peer *client, const char *hello,
                                const struct history_peer *server, const char *banner);

#endif
