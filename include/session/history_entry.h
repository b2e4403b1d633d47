/* SPDX-License-Identifier: BSD-2-Clause */
/* What a history is made of. Private to session/. */
#ifndef SESSION_HISTORY_ENTRY_H
#define SESSION_HISTORY_ENTRY_H

#include <assert.h>
#include <string.h>

#include "base/directory.h"
#include "base/hashmap.h"
#include "base/limits.h"
#include "base/slab.h"
#include "session/history.h"

enum { HISTORY_NAME = 255 /* bytes of a name that are looked at: as many as a host's can have */ };

/* One end of a connection. */
struct history_peer {
    struct address ip;
    uint16_t port; /* servers only */
    uint8_t family;
};

/* The name of a host as names are compared, in lower case; length 0: none. */
struct history_name {
    uint8_t length;
    char text[HISTORY_NAME];
};

/*
 * What servers and pairs begin with. There are many: they know each other by entries, numbers of their kind's slab with the kind above
 * them; 0 is none.
 */
struct history_offer {
    uint32_t older, newer; /* in the order in which they were last seen */
    uint32_t hash;         /* of the addresses alone, its low bits */
    uint32_t offered_s;    /* seconds, 0 never; see history_seconds */
};

enum history_kind { HISTORY_SERVER = 1, HISTORY_PAIR_4, HISTORY_PAIR_6 };
enum { HISTORY_KINDS = HISTORY_PAIR_6, HISTORY_KIND_SHIFT = 29 /* as many bits has a number of a slab */ };

/* A server under one banner name. */
struct history_server {
    struct history_offer offer;
    uint32_t entry;
    struct history_peer peer;
    struct history_peer lacked_by; /* the client that last saw a complete reply to EHLO that lacked STARTTLS */
    uint32_t lacked_s;             /* ... and when */
    uint32_t pairs;                /* clients to which it offered, that are remembered */
    bool lacked_by_several;
    bool unplaced; /* forgotten, but its last pair, which is the next to be, still refers to it */
    uint8_t name_length;
    char *name; /* own; NULL if empty */
};

/* A server that offered STARTTLS to one client: 24 bytes where that is of IPv4. */
struct history_pair {
    struct history_offer offer;
    uint32_t server;
    uint8_t client[]; /* 4 bytes or 16, as the kind says */
};

struct history_offers {
    struct directory directory;
    struct slab slabs[HISTORY_KINDS];
    uint64_t key[2]; /* of the hash */
    uint32_t oldest, newest, count;
};

/* Failures in the order in which they were last seen. */
struct history_place {
    struct history_place *older, *newer;
};

struct history_order {
    struct history_place *oldest, *newest;
    uint32_t count;
};

/* A handshake that failed. */
struct history_failure {
    struct history_place place;
    struct hashlink by_address, by_name;
    struct history_peer server, client;
    int64_t time_ns;
    uint64_t uid;
    char community_id[32];
    uint8_t hello_length, banner_length; /* without banner it is not found by name */
    char text[];                         /* EHLO name, banner name */
};

struct history {
    struct history_offers offers;
    struct hashmap failures_by_address, failures_by_name;
    struct history_order failure_order;
    uint64_t forgotten, memory_failures; /* see struct counters */
};

/* HISTORY_ENTRY is the entry that has a part. */
#define HISTORY_ENTRY(type, part, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, part)))

static inline struct history_failure *history_failure_at(struct history_place *place)
{
    return HISTORY_ENTRY(struct history_failure, place, place);
}

static inline enum history_kind history_kind_of(uint32_t entry)
{
    return (enum history_kind)(entry >> HISTORY_KIND_SHIFT);
}

static inline uint32_t history_number_of(uint32_t entry)
{
    return entry & ((UINT32_C(1) << HISTORY_KIND_SHIFT) - 1);
}

/* history_offer_at returns what an entry stands for: all servers and pairs begin with it. */
static inline void *history_offer_at(const struct history *history, uint32_t entry)
{
    return slab_at(&history->offers.slabs[history_kind_of(entry) - 1], history_number_of(entry));
}

