/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the hellos that tls_handshake.c assembled; the session copies what it keeps. */
#include "proto/tls_hello.h"
#include "proto/tls_names.h"

enum {
    RANDOM_SIZE = 32,
    SESSION_ID_MAX = 32,
    FALLBACK_SCSV = 0x5600,
    RENEGOTIATION_SCSV = 0x00ff,
    DRAFT_19 = 0x7f13,
};

/*
 * A vector with a 16-bit length that fills `body`. False if it is empty, not made of whole items or
 * wrong about its length; what there is of it stays in *out.
 */
static bool take_list16(struct reader *body, size_t item, struct slice *out)
{
    struct reader list = reader_child16(body);
    *out = reader_rest(&list);
    return reader_done(body) && out->length && out->length % item == 0;
}

static bool take_list8(struct reader *body, size_t item, struct slice *out)
{
    struct reader list = reader_child8(body);
    *out = reader_rest(&list);
    return reader_done(body) && out->length && out->length % item == 0;
}

static bool take_u8(struct reader *body, uint8_t *out)
{
    *out = reader_u8(body);
    return reader_done(body);
}

static bool take_u16(struct reader *body, uint16_t *out)
{
    *out = reader_u16(body);
    return reader_done(body);
}

/* RFC 7301 3.1: ProtocolName protocol_name_list<2..2^16-1>, each of them opaque<1..2^8-1>. */
static bool take_protocols(struct reader *body, struct slice *list, struct slice *first)
{
    bool ok = take_list16(body, 1, list);
    struct reader names = reader_of_slice(*list);
    *first = (struct slice){0};
    while (names.left) {
        struct reader name = reader_child8(&names);
        if (!name.left) /* empty, or longer than the list */
            ok = false;
        if (!first->length)
            *first = reader_rest(&name);
    }
    return ok;
}

/* RFC 6066 3: ServerName server_name_list<1..2^16-1>; name_type host_name is 0. */
static bool client_server_name(struct reader *body, struct tls_client_hello *hello)
{
    struct slice list;
    bool ok = take_list16(body, 1, &list);
    struct reader names = reader_of_slice(list);
    while (names.left) {
        uint8_t type = reader_u8(&names);
        struct reader name = reader_child16(&names);
        if (type == 0 && !hello->server_name.length)
            hello->server_name = reader_rest(&name);
    }
    return ok && !names.bad && hello->server_name.length;
}

static bool client_max_fragment(struct reader *body, struct tls_client_hello *hello)
{
    return take_u8(body, &hello->max_fragment);
}

static bool client_groups(struct reader *body, struct tls_client_hello *hello)
{
    return take_list16(body, 2, &hello->groups);
}

static bool client_point_formats(struct reader *body, struct tls_client_hello *hello)
{
    return take_list8(body, 1, &hello->point_formats);
}

static bool client_signatures(struct reader *body, struct tls_client_hello *hello)
{
    return take_list16(body, 2, &hello->signatures);
}

static bool client_alpn(struct reader *body, struct tls_client_hello *hello)
{
    struct slice first;
    return take_protocols(body, &hello->alpn, &first);
}

static bool client_record_size(struct reader *body, struct tls_client_hello *hello)
{
    return take_u16(body, &hello->record_size_limit);
}

static bool client_ticket(struct reader *body, struct tls_client_hello *hello)
{
    if (body->left)
        hello->flags |= TLS_OFFERS_TICKET;
    return true;
}

static bool client_versions(struct reader *body, struct tls_client_hello *hello)
{
    return take_list8(body, 2, &hello->versions);
}

/* RFC 8446 4.2.8: KeyShareEntry client_shares<0..2^16-1>; an empty one asks for a retry. */
static bool take_key_shares(struct reader *body, struct slice *out)
{
    struct reader list = reader_child16(body);
    struct reader shares = list;
    *out = reader_rest(&list);
    bool ok = reader_done(body);
    while (shares.left) {
        reader_skip(&shares, 2);
        struct reader key = reader_child16(&shares);
        if (!key.left) /* empty, or longer than the list */
            ok = false;
    }
    return ok;
}

static bool client_key_shares(struct reader *body, struct tls_client_hello *hello)
{
    hello->flags |= TLS_HAS_KEY_SHARE;
    return take_key_shares(body, &hello->key_shares);
}

