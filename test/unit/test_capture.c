/* SPDX-License-Identifier: BSD-2-Clause */
/* capture: pcap files of every kind, what is said of those that are not whole, order in time,
 * folders, filters. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <zlib.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "unit/captures.h"
#include "unit/test.h"

#define SECOND INT64_C(1000000000)

static struct bytes bytes;
static uint8_t packed[sizeof bytes.data];

/* Three packets, a hundredth of a second apart; the fraction of the first is 123456 of the file's
 * units. */
static void make_three(bool big, uint32_t magic, uint32_t link)
{
    pcap_begin(&bytes, big, magic, link);
    pcap_packet(&bytes, 1000, 123456, 'a', 60);
    pcap_packet(&bytes, 1000, 133456, 'b', 0);
    pcap_packet(&bytes, 4000000000, 0, 'c', 1); /* the year 2096: seconds have no sign */
}

static void check_three(const struct seen *seen, int64_t unit, int link)
{
    CHECK_INT(seen->count, 3);
    CHECK_INT(seen->errors, 0);
    CHECK_TEXT(seen->messages, "");
    CHECK_INT(seen->packets[0].time_ns, 1000 * SECOND + 123456 * unit);
    CHECK_INT(seen->packets[0].captured, 60);
    CHECK_INT(seen->packets[0].length, 62);
    CHECK_INT(seen->packets[0].link_type, link);
    CHECK_INT(seen->packets[0].first, 'a');
    CHECK_INT(seen->packets[1].captured, 0);
    CHECK_INT(seen->packets[2].time_ns, 4000000000 * SECOND);
    CHECK_INT(seen->packets[2].first, 'c');
}

static void test_formats(void)
{
    for (int big = 0; big < 2; big++) {
        make_three(big, 0xa1b2c3d4, 1);
        check_three(READ(write_file("micro.pcap", &bytes)), 1000, 1);
        make_three(big, 0xa1b23c4d, 1);
        check_three(READ(write_file("nano.pcap", &bytes)), 1, 1);
        make_three(big, 0xa1b2c3d4, 101); /* LINKTYPE_RAW */
        check_three(READ(write_file("raw.pcap", &bytes)), 1000, 12);
    }
}

static size_t pack_gzip(void)
{
    gzFile file = gzopen(in_folder("packed.gz"), "wb");
    CHECK_INT(gzwrite(file, bytes.data, (unsigned)bytes.length), (int)bytes.length);
    gzclose(file);
    FILE *back = fopen(in_folder("packed.gz"), "rb");
    size_t length = fread(packed, 1, sizeof packed, back);
    fclose(back);
    unlink(in_folder("packed.gz"));
    return length;
}

static void test_compressed(void)
{
    make_three(false, 0xa1b2c3d4, 1);
    check_three(READ(write_data("mail.pcap.gz", packed, pack_gzip())), 1000, 1);
    size_t length = ZSTD_compress(packed, sizeof packed, bytes.data, bytes.length, 3);
    check_three(READ(write_data("mail.pcap.zst", packed, length)), 1000, 1);
    check_three(READ(write_data("name-lies.pcap", packed, length)), 1000, 1);
}

/* Where packets end in make_three's file. */
static const size_t three_ends[] = {24 + 16 + 60, 24 + 16 + 60 + 16, 24 + 16 + 60 + 16 + 16 + 1};

static void test_truncated(void)
{
    make_three(false, 0xa1b2c3d4, 1);
    CHECK_INT(bytes.length, three_ends[2]);
    for (size_t cut = 16; cut < bytes.length; cut++) {
        unsigned whole = 0;
        bool clean = cut == 24;
        for (unsigned i = 0; i < 3; i++) {
            whole += cut >= three_ends[i];
            clean |= cut == three_ends[i];
        }
        char expected[100] = "";
        if (!clean)
            snprintf(expected, sizeof expected, "mxtap: cut.pcap: truncated after %u packet%s\n",
                     whole, whole == 1 ? "" : "s");
        struct seen *seen = READ(write_data("cut.pcap", bytes.data, cut));
        CHECK_INT(seen->count, whole);
        CHECK_INT(seen->errors, !clean);
        CHECK_TEXT(seen->messages, expected);
    }
}

