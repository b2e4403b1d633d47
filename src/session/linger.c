/* SPDX-License-Identifier: BSD-2-Clause */
/* Where decided sessions wait. */
#include "base/limits.h"
#include "base/memory.h"
#include "session/state.h"

_Static_assert((LIMIT_WAITING & (LIMIT_WAITING - 1)) == 0, "places are found by a mask");

enum { FIRST_PLACES = LIMIT_WAITING / 64 };

struct linger_place {
    struct session *session; /* NULL: it was taken out */
    int64_t due_ns;
};

bool linger_init(struct linger *linger)
{
    *linger = (struct linger){.places = memory_new_array(FIRST_PLACES, sizeof *linger->places), .mask = FIRST_PLACES - 1};
    return linger->places != NULL;
}

void linger_close(struct linger *linger)
{
    memory_free(linger->places);
    *linger = (struct linger){0};
}

static void grow(struct linger *linger)
{
    uint32_t places = 2 * (linger->mask + 1);
    struct linger grown = {.places = memory_new_array(places, sizeof *grown.places), .mask = places - 1};
    if (!grown.places)
        return;
    for (uint32_t i = 0; i < linger->length; i++) {
        const struct linger_place *place = &linger->places[(linger->oldest + i) & linger->mask];
        if (place->session)
            linger_append(&grown, place->session, place->due_ns);
    }
    linger_close(linger);
    *linger = grown;
}

bool linger_full(struct linger *linger)
{
    if (linger->length > linger->mask && linger->mask + 1 < LIMIT_WAITING)
        grow(linger);
    return linger->length > linger->mask;
}

void linger_append(struct linger *linger, struct session *session, int64_t due_ns)
{
    uint32_t at = (linger->oldest + linger->length++) & linger->mask;
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
        linger->oldest = (linger->oldest + 1) & linger->mask;
        linger->length--;
        if (session) {
            linger_remove(linger, session);
            return session;
        }
    }
    return NULL;
}
