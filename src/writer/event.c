/* SPDX-License-Identifier: BSD-2-Clause */
/* The `session` event in mxtap's own format: keys and rules of mxtap-events(5), in the order in
 * which people read them. */
#include "base/text.h"
#include "writer/event.h"

static void put_uid_of(struct event_build *build, const char *key, uint64_t uid)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(uid >> (56 - 8 * i));
    event_put_hex(build, key, bytes, sizeof bytes);
}

static void put_uid(struct event_build *build, const struct event_field *field,
                    const struct record *record)
{
    put_uid_of(build, field->key, record->uid);
}

static void put_time(struct event_build *build, const struct event_field *field,
                     const struct record *record)
{
    event_put_time(build, field->key, record->time_ns);
}

static void put_sensor(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    (void)field;
    event_put_sensor(build, record->sensor, record->interface, record->file);
}

static void put_direction(struct event_build *build, const struct event_field *field,
                          const struct record *record)
{
    event_put_word(build, field->key, word_direction(record->direction));
}

static void put_duration(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    event_put_milliseconds(build, field->key, record->duration_ns);
}

static void put_community_id(struct event_build *build, const struct event_field *field,
                             const struct record *record)
{
    event_put_word(build, field->key, *record->community_id ? record->community_id : NULL);
}

static void put_vlans(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    if (!record->vlans)
        return;
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++) {
        char id[TEXT_NUMBER + 1];
        id[text_number(record->vlan[i], id)] = '\0';
        event_add_word(build, id);
    }
    event_close_list(build, opened);
}

static void put_end_point(struct event_build *build, unsigned family, const struct address *ip,
                          uint16_t port)
{
    char text[TEXT_ADDRESS];
    event_put_word(build, "ip", text_address(family, ip->bytes, text));
    event_put_number(build, "port", port);
}

static void put_client(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    size_t opened = event_open(build, field->key);
    put_end_point(build, record->client_family, &record->client_ip, record->client_port);
    event_put_number(build, "bytes", record->client_bytes);
    event_close(build, opened);
}

static void put_server(struct event_build *build, const struct event_field *field,
                       const struct record *record)
{
    size_t opened = event_open(build, field->key);
    put_end_point(build, record->family, &record->server_ip, record->server_port);
    event_put_number(build, "bytes", record->server_bytes);
    event_close(build, opened);
}

/* Who sent the packets where a PROXY header names another client. */
static void put_proxy(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    if (!record->have_proxy)
        return;
    size_t opened = event_open(build, field->key);
    put_end_point(build, record->family, &record->proxy_ip, record->proxy_port);
    event_close(build, opened);
}

static void put_outcome(struct event_build *build, const struct event_field *field,
                        const struct record *record)
{
    event_put_word(build, field->key, word_outcome(record->outcome));
}

static void put_end(struct event_build *build, const struct event_field *field,
                    const struct record *record)
{
    size_t opened = event_open(build, field->key);
    event_put_word(build, "how", word_end(record->end));
    event_put_word(build, "from", word_side(record->end_from));
    event_close(build, opened);
}

static void put_incomplete(struct event_build *build, const struct event_field *field,
                           const struct record *record)
{
    if (!record->incomplete)
        return;
    size_t opened = event_open_list(build, field->key);
    for (unsigned bit = 1; bit <= INCOMPLETE_ONE_SIDED; bit <<= 1)
        if (record->incomplete & bit)
            event_add_word(build, event_incomplete_word((enum incomplete)bit));
    event_close_list_used(build, opened);
}

static void put_protocol(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    event_put_string(build, field->key, record->protocol);
}

static void put_findings(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    size_t opened = event_open_list(build, field->key);
    for (unsigned i = 0; i < FINDING_COUNT && record->findings >> i; i++)
        if (record->findings >> i & 1)
            event_add_word(build, word_finding((enum finding)i));
    event_close_list(build, opened);
}

static void put_fallback(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    if (!record->have_fallback)
        return;
    const char *community_id = record->fallback_community_id;
    size_t opened = event_open(build, field->key);
    put_uid_of(build, "uid", record->fallback_uid);
    event_put_word(build, "community_id", *community_id ? community_id : NULL);
    event_put_time(build, "time", record->fallback_time_ns);
    event_close(build, opened);
}

/* ---- smtp */

static struct slice smtp_text(const struct event_field *field, const struct record *record)
{
    const void *ref = (const char *)record->smtp + field->at;
    return record_text(record, *(const struct text_ref *)ref);
}

