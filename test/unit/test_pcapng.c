/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture/pcapng: what libpcap reads, and what it refuses. Times and lengths follow
 * draft-ietf-opsawg-pcapng; tshark 4.0 shows the same, except where its own arithmetic overflows
 * (clocks finer than a nanosecond, times beyond the year 2262).
 */
#include "base/limits.h"
#include "unit/captures.h"
#include "unit/test.h"

#define SECOND    INT64_C(1000000000)
#define TIME_MOST INT64_C(4294967295999999999)

static struct bytes bytes;

static struct seen *read_bytes(void)
{
    return READ(write_file("test.pcapng", &bytes));
}

static void begin(bool big)
{
    bytes.length = 0;
    png_section(&bytes, big);
}

/* Ethernet cut at 96, raw IP whole, nanoseconds: libpcap stops at the second description. */
static void test_interfaces_differ(void)
{
    for (int big = 0; big < 2; big++) {
        begin(big);
        png_interface(&bytes, 1, 96, 0xffff, 0);
        png_enhanced(&bytes, 0, 1700000000123456, 'a', 60);
        png_interface(&bytes, 101, 262144, 9, 0);
        png_enhanced(&bytes, 1, 1700000000123456789, 'b', 41);
        png_enhanced(&bytes, 0, 1700000001000000, 'c', 0);
        struct seen *seen = read_bytes();
        CHECK_INT(seen->count, 3);
        CHECK_INT(seen->errors, 0);
        CHECK_TEXT(seen->messages, "");
        CHECK_TEXT(seen_order(seen), "ab-");
        CHECK_INT(seen->packets[0].time_ns, 1700000000123456000);
        CHECK_INT(seen->packets[0].link_type, 1);
        CHECK_INT(seen->packets[0].captured, 60);
        CHECK_INT(seen->packets[0].length, 62);
        CHECK_INT(seen->packets[1].time_ns, 1700000000123456789);
        CHECK_INT(seen->packets[1].link_type, 12);
        CHECK_INT(seen->packets[1].captured, 41);
        CHECK_INT(seen->packets[2].time_ns, 1700000001 * SECOND);
    }
}

static void test_times(void)
{
    static const struct {
        unsigned resolution;
        int64_t offset;
        uint64_t ticks;
        int64_t expected;
    } cases[] = {
        {0xffff, 0, 1000001, 1000001000},
        {6, 0, 1000001, 1000001000},
        {0, 0, 5, 5 * SECOND},
        {3, 0, 1700000000123, 1700000000123000000},
        {9, 0, 1700000000123456789, 1700000000123456789},
        {12, 0, 1500000000999, 1500000000}, /* picoseconds, rounded down */
        {19, 0, UINT64_C(18000000000000000000), 1800000000},
        {0x80, 0, 7, 7 * SECOND}, /* 2^0 */
        {0x81, 0, 3, 1500000000}, /* halves */
        {0x80 | 20, 0, (5 << 20) + (1 << 19), 5500000000},
        {0x80 | 32, 0, (UINT64_C(1700000000) << 32) + (UINT64_C(1) << 30), 1700000000250000000},
        {0x80 | 50, 0, (UINT64_C(3) << 50) + (UINT64_C(1) << 49), 3500000000},
        {0x80 | 63, 0, (UINT64_C(1) << 63) + (UINT64_C(1) << 62), 1500000000},
        {6, 1700000000, 500000, 1700000000500000000}, /* if_tsoffset */
        {6, -1, 2500000, 1500000000},
        {6, -10, 2500000, 0}, /* before 1970 */
        {6, 0, UINT64_MAX, TIME_MOST},
        {0, 0, UINT64_MAX, TIME_MOST},
        {0x81, 0, UINT64_MAX, TIME_MOST},
        {9, INT64_MAX, UINT64_MAX, TIME_MOST},
        {9, INT64_MIN, UINT64_MAX, 0},
    };
    for (int big = 0; big < 2; big++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            begin(big);
            png_interface(&bytes, 1, 0, cases[i].resolution, cases[i].offset);
            png_enhanced(&bytes, 0, cases[i].ticks, 'a', 4);
            struct seen *seen = read_bytes();
            CHECK_INT(seen->count, 1);
            CHECK_INT(seen->packets[0].time_ns, cases[i].expected);
            CHECK_INT(seen->errors, 0);
        }
    }
}

