/* SPDX-License-Identifier: BSD-2-Clause */
/* The session stage on all captures of pcaps/: each session gives one record, strings lie within the record's text, and in the end
 * nothing is held any more. What records say is for test/dialog and test/truth. */
#include <dirent.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "capture/capture.h"
#include "decode/decode.h"
#include "session/session.h"
#include "test.h"

struct stage {
    struct decoder *decoder;
    struct flow_table *flows;
    struct sessions *sessions;
    struct counters counters;
    struct clock clock;
    uint64_t records, sum;
    bool outside; /* a string of a record lies outside of its text */
};

static uint8_t all_ports[65536 / 8];

static void on_segment(void *user, const struct segment *segment)
{
    struct stage *stage = user;
    flow_segment(stage->flows, segment, stage->clock.now_ns);
}

static void look_at(struct stage *stage, const struct record *record, struct text_ref ref)
{
    struct slice text = record_text(record, ref);
    stage->outside |= ref.at + ref.length > LIMIT_SESSION_TEXT || (text.length && !text.data);
    for (size_t i = 0; i < text.length; i++) /* a sanitizer sees what is not there */
        stage->sum += text.data[i];
}

static void on_record(void *user, struct record *record)
{
    struct stage *stage = user;
    stage->records++;
    CHECK(record->outcome < OUTCOME_COUNT);
    look_at(stage, record, record->smtp->banner);
    look_at(stage, record, record->smtp->client_name);
    look_at(stage, record, record->smtp->server_name);
    look_at(stage, record, record->smtp->reply_text);
    look_at(stage, record, record->smtp->mechanism);
    look_at(stage, record, record->smtp->sender_domains);
    look_at(stage, record, record->smtp->recipient_domains);
    if (!record->tls)
        return;
    look_at(stage, record, record->tls->server_name);
    look_at(stage, record, record->tls->client.alpn);
    look_at(stage, record, record->tls->server.alpn);
    for (unsigned i = 0; i < 4; i++)
        look_at(stage, record, record->tls->offers[i]);
}

static bool stage_begin(struct stage *stage, bool any_port)
{
    struct session_options options = {.offers = true, .envelope_domains = true, .linger_ns = 1000000000};
    struct flow_options flows = {.ports = all_ports, .any_port = any_port, .max_flows = 1000, .idle_ns = INT64_C(600000000000)};
    *stage = (struct stage){.records = 0};
    stage->sessions = sessions_new(&options, (struct session_sink){.record = on_record, .user = stage}, &stage->counters);
    stage->flows = flow_table_new(&flows, sessions_flow_sink(stage->sessions), &stage->counters);
    stage->decoder = decode_new((struct decode_sink){.segment = on_segment, .user = stage}, &stage->counters);
    sessions_follow(stage->sessions, stage->flows);
    return stage->sessions && stage->flows && stage->decoder;
}

static void stage_end(struct stage *stage, const char *name, uint64_t held)
{
    unsigned failed = test_failed;
    flow_finish(stage->flows);
    CHECK_INT(sessions_held(stage->sessions), held);
    CHECK_INT(stage->records, stage->counters.sessions);
    CHECK_INT(stage->counters.flows_open, 0);
    CHECK(!stage->outside);
    if (test_failed != failed)
        fprintf(stderr, "... in %s\n", name);
    decode_free(stage->decoder);
    flow_table_free(stage->flows);
    sessions_free(stage->sessions);
}

static uint64_t run(const char *path, bool any_port)
{
    static struct stage stage;
    struct log log = {.verbosity = -1};
    struct capture *capture = capture_new(&log, NULL);
    const struct packet *packet;
    CHECK(capture && stage_begin(&stage, any_port));
    uint64_t held = sessions_held(stage.sessions);
    capture_add(capture, path);
    CHECK(capture_start(capture));
    while ((packet = capture_next(capture)) != NULL) {
        int64_t now_ns = clock_advance(&stage.clock, packet->time_ns, &stage.counters.clock_leaps);
        flow_tick(stage.flows, now_ns);
        sessions_tick(stage.sessions, now_ns);
        struct segment segment;
        decode_packet(stage.decoder, packet, &segment);
    }
    capture_free(capture);
    uint64_t records = stage.records;
    stage_end(&stage, path, held);
    return records + stage.records;
}

int main(void)
{
    static const unsigned mail[] = {25, 465, 587, 2525};
    for (size_t i = 0; i < sizeof mail / sizeof *mail; i++)
        all_ports[mail[i] >> 3] |= (uint8_t)(1U << (mail[i] & 7));
    DIR *folder = opendir("pcaps");
    uint64_t records = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "pcaps/%s", entry->d_name);
        if (!strstr(entry->d_name, ".pcap"))
            continue;
        records += run(path, false);
        records += run(path, true);
    }
    CHECK(records > 500);
    if (folder)
        closedir(folder);
    return TEST_END();
}
