/* SPDX-License-Identifier: BSD-2-Clause */
/* The first step of all reading: bytes of a file, decompressed, for capture/ and whoever else reads
 * saved things. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/input.h"
#include "base/memory.h"

enum {
    INPUT_RAW = 131072,   /* bytes asked of the system at once where they are to be decompressed */
    INPUT_STDIO = 131072, /* buffer of the FILE: larger ones measured no faster, and leave the
                             second-level cache */
    INPUT_MAGIC = 6       /* bytes that tell the compression */
};

struct input {
    size_t (*decode)(struct input *input, uint8_t *out, size_t size);
    int fd;
    bool owned, regular;
    uint64_t size, read_bytes;
    const char *damage;
    uint8_t head[INPUT_HEAD];
    size_t head_next, head_length;
    uint8_t *raw; /* as read from the system, not yet decoded */
    size_t raw_next, raw_end;
    bool between; /* between two gzip members or zstd frames: a good place for the end */
    bool inflating;
    z_stream gzip;
    ZSTD_DStream *zstd;
    FILE *file;
    char *file_buffer;
    bool stolen;
    bool direct; /* the FILE reads the file itself: stdio copies small pieces fast only then */
};

static const char shrank[] = "shrank while it was read,";

static void damage_set(struct input *input, const char *text)
{
    if (!input->damage)
        input->damage = text;
}

static const volatile sig_atomic_t *stop_flag; /* of a signal handler, which is one for all */

void input_stop_at(const volatile sig_atomic_t *flag)
{
    stop_flag = flag;
}

/* Reads from the system. A regular file that gives less than it had when opened has shrunk
 * meanwhile. */
static size_t system_read(struct input *input, void *out, size_t size)
{
    ssize_t count;
    do
        count = read(input->fd, out, size);
    while (count < 0 && errno == EINTR && !(stop_flag && *stop_flag));
    if (count < 0)
        damage_set(input, strerror(errno));
    else if (count == 0 && input->read_bytes < input->size)
        damage_set(input, shrank);
    if (count <= 0)
        return 0;
    input->read_bytes += (uint64_t)count;
    return (size_t)count;
}

static bool raw_fill(struct input *input)
{
    input->raw_next = 0;
    input->raw_end = system_read(input, input->raw, INPUT_RAW);
    return input->raw_end > 0;
}

static size_t decode_plain(struct input *input, uint8_t *out, size_t size)
{
    size_t left = input->raw_end - input->raw_next;
    if (!left)
        return system_read(input, out, size);
    size_t count = left < size ? left : size;
    memcpy(out, input->raw + input->raw_next, count);
    memory_wipe(input->raw + input->raw_next, count); /* this buffer is used for the beginning only */
    input->raw_next += count;
    return count;
}

/* Members follow one another (RFC 1952 2.2); zero bytes after the last one are padding of a tape or
 * block device. */
static void gzip_next_member(struct input *input)
{
    while (input->raw_next < input->raw_end && input->raw[input->raw_next] == 0)
        input->raw_next++;
    if (input->raw_next < input->raw_end) {
        inflateReset(&input->gzip);
        input->between = false;
    }
}

/* One round of inflate; it may still hold output when its input is used up. Returns false on
 * damage. */
static bool gzip_round(struct input *input)
{
    input->gzip.next_in = input->raw + input->raw_next;
    input->gzip.avail_in = (uInt)(input->raw_end - input->raw_next);
    int status = inflate(&input->gzip, Z_NO_FLUSH);
    input->raw_next = input->raw_end - input->gzip.avail_in;
    input->between = status == Z_STREAM_END;
    if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
        return true;
    damage_set(input, status == Z_MEM_ERROR ? "out of memory" : "compressed data are damaged");
    return false;
}

static size_t decode_gzip(struct input *input, uint8_t *out, size_t size)
{
    uInt room = size < INPUT_RAW ? (uInt)size : INPUT_RAW;
    input->gzip.next_out = out;
    input->gzip.avail_out = room;
    while (!input->damage) {
        if (input->between)
            gzip_next_member(input);
        if (!input->between && !gzip_round(input))
            break;
        if (input->gzip.avail_out < room)
            break;
        if (input->raw_next == input->raw_end && !raw_fill(input)) {
            if (!input->between)
                damage_set(input, "compressed data end early");
            break;
        }
    }
    return room - input->gzip.avail_out;
}

