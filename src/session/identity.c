/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record is called: uid, Community ID, direction. */
#include <string.h>

#include "session/state.h"

static void put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

void identity_uid(struct digests *digests, struct record *record)
{
    uint8_t bytes[8 + 16 + 16 + 2 + 2 + 1 + 2 * SEGMENT_VLANS] = {0}, digest[DIGEST_MAX] = {0};
    put(bytes, (uint64_t)record->time_ns, 8);
    memcpy(bytes + 8, record->client_ip.bytes, 16);
    memcpy(bytes + 24, record->server_ip.bytes, 16);
    put(bytes + 40, record->client_port, 2);
    put(bytes + 42, record->server_port, 2);
    bytes[44] = record->vlans;
    for (unsigned i = 0; i < record->vlans && i < SEGMENT_VLANS; i++)
        put(bytes + 45 + 2 * i, record->vlan[i], 2);
    if (digest_begin(digests, DIGEST_SHA256) && digest_add(digests, bytes, sizeof bytes))
        digest_end(digests, digest);
    record->uid = 0;
    for (unsigned i = 0; i < 8; i++)
        record->uid = record->uid << 8 | digest[i];
}

/* Community ID version 1, seed 0: SHA-1 over seed, addresses, protocol, padding, ports, the smaller end first. */
void identity_community(struct digests *digests, struct record *record)
{
    size_t size = record->family == 4 ? 4 : 16;
    int order = memcmp(record->client_ip.bytes, record->server_ip.bytes, size);
    bool swap = order > 0 || (order == 0 && record->client_port > record->server_port);
    const uint8_t *first = swap ? record->server_ip.bytes : record->client_ip.bytes;
    const uint8_t *second = swap ? record->client_ip.bytes : record->server_ip.bytes;
    uint8_t bytes[2 + 32 + 2 + 4] = {0}, digest[DIGEST_MAX];
    memcpy(bytes + 2, first, size);
    memcpy(bytes + 2 + size, second, size);
    uint8_t *rest = bytes + 2 + 2 * size;
    rest[0] = 6; /* TCP */
    put(rest + 2, swap ? record->server_port : record->client_port, 2);
    put(rest + 4, swap ? record->client_port : record->server_port, 2);
    record->community_id[0] = '\0';
    if (!digest_begin(digests, DIGEST_SHA1) || !digest_add(digests, bytes, 2 + 2 * size + 6) || !digest_end(digests, digest))
        return;
    memcpy(record->community_id, "1:", 2);
    digest_base64(digest, DIGEST_SHA1_SIZE, record->community_id + 2);
}

static bool is_local(const struct session_options *options, unsigned family, const struct address *address)
{
    for (unsigned i = 0; i < options->local_count; i++) {
        const struct network *network = &options->locals[i];
        unsigned whole = network->prefix / 8, bits = network->prefix % 8;
        uint8_t mask = (uint8_t)(0xff00 >> bits);
        if (network->family == family && memcmp(network->address.bytes, address->bytes, whole) == 0 &&
            (bits == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0))
            return true;
    }
    return false;
}

enum direction identity_direction(const struct session_options *options, const struct record *record)
{
    if (!options->local_count)
        return DIRECTION_NONE;
    bool client = is_local(options, record->client_family, &record->client_ip);
    bool server = is_local(options, record->family, &record->server_ip);
    if (client)
        return server ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
    return server ? DIRECTION_INBOUND : DIRECTION_EXTERNAL;
}
