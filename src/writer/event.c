/* SPDX-License-Identifier: BSD-2-Clause */
/* The `session` event in mxtap's own format: keys and rules of mxtap-events(5), in the order in
 * which people read them. */
#include <stdio.h>

#include <jansson.h>

#include "base/text.h"
#include "writer/event.h"

static void put_uid(struct event_build *build, json_t *object, uint64_t uid)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)uid);
    event_put_word(build, object, "uid", text);
}

static void put_time(struct event_build *build, json_t *object, int64_t ns)
{
    char text[TEXT_TIME];
    event_put_word(build, object, "time", text_time(ns, text));
}

static void put_community_id(struct event_build *build, json_t *object, const char *id)
{
    event_put_word(build, object, "community_id", *id ? id : NULL);
}

static void put_vlans(struct event_build *build, json_t *event, const struct record *record)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++) {
        char id[8];
        snprintf(id, sizeof id, "%u", (unsigned)record->vlan[i]);
        event_add_word(build, list, id);
    }
    event_put_list(build, event, "vlan", list);
}

static void put_peer(struct event_build *build, json_t *event, const struct record *record,
                     enum side side)
{
    bool client = side == SIDE_CLIENT;
    const struct address *ip = client ? &record->client_ip : &record->server_ip;
    char text[TEXT_ADDRESS];
    json_t *peer = json_object();
    unsigned family = client ? record->client_family : record->family;
    event_put_word(build, peer, "ip", text_address(family, ip->bytes, text));
    event_put_number(build, peer, "port", client ? record->client_port : record->server_port);
    event_put_number(build, peer, "bytes", client ? record->client_bytes : record->server_bytes);
    event_put(build, event, word_side(side), peer);
}

/* Who sent the packets where a PROXY header names another client. */
static void put_proxy(struct event_build *build, json_t *event, const struct record *record)
{
    char text[TEXT_ADDRESS];
    if (!record->have_proxy)
        return;
    json_t *proxy = json_object();
    event_put_word(build, proxy, "ip", text_address(record->family, record->proxy_ip.bytes, text));
    event_put_number(build, proxy, "port", record->proxy_port);
    event_put(build, event, "proxy", proxy);
}

static void put_end(struct event_build *build, json_t *event, const struct record *record)
{
    json_t *end = json_object();
    event_put_word(build, end, "how", word_end(record->end));
    event_put_word(build, end, "from", word_side(record->end_from));
    event_put(build, event, "end", end);
}

static void put_incomplete(struct event_build *build, json_t *event, unsigned incomplete)
{
    json_t *list = json_array();
    for (unsigned bit = 1; bit <= INCOMPLETE_ONE_SIDED; bit <<= 1)
        if (incomplete & bit)
            event_add_word(build, list, event_incomplete_word((enum incomplete)bit));
    event_put_list(build, event, "incomplete", list);
}

static void put_starttls_reply(struct event_build *build, json_t *smtp, const struct record *record)
{
    if (!record->smtp->reply_code)
        return;
    json_t *reply = json_object();
    event_put_number(build, reply, "code", record->smtp->reply_code);
    event_put_text(build, reply, "text", record_text(record, record->smtp->reply_text));
    event_put(build, smtp, "starttls_reply", reply);
}

static void put_smtp(struct event_build *build, json_t *event, const struct record *record)
{
    const struct smtp_facts *facts = record->smtp;
    if (!record->have_smtp || !facts)
        return;
    json_t *smtp = json_object();
    event_put_text(build, smtp, "banner", record_text(record, facts->banner));
    if (facts->banner_code && facts->banner_code != 220)
        event_put_number(build, smtp, "banner_code", facts->banner_code);
    event_put_text(build, smtp, "server_name", record_text(record, facts->server_name));
    event_put_word(build, smtp, "hello", event_hello_word(facts->hello));
    event_put_text(build, smtp, "client_name", record_text(record, facts->client_name));
    event_put_word(build, smtp, "starttls", word_starttls((enum starttls)facts->starttls));
    put_starttls_reply(build, smtp, record);
    if (facts->attempts > 1)
        event_put_number(build, smtp, "starttls_attempts", facts->attempts);
    if (facts->mail_in_clear)
        event_put_number(build, smtp, "mail_in_clear", facts->mail_in_clear);
    event_put_text(build, smtp, "auth_in_clear", record_text(record, facts->mechanism));
    event_put_split(build, smtp, "sender_domains", record_text(record, facts->sender_domains));
    event_put_split(build, smtp, "recipient_domains",
                    record_text(record, facts->recipient_domains));
    event_put(build, event, "smtp", smtp);
}

static void put_findings(struct event_build *build, json_t *event, uint64_t findings)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < FINDING_COUNT; i++)
        if (findings >> i & 1)
            event_add_word(build, list, word_finding((enum finding)i));
    event_put(build, event, "findings", list);
}

static void put_fallback(struct event_build *build, json_t *event, const struct record *record)
{
    if (!record->have_fallback)
        return;
    json_t *failed = json_object();
    put_uid(build, failed, record->fallback_uid);
    put_community_id(build, failed, record->fallback_community_id);
    put_time(build, failed, record->fallback_time_ns);
    event_put(build, event, "fallback_of", failed);
}

static void fill_session(struct event_build *build, json_t *event, const void *subject)
{
    const struct record *record = subject;
    put_uid(build, event, record->uid);
    put_time(build, event, record->time_ns);
    event_put_sensor(build, event, record->sensor, record->interface, record->file);
    event_put_word(build, event, "direction", word_direction(record->direction));
    event_put_milliseconds(build, event, "duration_ms", record->duration_ns);
    put_community_id(build, event, record->community_id);
    put_vlans(build, event, record);
    put_peer(build, event, record, SIDE_CLIENT);
    put_peer(build, event, record, SIDE_SERVER);
    put_proxy(build, event, record);
    event_put_word(build, event, "outcome", word_outcome(record->outcome));
    put_end(build, event, record);
    put_incomplete(build, event, record->incomplete);
    event_put_string(build, event, "protocol", record->protocol);
    put_smtp(build, event, record);
    event_put_tls(build, event, record);
    put_findings(build, event, record->findings);
    put_fallback(build, event, record);
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
