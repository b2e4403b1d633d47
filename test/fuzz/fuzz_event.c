/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks the writers of all formats with records and counters of any content: a line is one valid
 * JSON object, or one line of text, and nothing in it steers a terminal. Input: the facts, then the text that they refer to. */
#define FUZZ_QUIET
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "fuzz_help.h"
#include "session/record.h"
#include "writer/writer.h"

static void check_line(const struct line *line)
{
    must(line->length > 0 && line->data[line->length - 1] == '\n');
    for (size_t i = 0; i + 1 < line->length; i++)
        must((uint8_t)line->data[i] >= 0x20 && line->data[i] != 0x7f);
}

/* Each line by itself: a format may have several for a session, or none. */
static void check_events(const struct line *line, bool text)
{
    must(!line->failed);
    for (size_t begin = 0; begin < line->length;) {
        const char *end = memchr(line->data + begin, '\n', line->length - begin);
        must(end != NULL);
        size_t length = (size_t)(end - line->data) + 1 - begin;
        struct line one = {.data = line->data + begin, .length = length};
        check_line(&one);
        must(length <= LIMIT_EVENT);
        json_t *event = text ? NULL : json_loadb(one.data, length, JSON_REJECT_DUPLICATES, NULL);
        must(text || json_is_object(event));
        json_decref(event);
        begin += length;
    }
}

static void write_formats(struct line *line, const struct record *record, const uint8_t *data, size_t size)
{
    static const char *const names[] = {"mxtap", "ecs", "eve", "ocsf", "text"};
    struct counters counters = {.packets = 0};
    struct stats_facts facts = {.sensor = record->sensor, .interface = record->interface};
    memcpy(&counters, data, size < sizeof counters ? size : sizeof counters);
    facts.started_ns = record->duration_ns;
    facts.time_ns = facts.quiet_ns = record->time_ns;
    facts.kernel_received = facts.kernel_dropped = record->uid;
    facts.live = record->uid & 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct format *format = format_of(names[i]);
        bool text = strcmp(names[i], "text") == 0;
        line->length = 0;
        format->session(line, record);
        must(i != 0 || line->length > 0);
        check_events(line, text);
        line->length = 0;
        if (format->stats)
            format->stats(line, &counters, &facts);
        check_events(line, text);
    }
}

/* A reference into the text, as session makes them. */
static struct text_ref any_text(struct reader *r, size_t text)
{
    struct text_ref ref = {.at = reader_u16(r), .length = reader_u16(r)};
    if (ref.at > text)
        ref.at = (uint16_t)text;
    if (ref.length > text - ref.at)
        ref.length = (uint16_t)(text - ref.at);
    if (ref.length > LIMIT_OFFER)
        ref.length = LIMIT_OFFER;
    return ref;
}

static void fill_smtp(struct smtp_facts *smtp, struct reader *r, size_t text)
{
    struct text_ref *refs[] = {&smtp->banner, &smtp->server_name, &smtp->client_name,
                               &smtp->reply_text, &smtp->sender_domains, &smtp->recipient_domains,
                               &smtp->mechanism};
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
        *refs[i] = any_text(r, text);
    smtp->reply_code = reader_u16(r) % 600;
    smtp->banner_code = reader_u16(r) % 600;
    smtp->attempts = reader_u16(r);
    smtp->hello = reader_u8(r) % (SMTP_HELLO_LHLO + 1);
    smtp->starttls = reader_u8(r) % STARTTLS_COUNT;
    smtp->mail_in_clear = reader_u32(r);
}

