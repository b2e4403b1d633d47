/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every bound in the program, with its reason and what happens at it. Sizes are in bytes unless said otherwise.
 * At a limit: count it (struct counters), mark the record, go on.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* A hole that the other side acknowledged past may still be filled by a segment that the capture has out of order, this long. */
#define LIMIT_HOLE_NS 500000000LL

enum {
    /* capture: */
    LIMIT_OPEN_CAPTURES = 256,      /* files open at once; below the usual descriptor limit of 1024. Later ones wait. */
    LIMIT_CAPTURES = 65535,         /* files in one run, numbered in 16 bits; later ones are reported and not read */
    LIMIT_FILTER_LINKS = 64,        /* link types that a filter is compiled for; packets of further ones do not pass it */
    LIMIT_CAPTURE_DEPTH = 32,       /* folders below one that was named; deeper ones are passed over with a warning */
    LIMIT_PACKET = 262144,          /* captured bytes of one packet (libpcap's MAXIMUM_SNAPLEN) */
    LIMIT_PCAPNG_BLOCK = 16777216,  /* one pcapng block; a larger one is damage */
    LIMIT_PCAPNG_INTERFACES = 1024, /* interfaces of one pcapng section */

    /* decode: */
    LIMIT_WIRE_LENGTH = 1048576,      /* a packet's length on the wire that is believed; twice what segmentation offload makes */
    LIMIT_TUNNEL_DEPTH = 4,           /* IP headers inside one another; deeper packets count as tunnels_too_deep */
    LIMIT_EXTENSION_HEADERS = 16,     /* of one IPv6 packet (RFC 8504 5.3 lets hosts stop at 8) */
    LIMIT_VLAN_TAGS = 8,              /* tags and MPLS labels of one packet */
    LIMIT_FRAGMENTED_PACKETS = 256,   /* datagrams in reassembly; the oldest is dropped */
    LIMIT_FRAGMENTS = 64,             /* of one datagram */
    LIMIT_FRAGMENT_BYTES = 4194304,   /* held by all of them; the oldest is dropped */

    /* flow: */
    LIMIT_FLOWS = 1000000,           /* default of --max-flows */
    LIMIT_HELD_SEGMENTS = 128,       /* out-of-order segments kept per direction; the hole is then given up */
    LIMIT_HELD_BYTES = 262144,       /* ... and their bytes per direction: a usual receive window */
    LIMIT_HELD_ONE_SIDED = 65536,    /* ... where only one side was captured, so that no acknowledgment tells of a loss */
    LIMIT_HELD_ALL = 268435456,      /* out-of-order bytes in all flows */
    LIMIT_WINDOW = 67108864,         /* how far ahead of the last byte a segment is believed: 64 MiB, four usual largest windows */
    LIMIT_HALF_OPEN_FIRST = 16384,   /* SYNs remembered, 1 MB: then the oldest goes, counted as unproven. A power of two */
    LIMIT_HALF_OPEN = 1048576,       /* ... where the oldest is not older than this, as when very many open at once, or in a flood of 16,000 a second: 48 MB */
    LIMIT_HALF_OPEN_S = 1,           /* a SYN that nobody answers; a later answer tells all of it but its time (and a SYN is sent again: RFC 6298 2.1) */
    LIMIT_ANSWERED_S = 3,            /* one that was answered: slow clients take longer than a second, flood or not, and must not lose their beginning */
    LIMIT_UNPROVEN_FLOWS = 4096,     /* flows of one segment, which nothing has followed or answered yet; the oldest goes, counted as unproven */
    LIMIT_BARE_S = 60,               /* seconds that a connection without payload is remembered */
    LIMIT_ENDED_S = 60,              /* seconds that an ended one is, so that late retransmissions open no new flow */
    LIMIT_ENDED_FLOWS = 16384,       /* ... and how many of them at the most */
    LIMIT_CLASSIFY_PACKETS = 12,     /* payloads that nDPI is shown of one connection: it finds SMTP within ten packets or not at all */
    LIMIT_IDLE_S = 600,              /* default of --idle-timeout: RFC 5321 4.5.3.2.6 lets a client wait 10 minutes for a reply */
    LIMIT_POOL_BYTES = 268435456,    /* bytes lent by the buffer pool in all */

    /* proto: */
    LIMIT_LINE = 8192,               /* an SMTP line; RFC 5321 4.5.3.1 says 512, RFC 4954 4.  12288 for AUTH: cut, the rest skipped */
    LIMIT_TLS_MESSAGE = 131072,      /* a handshake message; certificate chains are the largest */

