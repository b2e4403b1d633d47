/* SPDX-License-Identifier: BSD-2-Clause */
/* Fingerprints of hellos for the session: JA3, JA3S (MD5 of lists) and JA4 (SHA-256 of sorted
 * ones). */
#include <string.h>

#include "proto/tls_fingerprint.h"

enum {
    SINK_TEXT = 256,
    SERVER_NAME = 0,
    ALPN = 16,
    JA4_HASH = 12,           /* hex digits kept of each hash */
    JA4_COUNT_MAX = 99,      /* counts have two digits */
    JA4_IDS = UINT16_MAX / 2 /* all that a list of 65535 bytes can hold: 64 KiB of stack */
};

/* Text on its way into a digest, a few hundred bytes at a time. */
struct sink {
    struct digests *digests;
    bool ok;
    size_t length;
    char text[SINK_TEXT];
};

static void sink_flush(struct sink *sink)
{
    sink->ok = sink->ok && digest_add(sink->digests, sink->text, sink->length);
    sink->length = 0;
}

static void sink_begin(struct sink *sink, struct digests *digests, enum digest_kind kind)
{
    sink->digests = digests;
    sink->ok = digests && digest_begin(digests, kind);
    sink->length = 0;
}

/* Room for one id and what stands before it. */
static char *sink_room(struct sink *sink)
{
    enum { MOST = 1 + 5 };
    if (sink->length > SINK_TEXT - MOST)
        sink_flush(sink);
    return sink->text + sink->length;
}

static inline void sink_char(struct sink *sink, char c)
{
    *sink_room(sink) = c;
    sink->length++;
}

/* Each writes an id after a separator, NUL: none. */
static inline void sink_decimal(struct sink *sink, char separator, uint16_t value)
{
    char *at = sink_room(sink);
    if (separator)
        *at++ = separator;
    unsigned digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10000 ? 4 : 5;
    for (unsigned i = digits, rest = value; i > 0; i--, rest /= 10)
        at[i - 1] = (char)('0' + rest % 10);
    sink->length = (size_t)(at + digits - sink->text);
}

static inline void sink_hex(struct sink *sink, char separator, uint16_t value)
{
    static const char digits[] = "0123456789abcdef";
    char *at = sink_room(sink);
    if (separator)
        *at++ = separator;
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = digits[value >> shift & 15];
    sink->length = (size_t)(at - sink->text);
}

/* Ends the digest; false on a failure. */
static bool sink_end(struct sink *sink, uint8_t digest[DIGEST_MAX])
{
    sink_flush(sink);
    return sink->ok && digest_end(sink->digests, digest);
}

/* How ids stand in a list: the walk calls one of these. */
static bool next_id(struct reader *list, uint16_t *id)
{
    return tls_list_next(list, id);
}

static bool next_byte(struct reader *list, uint16_t *id)
{
    *id = reader_u8(list);
    return !list->bad;
}

static bool next_extension(struct reader *block, uint16_t *type)
{
    *type = reader_u16(block);
    reader_child16(block);
    return !block->bad;
}

/* ---- traits */

/* The types of an extension block, without their contents; of GREASE none. */
static struct slice extension_types(struct slice block, uint8_t types[TLS_EXTENSION_TYPES])
{
    struct reader r = reader_of_slice(block);
    size_t length = 0;
    uint16_t type;
    while (length < TLS_EXTENSION_TYPES && next_extension(&r, &type)) {
        if (tls_is_grease(type))
            continue;
        types[length++] = (uint8_t)(type >> 8);
        types[length++] = (uint8_t)(type & 0xff);
    }
    return (struct slice){types, length};
}

bool tls_client_traits(const struct tls_client_hello *hello, struct tls_traits *traits)
{
    struct reader alpn = reader_of_slice(hello->alpn), protocol = reader_child8(&alpn);
    if (hello->flags & (TLS_SSL2_FORMAT | TLS_INCOMPLETE))
        return false;
    traits->server = false;
    traits->version = hello->legacy_version;
    traits->cipher = 0;
    traits->server_name = hello->flags & TLS_HAS_SERVER_NAME;
    traits->supported_versions = hello->flags & TLS_HAS_SUPPORTED_VERSIONS;
    traits->list[TLS_TRAIT_CIPHERS] = hello->ciphers;
    traits->list[TLS_TRAIT_EXTENSIONS] = extension_types(hello->extensions, traits->types);
    traits->list[TLS_TRAIT_GROUPS] = hello->groups;
    traits->list[TLS_TRAIT_POINT_FORMATS] = hello->point_formats;
    traits->list[TLS_TRAIT_VERSIONS] = hello->versions;
    traits->list[TLS_TRAIT_SIGNATURES] = hello->signatures;
    traits->list[TLS_TRAIT_PROTOCOL] = reader_rest(&protocol);
    return true;
}

