/* SPDX-License-Identifier: BSD-2-Clause */
/* The bricks of JSON events, written straight into the line: bounded, and all of it or nothing. */
#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "writer/event.h"
#include "writer/line.h"

/* What is left out again for being empty, or the comma behind the last key, may stand beyond the
 * limit for a moment; and for a key there is always room, or the event is too long. */
enum { SLACK = 128, KEY_ROOM = 48 };

/* ---- bytes: every value is followed by a comma, which the end of its object takes back */

static void put_bytes(struct event_build *build, const char *bytes, size_t count)
{
    if (count > (size_t)(build->end - build->at)) {
        build->full = true;
        return;
    }
    if (count) /* an empty string may have no address */
        memcpy(build->at, bytes, count);
    build->at += count;
}

static inline void put_byte(struct event_build *build, char byte)
{
    if (build->at == build->end)
        build->full = true;
    else
        *build->at++ = byte;
}

static void put_key(struct event_build *build, const char *key)
{
    if (!key)
        return;
    if (build->end - build->at < KEY_ROOM) {
        build->full = true;
        return;
    }
    char *at = build->at;
    *at++ = '"';
    at = stpcpy(at, key);
    *at++ = '"';
    *at++ = ':';
    build->at = at;
}

static void put_plain(struct event_build *build, const char *bytes, size_t count)
{
    if (count + 3 > (size_t)(build->end - build->at)) {
        build->full = true;
        return;
    }
    char *at = build->at;
    *at++ = '"';
    if (count) /* likewise */
        memcpy(at, bytes, count);
    at += count;
    *at++ = '"';
    *at++ = ',';
    build->at = at;
}

/* JSON's own escapes (RFC 8259 7); control characters never come, text_escape has replaced them. */
static void put_quoted(struct event_build *build, const char *bytes, size_t count)
{
    put_byte(build, '"');
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            put_byte(build, '\\');
        put_byte(build, bytes[i]);
    }
    put_bytes(build, "\",", 2);
}

static bool is_plain_byte(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Eight bytes at once: a byte is 0x80 or more, or becomes so by an addition that its own bits carry, or by a subtraction from 0. */
static bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = 0x7f * ones;
    uint64_t quote = word ^ '"' * ones, backslash = word ^ '\\' * ones;
    uint64_t not_control = (word & low) + (0x80 - 0x20) * ones, deleted = (word & low) + ones;
    uint64_t not_quote = (quote & low) + low, not_backslash = (backslash & low) + low;
    return !((word | ~not_control | deleted | ~not_quote | ~not_backslash) & 0x80 * ones);
}

/* ASCII that neither text_escape nor JSON changes: nearly all there is. */
static bool is_plain(struct slice text)
{
    size_t i = 0;
    for (uint64_t word; text.length - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.data + i, sizeof word);
        if (!is_plain_word(word))
            return false;
    }
    for (; i < text.length; i++)
        if (!is_plain_byte(text.data[i]))
            return false;
    return true;
}

static size_t text_room(const struct event_build *build)
{
    return build->text_most < LIMIT_EVENT_TEXT ? build->text_most : LIMIT_EVENT_TEXT;
}

static __attribute__((noinline)) void put_strange(struct event_build *build, struct slice text)
{
    char escaped[LIMIT_EVENT_TEXT];
    struct reader from = reader_of_slice(text);
    size_t length = text_escape(&from, NULL, escaped, text_room(build));
    if (from.left)
        build->cut = true;
    put_quoted(build, escaped, length);
}

static void put_escaped(struct event_build *build, struct slice text)
{
    if (text.length <= text_room(build) && is_plain(text))
        put_plain(build, (const char *)text.data, text.length);
    else
        put_strange(build, text);
}

/* ---- objects and lists */

static size_t open_with(struct event_build *build, const char *key, char bracket)
{
    size_t opened = (size_t)(build->at - build->begin);
    put_key(build, key);
    put_byte(build, bracket);
    return opened;
}

static void close_with(struct event_build *build, char bracket)
{
    if (build->at > build->begin && build->at[-1] == ',')
        build->at--;
    put_byte(build, bracket);
    put_byte(build, ',');
}

/* Takes back what was opened if nothing was put into it. */
static bool take_back(struct event_build *build, size_t opened, char bracket)
{
    if (build->full || build->at[-1] != bracket)
        return false;
    build->at = build->begin + opened;
    return true;
}

size_t event_open(struct event_build *build, const char *key)
{
    return open_with(build, key, '{');
}

void event_close(struct event_build *build, size_t opened)
{
    (void)opened;
    close_with(build, '}');
}

void event_close_used(struct event_build *build, size_t opened)
{
    if (!take_back(build, opened, '{'))
        close_with(build, '}');
}

size_t event_open_list(struct event_build *build, const char *key)
{
    build->listed = 0;
    return open_with(build, key, '[');
}

void event_close_list(struct event_build *build, size_t opened)
{
    (void)opened;
    close_with(build, ']');
}

void event_close_list_used(struct event_build *build, size_t opened)
{
    if (!take_back(build, opened, '['))
        close_with(build, ']');
}

/* ---- values */

void event_put_word(struct event_build *build, const char *key, const char *word)
{
    if (!word)
        return;
    put_key(build, key);
    put_plain(build, word, strlen(word));
}

void event_put_text(struct event_build *build, const char *key, struct slice text)
{
    if (!text.length)
        return;
    put_key(build, key);
    put_escaped(build, text);
}

void event_put_string(struct event_build *build, const char *key, const char *text)
{
    if (!text)
        return;
    put_key(build, key);
    put_escaped(build, text_slice(text));
}