static const char *zstd_reason(size_t status)
{
    switch (ZSTD_getErrorCode(status)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return "compressed with a window over 128 MiB (zstd -dc --long=31 can read it)";
    case ZSTD_error_memory_allocation: return "out of memory";
    default: return "compressed data are damaged";
    }
}

static size_t decode_zstd(struct input *input, uint8_t *out, size_t size)
{
    ZSTD_outBuffer to = {.dst = out, .size = size, .pos = 0};
    while (!input->damage) {
        ZSTD_inBuffer from = {input->raw, input->raw_end, input->raw_next};
        if (!input->between || from.pos < from.size) {
            size_t status = ZSTD_decompressStream(input->zstd, &to, &from);
            input->raw_next = from.pos;
            input->between = status == 0;
            if (ZSTD_isError(status))
                damage_set(input, zstd_reason(status));
        }
        if (to.pos || input->damage)
            break;
        if (input->raw_next == input->raw_end && !raw_fill(input)) {
            if (!input->between)
                damage_set(input, "compressed data end early");
            break;
        }
    }
    return to.pos;
}

static voidpf gzip_memory(voidpf unused, uInt count, uInt size)
{
    (void)unused;
    return memory_new_array(count, size);
}

static void gzip_memory_free(voidpf unused, voidpf block)
{
    (void)unused;
    memory_free(block);
}

static bool gzip_begin(struct input *input)
{
    input->decode = decode_gzip;
    input->gzip.zalloc = gzip_memory;
    input->gzip.zfree = gzip_memory_free;
    input->inflating =
        inflateInit2(&input->gzip, 15 + 16) == Z_OK; /* largest window, gzip header */
    errno = ENOMEM;
    return input->inflating;
}

static bool zstd_begin(struct input *input)
{
    input->decode = decode_zstd;
    input->zstd = ZSTD_createDStream();
    errno = ENOMEM;
    return input->zstd != NULL;
}

struct compression {
    uint8_t magic[INPUT_MAGIC];
    uint8_t length;
    bool (*begin)(struct input *input); /* NULL: not known here */
    const char *command;
};

static const struct compression compressions[] = {
    {{0x1f, 0x8b}, 2, gzip_begin, NULL},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_begin, NULL},
    {{'B', 'Z', 'h'}, 3, NULL, "bzip2 -dc"},
    {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, NULL, "xz -dc"},
    {{0x04, 0x22, 0x4d, 0x18}, 4, NULL, "lz4 -dc"},
    {{'L', 'Z', 'I', 'P'}, 4, NULL, "lzip -dc"},
    {{0x1f, 0x9d}, 2, NULL, "gzip -dc"},
    {{'P', 'K', 3, 4}, 4, NULL, "unzip -p"},
};

/* A zstd file may open with a skippable frame, 0x184d2a50 to 5f (RFC 8878 3.1.2): parallel
 * compressors write one. */
static bool is_skippable(const uint8_t *magic, size_t length)
{
    return length >= 4 && (magic[0] & 0xf0) == 0x50 && memcmp(magic + 1, "\x2a\x4d\x18", 3) == 0;
}

static bool input_begin(struct input *input, const char **command)
{
    const uint8_t *magic = input->raw + input->raw_next;
    size_t length = input->raw_end - input->raw_next;
    if (is_skippable(magic, length))
        return zstd_begin(input);
    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++) {
        const struct compression *c = &compressions[i];
        if (length < c->length || memcmp(magic, c->magic, c->length) != 0)
            continue;
        if (c->begin)
            return c->begin(input);
        if (command)
            *command = c->command;
        errno = ENOEXEC;
        return false;
    }
    return true;
}

/* The first bytes may come one by one from a pipe. */
static void raw_begin(struct input *input)
{
    size_t count = 1;
    while (input->raw_end < INPUT_MAGIC && count) {
        count = system_read(input, input->raw + input->raw_end, INPUT_RAW - input->raw_end);
        input->raw_end += count;
    }
}

