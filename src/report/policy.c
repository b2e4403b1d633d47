/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of mxtap-report(1), "Who cannot": each session of the cube against what is required. */
#include <stdio.h>
#include <string.h>

#include "report/policy.h"

static bool require_word(const char *word, size_t length, struct requirement *out)
{
    char text[16];
    if (length >= sizeof text)
        return false;
    memcpy(text, word, length);
    text[length] = '\0';
    bool *flag = strcmp(text, "pfs") == 0   ? &out->pfs
                 : strcmp(text, "pq") == 0  ? &out->pq
                 : strcmp(text, "tls") == 0 ? &out->tls
                                            : NULL;
    if (flag)
        *flag = true;
    enum tls_version version = flag ? TLS_VERSION_NONE : word_tls_version_of(text);
    if (version > out->version)
        out->version = version;
    return flag || version != TLS_VERSION_NONE;
}

bool requirement_parse(const char *text, struct requirement *out)
{
    memset(out, 0, sizeof *out);
    for (;;) {
        size_t length = strcspn(text, ",");
        if (!require_word(text, length, out))
            return false;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

const char *version_label(enum tls_version version)
{
    static const char *const labels[TLS_VERSION_COUNT] = {
        "TLS", "SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return labels[version];
}

const char *requirement_label(const struct requirement *requirement, char out[REQUIREMENT_LABEL])
{
    snprintf(out, REQUIREMENT_LABEL, "%s%s%s", version_label(requirement->version),
             requirement->pfs ? " with forward secrecy" : "",
             !requirement->pq   ? ""
             : requirement->pfs ? " and a post-quantum key exchange"
                                : " with a post-quantum key exchange");
    return out;
}

const char *requirement_word(const struct requirement *requirement, char out[REQUIREMENT_LABEL])
{
    const char *words[4];
    unsigned count = 0;
    if (requirement->version != TLS_VERSION_NONE)
        words[count++] = word_tls_version(requirement->version);
    if (requirement->pfs)
        words[count++] = "pfs";
    if (requirement->pq)
        words[count++] = "pq";
    if (requirement->tls)
        words[count++] = "tls";
    out[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(out);
        snprintf(out + length, REQUIREMENT_LABEL - length, "%s%s", i ? "," : "", words[i]);
    }
    return out;
}

static void charge(struct judgement *judgement, unsigned side)
{
    judgement->lacks |= side;
}

/* The client if its highest offer is lower, else the server if what it chose is. A server behind a
 * short client was not tested, unless the sentinel in its random (RFC 8446 4.1.3) proves more. */
static void judge_version(struct judgement *judgement, const struct posture *posture,
                          enum tls_version least)
{
    if (posture->version >= least)
        return;
    if (posture->client_max != TLS_VERSION_NONE && posture->client_max < least) {
        charge(judgement, LACKS_CLIENT);
        if (posture->supports < least)
            judgement->can &= ~(unsigned)LACKS_SERVER;
    } else if (posture->version != TLS_VERSION_NONE && posture->client_max != TLS_VERSION_NONE) {
        charge(judgement, LACKS_SERVER);
    } else {
        judgement->unknown = true;
    }
}

static void judge_choice(struct judgement *judgement, uint8_t offered, uint8_t chosen)
{
    if (chosen == TRISTATE_YES)
        return;
    if (offered == TRISTATE_NO) {
        charge(judgement, LACKS_CLIENT);
        judgement->can &= ~(unsigned)LACKS_SERVER; /* was not asked for it */
    } else if (offered == TRISTATE_YES && chosen == TRISTATE_NO) {
        charge(judgement, LACKS_SERVER);
    } else {
        judgement->unknown = true;
    }
}

/* Mail in the clear: the server did not offer TLS, or the client did not ask; after a failed
 * attempt both are named. */
static void judge_plaintext(struct judgement *judgement, const struct posture *posture)
{
    if (posture->findings >> FINDING_PLAINTEXT_FALLBACK & 1) {
        charge(judgement, LACKS_CLIENT | LACKS_SERVER);
        return;
    }
    switch ((enum starttls)posture->starttls) {
    case STARTTLS_NOT_OFFERED:
    case STARTTLS_REFUSED: charge(judgement, LACKS_SERVER); break;
    case STARTTLS_OFFERED: charge(judgement, LACKS_CLIENT); break;
    case STARTTLS_REQUESTED:
    case STARTTLS_ACCEPTED:
    case STARTTLS_IMPLICIT: charge(judgement, LACKS_CLIENT | LACKS_SERVER); break;
    case STARTTLS_UNSEEN:
    case STARTTLS_COUNT: judgement->unknown = true; break;
    }
}

struct judgement policy_judge(const struct requirement *requirement, const struct posture *posture)
{
    struct judgement judgement = {.can = LACKS_CLIENT | LACKS_SERVER};
    if (posture->outcome == OUTCOME_TLS) {
        judgement.judged = true;
        if (requirement->version != TLS_VERSION_NONE)
            judge_version(&judgement, posture, requirement->version);
        if (requirement->pfs)
            judge_choice(&judgement, posture->client_pfs, posture->session_pfs);
        if (requirement->pq)
            judge_choice(&judgement, posture->client_pq, posture->session_pq);
    } else if (posture->outcome == OUTCOME_PLAINTEXT && requirement->tls) {
        judgement.judged = true;
        judge_plaintext(&judgement, posture);
        judgement.can = 0; /* the other side was not tested */
    }
    if (judgement.unknown)
        judgement.can = 0;
    judgement.can &= ~judgement.lacks;
    if (judgement.lacks)
        judgement.unknown = false;
    return judgement;
}
