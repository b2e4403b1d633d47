/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the server's side of an SMTP dialog. */
#include "proto/smtp_command.h"
#include "proto/smtp_reply.h"

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A number of one to three digits and the character after it; false if it is none. */
static bool parse_number(struct reader *r, uint16_t *number, uint8_t *after)
{
    uint16_t value = 0;
    for (unsigned digits = 0; digits <= 3; digits++) {
        *after = reader_u8(r);
        if (!digit(*after)) {
            *number = value;
            return digits > 0;
        }
        value = (uint16_t)(value * 10 + (*after - '0'));
    }
    return false;
}

/* status-code = class "." subject "." detail (RFC 3463 2), followed by a blank or the end. */
static void parse_enhanced(struct smtp_reply_line *out)
{
    struct reader r = reader_of_slice(out->text);
    uint16_t class, subject, detail;
    uint8_t after;
    if (!parse_number(&r, &class, &after) || after != '.' || !parse_number(&r, &subject, &after) || after != '.' ||
        !parse_number(&r, &detail, &after) || (after != ' ' && !r.bad))
        return;
    if (class == 2 || class == 4 || class == 5) {
        out->enhanced.class = class;
        out->enhanced.subject = subject;
        out->enhanced.detail = detail;
    }
}

bool smtp_parse_reply(struct slice line, struct smtp_reply_line *out)
{
    struct reader r = reader_of_slice(line);
    uint8_t a = reader_u8(&r), b = reader_u8(&r), c = reader_u8(&r);
    *out = (struct smtp_reply_line){0};
    if (r.bad || a < '1' || a > '5' || !digit(b) || !digit(c))
        return false;
    out->code = (uint16_t)((a - '0') * 100 + (b - '0') * 10 + (c - '0'));
    if (!r.left)
        return true;
    uint8_t separator = reader_u8(&r);
    if (separator != ' ' && separator != '-' && separator != '\t')
        return false;
    out->more = separator == '-';
    out->text = reader_rest(&r);
    parse_enhanced(out);
    return true;
}

struct slice smtp_greeting_host(struct slice text)
{
    struct slice word = smtp_word(&text);
    bool dot = false;
    if (word.length && word.data[0] == '[')
        return word.data[word.length - 1] == ']' ? word : (struct slice){0};
    for (size_t i = 0; i < word.length; i++) {
        uint8_t c = word.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c) || c == '-' || c == '_' || c >= 0x80;
        if (!letter && c != '.')
            return (struct slice){0};
        dot = dot || c == '.';
    }
    return dot ? word : (struct slice){0};
}
