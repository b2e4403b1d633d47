/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode/: one segment behind every header there is a decoder for. Each packet is also cut at every
 * length: it gives the same segment with less payload, or nothing, and counts as truncated. The
 * values were compared with what tshark reads from the same packets.
 */
#include "unit/test_decode.h"

/* Outer headers of tunnels: lengths are total (IPv4), of the payload (IPv6) and of UDP. */
#define OUTER4(length, protocol)                                                                   \
    ETHERNET_TEXT "0800 4500" length "0001 0000 40" protocol "0000 c0000201 c0000202 "
#define OUTER6(length, protocol)                                                                   \
    ETHERNET_TEXT "86dd 60000000" length protocol                                                  \
                  "40 20010db8000100000000000000000001 20010db8000100000000000000000002 "
#define UDP(port, length) "c350" port length "0000 "
#define ETHERNET4         ETHERNET_TEXT "0800 " IP4_TEXT
#define LABEL             "00064040 "
#define LAST_LABEL        "000c8140 "

static const struct row {
    const char *name;
    int link_type;
    const char *text;
    uint8_t family, vlans;
    uint16_t vlan[SEGMENT_VLANS];
} rows[] = {
    /* Link types. */
    {"ethernet", 1, ETHERNET4, 4, 0, {0}},
    {"ethernet 6", 1, ETHERNET_TEXT "86dd " IP6_TEXT, 6, 0, {0}},
    {"llc snap", 1, ETHERNET_TEXT "0038 aaaa03 000000 0800 " IP4_TEXT, 4, 0, {0}},
    {"llc snap 6", 1, ETHERNET_TEXT "004c aaaa03 000000 86dd " IP6_TEXT, 6, 0, {0}},
    {"llc bridge", 1, ETHERNET_TEXT "0038 aaaa03 0000f8 0800 " IP4_TEXT, 4, 0, {0}},
    {"llc ip", 1, ETHERNET_TEXT "0033 060603 " IP4_TEXT, 4, 0, {0}},
    {"sll", 113, "0000 0001 0006 0200000000010000 0800 " IP4_TEXT, 4, 0, {0}},
    {"sll 6", 113, "0004 0304 0006 0000000000000000 86dd " IP6_TEXT, 6, 0, {0}},
    {"sll vlan", 113, "0000 0001 0006 0200000000010000 8100 0064 0800 " IP4_TEXT, 4, 1, {100}},
    {"sll llc",
     113,
     "0000 0001 0006 0200000000010000 0004 aaaa03 000000 0800 " IP4_TEXT,
     4,
     0,
     {0}},
    {"sll2", 276, "0800 0000 00000002 0001 00 06 0200000000010000 " IP4_TEXT, 4, 0, {0}},
    {"sll2 6", 276, "86dd 0000 00000002 0304 04 06 0000000000000000 " IP6_TEXT, 6, 0, {0}},
    {"raw", 12, IP4_TEXT, 4, 0, {0}},
    {"raw 6", 12, IP6_TEXT, 6, 0, {0}},
    {"raw saved", 101, IP4_TEXT, 4, 0, {0}},
    {"raw openbsd", 14, IP6_TEXT, 6, 0, {0}},
    {"ipv4", 228, IP4_TEXT, 4, 0, {0}},
    {"ipv6", 229, IP6_TEXT, 6, 0, {0}},
    {"null little", 0, "02000000 " IP4_TEXT, 4, 0, {0}},
    {"null big", 0, "00000002 " IP4_TEXT, 4, 0, {0}},
    {"null linux", 0, "0a000000 " IP6_TEXT, 6, 0, {0}},
    {"null windows", 0, "17000000 " IP6_TEXT, 6, 0, {0}},
    {"null openbsd", 0, "00000018 " IP6_TEXT, 6, 0, {0}},
    {"null freebsd", 0, "1c000000 " IP6_TEXT, 6, 0, {0}},
    {"null macos", 0, "1e000000 " IP6_TEXT, 6, 0, {0}},
    {"loop", 108, "00000002 " IP4_TEXT, 4, 0, {0}},
    {"loop 6", 108, "00000018 " IP6_TEXT, 6, 0, {0}},
    {"ppp", 9, "ff03 0021 " IP4_TEXT, 4, 0, {0}},
    {"ppp bare", 9, "0021 " IP4_TEXT, 4, 0, {0}},
    {"ppp short", 9, "21 " IP4_TEXT, 4, 0, {0}},
    {"ppp 6", 9, "ff03 0057 " IP6_TEXT, 6, 0, {0}},
    {"ppp mpls", 9, "ff03 0281 " LAST_LABEL IP4_TEXT, 4, 0, {0}},
    {"ppp serial", 50, "ff03 0021 " IP4_TEXT, 4, 0, {0}},
    {"ppp serial cisco", 50, "0f00 0800 " IP4_TEXT, 4, 0, {0}},
    {"cisco hdlc", 104, "8f00 86dd " IP6_TEXT, 6, 0, {0}},
    {"ppp direction", 204, "01 ff03 0021 " IP4_TEXT, 4, 0, {0}},
    {"pppoe link", 51, "1100 0001 0032 0021 " IP4_TEXT, 4, 0, {0}},
    {"mpls link", 219, LAST_LABEL IP4_TEXT, 4, 0, {0}},
    {"nflog", 239, "02000001 08000100 08000100 05000a00 00000000 34000900 " IP4_TEXT, 4, 0, {0}},
    {"nflog big", 239, "0a000001 00080001 86dd0300 00480009 " IP6_TEXT, 6, 0, {0}},

    /* Tags, labels, sessions. */
    {"vlan", 1, ETHERNET_TEXT "8100 a064 0800 " IP4_TEXT, 4, 1, {100}},
    {"vlan priority", 1, ETHERNET_TEXT "8100 e000 0800 " IP4_TEXT, 4, 0, {0}},
    {"qinq", 1, ETHERNET_TEXT "88a8 0064 8100 00c8 86dd " IP6_TEXT, 6, 2, {100, 200}},
    {"qinq old", 1, ETHERNET_TEXT "9100 0064 8100 00c8 0800 " IP4_TEXT, 4, 2, {100, 200}},
    {"vlans 3", 1, ETHERNET_TEXT "8100 0001 8100 0002 8100 0003 0800 " IP4_TEXT, 4, 3, {1, 2}},
    {"vlan llc", 1, ETHERNET_TEXT "8100 0064 0038 aaaa03 000000 0800 " IP4_TEXT, 4, 1, {100}},
    {"mpls", 1, ETHERNET_TEXT "8847 " LAST_LABEL IP4_TEXT, 4, 0, {0}},
    {"mpls 6", 1, ETHERNET_TEXT "8847 " LABEL LABEL LAST_LABEL IP6_TEXT, 6, 0, {0}},
    {"mpls multicast", 1, ETHERNET_TEXT "8848 " LABEL LAST_LABEL IP4_TEXT, 4, 0, {0}},
    {"pseudowire", 1, ETHERNET_TEXT "8847 " LAST_LABEL ETHERNET4, 4, 0, {0}},
    {"pseudowire word", 1, ETHERNET_TEXT "8847 " LAST_LABEL "00000000 " ETHERNET4, 4, 0, {0}},
    {"pseudowire address 4",
     1,
     ETHERNET_TEXT "8847 " LAST_LABEL "4e0000000002 020000000001 8100 0007 0800 " IP4_TEXT,
     4,
     1,
     {7}},
    {"pppoe", 1, ETHERNET_TEXT "8864 1100 0001 0032 0021 " IP4_TEXT, 4, 0, {0}},
    {"pppoe short", 1, ETHERNET_TEXT "8864 1100 0001 0031 21 " IP4_TEXT, 4, 0, {0}},
    {"pppoe 6 vlan", 1, ETHERNET_TEXT "8100 0064 8864 1100 0001 0046 0057 " IP6_TEXT, 6, 1, {100}},
    {"metadata", 1, ETHERNET_TEXT "8909 0101 0001 0002 0800 " IP4_TEXT, 4, 0, {0}},

    /* IP. */
    {"options",
     12,
     "4600 0034 0001 4000 4006 0000 0a000001 0a000002 01010100 " SEGMENT_TEXT,
     4,
     0,
     {0}},
    {"authentication",
     12,
     "4500 0048 0001 4000 4033 0000 0a000001 0a000002 "
     "06 04 0000 00000001 00000001 000102030405060708090a0b " SEGMENT_TEXT,
     4,
     0,
     {0}},
    {"extensions",
     12,
     "60000000 0054 00 40 " IP6_ADDRESSES "2b 00 010400000000 3c 00 0000 00000000 "
     "2c 00 010400000000 33 00 0000 00000009 06 04 0000 00000001 00000001 "
     "000102030405060708090a0b " SEGMENT_TEXT,
     6,
     0,
     {0}},

    /* Tunnels. */
    {"4 in 4", 1, OUTER4("0044", "04") IP4_TEXT, 4, 0, {0}},
    {"6 in 4", 1, OUTER4("0058", "29") IP6_TEXT, 6, 0, {0}},
    {"4 in 6", 1, OUTER6("0030", "04") IP4_TEXT, 4, 0, {0}},
    {"6 in 6", 1, OUTER6("0044", "29") IP6_TEXT, 6, 0, {0}},
    {"gre", 1, OUTER4("0048", "2f") "0000 0800 " IP4_TEXT, 4, 0, {0}},
    {"gre 6", 1, OUTER6("0048", "2f") "0000 86dd " IP6_TEXT, 6, 0, {0}},
    {"gre all",
     1,
     OUTER4("0054", "2f") "b000 0800 00000000 00000007 00000001 " IP4_TEXT,
     4,
     0,
     {0}},
    {"gre ethernet", 1, OUTER4("0056", "2f") "0000 6558 " ETHERNET4, 4, 0, {0}},
    {"gre mpls", 1, OUTER4("004c", "2f") "0000 8847 " LAST_LABEL IP4_TEXT, 4, 0, {0}},
    {"erspan 1", 1, OUTER4("0056", "2f") "0000 88be " ETHERNET4, 4, 0, {0}},
    {"erspan 2",
     1,
     OUTER4("0062", "2f") "1000 88be 00000001 1064 0001 00000000 " ETHERNET4,
     4,
     0,
     {0}},
    {"erspan 3",
     1,
     OUTER4("0066", "2f") "1000 22eb 00000001 2064 0001 00000000 0000 0000 " ETHERNET4,
     4,
     0,
     {0}},
    {"erspan 3 platform",
     1,
     OUTER4("006e", "2f") "1000 22eb 00000001 2064 0001 00000000 0000 0001 "
                          "0c000000 00000000 " ETHERNET4,
     4,
     0,
     {0}},
    {"erspan 3 ip",
     1,
     OUTER4("0058", "2f") "1000 22eb 00000001 2064 0001 00000000 0000 0800 " IP4_TEXT,
     4,
     0,
     {0}},
    {"wccp", 1, OUTER4("0048", "2f") "0000 883e " IP4_TEXT, 4, 0, {0}},
    {"wccp 2", 1, OUTER4("004c", "2f") "0000 883e 00000000 " IP4_TEXT, 4, 0, {0}},
    {"pptp", 1, OUTER4("0054", "2f") "3001 880b 0034 0001 00000001 ff03 0021 " IP4_TEXT, 4, 0, {0}},
    {"pptp acknowledged",
     1,
     OUTER4("0055", "2f") "3081 880b 0031 0001 00000001 00000001 21 " IP4_TEXT,
     4,
     0,
     {0}},
    {"vxlan",
     1,
     OUTER4("0062", "11") UDP("12b5", "004e") "08000000 00006400 " ETHERNET4,
     4,
     0,
     {0}},
    {"vxlan 6",
     1,
     OUTER6("004e", "11") UDP("12b5", "004e") "08000000 00006400 " ETHERNET4,
     4,
     0,
     {0}},
    {"vxlan linux",
     1,
     OUTER4("0062", "11") UDP("2118", "004e") "08000000 00006400 " ETHERNET4,
     4,
     0,
     {0}},
    {"vxlan vlans",
     1,
     ETHERNET_TEXT "8100 0064 0800 4500 0066 0001 0000 4011 0000 c0000201 c0000202 " //
     UDP("12b5", "0052") "08000000 00006400 " ETHERNET_TEXT "8100 00c8 0800 " IP4_TEXT,
     4,
     2,
     {100, 200}},
    {"geneve",
     1,
     OUTER4("0062", "11") UDP("17c1", "004e") "0000 6558 00006400 " ETHERNET4,
     4,
     0,
     {0}},
    {"geneve options",
     1,
     OUTER4("0070", "11") UDP("17c1", "005c") "0240 86dd 00006400 0102 80 01 00000000 " IP6_TEXT,
     6,
     0,
     {0}},
    {"teredo", 1, OUTER4("0060", "11") UDP("0dd8", "004c") IP6_TEXT, 6, 0, {0}},
    {"teredo with authentication and origin",
     1,
     OUTER4("0075", "11") UDP("0dd8", "0061") "0001 00 00 0102030405060708 00 " //
     "0000 63bf 3fffff00 " IP6_TEXT,
     6,
     0,
     {0}},
    {"gtp", 1, OUTER4("0054", "11") UDP("0868", "0040") "30ff 0030 00000001 " IP4_TEXT, 4, 0, {0}},
    {"gtp sequence",
     1,
     OUTER4("006c", "11") UDP("0868", "0058") "32ff 0048 00000001 0001 00 00 " IP6_TEXT,
     6,
     0,
     {0}},
    {"gtp extension",
     1,
     OUTER4("005c", "11") UDP("0868", "0048") "34ff 0038 00000001 0000 00 85 01 1009 00 " IP4_TEXT,
     4,
     0,
     {0}},

    /* As deep as is allowed. */
    {"4 headers",
     12,
     "4500 006c 0001 0000 4004 0000 c0000201 c0000202 4500 0058 0001 0000 4004 0000 c0000201 "
     "c0000202 4500 0044 0001 0000 4004 0000 c0000201 c0000202 " IP4_TEXT,
     4,
     0,
     {0}},
    {"8 tags",
     1,
     ETHERNET_TEXT "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 8100 0006 8100 0007 8100 "
                   "0008 0800 " IP4_TEXT,
     4,
     8,
     {1, 2}},
};

