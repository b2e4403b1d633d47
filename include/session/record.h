/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of one mail session: the finished record that session hands to writer. */
#ifndef SESSION_RECORD_H
#define SESSION_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/words.h"
#include "decode/segment.h"
#include "session/certificate.h"
#include "session/fingerprint.h"

/* A string from the wire, kept in the record's one block of text; length 0: there is none. */
struct text_ref {
    uint16_t at;
    uint16_t length;
};

enum smtp_hello { SMTP_HELLO_NONE, SMTP_HELLO_HELO, SMTP_HELLO_EHLO, SMTP_HELLO_LHLO };

/* What complete 250 replies to EHLO before any TLS said of STARTTLS. */
enum smtp_offer { SMTP_OFFER_UNKNOWN, SMTP_LACKED, SMTP_OFFERED };

struct smtp_facts {
    struct text_ref banner;      /* text of the first line of the 220 (or 4xx, 5xx) greeting, without the code */
    struct text_ref server_name; /* the host named by it */
    struct text_ref client_name; /* argument of the first EHLO, HELO or LHLO */
    struct text_ref reply_text;  /* of the reply to the STARTTLS attempt that got furthest; its first line */
    struct text_ref sender_domains, recipient_domains; /* with --envelope-domains: of MAIL FROM and RCPT TO in the clear, each once, comma-separated */
    struct text_ref mechanism;   /* SASL mechanism with which credentials crossed without TLS, or "other" */
    uint16_t reply_code;         /* 0: no reply to STARTTLS */
    uint16_t banner_code;        /* 0: no greeting */
    uint16_t attempts;           /* STARTTLS commands */
    uint8_t hello;               /* enum smtp_hello */
    uint8_t starttls;            /* enum starttls */
    uint32_t mail_in_clear;      /* messages whose content crossed outside TLS */
};

/* What `flags` of a side says is in enum tls_hello_flag (proto/tls_hello.h). */
struct tls_side_facts {
    uint32_t flags;
    uint8_t last_message;      /* handshake type of the last readable message; see saw_message */
    bool saw_message;
    uint8_t max_fragment;      /* RFC 6066 code, 0 absent */
    uint8_t chain_length;      /* certificates in the Certificate message; 0 none or not visible */
    uint16_t record_size_limit;
    struct text_ref alpn;      /* client: the list, comma-separated; server: the choice */
    struct certificate *certificate; /* leaf, shared (see session/certificate.h), or NULL */
    struct fingerprint *fingerprint; /* of the hello, shared (see session/fingerprint.h), or NULL; see tls_side_fingerprint */
};

enum tls_resumption { TLS_NOT_RESUMED, TLS_RESUMED_SESSION_ID, TLS_RESUMED_TICKET, TLS_RESUMED_PSK };

struct tls_facts {
    bool established : 1;
    bool have_server_hello : 1;     /* one that is no HelloRetryRequest: version and cipher are the server's choice */
    bool have_client_hello : 1;
    bool hello_retry : 1;
    bool have_alert : 1;            /* the first fatal one; see alert_* */
    bool alert_encrypted : 1;       /* 1.3: known only by its shape */
    bool have_cipher : 1;
    bool saw_not_tls : 1;           /* what came instead of a TLS record was none */
    uint8_t resumption;         /* enum tls_resumption */
    uint8_t limited_by;         /* enum side */
    uint8_t alert_from;         /* enum side */
    uint8_t alert_level, alert_code;
    uint8_t server_compression; /* method chosen, 0 null */
    uint16_t version;           /* wire id; 0x0002 is SSLv2; 0 none chosen */
    uint16_t client_max_version; /* wire id of the highest offered, 0 none known */
    uint16_t server_supports;   /* 0x0304, 0x0303 by the sentinel, 0 nothing proven */
    uint16_t group;             /* 0 none */
    uint16_t dh_bits;           /* DHE prime, 0 none */
    uint16_t hello_retry_group; /* 0 none */
    uint32_t cipher;            /* wire id, 3 bytes for SSLv2; valid if have_server_hello, or SSLv2 CLIENT-MASTER-KEY seen: have_cipher */
    int64_t began_ns;           /* time of the ClientHello, 0 unknown */
    int64_t established_ns;     /* time at which the handshake was complete, 0 not */
    struct text_ref server_name;  /* SNI */
    struct text_ref offers[4];    /* with --offers: wire form (2-byte ids; ciphers of an SSLv2-format hello: 3-byte ids) of versions, ciphers, groups, signature_algorithms */
    struct tls_side_facts client, server;
};

enum { TLS_OFFER_VERSIONS, TLS_OFFER_CIPHERS, TLS_OFFER_GROUPS, TLS_OFFER_SIGNATURES };

/* The view of a finished session. All pointers are borrowed for the duration of the writer's call. */
struct record {
    uint64_t uid;
    int64_t time_ns;            /* of the flow's first packet */
    int64_t duration_ns;        /* until the record was due, at least 0; the sum of both is a time too */
    const char *sensor;         /* NULL absent */
    const char *interface;      /* NULL absent */
    const char *file;           /* NULL absent */
    char community_id[32];      /* "" none */
    enum direction direction;
    uint8_t family;             /* 4, 6: of the packets */
    uint8_t client_family;      /* the same, but for a client behind a proxy */
    bool have_proxy;            /* client_ and direction are what a PROXY header said; proxy_ is who sent the packets */
    struct address proxy_ip;
    uint16_t proxy_port;
    uint8_t vlans;              /* at most SEGMENT_VLANS */
    uint16_t vlan[SEGMENT_VLANS];
    struct address client_ip, server_ip;
    uint16_t client_port, server_port;
    uint64_t client_bytes, server_bytes;
    enum outcome outcome;
    enum end_how end;
    enum side end_from;         /* SIDE_NONE: absent */
    unsigned incomplete;        /* bits of enum incomplete */
    uint8_t offer;              /* enum smtp_offer, for the history */
    bool cut;                   /* a string from the wire was longer than what is kept */
    bool have_smtp;             /* false: no `smtp` object */
    const char *protocol;       /* not_smtp: the name of what it is, NULL unknown */
    const char *text;           /* what text_refs refer to */
    uint16_t text_length;       /* bytes of it */
    const struct smtp_facts *smtp;
    const struct tls_facts *tls; /* NULL: no `tls` object */
    uint64_t findings;          /* bits 1 << enum finding */
    bool have_fallback;         /* with plaintext_fallback: the failed session */
    uint64_t fallback_uid;
    int64_t fallback_time_ns;
    char fallback_community_id[32];
};

/* tls_side_fingerprint returns a side's fingerprints (borrowed), empty where it has none. */
static inline const struct fingerprint *tls_side_fingerprint(const struct tls_side_facts *side)
{
    return side->fingerprint ? side->fingerprint : &fingerprint_none;
}

/* record_text returns a string of the record as borrowed bytes; empty if there is none. */
static inline struct slice record_text(const struct record *record, struct text_ref ref)
{
    return (struct slice){.data = (const uint8_t *)record->text + ref.at, .length = ref.length};
}

#endif
