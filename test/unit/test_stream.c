/* SPDX-License-Identifier: BSD-2-Clause */
/* Reassembly: order, overlap, holes, wrap-around, what was cut, and the order between the sides. */
#include "segments.h"

enum { A = TCP_ACK, FIN = TCP_FIN | TCP_ACK };

static void test_in_order(uint32_t client, uint32_t server)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, client, server);
    client++, server++;
    seg(&s, 'S', A, server, client, "220 a\r\n");
    seg(&s, 'C', A, client, server + 7, "EHLO b\r\n");
    seg(&s, 'S', A, server + 7, client + 8, "250 c\r\n");
    TOLD(&s, "S(220 a\r\n)C(EHLO b\r\n)S(250 c\r\n)");
    seg(&s, 'C', FIN, client + 8, server + 14, "");
    seg(&s, 'S', FIN, server + 14, client + 9, "");
    TOLD(&s, "C.S.[fin client]");
    ENDS(&s, "");
}

/* Every order of four pieces gives the same bytes, also where sequence numbers wrap around. */
static void test_every_order(uint32_t client)
{
    static const char *const pieces[] = {"one", "two", "three", "four"};
    static const uint32_t at[] = {1, 4, 7, 12};
    for (unsigned order = 0; order < 256; order++) {
        struct scene s;
        unsigned seen = 0;
        scene_begin(&s);
        shake(&s, client, 5000);
        for (unsigned i = 0; i < 4; i++) {
            unsigned piece = order >> 2 * i & 3;
            seen |= 1u << piece;
            seg(&s, 'C', A, client + at[piece], 5001, pieces[piece]);
        }
        if (seen == 15) {
            char joined[64] = "", *end = joined;
            for (const char *c = s.log; *c && end < joined + sizeof joined - 1; c++)
                if (!strchr("()C", *c))
                    *end++ = *c;
            CHECK_TEXT(joined, "onetwothreefour");
            s.log[0] = '\0', s.length = 0;
            ENDS(&s, "[eof]");
        } else {
            flow_table_free(s.table);
        }
    }
}

static void test_retransmission(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "abcd");
    seg(&s, 'C', A, 101, 5001, "abcd");
    seg(&s, 'C', A, 103, 5001, "cdef");     /* other boundaries */
    seg(&s, 'C', A, 101, 5001, "abcdefgh");
    seg(&s, 'C', A, 100, 5001, "x");        /* a keep-alive probe */
    TOLD(&s, "C(abcd)C(ef)C(gh)");
    seg(&s, 'C', A, 111, 5001, "kl");
    seg(&s, 'C', A, 110, 5001, "jklm");
    seg(&s, 'C', A, 109, 5001, "ijklmn");
    TOLD(&s, "C(i)C(j)C(kl)C(m)C(n)");
    CHECK_INT(s.counters.overlaps_different, 0);
    CHECK_INT(s.counters.gaps, 0);
    ENDS(&s, "[eof]");
}

/* First copy wins, and that a later one differs is counted. */
static void test_overlap(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 103, 5001, "RSET");
    seg(&s, 'C', A, 103, 5001, "QUIT");
    CHECK_INT(s.counters.overlaps_different, 1);
    seg(&s, 'C', A, 101, 5001, "abXXET");
    CHECK_INT(s.counters.overlaps_different, 2);
    TOLD(&s, "C(ab)C(RSET)");
    ENDS(&s, "[eof]");
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 105, 5001, "EF");
    seg(&s, 'C', A, 109, 5001, "IJ");
    seg(&s, 'C', A, 103, 5001, "cdefghijkl"); /* around and between what is held */
    seg(&s, 'C', A, 101, 5001, "ab");
    TOLD(&s, "C(ab)C(cd)C(EF)C(gh)C(IJ)C(kl)");
    ENDS(&s, "[eof]");
}

static void test_acknowledged_hole(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "ab");
    seg(&s, 'C', A, 108, 5001, "ij");
    seg(&s, 'S', A, 5001, 110, "");
    pass(&s, 400 * MS);
    TOLD(&s, "C(ab)"); /* it may still come, the capture being out of order */
    seg(&s, 'C', A, 103, 5001, "cdefg");
    TOLD(&s, "C(cdefg)C(ij)");
    seg(&s, 'C', A, 115, 5001, "pq");
    seg(&s, 'S', A, 5001, 117, "");
    pass(&s, 501 * MS);
    TOLD(&s, "C-5C(pq)");
    CHECK_INT(s.counters.gaps, 1);
    seg(&s, 'C', A, 110, 5001, "klmno"); /* too late */
    TOLD(&s, "");
    ENDS(&s, "[eof]");
}

