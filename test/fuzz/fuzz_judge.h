/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of flow/classify: nDPI takes 20 ms to begin, and is not what is attacked. A classification
 * says in turn what it may say; with FUZZ_JUDGE_AT_ONCE it does not depend on segments. */
#ifndef TEST_FUZZ_FUZZ_JUDGE_H
#define TEST_FUZZ_FUZZ_JUDGE_H

#include <stdlib.h>

#include "flow/classify.h"

struct classifier {
    unsigned asked;
};

struct classification {
    unsigned payloads;
};

struct classifier *classifier_new(void)
{
    return calloc(1, sizeof(struct classifier));
}

struct classification *classify_begin(struct classifier *classifier)
{
    return ++classifier->asked % 8 ? calloc(1, sizeof(struct classification)) : NULL;
}

enum classify_verdict classify_payload(struct classifier *classifier,
                                       struct classification *classification,
                                       const struct flow *flow, enum side from,
                                       struct slice payload)
{
    (void)classifier, (void)from;
#ifdef FUZZ_JUDGE_AT_ONCE
    (void)payload;
    classification->payloads++;
#else
    if (++classification->payloads < 1 + payload.length % 4)
        return CLASSIFY_OPEN;
#endif
    return (enum classify_verdict)(1 + flow->port[0] % 3);
}

const char *classify_name(struct classifier *classifier,
                          struct classification *classification)
{
    (void)classifier;
    return classification->payloads % 2 ? "HTTP" : NULL;
}

size_t classify_size(void)
{
    return sizeof(struct classification);
}

void classify_end(struct classifier *classifier, struct classification *classification)
{
    (void)classifier;
    free(classification);
}

void classifier_free(struct classifier *classifier)
{
    free(classifier);
}

#endif