/* Many packets in the file, so that a cut loses some and leaves some. */
static void test_compressed_cut(void)
{
    pcap_begin(&bytes, false, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < 2000; i++)
        pcap_packet(&bytes, 1 + i, i * 31 % 1000000, (uint8_t)(i * 7919), 40);
    size_t length = pack_gzip();
    unsigned before = 0;
    for (size_t cut = 20; cut < length; cut += 1 + length / 60) {
        struct seen *seen = READ(write_data("cut.pcap.gz", packed, cut));
        char expected[120];
        snprintf(expected, sizeof expected,
                 "mxtap: cut.pcap.gz: compressed data end early after %u packet%s\n", seen->count,
                 seen->count == 1 ? "" : "s");
        CHECK(seen->count >= before && seen->count <= 2000);
        CHECK_INT(seen->errors, 1);
        CHECK_TEXT(seen->messages, expected);
        before = seen->count;
    }
    CHECK(before > 1000);
    packed[length - 8] ^= 0x55; /* the checksum: all packets, and an error */
    struct seen *seen = READ(write_data("sum.pcap.gz", packed, length));
    CHECK_INT(seen->count, 2000);
    CHECK_TEXT(seen->messages,
               "mxtap: sum.pcap.gz: compressed data are damaged after 2000 packets\n");
}

static void test_refused(void)
{
    struct seen *seen = READ(in_folder("missing.pcap"));
    CHECK_INT(seen->errors, 1);
    CHECK(seen->started);
    CHECK_TEXT(seen->messages, "mxtap: missing.pcap: No such file or directory\n");
    seen = READ(write_data("empty.pcap", "", 0));
    CHECK_TEXT(seen->messages, "mxtap: empty.pcap: empty\n");
    seen = READ(write_data("mail.txt", "Return-Path: <>\n", 16));
    CHECK_TEXT(seen->messages, "mxtap: mail.txt: not a capture (neither pcap nor pcapng)\n");
    seen = READ(write_data("mail.xz", "\xfd\x37zXZ\0\0\4", 8));
    CHECK(strstr(seen->messages, "mail.xz | mxtap -r -)"));
    CHECK(strstr(seen->messages, "(xz -dc "));
    seen = READ(write_data("tiny.gz", "\x1f\x8b\x08\0\0", 5));
    CHECK_TEXT(seen->messages, "mxtap: tiny.gz: compressed data end early after 0 packets\n");
    make_three(false, 0xa1b2c3d4, 1);
    memset(bytes.data + three_ends[0] + 8, 0xff, 4); /* captured length of the second */
    seen = READ(write_file("length.pcap", &bytes));
    CHECK_INT(seen->count, 1);
    CHECK(strncmp(seen->messages, "mxtap: length.pcap: damaged after 1 packet: ", 44) == 0);
    pcap_begin(&bytes, false, 0xa1b2c3d4, 1);
    seen = READ(write_file("none.pcap", &bytes));
    CHECK_INT(seen->count, 0);
    CHECK_INT(seen->errors, 0); /* a capture, though nothing happened */
}

/* The bad one among good ones costs no packet of theirs. */
static void test_others_go_on(void)
{
    const char *good = pcap_seconds("good.pcap", 'a', (uint32_t[]){10, 20, 30, 0});
    make_three(false, 0xa1b2c3d4, 1);
    const char *cut = write_data("bad.pcap", bytes.data, bytes.length - 1);
    struct seen *seen = READ(in_folder("missing.pcap"), good, cut);
    CHECK_TEXT(seen_order(seen), "abca-");
    CHECK_INT(seen->count, 5);
    CHECK_INT(seen->errors, 2);
}

static void test_shrinks(void)
{
    pcap_begin(&bytes, false, 0xa1b2c3d4, 1);
    for (unsigned i = 0; i < 250; i++)
        pcap_packet(&bytes, 1 + i, 0, 'x', 1000);
    const char *path = write_file("shrinks.pcap", &bytes);
    static struct seen seen;
    struct log log = {0};
    messages_begin();
    struct capture *capture = capture_new(&log, NULL);
    capture_add(capture, path);
    CHECK(capture_start(capture));
    see_packet(&seen, capture_next(capture));
    CHECK(truncate(path, 24 + 200 * 1016) ==
          0); /* between two packets: by them alone nobody could tell */
    const struct packet *packet;
    while ((packet = capture_next(capture)))
        see_packet(&seen, packet);
    CHECK_INT(capture_errors(capture), 1);
    capture_free(capture);
    messages_end(seen.messages, sizeof seen.messages);
    CHECK_INT(seen.count, 200);
    CHECK_TEXT(seen.messages, "mxtap: shrinks.pcap: shrank while it was read, after 200 packets\n");
}

