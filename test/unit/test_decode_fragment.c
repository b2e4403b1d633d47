/* SPDX-License-Identifier: BSD-2-Clause */
/* decode/: datagrams put together in any order, and given up where they have to be. */
#include "unit/test_decode.h"

enum {
    TCP_SIZE = 20,
    DATA_SIZE = 76,
    DATAGRAM_SIZE = TCP_SIZE + DATA_SIZE
}; /* 12 units of 8 bytes */

static struct bench bench;
static uint8_t datagram[DATAGRAM_SIZE];

static void datagram_make(void)
{
    struct bytes bytes = {.length = 0};
    bytes_add(&bytes, TCP_TEXT);
    memcpy(datagram, bytes.data, TCP_SIZE);
    for (unsigned i = TCP_SIZE; i < DATAGRAM_SIZE; i++)
        datagram[i] = (uint8_t)(i * 7);
}

/* Where a fragment lies, in bytes; `more`: it is not the last. */
struct part {
    uint32_t offset, length;
    bool more;
};

static const struct part quarters[4] = {
    {0, 24, true}, {24, 24, true}, {48, 24, true}, {72, 24, false}};

static void fragment4(struct bytes *packet, uint16_t id, uint8_t protocol, struct part part,
                      const uint8_t *data)
{
    packet->length = 0;
    bytes_add(packet, "4500");
    bytes_add_16(packet, 20 + part.length);
    bytes_add_16(packet, id);
    bytes_add_16(packet, part.offset / 8 | (part.more ? 0x2000u : 0));
    packet->data[packet->length++] = 64;
    packet->data[packet->length++] = protocol;
    bytes_add(packet, "0000 0a000001 0a000002");
    bytes_add_raw(packet, data, part.length);
}

static void fragment6(struct bytes *packet, uint16_t id, uint8_t protocol, struct part part,
                      const uint8_t *data)
{
    packet->length = 0;
    bytes_add(packet, "60000000");
    bytes_add_16(packet, 8 + part.length);
    bytes_add(packet, "2c 40 " IP6_ADDRESSES);
    packet->data[packet->length++] = protocol;
    packet->data[packet->length++] = 0;
    bytes_add_16(packet, part.offset | (part.more ? 1 : 0));
    bytes_add(packet, "0000");
    bytes_add_16(packet, id);
    bytes_add_raw(packet, data, part.length);
}

/* One fragment of `source`, which is a whole datagram. */
static void give_of(int family, uint16_t id, struct part part, const uint8_t *source)
{
    static struct bytes packet;
    (family == 4 ? fragment4 : fragment6)(&packet, id, 6, part, source + part.offset);
    bench_bytes(&bench, &packet);
}

static void give(int family, uint16_t id, struct part part)
{
    give_of(family, id, part, datagram);
}

static bool seen_whole(unsigned count)
{
    const struct segment *s = &bench.seen.segment;
    return bench.seen.count == count && s->source_port == 25 && s->destination_port == 0x1234 &&
           s->sequence == 0x01020304 && s->length == DATA_SIZE && s->payload.length == DATA_SIZE &&
           memcmp(bench.seen.payload, datagram + TCP_SIZE, DATA_SIZE) == 0;
}

/* All orders of four fragments, each once and each twice in a row. */
static void test_orders(int family)
{
    unsigned wholes = 0;
    if (!bench_open(&bench, 12))
        return;
    for (unsigned order = 0; order < 256; order++) {
        unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
        unsigned all = 1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3];
        if (all != 15)
            continue;
        for (unsigned i = 0; i < 4; i++) {
            CHECK_INT(bench.seen.count, wholes);
            give(family, (uint16_t)order, quarters[at[i]]);
            if (i < 3 && order % 3 == 0)
                give(family, (uint16_t)order, quarters[at[i]]);
        }
        wholes++;
        CHECK(seen_whole(wholes));
        CHECK_INT(bench.seen.segment.family, family);
    }
    CHECK_INT(wholes, 24);
    CHECK_INT(bench.counters.fragments_dropped, 0);
    CHECK_INT(bench_losses(&bench), 0);
    CHECK_INT(bench.counters.fragments, bench.counters.packets);
    bench_close(&bench);
}