/* Drafts before 23 had key_share at 40, which means nothing today: never a fault. */
static bool client_key_shares_draft(struct reader *body, struct tls_client_hello *hello)
{
    struct slice shares;
    if (!(hello->flags & TLS_HAS_KEY_SHARE) && take_key_shares(body, &shares))
        hello->key_shares = shares;
    return true;
}

static bool client_empty(struct reader *body, struct tls_client_hello *hello)
{
    (void)hello;
    return body->left == 0;
}

static bool server_max_fragment(struct reader *body, struct tls_server_hello *hello)
{
    return take_u8(body, &hello->max_fragment);
}

static bool server_alpn(struct reader *body, struct tls_server_hello *hello)
{
    struct slice list;
    bool ok = take_protocols(body, &list, &hello->alpn);
    return ok && list.length == hello->alpn.length + 1;
}

static bool server_record_size(struct reader *body, struct tls_server_hello *hello)
{
    return take_u16(body, &hello->record_size_limit);
}

static bool server_pre_shared_key(struct reader *body, struct tls_server_hello *hello)
{
    (void)hello;
    return reader_skip(body, 2) && reader_done(body);
}

static bool server_version(struct reader *body, struct tls_server_hello *hello)
{
    uint16_t version;
    bool ok = take_u16(body, &version);
    if (ok)
        hello->version = version;
    return ok;
}

/* RFC 8446 4.2.8: KeyShareEntry server_share; in a HelloRetryRequest selected_group alone. */
static bool server_key_share(struct reader *body, struct tls_server_hello *hello)
{
    hello->flags |= TLS_HAS_KEY_SHARE;
    hello->group = reader_u16(body);
    if (hello->hello_retry)
        return reader_done(body);
    struct reader key = reader_child16(body);
    return key.left && reader_done(body);
}

/* As client_key_shares_draft. */
static bool server_key_share_draft(struct reader *body, struct tls_server_hello *hello)
{
    struct tls_server_hello with = *hello;
    if (!(hello->flags & TLS_HAS_KEY_SHARE) && server_key_share(body, &with))
        *hello = with;
    return true;
}

static bool server_empty(struct reader *body, struct tls_server_hello *hello)
{
    (void)hello;
    return body->left == 0;
}

/* One known extension: its flag, and what reads its body (NULL: not needed); false tells a fault.
 */
struct extension_rule {
    uint16_t type;
    uint32_t flag;
    bool (*client)(struct reader *body, struct tls_client_hello *hello);
    bool (*server)(struct reader *body, struct tls_server_hello *hello);
};

static const struct extension_rule rules[] = {
    {0, TLS_HAS_SERVER_NAME, client_server_name, server_empty},
    {1, 0, client_max_fragment, server_max_fragment},
    {5, TLS_HAS_STATUS_REQUEST, NULL, NULL},
    {10, 0, client_groups, NULL},
    {11, 0, client_point_formats, NULL},
    {13, 0, client_signatures, NULL},
    {15, TLS_HAS_HEARTBEAT, NULL, NULL},
    {16, TLS_HAS_ALPN, client_alpn, server_alpn},
    {22, TLS_HAS_ENCRYPT_THEN_MAC, client_empty, server_empty},
    {23, TLS_HAS_EXTENDED_MASTER_SECRET, client_empty, server_empty},
    {28, 0, client_record_size, server_record_size},
    {35, TLS_HAS_SESSION_TICKET, client_ticket, NULL},
    {40, 0, client_key_shares_draft, server_key_share_draft},
    {41, TLS_HAS_PRE_SHARED_KEY, NULL, server_pre_shared_key},
    {42, TLS_HAS_EARLY_DATA, NULL, NULL},
    {43, TLS_HAS_SUPPORTED_VERSIONS, client_versions, server_version},
    {44, TLS_HAS_COOKIE, NULL, NULL},
    {51, 0, client_key_shares, server_key_share},
    {0xfe0d, TLS_HAS_ENCRYPTED_CLIENT_HELLO, NULL, NULL},
    {0xff01, TLS_HAS_RENEGOTIATION_INFO, NULL, NULL},
};

enum { RULES = sizeof rules / sizeof rules[0] };

static unsigned rule_of(uint16_t type)
{
    unsigned rule = 0;
    while (rule < RULES && rules[rule].type != type)
        rule++;
    return rule;
}

/*
 * Takes the next known extension that was not seen before (RFC 8446 4.2 forbids doubles; the first
 * counts). NULL at the end, which is a fault where extensions->bad is set.
 */
