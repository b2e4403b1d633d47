/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mail session must give the same record however its bytes were cut into segments and in whatever
 * order these came (of what is not SMTP only that it is not: nDPI goes by segments). On a port that is no
 * mail port the first segment alone tells whether it is looked at: there no piece is short. Input: a byte
 * of options, 4 that choose how, then turns of one byte (side) and two (length) and their bytes.
 */
#define FUZZ_JUDGE_AT_ONCE
#define FUZZ_QUIET
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "flow/flow.h"
#include "fuzz_help.h"
#include "fuzz_judge.h"
#include "session/history.h"
#include "session/session.h"
#include "writer/writer.h"

enum { OTHER_PORT = 8025, PIECES = 8, CLIENT_START = 0x7ffffff0, SERVER_START = 0xfffffff0 };

struct scene {
    struct flow_table *table;
    struct sessions *sessions;
    struct counters counters;
    struct line line;
    int64_t now_ns;
    uint32_t sequence[2]; /* of the next byte, client's first */
    uint16_t port, client_port; /* the latter decides what the judge says */
};

static void on_record(void *user, struct record *record)
{
    struct scene *scene = user;
    record->uid = 0;
    if (record->outcome == OUTCOME_NOT_SMTP)
        record->tls = NULL, record->protocol = NULL, record->cut = false;
    format_of("mxtap")->session(&scene->line, record);
}

static void send(struct scene *scene, unsigned side, uint8_t flags, uint32_t sequence,
                 uint32_t acknowledgment, struct slice bytes)
{
    struct segment segment = {.time_ns = scene->now_ns, .family = 4, .flags = flags};
    segment.source.bytes[0] = side ? 20 : 10;
    segment.destination.bytes[0] = side ? 10 : 20;
    segment.source_port = side ? scene->port : scene->client_port;
    segment.destination_port = side ? scene->client_port : scene->port;
    segment.sequence = sequence;
    segment.acknowledgment = acknowledgment;
    segment.length = (uint32_t)bytes.length;
    /* A copy of its own, so that reading too far is found. */
    uint8_t *copy = memory_new(bytes.length);
    must(copy != NULL);
    if (bytes.length)
        memcpy(copy, bytes.data, bytes.length);
    segment.payload = (struct slice){copy, bytes.length};
    flow_segment(scene->table, &segment, scene->now_ns);
    memory_free(copy);
}

static void send_piece(struct scene *scene, unsigned side, struct slice turn, size_t from, size_t to)
{
    if (from < to)
        send(scene, side, TCP_ACK, scene->sequence[side] + (uint32_t)from, scene->sequence[!side],
             (struct slice){turn.data + from, to - from});
}

/* A turn in one segment, or in pieces of the sizes and in the order that `how` says. */
static void send_turn(struct scene *scene, unsigned side, struct slice turn, const uint8_t *how)
{
    size_t cut[PIECES + 1] = {0};
    if (!how) {
        send_piece(scene, side, turn, 0, turn.length);
    } else {
        for (unsigned i = 1; i < PIECES; i++) {
            size_t step = (scene->port == OTHER_PORT ? 6u : 1u) + (how[i % 3] & 31) * (i % 3 == 2 ? 9u : 1u);
            cut[i] = cut[i - 1] + step < turn.length ? cut[i - 1] + step : turn.length;
        }
        cut[PIECES] = turn.length;
        for (unsigned i = 0; i < PIECES; i++) {
            unsigned piece = how[3] & 1 ? PIECES - 1 - i : i ^ (how[3] >> 1 & 7);
            send_piece(scene, side, turn, cut[piece], cut[piece + 1]);
            if (how[3] & 16)
                send_piece(scene, side, turn, cut[piece], cut[piece + 1]);
        }
    }
    scene->sequence[side] += (uint32_t)turn.length;
}

static void play(struct scene *scene, struct reader turns, uint8_t bits, const uint8_t *how)
{
    struct slice nothing = {.length = 0};
    send(scene, 0, TCP_SYN, CLIENT_START, 0, nothing);
    send(scene, 1, TCP_SYN | TCP_ACK, SERVER_START, CLIENT_START + 1, nothing);
    scene->sequence[0] = CLIENT_START + 1;
    scene->sequence[1] = SERVER_START + 1;
    send(scene, 0, TCP_ACK, scene->sequence[0], scene->sequence[1], nothing);
    while (turns.left) {
        unsigned side = reader_u8(&turns) & 1;
        size_t length = reader_u16(&turns) & 4095;
        scene->now_ns += 1000000;
        send_turn(scene, side, reader_bytes(&turns, length < turns.left ? length : turns.left), how);
    }
    unsigned closer = bits >> 3 & 1;
    scene->now_ns += 1000000;
    if (bits & 16)
        send(scene, closer, TCP_RST, scene->sequence[closer], 0, nothing);
    if (bits & 32)
        return;
    for (unsigned i = 0; i < 2; i++)
        send(scene, closer ^ i, TCP_FIN | TCP_ACK, scene->sequence[closer ^ i],
             scene->sequence[!(closer ^ i)] + i, nothing);
}

static void run(struct scene *scene, struct reader turns, uint8_t bits, const uint8_t *how)
{
    static uint8_t ports[65536 / 8];
    static const uint16_t choices[] = {25, 465, 587, OTHER_PORT};
    scene->port = choices[bits & 3];
    scene->client_port = bits & 128 ? 40000 : 40002;
    for (unsigned i = 0; i < 3; i++)
        ports[choices[i] / 8] |= (uint8_t)(1 << choices[i] % 8);
    struct flow_options flows = {.ports = ports,
                                 .any_port = true,
                                 .max_flows = 100,
                                 .idle_ns = INT64_C(600000000000)};
    struct session_options options = {.offers = bits & 4,
                                      .envelope_domains = bits & 64,
                                      .linger_ns = INT64_C(10000000000)};
    scene->now_ns = INT64_C(1000000000);
    scene->sessions = sessions_new(&options, (struct session_sink){on_record, NULL, scene},
                                   &scene->counters);
    must(scene->sessions != NULL);
    scene->table =
        flow_table_new(&flows, sessions_flow_sink(scene->sessions), &scene->counters);
    must(scene->table != NULL);
    sessions_follow(scene->sessions, scene->table);
    play(scene, turns, bits, how);
    flow_finish(scene->table);
    must(sessions_held(scene->sessions) == 0);
    flow_table_free(scene->table);
    sessions_free(scene->sessions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(data, size);
    uint8_t bits = reader_u8(&input), how[4];
    if (!reader_copy(&input, how, sizeof how))
        return 0;
    struct scene whole = {.port = 0}, pieces = {.port = 0};
    run(&whole, input, bits, NULL);
    run(&pieces, input, bits, how);
    bool same = whole.line.length == pieces.line.length &&
                (!whole.line.length ||
                 memcmp(whole.line.data, pieces.line.data, whole.line.length) == 0);
    if (!same)
        fprintf(stderr, "whole:  %.*spieces: %.*s", (int)whole.line.length, whole.line.data,
                (int)pieces.line.length, pieces.line.data);
    must(same);
    line_free(&whole.line);
    line_free(&pieces.line);
    return 0;
}