static void test_merge(void)
{
    const char *a = pcap_seconds("a", 'a', (uint32_t[]){10, 20, 30, 40, 0});
    const char *h = pcap_seconds("h", 'h', (uint32_t[]){5, 20, 35, 50, 0});
    const char *o = pcap_seconds("o", 'o', (uint32_t[]){20, 20, 20, 0});
    const char *v = pcap_seconds("v", 'v', (uint32_t[]){100, 101, 0});
    struct seen *seen = READ(a, h, o, v);
    CHECK_TEXT(seen_order(seen), "habiopqcjdkvw");
    CHECK_INT(seen->packets[0].source, 1);
    CHECK_INT(seen->packets[12].source, 3);
    CHECK_TEXT(seen_order(READ(v, o, h, a)), "haopqibcjdkvw"); /* equal times: as they are named */
    CHECK_TEXT(seen_order(READ(a, a)), "aabbccdd");
    CHECK_TEXT(seen_order(READ(a)), "abcd");
    const char *back = pcap_seconds("back", 'A', (uint32_t[]){10, 30, 15, 40, 0});
    CHECK_TEXT(seen_order(READ(back)), "ABCD"); /* in its own order */
    CHECK_TEXT(seen_order(READ(back, o)), "AopqBCD");
}

/* Against a plain sort: many files, random times, each in order by itself. */
static int compare_times(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void test_merge_many(void)
{
    enum { FILES = 40, EACH = 50 };
    static char names[FILES][16];
    static uint32_t all[FILES * EACH];
    const char *paths[FILES + 1] = {0};
    uint32_t state = 7;
    for (unsigned f = 0; f < FILES; f++) {
        uint32_t times[EACH + 1] = {0}, begin = state % 3000;
        for (unsigned i = 0; i < EACH; i++) {
            state = (state * 1103515245 + 12345) & 0x7fffffff;
            times[i] = all[f * EACH + i] = 1 + begin + state % 500;
        }
        qsort(times, EACH, sizeof *times, compare_times);
        snprintf(names[f], sizeof names[f], "many-%u", f);
        paths[f] = strdup(pcap_seconds(names[f], 'm', times));
    }
    qsort(all, FILES * EACH, sizeof *all, compare_times);
    struct seen *seen = read_all(NULL, paths, 0);
    CHECK_INT(seen->count, FILES * EACH);
    unsigned wrong = 0, unstable = 0;
    for (unsigned i = 0; i < FILES * EACH; i++) {
        wrong += seen->packets[i].time_ns != all[i] * SECOND;
        unstable += i && seen->packets[i].time_ns == seen->packets[i - 1].time_ns &&
                    seen->packets[i].source < seen->packets[i - 1].source;
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(unstable, 0);
    for (unsigned f = 0; f < FILES; f++)
        free((void *)(uintptr_t)paths[f]);
}

/* More files than may be open: of those after one another none waits; of those side by side some
 * do, and no packet is lost. */
static void test_open_limit(void)
{
    enum { FILES = 300 };
    static char *paths[FILES + 1];
    char name[32];
    struct rlimit saved, low = {80, 80};
    for (unsigned f = 0; f < FILES; f++) {
        snprintf(name, sizeof name, "limit-%u", f);
        paths[f] = strdup(pcap_seconds(name, 'l', (uint32_t[]){10 + 10 * f, 15 + 10 * f, 0}));
    }
    struct seen *seen = read_all(NULL, (const char *const *)paths, 0);
    CHECK_INT(seen->count, 2 * FILES);
    CHECK_TEXT(seen->messages, "");
    for (unsigned f = 0; f < FILES; f++) {
        snprintf(name, sizeof name, "limit-%u", f);
        pcap_seconds(name, 'l', (uint32_t[]){10, 5000, 0});
    }
    seen = read_all(NULL, (const char *const *)paths, 0);
    CHECK_INT(seen->count, 2 * FILES);
    CHECK_INT(seen->errors, 0);
    CHECK(strstr(seen->messages, "more than 256 captures overlap in time"));
    getrlimit(RLIMIT_NOFILE, &saved);
    low.rlim_max = saved.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low); /* the system allows fewer */
    seen = read_all(NULL, (const char *const *)paths, 0);
    setrlimit(RLIMIT_NOFILE, &saved);
    CHECK_INT(seen->count, 2 * FILES);
    CHECK_INT(seen->errors, 0);
    for (unsigned f = 0; f < FILES; f++) {
        unlink(paths[f]);
        free(paths[f]);
    }
}

static void test_folder(void)
{
    mkdir(in_folder("f"), 0700);
    mkdir(in_folder("f/b"), 0700);
    mkdir(in_folder("f/b/deep"), 0700);
    mkdir(in_folder("f/empty"), 0700);
    pcap_seconds("f/c.pcap", 'c', (uint32_t[]){10, 0});
    pcap_seconds("f/B", 'B', (uint32_t[]){10, 0});
    pcap_seconds("f/b/a", 'a', (uint32_t[]){10, 0});
    pcap_seconds("f/b/deep/z", 'z', (uint32_t[]){10, 0});
    make_three(false, 0xa1b2c3d4, 1);
    write_data("f/d.pcap.gz", packed, pack_gzip());
    write_data("f/readme.txt", "no capture, passed over", 23);
    write_data("f/nothing", "", 0);
    write_data("f/short", "x", 1);
    CHECK(symlink(".", in_folder("f/loop")) == 0);
    CHECK(symlink("c.pcap", in_folder("f/link")) == 0);
    CHECK(symlink("gone", in_folder("f/dangling")) == 0);
    CHECK(mkfifo(in_folder("f/pipe"), 0600) == 0); /* opening it would wait for ever */
    struct seen *seen = READ(in_folder("f"));
    CHECK_TEXT(seen->messages, "");
    CHECK_TEXT(seen_order(seen), "Bazcca-c"); /* B b/a b/deep/z c.pcap link, d.pcap.gz */
    CHECK_INT(seen->errors, 0);
    seen = READ(in_folder("f/empty"));
    CHECK_INT(seen->errors, 1);
    CHECK_TEXT(seen->messages, "mxtap: f/empty: no captures in this folder\n");
    write_data("f/empty/cut", bytes.data, 30);
    seen = READ(in_folder("f/empty"));
    CHECK_TEXT(seen->messages, "mxtap: f/empty/cut: truncated after 0 packets\n");
}

static void test_folder_depth(void)
{
    char path[512] = "down", name[540];
    for (unsigned depth = 0; depth <= LIMIT_CAPTURE_DEPTH + 1; depth++) {
        mkdir(in_folder(path), 0700);
        snprintf(name, sizeof name, "%s/capture", path);
        if (depth == LIMIT_CAPTURE_DEPTH)
            pcap_seconds(name, 'x', (uint32_t[]){10, 0});
        if (depth > LIMIT_CAPTURE_DEPTH)
            pcap_seconds(name, 'y', (uint32_t[]){10, 0});
        strcat(path, "/d");
    }
    struct seen *seen = READ(in_folder("down"));
    CHECK_TEXT(seen_order(seen), "x");
    CHECK(strstr(seen->messages, "more than 32 folders deep"));
}

/* An Ethernet frame with the beginning of IPv4 and TCP to a port. */
static void tcp_packet(uint32_t seconds, uint16_t port, bool ethernet)
{
    static const uint8_t frame[] = {
        2,    0, 0, 0,  0, 1, 2, 0, 0,  0, 0, 2, 8,    0,                    /* Ethernet, IPv4 */
        0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10,   0, 0, 1, 10, 0, 0, 2, /* IPv4, TCP */
        0xc0, 1, 0, 25, 0, 0, 0, 1, 0,  0, 0, 0, 0x50, 2, 0, 1, 0,  0, 0, 0  /* TCP */
    };
    size_t skip = ethernet ? 0 : 14, length = sizeof frame - skip;
    bytes_number(&bytes, seconds, 4);
    bytes_number(&bytes, 0, 4);
    bytes_number(&bytes, length, 4);
    bytes_number(&bytes, length, 4);
    bytes_add(&bytes, frame + skip, length);
    bytes.data[bytes.length - 18] = (uint8_t)(port >> 8);
    bytes.data[bytes.length - 17] = (uint8_t)port;
}

static void test_filter(void)
{
    pcap_begin(&bytes, false, 0xa1b2c3d4, 1);
    tcp_packet(10, 25, true);
    tcp_packet(20, 80, true);
    tcp_packet(30, 465, true);
    const char *ethernet = write_file("ethernet", &bytes);
    pcap_begin(&bytes, false, 0xa1b2c3d4, 101);
    tcp_packet(15, 25, false);
    tcp_packet(25, 80, false);
    const char *raw = write_file("raw", &bytes);
    const char *const both[] = {ethernet, raw, NULL};

    struct seen *seen = read_all("tcp port 25", both, 0);
    CHECK_INT(seen->count, 2);
    CHECK_INT(seen->packets[0].time_ns, 10 * SECOND);
    CHECK_INT(seen->packets[1].time_ns, 15 * SECOND);
    CHECK_INT(read_all("tcp port 80 or port 465", both, 0)->count, 3);
    CHECK_INT(read_all("", both, 0)->count, 5);

    seen = read_all("tcp prot 25", both, 0); /* a slip: nothing is read */
    CHECK(!seen->started);
    CHECK(strncmp(seen->messages, "mxtap: filter 'tcp prot 25': ", 29) == 0);
    CHECK(strstr(seen->messages, "pcap-filter(7)"));
    CHECK(!read_all("tcp prot 25", (const char *const[]){NULL}, 0)->started);

    seen = read_all("ether host 02:00:00:00:00:01", both, 0); /* means nothing on raw IP */
    CHECK(seen->started);
    CHECK_INT(seen->count, 3);
    CHECK_INT(seen->errors, 0);
    CHECK(strstr(seen->messages, "makes no sense on link type 12 (RAW)"));
    CHECK(!read_all("ether host 02:00:00:00:00:01", (const char *const[]){raw, NULL}, 0)->started);
}

static void test_standard_input(void)
{
    make_three(false, 0xa1b2c3d4, 1);
    size_t length = pack_gzip();
    int ends[2], saved = dup(STDIN_FILENO);
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], packed, length) == (ssize_t)length);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    check_three(READ("-"), 1000, 1);

    int file = open(write_data("cut.pcap", bytes.data, bytes.length - 1), O_RDONLY);
    dup2(file, STDIN_FILENO); /* redirected: a regular file, and named twice */
    close(file);
    struct seen *seen = READ("-", "-");
    CHECK_INT(seen->count, 2);
    CHECK_INT(seen->errors, 2);
    CHECK_TEXT(seen->messages, "mxtap: standard input: named twice, but can be read only once\n"
                               "mxtap: standard input: truncated after 2 packets\n");
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void test_facts(void)
{
    const char *a = pcap_seconds("a", 'a', (uint32_t[]){10, 20, 0});
    const char *b = pcap_seconds("b.pcap", 'b', (uint32_t[]){15, 0});
    struct log log = {0};
    uint64_t total;
    struct capture *capture = capture_new(&log, NULL);
    capture_add(capture, a);
    capture_add(capture, b);
    CHECK(capture_start(capture));
    CHECK_INT(capture_progress(capture, &total), 0);
    CHECK_INT(total, (24 + 2 * 20) + (24 + 20));
    CHECK_TEXT(capture_source_name(capture, 0), "a");
    CHECK_TEXT(capture_source_name(capture, 1), "b.pcap");
    CHECK_TEXT(capture_source_name(capture, 2), "");
    while (capture_next(capture))
        continue;
    CHECK(!capture_next(capture));
    CHECK_INT(capture_progress(capture, &total), total);
    capture_free(capture);
    capture_free(NULL);
}

/* Each request for memory refused in turn: a message or all packets, and no leak. */
static void test_memory(void)
{
    const char *a = pcap_seconds("a", 'a', (uint32_t[]){10, 20, 0});
    const char *const paths[] = {a, in_folder("f"), NULL};
    unsigned refused = 0, whole = read_all("greater 1", paths, 0)->count;
    for (uint64_t n = 1; n <= 200; n++) {
        memory_fail_at(n);
        struct seen *seen = read_all("greater 1", paths, 0);
        CHECK(seen->count == whole || seen->errors || !seen->started);
        refused += seen->count != whole;
    }
    memory_fail_at(0);
    CHECK_INT(whole, 10);
    CHECK(refused > 20 && refused < 200);
}

int main(void)
{
    folder_begin();
    test_formats();
    test_compressed();
    test_truncated();
    test_compressed_cut();
    test_refused();
    test_others_go_on();
    test_shrinks();
    test_merge();
    test_merge_many();
    test_open_limit();
    test_folder();
    test_folder_depth();
    test_filter();
    test_standard_input();
    test_facts();
    test_memory();
    folder_end();
    return TEST_END();
}