/* What tells datagrams apart: id, family, addresses, in IPv4 the protocol; not the VLAN. */
static void test_keys(void)
{
    static struct bytes packet;
    if (!bench_open(&bench, 12))
        return;
    for (unsigned i = 0; i < 4; i++) {
        give(4, 1, quarters[i]);
        give(4, 2, quarters[i]);
        give(6, 1, quarters[i]);
        fragment4(&packet, 1, 17, quarters[i], datagram + quarters[i].offset);
        bench_bytes(&bench, &packet);
        fragment4(&packet, 1, 6, quarters[i], datagram + quarters[i].offset);
        packet.data[15] = 9; /* another source */
        bench_bytes(&bench, &packet);
        CHECK_INT(bench.seen.count, i < 3 ? 0 : 4);
    }
    CHECK_INT(bench.counters.packets_not_tcp, 1); /* the one of UDP */
    bench_close(&bench);
}

static void test_vlans(void)
{
    static struct bytes packet, tagged;
    if (!bench_open(&bench, 1))
        return;
    for (unsigned i = 0; i < 4; i++) {
        fragment4(&packet, 1, 6, quarters[i], datagram + quarters[i].offset);
        tagged.length = 0;
        bytes_add(&tagged, i & 1 ? ETHERNET_TEXT "8100 0007 0800" : ETHERNET_TEXT "0800");
        bytes_add_raw(&tagged, packet.data, packet.length);
        bench_bytes(&bench, &tagged);
    }
    CHECK(seen_whole(1));
    bench_close(&bench);
}

/* IPv4: the first copy of each byte stays (RFC 5722 wants no more of IPv6 than to drop it all). */
static void test_overlap(int family)
{
    uint8_t other[DATAGRAM_SIZE];
    memcpy(other, datagram, sizeof(other));
    for (unsigned i = TCP_SIZE; i < DATAGRAM_SIZE; i++)
        other[i] ^= 0xff;
    if (!bench_open(&bench, 12))
        return;
    give(family, 1, quarters[1]);
    give_of(family, 1, (struct part){16, 40, true}, other); /* around what is there */
    give(family, 1, quarters[3]);
    give_of(family, 1, quarters[3], other); /* the same place, other bytes */
    CHECK_INT(bench.seen.count, 0);
    give(family, 1, (struct part){0, 16, true});
    give(family, 1, (struct part){56, 16, true});
    if (family == 6) {
        CHECK_INT(bench.seen.count, 0);
        CHECK_INT(bench.counters.fragments_dropped, 6);
        give(family, 2, (struct part){0, 48, true});
        give(family, 2, (struct part){48, 48, false});
        CHECK(seen_whole(1));
    } else {
        CHECK_INT(bench.seen.count, 1);
        CHECK_INT(bench.counters.fragments_dropped, 2);
        const uint8_t *data = bench.seen.payload;
        CHECK(memcmp(data, other + 20, 4) == 0);         /* 20 to 24 only in the second */
        CHECK(memcmp(data + 4, datagram + 24, 24) == 0); /* 24 to 48: the first */
        CHECK(memcmp(data + 28, other + 48, 8) == 0);    /* 48 to 56: the second */
        CHECK(memcmp(data + 36, datagram + 56, 40) == 0);
    }
    CHECK_INT(bench_losses(&bench), 0);
    bench_close(&bench);
}

/* Two ends, and bytes behind the end: what came first is right in IPv4, nothing in IPv6. */
static void test_contradiction(int family)
{
    static const uint8_t longer[DATAGRAM_SIZE + 32] = {0};
    if (!bench_open(&bench, 12))
        return;
    give(family, 1, quarters[3]);
    give_of(family, 1, (struct part){96, 16, true}, longer);
    give_of(family, 1, (struct part){96, 16, false}, longer);
    for (unsigned i = 0; i < 3; i++)
        give(family, 1, quarters[i]);
    if (family == 4) {
        CHECK(seen_whole(1));
        CHECK_INT(bench.counters.fragments_dropped, 2);
    } else {
        CHECK_INT(bench.seen.count, 0);
        CHECK_INT(bench.counters.fragments_dropped, 6);
    }
    /* The end comes before bytes that are there already. */
    give(family, 2, quarters[2]);
    give_of(family, 2, (struct part){24, 8, false}, longer);
    CHECK_INT(bench.counters.fragments_dropped, family == 4 ? 3 : 8);
    bench_close(&bench);
}

