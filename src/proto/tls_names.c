/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and properties of TLS code points, for the hello parsers, the session and the writer. */
#include <stdio.h>
#include <string.h>

#include "proto/tls_names.h"

enum { GROUP_KNOWN = 1 << 0, GROUP_POST_QUANTUM = 1 << 1 };

struct name_row {
    uint32_t id;
    uint16_t traits;
    const char *name;
};

#include "tls_tables.inc"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* Binary search; a row of zeros for an id that is not there. */
static struct name_row find(const struct name_row *rows, size_t count, uint32_t id)
{
    while (count) {
        size_t half = count / 2;
        if (rows[half].id == id)
            return rows[half];
        if (rows[half].id < id) {
            rows += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return (struct name_row){0};
}

const char *tls_cipher_name(uint16_t id)
{
    return find(cipher_rows, COUNT(cipher_rows), id).name;
}

unsigned tls_cipher_traits(uint16_t id)
{
    return find(cipher_rows, COUNT(cipher_rows), id).traits;
}

const char *ssl2_cipher_name(uint32_t id)
{
    return id <= UINT16_MAX ? tls_cipher_name((uint16_t)id)
                            : find(ssl2_rows, COUNT(ssl2_rows), id).name;
}

unsigned ssl2_cipher_traits(uint32_t id)
{
    return id <= UINT16_MAX ? tls_cipher_traits((uint16_t)id)
                            : find(ssl2_rows, COUNT(ssl2_rows), id).traits;
}

unsigned tls13_hash_size(uint16_t cipher)
{
    unsigned traits = tls_cipher_traits(cipher);
    return traits & TLS_CIPHER_SHA512 ? 64 : traits & TLS_CIPHER_SHA384 ? 48 : 32;
}

unsigned tls13_tag_size(uint16_t cipher)
{
    unsigned traits = tls_cipher_traits(cipher);
    if (traits & TLS_CIPHER_TAG_HASH)
        return tls13_hash_size(cipher);
    return traits & TLS_CIPHER_TAG8 ? 8 : 16;
}

const char *tls_group_name(uint16_t id)
{
    return find(group_rows, COUNT(group_rows), id).name;
}

bool tls_group_post_quantum(uint16_t id)
{
    return find(group_rows, COUNT(group_rows), id).traits & GROUP_POST_QUANTUM;
}

const char *tls_signature_name(uint16_t id)
{
    return find(signature_rows, COUNT(signature_rows), id).name;
}

const char *tls_alert_name(uint8_t code)
{
    return find(alert_rows, COUNT(alert_rows), code).name;
}

const char *tls_handshake_name(uint8_t type)
{
    return find(handshake_rows, COUNT(handshake_rows), type).name;
}

/* Version ids of 1.3 before RFC 8446: IETF drafts 1 to 28, BoringSSL's experiments, Facebook's
 * drafts 23 to 28. */
enum {
    DRAFT = 0x7f,
    DRAFT_LAST = 28,
    EXPERIMENT = 0x7e,
    EXPERIMENT_LAST = 3,
    FACEBOOK = 0xfb,
    FACEBOOK_FIRST = 0x17
};

static bool is_draft(uint16_t id)
{
    unsigned major = id >> 8, minor = id & 0xff;
    return (major == DRAFT && minor >= 1 && minor <= DRAFT_LAST) ||
           (major == EXPERIMENT && minor >= 1 && minor <= EXPERIMENT_LAST) ||
           (major == FACEBOOK && minor >= FACEBOOK_FIRST && minor <= DRAFT_LAST);
}

enum tls_version tls_version_rank(uint16_t id)
{
    switch (id) {
    case 0x0002: return TLS_VERSION_SSL2;
    case 0x0300: return TLS_VERSION_SSL3;
    case 0x0301: return TLS_VERSION_TLS10;
    case 0x0302: return TLS_VERSION_TLS11;
    case 0x0303: return TLS_VERSION_TLS12;
    case 0x0304: return TLS_VERSION_TLS13;
    default: return is_draft(id) ? TLS_VERSION_TLS13 : TLS_VERSION_NONE;
    }
}

const char *tls_version_name(uint16_t id, char out[TLS_VERSION_NAME])
{
    enum tls_version rank = tls_version_rank(id);
    if (rank == TLS_VERSION_NONE)
        return NULL;
    if (!is_draft(id)) {
        const char *word = word_tls_version(rank);
        memcpy(out, word, strlen(word) + 1);
        return out;
    }
    if (id >> 8 == DRAFT)
        snprintf(out, TLS_VERSION_NAME, "TLSv1.3-draft%u", id & 0xffu);
    else
        snprintf(out, TLS_VERSION_NAME, "TLSv1.3-%s%02x", id >> 8 == FACEBOOK ? "fb" : "7e",
                 id & 0xffu);
    return out;
}