    /* report: */
    LIMIT_REPORT_PEERS = 200000,          /* default of --max-peers; about 100 bytes each with what they did. Others are folded, and the report says so */
    LIMIT_REPORT_LINE = 1048576,          /* a line of events or aggregates; events end at LIMIT_EVENT. A longer one counts as damaged */
    LIMIT_REPORT_INCIDENTS = 10000,       /* interferences listed, the newest ones; all are counted */
    LIMIT_REPORT_CERTIFICATES = 50000,    /* certificates remembered, those that end first; the report then says "at least" */
    LIMIT_REPORT_ROWS_TIDY = 1000000,     /* cells after which those older than --since are dropped, again when they doubled */
    LIMIT_REPORT_STRINGS_TIDY = 33554432, /* bytes of names after which those of folded peers are dropped, again when they doubled */
    LIMIT_REPORT_NAMES = 65536,           /* domains cached; the cache is then begun anew */
    LIMIT_REPORT_DAMAGE_SHOWN = 10,       /* damaged lines named per file; all are counted */

    /* session: */
    LIMIT_LINGER_S = 10,             /* default of --linger: most good sessions end within it, and get their end and byte counts */
    LIMIT_HISTORY_OFFERS = 65536,    /* servers, and pairs of server and client, whose offers are remembered: 40 bytes a pair of IPv4, 56 of IPv6, some 150 a server: 3 to 10 MB; the oldest goes */
    LIMIT_HISTORY_NAMES = 8,         /* banner names of one of them: backends behind an address; later ones are not remembered */
    LIMIT_HISTORY_FAILURES = 16384,  /* failed handshakes remembered; the oldest goes */
    LIMIT_VANISH_WINDOW_S = 604800,  /* an offer is expected again this long: a week, since many peers write weekly */
    LIMIT_FALLBACK_WINDOW_S = 14400, /* a mail in clear follows from a failed handshake within this: senders retry for hours */
    LIMIT_FOREIGN = 16384,           /* of another protocol than SMTP, in which a ClientHello is looked for */
    LIMIT_WAIT = 32768,              /* client bytes kept until the reply that decides what they are: a ClientHello fits */
    LIMIT_WAITING = 65536,           /* places for decided records that wait for the end of their flow; the oldest is written early. A power of two */
    LIMIT_OFFER = 1024,              /* of one list of a ClientHello kept for --offers: 512 ids */
    LIMIT_SESSIONS_BYTES = 805306368, /* held by all sessions, buffers of the pool apart; usually 1 KiB each, a hostile one 70. The oldest is written early or evicted */
    LIMIT_SESSION_TEXT = 16384,      /* bytes of all strings of one session: twice what one handshake with --offers has. Further ones are left out, the record is marked */
    LIMIT_TEXT = 512,                /* bytes of one string from the wire kept in a record */
    LIMIT_CERTIFICATE = 16384,       /* a certificate that is read; larger ones are only hashed and counted */
    LIMIT_CERTIFICATES_PER_SECOND = 500,     /* read per second of packet time, those above 2 KiB count more; about 200 us each: a tenth of a core, four tenths for hostile ones; others are only hashed and counted */
    LIMIT_CERTIFICATES_CACHED = 1024,        /* kept by digest, servers seen again and again; the least recently used is dropped */
    LIMIT_CERTIFICATE_CACHE_BYTES = 8388608, /* ... and what they hold; usually 1 KiB each, a hostile one 50 */
    LIMIT_CERTIFICATE_NAMES = 1024,          /* dNSNames and addresses of one; more than fit into LIMIT_CERTIFICATE unless very short. Others are counted */
    LIMIT_DISTINGUISHED_NAME = 2048,         /* subject or issuer as text; then cut, which shows as "..." */
    LIMIT_SERIAL = 256,                      /* octets of a serial number; RFC 5280 4.1.2.2 allows 20. Then cut, which shows as "..." */
    LIMIT_FINGERPRINTS = 128,                /* hellos whose fingerprints are remembered: the programs that a site meets; 100 KB. An even number */
    LIMIT_FINGERPRINT_TRAITS = 512,          /* bytes of ids in a hello whose fingerprints are remembered; usually 200. Of longer ones they are worked out each time */

    /* live: */
    LIMIT_QUEUE_BYTES = 16777216,    /* finished records that wait for a slow reader of the output, about 16000; later ones are lost and counted. Lines, where Kafka does not wait for it */
    LIMIT_WORKERS = 64,              /* --workers */

    /* writer: */
    LIMIT_EVENT = 16384,             /* a line with its LF; lists and then strings are cut and the event says "cut":true */
    LIMIT_KAFKA_BYTES = 67108864,    /* events that wait for brokers, about 60000: minutes of an outage; live, later ones are lost and counted */
    LIMIT_EVENT_TEXT = 2048,         /* one string of an event after escaping: LIMIT_TEXT * 4, longer ones are cut and marked */
};

#endif