static const struct extension_rule *next_extension(struct reader *extensions, uint32_t *seen,
                                                   struct reader *body)
{
    while (extensions->left) {
        unsigned rule = rule_of(reader_u16(extensions));
        *body = reader_child16(extensions);
        if (extensions->bad || rule == RULES || *seen >> rule & 1)
            continue;
        *seen |= (uint32_t)1 << rule;
        return &rules[rule];
    }
    return NULL;
}

static bool client_extensions(struct tls_client_hello *hello)
{
    struct reader extensions = reader_of_slice(hello->extensions), body;
    const struct extension_rule *rule;
    uint32_t seen = 0;
    bool ok = true;
    while ((rule = next_extension(&extensions, &seen, &body)) != NULL) {
        hello->flags |= rule->flag;
        if (rule->client && !rule->client(&body, hello))
            ok = false;
    }
    if (extensions.bad)
        hello->flags |= TLS_INCOMPLETE;
    return ok && !extensions.bad;
}

static bool server_extensions(struct tls_server_hello *hello)
{
    struct reader extensions = reader_of_slice(hello->extensions), body;
    const struct extension_rule *rule;
    uint32_t seen = 0;
    bool ok = true;
    while ((rule = next_extension(&extensions, &seen, &body)) != NULL) {
        hello->flags |= rule->flag;
        if (rule->server && !rule->server(&body, hello))
            ok = false;
    }
    if (extensions.bad)
        hello->flags |= TLS_INCOMPLETE;
    return ok && !extensions.bad;
}

uint32_t tls_cipher_offer(uint32_t flags, uint16_t id)
{
    if (id == FALLBACK_SCSV)
        return flags | TLS_HAS_FALLBACK_SCSV;
    if (id == RENEGOTIATION_SCSV)
        return flags | TLS_HAS_RENEGOTIATION_INFO;
    if (flags & TLS_OFFERS_FORWARD_SECRECY)
        return flags; /* no need to look it up */
    bool forward = tls_cipher_traits(id) & TLS_CIPHER_FORWARD_SECRECY;
    return forward ? flags | TLS_OFFERS_FORWARD_SECRECY : flags;
}

/*
 * The order of versions in an offer: by rank, the final 1.3 above its drafts. RFC 8446 4.2.1: a
 * client without supported_versions can get no more than 1.2, whatever its version field claims.
 */
static uint32_t version_order(uint16_t id)
{
    uint32_t order = (uint32_t)tls_version_rank(id) << 16;
    return order ? order | (id >> 8 == 3 ? UINT16_MAX : id) : 0;
}

uint16_t tls_legacy_offer(uint16_t legacy_version)
{
    if (legacy_version >> 8 == 3 && legacy_version > 0x0303)
        return 0x0303;
    return tls_version_rank(legacy_version) == TLS_VERSION_NONE ? 0 : legacy_version;
}

static uint16_t highest_version(struct slice versions)
{
    struct reader list = reader_of_slice(versions);
    uint16_t highest = 0, id;
    while (tls_list_next(&list, &id))
        if (version_order(id) > version_order(highest))
            highest = id;
    return highest;
}

static void summarize_offers(struct tls_client_hello *hello)
{
    uint16_t id;
    struct reader list = reader_of_slice(hello->ciphers);
    while (tls_list_next(&list, &id))
        hello->flags = tls_cipher_offer(hello->flags, id);
    list = reader_of_slice(hello->groups);
    while (tls_list_next(&list, &id))
        if (tls_group_post_quantum(id))
            hello->flags |= TLS_OFFERS_POST_QUANTUM;
    list = reader_of_slice(hello->compressions);
    while (list.left)
        if (reader_u8(&list))
            hello->flags |= TLS_OFFERS_COMPRESSION;
    hello->max_version = hello->flags & TLS_HAS_SUPPORTED_VERSIONS
                             ? highest_version(hello->versions)
                             : tls_legacy_offer(hello->legacy_version);
}

/* opaque legacy_session_id<0..32> */
static bool take_session_id(struct reader *body, struct slice *out)
{
    struct reader id = reader_child8(body);
    *out = reader_rest(&id);
    return out->length <= SESSION_ID_MAX;
}