bool tls_server_traits(const struct tls_server_hello *hello, struct tls_traits *traits)
{
    if (hello->flags & TLS_INCOMPLETE)
        return false;
    traits->server = true;
    traits->version = hello->legacy_version;
    traits->cipher = hello->cipher;
    traits->server_name = traits->supported_versions = false;
    for (unsigned i = 0; i < TLS_TRAIT_LISTS; i++)
        traits->list[i] = (struct slice){0};
    traits->list[TLS_TRAIT_EXTENSIONS] = extension_types(hello->extensions, traits->types);
    return true;
}

size_t tls_traits_pack(const struct tls_traits *traits, uint8_t *out, size_t room)
{
    struct {
        uint16_t version, cipher, flags, length[TLS_TRAIT_LISTS];
    } head = {traits->version, traits->cipher,
              (uint16_t)(traits->server | traits->server_name << 1 | traits->supported_versions << 2), {0}};
    size_t at = sizeof head;
    if (room < at)
        return 0;
    for (unsigned i = 0; i < TLS_TRAIT_LISTS; i++) {
        struct slice list = traits->list[i];
        if (list.length > room - at)
            return 0;
        if (list.length)
            memcpy(out + at, list.data, list.length);
        head.length[i] = (uint16_t)list.length;
        at += list.length;
    }
    memcpy(out, &head, sizeof head);
    return at;
}

/* ---- JA3 */

/* A field of JA3 after the first: decimal ids with "-" between them, without GREASE. */
static inline __attribute__((always_inline)) void
ja3_list(struct sink *sink, struct slice list, bool (*next)(struct reader *, uint16_t *))
{
    struct reader r = reader_of_slice(list);
    char separator = '\0';
    uint16_t id;
    sink_char(sink, ',');
    while (next(&r, &id)) {
        if (tls_is_grease(id))
            continue;
        sink_decimal(sink, separator, id);
        separator = '-';
    }
}

bool tls_ja3(const struct tls_traits *client, struct digests *digests, uint8_t out[DIGEST_MAX])
{
    struct sink sink;
    sink_begin(&sink, digests, DIGEST_MD5);
    sink_decimal(&sink, '\0', client->version);
    ja3_list(&sink, client->list[TLS_TRAIT_CIPHERS], next_id);
    ja3_list(&sink, client->list[TLS_TRAIT_EXTENSIONS], next_id);
    ja3_list(&sink, client->list[TLS_TRAIT_GROUPS], next_id);
    ja3_list(&sink, client->list[TLS_TRAIT_POINT_FORMATS], next_byte);
    return sink_end(&sink, out);
}

bool tls_ja3s(const struct tls_traits *server, struct digests *digests, uint8_t out[DIGEST_MAX])
{
    struct sink sink;
    sink_begin(&sink, digests, DIGEST_MD5);
    sink_decimal(&sink, '\0', server->version);
    sink_decimal(&sink, ',', server->cipher);
    ja3_list(&sink, server->list[TLS_TRAIT_EXTENSIONS], next_id);
    return sink_end(&sink, out);
}

/* ---- JA4 */

/*
 * The ids of a list without GREASE; of extensions server_name and ALPN are counted in *counted, but
 * left out.
 */
static size_t collect(const struct tls_traits *client, unsigned which, uint16_t ids[JA4_IDS],
                      unsigned *counted)
{
    struct reader r = reader_of_slice(client->list[which]);
    size_t count = 0;
    uint16_t id;
    *counted = 0;
    while (tls_list_next(&r, &id)) {
        if (tls_is_grease(id))
            continue;
        ++*counted;
        bool left_out = which == TLS_TRAIT_EXTENSIONS && (id == SERVER_NAME || id == ALPN);
        if (!left_out && count < JA4_IDS)
            ids[count++] = id;
    }
    if (*counted > JA4_COUNT_MAX)
        *counted = JA4_COUNT_MAX;
    return count;
}

