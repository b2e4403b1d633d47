/* SPDX-License-Identifier: BSD-2-Clause */
/* PROXY headers: the examples of HAProxy's proxy-protocol.txt, 2.1 and 2.2, in every length. */
#include <arpa/inet.h>

#include "proto/proxy.h"
#include "test.h"

struct row {
    const char *bytes;
    size_t length; /* 0: strlen */
    enum proxy_status status;
    const char *client;
    unsigned port;
    size_t size;
};

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct row rows[] = {
    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", 0, PROXY_CLIENT, "255.255.255.255", 65535, 56},
    {"PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", 0,
     PROXY_CLIENT, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, 104},
    {"PROXY UNKNOWN\r\n", 0, PROXY_LOCAL, NULL, 0, 15},
    {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", 0,
     PROXY_LOCAL, NULL, 0, 107},
    {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n", 0, PROXY_CLIENT, "192.168.0.1", 56324, 47},
    {"PROXY TCP4 192.168.0.1 192.168.0.11 65536 443\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXY TCP4 2001:db8::1 192.168.0.11 1 443\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXY TCP6 192.168.0.1 192.168.0.11 1 443\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXY UDP4 192.168.0.1 192.168.0.11 1 443\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXY TCP4 192.168.0.1\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"PROXYTCP4 192.168.0.1 192.168.0.11 56324 443\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {"EHLO mail.example.org\r\n", 0, PROXY_NONE, NULL, 0, 0},
    {SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\x01\x9c\x40\0\x19" "EHLO", 32, PROXY_CLIENT, "192.0.2.1", 40000, 28},
    {SIGNATURE "\x21\x11\0\x0f\xc0\0\2\1\xc6\x33\x64\x01\x9c\x40\0\x19\x04\0\0", 31, PROXY_CLIENT, "192.0.2.1", 40000, 31},
    {SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x50\0\x19", 52,
     PROXY_CLIENT, "2001:db8::1", 80, 52},
    {SIGNATURE "\x20\x00\0\0", 16, PROXY_LOCAL, NULL, 0, 16},
    {SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\x01\x9c\x40\0\x19", 28, PROXY_LOCAL, NULL, 0, 28},
    {SIGNATURE "\x21\x31\0\x02xx", 18, PROXY_LOCAL, NULL, 0, 18},
    {SIGNATURE "\x11\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\x01\x9c\x40\0\x19", 28, PROXY_NONE, NULL, 0, 0},
    {SIGNATURE "\x21\x11\0\x08\xc0\0\2\1\xc6\x33\x64\x01", 24, PROXY_NONE, NULL, 0, 0},
};

static void check_row(const struct row *row)
{
    size_t length = row->length ? row->length : strlen(row->bytes);
    struct proxy_header header;
    char text[INET6_ADDRSTRLEN];
    enum proxy_status status = proxy_parse((struct slice){(const uint8_t *)row->bytes, length}, &header);
    CHECK_INT(status, row->status);
    if (status == PROXY_CLIENT || status == PROXY_LOCAL)
        CHECK_INT(header.size, row->size);
    if (status == PROXY_CLIENT) {
        CHECK_TEXT(inet_ntop(header.family == 4 ? AF_INET : AF_INET6, header.client, text, sizeof text), row->client);
        CHECK_INT(header.client_port, row->port);
    }
    for (size_t cut = 0; cut < row->size; cut++)
        CHECK_INT(proxy_parse((struct slice){(const uint8_t *)row->bytes, cut}, &header), PROXY_NEED_MORE);
}

static void test_bounds(void)
{
    struct proxy_header header;
    char line[200] = "PROXY TCP4 ";
    memset(line + 11, ' ', sizeof line - 11);
    CHECK_INT(proxy_parse((struct slice){(const uint8_t *)line, PROXY_V1_MAX - 1}, &header), PROXY_NEED_MORE);
    CHECK_INT(proxy_parse((struct slice){(const uint8_t *)line, PROXY_V1_MAX}, &header), PROXY_NONE);
    CHECK_INT(proxy_parse((struct slice){(const uint8_t *)SIGNATURE "\x21\x11\xff\xff", 16}, &header), PROXY_NONE);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i]);
    test_bounds();
    return TEST_END();
}
