/* SPDX-License-Identifier: BSD-2-Clause */
/* Names the two sides of an event before it is counted; the only file that knows libpsl. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpsl.h>

#include "base/input.h"
#include "base/limits.h"
#include "base/memory.h"
#include "report/peer.h"

struct named_address {
    struct peer_address address;
    uint8_t zero[3];
    uint32_t name; /* in kept */
};

struct network {
    struct peer_address address;
    unsigned bits;
};

struct peer_namer {
    enum peer_by by;
    const psl_ctx_t *psl;
    struct table addresses; /* struct named_address: the names file */
    struct strings kept;    /* names of the names file */
    struct network *networks;
    unsigned network_count;
    struct strings seen, domains; /* cache: names as they came, and the domains found for them */
    uint32_t *domain_of;          /* by number in seen */
    uint32_t domain_capacity;
    char host[PEER_NAME]; /* what peer_host_name returned last */
};

bool peer_address_parse(const char *text, struct peer_address *out)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, out->bytes) == 1)
        out->family = 4;
    else if (inet_pton(AF_INET6, text, out->bytes) == 1)
        out->family = 6;
    return out->family != 0;
}

struct peer_namer *peer_namer_new(enum peer_by by)
{
    struct peer_namer *namer = memory_new(sizeof *namer);
    if (!namer)
        return NULL;
    namer->by = by;
    namer->psl = psl_builtin();
    table_init(&namer->addresses, sizeof(struct named_address), sizeof(struct peer_address));
    strings_init(&namer->kept);
    strings_init(&namer->seen);
    strings_init(&namer->domains);
    return namer;
}

void peer_namer_free(struct peer_namer *namer)
{
    if (!namer)
        return;
    table_close(&namer->addresses);
    strings_close(&namer->kept);
    strings_close(&namer->seen);
    strings_close(&namer->domains);
    memory_free(namer->networks);
    memory_free(namer->domain_of);
    memory_free(namer);
}

void peer_namer_set_by(struct peer_namer *namer, enum peer_by by)
{
    namer->by = by;
}

static bool host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A name made of digits and dots is an address, not a host (RFC 1123 2.1). */
static bool numeric_last_label(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    return last[strspn(last, "0123456789")] == '\0';
}

static bool host_clean(const char *text, char out[PEER_NAME], unsigned least_labels)
{
    size_t length = 0, label = 0;
    unsigned labels = 0;
    if (text[0] == '*' && text[1] == '.')
        text += 2;
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (c == '.' && label && !text[1])
            break;
        if (length + 1 >= PEER_NAME || !(c == '.' ? label != 0 : host_byte(c) && label < 63))
            return false;
        labels += label == 0 && c != '.';
        label = c == '.' ? 0 : label + 1;
        out[length++] = c;
    }
    out[length] = '\0';
    return labels >= least_labels && !numeric_last_label(out);
}

bool peer_host_clean(const char *text, char out[PEER_NAME])
{
    return host_clean(text, out, 2);
}

static bool add_address_name(struct peer_namer *namer, const char *ip, const char *name)
{
    struct peer_address address;
    char clean[PEER_NAME];
    if (!peer_address_parse(ip, &address) || !host_clean(name, clean, 1))
        return false;
    struct named_address *entry = table_get(&namer->addresses, &address);
    uint32_t number = strings_add(&namer->kept, clean, sizeof clean);
    if (!entry || number == STRINGS_FAILED)
        return false;
    if (!entry->name) /* the first line wins, as in hosts(5) */
        entry->name = number;
    return true;
}

static void load_line(struct peer_namer *namer, char *line, const char *path, unsigned number,
                      struct log *log)
{
    static const char blank[] = " \t\r\n";
    line[strcspn(line, "#")] = '\0';
    char *rest = NULL;
    const char *ip = strtok_r(line, blank, &rest);
    const char *name = ip ? strtok_r(NULL, blank, &rest) : NULL;
    if (ip && !(name && add_address_name(namer, ip, name)))
        log_warning(log, "%s:%u: no address with a host name after it, passed over", path, number);
}

bool peer_namer_load(struct peer_namer *namer, const char *path, struct log *log)
{
    struct input *input = input_open(path, NULL);
    FILE *file = input ? input_file(input) : NULL;
    if (!file) {
        log_error(log, "%s: names file: %m", path);
        input_close(input);
        return false;
    }
    char line[4096];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++)
        load_line(namer, line, path, number, log);
    input_close(input);
    return true;
}

bool peer_namer_local(struct peer_namer *namer, const char *cidr)
{
    struct network network = {0};
    char ip[INET6_ADDRSTRLEN];
    size_t length = strcspn(cidr, "/");
    if (length >= sizeof ip)
        return false;
    memcpy(ip, cidr, length);
    ip[length] = '\0';
    if (!peer_address_parse(ip, &network.address))
        return false;
    unsigned most = network.address.family == 4 ? 32 : 128;
    network.bits = most;
    if (cidr[length]) {
        char *end = NULL;
        unsigned long bits = strtoul(cidr + length + 1, &end, 10);
        if (cidr[length + 1] < '0' || cidr[length + 1] > '9' || *end || bits > most)
            return false;
        network.bits = (unsigned)bits;
    }
    struct network *networks =
        memory_resize(namer->networks, (namer->network_count + 1) * sizeof *networks);
    if (!networks)
        return false;
    namer->networks = networks;
    networks[namer->network_count++] = network;
    return true;
}