/* A clock that no 64 bits can hold: its packets cannot be placed, those of others can. */
static void test_impossible_clock(void)
{
    static const unsigned resolutions[] = {20, 0x7f, 0x80 | 64, 0xff};
    for (size_t i = 0; i < 4; i++) {
        begin(false);
        png_interface(&bytes, 1, 0, resolutions[i], 0);
        png_interface(&bytes, 1, 0, 6, 0);
        png_enhanced(&bytes, 0, 1, 'a', 4);
        png_enhanced(&bytes, 1, 1, 'b', 4);
        struct seen *seen = read_bytes();
        CHECK_TEXT(seen_order(seen), "b");
        CHECK_TEXT(seen->messages, "mxtap: test.pcapng: 2 damaged blocks passed over, "
                                   "1 packet read all the same\n");
    }
}

static void simple_packet(uint32_t length, uint8_t fill, uint32_t captured)
{
    size_t at = block_begin(&bytes, 3);
    bytes_number(&bytes, length, 4);
    bytes_fill(&bytes, fill, captured);
    block_end(&bytes, at);
}

static void obsolete_packet(uint16_t interface, uint64_t ticks, uint8_t fill, uint32_t captured)
{
    size_t at = block_begin(&bytes, 2);
    bytes_number(&bytes, interface, 2);
    bytes_number(&bytes, 0xbeef, 2); /* drops */
    bytes_number(&bytes, ticks >> 32, 4);
    bytes_number(&bytes, ticks & 0xffffffff, 4);
    bytes_number(&bytes, captured, 4);
    bytes_number(&bytes, captured, 4);
    bytes_fill(&bytes, fill, captured);
    block_end(&bytes, at);
}

/* Other blocks: names, statistics, ones that nobody knows, one larger than the reader's window. */
static void other_block(uint32_t type, size_t length)
{
    size_t at = block_begin(&bytes, type);
    bytes_fill(&bytes, 0xff, length);
    block_end(&bytes, at);
}

static void test_blocks(void)
{
    for (int big = 0; big < 2; big++) {
        begin(big);
        other_block(4, 8);
        png_interface(&bytes, 1, 10, 0xffff, 0);
        png_interface(&bytes, 113, 0, 0xffff, 0);
        png_enhanced(&bytes, 0, 2000000, 'a', 8);
        simple_packet(7, 'b', 7);
        other_block(5, 12);
        simple_packet(1000, 'c', 10); /* cut at the snapshot length of the first interface */
        obsolete_packet(1, 3000000, 'd', 13);
        other_block(0x0bad0bad, 0);
        struct seen *seen = read_bytes();
        CHECK_TEXT(seen_order(seen), "abcd");
        CHECK_TEXT(seen->messages, "");
        CHECK_INT(seen->packets[1].captured, 7);
        CHECK_INT(seen->packets[1].time_ns, 2 * SECOND); /* has none: that of its forerunner */
        CHECK_INT(seen->packets[2].captured, 10);
        CHECK_INT(seen->packets[2].length, 1000);
        CHECK_INT(seen->packets[3].link_type, 113);
        CHECK_INT(seen->packets[3].time_ns, 3 * SECOND);
        CHECK_INT(seen->packets[3].captured, 13);
    }
}

/* A file of several sections: each has its own byte order and interfaces. */
static void test_sections(void)
{
    begin(false);
    png_interface(&bytes, 1, 0, 6, 0);
    png_interface(&bytes, 1, 0, 6, 0);
    png_enhanced(&bytes, 1, 1000000, 'a', 4);
    png_section(&bytes, true);
    png_interface(&bytes, 101, 0, 9, 0);
    png_enhanced(&bytes, 0, 2000000000, 'b', 4);
    png_enhanced(&bytes, 1, 2000000000, 'x', 4); /* the second interface was the other section's */
    png_section(&bytes, false);
    png_interface(&bytes, 276, 0, 3, 0);
    png_enhanced(&bytes, 0, 3000, 'c', 4);
    struct seen *seen = read_bytes();
    CHECK_TEXT(seen_order(seen), "abc");
    for (unsigned i = 0; i < 3; i++) {
        static const int links[] = {1, 12, 276};
        CHECK_INT(seen->packets[i].time_ns, (i + 1) * SECOND);
        CHECK_INT(seen->packets[i].link_type, links[i]);
    }
    CHECK_TEXT(seen->messages,
               "mxtap: test.pcapng: 1 damaged block passed over, 3 packets read all the same\n");
}

