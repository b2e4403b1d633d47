/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into the report: files of lines, each parsed by jansson and handed on by its event_type.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/memory.h"
#include "report/events.h"

enum { SCHEMA = 1, PROGRESS_LINES = 4096, READ_BYTES = 262144 };

void event_reader_init(struct event_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

void event_reader_close(struct event_reader *reader)
{
    aggregate_lines_end(reader);
    memory_free(reader->part);
    reader->part = NULL;
}

const char *event_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool two_digits(const char **at, unsigned *out)
{
    const char *p = *at;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *out = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
    *at += 2;
    return true;
}

static bool sign(const char **at, char c)
{
    return *(*at)++ == c;
}

/* Days since 1970 of a date of the Gregorian calendar; years begin in March, so that February ends
 * them. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t fraction_ns(const char **at)
{
    int64_t ns = 0, unit = 100000000;
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        ns += (**at - '0') * unit;
    return ns;
}

bool event_time(const char *text, int64_t *ns)
{
    unsigned century, year, month, day, hour, minute, second;
    const char *at = text;
    if (!(two_digits(&at, &century) && two_digits(&at, &year) && sign(&at, '-') &&
          two_digits(&at, &month) && sign(&at, '-') && two_digits(&at, &day) && sign(&at, 'T') &&
          two_digits(&at, &hour) && sign(&at, ':') && two_digits(&at, &minute) && sign(&at, ':') &&
          two_digits(&at, &second)))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t fraction = 0;
    if (*at == '.') {
        at++;
        fraction = fraction_ns(&at);
    }
    if (strcmp(at, "Z") != 0)
        return false;
    int64_t days = days_of((int64_t)century * 100 + year, month, day);
    if (days >= EVENT_DAYS || days <= -EVENT_DAYS)
        return false;
    int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second;
    *ns = seconds * 1000000000 + fraction;
    return true;
}

static const char *take_event(struct event_reader *reader, const json_t *event)
{
    const char *type = event_text(event, "event_type");
    if (!type)
        return json_is_object(event) ? "no event of mxtap (no event_type)" : "no JSON object";
    const json_t *schema = json_object_get(event, "schema");
    if (!json_is_integer(schema) || json_integer_value(schema) < 1)
        return "no event of mxtap (no schema)";
    if (json_integer_value(schema) > SCHEMA)
        return "written by a newer mxtap (schema above 1)";
    if (strcmp(type, "session") == 0)
        return event_session(reader, event);
    if (strcmp(type, "stats") == 0)
        return event_stats(reader, event);
    if (strcmp(type, "aggregate") == 0)
        return aggregate_line(reader, event);
    return "an event_type that is not known";
}

const char *event_reader_line(struct event_reader *reader, const char *line, size_t length)
{
    while (length && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    if (length == 0)
        return NULL;
    json_t *event = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
    if (!event)
        return "no JSON";
    const char *why = take_event(reader, event);
    json_decref(event);
    reader->lines++;
    if (reader->progress && reader->lines % PROGRESS_LINES == 0)
        reader->progress(reader->user, reader);
    aggregate_tidy(reader->aggregate);
    return why;
}

void event_reader_damage(struct event_reader *reader, const char *name, uint64_t line,
                         const char *why)
{
    reader->damaged++;
    reader->aggregate->damaged++;
    if (++reader->damaged_here <= LIMIT_REPORT_DAMAGE_SHOWN)
        log_error(reader->log, "%s:%llu: %s", name, (unsigned long long)line, why);
}

/* Lines that could not be used before the first one that could. */
struct held_damage {
    uint64_t count;
    struct {
        uint64_t line;
        const char *why;
    } first[LIMIT_REPORT_DAMAGE_SHOWN];
};

static void hold_damage(struct held_damage *held, uint64_t line, const char *why)
{
    if (held->count < LIMIT_REPORT_DAMAGE_SHOWN) {
        held->first[held->count].line = line;
        held->first[held->count].why = why;
    }
    held->count++;
}

static void release_damage(struct event_reader *reader, struct held_damage *held, const char *name)
{
    for (uint64_t i = 0; i < held->count; i++) {
        bool kept = i < LIMIT_REPORT_DAMAGE_SHOWN;
        event_reader_damage(reader, name, kept ? held->first[i].line : 0,
                            kept ? held->first[i].why : "");
    }
    held->count = 0;
}

/* Bytes of a file, of which lines are cut. Memory is bounded by the longest line that is allowed.
 */
struct line_source {
    struct input *input;
    char *bytes;
    size_t next, end, capacity; /* what is not yet given out; size of bytes */
    bool failed;                /* no memory for a long line */
};

/* Reads more behind what is left; false at the end of the file. */
static bool fill(struct line_source *source)
{
    size_t left = source->end - source->next;
    if (source->next) {
        memmove(source->bytes, source->bytes + source->next, left);
        source->next = 0;
        source->end = left;
    }
    if (left == source->capacity) {
        char *bytes = memory_resize(source->bytes, source->capacity * 2);
        if (!bytes) {
            source->failed = true;
            return false;
        }
        source->bytes = bytes;
        source->capacity *= 2;
    }
    size_t count = input_read(source->input, source->bytes + left, source->capacity - left);
    source->end += count;
    return count != 0;
}

/* Gives out the next line, borrowed until the next call; false at the end. One longer than the
 * limit is passed over without being held: *line is then NULL. */
static bool next_line(struct line_source *source, const char **line, size_t *length)
{
    size_t looked = 0;
    bool too_long = false;
    for (;;) {
        char *from = source->bytes + source->next,
             *end = memchr(from + looked, '\n', source->end - source->next - looked);
        if (end) {
            *line = too_long ? NULL : from;
            *length = (size_t)(end - from) + 1;
            source->next += *length;
            return true;
        }
        looked = source->end - source->next;
        if (looked >= LIMIT_REPORT_LINE) {
            too_long = true;
            source->next = source->end;
            looked = 0;
        }
        if (!fill(source))
            break;
    }
    *line = too_long ? NULL : source->bytes + source->next;
    *length = source->end - source->next;
    source->next = source->end;
    return *length || too_long;
}

/* True if a line could be used. */
static bool read_lines(struct event_reader *reader, struct line_source *source, const char *name,
                       bool named)
{
    struct held_damage held = {.count = 0};
    uint64_t number = 0;
    bool used = named;
    const char *line;
    size_t length;
    while (next_line(source, &line, &length)) {
        number++;
        const char *why =
            line ? event_reader_line(reader, line, length) : "longer than any event (1 MiB)";
        if (!why && !used && length > 1) {
            used = true;
            release_damage(reader, &held, name);
        }
        if (why && used)
            event_reader_damage(reader, name, number, why);
        else if (why)
            hold_damage(&held, number, why);
    }
    return used;
}

static void close_file(struct event_reader *reader, struct input *input, const char *name)
{
    const char *why = aggregate_lines_end(reader);
    if (!why)
        why = input_damage(input);
    if (why) {
        log_error(reader->log, "%s: %s", name, why);
        reader->damaged++;
    }
    if (reader->damaged_here > LIMIT_REPORT_DAMAGE_SHOWN)
        log_error(reader->log, "%s: %llu lines in all could not be used", name,
                  (unsigned long long)reader->damaged_here);
}

void event_reader_file(struct event_reader *reader, struct input *input, const char *name,
                       bool named)
{
    struct line_source source = {.input = input, .capacity = READ_BYTES};
    source.bytes = memory_new(source.capacity);
    if (!source.bytes) {
        log_error(reader->log, "%s: out of memory", name);
        reader->aggregate->failed = true;
        return;
    }
    reader->input = input;
    reader->damaged_here = 0;
    if (read_lines(reader, &source, name, named))
        close_file(reader, input, name);
    else
        log_verbose(reader->log, "%s: no events of mxtap, passed over", name);
    if (source.failed)
        reader->aggregate->failed = true;
    reader->input = NULL;
    memory_free(source.bytes);
}
