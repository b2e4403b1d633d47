/* SPDX-License-Identifier: BSD-2-Clause */
/* --format text: one line per session, in the words of a mail server's log. */
#include <stdio.h>

#include "base/text.h"
#include "proto/tls_names.h"
#include "writer/event.h"
#include "writer/line.h"

/* What could end a value or begin another one: values stand in <>, so that spaces and commas may
 * stay. */
static const char value_breakers[] = "<>";

static void add_peer(struct line *line, unsigned family, const struct address *ip, uint16_t port)
{
    char text[TEXT_ADDRESS];
    line_print(line, family == 6 ? "[%s]:%u" : "%s:%u", text_address(family, ip->bytes, text),
               (unsigned)port);
}

/* "2026-11-23T14:03:11Z in: clear text mail from 192.0.2.44:40113 to 198.51.100.25:25: " */
static void add_head(struct line *line, const struct record *record, const char *what)
{
    static const char *const directions[] = {[DIRECTION_NONE] = "",
                                             [DIRECTION_INBOUND] = "in: ",
                                             [DIRECTION_OUTBOUND] = "out: ",
                                             [DIRECTION_INTERNAL] = "internal: ",
                                             [DIRECTION_EXTERNAL] = "external: "};
    char time[TEXT_TIME];
    line_print(line, "%s %s%s from ", text_time_seconds(text_seconds(record->time_ns), time),
               directions[record->direction], what);
    add_peer(line, record->client_family, &record->client_ip, record->client_port);
    line_print(line, " to ");
    add_peer(line, record->family, &record->server_ip, record->server_port);
    line_print(line, ": ");
}

static void add_value(struct line *line, const char *key, struct slice value)
{
    if (!value.length)
        return;
    line_print(line, ", %s=<", key);
    line_text(line, value, value_breakers);
    line_print(line, ">");
}

static void add_words(struct line *line, const char *key, uint64_t bits, unsigned count,
                      const char *(*word)(unsigned bit))
{
    const char *before = key;
    for (unsigned i = 0; i < count; i++) {
        if (!(bits >> i & 1))
            continue;
        line_print(line, before == key ? ", %s=%s" : "%s%s", before, word(i));
        before = ",";
    }
}

static const char *finding_word(unsigned bit)
{
    return word_finding((enum finding)bit);
}

static const char *incomplete_word(unsigned bit)
{
    return event_incomplete_word((enum incomplete)(1U << bit));
}

/* What ends every line: who, what the capture lacked, what was found. */
static void add_tail(struct line *line, const struct record *record)
{
    if (record->smtp)
        add_value(line, "helo", record_text(record, record->smtp->client_name));
    add_words(line, "incomplete", record->incomplete, 4, incomplete_word);
    add_words(line, "findings", record->findings, FINDING_COUNT, finding_word);
    line_print(line, "\n");
}

static void add_starttls(struct line *line, const struct record *record, const char *separator)
{
    if (record->have_smtp && record->smtp)
        line_print(line, "%sstarttls=%s", separator,
                   word_starttls((enum starttls)record->smtp->starttls));
}

/* "fin by client"; how a session ended that has nothing better to tell. */
static void add_end(struct line *line, const struct record *record)
{
    const char *side = word_side(record->end_from);
    line_print(line, "end=%s", word_end(record->end));
    if (side)
        line_print(line, " by %s", side);
}

static void add_version(struct line *line, const char *format, uint16_t id)
{
    char name[TLS_VERSION_NAME];
    char number[8];
    snprintf(number, sizeof number, "0x%04x", (unsigned)id);
    if (id)
        line_print(line, format, tls_version_name(id, name) ? name : number);
}

static void add_established(struct line *line, const struct record *record)
{
    const struct tls_facts *tls = record->tls;
    const char *limited_by = tls->have_server_hello ? word_side((enum side)tls->limited_by) : NULL;
    const char *cipher = tls->have_cipher ? event_cipher_name(tls) : NULL;
    add_head(line, record, "TLS connection established");
    if (tls->version)
        add_version(line, "%s", tls->version);
    else
        line_print(line, "version unknown");
    if (cipher)
        line_print(line, " with cipher %s", cipher);
    else if (tls->have_cipher)
        line_print(line, " with cipher 0x%04x", (unsigned)tls->cipher);
    if (limited_by)
        line_print(line, ", limited-by=%s", limited_by);
    add_tail(line, record);
}

/* Why a handshake failed, by the best that is known: the alert, what came instead of TLS, how the
 * connection ended. */
static void add_reason(struct line *line, const struct record *record)
{
    const struct tls_facts *tls = record->tls;
    if (tls && tls->have_alert && tls->alert_encrypted) {
        line_print(line, "encrypted alert by %s", word_side((enum side)tls->alert_from));
    } else if (tls && tls->have_alert) {
        const char *name = tls_alert_name(tls->alert_code);
        line_print(line, "alert %s (%u) by %s", name ? name : "unknown", (unsigned)tls->alert_code,
                   word_side((enum side)tls->alert_from));
    } else if (tls && tls->saw_not_tls) {
        line_print(line, "what followed is not TLS");
    } else {
        add_end(line, record);
    }
}

static void add_failed(struct line *line, const struct record *record)
{
    add_head(line, record, "TLS handshake failed");
    add_reason(line, record);
    if (record->tls) {
        add_version(line, ", offered=%s", record->tls->client_max_version);
        if (record->tls->have_server_hello)
            add_version(line, ", chosen=%s", record->tls->version);
    }
    add_tail(line, record);
}

static void add_plaintext(struct line *line, const struct record *record)
{
    add_head(line, record, "clear text mail");
    line_print(line, "messages=%u", record->smtp ? (unsigned)record->smtp->mail_in_clear : 0);
    add_starttls(line, record, ", ");
    if (record->smtp)
        add_value(line, "auth", record_text(record, record->smtp->mechanism));
    add_tail(line, record);
}

/* not_smtp, no_mail and unknown have in common that there is little to tell. */
static void add_other(struct line *line, const struct record *record, const char *what)
{
    add_head(line, record, what);
    add_end(line, record);
    add_starttls(line, record, ", ");
    if (record->smtp)
        add_value(line, "auth", record_text(record, record->smtp->mechanism));
    if (record->protocol)
        add_value(line, "protocol", text_slice(record->protocol));
    add_tail(line, record);
}

void text_write_session(struct line *line, const struct record *record)
{
    bool tls = record->tls != NULL;
    switch (record->outcome) {
    case OUTCOME_PLAINTEXT: add_plaintext(line, record); break;
    case OUTCOME_TLS:
        if (tls)
            add_established(line, record);
        else
            add_other(line, record, "TLS connection");
        break;
    case OUTCOME_TLS_FAILED: add_failed(line, record); break;
    case OUTCOME_NOT_SMTP: add_other(line, record, "not SMTP"); break;
    case OUTCOME_NO_MAIL: add_other(line, record, "no mail"); break;
    case OUTCOME_UNKNOWN:
    case OUTCOME_COUNT: add_other(line, record, "outcome unknown"); break;
    }
}
