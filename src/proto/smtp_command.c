/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the client's side of an SMTP dialog. */
#include <string.h>

#include "proto/smtp_command.h"

enum { VERB_MOST = sizeof "X-ANONYMOUSTLS" - 1 /* characters of the longest */ };

#define VERB(word, verb) {word, sizeof(word) - 1, verb}
static const struct {
    const char *word;
    uint8_t length;
    uint8_t verb; /* enum smtp_verb */
} verbs[] = {
    VERB("EHLO", SMTP_EHLO),
    VERB("HELO", SMTP_HELO),
    VERB("LHLO", SMTP_LHLO),
    VERB("MAIL", SMTP_MAIL),
    VERB("RCPT", SMTP_RCPT),
    VERB("DATA", SMTP_DATA),
    VERB("BDAT", SMTP_BDAT),
    VERB("RSET", SMTP_RSET),
    VERB("NOOP", SMTP_NOOP),
    VERB("HELP", SMTP_HELP),
    VERB("VRFY", SMTP_VRFY),
    VERB("EXPN", SMTP_EXPN),
    VERB("ETRN", SMTP_ETRN),
    VERB("AUTH", SMTP_AUTH),
    VERB("STARTTLS", SMTP_STARTTLS),
    VERB("X-ANONYMOUSTLS", SMTP_STARTTLS),
    VERB("QUIT", SMTP_QUIT),
    VERB("XCLIENT", SMTP_XCLIENT),
    VERB("XFORWARD", SMTP_XFORWARD),
    VERB("BURL", SMTP_BURL),
    VERB("TURN", SMTP_TURN),
    VERB("ATRN", SMTP_TURN),
    VERB("SEND", SMTP_MAIL),
    VERB("SAML", SMTP_MAIL),
    VERB("SOML", SMTP_MAIL),
    /* What the clients of other protocols say first (RFC 959, 1939, 1459, 9112). */
    VERB("USER", SMTP_FOREIGN),
    VERB("PASS", SMTP_FOREIGN),
    VERB("CAPA", SMTP_FOREIGN),
    VERB("FEAT", SMTP_FOREIGN),
    VERB("SYST", SMTP_FOREIGN),
    VERB("NICK", SMTP_FOREIGN),
    VERB("GET", SMTP_FOREIGN),
    VERB("POST", SMTP_FOREIGN),
    VERB("HEAD", SMTP_FOREIGN),
    VERB("PUT", SMTP_FOREIGN),
    VERB("OPTIONS", SMTP_FOREIGN),
    VERB("CONNECT", SMTP_FOREIGN),
};

/* The IANA SASL mechanisms registry (2026-10), and three that are common without being registered for use. */
static const char *const mechanisms[] = {
    "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "NTLM", "EXTERNAL", "GSSAPI", "DIGEST-MD5", "ANONYMOUS",
    "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "GSS-SPNEGO", "KERBEROS_V4", "KERBEROS_V5",
    "OAUTH10A", "OPENID20", "OTP", "SAML20", "SECURID", "SKEY", "SPNEGO", "SPNEGO-PLUS", "SXOVER-PLUS", "XOAUTH",
    "EAP-AES128", "EAP-AES128-PLUS", "ECDH-X25519-CHALLENGE", "ECDSA-NIST256P-CHALLENGE", "GS2-KRB5", "GS2-KRB5-PLUS",
    "NMAS-SAMBA-AUTH", "NMAS_AUTHEN", "NMAS_LOGIN", "9798-M-DSA-SHA1", "9798-M-ECDSA-SHA1", "9798-M-RSA-SHA1-ENC",
    "9798-U-DSA-SHA1", "9798-U-ECDSA-SHA1", "9798-U-RSA-SHA1-ENC",
};

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct slice trim(struct slice text)
{
    while (text.length && blank(text.data[0]))
        text.data++, text.length--;
    while (text.length && blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* The first word, of which no more than `most` characters are looked at. */
static struct slice take_word(struct slice *text, size_t most)
{
    *text = trim(*text);
    struct slice word = {text->data, 0};
    while (word.length < text->length && word.length < most && !blank(text->data[word.length]))
        word.length++;
    if (word.length) {
        text->data += word.length;
        text->length -= word.length;
    }
    return word;
}

struct slice smtp_word(struct slice *text)
{
    return take_word(text, SIZE_MAX);
}

/* The first `length` characters, of which there are as many. */
static inline bool begins(const uint8_t *text, const char *keyword, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (upper(text[i]) != (uint8_t)keyword[i])
            return false;
    return true;
}

bool smtp_word_is(struct slice word, const char *keyword)
{
    size_t length = strlen(keyword);
    return word.length == length && begins(word.data, keyword, length);
}

bool smtp_text_names(struct slice text, const char *keyword)
{
    size_t length = strlen(keyword);
    for (size_t i = 0; i + length <= text.length; i++)
        if (begins(text.data + i, keyword, length))
            return true;
    return false;
}

bool smtp_is_masked(struct slice word)
{
    if (word.length != 8)
        return false;
    for (size_t i = 0; i < 6; i++)
        if (word.data[i] != 'X')
            return false;
    return true;
}

const char *smtp_sasl_name(struct slice mechanism)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
        if (smtp_word_is(mechanism, mechanisms[i]))
            return mechanisms[i];
    return "other";
}

static bool is_letter(uint8_t c)
{
    return upper(c) >= 'A' && upper(c) <= 'Z';
}

static enum smtp_verb verb_of(struct slice word)
{
    uint8_t first = upper(word.data[0]);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if ((uint8_t)verbs[i].word[0] == first && verbs[i].length == word.length && begins(word.data, verbs[i].word, word.length))
            return (enum smtp_verb)verbs[i].verb;
    return smtp_is_masked(word) ? SMTP_MASKED : SMTP_UNKNOWN;
}

/* bdat-cmd = "BDAT" SP chunk-size [SP end-marker] CR LF (RFC 3030 2); at most 18 digits, so that nothing overflows. */
static void parse_bdat(struct smtp_command *out)
{
    struct slice rest = out->argument, size = smtp_word(&rest);
    out->verb = SMTP_UNKNOWN;
    if (!size.length || size.length > 18)
        return;
    for (size_t i = 0; i < size.length; i++) {
        if (size.data[i] < '0' || size.data[i] > '9')
            return;
        out->chunk_size = out->chunk_size * 10 + (uint64_t)(size.data[i] - '0');
    }
    out->last = smtp_word_is(smtp_word(&rest), "LAST");
    out->verb = SMTP_BDAT;
}

void smtp_parse_command(struct slice line, struct smtp_command *out)
{
    *out = (struct smtp_command){.verb = SMTP_UNKNOWN};
    line = trim(line);
    if (line.length && !is_letter(line.data[0]))
        return; /* as most of what is no SMTP */
    struct slice word = take_word(&line, VERB_MOST + 1);
    out->argument = trim(line);
    if (!word.length) {
        out->verb = SMTP_EMPTY;
        return;
    }
    if (word.length <= VERB_MOST)
        out->verb = verb_of(word);
    if (out->verb == SMTP_BDAT)
        parse_bdat(out);
}