static void put_text(struct event_build *build, const struct event_field *field,
                     const struct record *record)
{
    event_put_text(build, field->key, smtp_text(field, record));
}

static void put_split(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    event_put_split(build, field->key, smtp_text(field, record));
}

static void put_banner_code(struct event_build *build, const struct event_field *field,
                            const struct record *record)
{
    uint16_t code = record->smtp->banner_code;
    event_put_count(build, field->key, code == 220 ? 0 : code);
}

static void put_hello(struct event_build *build, const struct event_field *field,
                      const struct record *record)
{
    event_put_word(build, field->key, event_hello_word(record->smtp->hello));
}

static void put_starttls(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    event_put_word(build, field->key, word_starttls((enum starttls)record->smtp->starttls));
}

static void put_starttls_reply(struct event_build *build, const struct event_field *field,
                               const struct record *record)
{
    if (!record->smtp->reply_code)
        return;
    size_t opened = event_open(build, field->key);
    event_put_number(build, "code", record->smtp->reply_code);
    event_put_text(build, "text", record_text(record, record->smtp->reply_text));
    event_close(build, opened);
}

static void put_attempts(struct event_build *build, const struct event_field *field,
                         const struct record *record)
{
    uint16_t attempts = record->smtp->attempts;
    event_put_count(build, field->key, attempts > 1 ? attempts : 0);
}

static void put_mail_in_clear(struct event_build *build, const struct event_field *field,
                              const struct record *record)
{
    event_put_count(build, field->key, record->smtp->mail_in_clear);
}

static const struct event_field smtp_fields[] = {
    {"banner", put_text, offsetof(struct smtp_facts, banner)},
    {"banner_code", put_banner_code, 0},
    {"server_name", put_text, offsetof(struct smtp_facts, server_name)},
    {"hello", put_hello, 0},
    {"client_name", put_text, offsetof(struct smtp_facts, client_name)},
    {"starttls", put_starttls, 0},
    {"starttls_reply", put_starttls_reply, 0},
    {"starttls_attempts", put_attempts, 0},
    {"mail_in_clear", put_mail_in_clear, 0},
    {"auth_in_clear", put_text, offsetof(struct smtp_facts, mechanism)},
    {"sender_domains", put_split, offsetof(struct smtp_facts, sender_domains)},
    {"recipient_domains", put_split, offsetof(struct smtp_facts, recipient_domains)},
};

static void put_smtp(struct event_build *build, const struct event_field *field,
                     const struct record *record)
{
    if (!record->have_smtp || !record->smtp)
        return;
    size_t opened = event_open(build, field->key);
    event_put_fields(build, EVENT_FIELDS(smtp_fields), record);
    event_close(build, opened);
}

/* ---- the event */

static const struct event_field session_fields[] = {
    {"uid", put_uid, 0},
    {"time", put_time, 0},
    {"sensor", put_sensor, 0},
    {"direction", put_direction, 0},
    {"duration_ms", put_duration, 0},
    {"community_id", put_community_id, 0},
    {"vlan", put_vlans, 0},
    {"client", put_client, 0},
    {"server", put_server, 0},
    {"proxy", put_proxy, 0},
    {"outcome", put_outcome, 0},
    {"end", put_end, 0},
    {"incomplete", put_incomplete, 0},
    {"protocol", put_protocol, 0},
    {"smtp", put_smtp, 0},
    {"tls", event_put_tls, 0},
    {"findings", put_findings, 0},
    {"fallback_of", put_fallback, 0},
};

static void fill_session(struct event_build *build, const void *subject)
{
    const struct record *record = subject;
    build->cut = build->cut || record->cut;
    event_put_fields(build, EVENT_FIELDS(session_fields), subject);
}

const char *event_incomplete_word(enum incomplete bit)
{
    switch (bit) {
    case INCOMPLETE_GAPS: return "gaps";
    case INCOMPLETE_TRUNCATED: return "truncated";
    case INCOMPLETE_MIDSTREAM: return "midstream";
    case INCOMPLETE_ONE_SIDED: return "one_sided";
    }
    return NULL;
}

const char *event_hello_word(uint8_t hello)
{
    static const char *const words[] = {[SMTP_HELLO_NONE] = NULL,
                                        [SMTP_HELLO_HELO] = "HELO",
                                        [SMTP_HELLO_EHLO] = "EHLO",
                                        [SMTP_HELLO_LHLO] = "LHLO"};
    return hello <= SMTP_HELLO_LHLO ? words[hello] : NULL;
}

void event_write_session(struct line *line, const struct record *record)
{
    event_write(line, "session", fill_session, record);
}
