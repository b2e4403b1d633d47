/* SPDX-License-Identifier: BSD-2-Clause */
/* capture/savefile: what libpcap says of a pcap file, packet for packet, of those made here in
 * every form and of all captures there are; and what comes together. Formats:
 * draft-ietf-opsawg-pcap. */
#include <ftw.h>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include "base/limits.h"
#include "capture/file.h"
#include "capture/savefile.h"
#include "unit/captures.h"
#include "unit/test.h"

#define SECOND INT64_C(1000000000)

static struct bytes bytes;

/* --- beside libpcap --- */

enum verdict { SAME, OTHER, REFUSED };

static enum verdict compare(pcap_t *oracle, const struct packet *packet)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    if (pcap_next_ex(oracle, &header, &data) != 1)
        return strstr(pcap_geterr(oracle), "interface") ? REFUSED : OTHER;
    uint32_t length = header->len > header->caplen ? header->len : header->caplen;
    int64_t time_ns = (int64_t)(uint32_t)header->ts.tv_sec * SECOND + header->ts.tv_usec;
    bool same = packet->time_ns == time_ns && packet->captured == header->caplen &&
                packet->length == length && packet->link_type == pcap_datalink(oracle) &&
                memcmp(packet->data, data, header->caplen) == 0;
    return same ? SAME : OTHER;
}

/* Compares all packets, and how it ends. REFUSED: a pcapng file of several interfaces, of which
 * libpcap reads a part. *count: packets read. */
static enum verdict compare_all(struct capture_file *file, pcap_t *oracle, unsigned *count)
{
    struct capture_fault fault;
    struct packet *packets;
    struct pcap_pkthdr *header;
    const u_char *data;
    int status;
    for (*count = 0; (status = capture_file_next(file, &packets, &fault)) > 0;) {
        for (int i = 0; i < status; i++, ++*count) {
            enum verdict verdict = compare(oracle, &packets[i]);
            if (verdict != SAME)
                return verdict;
        }
    }
    int end = pcap_next_ex(oracle, &header, &data);
    return end == (status < 0 ? PCAP_ERROR : PCAP_ERROR_BREAK) ? SAME : OTHER;
}

/* Whether a file is read as libpcap reads it; what it does not read at all is. */
static bool is_same(const char *path, unsigned *count)
{
    char reason[PCAP_ERRBUF_SIZE];
    struct capture_fault fault;
    *count = 0;
    pcap_t *oracle =
        pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!oracle)
        return true;
    struct capture_file *file = capture_file_open(path, &fault);
    bool same = file && compare_all(file, oracle, count) != OTHER;
    capture_file_close(file);
    pcap_close(oracle);
    return same;
}

static void check_same(const char *path, unsigned expected)
{
    unsigned count;
    CHECK(is_same(path, &count));
    CHECK_INT(count, expected);
}

static unsigned files_compared;
static uint64_t packets_compared;

static int compare_file(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    unsigned count;
    (void)status, (void)at;
    if (kind != FTW_F)
        return 0;
    bool same = is_same(path, &count);
    if (!same)
        fprintf(stderr, "%s: differs after %u packets\n", path, count);
    CHECK(same);
    files_compared += count > 0;
    packets_compared += count;
    return 0;
}

/* Real captures: those of the tree, and public ones where they are. */
static void test_captures(void)
{
    const char *shared = getenv("MXTAP_SHARED");
    char corpus[512];
    nftw("pcaps", compare_file, 8, FTW_PHYS);
    CHECK(files_compared > 60);
    CHECK(packets_compared > 2000);
    snprintf(corpus, sizeof corpus, "%s/corpus", shared ? shared : "../shared");
    nftw(corpus, compare_file, 8, FTW_PHYS);
}

/* --- every form --- */

struct form {
    bool big;
    uint32_t magic;
    uint16_t minor;
    uint32_t snaplen, link;
};

