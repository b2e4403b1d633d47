/* SPDX-License-Identifier: BSD-2-Clause */
/* An aggregate as lines of JSON, sorted by content, so that equal aggregates are equal files. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/aggregate.h"
#include "report/emit.h"
#include "report/wording.h"

enum { ROWS_PER_LINE = 4096, SCHEMA = 1, DAY = 86400 };

struct writing {
    const struct aggregate *aggregate;
    struct emit emit;
    uint32_t *posture_rank, *pair_rank; /* by number: place in the file */
    bool failed;
};

/* Strings of equal text have equal numbers, so only unequal ones are compared as text. */
static int by_text(const struct aggregate *aggregate, uint32_t a, uint32_t b)
{
    return a == b ? 0 : strcmp(aggregate_text(aggregate, a), aggregate_text(aggregate, b));
}

static int by_posture(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct posture *x = table_at(&aggregate->postures, *(const uint32_t *)a);
    const struct posture *y = table_at(&aggregate->postures, *(const uint32_t *)b);
    int order = memcmp(x, y, offsetof(struct posture, findings));
    order = order ? order : (x->findings > y->findings) - (x->findings < y->findings);
    order = order ? order : by_text(aggregate, x->cipher, y->cipher);
    order = order ? order : by_text(aggregate, x->group, y->group);
    return order ? order : by_text(aggregate, x->reason, y->reason);
}

static int by_pair(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct pair_key *x =
        &((const struct pair *)table_at(&aggregate->pairs, *(const uint32_t *)a))->key;
    const struct pair_key *y =
        &((const struct pair *)table_at(&aggregate->pairs, *(const uint32_t *)b))->key;
    int order = (int)x->direction - (int)y->direction;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER && !order; side++) {
        order = by_text(aggregate, x->name[side], y->name[side]);
        order = order ? order : by_text(aggregate, x->address[side], y->address[side]);
        order = order ? order : (int)x->by[side] - (int)y->by[side];
    }
    return order;
}

static int by_incident(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct incident *x = table_at(&aggregate->incidents, *(const uint32_t *)a);
    const struct incident *y = table_at(&aggregate->incidents, *(const uint32_t *)b);
    int order = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
    order = order ? order : by_text(aggregate, x->uid, y->uid);
    order = order ? order : (x->finding > y->finding) - (x->finding < y->finding);
    order = order ? order : by_text(aggregate, x->client, y->client);
    order = order ? order : by_text(aggregate, x->server, y->server);
    order = order ? order : by_text(aggregate, x->client_name, y->client_name);
    return order ? order : by_text(aggregate, x->server_name, y->server_name);
}

static int by_certificate(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct certificate_key *x =
        &((const struct certificate_seen *)table_at(&aggregate->certificates, *(const uint32_t *)a))
             ->key;
    const struct certificate_key *y =
        &((const struct certificate_seen *)table_at(&aggregate->certificates, *(const uint32_t *)b))
             ->key;
    int order = (x->not_after > y->not_after) - (x->not_after < y->not_after);
    order = order ? order : by_text(aggregate, x->sha256, y->sha256);
    order = order ? order : by_text(aggregate, x->server, y->server);
    return order ? order : by_text(aggregate, x->name, y->name);
}

static int by_sensor(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct sensor_key *x =
        &((const struct sensor_day *)table_at(&aggregate->sensors, *(const uint32_t *)a))->key;
    const struct sensor_key *y =
        &((const struct sensor_day *)table_at(&aggregate->sensors, *(const uint32_t *)b))->key;
    int order = by_text(aggregate, x->name, y->name);
    order = order ? order : by_text(aggregate, x->place, y->place);
    return order ? order : (x->day > y->day) - (x->day < y->day);
}

static int by_run(const void *a, const void *b, void *context)
{
    const struct aggregate *aggregate = context;
    const struct run_key *x =
        &((const struct run *)table_at(&aggregate->runs, *(const uint32_t *)a))->key;
    const struct run_key *y =
        &((const struct run *)table_at(&aggregate->runs, *(const uint32_t *)b))->key;
    int order = by_text(aggregate, x->name, y->name);
    order = order ? order : by_text(aggregate, x->place, y->place);
    order = order ? order : by_text(aggregate, x->run, y->run);
    return order ? order : (x->live > y->live) - (x->live < y->live);
}

/* Returns the item numbers of a table in order of content (new), NULL without memory. */
static uint32_t *sorted(struct writing *w, const struct table *table,
                        int (*compare)(const void *, const void *, void *))
{
    uint32_t *order = memory_new_array(table->count, sizeof *order);
    if (!order) {
        w->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < table->count; i++)
        order[i] = i;
    struct aggregate context = *w->aggregate; /* qsort_r asks for a pointer that is not const */
    qsort_r(order, table->count, sizeof *order, compare, &context);
    return order;
}

