/* SPDX-License-Identifier: BSD-2-Clause */
/* From a finished record and what was seen before to the findings that need both. */
#include <string.h>

#include "base/memory.h"
#include "session/history_entry.h"

/* ---- keys */

/* What identifies an entry, laid out without holes for hashing. */
struct key {
    uint8_t server[16], client[16];
    uint16_t port;
    uint8_t server_family, client_family;
};

static uint64_t hash_key(const struct hashmap *map, const struct history_peer *server, const struct history_peer *client,
                         const char *text)
{
    uint8_t bytes[sizeof(struct key) + HISTORY_NAME];
    struct key key = {0};
    size_t length = strlen(text);
    if (server) {
        memcpy(key.server, server->ip.bytes, 16);
        key.port = server->port;
        key.server_family = server->family;
    }
    if (client) {
        memcpy(key.client, client->ip.bytes, 16);
        key.client_family = client->family;
    }
    memcpy(bytes, &key, sizeof key);
    memcpy(bytes + sizeof key, text, length);
    return hashmap_hash(map, bytes, sizeof key + length);
}

static bool same_peer(const struct history_peer *a, const struct history_peer *b)
{
    return a->family == b->family && a->port == b->port && memcmp(&a->ip, &b->ip, sizeof a->ip) == 0;
}

/* Where only one of two banners names a host they may be of the same server. */
static bool names_agree(const char *a, const char *b)
{
    return !*a || !*b || strcmp(a, b) == 0;
}

/* ---- offers */

static const struct history_peer nobody;

static void offer_unlink(struct history *h, struct offer *offer)
{
    struct offer_list *list = &h->offer_list;
    *(offer->older ? &offer->older->newer : &list->oldest) = offer->newer;
    *(offer->newer ? &offer->newer->older : &list->newest) = offer->older;
    list->count--;
}

static void offer_append(struct history *h, struct offer *offer)
{
    struct offer_list *list = &h->offer_list;
    offer->newer = NULL;
    offer->older = list->newest;
    *(list->newest ? &list->newest->newer : &list->oldest) = offer;
    list->newest = offer;
    list->count++;
}

static struct offer *offer_of_link(struct hashlink *link)
{
    return link ? (struct offer *)(void *)((char *)link - offsetof(struct offer, link)) : NULL;
}

/* The first entry of a server (and client) in a chain of them, one for each banner name. */
static struct offer *offer_first(const struct history *h, const struct history_peer *server, const struct history_peer *client)
{
    uint64_t hash = hash_key(&h->offers, server, client, "");
    for (struct hashlink *link = hashmap_first(&h->offers, hash); link; link = hashmap_next(link, hash)) {
        struct offer *offer = offer_of_link(link);
        if (same_peer(&offer->server, server) && same_peer(&offer->client, client))
            return offer;
    }
    return NULL;
}

static struct offer *offer_next(const struct offer *from)
{
    for (struct hashlink *link = hashmap_next(&from->link, from->link.hash); link; link = hashmap_next(link, from->link.hash)) {
        struct offer *offer = offer_of_link(link);
        if (same_peer(&offer->server, &from->server) && same_peer(&offer->client, &from->client))
            return offer;
    }
    return NULL;
}

static struct offer *offer_find(const struct history *h, const struct history_peer *server, const struct history_peer *client,
                                const char *name)
{
    struct offer *offer = offer_first(h, server, client);
    while (offer && strcmp(offer->name, name) != 0)
        offer = offer_next(offer);
    return offer;
}

static void offer_forget(struct history *h, struct offer *offer)
{
    if (offer->client.family && offer->offered_s) {
        struct offer *whole = offer_find(h, &offer->server, &nobody, offer->name);
        if (whole && whole->clients)
            whole->clients--;
    }
    offer_unlink(h, offer);
    hashmap_remove(&h->offers, &offer->link);
    memory_free(offer);
}

/* A server with ever new banner names keeps its first ones. */
static bool too_many_names(const struct history *h, const struct history_peer *server, const struct history_peer *client)
{
    unsigned names = 0;
    for (const struct offer *offer = offer_first(h, server, client); offer; offer = offer_next(offer))
        names++;
    return names >= LIMIT_HISTORY_NAMES;
}

struct offer *history_offer(struct history *h, const struct history_peer *server, const struct history_peer *client,
                            const char *name)
{
    if (!client)
        client = &nobody;
    struct offer *offer = offer_find(h, server, client, name);
    if (offer) {
        offer_unlink(h, offer);
        offer_append(h, offer);
        return offer;
    }
    if (too_many_names(h, server, client))
        return NULL;
    size_t length = strlen(name);
    offer = memory_new(sizeof *offer + length + 1);
    if (!offer)
        return NULL;
    offer->server = *server;
    offer->client = *client;
    memcpy(offer->name, name, length + 1);
    hashmap_insert(&h->offers, &offer->link, hash_key(&h->offers, server, client, ""));
    offer_append(h, offer);
    if (h->offer_list.count > LIMIT_HISTORY_OFFERS)
        offer_forget(h, h->offer_list.oldest);
    return offer;
}

