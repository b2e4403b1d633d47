/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: who is client, how they end, ports used again, time-outs by packet time, eviction. */
#include "segments.h"

enum { A = TCP_ACK, FIN = TCP_FIN | TCP_ACK, RST = TCP_RST, SYN = TCP_SYN };

static void test_roles(void)
{
    struct scene s;
    scene_begin(&s); /* by SYN-ACK alone */
    seg(&s, 'S', SYN | A, 5000, 101, "");
    seg(&s, 'C', A, 101, 5001, "EHLO");
    TOLD(&s, "C(EHLO)");
    ENDS(&s, "[eof]");
    scene_begin(&s); /* by port */
    seg(&s, 'S', A, 5001, 101, "250");
    TOLD(&s, "S(250)");
    ENDS(&s, "[eof]");
    scene_begin(&s); /* both ports are mail ports: the SYN decides */
    s.client_port = 25;
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'S', A, 5001, 101, "220");
    TOLD(&s, "S(220)");
    ENDS(&s, "[eof]");
}

static void test_not_followed(void)
{
    struct scene s;
    scene_begin(&s);
    seg(&s, 'C', A | FIN, 101, 5001, ""); /* the last words of something that was not seen */
    seg(&s, 'C', RST, 101, 0, "");
    CHECK_INT(s.counters.flows_opened, 0);
    shake(&s, 100, 5000);
    CHECK_INT(s.counters.flows_opened, 1);
    seg(&s, 'C', RST, 101, 5001, "");
    CHECK_INT(s.counters.flows_without_payload, 1);
    ENDS(&s, "");
    CHECK_INT(s.counters.flows_without_payload, 1);
}

static void test_fast_open(void)
{
    struct scene s;
    scene_begin(&s);
    seg(&s, 'C', SYN, 100, 0, "EHLO a\n");
    seg(&s, 'S', SYN | A, 5000, 108, "220 b\n");
    seg(&s, 'C', A, 108, 5007, "QUIT\n");
    TOLD(&s, "C(EHLO a\n)S(220 b\n)C(QUIT\n)");
    ENDS(&s, "[eof]");
    scene_begin(&s); /* the server does not take the data (RFC 7413 3.2): they come again */
    seg(&s, 'C', SYN, 100, 0, "EHLO a\n");
    seg(&s, 'S', SYN | A, 5000, 101, "");
    seg(&s, 'C', A, 101, 5001, "EHLO a\n");
    TOLD(&s, "C(EHLO a\n)");
    ENDS(&s, "[eof]");
}

static void test_midstream_empty(void)
{
    struct scene s;
    scene_begin(&s); /* the server's first byte is told by the client's acknowledgment */
    seg(&s, 'C', A, 101, 5001, "");
    seg(&s, 'S', A, 5004, 101, "def");
    seg(&s, 'S', A, 5001, 101, "abc");
    TOLD(&s, "S(abc)S(def)");
    ENDS(&s, "[eof]");
}

static void test_resets(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "abc");
    seg(&s, 'S', A, 5001, 104, "");
    seg(&s, 'C', RST, 90, 0, "");              /* behind */
    seg(&s, 'C', RST, 104 + 1000000, 0, "");   /* far ahead */
    seg(&s, 'S', RST, 0x90000000u, 0, "");
    TOLD(&s, "C(abc)");
    CHECK_INT(s.counters.segments_stray, 3);
    seg(&s, 'C', RST, 104, 0, "");
    TOLD(&s, "[rst client]");
    seg(&s, 'S', A, 5001, 104, "late"); /* late words of a dead connection open none */
    CHECK_INT(s.counters.flows_opened, 1);
    ENDS(&s, "");
    scene_begin(&s); /* a FIN began the end, whatever comes after */
    shake(&s, 100, 5000);
    seg(&s, 'C', FIN, 101, 5001, "x");
    seg(&s, 'S', RST, 5001, 103, "");
    ENDS(&s, "C(x)C.[fin client]");
}

static void test_fins_out_of_window(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "abc");
    seg(&s, 'C', FIN, 99, 5001, "");
    seg(&s, 'C', FIN, 104 + LIMIT_WINDOW + 1, 5001, "");
    seg(&s, 'C', A, 104, 5001, "def");
    TOLD(&s, "C(abc)C(def)");
    seg(&s, 'C', FIN, 107, 5001, "");
    TOLD(&s, "C.");
    seg(&s, 'C', FIN, 107, 5001, ""); /* again */
    seg(&s, 'S', FIN, 5001, 108, "");
    ENDS(&s, "S.[fin client]");
}

