/* SPDX-License-Identifier: BSD-2-Clause */
/* The vocabulary against the words of mxtap-events(5); each word leads back to what it stands for. */
#include "base/words.h"
#include "test.h"

static const char *const outcomes[] = {"plaintext", "tls", "tls_failed", "not_smtp", "no_mail", "unknown"};
static const char *const states[] = {"unseen", "not_offered", "offered", "requested", "refused", "accepted", "implicit"};
static const char *const ends[] = {"fin", "rst", "timeout", "evicted", "eof", "open"};
static const char *const directions[] = {"inbound", "outbound", "internal", "external"};
static const char *const versions[] = {"SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

static void test_lists(void)
{
    CHECK_INT(OUTCOME_COUNT, sizeof outcomes / sizeof *outcomes);
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        CHECK_TEXT(word_outcome((enum outcome)i), outcomes[i]);
        CHECK_INT(word_outcome_of(outcomes[i]), i);
    }
    CHECK_INT(STARTTLS_COUNT, sizeof states / sizeof *states);
    for (unsigned i = 0; i < STARTTLS_COUNT; i++) {
        CHECK_TEXT(word_starttls((enum starttls)i), states[i]);
        CHECK_INT(word_starttls_of(states[i]), i);
    }
    CHECK_INT(END_COUNT, sizeof ends / sizeof *ends);
    for (unsigned i = 0; i < END_COUNT; i++)
        CHECK_TEXT(word_end((enum end_how)i), ends[i]);
    for (unsigned i = 0; i < 4; i++)
        CHECK_TEXT(word_direction((enum direction)(DIRECTION_INBOUND + i)), directions[i]);
    CHECK_TEXT(word_side(SIDE_CLIENT), "client");
    CHECK_TEXT(word_side(SIDE_SERVER), "server");
    CHECK_TEXT(word_side(SIDE_NONE), NULL);
}

static void test_versions(void)
{
    CHECK_INT(TLS_VERSION_COUNT, 1 + sizeof versions / sizeof *versions);
    for (unsigned i = TLS_VERSION_SSL2; i < TLS_VERSION_COUNT; i++) {
        CHECK_TEXT(word_tls_version((enum tls_version)i), versions[i - 1]);
        CHECK_INT(word_tls_version_of(versions[i - 1]), i);
    }
    CHECK_INT(word_tls_version_of("TLSv1.3-draft23"), TLS_VERSION_TLS13);
    CHECK_INT(word_tls_version_of("TLSv1.3-fb1a"), TLS_VERSION_TLS13);
    CHECK_INT(word_tls_version_of("TLSv1.4"), TLS_VERSION_NONE);
    CHECK_INT(word_tls_version_of(""), TLS_VERSION_NONE);
}

static void test_findings(void)
{
    for (unsigned i = 0; i < FINDING_COUNT; i++) {
        const char *name = word_finding((enum finding)i);
        CHECK(name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name));
        CHECK_INT(word_finding_of(name), i); /* so no two are the same */
    }
    CHECK_INT(word_finding_of("certificate_"), FINDING_COUNT);
    CHECK_TEXT(word_finding_class_name(word_finding_class(FINDING_STARTTLS_MASKED)), "attack");
    CHECK_TEXT(word_finding_class_name(word_finding_class(FINDING_AUTH_IN_CLEAR)), "exposure");
    CHECK_TEXT(word_finding_class_name(word_finding_class(FINDING_VERSION_OBSOLETE)), "posture");
}

static void test_unknown(void)
{
    CHECK_INT(word_outcome_of("TLS"), OUTCOME_COUNT);
    CHECK_INT(word_outcome_of(""), OUTCOME_COUNT);
    CHECK_INT(word_starttls_of("declined"), STARTTLS_COUNT);
}

int main(void)
{
    test_lists();
    test_versions();
    test_findings();
    test_unknown();
    return TEST_END();
}