/* ---- failures */

static void failure_unlink(struct history *h, struct failure *failure)
{
    struct failure_list *list = &h->failure_list;
    *(failure->older ? &failure->older->newer : &list->oldest) = failure->newer;
    *(failure->newer ? &failure->newer->older : &list->newest) = failure->older;
    list->count--;
}

static void failure_forget(struct history *h, struct failure *failure)
{
    failure_unlink(h, failure);
    hashmap_remove(&h->failures_by_address, &failure->by_address);
    if (*failure->banner)
        hashmap_remove(&h->failures_by_name, &failure->by_name);
    memory_free(failure);
}

static struct failure *failure_by_address(const struct history *h, const struct history_peer *client, const char *hello,
                                          const struct history_peer *server)
{
    uint64_t hash = hash_key(&h->failures_by_address, server, client, hello);
    for (struct hashlink *link = hashmap_first(&h->failures_by_address, hash); link; link = hashmap_next(link, hash)) {
        struct failure *failure = (struct failure *)(void *)((char *)link - offsetof(struct failure, by_address));
        if (same_peer(&failure->client, client) && same_peer(&failure->server, server) && strcmp(failure->text, hello) == 0)
            return failure;
    }
    return NULL;
}

static uint64_t hash_name(const struct history *h, const struct history_peer *client, const char *hello, const char *banner)
{
    uint64_t hash = hash_key(&h->failures_by_name, NULL, client, hello);
    return hash * UINT64_C(0x9e3779b97f4a7c15) ^ hash_key(&h->failures_by_name, NULL, NULL, banner);
}

static struct failure *failure_by_name(const struct history *h, const struct history_peer *client, const char *hello,
                                       const char *banner)
{
    uint64_t hash = hash_name(h, client, hello, banner);
    for (struct hashlink *link = hashmap_first(&h->failures_by_name, hash); link; link = hashmap_next(link, hash)) {
        struct failure *failure = (struct failure *)(void *)((char *)link - offsetof(struct failure, by_name));
        if (same_peer(&failure->client, client) && strcmp(failure->text, hello) == 0 && strcmp(failure->banner, banner) == 0)
            return failure;
    }
    return NULL;
}

/* Only the newest failure is found by its names: a client that fails at ever new addresses makes no long chain of them. */
static void name_is_taken(struct history *h, struct failure *failure)
{
    if (!failure)
        return;
    hashmap_remove(&h->failures_by_name, &failure->by_name);
    *failure->banner = '\0';
}

struct failure *history_failure(struct history *h, const struct history_peer *client, const char *hello,
                                const struct history_peer *server, const char *banner)
{
    struct failure *failure = failure_by_address(h, client, hello, server);
    size_t hello_size = strlen(hello) + 1, banner_size = strlen(banner) + 1;
    if (failure)
        failure_forget(h, failure);
    failure = memory_new(sizeof *failure + hello_size + banner_size);
    if (!failure)
        return NULL;
    failure->client = *client;
    failure->server = *server;
    failure->banner = failure->text + hello_size;
    memcpy(failure->text, hello, hello_size);
    memcpy(failure->banner, banner, banner_size);
    hashmap_insert(&h->failures_by_address, &failure->by_address, hash_key(&h->failures_by_address, server, client, hello));
    if (*banner) {
        name_is_taken(h, failure_by_name(h, client, hello, banner));
        hashmap_insert(&h->failures_by_name, &failure->by_name, hash_name(h, client, hello, banner));
    }
    failure->older = h->failure_list.newest;
    *(h->failure_list.newest ? &h->failure_list.newest->newer : &h->failure_list.oldest) = failure;
    h->failure_list.newest = failure;
    if (++h->failure_list.count > LIMIT_HISTORY_FAILURES)
        failure_forget(h, h->failure_list.oldest);
    return failure;
}

/* ---- judging */

/* What of a record the history looks at. */
struct view {
    struct history_peer server, client;
    char banner[HISTORY_NAME], hello[HISTORY_NAME];
    int64_t now_s;
};

/* Host names compare without regard to case; what is longer than any name is cut. */
static void copy_name(char out[HISTORY_NAME], struct slice name)
{
    size_t length = name.length < HISTORY_NAME - 1 ? name.length : HISTORY_NAME - 1;
    for (size_t i = 0; i < length; i++) {
        char c = (char)name.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c ? c : '?';
    }
    out[length] = '\0';
}

static void view_of(const struct record *record, struct view *view)
{
    *view = (struct view){.server = {record->server_ip, record->server_port, record->family},
                          .client = {record->client_ip, 0, record->client_family},
                          .now_s = record->time_ns / 1000000000};
    copy_name(view->banner, record_text(record, record->smtp->server_name));
    copy_name(view->hello, record_text(record, record->smtp->client_name));
}

static bool lately(int64_t then_s, int64_t now_s, int64_t window_s)
{
    return then_s && then_s <= now_s && now_s - then_s <= window_s;
}