static void test_strays(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "abc");
    seg(&s, 'C', A, 0x70000000, 5001, "forged");
    seg(&s, 'C', A, 104, 5001, "def");
    TOLD(&s, "C(abc)C(def)");
    CHECK_INT(s.counters.segments_stray, 1);
    /* The capture lost more than any window: two that go on from one another are believed. */
    seg(&s, 'C', A, 107 + 100000000, 5001, "far");
    seg(&s, 'C', A, 110 + 100000000, 5001, "on");
    seg(&s, 'S', A, 5001, 112 + 100000000, "");
    pass(&s, S);
    CHECK(strstr(s.log, "C(on)") != NULL && strncmp(s.log, "C-", 2) == 0);
    flow_table_free(s.table);
}

/* Whether a connection is followed is not decided by the middle of what begins it. */
static void test_first_out_of_order(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'S', A, 5004, 101, " mx\n");
    CHECK_INT(s.opened_with, 0);
    seg(&s, 'S', A, 5001, 101, "220");
    ENDS(&s, "S(220)S( mx\n)[eof]");
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'S', A, 5001, 101, "220");
    CHECK_INT(s.opened_with, 3);
    ENDS(&s, "S(220)[eof]");
    scene_begin(&s); /* no beginning was seen: the first piece is all there is */
    seg(&s, 'S', A, 5004, 101, "0 mx");
    CHECK_INT(s.opened_with, 4);
    ENDS(&s, "S(0 mx)[eof]");
}

static void test_port_reuse(void)
{
    struct scene s;
    scene_begin(&s); /* after a close */
    shake(&s, 100, 5000);
    seg(&s, 'C', FIN, 101, 5001, "x");
    seg(&s, 'S', FIN, 5001, 103, "");
    TOLD(&s, "C(x)C.S.[fin client]");
    pass(&s, S);
    seg(&s, 'C', FIN, 101, 5001, "x"); /* a late retransmission is none */
    CHECK_INT(s.counters.flows_opened, 1);
    shake(&s, 90000, 70000);
    seg(&s, 'C', A, 90001, 70001, "y");
    CHECK_INT(s.counters.flows_opened, 2);
    ENDS(&s, "C(y)[eof]");
    scene_begin(&s); /* amid data: only when the other side answers it */
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    seg(&s, 'C', SYN, 90000, 0, "");
    seg(&s, 'C', A, 102, 5001, "y");
    TOLD(&s, "C(x)C(y)");
    seg(&s, 'S', SYN | A, 70000, 90001, "");
    TOLD(&s, "[timeout]");
    seg(&s, 'C', A, 90001, 70001, "z");
    ENDS(&s, "C(z)[eof]");
    scene_begin(&s); /* a SYN-ACK that answers nothing is forged */
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    seg(&s, 'S', SYN | A, 70000, 0x70000000, "");
    seg(&s, 'S', A, 5001, 102, "y");
    ENDS(&s, "C(x)S(y)[eof]");
    scene_begin(&s); /* the old one was long silent */
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    pass(&s, 61 * S);
    seg(&s, 'C', SYN, 90000, 0, "");
    TOLD(&s, "C(x)[timeout]");
    flow_table_free(s.table);
}

/* Between the handshake and the first payload a forged SYN must not blind us. */
static void test_forged_syn_on_bare(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    seg(&s, 'C', SYN, 0x80000000u, 0, "");
    seg(&s, 'S', A, 5001, 101, "220\n");
    seg(&s, 'C', A, 101, 5005, "EHLO\n");
    seg(&s, 'C', A, 106, 5005, "MAIL\n");
    TOLD(&s, "S(220\n)C(EHLO\n)C(MAIL\n)");
    flow_table_free(s.table);
    scene_begin(&s); /* a SYN that was never answered, then another one */
    seg(&s, 'C', SYN, 100, 0, "");
    shake(&s, 90000, 5000);
    seg(&s, 'C', A, 90001, 5001, "EHLO\n");
    TOLD(&s, "C(EHLO\n)");
    flow_table_free(s.table);
}

