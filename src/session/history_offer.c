/* SPDX-License-Identifier: BSD-2-Clause */
/* Who offered STARTTLS to whom: servers, pairs of server and client, and the order in which they are forgotten. */
#include "base/memory.h"
#include "session/history_entry.h"

static uint64_t hash_of(const struct history *h, const struct history_peer *server, const struct history_peer *client)
{
    struct history_key key = history_key(server, client);
    return hashmap_hash(&h->offers, &key, sizeof key);
}

static struct history_offer *offer_of_link(struct hashlink *link)
{
    return HISTORY_ENTRY(struct history_offer, link, link);
}

/* ---- forgetting */

static void free_server(struct history *h, struct history_server *server)
{
    hashmap_remove(&h->offers, &server->offer.link);
    memory_free(server);
}

/*
 * A pair was last seen right after its server, or its server was seen since with others: when a server is the oldest one pair at the most
 * refers to it.
 */
static void forget_server(struct history *h, struct history_server *server)
{
    server->unplaced = true;
    server->offer.offered_s = server->lacked_s = 0;
    if (!server->pairs)
        free_server(h, server);
}

static void forget_pair(struct history *h, struct history_pair *pair)
{
    struct history_server *server = pair->server;
    hashmap_remove(&h->offers, &pair->offer.link);
    slab_give(&h->pairs, pair);
    if (--server->pairs == 0 && server->unplaced)
        free_server(h, server);
}

static void forget_oldest(struct history *h)
{
    struct history_offer *oldest = history_offer_at(h->offer_order.oldest);
    history_unplace(&h->offer_order, &oldest->place);
    if (oldest->is_pair)
        forget_pair(h, history_pair_of(oldest));
    else
        forget_server(h, history_server_of(oldest));
}

void history_forget_offers(struct history *h)
{
    while (h->offer_order.oldest)
        forget_oldest(h);
}

/* ---- finding */

/* The next entry of a server after a link, NULL if there is none. */
static struct history_server *server_from(struct hashlink *link, const struct history_peer *peer)
{
    for (; link; link = hashmap_next(link, link->hash)) {
        struct history_offer *offer = offer_of_link(link);
        if (!offer->is_pair && history_same_peer(&history_server_of(offer)->peer, peer))
            return history_server_of(offer);
    }
    return NULL;
}

struct history_server *history_next_server(const struct history *h, const struct history_peer *peer, const struct history_server *from)
{
    struct hashlink *link = from ? hashmap_next(&from->offer.link, from->offer.link.hash)
                                 : hashmap_first(&h->offers, hash_of(h, peer, NULL));
    return server_from(link, peer);
}

static bool is_pair_of(struct history_offer *offer, const struct history_peer *server, const struct history_peer *client)
{
    const struct history_pair *pair = history_pair_of(offer);
    return offer->is_pair && offer->client_family == client->family &&
           memcmp(&pair->client, &client->ip, sizeof pair->client) == 0 && history_same_peer(&pair->server->peer, server);
}

/* The next pair after a link, NULL if there is none. */
static struct history_pair *pair_from(struct hashlink *link, const struct history_peer *server, const struct history_peer *client)
{
    for (; link; link = hashmap_next(link, link->hash))
        if (is_pair_of(offer_of_link(link), server, client))
            return history_pair_of(offer_of_link(link));
    return NULL;
}

struct history_pair *history_next_pair(const struct history *h, const struct history_peer *server, const struct history_peer *client,
                                       const struct history_pair *from)
{
    struct hashlink *link = from ? hashmap_next(&from->offer.link, from->offer.link.hash)
                                 : hashmap_first(&h->offers, hash_of(h, server, client));
    return pair_from(link, server, client);
}

/* ---- remembering */

static void make_room(struct history *h)
{
    if (h->offer_order.count < LIMIT_HISTORY_OFFERS)
        return;
    forget_oldest(h);
    h->forgotten++;
}

static void insert(struct history *h, struct history_offer *offer, uint64_t hash)
{
    hashmap_insert(&h->offers, &offer->link, hash);
    history_place_last(&h->offer_order, &offer->place);
}

static void server_is_newest(struct history *h, struct history_server *server)
{
    bool placed = !server->unplaced;
    server->unplaced = false; /* first, so that it does not go with its last pair */
    if (placed)
        history_unplace(&h->offer_order, &server->offer.place);
    else
        make_room(h);
    history_place_last(&h->offer_order, &server->offer.place);
}

static struct history_server *new_server(struct history *h, uint64_t hash, const struct history_peer *peer,
                                         const struct history_name *banner)
{
    make_room(h);
    struct history_server *server = memory_new(sizeof *server + banner->length);
    if (!server) {
        h->memory_failures++;
        return NULL;
    }
    server->peer = *peer;
    server->name_length = banner->length;
    memcpy(server->name, banner->text, banner->length);
    insert(h, &server->offer, hash);
    return server;
}

struct history_server *history_server_seen(struct history *h, const struct history_peer *peer, const struct history_name *banner)
{
    uint64_t hash = hash_of(h, peer, NULL);
    unsigned names = 0;
    struct history_server *server = server_from(hashmap_first(&h->offers, hash), peer);
    for (; server && !history_server_is(server, banner); server = history_next_server(h, peer, server))
        names++;
    if (server) {
        server_is_newest(h, server);
        return server;
    }
    if (names < LIMIT_HISTORY_NAMES)
        return new_server(h, hash, peer, banner);
    h->forgotten++; /* a server with ever new banner names keeps its first ones */
    return NULL;
}

static struct history_pair *new_pair(struct history *h, uint64_t hash, struct history_server *server,
                                     const struct history_peer *client)
{
    make_room(h); /* not that of the server: it is the newest */
    struct history_pair *pair = slab_take(&h->pairs);
    if (!pair) {
        h->memory_failures++;
        return NULL;
    }
    pair->server = server;
    pair->client = client->ip;
    pair->offer.is_pair = true;
    pair->offer.client_family = client->family;
    server->pairs++;
    insert(h, &pair->offer, hash);
    return pair;
}

struct history_pair *history_pair_seen(struct history *h, const struct history_peer *peer, const struct history_peer *client,
                                       const struct history_name *banner)
{
    uint64_t hash = hash_of(h, peer, client);
    struct history_pair *pair = pair_from(hashmap_first(&h->offers, hash), peer, client);
    while (pair && !history_server_is(pair->server, banner))
        pair = history_next_pair(h, peer, client, pair);
    if (!pair) {
        struct history_server *server = history_server_seen(h, peer, banner);
        return server ? new_pair(h, hash, server, client) : NULL;
    }
    history_unplace(&h->offer_order, &pair->offer.place); /* if it is the oldest, its server may need room */
    server_is_newest(h, pair->server);
    make_room(h);
    history_place_last(&h->offer_order, &pair->offer.place);
    return pair;
}