static void form_begin(const struct form *form)
{
    bytes.length = 0;
    bytes.big = form->big;
    bytes_number(&bytes, form->magic, 4);
    bytes_number(&bytes, 2, 2);
    bytes_number(&bytes, form->minor, 2);
    bytes_number(&bytes, 0, 8);
    bytes_number(&bytes, form->snaplen, 4);
    bytes_number(&bytes, form->link, 4);
}

static void form_packet(const struct form *form, uint32_t number, uint32_t captured)
{
    bytes_number(&bytes, 0xfffff000 + number, 4);
    bytes_number(&bytes, number * 7919 % 1000000, 4);
    uint32_t lengths[] = {captured, captured + number % 3 * 100};
    bytes_number(&bytes, lengths[form->minor < 3], 4); /* the other way round before version 2.3 */
    bytes_number(&bytes, lengths[form->minor >= 3], 4);
    if (form->magic == 0xa1b2cd34)
        bytes_number(&bytes, 0x0102030405060708, 8); /* interface, protocol, type */
    bytes_fill(&bytes, (uint8_t)number, captured);
}

/* Longer than what is read at once, with packets over its end; then cut. */
static void check_form(const struct form *form)
{
    unsigned count = 0;
    for (form_begin(form); bytes.length < 255000; count++)
        form_packet(form, count, count * 31 % 1500 + (count % 50 == 7 ? 5000 : 0));
    check_same(write_file("form.pcap", &bytes), count);
    static const size_t cuts[] = {1, 17, 1400};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        unsigned less;
        const char *path = write_data("form.pcap", bytes.data, bytes.length - cuts[i]);
        CHECK(is_same(path, &less));
        CHECK(less == count - 1 || (cuts[i] > 17 && less < count && less + 9 > count));
    }
}

static void test_forms(void)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
    for (unsigned i = 0; i < 6; i++) {
        struct form form = {i & 1, magics[i / 2], 4, 262144, 1};
        check_form(&form);
        form.snaplen = 0;
        check_form(&form);
        form.snaplen = UINT32_MAX;
        check_form(&form);
        form.snaplen = 700; /* longer packets are cut, 14 bytes later in the patched format */
        check_form(&form);
        form.link = 101;
        check_form(&form);
        for (form.minor = 0; form.minor < 4; form.minor++) /* read by libpcap */
            check_form(&form);
    }
}

/* All link types, with checksums at the end or not, as libpcap counts them. */
static void test_links(void)
{
    static const uint32_t others[] = {1 | 0x40000000, 1 | 0xf4000000, 65535, 65536, 0x03ffffff};
    enum { OTHERS = sizeof others / sizeof *others };
    for (uint32_t i = 0; i < 320 + OTHERS; i++) {
        struct form form = {i & 1, 0xa1b2c3d4, 4, 262144, i < 320 ? i : others[i - 320]};
        form_begin(&form);
        form_packet(&form, i, 64);
        check_same(write_file("link.pcap", &bytes), 1);
    }
}

static bool recognised(size_t length)
{
    return savefile_recognise((struct slice){bytes.data, length});
}

/* Who reads what: the usual never needs libpcap. */
static void test_recognise(void)
{
    const uint16_t one = 1;
    bool big_here = *(const uint8_t *)&one == 0;
    struct form form = {false, 0xa1b2c3d4, 4, 262144, 1};
    form_begin(&form);
    CHECK(recognised(24));
    CHECK(!recognised(23));
    CHECK(!recognised(0));
    for (unsigned i = 0; i < 16; i++) {
        form.minor = (uint16_t)(i / 2);
        form.link = i % 2 ? 113 : 1;
        form.big = i % 2 && big_here;
        form_begin(&form);
        CHECK_INT(recognised(24), form.minor == 4);
    }
    form.minor = 4;
    for (unsigned big = 0; big < 2; big++) { /* NFLOG has numbers of the machine's byte order */
        form.big = big;
        form.link = 239;
        form_begin(&form);
        CHECK_INT(recognised(24), form.big == big_here);
        form.link = 276;
        form_begin(&form);
        CHECK(recognised(24));
    }
    bytes.data[0] ^= 1;
    CHECK(!recognised(24));
}