static void fill_tls(struct tls_facts *tls, struct reader *r, size_t text)
{
    uint16_t bits = reader_u16(r);
    tls->established = bits & 1;
    tls->have_server_hello = bits & 2;
    tls->have_client_hello = bits & 4;
    tls->hello_retry = bits & 8;
    tls->have_alert = bits & 16;
    tls->alert_encrypted = bits & 32;
    static struct fingerprint whole = {.have_ja3 = true, .ja3 = {1, 2}, .ja4 = "t13d"}, empty;
    tls->client.fingerprint = bits & 64 ? &whole : bits & 512 ? &empty : NULL;
    tls->server.fingerprint = bits & 128 ? &whole : NULL;
    tls->have_cipher = bits & 256;
    tls->resumption = reader_u8(r) % (TLS_RESUMED_PSK + 1);
    tls->limited_by = reader_u8(r) % (SIDE_NONE + 1);
    tls->alert_from = reader_u8(r) % SIDE_NONE;
    tls->alert_level = reader_u8(r);
    tls->alert_code = reader_u8(r);
    tls->version = reader_u16(r);
    tls->client_max_version = reader_u16(r);
    tls->server_supports = reader_u16(r);
    tls->group = reader_u16(r);
    tls->dh_bits = reader_u16(r);
    tls->cipher = reader_u24(r);
    tls->server_name = any_text(r, text);
    for (unsigned i = 0; i < 4; i++)
        tls->offers[i] = any_text(r, text);
    tls->client.alpn = any_text(r, text);
    tls->server.alpn = any_text(r, text);
    tls->client.flags = reader_u32(r);
    tls->server.flags = reader_u32(r);
    tls->client.saw_message = bits & 512;
    tls->client.last_message = reader_u8(r);
}

static void fill_record(struct record *record, struct reader *r)
{
    record->uid = (uint64_t)reader_u32(r) << 32 | reader_u32(r);
    record->time_ns = (int64_t)((uint64_t)reader_u32(r) << 32 | reader_u32(r));
    record->duration_ns = (int64_t)((uint64_t)reader_u32(r) << 16 | reader_u16(r));
    if (record->time_ns > INT64_MAX - record->duration_ns)
        record->time_ns = INT64_MAX - record->duration_ns; /* the end is a time too */
    record->direction = (enum direction)(reader_u8(r) % (DIRECTION_EXTERNAL + 1));
    record->family = record->client_family = reader_u8(r) & 1 ? 4 : 6;
    record->have_proxy = reader_u8(r) & 1;
    record->vlans = reader_u8(r) % (SEGMENT_VLANS + 1);
    record->vlan[0] = reader_u16(r) & 0xfff;
    reader_copy(r, record->client_ip.bytes, 16);
    reader_copy(r, record->server_ip.bytes, 16);
    record->client_port = reader_u16(r);
    record->client_bytes = reader_u32(r);
    record->outcome = (enum outcome)(reader_u8(r) % OUTCOME_COUNT);
    record->end = (enum end_how)(reader_u8(r) % END_COUNT);
    record->end_from = (enum side)(reader_u8(r) % (SIDE_NONE + 1));
    record->incomplete = reader_u8(r) & 15;
    record->findings = reader_u32(r) & ((UINT64_C(1) << FINDING_COUNT) - 1);
    record->have_fallback = reader_u8(r) & 1;
    record->have_smtp = record->outcome != OUTCOME_NOT_SMTP;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { FACTS = 256 };
    struct reader r = reader_of(data, size < FACTS ? size : FACTS);
    char sensor[64] = "";
    struct record record = {.sensor = NULL};
    struct smtp_facts smtp = {.hello = 0};
    struct tls_facts tls = {.version = 0};
    struct line line = {.length = 0};
    size_t text = size > FACTS ? size - FACTS : 0;
    if (text > UINT16_MAX)
        text = UINT16_MAX;
    record.text = (const char *)data + (text ? FACTS : 0);
    fill_record(&record, &r);
    fill_smtp(&smtp, &r, text);
    fill_tls(&tls, &r, text);
    memcpy(sensor, record.text, text < sizeof sensor - 1 ? text : sizeof sensor - 1);
    record.sensor = *sensor ? sensor : NULL;
    record.smtp = &smtp;
    record.tls = record.uid & 1 ? &tls : NULL;
    write_formats(&line, &record, data, size);
    line_free(&line);
    return 0;
}
