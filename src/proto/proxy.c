/* SPDX-License-Identifier: BSD-2-Clause */
/* The PROXY header in front of an SMTP or TLS stream. */
#include <arpa/inet.h>
#include <string.h>

#include "proto/proxy.h"
#include "proto/smtp_command.h"

static const uint8_t v2_signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static bool begins_with(struct slice bytes, const void *what, size_t length)
{
    return memcmp(bytes.data, what, bytes.length < length ? bytes.length : length) == 0;
}

static bool parse_port(struct slice word, uint16_t *port)
{
    uint32_t value = 0;
    if (!word.length || word.length > 5)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(word.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool parse_address(struct slice word, struct proxy_header *out)
{
    char text[INET6_ADDRSTRLEN];
    if (word.length >= sizeof text)
        return false;
    memcpy(text, word.data, word.length);
    text[word.length] = '\0';
    return inet_pton(out->family == 4 ? AF_INET : AF_INET6, text, out->client) == 1;
}

/* "PROXY" SP ("TCP4" | "TCP6") SP client SP server SP client-port SP server-port CRLF, or "PROXY UNKNOWN" and anything. */
static enum proxy_status parse_v1(struct slice bytes, struct proxy_header *out)
{
    const uint8_t *end = memchr(bytes.data, '\n', bytes.length < PROXY_V1_MAX ? bytes.length : PROXY_V1_MAX);
    if (!end)
        return bytes.length < PROXY_V1_MAX ? PROXY_NEED_MORE : PROXY_NONE;
    struct slice line = {bytes.data, (size_t)(end - bytes.data)};
    out->size = line.length + 1;
    smtp_word(&line);
    struct slice protocol = smtp_word(&line), client = smtp_word(&line);
    smtp_word(&line);
    struct slice port = smtp_word(&line);
    if (smtp_word_is(protocol, "UNKNOWN"))
        return PROXY_LOCAL;
    out->family = smtp_word_is(protocol, "TCP4") ? 4 : smtp_word_is(protocol, "TCP6") ? 6 : 0;
    return out->family && parse_address(client, out) && parse_port(port, &out->client_port) ? PROXY_CLIENT : PROXY_NONE;
}

/* Signature, version and command, family and protocol, length, addresses (section 2.2). */
static enum proxy_status parse_v2(struct slice bytes, struct proxy_header *out)
{
    struct reader r = reader_of_slice(bytes);
    reader_skip(&r, sizeof v2_signature);
    uint8_t command = reader_u8(&r), family = reader_u8(&r);
    size_t length = reader_u16(&r);
    if (r.bad)
        return PROXY_NEED_MORE;
    if (command >> 4 != 2 || length > PROXY_V2_MAX)
        return PROXY_NONE;
    struct reader rest = reader_child(&r, length);
    if (r.bad)
        return PROXY_NEED_MORE;
    out->size = sizeof v2_signature + 4 + length;
    if ((command & 15) != 1 || (family != 0x11 && family != 0x21))
        return PROXY_LOCAL;
    out->family = family == 0x11 ? 4 : 6;
    size_t size = out->family == 4 ? 4 : 16;
    reader_copy(&rest, out->client, size);
    reader_skip(&rest, size);
    out->client_port = reader_u16(&rest);
    return rest.bad ? PROXY_NONE : PROXY_CLIENT;
}

enum proxy_status proxy_parse(struct slice bytes, struct proxy_header *out)
{
    *out = (struct proxy_header){0};
    if (!bytes.length)
        return PROXY_NEED_MORE;
    if (begins_with(bytes, "PROXY ", 6))
        return bytes.length < 6 ? PROXY_NEED_MORE : parse_v1(bytes, out);
    if (begins_with(bytes, v2_signature, sizeof v2_signature))
        return bytes.length < sizeof v2_signature ? PROXY_NEED_MORE : parse_v2(bytes, out);
    return PROXY_NONE;
}
