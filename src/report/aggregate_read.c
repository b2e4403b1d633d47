/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of an aggregate file, written by aggregate_write, back into the aggregate that is being
 * made. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/memory.h"
#include "report/events.h"
#include "report/wording.h"

enum { DAY = 86400 };

/* What the lines so far said: rows refer to the postures of their own file. */
struct aggregate_lines {
    struct posture *postures; /* strings are those of the aggregate at hand: see `texts` */
    struct posture_texts {
        char *cipher, *group,
            *reason; /* owned: numbers of strings change when the aggregate is tidied */
    } * texts;
    uint32_t count, capacity;
    bool open;    /* a header was read, and no end yet */
    bool refused; /* its header does not fit: its lines are passed over */
};

static void lines_clear(struct aggregate_lines *lines)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        memory_free(lines->texts[i].cipher);
        memory_free(lines->texts[i].group);
        memory_free(lines->texts[i].reason);
    }
    memory_free(lines->postures);
    memory_free(lines->texts);
    memset(lines, 0, sizeof *lines);
}

static bool integer_of(const json_t *object, const char *key, int64_t least, int64_t most,
                       int64_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return false;
    *out = json_integer_value(value);
    return *out >= least && *out <= most;
}

static uint8_t version_of(const json_t *line, const char *key)
{
    const char *word = event_text(line, key);
    return word ? (uint8_t)word_tls_version_of(word) : TLS_VERSION_NONE;
}

static uint8_t tristate_of(const json_t *line, const char *key)
{
    const char *word = event_text(line, key);
    return !word ? TRISTATE_UNKNOWN : strcmp(word, "yes") == 0 ? TRISTATE_YES : TRISTATE_NO;
}

static uint8_t side_of(const char *word)
{
    return !word                         ? SIDE_NONE
           : strcmp(word, "client") == 0 ? SIDE_CLIENT
           : strcmp(word, "server") == 0 ? SIDE_SERVER
                                         : SIDE_NONE;
}

static uint32_t findings_of(const json_t *list)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        enum finding finding = word ? word_finding_of(word) : FINDING_COUNT;
        if (finding < FINDING_COUNT)
            bits |= UINT32_C(1) << finding;
    }
    return bits;
}

static enum peer_by by_of(const char *word)
{
    unsigned by = 0;
    while (by < PEER_BY_COUNT && strcmp(wording_by((enum peer_by)by), word) != 0)
        by++;
    return (enum peer_by)by;
}

/* An aggregate by another notion of peer cannot be added. The first one decides if nothing else
 * did. */
static bool header_fits(struct event_reader *reader, enum peer_by by)
{
    struct aggregate *aggregate = reader->aggregate;
    if (!reader->by_given && aggregate->rows.count == 0) {
        aggregate->by = by;
        peer_namer_set_by(reader->namer, by);
        reader->by_given = true;
    }
    return aggregate->by == by;
}

static const char *take_header(struct event_reader *reader, const json_t *line)
{
    struct aggregate_lines *lines = reader->part;
    const char *by = event_text(line, "by"), *folded = event_text(line, "folded_from");
    bool was_open = lines->open;
    lines_clear(lines);
    if (was_open)
        return "the aggregate before this one has no end: part of it is missing";
    if (!by || by_of(by) == PEER_BY_COUNT || !folded)
        return "an aggregate's header that is not whole";
    lines->open = true;
    lines->refused = !header_fits(reader, by_of(by));
    if (lines->refused)
        return "an aggregate whose peers are of another kind: give the same --by, and no events by "
               "another one";
    int64_t first, last, damaged;
    if (integer_of(line, "first_ns", INT64_MIN, INT64_MAX, &first) &&
        integer_of(line, "last_ns", first, INT64_MAX, &last))
        aggregate_period(reader->aggregate, first, last);
    if (integer_of(line, "damaged", 0, INT64_MAX, &damaged))
        reader->aggregate->damaged += (uint64_t)damaged;
    reader->aggregate->certificates_cut |= json_is_true(json_object_get(line, "certificates_cut"));
    reader->aggregate->days_only = true;
    aggregate_lower(reader->aggregate, strtoull(folded, NULL, 16));
    reader->aggregates++;
    return NULL;
}

