/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be required, and the rules that no made-up event reaches: see mxtap-report(1), "Who
 * cannot". */
#include "report/policy.h"
#include "unit/test.h"

static void test_parse(void)
{
    struct requirement require;
    char text[REQUIREMENT_LABEL];
    CHECK(requirement_parse("TLSv1.2", &require) && require.version == TLS_VERSION_TLS12 &&
          !require.tls);
    CHECK(requirement_parse("tls,pfs,TLSv1.3,pq", &require));
    CHECK_TEXT(requirement_word(&require, text), "TLSv1.3,pfs,pq,tls");
    CHECK_TEXT(requirement_label(&require, text),
               "TLS 1.3 with forward secrecy and a post-quantum key exchange");
    CHECK(requirement_parse("TLSv1,TLSv1.2", &require) && require.version == TLS_VERSION_TLS12);
    CHECK(!requirement_parse("", &require));
    CHECK(!requirement_parse("TLSv1.2,", &require));
    CHECK(!requirement_parse("TLSv1.9", &require));
    CHECK(!requirement_parse("averyveryverylongword", &require));
}

static struct judgement judge(const char *require, enum tls_version offered,
                              enum tls_version chosen, enum tls_version proven)
{
    struct requirement wanted;
    struct posture posture = {.outcome = OUTCOME_TLS,
                              .client_max = (uint8_t)offered,
                              .version = (uint8_t)chosen,
                              .supports = (uint8_t)proven,
                              .limited_by = SIDE_NONE};
    CHECK(requirement_parse(require, &wanted));
    return policy_judge(&wanted, &posture);
}

static void test_short_client(void)
{
    /* A server behind a short client was not tested, unless its random proves more (RFC
     * 8446 4.1.3). */
    struct judgement judgement =
        judge("TLSv1.2", TLS_VERSION_TLS10, TLS_VERSION_TLS10, TLS_VERSION_NONE);
    CHECK_INT(judgement.lacks, LACKS_CLIENT);
    CHECK_INT(judgement.can, 0);
    judgement = judge("TLSv1.2", TLS_VERSION_TLS10, TLS_VERSION_TLS10, TLS_VERSION_TLS12);
    CHECK_INT(judgement.lacks, LACKS_CLIENT);
    CHECK_INT(judgement.can, LACKS_SERVER);
    /* A client that offered enough can, whatever the server chose. */
    judgement = judge("TLSv1.2", TLS_VERSION_TLS13, TLS_VERSION_TLS10, TLS_VERSION_NONE);
    CHECK_INT(judgement.lacks, LACKS_SERVER);
    CHECK_INT(judgement.can, LACKS_CLIENT);
    judgement = judge("TLSv1.2", TLS_VERSION_NONE, TLS_VERSION_TLS10, TLS_VERSION_NONE);
    CHECK(judgement.unknown && judgement.lacks == 0 && judgement.can == 0);
    judgement = judge("TLSv1.2", TLS_VERSION_NONE, TLS_VERSION_TLS13, TLS_VERSION_NONE);
    CHECK(!judgement.unknown && judgement.lacks == 0);
}

int main(void)
{
    test_parse();
    test_short_client();
    return TEST_END();
}