/* --- lengths --- */

static void test_lengths(void)
{
    static const uint32_t impossible[] = {LIMIT_PACKET + 1, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (unsigned i = 0; i < 8; i++) {
        struct form form = {i & 1, 0xa1b2c3d4, 4, i & 2 ? 0 : 65535, 1};
        form_begin(&form);
        form_packet(&form, 1, 100);
        size_t at = bytes.length;
        form_packet(&form, 2, 1000);
        form_packet(&form, 3, 100);
        size_t end = bytes.length;
        bytes.length = at + 8;
        bytes_number(&bytes, impossible[i / 2], 4);
        bytes.length = end;
        check_same(write_file("length.pcap", &bytes), 1);
        CHECK_TEXT(READ(in_folder("length.pcap"))->messages,
                   "mxtap: length.pcap: damaged after 1 packet: a packet of impossible length\n");
    }
    struct form form = {false, 0xa1b2c3d4, 4, 0, 1};
    form_begin(&form);
    form_packet(&form, 1, 250000);
    form_packet(&form, 2, 0); /* both are more than what is read at once */
    check_same(write_file("large.pcap", &bytes), 2);
}

/* The largest packet that may be, not at the beginning. */
static void test_largest(void)
{
    struct form form = {false, 0xa1b2c3d4, 4, 262144, 1};
    FILE *file = fopen(in_folder("largest.pcap"), "wb");
    form_begin(&form);
    form_packet(&form, 1, 1001);
    bytes_number(&bytes, 2, 4);
    bytes_number(&bytes, 0, 4);
    bytes_number(&bytes, LIMIT_PACKET, 4);
    bytes_number(&bytes, LIMIT_PACKET, 4);
    fwrite(bytes.data, 1, bytes.length, file);
    memset(bytes.data, 7, LIMIT_PACKET);
    fwrite(bytes.data, 1, LIMIT_PACKET, file);
    fclose(file);
    check_same(in_folder("largest.pcap"), 2);
}

/* --- batches --- */

/* Reads by batches; the lengths of the first ones, each after a blank. */
static const char *batches(struct capture *capture, unsigned *count)
{
    static char lengths[64];
    const struct packet *packets;
    unsigned together, wrong = 0;
    size_t length = 0;
    *count = 0;
    lengths[0] = '\0';
    while ((together = capture_next_batch(capture, &packets)) > 0) {
        if (length + sizeof " 32" <= sizeof lengths)
            length += (size_t)snprintf(lengths + length, sizeof lengths - length, " %u", together);
        for (unsigned i = 0; i < together; i++, ++*count) {
            for (uint32_t at = 0; at < packets[i].captured; at++)
                wrong += packets[i].data[at] != packets[i].data[0];
        }
        CHECK(together <= CAPTURE_BATCH);
    }
    CHECK_INT(wrong, 0);
    return lengths;
}

static const char *read_batches(const char *filter, const char *const *paths, unsigned *count)
{
    struct log log = {0};
    struct capture *capture = capture_new(&log, filter);
    for (; *paths; paths++)
        capture_add(capture, *paths);
    CHECK(capture_start(capture));
    const char *lengths = batches(capture, count);
    CHECK_INT(capture_errors(capture), 0);
    capture_free(capture);
    return lengths;
}

#define BATCHES(filter, count, ...)                                                                \
    read_batches(filter, (const char *const[]){__VA_ARGS__, NULL}, count)

static void make_many(struct form *form, unsigned count, uint32_t captured)
{
    form_begin(form);
    for (unsigned i = 0; i < count; i++)
        form_packet(form, i, i % 2 ? captured : 60);
}

static void test_batches(void)
{
    struct form form = {false, 0xa1b2c3d4, 4, 262144, 1};
    unsigned count;
    make_many(&form, 72, 60);
    const char *small = write_file("small.pcap", &bytes);
    CHECK_TEXT(BATCHES(NULL, &count, small), " 32 32 8");
    CHECK_INT(count, 72);
    CHECK_TEXT(BATCHES("less 50", &count, small), "");
    make_many(&form, 72, 500);
    const char *mixed = write_file("mixed.pcap", &bytes);
    CHECK_TEXT(BATCHES("greater 300", &count, mixed), " 16 16 4"); /* what the filter leaves */
    make_many(&form, 600, 600);
    BATCHES(NULL, &count, write_file("long.pcap", &bytes));
    CHECK_INT(count, 600);
    form.minor = 3;
    make_many(&form, 3, 60);
    CHECK_TEXT(BATCHES(NULL, &count, write_file("old.pcap", &bytes)), " 1 1 1"); /* libpcap's */
    bytes.length = 0;
    png_section(&bytes, true);
    png_interface(&bytes, 1, 0, 6, 0);
    for (unsigned i = 0; i < 36; i++)
        png_enhanced(&bytes, i == 4, i, 'a', 4); /* the fifth is wrong, and passed over */
    png_interface(&bytes, 1, 0, 6, 0);
    png_enhanced(&bytes, 1, 37, 'b', 4);
    struct log log = {.verbosity = -2};
    struct capture *capture = capture_new(&log, NULL);
    capture_add(capture, write_file("batch.pcapng", &bytes));
    messages_begin();
    CHECK(capture_start(capture));
    CHECK_TEXT(batches(capture, &count), " 32 3 1"); /* a description ends a batch */
    CHECK_INT(count, 36);
    capture_free(capture);
    char text[256];
    messages_end(text, sizeof text);
}

/* As far as no other file has an earlier packet. */
static void test_merged(void)
{
    const char *a = pcap_seconds("a", 'a', (uint32_t[]){10, 11, 12, 20, 21, 30, 0});
    const char *b = pcap_seconds("b", 'b', (uint32_t[]){12, 20, 25, 0});
    const char *c = pcap_seconds("c", 'c', (uint32_t[]){40, 41, 0});
    unsigned count;
    CHECK_TEXT(BATCHES(NULL, &count, a, b), " 2 1 1 1 1 1 1 1"); /* 10 11, then b's 12 is waited for */
    CHECK_INT(count, 9);
    CHECK_TEXT(BATCHES(NULL, &count, c, a), " 6 2");
    CHECK_TEXT(BATCHES(NULL, &count, a, a), " 1 1 1 1 1 1 1 1 1 1 1 1");
    CHECK_TEXT(BATCHES(NULL, &count, b, a), " 2 1 1 1 2 1 1"); /* 12 and 20 of b before those of a */
}

/* --- files that change --- */

static void append(const char *path, size_t length)
{
    FILE *file = fopen(path, "ab");
    fwrite(bytes.data + 24, 1, length, file);
    fclose(file);
}

/* Still being written: what is there when the reading comes to it is read. */
static void test_grows(void)
{
    struct form form = {false, 0xa1b2c3d4, 4, 262144, 1};
    make_many(&form, 300, 1400);
    for (unsigned half = 0; half < 2; half++) {
        const char *path = write_file("grows.pcap", &bytes);
        struct capture_fault fault;
        struct packet *packets;
        struct capture_file *file = capture_file_open(path, &fault);
        int status = capture_file_next(file, &packets, &fault), count = status;
        append(path, (16 + 60) * 2 + 1340 + (half ? 15 : 0));
        while ((status = capture_file_next(file, &packets, &fault)) > 0)
            count += status;
        CHECK_INT(count, 302);
        CHECK_INT(status, half ? -1 : 0);
        if (half)
            CHECK_TEXT(fault.text, "truncated after 302 packets");
        capture_file_close(file);
    }
}

int main(void)
{
    folder_begin();
    test_captures();
    test_forms();
    test_links();
    test_recognise();
    test_lengths();
    test_largest();
    test_batches();
    test_merged();
    test_grows();
    folder_end();
    return TEST_END();
}
