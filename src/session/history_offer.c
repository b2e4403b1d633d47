/* SPDX-License-Identifier: BSD-2-Clause */
/* Who offered STARTTLS to whom: servers, pairs of server and client, and the order in which they are forgotten. */
#include "base/memory.h"
#include "base/siphash.h"
#include "session/history_entry.h"

static struct slab *slab_of(struct history *h, enum history_kind kind)
{
    return &h->offers.slabs[kind - 1];
}

static size_t client_size(enum history_kind kind)
{
    return kind == HISTORY_PAIR_6 ? sizeof(struct address) : 4;
}

static enum history_kind pair_kind(const struct history_peer *client)
{
    return client->family == 6 ? HISTORY_PAIR_6 : HISTORY_PAIR_4;
}

bool history_init_offers(struct history *h)
{
    slab_init(slab_of(h, HISTORY_SERVER), sizeof(struct history_server));
    slab_init(slab_of(h, HISTORY_PAIR_4), offsetof(struct history_pair, client) + client_size(HISTORY_PAIR_4));
    slab_init(slab_of(h, HISTORY_PAIR_6), offsetof(struct history_pair, client) + client_size(HISTORY_PAIR_6));
    siphash_new_key(h->offers.key, h);
    return directory_init(&h->offers.directory);
}

/* ---- order */

static void place_last(struct history *h, uint32_t entry)
{
    struct history_offers *offers = &h->offers;
    struct history_offer *offer = history_offer_at(h, entry), *newest = offers->newest ? history_offer_at(h, offers->newest) : NULL;
    offer->newer = 0;
    offer->older = offers->newest;
    *(newest ? &newest->newer : &offers->oldest) = entry;
    offers->newest = entry;
    offers->count++;
}

static void unplace(struct history *h, const struct history_offer *offer)
{
    struct history_offers *offers = &h->offers;
    struct history_offer *older = offer->older ? history_offer_at(h, offer->older) : NULL;
    struct history_offer *newer = offer->newer ? history_offer_at(h, offer->newer) : NULL;
    *(older ? &older->newer : &offers->oldest) = offer->newer;
    *(newer ? &newer->older : &offers->newest) = offer->older;
    offers->count--;
}

/* ---- forgetting */

static void give_back(struct history *h, const struct history_offer *offer, uint32_t entry)
{
    directory_remove(&h->offers.directory, offer->hash, entry);
    slab_give_numbered(slab_of(h, history_kind_of(entry)), history_number_of(entry));
}