static bool is_the_segment(const struct row *row, const struct segment *segment)
{
    static const uint8_t addresses[2][2][16] = {
        {{10, 0, 0, 1}, {10, 0, 0, 2}},
        {{0x20, 1, 0xd, 0xb8, [15] = 1}, {0x20, 1, 0xd, 0xb8, [15] = 2}},
    };
    const uint8_t(*expected)[16] = addresses[row->family == 6];
    return memcmp(segment->source.bytes, expected[0], 16) == 0 &&
           memcmp(segment->destination.bytes, expected[1], 16) == 0 &&
           segment->family == row->family && segment->source_port == 25 &&
           segment->destination_port == 0x1234 && segment->sequence == 0x01020304 &&
           segment->acknowledgment == 0x05060708 && segment->flags == (TCP_PSH | TCP_ACK) &&
           segment->window == 0x2000 && segment->length == PAYLOAD_LENGTH &&
           segment->vlans == row->vlans &&
           memcmp(segment->vlan, row->vlan, sizeof(row->vlan)) == 0 && segment->capture == 7 &&
           segment->time_ns == 1234567890123456789;
}

static struct bench bench;

static void test_row(const struct row *row)
{
    struct bytes packet = {.length = 0};
    bytes_add(&packet, row->text);
    if (!bench_open(&bench, row->link_type))
        return;
    bench.time_ns = 1234567890123456789;
    bench_bytes(&bench, &packet);
    bool whole = bench.seen.count == 1 && is_the_segment(row, &bench.seen.segment) &&
                 bench.seen.segment.payload.length == PAYLOAD_LENGTH &&
                 memcmp(bench.seen.payload, "220 hi\r\n", PAYLOAD_LENGTH) == 0;
    if (!whole)
        fprintf(stderr, "row '%s':\n", row->name);
    CHECK(whole);
    CHECK_INT(bench_losses(&bench), 0);
    CHECK_INT(bench.counters.packets, 1);
    CHECK_INT(bench.counters.bytes, packet.length);
    bench_close(&bench);
}