static void head_begin(struct input *input)
{
    size_t count = 1;
    while (input->head_length < INPUT_HEAD && count) {
        count =
            input->decode(input, input->head + input->head_length, INPUT_HEAD - input->head_length);
        input->head_length += count;
    }
}

static bool system_open(struct input *input, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    input->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    input->owned = !standard;
    struct stat status;
    if (input->fd < 0 || fstat(input->fd, &status) != 0)
        return false;
    if (S_ISREG(status.st_mode)) {
        off_t at = standard ? lseek(input->fd, 0, SEEK_CUR) : 0;
        input->regular = !standard;
        input->size = at >= 0 && status.st_size > at ? (uint64_t)(status.st_size - at) : 0;
        posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return true;
}

static bool input_prepare(struct input *input, const char *path, const char **command)
{
    input->decode = decode_plain;
    input->raw = memory_new_pages(INPUT_RAW);
    if (!input->raw || !system_open(input, path))
        return false;
    errno = 0;
    raw_begin(input);
    if (input->raw_end == 0 && errno)
        return false; /* a folder, a broken disk: nothing can be read at all */
    if (!input_begin(input, command))
        return false;
    head_begin(input);
    return true;
}

struct input *input_open(const char *path, const char **command)
{
    struct input *input = memory_new(sizeof *input);
    if (!input)
        return NULL;
    input->fd = -1;
    if (input_prepare(input, path, command))
        return input;
    int reason = errno;
    input_close(input);
    errno = reason;
    return NULL;
}

struct slice input_head(const struct input *input)
{
    return (struct slice){.data = input->head, .length = input->head_length};
}

size_t input_read(struct input *input, void *out, size_t size)
{
    size_t left = input->head_length - input->head_next;
    if (!size)
        return 0;
    if (!left)
        return input->damage ? 0 : input->decode(input, out, size);
    size_t count = left < size ? left : size;
    memcpy(out, input->head + input->head_next, count);
    memory_wipe(input->head + input->head_next, count);
    input->head_next += count;
    return count;
}

static ssize_t cookie_read(void *cookie, char *out, size_t size)
{
    return (ssize_t)input_read(cookie, out, size);
}

/* A plain file that can be read from its beginning once more. */
static FILE *open_direct(struct input *input)
{
    if (!input->regular || input->decode != decode_plain || input->damage ||
        input->read_bytes > INPUT_RAW || lseek(input->fd, 0, SEEK_SET) != 0)
        return NULL;
    FILE *file = fdopen(input->fd, "rb");
    if (file) {
        input->direct = true;
        input->owned = false; /* the FILE closes it */
    }
    return file;
}

FILE *input_file(struct input *input)
{
    if (input->file)
        return input->file;
    input->file_buffer = memory_new_pages(INPUT_STDIO);
    if (!input->file_buffer)
        return NULL;
    input->file = open_direct(input);
    if (!input->file)
        input->file = fopencookie(input, "rb", (cookie_io_functions_t){.read = cookie_read});
    if (!input->file)
        return NULL;
    setvbuf(input->file, input->file_buffer, _IOFBF, INPUT_STDIO);
    __fsetlocking(input->file, FSETLOCKING_BYCALLER); /* libpcap calls fread twice per packet */
    return input->file;
}

void input_stolen(struct input *input)
{
    input->stolen = true;
}

bool input_can_reopen(const struct input *input)
{
    return input->regular;
}

uint64_t input_size(const struct input *input)
{
    return input->size;
}

uint64_t input_read_bytes(const struct input *input)
{
    off_t at = input->direct ? lseek(input->fd, 0, SEEK_CUR) : -1;
    return at >= 0 ? (uint64_t)at : input->read_bytes;
}

const char *input_damage(const struct input *input)
{
    if (input->direct && ferror(input->file))
        return strerror(EIO); /* stdio does not keep which one it was */
    if (input->direct && feof(input->file) && input_read_bytes(input) < input->size)
        return shrank;
    return input->damage;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    if (input->file && !input->stolen)
        fclose(input->file);
    if (input->inflating)
        inflateEnd(&input->gzip);
    ZSTD_freeDStream(input->zstd);
    if (input->owned && input->fd >= 0)
        close(input->fd);
    memory_free(input->file_buffer);
    memory_free(input->raw);
    memory_free(input);
}