/* It offered STARTTLS to this client. */
static bool offered_to_client(const struct history *h, const struct view *v)
{
    for (const struct offer *offer = offer_first(h, &v->server, &v->client); offer; offer = offer_next(offer))
        if (names_agree(offer->name, v->banner) && lately(offer->offered_s, v->now_s, LIMIT_VANISH_WINDOW_S))
            return true;
    return false;
}

/* Somebody else than this client saw it without an offer. */
static bool lacked_by_others(const struct offer *whole, const struct view *v)
{
    return lately(whole->lacked_s, v->now_s, LIMIT_VANISH_WINDOW_S) &&
           (whole->lacked_by_several || !same_peer(&whole->lacked_by, &v->client));
}

/* It offered STARTTLS to every other client seen, and to at least three. */
static bool offered_to_others(const struct history *h, const struct view *v)
{
    uint32_t clients = 0;
    for (const struct offer *whole = offer_first(h, &v->server, &nobody); whole; whole = offer_next(whole)) {
        if (!names_agree(whole->name, v->banner))
            continue;
        if (lacked_by_others(whole, v))
            return false;
        if (lately(whole->offered_s, v->now_s, LIMIT_VANISH_WINDOW_S))
            clients += whole->clients;
    }
    return clients >= 3;
}

static void remember_offer(struct history *h, const struct view *v)
{
    struct offer *whole = history_offer(h, &v->server, NULL, v->banner);
    struct offer *pair = history_offer(h, &v->server, &v->client, v->banner);
    if (!whole || !pair)
        return;
    if (!pair->offered_s)
        whole->clients++;
    pair->offered_s = whole->offered_s = v->now_s;
}

static void remember_lack(struct history *h, const struct view *v)
{
    struct offer *whole = history_offer(h, &v->server, NULL, v->banner);
    if (!whole)
        return;
    bool again = lately(whole->lacked_s, v->now_s, LIMIT_VANISH_WINDOW_S);
    whole->lacked_by_several = again && (whole->lacked_by_several || !same_peer(&whole->lacked_by, &v->client));
    whole->lacked_s = v->now_s;
    whole->lacked_by = v->client;
}

static void judge_offer(struct history *h, struct record *record, const struct view *v)
{
    if (!record->smtp->banner_code)
        return; /* whoever greeted may be another server behind the same address */
    if (record->offer == SMTP_OFFERED) {
        remember_offer(h, v);
    } else if (record->offer == SMTP_LACKED) {
        bool masked = record->findings >> FINDING_STARTTLS_MASKED & 1;
        if (!masked && (offered_to_client(h, v) || offered_to_others(h, v)))
            record->findings |= UINT64_C(1) << FINDING_STARTTLS_VANISHED;
        remember_lack(h, v);
    }
}

static void judge_fallback(struct history *h, struct record *record, const struct view *v)
{
    const struct failure *failure = failure_by_address(h, &v->client, v->hello, &v->server);
    if (!failure && *v->banner)
        failure = failure_by_name(h, &v->client, v->hello, v->banner);
    if (!failure || failure->time_ns > record->time_ns ||
        record->time_ns - failure->time_ns > LIMIT_FALLBACK_WINDOW_S * INT64_C(1000000000))
        return;
    record->findings |= UINT64_C(1) << FINDING_PLAINTEXT_FALLBACK;
    record->have_fallback = true;
    record->fallback_uid = failure->uid;
    record->fallback_time_ns = failure->time_ns;
    memcpy(record->fallback_community_id, failure->community_id, sizeof record->fallback_community_id);
}

static void remember_failure(struct history *h, const struct record *record, const struct view *v)
{
    struct failure *failure = history_failure(h, &v->client, v->hello, &v->server, v->banner);
    if (!failure)
        return;
    failure->time_ns = record->time_ns;
    failure->uid = record->uid;
    memcpy(failure->community_id, record->community_id, sizeof failure->community_id);
}

void history_judge(struct history *h, struct record *record)
{
    struct view view;
    if (!record->have_smtp)
        return;
    view_of(record, &view);
    judge_offer(h, record, &view);
    if (!*view.hello)
        return; /* a client without a name cannot be told from others behind its address */
    if (record->outcome == OUTCOME_PLAINTEXT)
        judge_fallback(h, record, &view);
    else if (record->outcome == OUTCOME_TLS_FAILED)
        remember_failure(h, record, &view);
}

/* ---- */

struct history *history_new(void)
{
    struct history *h = memory_new(sizeof *h);
    if (h && hashmap_init(&h->offers) && hashmap_init(&h->failures_by_address) && hashmap_init(&h->failures_by_name))
        return h;
    history_free(h);
    return NULL;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    while (h->offer_list.oldest)
        offer_forget(h, h->offer_list.oldest);
    while (h->failure_list.oldest)
        failure_forget(h, h->failure_list.oldest);
    hashmap_close(&h->offers);
    hashmap_close(&h->failures_by_address);
    hashmap_close(&h->failures_by_name);
    memory_free(h);
}