void event_put_split(struct event_build *build, const char *key, struct slice list)
{
    struct reader rest = reader_of_slice(list);
    if (!list.length)
        return;
    size_t opened = event_open_list(build, key);
    while (rest.left) {
        struct reader ahead = rest;
        size_t length = 0;
        while (ahead.left && reader_u8(&ahead) != ',')
            length++;
        event_add_text(build, reader_bytes(&rest, length));
        reader_skip(&rest, rest.left ? 1 : 0);
    }
    event_close_list_used(build, opened);
}

void event_put_number(struct event_build *build, const char *key, uint64_t number)
{
    char digits[TEXT_NUMBER];
    size_t size = text_number(number > INT64_MAX ? INT64_MAX : number, digits);
    put_key(build, key);
    put_bytes(build, digits, size);
    put_byte(build, ',');
}

void event_put_count(struct event_build *build, const char *key, uint64_t number)
{
    if (number)
        event_put_number(build, key, number);
}

void event_put_milliseconds(struct event_build *build, const char *key, int64_t ns)
{
    char digits[TEXT_NUMBER];
    uint64_t tenths = text_tenths(ns);
    size_t size = text_number(tenths / 10, digits);
    put_key(build, key);
    put_bytes(build, digits, size);
    put_byte(build, '.');
    put_byte(build, (char)('0' + tenths % 10));
    put_byte(build, ',');
}

void event_put_boolean(struct event_build *build, const char *key, bool value)
{
    put_key(build, key);
    if (value)
        put_bytes(build, "true,", 5);
    else
        put_bytes(build, "false,", 6);
}

void event_put_true(struct event_build *build, const char *key, bool value)
{
    if (value)
        event_put_boolean(build, key, true);
}

void event_put_hex(struct event_build *build, const char *key, const uint8_t *bytes, size_t count)
{
    char text[2 * DIGEST_MAX + 1];
    count = count < DIGEST_MAX ? count : DIGEST_MAX;
    digest_hex(bytes, count, text);
    put_key(build, key);
    put_plain(build, text, 2 * count);
}

const char *event_id(const char *prefix, uint32_t id, unsigned digits, char out[EVENT_ID])
{
    char *at = out;
    while (*prefix)
        *at++ = *prefix++;
    for (unsigned i = digits; i > 0; i--)
        *at++ = "0123456789abcdef"[id >> (4 * (i - 1)) & 15];
    *at = '\0';
    return out;
}

void event_put_id(struct event_build *build, const char *key, uint32_t id, unsigned digits)
{
    char text[EVENT_ID];
    event_put_word(build, key, event_id("0x", id, digits, text));
}

void event_put_time(struct event_build *build, const char *key, int64_t ns)
{
    char text[TEXT_TIME];
    event_put_word(build, key, text_time(ns, text));
}

/* ---- strings of a list */

static bool list_full(struct event_build *build)
{
    bool full = build->listed >= build->list_most;
    if (full)
        build->cut = true;
    build->listed++;
    return full;
}

void event_add_word(struct event_build *build, const char *word)
{
    event_put_word(build, NULL, word);
}

void event_add_name(struct event_build *build, const char *name)
{
    if (!list_full(build))
        event_put_word(build, NULL, name);
}

void event_add_text(struct event_build *build, struct slice text)
{
    if (!list_full(build))
        put_escaped(build, text);
}

/* ---- the event */

void event_put_sensor(struct event_build *build, const char *name, const char *interface,
                      const char *file)
{
    size_t opened = event_open(build, "sensor");
    event_put_string(build, "name", name);
    event_put_string(build, "interface", interface);
    event_put_string(build, "file", file);
    event_close_used(build, opened);
}

void event_put_fields(struct event_build *build, const struct event_field *fields, size_t count,
                      const struct record *record)
{
    for (size_t i = 0; i < count; i++)
        fields[i].put(build, &fields[i], record);
}

/* Writes the event behind what the line holds; its size with the LF, which is above LIMIT_EVENT if
 * it was too long. */
static size_t build_event(struct event_build *build, const char *type, event_fill *fill,
                          const void *subject)
{
    size_t opened = event_open(build, NULL);
    if (type) {
        event_put_word(build, "event_type", type);
        event_put_number(build, "schema", EVENT_SCHEMA);
    }
    fill(build, subject);
    if (type)
        event_put_true(build, "cut", build->cut);
    event_close(build, opened);
    if (build->full)
        return LIMIT_EVENT + 1;
    build->at[-1] = '\n'; /* for the comma */
    return (size_t)(build->at - build->begin);
}

void event_write(struct line *line, const char *type, event_fill *fill, const void *subject)
{
    /* The last pair keeps any event below LIMIT_EVENT: some 60 strings of 2 * 64 bytes beside the
     * keys. */
    static const struct {
        size_t text, list;
    } most[] = {{LIMIT_EVENT_TEXT, 512}, {LIMIT_EVENT_TEXT, 128}, {1024, 64}, {256, 16}, {64, 4}};
    if (!line_reserve(line, LIMIT_EVENT + SLACK))
        return;
    char *begin = line->data + line->length;
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        struct event_build build = {.begin = begin,
                                    .at = begin,
                                    .end = begin + LIMIT_EVENT + SLACK,
                                    .text_most = most[i].text,
                                    .list_most = most[i].list};
        size_t size = build_event(&build, type, fill, subject);
        if (size <= LIMIT_EVENT) {
            line->length += size;
            return;
        }
    }
    line->failed = true;
}
