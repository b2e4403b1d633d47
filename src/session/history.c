/* SPDX-License-Identifier: BSD-2-Clause */
/* From a finished record and what was seen before to the findings that need both. */
#include "base/memory.h"
#include "session/history_entry.h"

/* What of a record the history looks at. */
struct view {
    struct history_peer server, client;
    uint32_t now_s;
    struct history_name banner, hello; /* the latter once it is needed */
};

/* Host names compare without regard to case; what is longer than any name is cut. */
static void copy_name(struct history_name *out, struct slice name)
{
    size_t length = name.length < HISTORY_NAME ? name.length : HISTORY_NAME;
    for (size_t i = 0; i < length; i++) {
        char c = (char)name.data[i];
        out->text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c ? c : '?';
    }
    out->length = (uint8_t)length;
}

static void view_of(const struct record *record, struct view *view)
{
    view->server = (struct history_peer){record->server_ip, record->server_port, record->family};
    view->client = (struct history_peer){record->client_ip, 0, record->client_family};
    view->now_s = history_seconds(record->time_ns / 1000000000);
    copy_name(&view->banner, record_text(record, record->smtp->server_name));
}

/* ---- offers */

/* Where only one of two banners names a host they may be of the same server. */
static bool names_agree(const struct history_server *server, const struct history_name *banner)
{
    return !server->name_length || !banner->length || history_server_is(server, banner);
}

static bool lately(uint32_t then_s, uint32_t now_s)
{
    return then_s && then_s <= now_s && now_s - then_s <= LIMIT_VANISH_WINDOW_S;
}

/* It offered STARTTLS to this client. */
static bool offered_to_client(const struct history *h, const struct view *v)
{
    struct history_search search = history_search(h, &v->server, &v->client);
    for (const struct history_pair *pair; (pair = history_next_pair(h, &v->server, &v->client, &search)) != NULL;)
        if (names_agree(history_server_of(h, pair), &v->banner) && lately(pair->offer.offered_s, v->now_s))
            return true;
    return false;
}

/* Somebody else than this client saw it without an offer. */
static bool lacked_by_others(const struct history_server *server, const struct view *v)
{
    return lately(server->lacked_s, v->now_s) &&
           (server->lacked_by_several || !history_same_peer(&server->lacked_by, &v->client));
}

/* It offered STARTTLS to every other client seen, and to at least three. */
static bool offered_to_others(const struct history *h, const struct view *v)
{
    struct history_search search = history_search(h, &v->server, NULL);
    uint32_t clients = 0;
    for (const struct history_server *server; (server = history_next_server(h, &v->server, &search)) != NULL;) {
        if (!names_agree(server, &v->banner))
            continue;
        if (lacked_by_others(server, v))
            return false;
        if (lately(server->offer.offered_s, v->now_s))
            clients += server->pairs;
    }
    return clients >= 3;
}

static void remember_offer(struct history *h, const struct view *v)
{
    struct history_pair *pair = history_pair_seen(h, &v->server, &v->client, &v->banner);
    if (pair)
        pair->offer.offered_s = history_server_of(h, pair)->offer.offered_s = v->now_s;
}

static void remember_lack(struct history *h, const struct view *v)
{
    struct history_server *server = history_server_seen(h, &v->server, &v->banner);
    if (!server)
        return;
    bool by_others = !history_same_peer(&server->lacked_by, &v->client);
    server->lacked_by_several = lately(server->lacked_s, v->now_s) && (server->lacked_by_several || by_others);
    server->lacked_s = v->now_s;
    server->lacked_by = v->client;
}

static void judge_offer(struct history *h, struct record *record, const struct view *v)
{
    if (record->offer == SMTP_OFFERED) {
        remember_offer(h, v);
        return;
    }
    bool masked = record->findings >> FINDING_STARTTLS_MASKED & 1;
    if (!masked && (offered_to_client(h, v) || offered_to_others(h, v)))
        record->findings |= UINT64_C(1) << FINDING_STARTTLS_VANISHED;
    remember_lack(h, v);
}

/* ---- failures */

static void judge_fallback(const struct history *h, struct record *record, const struct view *v)
{
    const struct history_failure *failure = history_find_failure(h, &v->client, &v->hello, &v->server, &v->banner);
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
    struct history_failure *failure = history_failed(h, &v->client, &v->hello, &v->server, &v->banner);
    if (!failure)
        return;
    failure->time_ns = record->time_ns;
    failure->uid = record->uid;
    memcpy(failure->community_id, record->community_id, sizeof failure->community_id);
}

static void judge_outcome(struct history *h, struct record *record, struct view *v)
{
    copy_name(&v->hello, record_text(record, record->smtp->client_name));
    if (record->outcome == OUTCOME_PLAINTEXT)
        judge_fallback(h, record, v);
    else
        remember_failure(h, record, v);
}

/* ---- */

void history_judge(struct history *h, struct record *record)
{
    struct view view;
    if (!record->have_smtp)
        return;
    /* whoever did not greet may be another server behind the same address */
    bool offer = record->offer != SMTP_OFFER_UNKNOWN && record->smtp->banner_code;
    /* a client without a name cannot be told from others behind its address */
    bool outcome = (record->outcome == OUTCOME_PLAINTEXT || record->outcome == OUTCOME_TLS_FAILED) && record->smtp->client_name.length;
    if (!offer && !outcome)
        return;
    view_of(record, &view);
    if (offer)
        judge_offer(h, record, &view);
    if (outcome)
        judge_outcome(h, record, &view);
}

void history_count(const struct history *h, struct counters *counters)
{
    counters->history_forgotten += h->forgotten;
    counters->memory_failures += h->memory_failures;
}

struct history *history_new(void)
{
    struct history *h = memory_new(sizeof *h);
    if (!h)
        return NULL;
    if (history_init_offers(h) && hashmap_init(&h->failures_by_address) && hashmap_init(&h->failures_by_name))
        return h;
    history_free(h);
    return NULL;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    history_free_offers(h);
    history_forget_failures(h);
    hashmap_close(&h->failures_by_address);
    hashmap_close(&h->failures_by_name);
    memory_free(h);
}