static void test_timeouts(void)
{
    struct scene s;
    scene_begin(&s);
    shake(&s, 100, 5000);
    s.client_port = 40001;
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    pass(&s, 59 * S);
    CHECK_INT(s.counters.flows_open, 2);
    pass(&s, 3 * S);
    CHECK_INT(s.counters.flows_open, 1); /* the bare one is gone */
    pass(&s, 530 * S);
    seg(&s, 'S', A, 5001, 102, "");
    pass(&s, 599 * S);
    TOLD(&s, "C(x)");
    pass(&s, 3 * S);
    TOLD(&s, "[timeout]");
    /* The clock steps back: no flow ends, and the next packet belongs to its own. */
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "x");
    int64_t now = s.now_ns;
    struct segment old = {.time_ns = now - 3600 * S, .family = 4, .flags = A};
    old.source.bytes[0] = 20, old.destination.bytes[0] = 10;
    old.source_port = 25, old.destination_port = 40001;
    old.sequence = 5001, old.acknowledgment = 102;
    old.length = 3, old.payload = (struct slice){(const uint8_t *)"250", 3};
    flow_segment(s.table, &old, now);
    TOLD(&s, "C(x)S(250)");
    ENDS(&s, "[eof]");
}

static void test_eviction(void)
{
    struct scene s;
    scene_begin_with(&s, 3, false);
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "old");
    pass(&s, 2 * S);
    s.client_port = 40001;
    shake(&s, 100, 5000); /* without payload, though newer */
    pass(&s, 2 * S);
    s.client_port = 40002;
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "new");
    TOLD(&s, "C(old)C(new)");
    pass(&s, 2 * S);
    s.client_port = 40003;
    shake(&s, 100, 5000);
    seg(&s, 'C', A, 101, 5001, "newer");
    TOLD(&s, "C(newer)"); /* the bare one had to go, which is no event */
    CHECK_INT(s.counters.flows_evicted, 1);
    pass(&s, 2 * S);
    s.client_port = 40000;
    seg(&s, 'C', A, 104, 5001, "!"); /* heard of again: no longer the oldest */
    s.client_port = 40004;
    pass(&s, 2 * S);
    shake(&s, 100, 5000);
    TOLD(&s, "C(!)[evicted]");
    CHECK_INT(s.counters.flows_evicted, 2);
    CHECK_INT(s.counters.flows_open, 3);
    flow_table_free(s.table);
}

static void test_vlans(void)
{
    for (unsigned ignore = 0; ignore < 2; ignore++) {
        struct scene s;
        scene_begin_with(&s, 10, ignore);
        struct segment segment = {.time_ns = s.now_ns, .family = 4, .flags = A};
        segment.source_port = 40000, segment.destination_port = 25;
        for (unsigned i = 0; i < 4; i++) {
            segment.vlans = i > 0;
            segment.vlan[0] = (uint16_t)(i > 1 ? i : 0);
            segment.sequence = 100 + i;
            segment.length = 1, segment.payload = (struct slice){(const uint8_t *)"x", 1};
            flow_segment(s.table, &segment, s.now_ns);
        }
        CHECK_INT(s.counters.flows_opened, ignore ? 1 : 4); /* no tag, tag 0 and each id differ */
        flow_table_free(s.table);
    }
}

/* A connection that consists of SYNs so far is only a place in a ring, which nothing but a fitting segment turns into a flow. */
static void test_half_open(void)
{
    struct scene s;
    scene_begin(&s); /* never answered: sent twice, it is one connection; with another number it is another try */
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'C', SYN, 100, 0, "");
    CHECK_INT(s.counters.flows_opened, 1);
    seg(&s, 'C', SYN, 7100, 0, "");
    CHECK_INT(s.counters.flows_opened, 2);
    CHECK_INT(s.counters.flows_open, 1);
    ENDS(&s, "");
    CHECK_INT(s.counters.flows_without_payload, 2);
    CHECK_INT(s.counters.flows_unproven, 2);
    scene_begin(&s); /* strays of the same ports spoil nothing, and neither does a RST that acknowledges something else */
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'C', A, 0x40000000, 0x50000000, "noise");
    seg(&s, 'S', A | RST, 0, 0x40000000, "");
    seg(&s, 'S', SYN | A, 5000, 101, "");
    seg(&s, 'C', A, 101, 5001, "EHLO");
    TOLD(&s, "C(EHLO)");
    CHECK_INT(s.counters.flows_opened, 1);
    CHECK_INT(s.counters.segments_stray, 2);
    ENDS(&s, "[eof]");
    CHECK_INT(s.counters.flows_unproven, 0);
    scene_begin(&s); /* refused (RFC 9293 3.10.7.3) */
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'S', A | RST, 0, 101, "");
    CHECK_INT(s.counters.flows_open, 0);
    ENDS(&s, "");
    scene_begin(&s); /* forgotten after a while, by packet time */
    seg(&s, 'C', SYN, 100, 0, "");
    pass(&s, 2 * LIMIT_BARE_S * S);
    CHECK_INT(s.counters.flows_open, 0);
    ENDS(&s, "");
}

