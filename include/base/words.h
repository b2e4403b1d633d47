/* SPDX-License-Identifier: BSD-2-Clause */
/* The vocabulary of the events: each word once, shared by session, writer and report. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What became of a session, in the order of precedence of mxtap-events(5). */
enum outcome {
    OUTCOME_PLAINTEXT,
    OUTCOME_TLS,
    OUTCOME_TLS_FAILED,
    OUTCOME_NOT_SMTP,
    OUTCOME_NO_MAIL,
    OUTCOME_UNKNOWN,
    OUTCOME_COUNT
};

/* How far STARTTLS got, furthest last (RFC 3207). */
enum starttls {
    STARTTLS_UNSEEN,
    STARTTLS_NOT_OFFERED,
    STARTTLS_OFFERED,
    STARTTLS_REQUESTED,
    STARTTLS_REFUSED,
    STARTTLS_ACCEPTED,
    STARTTLS_IMPLICIT,
    STARTTLS_COUNT
};

/* How a flow ended. */
enum end_how { END_FIN, END_RST, END_TIMEOUT, END_EVICTED, END_EOF, END_OPEN, END_COUNT };

/* Who did something. */
enum side { SIDE_CLIENT, SIDE_SERVER, SIDE_NONE };

/* Protocol versions in rising order; drafts of 1.3 rank as 1.3. */
enum tls_version {
    TLS_VERSION_NONE,
    TLS_VERSION_SSL2,
    TLS_VERSION_SSL3,
    TLS_VERSION_TLS10,
    TLS_VERSION_TLS11,
    TLS_VERSION_TLS12,
    TLS_VERSION_TLS13,
    TLS_VERSION_COUNT
};

/* Observations, a closed list: rules and classes in mxtap-events(5). Bits of a set are 1 << finding. */
enum finding {
    FINDING_STARTTLS_NOT_OFFERED,
    FINDING_STARTTLS_IGNORED,
    FINDING_STARTTLS_REFUSED,
    FINDING_STARTTLS_MASKED,
    FINDING_STARTTLS_VANISHED,
    FINDING_PLAINTEXT_FALLBACK,
    FINDING_COMMAND_INJECTION,
    FINDING_RESPONSE_INJECTION,
    FINDING_HELLO_BEFORE_220,
    FINDING_AUTH_IN_CLEAR,
    FINDING_MAIL_REFUSED_WITHOUT_TLS,
    FINDING_VERSION_OBSOLETE,
    FINDING_CIPHER_INSECURE,
    FINDING_CIPHER_ANONYMOUS,
    FINDING_CIPHER_WEAK,
    FINDING_NO_FORWARD_SECRECY,
    FINDING_TLS_COMPRESSION,
    FINDING_INSECURE_RENEGOTIATION,
    FINDING_TLS_DOWNGRADE,
    FINDING_CERTIFICATE_KEY_SMALL,
    FINDING_CERTIFICATE_SIGNATURE_WEAK,
    FINDING_CERTIFICATE_EXPIRED,
    FINDING_CERTIFICATE_NOT_YET_VALID,
    FINDING_CERTIFICATE_SELF_SIGNED,
    FINDING_CERTIFICATE_NAME_MISMATCH,
    FINDING_COUNT
};

/* What kind of observation a finding is: somebody interfered, something was exposed, a setting to know about. */
enum finding_class { FINDING_ATTACK, FINDING_EXPOSURE, FINDING_POSTURE };

/* Seen side of a mail session, with --local. */
enum direction { DIRECTION_NONE, DIRECTION_INBOUND, DIRECTION_OUTBOUND, DIRECTION_INTERNAL, DIRECTION_EXTERNAL };

/* What the capture lacked: bits. */
enum incomplete { INCOMPLETE_GAPS = 1, INCOMPLETE_TRUNCATED = 2, INCOMPLETE_MIDSTREAM = 4, INCOMPLETE_ONE_SIDED = 8 };

const char *word_outcome(enum outcome outcome);
const char *word_starttls(enum starttls state);
const char *word_end(enum end_how how);
const char *word_side(enum side side); /* "client", "server"; NULL for SIDE_NONE */
const char *word_direction(enum direction direction); /* NULL for DIRECTION_NONE */

/* word_tls_version returns "TLSv1.2" and the like; NULL for TLS_VERSION_NONE. */
const char *word_tls_version(enum tls_version version);

const char *word_finding(enum finding finding); /* "starttls_masked" */
enum finding_class word_finding_class(enum finding finding);
const char *word_finding_class_name(enum finding_class class); /* "attack", "exposure", "posture" */

/* The reverse ones return the enum's COUNT (directions: NONE) for a word that is none. */
enum outcome word_outcome_of(const char *word);
enum starttls word_starttls_of(const char *word);

enum finding word_finding_of(const char *word);

/* word_tls_version_of ranks a version string of an event ("TLSv1.3-draft23" is TLS 1.3); NONE for a foreign one. */
enum tls_version word_tls_version_of(const char *word);

#endif