/*
 * What a snapshot length leaves: as much of the payload as was captured, or one more packet that
 * counts as truncated.
 */
static bool is_cut_right(const struct row *row, const struct bytes *packet, uint32_t captured)
{
    struct seen *seen = &bench.seen;
    uint32_t header_end = packet->length - PAYLOAD_LENGTH;
    seen->count = 0;
    bench.counters = (struct counters){.packets = 0};
    bench_packet(&bench, packet->data, captured, packet->length);
    if (captured < header_end)
        return seen->count == 0 && bench.counters.packets_truncated == 1 &&
               bench_losses(&bench) == 1;
    return seen->count == 1 && bench_losses(&bench) == 0 && is_the_segment(row, &seen->segment) &&
           seen->segment.payload.length == captured - header_end &&
           memcmp(seen->payload, "220 hi\r\n", captured - header_end) == 0;
}

static void test_row_cut(const struct row *row)
{
    struct bytes packet = {.length = 0};
    bytes_add(&packet, row->text);
    if (!bench_open(&bench, row->link_type))
        return;
    bench.time_ns = 1234567890123456789;
    for (uint32_t captured = 0; captured < packet.length; captured++) {
        bool right = is_cut_right(row, &packet, captured);
        if (!right)
            fprintf(stderr, "row '%s' cut to %u of %u:\n", row->name, captured, packet.length);
        CHECK(right);
    }
    bench_close(&bench);
}

/*
 * Whole packets that are shorter than their headers promise: nothing may be read past their end.
 * What comes out is not judged.
 */
static void test_row_short(const struct row *row)
{
    struct bytes packet = {.length = 0};
    bytes_add(&packet, row->text);
    if (!bench_open(&bench, row->link_type))
        return;
    for (uint32_t length = 0; length < packet.length; length++) {
        bench.seen.count = 0;
        bench_packet(&bench, packet.data, length, length);
        CHECK(bench.seen.count == 0 ||
              bench.seen.segment.payload.length <= bench.seen.segment.length);
    }
    CHECK_INT(bench.counters.packets, packet.length);
    bench_close(&bench);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(decode_knows_link(rows[i].link_type));
        test_row(&rows[i]);
        test_row_cut(&rows[i]);
        test_row_short(&rows[i]);
    }
    CHECK(!decode_knows_link(147));
    return TEST_END();
}
