/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP reply lines (RFC 5321 4.2) and the enhanced codes in them (RFC 3463). */
#ifndef PROTO_SMTP_REPLY_H
#define PROTO_SMTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

struct smtp_reply_line {
    uint16_t code;
    bool more;         /* a hyphen follows the code: not the last line */
    struct slice text; /* after the code and its separator */
    struct {
        uint16_t class, subject, detail;
    } enhanced;        /* "5.7.10"; class 0: none */
};

/* smtp_parse_reply parses a complete line; false if it is no reply line. "220" alone is one; "220text" is not. */
bool smtp_parse_reply(struct slice line, struct smtp_reply_line *out);

/*
 * smtp_greeting_host returns the host that a greeting's text names first ("mx.example.net ESMTP Postfix"), borrowed; empty if its
 * first word is no domain or address literal (RFC 5321 4.2: Greeting).
 */
struct slice smtp_greeting_host(struct slice text);

#endif