static inline struct history_server *history_server_of(const struct history *history, const struct history_pair *pair)
{
    return history_offer_at(history, pair->server);
}

static inline void history_place_last(struct history_order *order, struct history_place *place)
{
    place->newer = NULL;
    place->older = order->newest;
    *(order->newest ? &order->newest->newer : &order->oldest) = place;
    order->newest = place;
    order->count++;
}

static inline void history_unplace(struct history_order *order, struct history_place *place)
{
    *(place->older ? &place->older->newer : &order->oldest) = place->newer;
    *(place->newer ? &place->newer->older : &order->newest) = place->older;
    order->count--;
}

/* What identifies an entry, laid out without holes for hashing. */
struct history_key {
    uint8_t server[16], client[16];
    uint16_t port;
    uint8_t server_family, client_family;
};

/* history_key makes the key of a server (NULL: any) and a client (NULL: any). */
static inline struct history_key history_key(const struct history_peer *server, const struct history_peer *client)
{
    struct history_key key = {0};
    if (server) {
        memcpy(key.server, server->ip.bytes, sizeof key.server);
        key.port = server->port;
        key.server_family = server->family;
    }
    if (client) {
        memcpy(key.client, client->ip.bytes, sizeof key.client);
        key.client_family = client->family;
    }
    return key;
}

static inline bool history_same_peer(const struct history_peer *a, const struct history_peer *b)
{
    return a->family == b->family && a->port == b->port && memcmp(&a->ip, &b->ip, sizeof a->ip) == 0;
}

/* An empty one may have no address. */
static inline bool history_same_name(const char *text, uint8_t length, const struct history_name *name)
{
    return length == name->length && (!length || memcmp(text, name->text, length) == 0);
}

static inline bool history_server_is(const struct history_server *server, const struct history_name *banner)
{
    return history_same_name(server->name, server->name_length, banner);
}

/* history_seconds is a time as offers keep it: outside of 1970 to 2106, which only a clock that is wrong tells, it is 0. */
static inline uint32_t history_seconds(int64_t seconds)
{
    return seconds > 0 && seconds <= UINT32_MAX ? (uint32_t)seconds : 0;
}

/* history_server_seen finds or makes a server's entry, the newest from then on; NULL if it has too many names, or without memory. */
struct history_server *history_server_seen(struct history *history, const struct history_peer *server,
                                           const struct history_name *banner);

/* history_pair_seen does the same for what a client saw, and for its server before. */
struct history_pair *history_pair_seen(struct history *history, const struct history_peer *server, const struct history_peer *client,
                                       const struct history_name *banner);

/* A walk through what has the same addresses, under all names; `entry` is that of what was found last. The history must not change meanwhile. */
struct history_search {
    uint64_t hash;
    uint32_t steps, entry;
};

/* history_search begins one for a server, or, with a client, for pairs. */
struct history_search history_search(const struct history *history, const struct history_peer *server, const struct history_peer *client);

/* history_next_server and history_next_pair return the next one, NULL after the last. */
struct history_server *history_next_server(const struct history *history, const struct history_peer *server,
                                           struct history_search *search);
struct history_pair *history_next_pair(const struct history *history, const struct history_peer *server,
                                       const struct history_peer *client, struct history_search *search);

/* history_init_offers makes an empty memory of them; false without memory. history_free_offers frees it, also then. */
bool history_init_offers(struct history *history);
void history_free_offers(struct history *history);

/* history_failed remembers a failure in place of an older one of the same client and server; NULL without memory. */
struct history_failure *history_failed(struct history *history, const struct history_peer *client, const struct history_name *hello,
                                       const struct history_peer *server, const struct history_name *banner);

/* history_find_failure finds that of a client at that address, else at a server of that name, if it has one; NULL if there is none. */
struct history_failure *history_find_failure(const struct history *history, const struct history_peer *client,
                                             const struct history_name *hello, const struct history_peer *server,
                                             const struct history_name *banner);

/* history_forget_failures frees all of them. */
void history_forget_failures(struct history *history);

#endif
