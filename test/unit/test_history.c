/* SPDX-License-Identifier: BSD-2-Clause */
/* What was seen before: the rules of starttls_vanished and plaintext_fallback, and the state file. */
#include <stdlib.h>

#include "base/limits.h"
#include "captures.h"
#include "session/history.h"
#include "test.h"

#define SECOND INT64_C(1000000000)

static const int64_t start = INT64_C(1700000000) * SECOND;

struct made {
    struct record record;
    struct smtp_facts smtp;
    char text[1024];
};

static struct text_ref put(struct made *made, uint16_t at, const char *string)
{
    memcpy(made->text + at, string, strlen(string));
    return (struct text_ref){.at = at, .length = (uint16_t)strlen(string)};
}

/* A record of client 192.0.2.N to server 198.51.100.25 at a number of seconds. */
static struct made make(unsigned client, const char *hello, const char *banner, int64_t at_s)
{
    struct made made = {.record = {.family = 4, .client_family = 4, .have_smtp = true, .outcome = OUTCOME_NO_MAIL}};
    made.record.time_ns = start + at_s * SECOND;
    made.record.client_ip = (struct address){{192, 0, 2, (uint8_t)client}};
    made.record.server_ip = (struct address){{198, 51, 100, 25}};
    made.record.server_port = 25;
    made.record.uid = 0x0123456789abcdef;
    strcpy(made.record.community_id, "1:FPywpBw0S0EXzNlm9ICwAHzFiVI=");
    made.smtp.client_name = put(&made, 0, hello);
    made.smtp.server_name = put(&made, 512, banner);
    made.smtp.banner_code = 220;
    return made;
}

static uint64_t judge(struct history *history, struct made *made)
{
    made->record.text = made->text;
    made->record.smtp = &made->smtp;
    history_judge(history, &made->record);
    return made->record.findings;
}

static uint64_t offer(struct history *history, unsigned client, enum smtp_offer offer, int64_t at_s)
{
    struct made made = make(client, "mail.example", "mx.example", at_s);
    made.record.offer = (uint8_t)offer;
    return judge(history, &made) >> FINDING_STARTTLS_VANISHED & 1;
}

static void test_vanished(void)
{
    struct history *h = history_new();
    CHECK_INT(offer(h, 1, SMTP_LACKED, 0), 0);
    CHECK_INT(offer(h, 1, SMTP_OFFERED, 10), 0);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 20), 1);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 10 + LIMIT_VANISH_WINDOW_S), 1);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 11 + LIMIT_VANISH_WINDOW_S), 0); /* too long ago */
    history_free(h);
    h = history_new(); /* offered to three others and lacked by none: this client alone lacks it */
    CHECK_INT(offer(h, 2, SMTP_OFFERED, 0), 0);
    CHECK_INT(offer(h, 3, SMTP_OFFERED, 0), 0);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 5), 0); /* two are not enough */
    CHECK_INT(offer(h, 4, SMTP_OFFERED, 6), 0);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 7), 1);
    CHECK_INT(offer(h, 5, SMTP_LACKED, 8), 0); /* another one lacks it too: the server changed */
    history_free(h);
}

static char community[32]; /* of the last fallback */

