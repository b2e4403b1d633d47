/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts IP datagrams together from fragments that come in any order, within the bounds of limits.h.
 */
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "decode/fragment.h"

enum {
    DATAGRAM_MOST = 65535, /* what 16 bits of length allow */
    TOTAL_UNKNOWN = 0      /* the last fragment has not come */
};

static const int64_t timeout_ns =
    30 * INT64_C(1000000000); /* as Linux does; RFC 8200 4.5 allows 60 s */

struct piece {
    struct piece *earlier;
    uint32_t offset, length;
    uint8_t bytes[];
};

struct datagram {
    struct hashlink link; /* first: an entry of the map is its datagram */
    struct datagram *older, *newer;
    struct fragment_key key;
    int64_t time_ns;      /* of its first fragment */
    struct piece *pieces; /* the latest first */
    uint32_t count;
    uint32_t received; /* bytes in pieces, overlaps included */
    uint32_t end;      /* of the piece that reaches farthest */
    uint32_t total;
    uint8_t protocol;
    bool overlaps;
    bool dead; /* given up: its remaining fragments are ignored until it times out */
};

bool fragments_init(struct fragments *fragments, struct counters *counters)
{
    memset(fragments, 0, sizeof(*fragments));
    fragments->counters = counters;
    return hashmap_init(&fragments->map);
}

static void pieces_free(struct fragments *fragments, struct datagram *datagram)
{
    while (datagram->pieces) {
        struct piece *piece = datagram->pieces;
        datagram->pieces = piece->earlier;
        fragments->held -= piece->length;
        memory_free(piece);
    }
    datagram->count = 0;
}

static void datagram_remove(struct fragments *fragments, struct datagram *datagram)
{
    pieces_free(fragments, datagram);
    hashmap_remove(&fragments->map, &datagram->link);
    *(datagram->older ? &datagram->older->newer : &fragments->oldest) = datagram->newer;
    *(datagram->newer ? &datagram->newer->older : &fragments->newest) = datagram->older;
    memory_free(datagram);
}

static void drop_oldest(struct fragments *fragments)
{
    fragments->counters->fragments_dropped += fragments->oldest->count;
    datagram_remove(fragments, fragments->oldest);
}

void fragments_close(struct fragments *fragments)
{
    while (fragments->oldest)
        datagram_remove(fragments, fragments->oldest);
    hashmap_close(&fragments->map);
}

/* Time that leaps back ends a datagram as well: else one from the future would never leave. */
static bool is_expired(const struct datagram *datagram, int64_t now)
{
    uint64_t age = (uint64_t)now - (uint64_t)datagram->time_ns;
    return age > timeout_ns && 0 - age > timeout_ns;
}

static void drop_expired(struct fragments *fragments, int64_t now)
{
    while (fragments->oldest && is_expired(fragments->oldest, now))
        drop_oldest(fragments);
}

/*
 * datagram_give_up counts the fragment at hand and those before it, and lets those to come find a
 * dead datagram.
 */
static void datagram_give_up(struct fragments *fragments, struct datagram *datagram)
{
    fragments->counters->fragments_dropped += datagram->count + 1;
    pieces_free(fragments, datagram);
    datagram->dead = true;
}

static struct datagram *datagram_new(struct fragments *fragments, const struct fragment_key *key,
                                     uint64_t hash, int64_t now)
{
    if (fragments->map.count >= LIMIT_FRAGMENTED_PACKETS)
        drop_oldest(fragments);
    struct datagram *datagram = memory_new(sizeof(*datagram));
    if (!datagram)
        return NULL;
    datagram->key = *key;
    datagram->time_ns = now;
    datagram->older = fragments->newest;
    *(fragments->newest ? &fragments->newest->newer : &fragments->oldest) = datagram;
    fragments->newest = datagram;
    hashmap_insert(&fragments->map, &datagram->link, hash);
    return datagram;
}

static struct datagram *datagram_find(struct fragments *fragments, const struct fragment_key *key,
                                      int64_t now)
{
    uint64_t hash = hashmap_hash(&fragments->map, key, sizeof(*key));
    struct hashlink *link = hashmap_first(&fragments->map, hash);
    while (link && memcmp(&((struct datagram *)link)->key, key, sizeof(*key)) != 0)
        link = hashmap_next(link, hash);
    return link ? (struct datagram *)link : datagram_new(fragments, key, hash, now);
}

enum overlap { OVERLAP_NONE, OVERLAP_SAME, OVERLAP_PARTLY };

/*
 * SAME: the very fragment is here already, as when a mirror port shows a packet twice (RFC 8200 4.5
 * lets it pass).
 */
static enum overlap overlap_of(const struct datagram *datagram, const struct fragment *fragment)
{
    uint32_t length = (uint32_t)fragment->bytes.length, end = fragment->offset + length;
    enum overlap overlap = OVERLAP_NONE;
    for (const struct piece *piece = datagram->pieces; piece; piece = piece->earlier) {
        if (piece->offset == fragment->offset && piece->length == length &&
            memcmp(piece->bytes, fragment->bytes.data, length) == 0)
            return OVERLAP_SAME;
        if (piece->offset < end && piece->offset + piece->length > fragment->offset)
            overlap = OVERLAP_PARTLY;
    }
    return overlap;
}

