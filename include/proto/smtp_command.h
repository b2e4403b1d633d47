/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP commands (RFC 5321 4.1, 3207, 4954, 3030, 2033). */
#ifndef PROTO_SMTP_COMMAND_H
#define PROTO_SMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum smtp_verb {
    SMTP_UNKNOWN, /* not a command that we know */
    SMTP_EMPTY,   /* an empty line: some servers answer it, some do not */
    SMTP_EHLO,
    SMTP_HELO,
    SMTP_LHLO,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_BDAT,
    SMTP_RSET,
    SMTP_NOOP,
    SMTP_HELP,
    SMTP_VRFY,
    SMTP_EXPN,
    SMTP_ETRN,
    SMTP_AUTH,
    SMTP_STARTTLS, /* also X-ANONYMOUSTLS, which Exchange servers use among themselves */
    SMTP_QUIT,
    SMTP_XCLIENT,
    SMTP_XFORWARD,
    SMTP_BURL,
    SMTP_TURN,
    SMTP_MASKED,  /* a word like XXXXXXXA that a middlebox put in place of a command */
    SMTP_FOREIGN, /* a command of FTP, POP3, IRC or HTTP */
    SMTP_VERBS
};

struct smtp_command {
    enum smtp_verb verb;
    struct slice argument; /* after the verb, without blanks around; of SMTP_UNKNOWN it means nothing */
    uint64_t chunk_size;   /* BDAT: bytes that follow the line */
    bool last;             /* BDAT LAST */
};

/* smtp_parse_command parses a complete line (without its line end). A BDAT whose size is no number is SMTP_UNKNOWN. */
void smtp_parse_command(struct slice line, struct smtp_command *out);

/* smtp_is_masked tells a word of exactly 8 characters, X except for at most the last two, as Cisco's inspection writes (XXXXXXXA). */
bool smtp_is_masked(struct slice word);

/* smtp_word takes the next blank-delimited word off *text; empty at the end. */
struct slice smtp_word(struct slice *text);

/* smtp_word_is compares a word with an upper-case ASCII keyword, ignoring case, in no locale. */
bool smtp_word_is(struct slice word, const char *keyword);

/* smtp_text_names tells whether a text contains an upper-case ASCII keyword, ignoring case. */
bool smtp_text_names(struct slice text, const char *keyword);

/* smtp_sasl_name returns the registered name of a SASL mechanism (static), or "other". */
const char *smtp_sasl_name(struct slice mechanism);

#endif