/*
 * struct { ProtocolVersion legacy_version; Random random; opaque legacy_session_id<0..32>;
 * CipherSuite cipher_suites<2..2^16-2>; opaque legacy_compression_methods<1..2^8-1>; Extension
 * extensions<8..2^16-1>; } ClientHello; without extensions before TLS 1.2.
 */
enum tls_parse tls_parse_client_hello(struct slice body, struct tls_client_hello *out)
{
    *out = (struct tls_client_hello){0};
    struct reader r = reader_of_slice(body);
    out->legacy_version = reader_u16(&r);
    out->random = reader_bytes(&r, RANDOM_SIZE);
    bool ok = take_session_id(&r, &out->session_id);
    struct reader list = reader_child16(&r);
    out->ciphers = reader_rest(&list);
    list = reader_child8(&r);
    out->compressions = reader_rest(&list);
    ok = ok && out->ciphers.length && out->ciphers.length % 2 == 0 && out->compressions.length;
    if (r.left) {
        list = reader_child16(&r);
        out->extensions = reader_rest(&list);
        out->flags |= TLS_HAS_EXTENSIONS;
        ok = client_extensions(out) && ok;
    }
    summarize_offers(out);
    if (r.bad)
        out->flags |= TLS_INCOMPLETE;
    return ok && reader_done(&r) ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}

/* Drafts before 22: their number in the version field, no session id, no compression. */
static bool is_draft_layout(uint16_t legacy_version)
{
    return legacy_version >> 8 != 3 && tls_version_rank(legacy_version) == TLS_VERSION_TLS13;
}

/* RFC 8446 4.1.3: the random of a HelloRetryRequest is SHA-256("HelloRetryRequest"). */
static bool is_hello_retry(struct slice random)
{
    static const uint8_t retry[RANDOM_SIZE] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                               0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                               0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                               0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    return random.length == RANDOM_SIZE && memcmp(random.data, retry, RANDOM_SIZE) == 0;
}

/* The extensions at the end of a ServerHello or HelloRetryRequest, and what is known after them. */
static enum tls_parse finish_server_hello(struct reader *r, bool ok, struct tls_server_hello *out)
{
    if (r->left) {
        struct reader extensions = reader_child16(r);
        out->extensions = reader_rest(&extensions);
        out->flags |= TLS_HAS_EXTENSIONS;
        ok = server_extensions(out) && ok;
    }
    if (out->compression)
        out->flags |= TLS_OFFERS_COMPRESSION;
    if (r->bad)
        out->flags |= TLS_INCOMPLETE;
    return ok && reader_done(r) ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}

/*
 * struct { ProtocolVersion legacy_version; Random random; opaque legacy_session_id_echo<0..32>;
 * CipherSuite cipher_suite; uint8 legacy_compression_method; Extension extensions<6..2^16-1>; }
 * ServerHello; extensions may be absent before 1.3.
 */
enum tls_parse tls_parse_server_hello(struct slice body, struct tls_server_hello *out)
{
    *out = (struct tls_server_hello){0};
    struct reader r = reader_of_slice(body);
    bool ok = true;
    out->legacy_version = reader_u16(&r);
    out->version = out->legacy_version;
    out->random = reader_bytes(&r, RANDOM_SIZE);
    out->hello_retry = is_hello_retry(out->random);
    if (!is_draft_layout(out->legacy_version))
        ok = take_session_id(&r, &out->session_id);
    out->cipher = reader_u16(&r);
    if (!is_draft_layout(out->legacy_version))
        out->compression = reader_u8(&r);
    return finish_server_hello(&r, ok, out);
}

enum tls_parse tls_parse_hello_retry_draft(struct slice body, struct tls_server_hello *out)
{
    *out = (struct tls_server_hello){.hello_retry = true};
    struct reader r = reader_of_slice(body);
    out->legacy_version = reader_u16(&r);
    out->version = out->legacy_version;
    if (out->legacy_version >= DRAFT_19)
        out->cipher = reader_u16(&r);
    return finish_server_hello(&r, true, out);
}

uint16_t tls_sentinel(struct slice random)
{
    static const uint8_t downgrade[7] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};
    struct reader r = reader_of_slice(random);
    reader_skip(&r, RANDOM_SIZE - 8);
    struct slice mark = reader_bytes(&r, sizeof downgrade);
    uint8_t level = reader_u8(&r);
    if (!reader_done(&r) || memcmp(mark.data, downgrade, sizeof downgrade) != 0 || level > 1)
        return 0;
    return level ? 0x0304 : 0x0303;
}
