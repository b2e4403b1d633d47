/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a certificate is one for the host that the client asked for (RFC 9525 6). */
#include <arpa/inet.h>
#include <string.h>

#include "session/certificate.h"

enum { HOST_LONGEST = 253 }; /* characters of a domain name as text (RFC 1035 2.3.4) */

static int ascii_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
}

/* Labels are compared without regard to ASCII case and to nothing else (RFC 9525 6.3). */
static bool text_equal(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

/*
 * RFC 9525 6.3: one wildcard at most, only as the complete left-most label, and it stands for
 * exactly one label. A presented name with any other equals no host, as none has a '*' in it.
 */
static bool name_matches(const char *name, const char *host, size_t length)
{
    size_t name_length = strlen(name);
    if (name[0] == '*' && name[1] == '.') {
        const char *dot = memchr(host, '.', length);
        if (!dot || dot == host)
            return false;
        length -= (size_t)(dot - host);
        host = dot;
        name++;
        name_length--;
    }
    return name_length == length && text_equal(name, host, length);
}

/* host_address writes the address that a host is, as 4 or 16 bytes; 0 if it is a name. */
static size_t host_address(const char *host, uint8_t out[16])
{
    if (inet_pton(AF_INET, host, out) == 1)
        return 4;
    return inet_pton(AF_INET6, host, out) == 1 ? 16 : 0;
}

/* An address matches an iPAddress octet for octet and no dNSName (RFC 9525 6.5). */
static bool address_matches(const struct certificate *certificate, const uint8_t *address,
                            size_t length)
{
    for (unsigned i = 0; i < certificate->name_count; i++) {
        uint8_t presented[16];
        if (certificate->name_kinds[i] == CERTIFICATE_ADDRESS &&
            host_address(certificate->names[i], presented) == length &&
            memcmp(presented, address, length) == 0)
            return true;
    }
    return false;
}

static bool dns_name_matches(const struct certificate *certificate, const char *host, size_t length)
{
    for (unsigned i = 0; i < certificate->name_count; i++)
        if (certificate->name_kinds[i] == CERTIFICATE_DNS_NAME &&
            name_matches(certificate->names[i], host, length))
            return true;
    return false;
}

bool certificate_matches(const struct certificate *certificate, const char *host, size_t length)
{
    char text[HOST_LONGEST + 1];
    uint8_t address[16];
    if (length && host[length - 1] == '.') /* the root's label says nothing */
        length--;
    /* NUL, wildcards and the escape of a NUL are no part of a host name. */
    if (!length || length > HOST_LONGEST || memchr(host, '\0', length) ||
        memchr(host, '*', length) || memchr(host, '\\', length))
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    size_t address_length = host_address(text, address);
    if (address_length)
        return address_matches(certificate, address, address_length);
    if (certificate->dns_name_count)
        return dns_name_matches(certificate, text, length);
    /* RFC 9525 forgoes the CN; mail servers that have nothing else are still met. */
    return certificate->common_name && name_matches(certificate->common_name, text, length);
}