static void test_link_types(void)
{
    static const int links[][2] = {{0, 0},     {1, 1},     {9, 9},     {100, 11},  {101, 12},
                                   {102, 15},  {103, 16},  {106, 19},  {108, 108}, {113, 113},
                                   {228, 228}, {229, 229}, {239, 239}, {276, 276}, {65535, 65535}};
    begin(false);
    for (unsigned i = 0; i < 15; i++) {
        png_interface(&bytes, (uint16_t)links[i][0], 0, 6, 0);
        png_enhanced(&bytes, i, i, 'a', 4);
    }
    struct seen *seen = read_bytes();
    CHECK_INT(seen->count, 15);
    for (unsigned i = 0; i < 15; i++)
        CHECK_INT(seen->packets[i].link_type, links[i][1]);
}

/* Cut at every byte: whole packets before the cut, and "truncated" unless it lies between two
 * blocks. */
static void test_cut(void)
{
    size_t ends[8];
    unsigned blocks = 0;
    begin(true);
    ends[blocks++] = bytes.length;
    png_interface(&bytes, 1, 0, 9, 7);
    ends[blocks++] = bytes.length;
    for (unsigned i = 0; i < 3; i++) {
        png_enhanced(&bytes, 0, i, 'a', 5 + i);
        ends[blocks++] = bytes.length;
    }
    static struct bytes whole;
    whole = bytes;
    for (size_t cut = 12; cut < whole.length; cut++) {
        unsigned before = 0;
        bool clean = false;
        for (unsigned i = 0; i < blocks; i++) {
            before += cut >= ends[i];
            clean |= cut == ends[i];
        }
        unsigned packets = before > 2 ? before - 2 : 0;
        char expected[80] = "";
        if (!clean)
            snprintf(expected, sizeof expected, "mxtap: test.pcapng: truncated after %u packet%s\n",
                     packets, packets == 1 ? "" : "s");
        bytes.length = cut;
        struct seen *seen = read_bytes();
        CHECK_INT(seen->count, packets);
        CHECK_INT(seen->errors, !clean);
        CHECK_TEXT(seen->messages, expected);
    }
}

/* Each byte overwritten with several values: whatever is made of it, no more packets than there
 * were, and an end. */
static void test_mutations(void)
{
    static struct bytes whole;
    begin(false);
    png_interface(&bytes, 1, 64, 0x80 | 30, 3);
    png_enhanced(&bytes, 0, 5, 'a', 7);
    simple_packet(6, 'b', 6);
    obsolete_packet(0, 6, 'c', 5);
    whole = bytes;
    unsigned most = 0, intact = 0;
    for (size_t at = 0; at < whole.length; at++) {
        static const uint8_t values[] = {0, 1, 2, 3, 4, 6, 0x7f, 0x80, 0xff};
        for (size_t v = 0; v < sizeof values; v++) {
            bytes = whole;
            bytes.data[at] = values[v];
            struct seen *seen = read_bytes();
            CHECK(seen->count == 3 || seen->errors || strcmp(seen_order(seen), "abc") != 0);
            most = seen->count > most ? seen->count : most;
            intact += seen->count == 3;
        }
    }
    CHECK_INT(most, 3);
    CHECK(intact > 0);
}

static void check_damage(const char *message)
{
    struct seen *seen = read_bytes();
    CHECK_INT(seen->count, 1);
    CHECK_INT(seen->errors, 1);
    CHECK_TEXT(seen->messages, message);
}

static void begin_good(void)
{
    begin(false);
    png_interface(&bytes, 1, 0, 6, 0);
    png_enhanced(&bytes, 0, 1, 'a', 4);
}

