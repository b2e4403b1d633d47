/* SPDX-License-Identifier: BSD-2-Clause */
/* Where decided sessions wait. */
#include "base/limits.h"
#include "base/memory.h"
#include "session/state.h"

_Static_assert((LIMIT_WAITING & (LIMIT_WAITING - 1)) == 0, "places are found by a mask");

enum { MASK = LIMIT_WAITING - 1 };

struct linger_place {
    struct session *session; /* NULL: it was taken out */
    int64_t due_ns;
};

bool linger_init(struct linger *linger)
{
    *linger = (struct linger){.places = memory_new_array(LIMIT_WAITING, sizeof *linger->places)};
    return linger->places != NULL;
}

void linger_close(struct linger *linger)
{
    memory_free(linger->places);
    *linger = (struct linger){0};
}

bool linger_full(const struct linger *linger)
{
    return linger->length == LIMIT_WAITING;
}

void linger_append(struct linger *linger, struct session *session, int64_t due_ns)
{
    uint32_t at = (linger->oldest + linger->length++) & MASK;
    linger->places[at] = (struct linger_place){session, due_ns};
    session->place = at + 1;
}

void linger_remove(struct linger *linger, struct session *session)
{
    if (!session->place)
        return;
    linger->places[session->place - 1].session = NULL;
    session->place = 0;
}

struct session *linger_due(struct linger *linger, int64_t now_ns)
{
    while (linger->length) {
        struct linger_place *place = &linger->places[linger->oldest];
        struct session *session = place->session;
        if (session && place->due_ns > now_ns)
            return NULL;
        linger->oldest = (linger->oldest + 1) & MASK;
        linger->length--;
        if (session) {
            linger_remove(linger, session);
            return session;
        }
    }
    return NULL;
}
