/* SPDX-License-Identifier: BSD-2-Clause */
/* base/input: the same bytes from plain, gzip and zstd files, and the words for those that end
 * early. */
#include <errno.h>

#include <zlib.h>
#include <zstd.h>

#include "base/input.h"
#include "base/memory.h"
#include "unit/captures.h"
#include "unit/test.h"

enum { TEXT = 50000 };

static uint8_t text[TEXT], out[2 * TEXT + 64];
static uint8_t packed[4 * TEXT];

/* Hard to compress, so that the packed forms are long too. */
static void make_text(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < TEXT; i++) {
        state = state * 1664525 + 1013904223;
        text[i] = (uint8_t)(state >> 24);
    }
}

static size_t pack_gzip(uint8_t *to, size_t room, const uint8_t *from, size_t length)
{
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (uint8_t *)(uintptr_t)from;
    z.avail_in = (uInt)length;
    z.next_out = to;
    z.avail_out = (uInt)room;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* Reads a file in pieces of `step`; *damage as at the end. */
static size_t read_steps(const char *path, size_t step, const char **damage)
{
    struct input *input = input_open(path, NULL);
    size_t total = 0, count;
    if (!input)
        return SIZE_MAX;
    while (total + step <= sizeof out && (count = input_read(input, out + total, step)))
        total += count;
    *damage = input_damage(input);
    input_close(input);
    return total;
}

static void check_same(const char *path, size_t length, const char *expected_damage)
{
    static const size_t steps[] = {1, 7, 4096, TEXT};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *damage;
        CHECK_INT(read_steps(path, steps[i], &damage), length);
        CHECK(memcmp(out, text, length < TEXT ? length : TEXT) == 0);
        CHECK_TEXT(damage, expected_damage);
    }
}

static void test_plain(void)
{
    check_same(write_data("plain", text, TEXT), TEXT, NULL);
    check_same(write_data("short", text, 3), 3, NULL);
    check_same(write_data("empty", text, 0), 0, NULL);
}

static void test_gzip(void)
{
    size_t one = pack_gzip(packed, sizeof packed, text, 20000);
    size_t two = pack_gzip(packed + one, sizeof packed - one, text + 20000, TEXT - 20000);
    size_t all = one + two;
    check_same(write_data("members.gz", packed, all), TEXT, NULL);
    memset(packed + all, 0, 700);
    check_same(write_data("padded.gz", packed, all + 700), TEXT, NULL);
    packed[all + 3] = 'x';
    check_same(write_data("trailing.gz", packed, all + 700), TEXT, "compressed data are damaged");
    packed[all - 6] ^= 1; /* its checksum */
    check_same(write_data("checksum.gz", packed, all), TEXT, "compressed data are damaged");
}

static void test_zstd(void)
{
    static const uint8_t skippable[] = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3};
    memcpy(packed, skippable, sizeof skippable);
    size_t length = sizeof skippable;
    length += ZSTD_compress(packed + length, sizeof packed - length, text, 20000, 1);
    length += ZSTD_compress(packed + length, sizeof packed - length, text + 20000, TEXT - 20000, 1);
    check_same(write_data("frames.zst", packed, length), TEXT, NULL);
    check_same(write_data("cut.zst", packed, length - 1), TEXT - 1, "compressed data end early");
    memcpy(packed + length, "rubbish!", 8);
    check_same(write_data("trailing.zst", packed, length + 8), TEXT, "compressed data are damaged");
}

/* Cut at any byte: a beginning of the text comes out, the longer the file the more, and the cut is
 * told. */
static void check_cuts(const char *name, size_t length)
{
    size_t before = 0;
    for (size_t cut = 6; cut < length; cut += 1 + cut / 50) {
        const char *damage = NULL;
        size_t count = read_steps(write_data(name, packed, cut), 4096, &damage);
        CHECK(count >= before && count <= TEXT);
        CHECK(memcmp(out, text, count) == 0);
        CHECK_TEXT(damage, "compressed data end early");
        before = count;
    }
    CHECK(before > TEXT / 2);
}