/* SYNs of many addresses, `gap_ns` apart; all but those of the last ones were sent before. */
static void flood(struct scene *s, uint32_t count, int64_t gap_ns)
{
    struct segment segment = {.family = 4, .flags = SYN, .destination_port = 25, .source_port = 999};
    segment.destination.bytes[0] = 20;
    for (uint32_t i = 0; i < count; i++) {
        s->now_ns += gap_ns;
        memcpy(segment.source.bytes, &i, sizeof i);
        segment.time_ns = s->now_ns;
        segment.sequence = i * 7919;
        flow_segment(s->table, &segment, s->now_ns);
    }
}

/* A flood: LIMIT_HALF_OPEN_FIRST stay while they are old enough to go (LIMIT_HALF_OPEN_S),
 * LIMIT_HALF_OPEN in any case; a connection is opened as ever. */
static void test_syn_flood(void)
{
    struct scene s;
    scene_begin(&s);
    uint64_t held = flow_held(s.table);
    flood(&s, LIMIT_HALF_OPEN_FIRST + 100, S / 5000);
    CHECK_INT(s.counters.flows_open, LIMIT_HALF_OPEN_FIRST);
    CHECK_INT(s.counters.flows_unproven, 100);
    CHECK(flow_held(s.table) - held <= LIMIT_HALF_OPEN_FIRST * 64);
    shake(&s, 100, 5000);
    seg(&s, 'S', A, 5001, 101, "220 ");
    TOLD(&s, "S(220 )");
    ENDS(&s, "[eof]");
    scene_begin(&s); /* none goes within its second */
    flood(&s, 40000, S / 40000);
    CHECK_INT(s.counters.flows_unproven, 0);
    CHECK_INT(s.counters.flows_open, 40000);
    ENDS(&s, "");
    scene_begin(&s);
    flood(&s, LIMIT_HALF_OPEN + 100, 1);
    CHECK_INT(s.counters.flows_open, LIMIT_HALF_OPEN);
    CHECK_INT(s.counters.flows_evicted, 0);
    CHECK(flow_held(s.table) <= LIMIT_HALF_OPEN * 48 + 65536);
    ENDS(&s, "");
    CHECK_INT(s.counters.flows_without_payload, LIMIT_HALF_OPEN + 100);
}

/* In a flood that nobody answers a handshake may take LIMIT_ANSWERED_S all the same, and the ring does not grow for the others. */
static void test_answered_in_flood(void)
{
    struct scene s;
    scene_begin(&s);
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'S', SYN | A, 5000, 101, "");
    flood(&s, 80000, 5 * S / 2 / 80000);
    CHECK_INT(s.counters.flows_opened, 80001);
    CHECK(s.counters.flows_open <= 2 * LIMIT_HALF_OPEN_FIRST);
    CHECK(flow_held(s.table) <= 2 * LIMIT_HALF_OPEN_FIRST * 64);
    seg(&s, 'C', A, 101, 5001, "EHLO");
    TOLD(&s, "C(EHLO)");
    CHECK_INT(s.counters.flows_opened, 80001); /* not as somebody new */
    ENDS(&s, "[eof]");
    scene_begin(&s); /* but no longer */
    seg(&s, 'C', SYN, 100, 0, "");
    seg(&s, 'S', SYN | A, 5000, 101, "");
    flood(&s, 160000, 5 * S / 160000);
    seg(&s, 'C', A, 101, 5001, "EHLO");
    CHECK_INT(s.counters.flows_opened, 160002);
    ENDS(&s, "C(EHLO)[eof]");
    scene_begin(&s); /* an answer that comes after that second tells all that the SYN did */
    seg(&s, 'C', SYN, 100, 0, "");
    flood(&s, 80000, 5 * S / 2 / 80000);
    seg(&s, 'S', SYN | A, 5000, 101, "");
    flood(&s, 80000, 5 * S / 2 / 80000);
    seg(&s, 'S', A, 5004, 101, "EHLO");
    seg(&s, 'S', A, 5001, 101, "220");
    seg(&s, 'C', A, 104, 5008, "B");
    seg(&s, 'C', A, 101, 5008, "AAA");
    TOLD(&s, "S(220)S(EHLO)C(AAA)C(B)");
    ENDS(&s, "[eof]");
}