/* Shell sort: short lists, no allocation, and no list that a sender could make expensive. */
static void sort_ids(uint16_t *ids, size_t count)
{
    size_t gap = 1;
    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap; gap /= 3) {
        for (size_t i = gap; i < count; i++) {
            uint16_t id = ids[i];
            size_t at = i;
            for (; at >= gap && ids[at - gap] > id; at -= gap)
                ids[at] = ids[at - gap];
            ids[at] = id;
        }
    }
}

/*
 * One hash of JA4: sorted ids, for extensions "_" and the signature algorithms in the order of the
 * hello. Zeros for no ids.
 */
static bool ja4_hash(struct digests *digests, uint16_t *ids, size_t count, struct slice signatures,
                     char out[JA4_HASH + 1])
{
    struct sink sink;
    struct reader list = reader_of_slice(signatures);
    uint8_t digest[DIGEST_MAX];
    char separator = '_';
    uint16_t id;
    if (!count) {
        memcpy(out, "000000000000", JA4_HASH + 1);
        return true;
    }
    sort_ids(ids, count);
    sink_begin(&sink, digests, DIGEST_SHA256);
    for (size_t i = 0; i < count; i++)
        sink_hex(&sink, i ? ',' : '\0', ids[i]);
    while (tls_list_next(&list, &id)) {
        if (tls_is_grease(id))
            continue;
        sink_hex(&sink, separator, id);
        separator = ',';
    }
    if (!sink_end(&sink, digest))
        return false;
    digest_hex(digest, JA4_HASH / 2, out);
    return true;
}

/* The highest value of supported_versions but GREASE, known or not; without it the version field.
 */
static uint16_t ja4_version(const struct tls_traits *client)
{
    struct reader list = reader_of_slice(client->list[TLS_TRAIT_VERSIONS]);
    uint16_t highest = 0, id;
    if (!client->supported_versions)
        return client->version;
    while (tls_list_next(&list, &id))
        if (!tls_is_grease(id) && id > highest)
            highest = id;
    return highest;
}

static const char *ja4_version_text(uint16_t version)
{
    switch (version) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    case 0xfeff: return "d1";
    case 0xfefd: return "d2";
    case 0xfefc: return "d3";
    default: return "00";
    }
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol, or of its hex form if one is not alphanumeric. */
static void ja4_alpn(struct slice protocol, char out[2])
{
    static const char digits[] = "0123456789abcdef";
    struct reader name = reader_of_slice(protocol);
    size_t length = name.left;
    uint8_t first = reader_u8(&name), last = first;
    if (length > 1) {
        reader_skip(&name, length - 2);
        last = reader_u8(&name);
    }
    if (!length) {
        out[0] = out[1] = '0';
    } else if (is_alphanumeric(first) && is_alphanumeric(last)) {
        out[0] = (char)first;
        out[1] = (char)last;
    } else {
        out[0] = digits[first >> 4];
        out[1] = digits[last & 15];
    }
}

bool tls_ja4(const struct tls_traits *client, struct digests *digests, char out[TLS_JA4])
{
    uint16_t ids[JA4_IDS];
    unsigned ciphers, extensions;
    char alpn[2], cipher_hash[JA4_HASH + 1], extension_hash[JA4_HASH + 1];
    *out = '\0';
    if (!digests)
        return false;
    size_t count = collect(client, TLS_TRAIT_CIPHERS, ids, &ciphers);
    if (!ja4_hash(digests, ids, count, (struct slice){0}, cipher_hash))
        return false;
    count = collect(client, TLS_TRAIT_EXTENSIONS, ids, &extensions);
    if (!ja4_hash(digests, ids, count, client->list[TLS_TRAIT_SIGNATURES], extension_hash))
        return false;
    ja4_alpn(client->list[TLS_TRAIT_PROTOCOL], alpn);
    const char *version = ja4_version_text(ja4_version(client));
    const char head[] = {'t',
                         version[0],
                         version[1],
                         client->server_name ? 'd' : 'i',
                         (char)('0' + ciphers / 10),
                         (char)('0' + ciphers % 10),
                         (char)('0' + extensions / 10),
                         (char)('0' + extensions % 10),
                         alpn[0],
                         alpn[1],
                         '_'};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, cipher_hash, JA4_HASH);
    out[sizeof head + JA4_HASH] = '_';
    memcpy(out + sizeof head + JA4_HASH + 1, extension_hash, JA4_HASH + 1);
    return true;
}