/* Nobody acknowledged: it is on its way, up to the end of the capture. */
static void test_open_hole(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "ab");
    seg(&s, 'S', A, 5001, 103, "x");
    seg(&s, 'C', A, 108, 5002, "ij");
    pass(&s, 5 * S);
    seg(&s, 'S', A, 5002, 103, "y");
    pass(&s, 5 * S);
    TOLD(&s, "C(ab)S(x)S(y)");
    CHECK_INT(s.counters.gaps, 0);
    ENDS(&s, "C-5C(ij)[eof]");
}

/* Three connections wait for what nobody acknowledged: they go on waiting, and end in any order. */
static void test_open_holes(void)
{
    struct scene s;
    scene_begin(&s);
    for (unsigned i = 0; i < 4; i++) {
        s.client_port = (uint16_t)(40000 + i);
        shake(&s, 100, 5000);
        seg(&s, 'S', A, 5001, 101, "x");
        seg(&s, 'C', A, 104, 5002, "def");
        pass(&s, 200 * MS);
    }
    TOLD(&s, "S(x)S(x)S(x)S(x)");
    for (unsigned i = 0; i < 10; i++)
        pass(&s, 200 * MS);
    TOLD(&s, "");
    static const uint16_t ports[] = {40001, 40003, 40000, 40002};
    for (unsigned i = 0; i < 4; i++) {
        s.client_port = ports[i];
        seg(&s, 'C', A, 101, 5002, "abc");
        TOLD(&s, "C(abc)C(def)");
    }
    CHECK_INT(s.counters.gaps, 0);
    ENDS(&s, "[eof][eof][eof][eof]");
}

static void test_one_sided(void)
{
    static char large[40001];
    struct scene s;
    memset(large, 'x', sizeof large - 1);
    scene_begin(&s);
    seg(&s, 'C', TCP_SYN, 100, 0, "");
    seg(&s, 'C', A, 101, 5001, "ab");
    seg(&s, 'C', A, 108, 5001, "ij");
    pass(&s, 5 * S);
    TOLD(&s, "C(ab)"); /* no acknowledgment can tell: what follows is held up to a bound */
    seg(&s, 'C', A, 110, 5001, large);
    pass(&s, S);
    seg(&s, 'C', A, 40110, 5001, large);
    pass(&s, S);
    TOLD(&s, "C-5C(ij)C(40000)C(40000)");
    seg(&s, 'C', A, 80112, 5001, "zz");
    ENDS(&s, "C-2C(zz)[eof]"); /* at its end nothing else can come */
}

static void test_held_limits(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    for (uint32_t i = 0; i <= LIMIT_HELD_SEGMENTS; i++)
        seg(&s, 'C', A, 103 + 3 * i, 5001, "x");
    CHECK_INT(s.counters.held_limit, 1);
    CHECK(strncmp(s.log, "C-2C(x)C-2C(x)", 14) == 0 || strncmp(s.log, "C-2C(x)", 7) == 0);
    CHECK(s.counters.gaps >= 1);
    flow_table_free(s.table);
    static char large[LIMIT_HELD_BYTES / 4 + 1];
    memset(large, 'x', sizeof large - 1);
    scene_begin(&s);
    shake(&s, 100, 5000);
    for (uint32_t i = 0; i < 5; i++)
        seg(&s, 'C', A, 103 + i * ((uint32_t)sizeof large - 1), 5001, large);
    CHECK_INT(s.counters.held_limit, 1);
    TOLD(&s, "C-2C(65536)C(65536)C(65536)C(65536)C(65536)");
    CHECK(flow_held(s.table) < 10000000);
    ENDS(&s, "[eof]");
}

static void test_cut(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    s.cut = 3;
    seg(&s, 'C', A, 101, 5001, "abcdef");
    seg(&s, 'C', A, 113, 5001, "mnopqr");
    seg(&s, 'C', A, 107, 5001, "ghijkl");
    TOLD(&s, "C(abc)C~3C(ghi)C~3C(mno)C~3");
    CHECK_INT(s.counters.gaps, 0);
    /* A retransmission may know more, but what was told was told. */
    s.cut = 0;
    seg(&s, 'C', A, 116, 5001, "pqrst");
    TOLD(&s, "C(st)");
    ENDS(&s, "[eof]");
}

/* The capture has the reply before the command: causal order all the same. */
static void test_causal_order(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'S', A, 5001, 101, "220\n");
    seg(&s, 'S', A, 5005, 106, "250\n"); /* acknowledges EHLO\n, which comes later */
    seg(&s, 'C', A, 106, 5009, "DATA\n");
    seg(&s, 'C', A, 101, 5005, "EHLO\n");
    TOLD(&s, "S(220\n)C(EHLO\n)S(250\n)C(DATA\n)");
    /* What was acknowledged never comes: the wait is bounded. */
    seg(&s, 'S', A, 5009, 117, "354\n");
    TOLD(&s, "");
    pass(&s, 501 * MS);
    TOLD(&s, "C-6S(354\n)");
    ENDS(&s, "[eof]");
}