/* Where all are answered, all are kept: the ring grows. */
static void test_answered_flood(void)
{
    struct scene s;
    scene_begin(&s);
    for (uint32_t i = 0; i < 40000; i++) {
        s.now_ns += S / 20000;
        s.client_port = (uint16_t)(1000 + i);
        seg(&s, 'C', SYN, 100, 0, "");
        seg(&s, 'S', SYN | A, 5000, 101, "");
    }
    CHECK_INT(s.counters.flows_open, 40000);
    CHECK_INT(s.counters.flows_unproven, 0);
    ENDS(&s, "");
}

/* LIMIT_UNPROVEN_FLOWS: of lone segments the oldest goes; a segment that fits makes a connection, which stays. */
static void test_lone_segments(void)
{
    struct scene s;
    scene_begin_with(&s, 1000000, false);
    s.client_port = 1;
    seg(&s, 'C', A, 101, 5001, "one");
    seg(&s, 'S', A, 5001, 104, "two");
    s.client_port = 2;
    seg(&s, 'C', A, 101, 5001, "alone");
    seg(&s, 'C', A, 101, 5001, "alone"); /* the same again proves nothing */
    TOLD(&s, "C(one)S(two)C(alone)");
    for (uint32_t i = 0; i < LIMIT_UNPROVEN_FLOWS; i++) {
        s.client_port = (uint16_t)(3 + i);
        seg(&s, 'C', A, 101, 5001, "x");
        if (i + 1 < LIMIT_UNPROVEN_FLOWS)
            s.log[s.length = 0] = '\0';
    }
    TOLD(&s, "[evicted]C(x)");
    CHECK_INT(s.counters.flows_unproven, 1);
    CHECK_INT(s.counters.flows_open, LIMIT_UNPROVEN_FLOWS + 1);
    s.client_port = 1;
    seg(&s, 'C', A, 104, 5004, "three");
    TOLD(&s, "C(three)");
    flow_table_free(s.table);
}

/* LIMIT_ENDED_FLOWS: those that ended are remembered for late segments, but not without bound. */
static void test_many_ended(void)
{
    struct scene s;
    scene_begin_with(&s, 1000000, false);
    for (uint32_t i = 0; i < LIMIT_ENDED_FLOWS + 1000; i++) {
        s.client_port = (uint16_t)(1024 + i);
        seg(&s, 'C', SYN, 100, 0, "x");
        seg(&s, 'C', RST, 102, 0, "");
        s.length = 0;
    }
    s.log[0] = '\0';
    CHECK_INT(s.counters.flows_opened, LIMIT_ENDED_FLOWS + 1000);
    CHECK_INT(s.counters.flows_open, 0);
    CHECK_INT(s.counters.flows_open_peak, 1);
    CHECK(flow_held(s.table) < (LIMIT_ENDED_FLOWS + 2000) * 512);
    ENDS(&s, "");
}

int main(void)
{
    test_roles();
    test_not_followed();
    test_fast_open();
    test_midstream_empty();
    test_resets();
    test_fins_out_of_window();
    test_strays();
    test_first_out_of_order();
    test_port_reuse();
    test_forged_syn_on_bare();
    test_timeouts();
    test_eviction();
    test_vlans();
    test_half_open();
    test_syn_flood();
    test_answered_in_flood();
    test_answered_flood();
    test_lone_segments();
    test_many_ended();
    return TEST_END();
}
