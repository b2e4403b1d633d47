/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hello says: ClientHello and ServerHello of SSLv3 to TLS 1.3 (RFC 8446 4.1, RFC 5246 7.4.1), the SSLv2 format of the
 * ClientHello (RFC 5246 E.2) and SSLv2 proper, and of ServerKeyExchange the group. Parsed messages borrow slices of the message.
 */
#ifndef PROTO_TLS_HELLO_H
#define PROTO_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum tls_parse { TLS_PARSE_OK, TLS_PARSE_MALFORMED };

/* Extensions and offers that are plain facts: bits of `flags` in both hellos. */
enum tls_hello_flag {
    TLS_HAS_EXTENSIONS = 1 << 0,
    TLS_HAS_SUPPORTED_VERSIONS = 1 << 1,
    TLS_HAS_SERVER_NAME = 1 << 2,
    TLS_HAS_ALPN = 1 << 3,
    TLS_HAS_SESSION_TICKET = 1 << 4,     /* the extension is there */
    TLS_OFFERS_TICKET = 1 << 5,          /* ... and not empty */
    TLS_HAS_PRE_SHARED_KEY = 1 << 6,     /* client: offers; server: selects one */
    TLS_HAS_EARLY_DATA = 1 << 7,
    TLS_HAS_ENCRYPTED_CLIENT_HELLO = 1 << 8, /* 0xfe0d, outer */
    TLS_HAS_EXTENDED_MASTER_SECRET = 1 << 9,
    TLS_HAS_ENCRYPT_THEN_MAC = 1 << 10,
    TLS_HAS_RENEGOTIATION_INFO = 1 << 11, /* or, in a client's list, TLS_EMPTY_RENEGOTIATION_INFO_SCSV */
    TLS_HAS_FALLBACK_SCSV = 1 << 12,
    TLS_OFFERS_COMPRESSION = 1 << 13,    /* client: any method but null; server: chose one */
    TLS_HAS_HEARTBEAT = 1 << 14,
    TLS_HAS_STATUS_REQUEST = 1 << 15,
    TLS_HAS_KEY_SHARE = 1 << 16,
    TLS_HAS_COOKIE = 1 << 17,
    TLS_OFFERS_FORWARD_SECRECY = 1 << 18, /* client: a suite with (EC)DHE, or a 1.3 suite */
    TLS_OFFERS_POST_QUANTUM = 1 << 19,    /* client: a group with ML-KEM or Kyber */
    TLS_SSL2_FORMAT = 1 << 20,            /* client: an SSLv2-format hello */
    TLS_INCOMPLETE = 1 << 21              /* a length of the frame pointed past the end: there is no telling what else was in it */
};

/* Lists are borrowed and still in wire form; tls_list_next walks them. An absent list is empty. */
struct tls_client_hello {
    uint32_t flags;             /* enum tls_hello_flag */
    uint16_t legacy_version;    /* client_version / legacy_version */
    uint16_t max_version;       /* highest known one offered (GREASE and unknown are no offers; drafts count as such), 0 if none */
    struct slice random;        /* 32 bytes (SSLv2 format: the challenge) */
    struct slice session_id;
    struct slice ciphers;       /* 2-byte ids; SSLv2 format: 3-byte ids */
    struct slice compressions;  /* 1-byte ids */
    struct slice extensions;    /* the whole block, without its length: fingerprints walk it */
    struct slice versions;      /* 2-byte ids of supported_versions */
    struct slice groups;        /* 2-byte ids of supported_groups */
    struct slice key_shares;    /* the client_shares vector, without its length: group, then an opaque<1..2^16-1> */
    struct slice signatures;    /* 2-byte ids of signature_algorithms */
    struct slice point_formats; /* 1-byte ids */
    struct slice alpn;          /* the ProtocolNameList, without its length */
    struct slice server_name;   /* the first host_name of server_name (RFC 6066 3) */
    uint16_t record_size_limit; /* RFC 8449; 0 if absent */
    uint8_t max_fragment;       /* RFC 6066 4 code; 0 if absent */
};