static void open_line(struct writing *w, const char *part)
{
    emit_open(&w->emit, NULL, '{');
    emit_text(&w->emit, "event_type", "aggregate");
    emit_number(&w->emit, "schema", SCHEMA);
    emit_text(&w->emit, "part", part);
}

static void close_line(struct writing *w)
{
    emit_close(&w->emit, '}');
    fputc('\n', w->emit.out);
}

static void emit_string(struct writing *w, const char *key, uint32_t string)
{
    if (string)
        emit_text(&w->emit, key, aggregate_text(w->aggregate, string));
}

static void write_header(struct writing *w)
{
    const struct aggregate *aggregate = w->aggregate;
    char threshold[17];
    snprintf(threshold, sizeof threshold, "%016" PRIx64, aggregate->threshold);
    open_line(w, "header");
    emit_text(&w->emit, "by", wording_by(aggregate->by));
    if (aggregate->first_ns <= aggregate->last_ns) {
        emit_integer(&w->emit, "first_ns", aggregate->first_ns);
        emit_integer(&w->emit, "last_ns", aggregate->last_ns);
    }
    emit_text(&w->emit, "folded_from", threshold);
    emit_number(&w->emit, "damaged", aggregate->damaged);
    emit_boolean(&w->emit, "certificates_cut", aggregate->certificates_cut);
    close_line(w);
}

static void write_posture(struct writing *w, uint32_t number, const struct posture *posture)
{
    static const char *const tristates[] = {NULL, "no", "yes"};
    struct emit *emit = &w->emit;
    open_line(w, "posture");
    emit_number(emit, "number", number);
    emit_text(emit, "outcome", word_outcome((enum outcome)posture->outcome));
    if (posture->starttls != STARTTLS_COUNT)
        emit_text(emit, "starttls", word_starttls((enum starttls)posture->starttls));
    emit_text(emit, "client_max", word_tls_version((enum tls_version)posture->client_max));
    emit_text(emit, "version", word_tls_version((enum tls_version)posture->version));
    emit_text(emit, "supports", word_tls_version((enum tls_version)posture->supports));
    emit_text(emit, "client_pfs", tristates[posture->client_pfs]);
    emit_text(emit, "client_pq", tristates[posture->client_pq]);
    emit_text(emit, "pfs", tristates[posture->session_pfs]);
    emit_text(emit, "pq", tristates[posture->session_pq]);
    emit_text(emit, "limited_by", word_side((enum side)posture->limited_by));
    emit_number(emit, "flags", posture->flags);
    emit_open(emit, "findings", '[');
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (posture->findings >> i & 1)
            emit_text(emit, NULL, word_finding((enum finding)i));
    emit_close(emit, ']');
    emit_string(w, "cipher", posture->cipher);
    emit_string(w, "group", posture->group);
    emit_string(w, "reason", posture->reason);
    close_line(w);
}

static void write_side(struct writing *w, const struct pair_key *key, enum side side)
{
    emit_open(&w->emit, word_side(side), '{');
    emit_string(w, "ip", key->address[side]);
    emit_string(w, "name", key->name[side]);
    emit_text(&w->emit, "by", wording_named_by_word((enum named_by)key->by[side]));
    emit_close(&w->emit, '}');
}

struct ranked_row {
    uint32_t pair, posture;
    const struct row *row;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked_row *x = a, *y = b;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    if (x->posture != y->posture)
        return x->posture < y->posture ? -1 : 1;
    return (x->row->key.bucket > y->row->key.bucket) - (x->row->key.bucket < y->row->key.bucket);
}

static void write_cells(struct writing *w, const struct ranked_row *rows, uint32_t count)
{
    const struct pair *pair = table_at(&w->aggregate->pairs, rows[0].row->key.pair);
    open_line(w, "pair");
    emit_text(&w->emit, "direction", word_direction((enum direction)pair->key.direction));
    write_side(w, &pair->key, SIDE_CLIENT);
    write_side(w, &pair->key, SIDE_SERVER);
    emit_open(&w->emit, "rows",
              '['); /* [posture, day since 1970, sessions, second of the last since 1970] */
    for (uint32_t i = 0; i < count; i++) {
        const struct row *row = rows[i].row;
        emit_open(&w->emit, NULL, '[');
        emit_number(&w->emit, NULL, rows[i].posture);
        emit_integer(&w->emit, NULL, row->key.bucket / DAY);
        emit_number(&w->emit, NULL, row->sessions);
        emit_integer(&w->emit, NULL, row->last);
        emit_close(&w->emit, ']');
    }
    emit_close(&w->emit, ']');
    close_line(w);
}

