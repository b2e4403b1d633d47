/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for people, one place for all output formats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/wording.h"

const char *wording_named_by(enum named_by by)
{
    static const char *const words[NAMED_BY_COUNT] = {"",       "folded", "address", "EHLO",
                                                      "banner", "cert",   "names"};
    return words[by];
}

const char *wording_named_by_word(enum named_by by)
{
    static const char *const words[NAMED_BY_COUNT] = {"none",   "folded",      "address",   "ehlo",
                                                      "banner", "certificate", "names_file"};
    return words[by];
}

enum named_by wording_named_by_of(const char *word)
{
    unsigned by = 0;
    while (by < NAMED_BY_COUNT && strcmp(word, wording_named_by_word((enum named_by)by)) != 0)
        by++;
    return (enum named_by)by;
}

const char *wording_by(enum peer_by by)
{
    static const char *const words[PEER_BY_COUNT] = {"domain", "name", "ip"};
    return words[by];
}

const char *wording_outcome(enum outcome outcome)
{
    static const char *const words[OUTCOME_COUNT] = {"clear text", "TLS",     "handshake failed",
                                                     "not SMTP",   "no mail", "unknown"};
    return words[outcome];
}

const char *wording_flow(unsigned flow)
{
    static const char *const words[FLOW_COUNT] = {"inbound", "outbound", "internal", "other"};
    return words[flow];
}

struct small_text wording_flows(unsigned flows)
{
    bool in = flows >> FLOW_IN & 1, out = flows >> FLOW_OUT & 1;
    return in    ? out ? (struct small_text){"i+o"} : (struct small_text){"in"}
              : out ? (struct small_text){"out"}
                 : (struct small_text){"-"};
}

const char *wording_verdict(enum verdict verdict)
{
    static const char *const phrases[] = {"Yes, on this evidence", "Not with everyone",
                                          "Cannot tell"};
    return phrases[verdict];
}

const char *wording_finding(enum finding finding)
{
    switch (finding) {
    case FINDING_STARTTLS_MASKED: return "STARTTLS masked";
    case FINDING_STARTTLS_VANISHED: return "STARTTLS vanished";
    case FINDING_PLAINTEXT_FALLBACK: return "fell back to clear text";
    case FINDING_COMMAND_INJECTION: return "commands injected";
    case FINDING_RESPONSE_INJECTION: return "replies injected";
    case FINDING_TLS_DOWNGRADE: return "TLS downgraded";
    default: return word_finding(finding);
    }
}

/* Alerts with which a side refuses the other's certificate (RFC 8446 6.2). */
static bool about_certificate(const char *alert, size_t length)
{
    static const char *const names[] = {"bad_certificate",      "unsupported_certificate",
                                        "certificate_revoked",  "certificate_expired",
                                        "certificate_unknown",  "unknown_ca",
                                        "certificate_required", "bad_certificate_status_response"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], alert, length) == 0)
            return true;
    return false;
}

static struct small_text reason_of_alert(const char *alert)
{
    struct small_text out;
    const char *by = strstr(alert, " by ");
    size_t length = by ? (size_t)(by - alert) : strlen(alert);
    const char *side = by ? by + 4 : "unknown";
    int shown = length > 28 ? 28 : (int)length;
    if (length == 16 && strncmp(alert, "protocol_version", 16) == 0)
        snprintf(out.text, sizeof out.text, "version (refused by %.10s)", side);
    else if (length == 17 && strncmp(alert, "handshake_failure", 17) == 0)
        snprintf(out.text, sizeof out.text, "no common parameters (%.10s)", side);
    else if (length == 9 && strncmp(alert, "encrypted", 9) == 0)
        snprintf(out.text, sizeof out.text, "alert inside TLS 1.3 by %.10s", side);
    else if (about_certificate(alert, length))
        snprintf(out.text, sizeof out.text, "%.*s (%.10s)", shown, alert, side);
    else
        snprintf(out.text, sizeof out.text, "alert %.*s (%.10s)", shown, alert, side);
    return out;
}

struct small_text wording_reason(const char *reason)
{
    if (strncmp(reason, "alert ", 6) == 0)
        return reason_of_alert(reason + 6);
    struct small_text out;
    const char *by = strstr(reason, " by ");
    const char *side = by ? by + 4 : "either side";
    if (strncmp(reason, "fin", 3) == 0)
        snprintf(out.text, sizeof out.text, "closed without a word by %.12s", side);
    else if (strncmp(reason, "rst", 3) == 0)
        snprintf(out.text, sizeof out.text, "reset by %.12s", side);
    else if (strncmp(reason, "timeout", 7) == 0)
        snprintf(out.text, sizeof out.text, "silence");
    else if (strncmp(reason, "open", 4) == 0)
        snprintf(out.text, sizeof out.text, "not TLS, or still open");
    else
        snprintf(out.text, sizeof out.text, "%.40s", reason);
    return out;
}

const char *wording_policy(const struct figures *figures, unsigned policy, struct prose *out)
{
    char label[REQUIREMENT_LABEL];
    const struct requirement *require = &figures->requirement;
    requirement_label(require, label);
    prose_clear(out);
    if (policy == POLICY_TODAY)
        prose_add(out, "change nothing (today)");
    else if (policy == POLICY_REFUSE)
        prose_add(out, "refuse mail without %s", label);
    else if (require->pfs || require->pq)
        prose_add(out, "take no other TLS, allow clear text");
    else if (require->version != TLS_VERSION_NONE)
        prose_add(out, "drop below %s, allow clear text", label);
    else
        prose_add(out, "ask for TLS, allow clear text");
    return out->text ? out->text : "";
}

struct small_text wording_otherwise(const struct peer_figures *peer)
{
    struct small_text out;
    if (peer->fallback)
        return (struct small_text){"clear text"};
    if (peer->can)
        snprintf(out.text, sizeof out.text, "can %.22s", wording_number(peer->can).text);
    else
        snprintf(out.text, sizeof out.text, "unknown");
    return out;
}

const char *wording_at_most(const struct figures *figures, const struct peer_figures *peer)
{
    if (peer->cannot_tls == 0)
        return "no TLS";
    if (peer->highest != TLS_VERSION_NONE && peer->highest < figures->requirement.version)
        return word_tls_version((enum tls_version)peer->highest);
    return figures->requirement.pq ? "no PQ" : figures->requirement.pfs ? "no PFS" : "-";
}

struct small_text wording_peers(uint64_t count, uint64_t folded)
{
    struct small_text out = wording_number(count);
    if (!folded)
        return out;
    struct small_text counted = out;
    snprintf(out.text, sizeof out.text, "at least %.14s (+ up to %.11s)", counted.text,
             wording_number(folded).text);
    return out;
}