static void free_server(struct history *h, struct history_server *server)
{
    memory_free(server->name);
    give_back(h, &server->offer, server->entry);
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

static void forget_pair(struct history *h, const struct history_pair *pair, uint32_t entry)
{
    struct history_server *server = history_server_of(h, pair);
    give_back(h, &pair->offer, entry);
    if (--server->pairs == 0 && server->unplaced)
        free_server(h, server);
}

static void forget_oldest(struct history *h)
{
    uint32_t entry = h->offers.oldest;
    void *oldest = history_offer_at(h, entry);
    unplace(h, oldest);
    if (history_kind_of(entry) == HISTORY_SERVER)
        forget_server(h, oldest);
    else
        forget_pair(h, oldest, entry);
}

void history_free_offers(struct history *h)
{
    while (h->offers.oldest)
        forget_oldest(h);
    for (size_t i = 0; i < HISTORY_KINDS; i++)
        slab_close(&h->offers.slabs[i]);
    directory_close(&h->offers.directory);
}

/* ---- finding */

struct history_search history_search(const struct history *h, const struct history_peer *server, const struct history_peer *client)
{
    struct history_key key = history_key(server, client);
    return (struct history_search){.hash = siphash(h->offers.key, 1, 3, &key, sizeof key)};
}

static uint32_t next_entry(const struct history *h, struct history_search *search)
{
    return search->entry = directory_next(&h->offers.directory, search->hash, &search->steps);
}

struct history_server *history_next_server(const struct history *h, const struct history_peer *peer, struct history_search *search)
{
    while (next_entry(h, search)) {
        struct history_server *server = history_offer_at(h, search->entry);
        if (history_kind_of(search->entry) == HISTORY_SERVER && history_same_peer(&server->peer, peer))
            return server;
    }
    return NULL;
}

struct history_pair *history_next_pair(const struct history *h, const struct history_peer *server, const struct history_peer *client,
                                       struct history_search *search)
{
    enum history_kind kind = pair_kind(client);
    while (next_entry(h, search)) {
        struct history_pair *pair = history_offer_at(h, search->entry);
        if (history_kind_of(search->entry) == kind && memcmp(pair->client, client->ip.bytes, client_size(kind)) == 0 &&
            history_same_peer(&history_server_of(h, pair)->peer, server))
            return pair;
    }
    return NULL;
}

/* ---- remembering */

static void make_room(struct history *h)
{
    if (h->offers.count < LIMIT_HISTORY_OFFERS)
        return;
    forget_oldest(h);
    h->forgotten++;
}

/* A new entry, the newest; NULL without memory. */
static void *add(struct history *h, enum history_kind kind, uint64_t hash, uint32_t *entry)
{
    uint32_t number = 0;
    struct history_offer *offer = slab_take_numbered(slab_of(h, kind), &number);
    *entry = (uint32_t)kind << HISTORY_KIND_SHIFT | number;
    if (offer && directory_add(&h->offers.directory, hash, *entry)) {
        offer->hash = (uint32_t)hash;
        place_last(h, *entry);
        return offer;
    }
    if (offer)
        slab_give_numbered(slab_of(h, kind), number);
    h->memory_failures++;
    return NULL;
}

static void server_is_newest(struct history *h, struct history_server *server)
{
    bool placed = !server->unplaced;
    server->unplaced = false; /* first, so that it does not go with its last pair */
    if (placed)
        unplace(h, &server->offer);
    else
        make_room(h);
    place_last(h, server->entry);
}

static struct history_server *new_server(struct history *h, uint64_t hash, const struct history_peer *peer,
                                         const struct history_name *banner)
{
    uint32_t entry;
    char *name = banner->length ? memory_new(banner->length) : NULL;
    if (banner->length && !name) {
        h->memory_failures++;
        return NULL;
    }
    make_room(h);
    struct history_server *server = add(h, HISTORY_SERVER, hash, &entry);
    if (!server) {
        memory_free(name);
        return NULL;
    }
    server->entry = entry;
    server->peer = *peer;
    server->name_length = banner->length;
    server->name = name;
    if (name)
        memcpy(name, banner->text, banner->length);
    return server;
}

struct history_server *history_server_seen(struct history *h, const struct history_peer *peer, const struct history_name *banner)
{
    struct history_search search = history_search(h, peer, NULL);
    struct history_server *server;
    unsigned names = 0;
    for (; (server = history_next_server(h, peer, &search)) != NULL && !history_server_is(server, banner);)
        names++;
    if (server) {
        server_is_newest(h, server);
        return server;
    }
    if (names < LIMIT_HISTORY_NAMES)
        return new_server(h, search.hash, peer, banner);
    h->forgotten++; /* a server with ever new banner names keeps its first ones */
    return NULL;
}

static struct history_pair *new_pair(struct history *h, uint64_t hash, struct history_server *server,
                                     const struct history_peer *client)
{
    uint32_t entry;
    enum history_kind kind = pair_kind(client);
    make_room(h); /* not that of the server: it is the newest */
    struct history_pair *pair = add(h, kind, hash, &entry);
    if (!pair)
        return NULL;
    pair->server = server->entry;
    memcpy(pair->client, client->ip.bytes, client_size(kind));
    server->pairs++;
    return pair;
}

struct history_pair *history_pair_seen(struct history *h, const struct history_peer *peer, const struct history_peer *client,
                                       const struct history_name *banner)
{
    struct history_search search = history_search(h, peer, client);
    struct history_pair *pair = history_next_pair(h, peer, client, &search);
    while (pair && !history_server_is(history_server_of(h, pair), banner))
        pair = history_next_pair(h, peer, client, &search);
    if (!pair) {
        struct history_server *server = history_server_seen(h, peer, banner);
        return server ? new_pair(h, search.hash, server, client) : NULL;
    }
    unplace(h, &pair->offer); /* if it is the oldest, its server may need room */
    server_is_newest(h, history_server_of(h, pair));
    make_room(h);
    place_last(h, search.entry);
    return pair;
}