static void write_rows(struct writing *w)
{
    const struct table *rows = &w->aggregate->rows;
    struct ranked_row *ranked = memory_new_array(rows->count, sizeof *ranked);
    if (!ranked || !w->pair_rank || !w->posture_rank) {
        w->failed = true;
        memory_free(ranked);
        return;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct row *row = table_at(rows, i);
        ranked[i] = (struct ranked_row){w->pair_rank[row->key.pair],
                                        w->posture_rank[row->key.posture], row};
    }
    qsort(ranked, rows->count, sizeof *ranked, by_rank);
    for (uint32_t i = 0, end; i < rows->count; i = end) {
        for (end = i;
             end < rows->count && end - i < ROWS_PER_LINE && ranked[end].pair == ranked[i].pair;)
            end++;
        write_cells(w, ranked + i, end - i);
    }
    memory_free(ranked);
}

static uint32_t *ranks_of(struct writing *w, const uint32_t *order, uint32_t count)
{
    uint32_t *ranks = order ? memory_new_array(count, sizeof *ranks) : NULL;
    for (uint32_t i = 0; ranks && i < count; i++)
        ranks[order[i]] = i;
    w->failed |= !ranks;
    return ranks;
}

static void write_cube(struct writing *w)
{
    const struct aggregate *aggregate = w->aggregate;
    uint32_t *postures = sorted(w, &aggregate->postures, by_posture);
    uint32_t *pairs = sorted(w, &aggregate->pairs, by_pair);
    w->posture_rank = ranks_of(w, postures, aggregate->postures.count);
    w->pair_rank = ranks_of(w, pairs, aggregate->pairs.count);
    for (uint32_t i = 0; postures && i < aggregate->postures.count; i++)
        write_posture(w, i, table_at(&aggregate->postures, postures[i]));
    write_rows(w);
    memory_free(postures);
    memory_free(pairs);
    memory_free(w->posture_rank);
    memory_free(w->pair_rank);
}

static void write_incident(struct writing *w, const void *item)
{
    const struct incident *incident = item;
    open_line(w, "incident");
    emit_integer(&w->emit, "time_ns", incident->time_ns);
    emit_string(w, "uid", incident->uid);
    emit_text(&w->emit, "finding", word_finding((enum finding)incident->finding));
    emit_string(w, "client", incident->client);
    emit_string(w, "client_name", incident->client_name);
    emit_string(w, "server", incident->server);
    emit_string(w, "server_name", incident->server_name);
    close_line(w);
}

static void write_certificate(struct writing *w, const void *item)
{
    const struct certificate_seen *seen = item;
    open_line(w, "certificate");
    emit_integer(&w->emit, "not_after", seen->key.not_after);
    emit_string(w, "sha256", seen->key.sha256);
    emit_string(w, "server", seen->key.server);
    emit_string(w, "name", seen->key.name);
    emit_integer(&w->emit, "last", seen->last);
    emit_number(&w->emit, "sessions", seen->sessions);
    close_line(w);
}

static void write_sensor(struct writing *w, const void *item)
{
    const struct sensor_day *day = item;
    char alive[2 * sizeof day->alive + 1];
    for (size_t i = 0; i < sizeof day->alive; i++)
        snprintf(alive + 2 * i, 3, "%02x", day->alive[i]);
    open_line(w, "sensor");
    emit_integer(&w->emit, "day", day->key.day / DAY);
    emit_string(w, "name", day->key.name);
    emit_string(w, "place", day->key.place);
    emit_number(&w->emit, "sessions", day->sessions);
    emit_number(&w->emit, "stats", day->stats);
    emit_text(&w->emit, "alive", alive);
    close_line(w);
}

static void write_run(struct writing *w, const void *item)
{
    const struct run *run = item;
    open_line(w, "run");
    emit_string(w, "name", run->key.name);
    emit_string(w, "place", run->key.place);
    emit_string(w, "run", run->key.run);
    emit_boolean(&w->emit, "live", run->key.live);
    emit_number(&w->emit, "packets", run->packets);
    emit_number(&w->emit, "received", run->received);
    emit_number(&w->emit, "dropped", run->dropped);
    emit_number(&w->emit, "lost", run->lost);
    emit_integer(&w->emit, "last", run->last);
    close_line(w);
}

static void write_table(struct writing *w, const struct table *table,
                        int (*compare)(const void *, const void *, void *),
                        void (*write)(struct writing *, const void *))
{
    uint32_t *order = sorted(w, table, compare);
    for (uint32_t i = 0; order && i < table->count; i++)
        write(w, table_at(table, order[i]));
    memory_free(order);
}

bool aggregate_write(const struct aggregate *aggregate, FILE *out)
{
    struct writing w = {.aggregate = aggregate, .emit = {.out = out}};
    write_header(&w);
    write_cube(&w);
    write_table(&w, &aggregate->incidents, by_incident, write_incident);
    write_table(&w, &aggregate->certificates, by_certificate, write_certificate);
    write_table(&w, &aggregate->sensors, by_sensor, write_sensor);
    write_table(&w, &aggregate->runs, by_run, write_run);
    open_line(&w, "end");
    close_line(&w);
    return !w.failed && !ferror(out);
}