static uint64_t session(struct history *h, unsigned client, const char *hello, const char *banner, int64_t at_s, enum outcome outcome,
                        uint64_t *uid)
{
    struct made made = make(client, hello, banner, at_s);
    made.record.outcome = outcome;
    made.record.uid = (uint64_t)at_s + 1;
    uint64_t found = judge(h, &made) >> FINDING_PLAINTEXT_FALLBACK & 1;
    *uid = made.record.have_fallback ? made.record.fallback_uid : 0;
    CHECK_INT(found, made.record.have_fallback);
    /* It is written as it is: damage must not get through to the events. */
    for (const char *c = made.record.fallback_community_id; *c; c++)
        CHECK((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f && *c != '"' && *c != '\\');
    snprintf(community, sizeof community, "%s", made.record.fallback_community_id);
    return found;
}

static void test_fallback(void)
{
    struct history *h = history_new();
    uint64_t uid;
    CHECK_INT(session(h, 1, "a.example", "mx.example", 0, OUTCOME_PLAINTEXT, &uid), 0);
    session(h, 1, "a.example", "mx.example", 10, OUTCOME_TLS_FAILED, &uid);
    CHECK_INT(session(h, 1, "b.example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 0); /* another client behind the address */
    CHECK_INT(session(h, 2, "a.example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 0);
    CHECK_INT(session(h, 1, "", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 0);
    CHECK_INT(session(h, 1, "A.Example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 1);
    CHECK_INT(uid, 11);
    CHECK_TEXT(community, "1:FPywpBw0S0EXzNlm9ICwAHzFiVI=");
    CHECK_INT(session(h, 1, "a.example", "mx.example", 5, OUTCOME_PLAINTEXT, &uid), 0); /* before it */
    CHECK_INT(session(h, 1, "a.example", "mx.example", 10 + LIMIT_FALLBACK_WINDOW_S, OUTCOME_PLAINTEXT, &uid), 1);
    CHECK_INT(session(h, 1, "a.example", "mx.example", 11 + LIMIT_FALLBACK_WINDOW_S, OUTCOME_PLAINTEXT, &uid), 0);
    history_free(h);
}

static void test_bounds(void)
{
    struct history *h = history_new();
    uint64_t uid;
    for (unsigned i = 0; i < LIMIT_HISTORY_FAILURES + 100; i++) {
        char hello[32];
        snprintf(hello, sizeof hello, "h%u.example", i);
        session(h, 1, hello, "mx.example", 10, OUTCOME_TLS_FAILED, &uid);
    }
    CHECK_INT(session(h, 1, "h0.example", "other.example", 20, OUTCOME_PLAINTEXT, &uid), 0); /* the oldest is forgotten */
    CHECK_INT(session(h, 1, "h100.example", "other.example", 20, OUTCOME_PLAINTEXT, &uid), 1);
    for (unsigned i = 0; i < 3 * LIMIT_HISTORY_OFFERS; i++) {
        struct made made = make(i & 255, "c.example", "mx.example", 10);
        made.record.client_ip.bytes[1] = (uint8_t)(i >> 8);
        made.record.client_ip.bytes[2] = (uint8_t)(i >> 16);
        made.record.offer = SMTP_OFFERED;
        judge(h, &made);
    }
    history_free(h);
}

/* As offer, of another server. */
static uint64_t offer_of(struct history *history, unsigned server, unsigned client, enum smtp_offer offer)
{
    struct made made = make(client & 255, "mail.example", "mx.example", 10);
    made.record.client_ip.bytes[1] = (uint8_t)(client >> 8);
    made.record.client_ip.bytes[2] = (uint8_t)(client >> 16);
    made.record.server_ip.bytes[3] = (uint8_t)server;
    made.record.offer = (uint8_t)offer;
    return judge(history, &made) >> FINDING_STARTTLS_VANISHED & 1;
}

static uint64_t forgotten(const struct history *history)
{
    struct counters counters = {0};
    history_count(history, &counters);
    CHECK_INT(counters.memory_failures, 0);
    return counters.history_forgotten;
}

/* Server 1 and what client 1 saw of it are the oldest; the server is forgotten, and the other is next. */
static struct history *with_oldest(void)
{
    struct history *h = history_new();
    offer_of(h, 1, 1, SMTP_OFFERED);
    for (unsigned i = 0; i < LIMIT_HISTORY_OFFERS - 3; i++)
        offer_of(h, 2, i, SMTP_OFFERED);
    CHECK_INT(forgotten(h), 0);
    offer_of(h, 2, LIMIT_HISTORY_OFFERS, SMTP_OFFERED);
    CHECK_INT(forgotten(h), 1);
    return h;
}

static void test_last_pair(void)
{
    struct history *h = with_oldest(); /* known as long as its own entry is */
    CHECK_INT(offer_of(h, 1, 1, SMTP_LACKED), 1);
    CHECK_INT(forgotten(h), 2);
    CHECK_INT(offer_of(h, 1, 1, SMTP_LACKED), 0);
    history_free(h);
    h = with_oldest(); /* seen again in time: the next one goes */
    CHECK_INT(offer_of(h, 1, 1, SMTP_OFFERED), 0);
    CHECK_INT(forgotten(h), 2);
    CHECK_INT(offer_of(h, 1, 1, SMTP_LACKED), 1);
    CHECK_INT(offer_of(h, 2, 1, SMTP_LACKED), 1);
    history_free(h);
    h = with_oldest(); /* it goes after its server */
    offer_of(h, 2, LIMIT_HISTORY_OFFERS + 1, SMTP_OFFERED);
    CHECK_INT(forgotten(h), 2);
    CHECK_INT(offer_of(h, 1, 1, SMTP_LACKED), 0);
    CHECK_INT(forgotten(h), 3);
    history_free(h);
}

/* ---- the state file */

static size_t read_whole(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(out, 1, size, file) : 0;
    if (file)
        fclose(file);
    return length;
}

static struct history *filled(void)
{
    struct history *h = history_new();
    uint64_t uid;
    offer(h, 1, SMTP_OFFERED, 0);
    offer(h, 2, SMTP_OFFERED, 1);
    offer(h, 3, SMTP_LACKED, 2);
    session(h, 1, "a.example", "mx.example", 10, OUTCOME_TLS_FAILED, &uid);
    session(h, 2, "we ird%\x01\xff", "", 11, OUTCOME_TLS_FAILED, &uid);
    session(h, 4, "-", "-", 12, OUTCOME_TLS_FAILED, &uid);
    return h;
}

static void test_round_trip(void)
{
    const char *path = in_folder("state"), *second = in_folder("second");
    struct log log = {.verbosity = -1};
    char a[8192], b[8192];
    struct history *h = filled();
    CHECK(history_save(h, path, &log));
    history_free(h);
    h = history_new();
    history_load(h, path, &log);
    CHECK_INT(log.warnings + log.errors, 0);
    uint64_t uid;
    CHECK(history_save(h, second, &log));
    size_t length = read_whole(path, a, sizeof a);
    CHECK(length > 100 && length == read_whole(second, b, sizeof b) && memcmp(a, b, length) == 0);
    CHECK(strncmp(a, "mxtap-state 1\n", 14) == 0);
    CHECK_INT(session(h, 1, "a.example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 1);
    CHECK_INT(uid, 11);
    CHECK_INT(session(h, 2, "we ird%\x01\xff", "", 20, OUTCOME_PLAINTEXT, &uid), 1);
    CHECK_INT(session(h, 4, "-", "-", 20, OUTCOME_PLAINTEXT, &uid), 1);
    CHECK_INT(offer(h, 1, SMTP_LACKED, 30), 1);
    history_free(h);
}

/* Times before 1970 and records without a Community ID must not spoil the file for the next run. */
static void test_odd_records(void)
{
    const char *path = in_folder("odd");
    struct log log = {.verbosity = -1};
    struct history *h = history_new();
    uint64_t uid;
    offer(h, 1, SMTP_OFFERED, -1800000000);
    offer(h, 2, SMTP_LACKED, -1800000000);
    session(h, 1, "a.example", "mx.example", -1800000000, OUTCOME_TLS_FAILED, &uid);
    struct made made = make(9, "n.example", "mx.example", 10);
    made.record.outcome = OUTCOME_TLS_FAILED;
    made.record.community_id[0] = '\0';
    judge(h, &made);
    session(h, 3, "b.example", "mx.example", 10, OUTCOME_TLS_FAILED, &uid);
    CHECK(history_save(h, path, &log));
    history_free(h);
    h = history_new();
    history_load(h, path, &log);
    CHECK_INT(log.warnings + log.errors, 0);
    CHECK_INT(session(h, 3, "b.example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid), 1);
    history_free(h);
}

/* Damage is never fatal: the file is set aside, or what was changed was still a state. */
static void load_damaged(const char *bytes, size_t length, bool *aside)
{
    const char *path = write_data("damaged", bytes, length);
    char moved[600];
    struct log log = {.verbosity = -1};
    struct history *h = history_new();
    uint64_t uid;
    history_load(h, path, &log);
    session(h, 1, "a.example", "mx.example", 20, OUTCOME_PLAINTEXT, &uid);
    snprintf(moved, sizeof moved, "%s.damaged", path);
    *aside = access(moved, F_OK) == 0;
    CHECK_INT(*aside, log.warnings > 0);
    CHECK_INT(access(path, F_OK) == 0, !*aside);
    remove(moved);
    history_free(h);
}

static void test_damage(void)
{
    char state[8192], copy[8192];
    bool aside;
    size_t length = read_whole(in_folder("state"), state, sizeof state);
    load_damaged(state, length, &aside);
    CHECK(!aside);
    for (size_t cut = 0; cut < length; cut++) {
        load_damaged(state, cut, &aside);
        CHECK(aside);
    }
    static const char values[] = {'\0', '\n', ' ', 'x', '9', '\xff'};
    for (size_t at = 0; at < length; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            memcpy(copy, state, length);
            copy[at] = values[v];
            load_damaged(copy, length, &aside);
        }
    load_damaged("mxtap-state 2\nend 0\n", 20, &aside);
    CHECK(aside);
    load_damaged("\x7f" "ELF", 4, &aside);
    CHECK(aside);
    /* A missing one is an empty one. */
    struct log log = {.verbosity = -1};
    struct history *h = history_new();
    history_load(h, in_folder("none"), &log);
    CHECK_INT(log.warnings + log.errors, 0);
    CHECK(!history_save(h, "/nonexistent/folder/state", &log));
    CHECK_INT(log.errors, 1);
    history_free(h);
}

int main(void)
{
    if (!freopen("/dev/null", "w", stderr)) /* the messages about damage; results are counted */
        return 1;
    folder_begin();
    test_vanished();
    test_fallback();
    test_bounds();
    test_last_pair();
    test_round_trip();
    test_odd_records();
    test_damage();
    folder_end();
    return TEST_END();
}