static void test_damage(void)
{
    static const uint32_t impossible[] = {0, 4, 11, 8, 33, LIMIT_PCAPNG_BLOCK + 4, UINT32_MAX};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        begin_good();
        bytes_number(&bytes, 6, 4);
        bytes_number(&bytes, impossible[i], 4);
        bytes_fill(&bytes, 0, 40);
        check_damage("mxtap: test.pcapng: damaged after 1 packet: a block of impossible length\n");
    }
    begin_good();
    png_enhanced(&bytes, 0, 2, 'b', 4);
    bytes.data[bytes.length - 4] ^= 8;
    check_damage("mxtap: test.pcapng: damaged after 1 packet: the two lengths of a block differ\n");
    begin_good();
    other_block(99, 16);
    bytes.data[bytes.length - 1] ^= 8;
    check_damage("mxtap: test.pcapng: damaged after 1 packet: the two lengths of a block differ\n");
    begin_good();
    size_t at = bytes.length;
    png_section(&bytes, false);
    bytes.data[at + 12] = 2;
    check_damage("mxtap: test.pcapng: damaged after 1 packet: pcapng of an unknown version\n");
    bytes.data[at + 8] = 0;
    check_damage("mxtap: test.pcapng: damaged after 1 packet: a section without byte order\n");
}

/* Packets that are wrong by themselves do not cost their neighbours. */
static void test_bad_packets(void)
{
    static const size_t captured_at = 20;
    static const uint32_t wrong[] = {5, 1000, LIMIT_PACKET + 1, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        begin_good();
        size_t at = bytes.length;
        png_enhanced(&bytes, 0, 2, 'x', 4);
        size_t end = bytes.length;
        bytes.length = at + captured_at;
        bytes_number(&bytes, wrong[i], 4);
        bytes.length = end;
        png_enhanced(&bytes, 0, 3, 'c', 4);
        struct seen *seen = read_bytes();
        CHECK_TEXT(seen_order(seen), "ac");
        CHECK_INT(seen->errors, 1);
    }
}

static void test_large(void)
{
    FILE *file = fopen(in_folder("large.pcapng"), "wb");
    begin(false);
    png_interface(&bytes, 1, 0, 6, 0);
    png_enhanced(&bytes, 0, 1, 'a', 200000);
    fwrite(bytes.data, 1, bytes.length, file);
    for (unsigned i = 0; i < 40; i++) { /* a block of 8 MB */
        bytes.length = 0;
        if (i == 0) {
            bytes_number(&bytes, 0x4444, 4);
            bytes_number(&bytes, 12 + 40 * 200000, 4);
        }
        bytes_fill(&bytes, 0xee, 200000);
        fwrite(bytes.data, 1, bytes.length, file);
    }
    bytes.length = 0;
    bytes_number(&bytes, 12 + 40 * 200000, 4);
    for (unsigned i = 0; i < 100; i++)
        png_enhanced(&bytes, 0, 2 + i, 'b', 1500);
    fwrite(bytes.data, 1, bytes.length, file);
    fclose(file);
    struct seen *seen = READ(in_folder("large.pcapng"));
    CHECK_INT(seen->count, 101);
    CHECK_INT(seen->packets[0].captured, 200000);
    CHECK_INT(seen->packets[100].time_ns, 101000);
    CHECK_TEXT(seen->messages, "");
}

static void test_interface_limit(void)
{
    begin(false);
    for (unsigned i = 0; i <= LIMIT_PCAPNG_INTERFACES; i++)
        png_interface(&bytes, 1, 0, 6, 0);
    png_enhanced(&bytes, LIMIT_PCAPNG_INTERFACES - 1, 1, 'a', 4);
    png_enhanced(&bytes, LIMIT_PCAPNG_INTERFACES, 1, 'b', 4);
    struct seen *seen = read_bytes();
    CHECK_TEXT(seen_order(seen), "a");
    CHECK_INT(seen->errors, 1);
}

int main(void)
{
    folder_begin();
    test_interfaces_differ();
    test_times();
    test_impossible_clock();
    test_blocks();
    test_sections();
    test_link_types();
    test_cut();
    test_mutations();
    test_damage();
    test_bad_packets();
    test_large();
    test_interface_limit();
    folder_end();
    return TEST_END();
}