static void test_timeout(void)
{
    const int64_t second = 1000000000;
    if (!bench_open(&bench, 12))
        return;
    bench.time_ns = 1000 * second;
    give(4, 1, quarters[0]);
    bench.time_ns += 30 * second;
    give(4, 1, quarters[1]);
    give(4, 1, quarters[2]);
    bench.time_ns += 1;
    give(4, 1, quarters[3]); /* too late: begins anew */
    CHECK_INT(bench.seen.count, 0);
    CHECK_INT(bench.counters.fragments_dropped, 3);
    for (unsigned i = 0; i < 3; i++)
        give(4, 1, quarters[i]);
    CHECK(seen_whole(1));

    /* Files that were merged may be a little out of order. */
    give(4, 3, quarters[0]);
    bench.time_ns -= second;
    for (unsigned i = 1; i < 4; i++)
        give(4, 3, quarters[i]);
    CHECK(seen_whole(2));

    /* A time that leapt far ahead and came back leaves nothing behind; nor does the end of time. */
    static const int64_t times[] = {INT64_MAX, 0, INT64_MAX, 1000, INT64_MIN};
    for (unsigned i = 0; i < 5; i++) {
        bench.time_ns = times[i];
        give(4, 2, quarters[0]);
    }
    CHECK_INT(bench.counters.fragments_dropped, 3 + 4);
    bench_close(&bench);
}

/* More fragments than a datagram may have, more datagrams than may wait, more bytes than may be
 * held: the oldest go. */
static void test_limits(void)
{
    static uint8_t large[65536];
    if (!bench_open(&bench, 12))
        return;
    for (uint32_t i = 0; i <= LIMIT_FRAGMENTS; i++)
        give_of(4, 1, (struct part){8 + 8 * i, 8, true}, large);
    CHECK_INT(bench.counters.fragments_dropped, LIMIT_FRAGMENTS + 1);
    give_of(4, 1, (struct part){0, 8, true}, large);
    CHECK_INT(bench.counters.fragments_dropped, LIMIT_FRAGMENTS + 2); /* it is dead now */
    bench_close(&bench);

    if (!bench_open(&bench, 12))
        return;
    for (uint32_t i = 0; i <= LIMIT_FRAGMENTED_PACKETS; i++)
        give(4, (uint16_t)i, quarters[0]);
    CHECK_INT(bench.counters.fragments_dropped, 1);
    for (uint32_t i = LIMIT_FRAGMENTED_PACKETS; i > 0; i--) {
        for (unsigned part = 1; part < 4; part++)
            give(4, (uint16_t)i, quarters[part]);
    }
    CHECK(seen_whole(LIMIT_FRAGMENTED_PACKETS)); /* all but the first */
    CHECK_INT(bench.counters.fragments_dropped, 1);
    bench_close(&bench);

    if (!bench_open(&bench, 12))
        return;
    memcpy(large, datagram, sizeof(datagram));
    uint32_t fitting = LIMIT_FRAGMENT_BYTES / 65480;
    for (uint32_t i = 0; i <= fitting; i++)
        give_of(4, (uint16_t)i, (struct part){0, 65480, true}, large);
    CHECK_INT(bench.counters.fragments_dropped, 1);
    give_of(4, 1, (struct part){65480, 35, false}, large);
    CHECK_INT(bench.seen.count, 1);
    CHECK_INT(bench.seen.segment.length, 65515 - TCP_SIZE);
    give_of(4, 0, (struct part){65480, 35, false}, large);
    CHECK_INT(bench.seen.count, 1); /* the oldest was dropped */
    bench_close(&bench);
}

/* A fragment that the capture cut ends its datagram: at every length, before and after the others.
 */
static void test_cut(int family)
{
    static struct bytes packet;
    uint32_t header = family == 4 ? 20 : 48;
    for (uint32_t captured = 0; captured < header + 24; captured++) {
        if (!bench_open(&bench, 12))
            return;
        give(family, 1, quarters[0]);
        (family == 4 ? fragment4 : fragment6)(&packet, 1, 6, quarters[1], datagram + 24);
        bench_packet(&bench, packet.data, captured, packet.length);
        give(family, 1, quarters[2]);
        give(family, 1, quarters[3]);
        CHECK_INT(bench.seen.count, 0);
        bool header_there = captured >= header;
        CHECK_INT(bench.counters.packets_truncated, header_there ? 0 : 1);
        CHECK_INT(bench.counters.fragments_dropped, header_there ? 4 : 0);
        bench_close(&bench);
    }
}