static char *copy_text(const json_t *line, const char *key)
{
    const char *text = event_text(line, key);
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? memory_new(size) : NULL;
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static bool reserve_posture(struct aggregate_lines *lines)
{
    if (lines->count < lines->capacity)
        return true;
    uint32_t want = lines->capacity * 2 + 64;
    struct posture *postures = memory_resize(lines->postures, want * sizeof *postures);
    if (postures)
        lines->postures = postures;
    struct posture_texts *texts = memory_resize(lines->texts, want * sizeof *texts);
    if (texts)
        lines->texts = texts;
    if (!postures || !texts)
        return false;
    lines->capacity = want;
    return true;
}

static const char *take_posture(struct event_reader *reader, const json_t *line)
{
    struct aggregate_lines *lines = reader->part;
    const char *outcome = event_text(line, "outcome"), *starttls = event_text(line, "starttls");
    int64_t number, flags;
    if (!integer_of(line, "number", lines->count, lines->count, &number) ||
        !integer_of(line, "flags", 0, 255, &flags) || !outcome ||
        word_outcome_of(outcome) == OUTCOME_COUNT || !reserve_posture(lines))
        return "a posture of an aggregate that is not whole";
    struct posture *posture = &lines->postures[lines->count];
    *posture = (struct posture){
        .outcome = (uint8_t)word_outcome_of(outcome),
        .starttls = (uint8_t)(starttls ? word_starttls_of(starttls) : STARTTLS_COUNT),
        .client_max = version_of(line, "client_max"),
        .version = version_of(line, "version"),
        .supports = version_of(line, "supports"),
        .client_pfs = tristate_of(line, "client_pfs"),
        .client_pq = tristate_of(line, "client_pq"),
        .session_pfs = tristate_of(line, "pfs"),
        .session_pq = tristate_of(line, "pq"),
        .limited_by = side_of(event_text(line, "limited_by")),
        .flags = (uint8_t)flags,
        .findings = findings_of(json_object_get(line, "findings")),
    };
    lines->texts[lines->count++] = (struct posture_texts){
        copy_text(line, "cipher"), copy_text(line, "group"), copy_text(line, "reason")};
    return NULL;
}

static enum direction direction_of(const char *word)
{
    for (unsigned i = DIRECTION_INBOUND; word && i <= DIRECTION_EXTERNAL; i++)
        if (strcmp(word, word_direction((enum direction)i)) == 0)
            return (enum direction)i;
    return DIRECTION_NONE;
}

static bool take_side(struct event_reader *reader, const json_t *side, struct pair_key *key,
                      enum side which)
{
    const char *by = event_text(side, "by");
    if (!by || wording_named_by_of(by) == NAMED_BY_COUNT)
        return false;
    key->by[which] = (uint8_t)wording_named_by_of(by);
    key->address[which] = aggregate_string(reader->aggregate, event_text(side, "ip"));
    key->name[which] = aggregate_string(reader->aggregate, event_text(side, "name"));
    return true;
}

static bool take_row(struct event_reader *reader, const struct pair_key *key, const json_t *row)
{
    const struct aggregate_lines *lines = reader->part;
    int64_t cell[4];
    if (json_array_size(row) != 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (!json_is_integer(json_array_get(row, i)))
            return false;
        cell[i] = json_integer_value(json_array_get(row, i));
    }
    if (cell[0] < 0 || cell[0] >= lines->count || cell[1] < -EVENT_DAYS || cell[1] > EVENT_DAYS ||
        cell[2] < 1 || aggregate_day(cell[3]) != cell[1] * DAY)
        return false;
    struct posture posture = lines->postures[cell[0]];
    const struct posture_texts *texts = &lines->texts[cell[0]];
    posture.cipher = aggregate_string(reader->aggregate, texts->cipher);
    posture.group = aggregate_string(reader->aggregate, texts->group);
    posture.reason = aggregate_string(reader->aggregate, texts->reason);
    aggregate_count(reader->aggregate, key, &posture, cell[3], (uint64_t)cell[2]);
    reader->sessions += (uint64_t)cell[2];
    return true;
}

static const char *take_pair(struct event_reader *reader, const json_t *line)
{
    static const char not_whole[] = "a pair of an aggregate that is not whole";
    struct pair_key key = {.direction = (uint8_t)direction_of(event_text(line, "direction"))};
    if (!take_side(reader, json_object_get(line, "client"), &key, SIDE_CLIENT) ||
        !take_side(reader, json_object_get(line, "server"), &key, SIDE_SERVER))
        return not_whole;
    const json_t *rows = json_object_get(line, "rows");
    bool whole = json_is_array(rows);
    for (size_t i = 0; i < json_array_size(rows); i++)
        whole = take_row(reader, &key, json_array_get(rows, i)) && whole;
    return whole ? NULL : not_whole;
}

static const char *take_incident(struct event_reader *reader, const json_t *line)
{
    const char *finding = event_text(line, "finding");
    struct aggregate *aggregate = reader->aggregate;
    struct incident incident = {0};
    if (!integer_of(line, "time_ns", INT64_MIN, INT64_MAX, &incident.time_ns) || !finding ||
        word_finding_of(finding) == FINDING_COUNT)
        return "an incident of an aggregate that is not whole";
    incident.finding = word_finding_of(finding);
    incident.uid = aggregate_string(aggregate, event_text(line, "uid"));
    incident.client = aggregate_string(aggregate, event_text(line, "client"));
    incident.client_name = aggregate_string(aggregate, event_text(line, "client_name"));
    incident.server = aggregate_string(aggregate, event_text(line, "server"));
    incident.server_name = aggregate_string(aggregate, event_text(line, "server_name"));
    aggregate_incident(aggregate, &incident);
    return NULL;
}

static const char *take_certificate(struct event_reader *reader, const json_t *line)
{
    struct aggregate *aggregate = reader->aggregate;
    struct certificate_seen seen = {0};
    int64_t sessions;
    if (!integer_of(line, "not_after", INT64_MIN, INT64_MAX, &seen.key.not_after) ||
        !integer_of(line, "last", INT64_MIN, INT64_MAX, &seen.last) ||
        !integer_of(line, "sessions", 1, INT64_MAX, &sessions))
        return "a certificate of an aggregate that is not whole";
    seen.sessions = (uint64_t)sessions;
    seen.key.sha256 = aggregate_string(aggregate, event_text(line, "sha256"));
    seen.key.server = aggregate_string(aggregate, event_text(line, "server"));
    seen.key.name = aggregate_string(aggregate, event_text(line, "name"));
    aggregate_certificate(aggregate, &seen);
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_alive(const char *text, struct sensor_day *day)
{
    if (!text || strlen(text) != 2 * sizeof day->alive)
        return false;
    for (size_t i = 0; i < sizeof day->alive; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        day->alive[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char *take_sensor(struct event_reader *reader, const json_t *line)
{
    struct aggregate *aggregate = reader->aggregate;
    struct sensor_day day = {0};
    int64_t number, sessions, stats;
    if (!integer_of(line, "day", -EVENT_DAYS, EVENT_DAYS, &number) ||
        !integer_of(line, "sessions", 0, INT64_MAX, &sessions) ||
        !integer_of(line, "stats", 0, INT64_MAX, &stats) ||
        !take_alive(event_text(line, "alive"), &day))
        return "a sensor of an aggregate that is not whole";
    day.key.day = number * DAY;
    day.key.name = aggregate_string(aggregate, event_text(line, "name"));
    day.key.place = aggregate_string(aggregate, event_text(line, "place"));
    day.sessions = (uint64_t)sessions;
    day.stats = (uint64_t)stats;
    aggregate_sensor(aggregate, &day);
    return NULL;
}

static const char *take_run(struct event_reader *reader, const json_t *line)
{
    struct aggregate *aggregate = reader->aggregate;
    int64_t packets, received, dropped, lost, last;
    if (!integer_of(line, "packets", 0, INT64_MAX, &packets) ||
        !integer_of(line, "received", 0, INT64_MAX, &received) ||
        !integer_of(line, "dropped", 0, INT64_MAX, &dropped) ||
        !integer_of(line, "lost", 0, INT64_MAX, &lost) ||
        !integer_of(line, "last", INT64_MIN, INT64_MAX, &last))
        return "a run of an aggregate that is not whole";
    struct run run = {.packets = (uint64_t)packets,
                      .received = (uint64_t)received,
                      .dropped = (uint64_t)dropped,
                      .lost = (uint64_t)lost,
                      .last = last};
    run.key.name = aggregate_string(aggregate, event_text(line, "name"));
    run.key.place = aggregate_string(aggregate, event_text(line, "place"));
    run.key.run = aggregate_string(aggregate, event_text(line, "run"));
    run.key.live = json_is_true(json_object_get(line, "live"));
    aggregate_run(aggregate, &run);
    return NULL;
}

static const char *take_end(struct event_reader *reader, const json_t *line)
{
    (void)line;
    lines_clear(reader->part);
    return NULL;
}

static const struct {
    const char *part;
    const char *(*take)(struct event_reader *reader, const json_t *line);
} parts[] = {
    {"pair", take_pair},         {"posture", take_posture},
    {"incident", take_incident}, {"certificate", take_certificate},
    {"sensor", take_sensor},     {"run", take_run},
    {"end", take_end},
};

const char *aggregate_line(struct event_reader *reader, const json_t *line)
{
    const char *part = event_text(line, "part");
    if (!reader->part)
        reader->part = memory_new(sizeof *reader->part);
    if (!part || !reader->part)
        return "a line of an aggregate that is not whole";
    if (strcmp(part, "header") == 0)
        return take_header(reader, line);
    if (!reader->part->open)
        return "a line of an aggregate whose header is missing";
    bool end = strcmp(part, "end") == 0;
    if (reader->part->refused && !end)
        return NULL; /* its header was reported */
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(part, parts[i].part) == 0)
            return parts[i].take(reader, line);
    return "a part of an aggregate that is not known";
}

const char *aggregate_lines_end(struct event_reader *reader)
{
    bool open = reader->part && reader->part->open;
    if (reader->part)
        lines_clear(reader->part);
    return open ? "the aggregate has no end: part of it is missing" : NULL;
}
