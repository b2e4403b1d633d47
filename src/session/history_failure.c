/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes that failed lately, by client and server, and by client and the name of the server. */
#include "base/memory.h"
#include "session/history_entry.h"

/* ---- finding */

/* Of a key, then a name, then another. */
static uint64_t hash_of(const struct hashmap *map, struct history_key key, const struct history_name *hello,
                        const struct history_name *banner)
{
    uint8_t bytes[sizeof key + 2 * sizeof *hello];
    size_t length = sizeof key;
    memcpy(bytes, &key, length);
    memcpy(bytes + length, hello, 1u + hello->length);
    length += 1u + hello->length;
    if (banner) {
        memcpy(bytes + length, banner->text, banner->length);
        length += banner->length;
    }
    return hashmap_hash(map, bytes, length);
}

static uint64_t hash_addresses(const struct history *h, const struct history_peer *client, const struct history_name *hello,
                               const struct history_peer *server)
{
    return hash_of(&h->failures_by_address, history_key(server, client), hello, NULL);
}

static uint64_t hash_names(const struct history *h, const struct history_peer *client, const struct history_name *hello,
                           const struct history_name *banner)
{
    return hash_of(&h->failures_by_name, history_key(NULL, client), hello, banner);
}

static bool is_of(const struct history_failure *failure, const struct history_peer *client, const struct history_name *hello)
{
    return history_same_peer(&failure->client, client) && history_same_name(failure->text, failure->hello_length, hello);
}

static struct history_failure *find_by_address(const struct history *h, uint64_t hash, const struct history_peer *client,
                                               const struct history_name *hello, const struct history_peer *server)
{
    for (struct hashlink *link = hashmap_first(&h->failures_by_address, hash); link; link = hashmap_next(link, hash)) {
        struct history_failure *failure = HISTORY_ENTRY(struct history_failure, by_address, link);
        if (is_of(failure, client, hello) && history_same_peer(&failure->server, server))
            return failure;
    }
    return NULL;
}

static struct history_failure *find_by_name(const struct history *h, uint64_t hash, const struct history_peer *client,
                                            const struct history_name *hello, const struct history_name *banner)
{
    for (struct hashlink *link = hashmap_first(&h->failures_by_name, hash); link; link = hashmap_next(link, hash)) {
        struct history_failure *failure = HISTORY_ENTRY(struct history_failure, by_name, link);
        if (is_of(failure, client, hello) &&
            history_same_name(failure->text + failure->hello_length, failure->banner_length, banner))
            return failure;
    }
    return NULL;
}

struct history_failure *history_find_failure(const struct history *h, const struct history_peer *client,
                                             const struct history_name *hello, const struct history_peer *server,
                                             const struct history_name *banner)
{
    struct history_failure *failure = find_by_address(h, hash_addresses(h, client, hello, server), client, hello, server);
    if (failure || !banner->length)
        return failure;
    return find_by_name(h, hash_names(h, client, hello, banner), client, hello, banner);
}

/* ---- remembering */

static void forget(struct history *h, struct history_failure *failure)
{
    history_unplace(&h->failure_order, &failure->place);
    hashmap_remove(&h->failures_by_address, &failure->by_address);
    if (failure->banner_length)
        hashmap_remove(&h->failures_by_name, &failure->by_name);
    memory_free(failure);
}

void history_forget_failures(struct history *h)
{
    while (h->failure_order.oldest)
        forget(h, history_failure_at(h->failure_order.oldest));
}

static void make_room(struct history *h)
{
    if (h->failure_order.count < LIMIT_HISTORY_FAILURES)
        return;
    forget(h, history_failure_at(h->failure_order.oldest));
    h->forgotten++;
}

static struct history_failure *new_failure(struct history *h, const struct history_peer *client, const struct history_name *hello,
                                           const struct history_peer *server, const struct history_name *banner)
{
    struct history_failure *failure = memory_new(sizeof *failure + hello->length + banner->length);
    if (!failure) {
        h->memory_failures++;
        return NULL;
    }
    failure->client = *client;
    failure->server = *server;
    failure->hello_length = hello->length;
    failure->banner_length = banner->length;
    memcpy(failure->text, hello->text, hello->length);
    memcpy(failure->text + hello->length, banner->text, banner->length);
    return failure;
}

/* Only the newest failure is found by its names: a client that fails at ever new addresses makes no long chain of them. */
static void take_name(struct history *h, struct history_failure *failure, const struct history_name *hello,
                      const struct history_name *banner)
{
    uint64_t hash = hash_names(h, &failure->client, hello, banner);
    struct history_failure *before = find_by_name(h, hash, &failure->client, hello, banner);
    if (before) {
        hashmap_remove(&h->failures_by_name, &before->by_name);
        before->banner_length = 0;
    }
    hashmap_insert(&h->failures_by_name, &failure->by_name, hash);
}

struct history_failure *history_failed(struct history *h, const struct history_peer *client, const struct history_name *hello,
                                       const struct history_peer *server, const struct history_name *banner)
{
    uint64_t hash = hash_addresses(h, client, hello, server);
    struct history_failure *failure = find_by_address(h, hash, client, hello, server);
    if (failure)
        forget(h, failure);
    make_room(h);
    failure = new_failure(h, client, hello, server, banner);
    if (!failure)
        return NULL;
    hashmap_insert(&h->failures_by_address, &failure->by_address, hash);
    if (banner->length)
        take_name(h, failure, hello, banner);
    history_place_last(&h->failure_order, &failure->place);
    return failure;
}
