/* SPDX-License-Identifier: BSD-2-Clause */
/* The history as a file of lines, for the next run: "mxtap-state 1", then offer, lacked and failed lines, then "end COUNT". */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "session/history_entry.h"

#define STATE_HEADER "mxtap-state 1"

enum { STATE_LINE = 2048, STATE_WORDS = 9, STATE_NAME = 3 * HISTORY_NAME + 1 };

/* ---- words: no blanks, no controls, never empty */

static const char *put_name(const char *name, uint8_t length, char out[STATE_NAME])
{
    char *p = out;
    if (length == 0 || (length == 1 && *name == '-'))
        return strcpy(out, length ? "%2D" : "-");
    for (const char *c = name; c < name + length; c++) {
        if (*c > 0x20 && *c < 0x7f && *c != '%')
            *p++ = *c;
        else
            p += sprintf(p, "%%%02X", (unsigned char)*c);
    }
    *p = '\0';
    return out;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool get_name(const char *word, struct history_name *name)
{
    name->length = 0;
    if (strcmp(word, "-") == 0)
        word = "";
    for (; *word; word++) {
        int high = *word == '%' ? hex_digit(word[1]) : 0, low = *word == '%' && high >= 0 ? hex_digit(word[2]) : 0;
        if (high < 0 || low < 0 || name->length == HISTORY_NAME)
            return false;
        if (*word == '%') {
            name->text[name->length++] = (char)(high << 4 | low);
            word += 2;
        } else {
            name->text[name->length++] = *word;
        }
    }
    return true;
}

static const char *put_address(const struct history_peer *peer, char out[INET6_ADDRSTRLEN])
{
    return inet_ntop(peer->family == 4 ? AF_INET : AF_INET6, peer->ip.bytes, out, INET6_ADDRSTRLEN);
}

static bool get_number(const char *word, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(word, &end, 10);
    return *word >= '0' && *word <= '9' && !*end && !errno && *number <= most;
}

/* An address, and for servers a port. */
static bool get_peer(const char *address, const char *port, struct history_peer *peer)
{
    uint64_t number = 0;
    *peer = (struct history_peer){.family = strchr(address, ':') ? 6 : 4};
    if (inet_pton(peer->family == 4 ? AF_INET : AF_INET6, address, peer->ip.bytes) != 1)
        return false;
    if (port && !get_number(port, UINT16_MAX, &number))
        return false;
    peer->port = (uint16_t)number;
    return true;
}

/* ---- reading */

static bool read_offer(struct history *h, char **word)
{
    struct history_peer server, client;
    struct history_name banner;
    uint64_t time_s;
    if (!get_peer(word[1], word[2], &server) || !get_name(word[3], &banner) || !get_peer(word[4], NULL, &client) ||
        !get_number(word[5], INT64_MAX, &time_s))
        return false;
    struct history_pair *pair = history_pair_seen(h, &server, &client, &banner);
    if (!pair)
        return true;
    struct history_offer *of_server = &history_server_of(h, pair)->offer;
    pair->offer.offered_s = history_seconds((int64_t)time_s);
    if (of_server->offered_s < pair->offer.offered_s)
        of_server->offered_s = pair->offer.offered_s;
    return true;
}

static bool read_lacked(struct history *h, char **word)
{
    struct history_peer peer, client;
    struct history_name banner;
    uint64_t time_s, several;
    if (!get_peer(word[1], word[2], &peer) || !get_name(word[3], &banner) || !get_peer(word[4], NULL, &client) ||
        !get_number(word[5], INT64_MAX, &time_s) || !get_number(word[6], 1, &several))
        return false;
    struct history_server *server = history_server_seen(h, &peer, &banner);
    if (!server)
        return true;
    server->lacked_s = history_seconds((int64_t)time_s);
    server->lacked_by = client;
    server->lacked_by_several = several;
    return true;
}

/* It goes into events as it is. */
static bool is_community_id(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=:";
    return strspn(text, letters) == strlen(text) && strlen(text) < sizeof((struct history_failure *)NULL)->community_id;
}

static bool read_failed(struct history *h, char **word)
{
    struct history_peer server, client;
    struct history_name hello, banner;
    char *end;
    uint64_t time_ns;
    if (!get_peer(word[1], NULL, &client) || !get_name(word[2], &hello) || !get_peer(word[3], word[4], &server) ||
        !get_name(word[5], &banner) || !get_number(word[6], INT64_MAX, &time_ns) || strlen(word[7]) != 16)
        return false;
    uint64_t uid = strtoull(word[7], &end, 16);
    const char *id = strcmp(word[8], "-") == 0 ? "" : word[8];
    if (*end || !is_community_id(id))
        return false;
    struct history_failure *failure = history_failed(h, &client, &hello, &server, &banner);
    if (!failure)
        return true;
    failure->time_ns = (int64_t)time_ns;
    failure->uid = uid;
    strcpy(failure->community_id, id);
    return true;
}

static const struct {
    const char *word;
    unsigned words;
    bool (*read)(struct history *history, char **word);
} kinds[] = {
    {"offer", 6, read_offer},
    {"lacked", 7, read_lacked},
    {"failed", 9, read_failed},
};

static bool read_line(struct history *h, char *line)
{
    char *word[STATE_WORDS + 1], *rest = NULL;
    unsigned words = 0;
    for (char *w = strtok_r(line, " \n", &rest); w && words <= STATE_WORDS; w = strtok_r(NULL, " \n", &rest))
        word[words++] = w;
    for (size_t i = 0; words && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(word[0], kinds[i].word) == 0)
            return words == kinds[i].words && kinds[i].read(h, word);
    return false;
}

/* The text of what is wrong, NULL if nothing is. */
static const char *read_state(struct history *h, FILE *file, uint64_t *count)
{
    char line[STATE_LINE];
    *count = 1;
    if (!fgets(line, sizeof line, file) || strcmp(line, STATE_HEADER "\n") != 0)
        return "not a state file of this version";
    while (fgets(line, sizeof line, file)) {
        uint64_t told;
        char *newline = strchr(line, '\n');
        ++*count;
        if (!newline)
            return "a line without end";
        if (strncmp(line, "end ", 4) == 0) {
            *newline = '\0';
            return get_number(line + 4, UINT64_MAX, &told) && told == *count - 2 ? NULL : "lines are missing";
        }
        if (!read_line(h, line))
            return "a damaged line";
    }
    return ferror(file) ? "cannot be read" : "it ends too early";
}

static void set_aside(const char *path, struct log *log)
{
    size_t size = strlen(path) + sizeof ".damaged";
    char *aside = memory_new(size);
    if (aside && snprintf(aside, size, "%s.damaged", path) > 0 && rename(path, aside) == 0)
        log_warning(log, "%s: set aside as %s", path, aside);
    memory_free(aside);
}

void history_load(struct history *h, const char *path, struct log *log)
{
    uint64_t count;
    FILE *file = fopen(path, "re");
    if (!file) {
        if (errno != ENOENT)
            log_warning(log, "%s: %s; starting without what was known", path, strerror(errno));
        return;
    }
    const char *wrong = read_state(h, file, &count);
    fclose(file);
    if (!wrong)
        return;
    log_warning(log, "%s: line %" PRIu64 ": %s", path, count, wrong);
    set_aside(path, log);
}

/* ---- writing */

static bool write_pair(const struct history *h, uint32_t entry, FILE *file)
{
    const struct history_pair *pair = history_offer_at(h, entry);
    const struct history_server *server = history_server_of(h, pair);
    bool six = history_kind_of(entry) == HISTORY_PAIR_6;
    char server_ip[INET6_ADDRSTRLEN], client_ip[INET6_ADDRSTRLEN], name[STATE_NAME];
    if (!pair->offer.offered_s || !inet_ntop(six ? AF_INET6 : AF_INET, pair->client, client_ip, sizeof client_ip))
        return false;
    fprintf(file, "offer %s %u %s %s %" PRIu32 "\n", put_address(&server->peer, server_ip), server->peer.port,
            put_name(server->name, server->name_length, name), client_ip, pair->offer.offered_s);
    return true;
}

static bool write_server(const struct history_server *server, FILE *file)
{
    char server_ip[INET6_ADDRSTRLEN], client_ip[INET6_ADDRSTRLEN], name[STATE_NAME];
    if (!server->lacked_s)
        return false;
    fprintf(file, "lacked %s %u %s %s %" PRIu32 " %u\n", put_address(&server->peer, server_ip), server->peer.port,
            put_name(server->name, server->name_length, name), put_address(&server->lacked_by, client_ip), server->lacked_s,
            server->lacked_by_several);
    return true;
}

static uint64_t write_offers(const struct history *h, FILE *file)
{
    uint64_t lines = 0;
    for (uint32_t entry = h->offers.oldest, newer; entry; entry = newer) {
        const struct history_offer *offer = history_offer_at(h, entry);
        newer = offer->newer;
        lines += history_kind_of(entry) == HISTORY_SERVER ? write_server(history_offer_at(h, entry), file) : write_pair(h, entry, file);
    }
    return lines;
}

static bool write_failure(const struct history_failure *f, FILE *file)
{
    char server[INET6_ADDRSTRLEN], client[INET6_ADDRSTRLEN], hello[STATE_NAME], banner[STATE_NAME];
    if (f->time_ns < 0) /* by a clock that is wrong */
        return false;
    fprintf(file, "failed %s %s %s %u %s %" PRId64 " %016" PRIx64 " %s\n", put_address(&f->client, client),
            put_name(f->text, f->hello_length, hello), put_address(&f->server, server), f->server.port,
            put_name(f->text + f->hello_length, f->banner_length, banner), f->time_ns, f->uid,
            *f->community_id ? f->community_id : "-");
    return true;
}

static uint64_t write_failures(const struct history *h, FILE *file)
{
    uint64_t lines = 0;
    for (struct history_place *place = h->failure_order.oldest; place; place = place->newer)
        lines += write_failure(history_failure_at(place), file);
    return lines;
}

static bool write_state(const struct history *h, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    fputs(STATE_HEADER "\n", file);
    uint64_t lines = write_offers(h, file);
    lines += write_failures(h, file);
    fprintf(file, "end %" PRIu64 "\n", lines);
    bool good = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && good;
}

bool history_save(const struct history *h, const char *path, struct log *log)
{
    size_t size = strlen(path) + sizeof ".new";
    char *fresh = memory_new(size);
    bool good = fresh && snprintf(fresh, size, "%s.new", path) > 0 && write_state(h, fresh) && rename(fresh, path) == 0;
    if (!good) {
        log_error(log, "%s: state cannot be written: %s", path, strerror(errno));
        if (fresh)
            remove(fresh); /* a part of it helps nobody, least of all on a full disk */
    }
    memory_free(fresh);
    return good;
}
