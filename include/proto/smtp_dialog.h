/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SMTP dialog: which reply answers which command, what the client's next bytes are, and how far STARTTLS got. Pure: it takes parsed
 * commands and reply lines in the order in which they were sent, and keeps no byte of them.
 */
#ifndef PROTO_SMTP_DIALOG_H
#define PROTO_SMTP_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"
#include "proto/smtp_command.h"
#include "proto/smtp_reply.h"

/* What the client's next bytes are. */
enum smtp_expect {
    SMTP_EXPECT_COMMAND,
    SMTP_EXPECT_RESPONSE,   /* a line that answers 334 (RFC 4954 4) */
    SMTP_EXPECT_CONTENT,    /* message content up to CRLF.CRLF (RFC 5321 4.1.1.4) */
    SMTP_EXPECT_CHUNK,      /* dialog.chunk_left bytes (RFC 3030 2) */
    SMTP_EXPECT_DATA_REPLY, /* to be held: the reply to DATA decides whether they are content or commands */
    SMTP_EXPECT_TLS_REPLY,  /* to be held: the reply to STARTTLS decides */
    SMTP_EXPECT_TLS         /* STARTTLS was accepted */
};

/* Observed on the way: bits of dialog.seen. */
enum smtp_seen {
    SMTP_SEEN_GREETING = 1 << 0,
    SMTP_SEEN_HELLO = 1 << 1,            /* EHLO, HELO or LHLO */
    SMTP_SEEN_COMMAND = 1 << 2,          /* any known command */
    SMTP_SEEN_FOREIGN = 1 << 3,          /* the first command was one of another protocol */
    SMTP_SEEN_MASKED_KEYWORD = 1 << 4,   /* a complete EHLO reply without STARTTLS but with XXXXXXXA */
    SMTP_SEEN_MASKED_COMMAND = 1 << 5,
    SMTP_SEEN_TLS_REQUIRED = 1 << 6,     /* a command was refused for want of TLS */
    SMTP_SEEN_EHLO_250 = 1 << 7,         /* a complete 250 reply to EHLO */
    SMTP_SEEN_REPLY = 1 << 8,            /* any well-formed reply */
    SMTP_SEEN_CONTENT_UNPROVEN = 1 << 9, /* what followed DATA looked like content, its reply is missing */
    SMTP_SEEN_DIALOG_HOLE = 1 << 10,     /* commands or replies are missing */
    SMTP_SEEN_OFFER = 1 << 11,           /* a reply to EHLO that offers STARTTLS */
    SMTP_SEEN_COMMAND_HOLE = 1 << 12     /* client bytes are missing that may have been commands */
};

enum { SMTP_PENDING_RUNS = 12 };

struct smtp_dialog {
    struct {
        uint8_t verb;
        uint8_t count;
    } pending[SMTP_PENDING_RUNS]; /* commands without reply, oldest first, equal ones as a run */
    uint8_t pending_runs;
    uint8_t expect;          /* enum smtp_expect */
    uint8_t starttls;        /* enum starttls: the furthest state */
    uint8_t hello;           /* enum smtp_verb of the first EHLO, HELO, LHLO; SMTP_UNKNOWN none */
    uint8_t content_matched; /* characters of CRLF.CRLF seen */
    uint8_t reply_to;        /* verb that the reply being read answers */
    uint16_t seen;           /* bits of enum smtp_seen */
    uint16_t reply_code;     /* of the reply being read, 0 none */
    uint16_t attempts;       /* STARTTLS commands */
    uint16_t starttls_code;  /* of the attempt that got furthest; 0 none */
    uint16_t accepted_recipients;
    bool reply_greets : 1, reply_broken : 1, reply_offers : 1, reply_masked : 1, reply_tls_named : 1;
    bool bdat_open : 1;          /* chunks since the last LAST */
    bool starttls_unsure;    /* the reply to the last STARTTLS may be in a hole */
    bool hello_unsure;       /* ... and that to EHLO or LHLO */
    uint32_t mail_in_clear;
    uint64_t chunk_left;
};

/* What a reply line told. */
struct smtp_answer {
    bool first;       /* the first line of a reply */
    bool broken;      /* a hole is before or within the reply: this line may not be its first */
    bool complete;    /* the last one */
    bool greeting;    /* it is (part of) the greeting */
    enum smtp_verb to; /* the command answered; SMTP_UNKNOWN if that is not known */
};

/* smtp_dialog_init prepares a dialog; `midstream`: it may have begun before the capture. */
void smtp_dialog_init(struct smtp_dialog *dialog, bool midstream);

/* smtp_dialog_command takes the client's next command and sets dialog.expect. */
void smtp_dialog_command(struct smtp_dialog *dialog, const struct smtp_command *command);

/* smtp_dialog_response takes a line that answers 334; true if it is a response, false if it cancels ("*"). */
bool smtp_dialog_response(struct smtp_dialog *dialog, struct slice line);

/* smtp_dialog_reply takes the server's next reply line and sets dialog.expect when a reply that decides it is complete. */
struct smtp_answer smtp_dialog_reply(struct smtp_dialog *dialog, const struct smtp_reply_line *line);

/* smtp_dialog_content passes over message content or a chunk in *input; what is left then is commands. */
void smtp_dialog_content(struct smtp_dialog *dialog, struct reader *input);

/* smtp_dialog_gap: `length` bytes of one side are missing. */
void smtp_dialog_gap(struct smtp_dialog *dialog, enum side from, uint64_t length);

/* smtp_dialog_accept says that a 220 answers a STARTTLS which is missing. */
void smtp_dialog_accept(struct smtp_dialog *dialog);

/* smtp_dialog_assume says that the awaited reply to DATA or STARTTLS will not come: content or commands follow. */
void smtp_dialog_assume(struct smtp_dialog *dialog, enum smtp_expect expect);

#endif