static void test_malformed(int family)
{
    static const uint8_t bytes[64] = {0};
    static const struct part parts[] = {
        {0, 20, true},      /* not a multiple of 8 */
        {8, 0, true},       /* empty */
        {8, 0, false},      /* empty */
        {65528, 16, false}, /* beyond what a length can say: the ping of death */
    };
    static struct bytes packet;
    if (!bench_open(&bench, 12))
        return;
    for (unsigned i = 0; i < 4; i++) {
        (family == 4 ? fragment4 : fragment6)(&packet, 1, 6, parts[i], bytes);
        bench_bytes(&bench, &packet);
        CHECK_INT(bench.counters.packets_malformed, i + 1);
        CHECK_INT(bench.counters.fragments, i + 1);
    }
    CHECK_INT(bench.seen.count, 0);
    bench_close(&bench);
}

/* The inside is decoded as ever: here a tunnel whose outer packets were fragmented, and the inner
 * one too. */
static void test_tunnel(void)
{
    static struct bytes inner, outer;
    if (!bench_open(&bench, 12))
        return;
    for (unsigned i = 0; i < 4; i++) {
        fragment6(&inner, 1, 6, quarters[i], datagram + quarters[i].offset);
        uint32_t cut = inner.length / 16 * 8;
        fragment4(&outer, (uint16_t)(3 - i), 41, (struct part){cut, inner.length - cut, false},
                  inner.data + cut);
        bench_bytes(&bench, &outer);
        CHECK_INT(bench.seen.count, 0);
        fragment4(&outer, (uint16_t)(3 - i), 41, (struct part){0, cut, true}, inner.data);
        bench_bytes(&bench, &outer);
    }
    CHECK(seen_whole(1));
    CHECK_INT(bench.seen.segment.family, 6);
    CHECK_INT(bench.counters.fragments, 12);
    CHECK_INT(bench.counters.fragments_dropped, 0);
    bench_close(&bench);
}

/* A TCP header may itself be divided, and may be all there is wrong. */
static void test_inside(void)
{
    uint8_t wrong[DATAGRAM_SIZE];
    memcpy(wrong, datagram, sizeof(wrong));
    wrong[12] = 0x40; /* a header of 16 bytes */
    if (!bench_open(&bench, 12))
        return;
    give(4, 1, (struct part){0, 8, true});
    give(4, 1, (struct part){8, 88, false});
    CHECK(seen_whole(1));
    give_of(4, 2, (struct part){0, 8, true}, wrong);
    give_of(4, 2, (struct part){8, 88, false}, wrong);
    CHECK_INT(bench.seen.count, 1);
    CHECK_INT(bench.counters.packets_malformed, 1);
    bench_close(&bench);
}

/* Each request for memory in turn fails: the datagram may be lost, but is counted, and the next one
 * is whole. */
static void test_memory(void)
{
    for (uint64_t n = 1; n <= 8; n++) {
        if (!bench_open(&bench, 12))
            return;
        memory_fail_at(n);
        for (unsigned i = 0; i < 4; i++)
            give(4, 1, quarters[i]);
        memory_fail_at(0);
        /* A datagram, four pieces, the whole. */
        CHECK_INT(bench.counters.memory_failures, n <= 6 ? 1 : 0);
        CHECK_INT(bench.seen.count, n <= 6 ? 0 : 1);
        CHECK((bench.counters.fragments_dropped > 0) == (n <= 6));
        unsigned before = bench.seen.count;
        for (unsigned i = 0; i < 4; i++)
            give(4, 2, quarters[i]);
        CHECK(seen_whole(before + 1));
        bench_close(&bench);
    }
}

int main(void)
{
    static const int families[] = {4, 6};
    datagram_make();
    for (unsigned i = 0; i < 2; i++) {
        test_orders(families[i]);
        test_overlap(families[i]);
        test_contradiction(families[i]);
        test_cut(families[i]);
        test_malformed(families[i]);
    }
    test_keys();
    test_vlans();
    test_timeout();
    test_limits();
    test_tunnel();
    test_inside();
    test_memory();
    return TEST_END();
}