/* Two different ends, or something beyond the end. */
static bool contradicts(const struct datagram *datagram, const struct fragment *fragment)
{
    uint32_t end = fragment->offset + (uint32_t)fragment->bytes.length;
    if (fragment->more)
        return datagram->total != TOTAL_UNKNOWN && end > datagram->total;
    return datagram->end > end || (datagram->total != TOTAL_UNKNOWN && datagram->total != end);
}

static bool piece_add(struct fragments *fragments, struct datagram *datagram,
                      const struct fragment *fragment)
{
    uint32_t length = (uint32_t)fragment->bytes.length, end = fragment->offset + length;
    struct piece *piece = memory_new(sizeof(*piece) + length);
    if (!piece)
        return false;
    memcpy(piece->bytes, fragment->bytes.data, length);
    piece->offset = fragment->offset;
    piece->length = length;
    piece->earlier = datagram->pieces;
    datagram->pieces = piece;
    datagram->count++;
    datagram->received += length;
    fragments->held += length;
    if (end > datagram->end)
        datagram->end = end;
    if (!fragment->more)
        datagram->total = end;
    if (fragment->offset == 0)
        datagram->protocol = fragment->protocol;
    return true;
}

static bool is_complete(const struct datagram *datagram)
{
    if (datagram->total == TOTAL_UNKNOWN || datagram->received < datagram->total)
        return false;
    if (!datagram->overlaps)
        return true;
    uint32_t covered = 0, before;
    do {
        before = covered;
        for (const struct piece *piece = datagram->pieces; piece; piece = piece->earlier) {
            if (piece->offset <= covered && piece->offset + piece->length > covered)
                covered = piece->offset + piece->length;
        }
    } while (covered != before);
    return covered == datagram->total;
}

/* From the latest piece to the first, so that where they overlap the first copy is what stays. */
static bool assemble(const struct datagram *datagram, struct whole *out)
{
    out->data = memory_new(datagram->total);
    if (!out->data)
        return false;
    out->length = datagram->total;
    out->protocol = datagram->protocol;
    for (const struct piece *piece = datagram->pieces; piece; piece = piece->earlier)
        memcpy(out->data + piece->offset, piece->bytes, piece->length);
    return true;
}

/* The fragment is sound and not there yet: keep it, or give the datagram up. */
static enum fragment_state datagram_add(struct fragments *fragments, struct datagram *datagram,
                                        const struct fragment *fragment, struct whole *out)
{
    if (datagram->count == LIMIT_FRAGMENTS) {
        datagram_give_up(fragments, datagram);
        return FRAGMENT_HELD;
    }
    if (!piece_add(fragments, datagram, fragment)) {
        fragments->counters->memory_failures++;
        datagram_give_up(fragments, datagram);
        return FRAGMENT_HELD;
    }
    if (!is_complete(datagram))
        return FRAGMENT_HELD;
    bool assembled = assemble(datagram, out);
    if (!assembled) {
        fragments->counters->memory_failures++;
        fragments->counters->fragments_dropped += datagram->count;
    }
    datagram_remove(fragments, datagram);
    return assembled ? FRAGMENT_WHOLE : FRAGMENT_HELD;
}

/* judge_overlap: may the fragment be kept in its datagram? */
static bool judge_overlap(struct fragments *fragments, struct datagram *datagram,
                          const struct fragment *fragment)
{
    enum overlap overlap = overlap_of(datagram, fragment);
    bool contradiction = contradicts(datagram, fragment);
    if (overlap == OVERLAP_SAME)
        return false;
    if (overlap == OVERLAP_NONE && !contradiction)
        return true;
    if (fragment->key.family == 6) {
        datagram_give_up(fragments, datagram);
        return false;
    }
    fragments->counters->fragments_dropped++;
    datagram->overlaps = true;
    return !contradiction;
}

enum fragment_state fragments_add(struct fragments *fragments, const struct fragment *fragment,
                                  int64_t now, struct whole *out)
{
    struct counters *counters = fragments->counters;
    size_t length = fragment->bytes.length;
    counters->fragments++;
    drop_expired(fragments, now);
    if (!fragment->cut && (length == 0 || fragment->offset + length > DATAGRAM_MOST ||
                           (fragment->more && length % 8 != 0)))
        return FRAGMENT_MALFORMED;
    while (fragments->held + length > LIMIT_FRAGMENT_BYTES)
        drop_oldest(fragments);
    struct datagram *datagram = datagram_find(fragments, &fragment->key, now);
    if (!datagram)
        counters->memory_failures++;
    if (!datagram || datagram->dead) {
        counters->fragments_dropped++;
        return FRAGMENT_HELD;
    }
    if (fragment->cut) {
        datagram_give_up(fragments, datagram);
        return FRAGMENT_HELD;
    }
    if (!judge_overlap(fragments, datagram, fragment))
        return FRAGMENT_HELD;
    return datagram_add(fragments, datagram, fragment, out);
}