/* A later copy acknowledged more than the first one: that must not hold it back. */
static void test_needs_of_first_copy(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'S', A, 5005, 111, "220\n");  /* sent again, after DATA\n was there */
    seg(&s, 'S', A, 5001, 106, "250\n");
    seg(&s, 'S', A, 5005, 106, "220\n");
    seg(&s, 'C', A, 106, 5009, "DATA\n");
    seg(&s, 'C', A, 101, 5001, "EHLO\n");
    TOLD(&s, "C(EHLO\n)S(250\n)S(220\n)C(DATA\n)");
    ENDS(&s, "[eof]");
}

/* One segment that sends again what three had sent: each of the three waits for what its own sender had seen. */
static void test_needs_within_a_copy(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5009, "EHLO\nDATA\nQUIT\n");
    seg(&s, 'S', A, 5005, 111, "354\n");
    seg(&s, 'S', A, 5001, 106, "250\n");
    seg(&s, 'C', A, 106, 5005, "DATA\n");
    TOLD(&s, "");
    seg(&s, 'C', A, 101, 5001, "EHLO\n");
    TOLD(&s, "C(EHLO\n)S(250\n)C(DATA\n)S(354\n)C(QUIT\n)");
    ENDS(&s, "[eof]");
}

/* Bytes that were delivered and come again have nothing to wait for, whatever they acknowledge. */
static void test_old_bytes_hold_nothing_back(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "EHLO\n");
    seg(&s, 'C', A, 101, 5005, "EHLO\n");
    seg(&s, 'C', A, 106, 5001, "DATA\n");
    TOLD(&s, "C(EHLO\n)C(DATA\n)");
    seg(&s, 'S', A, 5001, 106, "250\n");
    ENDS(&s, "S(250\n)[eof]");
}

static void test_fin_behind_hole(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "ab");
    seg(&s, 'C', FIN, 106, 5001, "fg");
    TOLD(&s, "C(ab)");
    seg(&s, 'C', A, 103, 5001, "cde");
    TOLD(&s, "C(cde)C(fg)C.");
    seg(&s, 'S', FIN, 5001, 109, "");
    ENDS(&s, "S.[fin client]");
}

/* The capture has the answer to a FIN before the FIN: who began is told by what was acknowledged. */
static void test_fin_before_fin(void)
{
    for (unsigned shunted = 0; shunted < 2; shunted++) {
        struct scene s;
        scene_begin(&s);
        s.shunt_at = shunted ? "x" : NULL;
        shake(&s, 100, 5000);
        seg(&s, 'C', A, 101, 5001, "x");
        seg(&s, 'S', FIN, 5001, 103, "");
        seg(&s, 'C', FIN, 102, 5001, "");
        ENDS(&s, shunted ? "C(x)[fin client]" : "C(x)C.S.[fin client]");
    }
    struct scene s;
    scene_begin(&s); /* what it acknowledged never comes */
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    seg(&s, 'S', FIN, 5001, 106, "");
    pass(&s, S);
    ENDS(&s, "C(x)C-4S.[fin server]");
}

static void test_shunted(void)
{
    struct scene s;
    scene_begin(&s);
    s.shunt_at = "stop";
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 105, 5001, "efgh");
    seg(&s, 'C', A, 101, 5001, "stop");
    TOLD(&s, "C(stop)");
    seg(&s, 'C', A, 1001, 5001, "far ahead");
    seg(&s, 'S', A, 5001, 1010, "reply");
    TOLD(&s, "");
    CHECK_INT(s.counters.gaps, 0);
    seg(&s, 'S', FIN, 5006, 1010, "");
    ENDS(&s, "[fin server]");
    /* A FIN that is there tells how much was sent, even if what came before it is seen late. */
    scene_begin(&s);
    s.shunt_at = "stop";
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    seg(&s, 'C', FIN, 150, 5001, "");
    seg(&s, 'C', A, 102, 5001, "stop");
    seg(&s, 'S', FIN, 5001, 151, "");
    ENDS(&s, "C(x)C(stop)[fin client]");
    CHECK_INT(s.bytes[SIDE_CLIENT], 49);
}

int main(void)
{
    test_in_order(100, 5000);
    test_in_order(0xfffffff8u, 0xfffffffeu);
    test_in_order(0x7ffffff8u, 0x7ffffffeu);
    test_every_order(100);
    test_every_order(0xfffffffau);
    test_retransmission();
    test_overlap();
    test_acknowledged_hole();
    test_open_hole();
    test_open_holes();
    test_one_sided();
    test_held_limits();
    test_cut();
    test_causal_order();
    test_needs_of_first_copy();
    test_needs_within_a_copy();
    test_old_bytes_hold_nothing_back();
    test_fin_behind_hole();
    test_fin_before_fin();
    test_shunted();
    return TEST_END();
}