struct tls_server_hello {
    uint32_t flags;
    uint16_t legacy_version;
    uint16_t version;       /* chosen: supported_versions where present, else legacy_version */
    uint16_t cipher;
    uint16_t group;         /* of key_share (also in a HelloRetryRequest: selected_group); 0 if absent */
    uint8_t compression;
    bool hello_retry;       /* it is a HelloRetryRequest (RFC 8446 4.1.3), or the message of that name in drafts */
    struct slice random;    /* 32 bytes */
    struct slice session_id;
    struct slice extensions;
    struct slice alpn;      /* the protocol chosen */
    uint16_t record_size_limit;
    uint8_t max_fragment;
};

/*
 * Each parser takes a complete message body. MALFORMED: the sender lied about a length, left bytes over or sent an empty
 * vector where none is allowed; what could be read stays valid in *out (a broken extension spoils only itself), the rest is zero.
 * Of an extension that comes twice the first counts.
 */
enum tls_parse tls_parse_client_hello(struct slice body, struct tls_client_hello *out);
enum tls_parse tls_parse_server_hello(struct slice body, struct tls_server_hello *out);

/* tls_parse_hello_retry_draft parses message type 6 of drafts before 22 (version, extensions; from draft 19 a cipher). */
enum tls_parse tls_parse_hello_retry_draft(struct slice body, struct tls_server_hello *out);

/* ServerKeyExchange: what RFC 8422 5.4 and RFC 5246 7.4.3 show. `cipher` tells the key exchange. */
struct tls_key_exchange {
    uint16_t group;        /* named curve; 0 where none (DHE, explicit curves) */
    uint16_t prime_bits;   /* DHE: bits of dh_p; else 0 */
};
enum tls_parse tls_parse_server_key_exchange(struct slice body, uint16_t version, uint16_t cipher, struct tls_key_exchange *out);

/* SSLv2 (draft-hickman-netscape-ssl-00): body without the record header. */
struct ssl2_server_hello {
    uint16_t version;
    bool session_id_hit;
    uint8_t certificate_type;
    struct slice certificate, ciphers, connection_id; /* ciphers: 3-byte ids */
};
enum tls_parse ssl2_parse_client_hello(struct slice body, struct tls_client_hello *out); /* also the SSLv2-format hello */
enum tls_parse ssl2_parse_server_hello(struct slice body, struct ssl2_server_hello *out);
enum tls_parse ssl2_parse_client_master_key(struct slice body, uint32_t *cipher); /* 3-byte id */

/*
 * ssl2_hello_plausible tells whether bytes look like the record of an SSLv2-format ClientHello, by the first 5 (fewer: false): 2-byte
 * header, long enough, message type 1, version 0.2 or 3.0 to 3.4. ssl2_hello_possible goes by as many of them as are there (none: false).
 */
bool ssl2_hello_plausible(struct slice input);
bool ssl2_hello_possible(struct slice input);

/* ssl2_record_header reads a record header of 2 or 3 bytes (returns its size, 0: too short or no SSLv2 record) and, in *length, the bytes after it. */
unsigned ssl2_record_header(struct slice input, uint16_t *length);

/* tls_cipher_offer adds to `flags` what a TLS suite or SCSV in a client's list says. */
uint32_t tls_cipher_offer(uint32_t flags, uint16_t id);

/*
 * tls_legacy_offer returns the version that a hello without supported_versions offers by its version field: no more than TLS 1.2
 * (RFC 8446 4.2.1), 0 for an unknown one.
 */
uint16_t tls_legacy_offer(uint16_t legacy_version);

/* tls_list_next takes the next 2-byte id off a list; false at the end. */
static inline bool tls_list_next(struct reader *list, uint16_t *id)
{
    *id = reader_u16(list);
    return !list->bad;
}

/* tls_is_grease tells a GREASE value (RFC 8701). */
static inline bool tls_is_grease(uint16_t id)
{
    return (id & 0x0f0f) == 0x0a0a && (id >> 8) == (id & 0xff);
}

/* tls_sentinel returns 0x0304 or 0x0303, the version that the server's random proves it supports (RFC 8446 4.1.3: DOWNGRD 01, 00), else 0. */
uint16_t tls_sentinel(struct slice random);

#endif
