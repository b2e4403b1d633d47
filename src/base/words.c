/* SPDX-License-Identifier: BSD-2-Clause */
/* The vocabulary of the events, used by session, writer and report alike. */
#include <string.h>

#include "base/words.h"

static const char *const outcomes[OUTCOME_COUNT] = {
    [OUTCOME_PLAINTEXT] = "plaintext", [OUTCOME_TLS] = "tls",         [OUTCOME_TLS_FAILED] = "tls_failed",
    [OUTCOME_NOT_SMTP] = "not_smtp",   [OUTCOME_NO_MAIL] = "no_mail", [OUTCOME_UNKNOWN] = "unknown",
};

static const char *const starttls_states[STARTTLS_COUNT] = {
    [STARTTLS_UNSEEN] = "unseen",       [STARTTLS_NOT_OFFERED] = "not_offered", [STARTTLS_OFFERED] = "offered",
    [STARTTLS_REQUESTED] = "requested", [STARTTLS_REFUSED] = "refused",         [STARTTLS_ACCEPTED] = "accepted",
    [STARTTLS_IMPLICIT] = "implicit",
};

static const char *const ends[END_COUNT] = {
    [END_FIN] = "fin",         [END_RST] = "rst", [END_TIMEOUT] = "timeout",
    [END_EVICTED] = "evicted", [END_EOF] = "eof", [END_OPEN] = "open",
};

static const char *const versions[TLS_VERSION_COUNT] = {
    [TLS_VERSION_SSL2] = "SSLv2",    [TLS_VERSION_SSL3] = "SSLv3",    [TLS_VERSION_TLS10] = "TLSv1",
    [TLS_VERSION_TLS11] = "TLSv1.1", [TLS_VERSION_TLS12] = "TLSv1.2", [TLS_VERSION_TLS13] = "TLSv1.3",
};

static const char *const directions[] = {
    [DIRECTION_INBOUND] = "inbound",
    [DIRECTION_OUTBOUND] = "outbound",
    [DIRECTION_INTERNAL] = "internal",
    [DIRECTION_EXTERNAL] = "external",
};

static const struct {
    const char *name;
    enum finding_class class;
} findings[FINDING_COUNT] = {
    [FINDING_STARTTLS_NOT_OFFERED] = {"starttls_not_offered", FINDING_POSTURE},
    [FINDING_STARTTLS_IGNORED] = {"starttls_ignored", FINDING_POSTURE},
    [FINDING_STARTTLS_REFUSED] = {"starttls_refused", FINDING_POSTURE},
    [FINDING_STARTTLS_MASKED] = {"starttls_masked", FINDING_ATTACK},
    [FINDING_STARTTLS_VANISHED] = {"starttls_vanished", FINDING_ATTACK},
    [FINDING_PLAINTEXT_FALLBACK] = {"plaintext_fallback", FINDING_EXPOSURE},
    [FINDING_COMMAND_INJECTION] = {"command_injection", FINDING_ATTACK},
    [FINDING_RESPONSE_INJECTION] = {"response_injection", FINDING_ATTACK},
    [FINDING_HELLO_BEFORE_220] = {"hello_before_220", FINDING_POSTURE},
    [FINDING_AUTH_IN_CLEAR] = {"auth_in_clear", FINDING_EXPOSURE},
    [FINDING_MAIL_REFUSED_WITHOUT_TLS] = {"mail_refused_without_tls", FINDING_POSTURE},
    [FINDING_VERSION_OBSOLETE] = {"version_obsolete", FINDING_POSTURE},
    [FINDING_CIPHER_INSECURE] = {"cipher_insecure", FINDING_EXPOSURE},
    [FINDING_CIPHER_ANONYMOUS] = {"cipher_anonymous", FINDING_POSTURE},
    [FINDING_CIPHER_WEAK] = {"cipher_weak", FINDING_POSTURE},
    [FINDING_NO_FORWARD_SECRECY] = {"no_forward_secrecy", FINDING_POSTURE},
    [FINDING_TLS_COMPRESSION] = {"tls_compression", FINDING_EXPOSURE},
    [FINDING_INSECURE_RENEGOTIATION] = {"insecure_renegotiation", FINDING_EXPOSURE},
    [FINDING_TLS_DOWNGRADE] = {"tls_downgrade", FINDING_ATTACK},
    [FINDING_CERTIFICATE_KEY_SMALL] = {"certificate_key_small", FINDING_POSTURE},
    [FINDING_CERTIFICATE_SIGNATURE_WEAK] = {"certificate_signature_weak", FINDING_POSTURE},
    [FINDING_CERTIFICATE_EXPIRED] = {"certificate_expired", FINDING_POSTURE},
    [FINDING_CERTIFICATE_NOT_YET_VALID] = {"certificate_not_yet_valid", FINDING_POSTURE},
    [FINDING_CERTIFICATE_SELF_SIGNED] = {"certificate_self_signed", FINDING_POSTURE},
    [FINDING_CERTIFICATE_NAME_MISMATCH] = {"certificate_name_mismatch", FINDING_POSTURE},
};

const char *word_outcome(enum outcome outcome)
{
    return outcomes[outcome];
}

const char *word_starttls(enum starttls state)
{
    return starttls_states[state];
}

const char *word_end(enum end_how how)
{
    return ends[how];
}

const char *word_side(enum side side)
{
    return side == SIDE_CLIENT ? "client" : side == SIDE_SERVER ? "server" : NULL;
}

const char *word_direction(enum direction direction)
{
    return directions[direction];
}

const char *word_tls_version(enum tls_version version)
{
    return versions[version];
}

const char *word_finding(enum finding finding)
{
    return findings[finding].name;
}

enum finding_class word_finding_class(enum finding finding)
{
    return findings[finding].class;
}

const char *word_finding_class_name(enum finding_class class)
{
    return class == FINDING_ATTACK ? "attack" : class == FINDING_EXPOSURE ? "exposure" : "posture";
}

static unsigned word_index(const char *const *words, unsigned count, const char *word)
{
    for (unsigned i = 0; i < count; i++)
        if (words[i] && strcmp(words[i], word) == 0)
            return i;
    return count;
}

enum outcome word_outcome_of(const char *word)
{
    return (enum outcome)word_index(outcomes, OUTCOME_COUNT, word);
}

enum starttls word_starttls_of(const char *word)
{
    return (enum starttls)word_index(starttls_states, STARTTLS_COUNT, word);
}

enum finding word_finding_of(const char *word)
{
    unsigned i = 0;
    while (i < FINDING_COUNT && strcmp(findings[i].name, word) != 0)
        i++;
    return (enum finding)i;
}

enum tls_version word_tls_version_of(const char *word)
{
    if (strncmp(word, "TLSv1.3-", 8) == 0)
        return TLS_VERSION_TLS13;
    unsigned i = word_index(versions, TLS_VERSION_COUNT, word);
    return i == TLS_VERSION_COUNT ? TLS_VERSION_NONE : (enum tls_version)i;
}
