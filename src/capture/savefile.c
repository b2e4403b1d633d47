/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The own reader of pcap, for all such files but the odd ones. libpcap asks stdio twice per packet
 * for bytes and copies them once more, and can show only one packet at a time; here they are looked
 * at where they lie in the window over the input.
 */
#include <pcap/dlt.h>

#include "base/limits.h"
#include "base/memory.h"
#include "capture/linktype.h"
#include "capture/savefile.h"
#include "capture/window.h"

#define MAGIC_MICROSECONDS 0xa1b2c3d4U
#define MAGIC_NANOSECONDS  0xa1b23c4dU
#define MAGIC_PATCHED      0xa1b2cd34U /* Linux 2.0's: microseconds, longer packet headers */

#define NS_PER_SECOND INT64_C(1000000000)
#define TIME_LAST                                                                                  \
    (INT64_C(4294967296) * NS_PER_SECOND - 1) /* a damaged fraction leads no further */

enum {
    FILE_HEADER = 24,
    PACKET_HEADER = 16,
    PACKET_HEADER_PATCHED = 24,
    VERSION_MAJOR = 2, /* older ones have their lengths the other way round, or not */
    VERSION_MINOR = 4,
    COOKED_HEADER =
        14 /* that of Ethernet, which the patched libpcap added to what it had captured */
};

#define LINKTYPE_MASK 0x03ffffffU /* the bits above tell of checksums at the end of frames */

struct savefile {
    struct window window;
    bool big; /* byte order of all numbers */
    uint32_t packet_header, unit_ns;
    uint32_t snaplen;
    int link_type;
    const char *damage;
};

/* The header of the file. */
struct savefile_header {
    bool big;
    uint32_t magic;
    uint16_t major, minor;
    uint32_t snaplen, linktype;
};

static inline uint16_t get_u16(bool big, struct reader *r)
{
    return big ? reader_u16(r) : reader_u16le(r);
}

static inline uint32_t get_u32(bool big, struct reader *r)
{
    return big ? reader_u32(r) : reader_u32le(r);
}

static bool is_magic(uint32_t magic)
{
    return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS || magic == MAGIC_PATCHED;
}

/* False if it is none. */
static bool header_parse(struct reader r, struct savefile_header *header)
{
    struct reader first = r;
    header->big = is_magic(reader_u32(&first));
    header->magic = get_u32(header->big, &r);
    header->major = get_u16(header->big, &r);
    header->minor = get_u16(header->big, &r);
    reader_skip(&r, 8); /* time zone and accuracy: always 0 */
    header->snaplen = get_u32(header->big, &r);
    header->linktype = get_u32(header->big, &r) & LINKTYPE_MASK;
    return !r.bad && is_magic(header->magic);
}

/*
 * Other versions; packets of which libpcap turns numbers into the byte order of this machine, as
 * decode expects them; and those that may be larger than any here.
 */
static bool is_left_to_libpcap(const struct savefile_header *header)
{
    const bool big_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (header->major != VERSION_MAJOR || header->minor != VERSION_MINOR)
        return true;
    switch (header->linktype) {
    case DLT_LINUX_SLL:
    case DLT_USB_LINUX:
    case DLT_USB_LINUX_MMAPPED:
    case DLT_NFLOG: return header->big != big_here;
    case DLT_DBUS:
    case DLT_USBPCAP:
    case DLT_EBHSCR: return true;
    default: return false;
    }
}

bool savefile_recognise(struct slice head)
{
    struct savefile_header header;
    return header_parse(reader_of_slice(head), &header) && !is_left_to_libpcap(&header);
}

/* The most that is shown of a packet. */
static uint32_t snaplen_of(const struct savefile_header *header)
{
    uint32_t snaplen = header->snaplen;
    if (snaplen == 0 || snaplen > LIMIT_PACKET)
        return LIMIT_PACKET;
    if (header->magic == MAGIC_PATCHED && header->linktype == DLT_EN10MB)
        snaplen += COOKED_HEADER;
    return snaplen;
}

static bool savefile_begin(struct savefile *s, struct input *input)
{
    struct savefile_header header;
    if (!window_open(&s->window, input))
        return false;
    /* It was recognised by the same bytes: they are there. */
    if (!window_fill(&s->window, FILE_HEADER) ||
        !header_parse(window_take(&s->window, FILE_HEADER), &header))
        return false;
    s->big = header.big;
    s->packet_header = header.magic == MAGIC_PATCHED ? PACKET_HEADER_PATCHED : PACKET_HEADER;
    s->unit_ns = header.magic == MAGIC_NANOSECONDS ? 1 : 1000;
    s->snaplen = snaplen_of(&header);
    s->link_type = linktype_dlt(header.linktype);
    return true;
}

struct savefile *savefile_open(struct input *input)
{
    struct savefile *s = memory_new(sizeof *s);
    if (!s)
        return NULL;
    if (savefile_begin(s, input))
        return s;
    savefile_close(s);
    return NULL;
}

/* Reads the header of the next packet, which is in the window; returns the bytes after it. */
static inline uint32_t packet_look(const struct savefile *s, struct packet *out)
{
    struct reader r = window_look(&s->window, PACKET_HEADER);
    uint32_t seconds = get_u32(s->big, &r);
    uint32_t fraction = get_u32(s->big, &r);
    uint32_t captured = get_u32(s->big, &r);
    uint32_t length = get_u32(s->big, &r);
    int64_t time = seconds * NS_PER_SECOND + (int64_t)fraction * s->unit_ns;
    out->time_ns = time < TIME_LAST ? time : TIME_LAST;
    out->captured = captured < s->snaplen ? captured : s->snaplen;
    out->length = length > out->captured ? length : out->captured;
    out->link_type = s->link_type;
    return captured;
}

static inline void packet_take(struct savefile *s, uint32_t bytes, struct packet *out)
{
    struct reader whole = window_take(&s->window, s->packet_header + bytes);
    reader_skip(&whole, s->packet_header);
    out->data = whole.next;
}

static int first_packet(struct savefile *s, struct packet *out)
{
    if (!window_fill(&s->window, s->packet_header))
        return window_is_empty(&s->window) ? 0 : -1;
    uint32_t bytes = packet_look(s, out);
    if (bytes > LIMIT_PACKET) {
        s->damage = "a packet of impossible length";
        return -1;
    }
    if (!window_fill(&s->window, s->packet_header + bytes))
        return -1;
    packet_take(s, bytes, out);
    return 1;
}

int savefile_next(struct savefile *s, struct packet *out, unsigned most)
{
    int count = first_packet(s, out);
    while (count > 0 && (unsigned)count < most && window_holds(&s->window, s->packet_header)) {
        uint32_t bytes = packet_look(s, &out[count]);
        if (bytes > LIMIT_PACKET || !window_holds(&s->window, s->packet_header + bytes))
            break; /* the first of the next call */
        packet_take(s, bytes, &out[count++]);
    }
    return count;
}

const char *savefile_damage(const struct savefile *s)
{
    return s->damage;
}

void savefile_close(struct savefile *s)
{
    if (!s)
        return;
    window_close(&s->window);
    memory_free(s);
}