static void test_cuts(void)
{
    size_t length = pack_gzip(packed, sizeof packed, text, TEXT);
    check_cuts("cut.gz", length);
    length = ZSTD_compress(packed, sizeof packed, text, TEXT, 1);
    check_cuts("cut.zst", length);
}

static void test_refused(void)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *command;
    } cases[] = {
        {"BZh91AY&SY", 10, "bzip2 -dc"},
        {"\xfd"
         "7zXZ\0\0\4",
         8, "xz -dc"},
        {"\x04\x22\x4d\x18\x64\x40", 6, "lz4 -dc"},
        {"PK\x03\x04\x14\0\0\0", 8, "unzip -p"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *command = NULL;
        errno = 0;
        CHECK(!input_open(write_data("foreign", cases[i].magic, cases[i].length), &command));
        CHECK_INT(errno, ENOEXEC);
        CHECK_TEXT(command, cases[i].command);
    }
    CHECK(!input_open(in_folder("missing"), NULL) && errno == ENOENT);
    CHECK(!input_open(folder_path, NULL) && errno == EISDIR);
}

/* Standard input: a pipe that gives its bytes one by one. */
static void test_pipe(void)
{
    int ends[2], saved = dup(STDIN_FILENO);
    size_t length = pack_gzip(packed, sizeof packed, text, 300);
    CHECK(pipe(ends) == 0 && length < 4096);
    for (size_t i = 0; i < length; i++)
        CHECK(write(ends[1], packed + i, 1) == 1);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    struct input *input = input_open("-", NULL);
    CHECK(input && !input_can_reopen(input));
    CHECK_INT(input_size(input), 0);
    size_t total = 0, count;
    while ((count = input_read(input, out + total, 64)))
        total += count;
    CHECK_INT(total, 300);
    CHECK(memcmp(out, text, 300) == 0);
    CHECK_INT(input_read_bytes(input), length);
    input_close(input);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
}

static void test_file(void)
{
    struct input *input = input_open(write_data("plain", text, TEXT), NULL);
    CHECK(input && input_can_reopen(input));
    CHECK_INT(input_size(input), TEXT);
    struct slice head = input_head(input);
    CHECK_INT(head.length, INPUT_HEAD);
    CHECK(memcmp(head.data, text, INPUT_HEAD) == 0);
    FILE *file = input_file(input);
    CHECK(file && input_file(input) == file);
    CHECK_INT(fread(out, 1, sizeof out, file), TEXT);
    CHECK(memcmp(out, text, TEXT) == 0);
    CHECK(feof(file) && !ferror(file));
    CHECK_INT(input_read_bytes(input), TEXT);
    input_close(input);
    input_close(NULL);
}

static void test_shrinking(void)
{
    static uint8_t large[400000];
    const char *path = write_data("shrinks", large, sizeof large);
    struct input *input = input_open(path, NULL);
    CHECK(input && input_read(input, out, 100) > 0);
    CHECK(truncate(path, 200000) == 0);
    while (input_read(input, out, sizeof out))
        continue;
    CHECK_INT(input_read_bytes(input), 200000);
    CHECK_TEXT(input_damage(input), "shrank while it was read,");
    input_close(input);
}

/* Whichever request for memory fails, there is an error and no leak. */
static void test_memory(void)
{
    size_t length = pack_gzip(packed, sizeof packed, text, 1000);
    const char *path = write_data("small.gz", packed, length);
    unsigned refused = 0;
    for (uint64_t n = 1; n <= 8; n++) {
        memory_fail_at(n);
        struct input *input = input_open(path, NULL);
        size_t count = 0;
        FILE *file = input ? input_file(input) : NULL;
        if (file)
            count = fread(out, 1, sizeof out, file);
        refused += count != 1000;
        input_close(input);
    }
    memory_fail_at(0);
    CHECK(refused >= 4 && refused < 8); /* input, raw bytes, zlib's two, the FILE's buffer */
}

int main(void)
{
    folder_begin();
    make_text();
    test_plain();
    test_gzip();
    test_zstd();
    test_cuts();
    test_refused();
    test_pipe();
    test_file();
    test_shrinking();
    test_memory();
    folder_end();
    return TEST_END();
}