bool peer_namer_has_local(const struct peer_namer *namer)
{
    return namer->network_count != 0;
}

static bool network_holds(const struct network *network, const struct peer_address *address)
{
    if (network->address.family != address->family)
        return false;
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool is_local(const struct peer_namer *namer, const struct peer_address *address)
{
    for (unsigned i = 0; i < namer->network_count; i++)
        if (network_holds(&namer->networks[i], address))
            return true;
    return false;
}

enum direction peer_direction(const struct peer_namer *namer, const struct peer_address *client,
                              const struct peer_address *server)
{
    bool from_us = is_local(namer, client), to_us = is_local(namer, server);
    if (from_us)
        return to_us ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
    return to_us ? DIRECTION_INBOUND : DIRECTION_EXTERNAL;
}

static const char *filed_name(const struct peer_namer *namer, const struct peer_address *address)
{
    const struct named_address *entry =
        namer->addresses.count ? table_find(&namer->addresses, address) : NULL;
    return entry ? strings_text(&namer->kept, entry->name) : NULL;
}

/* The registrable domain of a host name, or the name itself with --by name; "" if it has none. */
static const char *find_domain(const struct peer_namer *namer, const char *text,
                               char clean[PEER_NAME])
{
    if (!peer_host_clean(text, clean))
        return "";
    const char *domain =
        namer->by == PEER_BY_NAME ? clean : psl_registrable_domain(namer->psl, clean);
    return domain ? domain : "";
}

static bool cache_reserve(struct peer_namer *namer, uint32_t number)
{
    if (number < namer->domain_capacity)
        return true;
    uint32_t want = number * 2 + 64;
    uint32_t *domain_of = memory_resize(namer->domain_of, want * sizeof *domain_of);
    if (!domain_of)
        return false;
    namer->domain_of = domain_of;
    namer->domain_capacity = want;
    return true;
}

/* domain_of_host does so through a cache: mail comes from the same names again and again. */
static const char *domain_of_host(struct peer_namer *namer, const char *text)
{
    if (!*text)
        return "";
    uint32_t before = namer->seen.count;
    if (before > LIMIT_REPORT_NAMES) {
        strings_close(&namer->seen);
        strings_close(&namer->domains);
        before = 0;
    }
    uint32_t number = strings_add(&namer->seen, text, PEER_NAME);
    if (number == STRINGS_FAILED || !cache_reserve(namer, number))
        return "";
    if (number >= before) {
        char clean[PEER_NAME];
        uint32_t domain = strings_add(&namer->domains, find_domain(namer, text, clean), PEER_NAME);
        namer->domain_of[number] = domain == STRINGS_FAILED ? 0 : domain;
    }
    return strings_text(&namer->domains, namer->domain_of[number]);
}

/* A certificate for many customers names them all: the one that the host itself announced goes
 * before the first. */
static const char *certificate_domain(struct peer_namer *namer,
                                      const struct peer_evidence *evidence)
{
    char announced[PEER_NAME] = "";
    if (evidence->announced)
        snprintf(announced, sizeof announced, "%s", domain_of_host(namer, evidence->announced));
    char first[PEER_NAME] = "";
    for (unsigned i = 0; i < evidence->certificates; i++) {
        const char *domain = domain_of_host(namer, evidence->certificate[i]);
        if (*domain && strcmp(domain, announced) == 0)
            return domain;
        if (!*first)
            snprintf(first, sizeof first, "%s", domain);
    }
    return *first ? domain_of_host(namer, first) : "";
}

struct peer_name peer_identify(struct peer_namer *namer, const struct peer_evidence *evidence)
{
    struct peer_name by_address = {.name = evidence->ip, .by = NAMED_BY_ADDRESS};
    if (namer->by == PEER_BY_IP)
        return by_address;
    const char *filed = filed_name(namer, &evidence->address);
    if (filed) {
        const char *domain = domain_of_host(namer, filed);
        return (struct peer_name){.name = *domain ? domain : filed, .by = NAMED_BY_FILE};
    }
    const char *name = evidence->certificates ? certificate_domain(namer, evidence) : "";
    if (*name)
        return (struct peer_name){.name = name, .by = NAMED_BY_CERTIFICATE};
    name = evidence->announced ? domain_of_host(namer, evidence->announced) : "";
    if (*name)
        return (struct peer_name){.name = name, .by = evidence->announced_by};
    return by_address;
}

struct peer_name peer_host_name(struct peer_namer *namer, const struct peer_evidence *evidence)
{
    const char *filed = filed_name(namer, &evidence->address);
    if (filed)
        return (struct peer_name){.name = filed, .by = NAMED_BY_FILE};
    if (evidence->announced && peer_host_clean(evidence->announced, namer->host))
        return (struct peer_name){.name = namer->host, .by = evidence->announced_by};
    return (struct peer_name){.name = "", .by = NAMED_BY_NONE};
}
