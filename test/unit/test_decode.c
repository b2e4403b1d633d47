/* SPDX-License-Identifier: BSD-2-Clause */
/* decode/: what is no segment, and why; what lengths mean that do not agree; limits. */
#include "unit/test_decode.h"

enum why { NOT_TCP, UNKNOWN_LINK, MALFORMED, TRUNCATED, TOO_DEEP };

static const struct {
    const char *name;
    int link_type;
    enum why why;
    const char *text;
} refused[] = {
    {"unknown link", 147, UNKNOWN_LINK, IP4_TEXT},
    {"arp", 1, NOT_TCP, ETHERNET_TEXT "0806 0001 0800 0604 0001"},
    {"ethertype between length and type", 1, NOT_TCP, ETHERNET_TEXT "05ff " IP4_TEXT},
    {"stp", 1, NOT_TCP, ETHERNET_TEXT "0026 424203 0000000000"},
    {"snap of cisco", 1, NOT_TCP, ETHERNET_TEXT "0038 aaaa03 00000c 2000 " IP4_TEXT},
    {"llc not unnumbered", 1, NOT_TCP, ETHERNET_TEXT "0033 060613 " IP4_TEXT},
    {"pppoe discovery", 1, NOT_TCP, ETHERNET_TEXT "8863 1109 0000 0004 0101 0000"},
    {"pppoe session code", 1, NOT_TCP, ETHERNET_TEXT "8864 11a7 0001 0032 0021 " IP4_TEXT},
    {"ppp lcp", 9, NOT_TCP, "ff03 c021 0101 0004"},
    {"mpls channel", 1, NOT_TCP, ETHERNET_TEXT "8847 000c8140 10000021 " IP4_TEXT},
    {"null of an unknown family", 0, NOT_TCP, "07000000 " IP4_TEXT},
    {"sll netlink", 113, NOT_TCP, "0004 0338 0000 0000000000000000 0000 00000000"},
    {"nflog without payload", 239, NOT_TCP, "02000001 08000100 08000100"},
    {"raw of no version", 12, NOT_TCP, "5500 0030 0001 4000"},
    {"udp", 12, NOT_TCP,
     "4500 0020 0001 4000 4011 0000 0a000001 0a000002 0035 c350 000c 0000 00000000"},
    {"icmp", 12, NOT_TCP, "4500 001c 0001 4000 4001 0000 0a000001 0a000002 0800 0000 0000 0000"},
    {"esp", 12, NOT_TCP, "4500 001c 0001 4000 4032 0000 0a000001 0a000002 0000 0001 0000 0001"},
    {"hop by hop in ipv4", 12, NOT_TCP,
     "4500 0038 0001 4000 4000 0000 0a000001 0a000002 06 00 010400000000 " SEGMENT_TEXT},
    {"ipv6 without next", 12, NOT_TCP, "60000000 0008 3b 40 " IP6_ADDRESSES "0000000000000000"},
    {"gre version 2", 12, NOT_TCP,
     "4500 0048 0001 0000 402f 0000 c0000201 c0000202 0002 0800 " IP4_TEXT},
    {"gre routing", 12, NOT_TCP,
     "4500 004c 0001 0000 402f 0000 c0000201 c0000202 4000 0800 00000000 " IP4_TEXT},
    {"gre keepalive", 12, NOT_TCP, "4500 0018 0001 0000 402f 0000 c0000201 c0000202 0000 0000"},
    {"vxlan without network", 12, NOT_TCP,
     "4500 0054 0001 0000 4011 0000 c0000201 c0000202 c350 12b5 0040 0000 00000000 "
     "00000000 " ETHERNET_TEXT "0800 45000000"},
    {"geneve version", 12, NOT_TCP,
     "4500 0024 0001 0000 4011 0000 c0000201 c0000202 c350 17c1 0010 0000 4000 6558 00000000"},
    {"teredo keepalive", 12, NOT_TCP, "4500 0020 0001 0000 4011 0000 c0000201 c0000202 c350 0dd8 000c 0000 40000000"},
    {"gtp echo", 12, NOT_TCP,
     "4500 0028 0001 0000 4011 0000 c0000201 c0000202 c350 0868 0014 0000 3201 0004 00000000 0001 "
     "0000"},
    {"gtp version 2", 12, NOT_TCP,
     "4500 0028 0001 0000 4011 0000 c0000201 c0000202 c350 0868 0014 0000 48ff 0004 00000000 0001 "
     "0000"},

    {"empty", 1, MALFORMED, ""},
    {"ethernet of 13 bytes", 1, MALFORMED, ETHERNET_TEXT "08"},
    {"ipv4 of 19 bytes", 12, MALFORMED, "4500 0030 0001 4000 4006 0000 0a000001 0a0000"},
    {"ipv4 of version 6", 1, MALFORMED, ETHERNET_TEXT "0800 " IP6_TEXT},
    {"ipv6 of version 4", 1, MALFORMED, ETHERNET_TEXT "86dd " IP4_TEXT},
    {"ipv4 header of 16", 12, MALFORMED,
     "4400 0030 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT},
    {"ipv4 shorter than its header", 12, MALFORMED,
     "4500 0013 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT},
    {"ipv4 options beyond its end", 12, MALFORMED,
     "4600 0014 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT},
    {"tcp of 19 bytes", 12, MALFORMED,
     "4500 0027 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT},
    {"tcp header of 16", 12, MALFORMED,
     "4500 0030 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 4018 2000 0000 "
     "0000 " PAYLOAD_TEXT},
    {"tcp header beyond its end", 12, MALFORMED,
     "4500 0030 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 8018 2000 0000 "
     "0000 " PAYLOAD_TEXT},
    {"tcp header one byte beyond its end", 12, MALFORMED,
     "4500 0033 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 8018 2000 0000 "
     "0000 01010101 01010101 010101"},
    {"extension beyond the end", 12, MALFORMED,
     "60000000 0008 00 40 " IP6_ADDRESSES "06 01 010400000000"},
    {"vlan cut", 1, MALFORMED, ETHERNET_TEXT "8100 0064"},
    {"mpls without bottom", 1, MALFORMED, ETHERNET_TEXT "8847 00064040"},
    {"pppoe of length 1", 1, MALFORMED, ETHERNET_TEXT "8864 1100 0001 0001 0021 " IP4_TEXT},
    {"nflog attribute of length 3", 239, MALFORMED, "02000001 03000100 08000100"},
    {"gre cut", 12, MALFORMED, "4500 0018 0001 0000 402f 0000 c0000201 c0000202 8000 0800"},
    {"gtp extension of length 0", 12, MALFORMED,
     "4500 0030 0001 0000 4011 0000 c0000201 c0000202 c350 0868 001c 0000 34ff 000c 00000001 "
     "0000 00 85 00 1009 00 00000000"},

    {"5 headers", 12, TOO_DEEP,
     "4500 0080 0001 0000 4004 0000 c0000201 c0000202 4500 006c 0001 0000 4004 0000 c0000201 "
     "c0000202 "
     "4500 0058 0001 0000 4004 0000 c0000201 c0000202 4500 0044 0001 0000 4004 0000 c0000201 "
     "c0000202 " IP4_TEXT},
    {"9 tags", 1, TOO_DEEP,
     ETHERNET_TEXT "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 8100 0006 8100 0007 8100 "
                   "0008 8100 0009 0800 " IP4_TEXT},
    {"9 labels", 219, TOO_DEEP,
     "00064040 00064040 00064040 00064040 00064040 00064040 00064040 00064040 00064140 " IP4_TEXT},
    {"ethernet in ethernet for ever", 1, TOO_DEEP,
     ETHERNET_TEXT "6558 " ETHERNET_TEXT "6558 " ETHERNET_TEXT "6558 " ETHERNET_TEXT
                   "6558 " ETHERNET_TEXT "6558 " //
     ETHERNET_TEXT "6558 " ETHERNET_TEXT "6558 " ETHERNET_TEXT "6558 " ETHERNET_TEXT
                   "6558 " ETHERNET_TEXT "0800 " IP4_TEXT},
    {"17 extensions", 12, TOO_DEEP,
     "60000000 00a4 00 40 " IP6_ADDRESSES "3c00010400000000 3c00010400000000 3c00010400000000 "
     "3c00010400000000 3c00010400000000 3c00010400000000 "
     "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
     "3c00010400000000 "
     "3c00010400000000 3c00010400000000 3c00010400000000 3c00010400000000 "
     "0600010400000000 " SEGMENT_TEXT},
    {"17 fragments that are none", 12, TOO_DEEP,
     "60000000 00a4 2c 40 " IP6_ADDRESSES "2c00000000000001 2c00000000000001 2c00000000000001 "
     "2c00000000000001 2c00000000000001 2c00000000000001 "
     "2c00000000000001 2c00000000000001 2c00000000000001 2c00000000000001 2c00000000000001 "
     "2c00000000000001 "
     "2c00000000000001 2c00000000000001 2c00000000000001 2c00000000000001 "
     "0600000000000001 " SEGMENT_TEXT},
};

static struct bench bench;

static uint64_t counted(enum why why)
{
    switch (why) {
    case NOT_TCP: return bench.counters.packets_not_tcp;
    case UNKNOWN_LINK: return bench.counters.packets_unknown_link;
    case MALFORMED: return bench.counters.packets_malformed;
    case TRUNCATED: return bench.counters.packets_truncated;
    case TOO_DEEP: return bench.counters.tunnels_too_deep;
    }
    return 0;
}

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct bytes packet = {.length = 0};
        bytes_add(&packet, refused[i].text);
        if (!bench_open(&bench, refused[i].link_type))
            return;
        bench_bytes(&bench, &packet);
        bool right =
            bench.seen.count == 0 && counted(refused[i].why) == 1 && bench_losses(&bench) == 1;
        if (!right)
            fprintf(stderr, "refused '%s':\n", refused[i].name);
        CHECK(right);
        bench_close(&bench);
    }
}

/* What stands in `text` was captured; the packet had `more` bytes on the wire. */
static const struct {
    const char *name;
    int link_type;
    const char *text;
    uint32_t more;
    unsigned segments;
    uint32_t length, captured; /* of the payload */
} lengths[] = {
    {"padding", 1,
     ETHERNET_TEXT "0800 4500 0028 0001 4000 4006 0000 0a000001 0a000002 " TCP_TEXT " 000000000000",
     0, 1, 0, 0},
    {"padding cut off by the capture", 1,
     ETHERNET_TEXT "0800 4500 0028 0001 4000 4006 0000 0a000001 0a000002 " TCP_TEXT, 6, 1, 0, 0},
    {"padding in ipv6", 1, ETHERNET_TEXT "86dd 60000000 001b 06 40 " IP6_ADDRESSES SEGMENT_TEXT, 0,
     1, 7, 7},
    {"trailer of four bytes", 1, ETHERNET_TEXT "0800 " IP4_TEXT "deadbeef", 0, 1, 8, 8},
    {"segmentation offload", 12, "4500 0000 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 0,
     1, 8, 8},
    {"segmentation offload, cut", 12,
     "4500 0000 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 99992, 1, 100000, 8},
    {"segmentation offload in ipv6", 12, "60000000 0000 06 40 " IP6_ADDRESSES SEGMENT_TEXT, 99992,
     1, 100000, 8},
    {"segmentation offload in a tunnel", 12,
     "4500 0000 0001 4000 4004 0000 0a000001 0a000002 4500 0000 0001 4000 4006 0000 0a000001 "
     "0a000002 " SEGMENT_TEXT,
     1000, 1, 1008, 8},
    {"a wire length that cannot be", 12,
     "4500 0000 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 0xffff0000, 1,
     LIMIT_WIRE_LENGTH - 40, 8},
    {"snapshot length", 12, "4500 05dc 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 1452,
     1, 1460, 8},
    {"a length that lies", 12, "4500 05dc 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 0,
     1, 8, 8},
    {"a length that lies in a tunnel", 12,
     "4500 0044 0001 0000 4004 0000 c0000201 c0000202 4500 0030 0001 4000 4006 0000 0a000001 "
     "0a000002 " TCP_TEXT,
     0, 1, 0, 0},
    {"cut by the log's copy range", 239,
     "02000001 34000900 4500 05dc 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT, 0, 1, 1460,
     8},
    {"cut by the mirror", 12,
     "4500 0056 0001 0000 402f 0000 c0000201 c0000202 0000 88be " ETHERNET_TEXT
     "0800 4500 05dc 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT,
     0, 1, 1460, 8},
    /*
     * A box between the two counted the padding of its Ethernet side into the IP length; PPPoE
     * knows better.
     */
    {"longer than the session allows", 1,
     ETHERNET_TEXT
     "8864 1100 0001 002a 0021 4500 002e 0001 4000 4006 0000 0a000001 0a000002 " TCP_TEXT
     "000000000000",
     0, 1, 0, 0},
    {"longer than the tunnel", 12,
     "4500 0044 0001 0000 4004 0000 c0000201 c0000202 4500 05dc 0001 4000 4006 0000 0a000001 "
     "0a000002 " SEGMENT_TEXT,
     0, 1, 8, 8},
    {"end set by llc", 1,
     ETHERNET_TEXT
     "0038 aaaa03 000000 0800 4500 0000 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT
     "deadbeef",
     0, 1, 8, 8},
    {"end set by udp", 12,
     "4500 0000 0001 0000 4011 0000 c0000201 c0000202 c350 12b5 004e 0000 08000000 "
     "00006400 " ETHERNET_TEXT "0800 4500 0000 0001 4000 4006 0000 0a000001 0a000002 " SEGMENT_TEXT
     "deadbeef",
     0, 1, 8, 8},
    {"udp length of 0", 12,
     "4500 0000 0001 0000 4011 0000 c0000201 c0000202 c350 12b5 0000 0000 08000000 "
     "00006400 " ETHERNET_TEXT "0800 " IP4_TEXT,
     0, 1, 8, 8},
    {"options", 12,
     "4500 0034 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 6018 2000 0000 "
     "0000 01010101 " PAYLOAD_TEXT,
     0, 1, 8, 8},
    {"options cut", 12,
     "4500 0034 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 6018 2000 0000 "
     "0000 0101",
     10, 1, 8, 0},
    {"options cut to the header", 12,
     "4500 0034 0001 4000 4006 0000 0a000001 0a000002 0019 1234 01020304 05060708 6018 2000 0000 "
     "0000",
     12, 1, 8, 0},
    {"no payload", 12, "4500 0028 0001 4000 4006 0000 0a000001 0a000002 " TCP_TEXT, 0, 1, 0, 0},
};

static void test_lengths(void)
{
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct bytes packet = {.length = 0};
        bytes_add(&packet, lengths[i].text);
        if (!bench_open(&bench, lengths[i].link_type))
            return;
        bench_packet(&bench, packet.data, packet.length, packet.length + lengths[i].more);
        const struct segment *segment = &bench.seen.segment;
        bool right = bench.seen.count == lengths[i].segments &&
                     segment->length == lengths[i].length &&
                     segment->payload.length == lengths[i].captured && bench_losses(&bench) == 0;
        if (!right)
            fprintf(stderr, "length '%s': %u segments, %u bytes, %zu of them captured\n",
                    lengths[i].name, bench.seen.count, segment->length, segment->payload.length);
        CHECK(right);
        CHECK(memcmp(bench.seen.payload, "220 hi\r\n", segment->payload.length) == 0);
        bench_close(&bench);
    }
}

/* All flags and both ends of the number ranges arrive as they are. */
static void test_fields(void)
{
    struct bytes packet = {.length = 0};
    bytes_add(&packet, "4500 0028 0001 4000 4006 0000 ffffffff 00000000 ffff 0000 ffffffff "
                       "fffffffe 5fff ffff 0000 0000");
    if (!bench_open(&bench, 12))
        return;
    bench_bytes(&bench, &packet);
    const struct segment *s = &bench.seen.segment;
    CHECK_INT(bench.seen.count, 1);
    CHECK(s->source_port == 0xffff && s->destination_port == 0 && s->sequence == 0xffffffff);
    CHECK(s->acknowledgment == 0xfffffffe && s->window == 0xffff);
    CHECK_INT(s->flags, TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);
    bench_close(&bench);
}

/* Nothing of a packet is left over for the next: tags, the long address, lack of bytes. */
static void test_forgets(void)
{
    struct bytes first = {.length = 0}, second = {.length = 0};
    bytes_add(&first, ETHERNET_TEXT "88a8 0064 8100 00c8 86dd 60000000 001c 04 40 " IP6_ADDRESSES);
    bytes_add(&second, ETHERNET_TEXT "0800 " IP4_TEXT);
    static const uint8_t source[16] = {10, 0, 0, 1}, destination[16] = {10, 0, 0, 2};
    if (!bench_open(&bench, 1))
        return;
    bench_packet(&bench, first.data, first.length, first.length + 28);
    CHECK_INT(bench.counters.packets_truncated, 1);
    bench_bytes(&bench, &second);
    const struct segment *s = &bench.seen.segment;
    CHECK_INT(bench.seen.count, 1);
    CHECK(s->vlans == 0 && s->vlan[0] == 0 && s->vlan[1] == 0 && s->family == 4);
    CHECK(memcmp(s->source.bytes, source, 16) == 0);
    CHECK(memcmp(s->destination.bytes, destination, 16) == 0);
    CHECK(s->length == 8 && s->payload.length == 8);
    CHECK_INT(bench.counters.packets, 2);
    bench_close(&bench);
}

/* What two ways through the layers said of one packet. */
static bool same_outcome(const struct bench *a, const struct bench *b)
{
    const struct segment *x = &a->seen.segment, *y = &b->seen.segment;
    if (a->seen.count != b->seen.count || a->counters.packets_malformed != b->counters.packets_malformed ||
        a->counters.packets_truncated != b->counters.packets_truncated || a->counters.packets_not_tcp != b->counters.packets_not_tcp ||
        a->counters.fragments != b->counters.fragments)
        return false;
    return !a->seen.count ||
           (memcmp(&x->source, &y->source, sizeof x->source) == 0 && memcmp(&x->destination, &y->destination, sizeof x->destination) == 0 &&
            x->source_port == y->source_port && x->destination_port == y->destination_port && x->family == y->family &&
            x->flags == y->flags && x->sequence == y->sequence && x->acknowledgment == y->acknowledgment && x->window == y->window &&
            x->length == y->length && x->payload.length == y->payload.length && x->vlans == y->vlans && x->reassembled == y->reassembled &&
            memcmp(x->payload.data, y->payload.data, x->payload.length) == 0);
}

/* One more packet through a decoder that has seen others; what is compared is of this one alone. */
static void again(struct bench *way, const uint8_t *data, uint32_t captured, uint32_t length)
{
    way->counters = (struct counters){.packets = 0};
    way->seen.count = 0;
    bench_packet(way, data, captured, length);
}

/* The short way for usual packets against the long one, which IPv4 without Ethernet goes: the same packets, damaged and cut in many ways. */
static void test_usual(void)
{
    enum { TURNS = 50000, LINK = 14 };
    static const uint8_t likely[] = {0, 1, 2, 4, 5, 6, 0x10, 0x20, 0x28, 0x30, 0x3f, 0x40, 0x45, 0x46, 0x50, 0x60, 0xf0, 0xff};
    static struct bench ethernet, ip;
    static struct bytes bytes;
    unsigned differ = 0, segments = 0;
    if (!bench_open(&ethernet, 1) || !bench_open(&ip, 228))
        return;
    srand(1);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        bytes.length = 0;
        bytes_add(&bytes, ETHERNET_TEXT "0800 " IP4_TEXT "70 61 64 64 69 6e 67");
        for (int changes = rand() % 3; changes > 0; changes--)
            bytes.data[LINK + rand() % 40] = likely[(size_t)rand() % sizeof likely];
        uint32_t cut = rand() % 2 ? (uint32_t)rand() % (bytes.length - LINK) : 0, captured = bytes.length - cut;
        uint32_t length = rand() % 2 ? bytes.length : captured;
        again(&ethernet, bytes.data, captured, length);
        again(&ip, bytes.data + LINK, captured - LINK, length - LINK);
        differ += !same_outcome(&ethernet, &ip);
        segments += ethernet.seen.count;
    }
    CHECK_INT(differ, 0);
    CHECK(segments > TURNS / 4 && segments < TURNS); /* both kinds are met */
    bench_close(&ethernet);
    bench_close(&ip);
}

static void test_memory(void)
{
    struct counters counters = {.packets = 0};
    for (uint64_t n = 1; n <= 2; n++) {
        memory_fail_at(n);
        struct decoder *decoder =
            decode_new((struct decode_sink){seen_segment, &bench.seen}, &counters);
        CHECK(decoder == NULL);
        decode_free(decoder);
    }
    memory_fail_at(0);
}

int main(void)
{
    test_refused();
    test_lengths();
    test_fields();
    test_forgets();
    test_usual();
    test_memory();
    return TEST_END();
}
