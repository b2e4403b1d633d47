/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The own reader of pcapng, for every such file. libpcap reads only those whose interfaces agree in
 * link type and snapshot length, and shows that they do not in the middle of a file, when standard
 * input cannot be rewound any more; so the choice is by format, never by content. Blocks are looked
 * at where they lie in one fixed window over the input.
 */
#include "base/limits.h"
#include "base/memory.h"
#include "capture/linktype.h"
#include "capture/pcapng.h"
#include "capture/window.h"

enum {
    BLOCK_SECTION_HEADER = 0x0a0d0d0a, /* reads the same in both byte orders */
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET_OBSOLETE = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_ENHANCED_PACKET = 6,

    OPTION_END = 0,
    OPTION_TIME_RESOLUTION = 9,
    OPTION_TIME_OFFSET = 14,

    BLOCK_FRAME = 12,         /* type, length, and the length again at the end */
    BLOCK_SECTION_LEAST = 28, /* frame, byte order, version, section length */
    LINK_UNUSABLE =
        -1 /* an interface whose description is wrong: its number counts, its packets do not */
};

#define BYTE_ORDER_MAGIC   0x1a2b3c4dU
#define BYTE_ORDER_SWAPPED 0x4d3c2b1aU

#define NS_PER_SECOND 1000000000
#define TIME_LAST                                                                                  \
    INT64_C(4294967295999999999) /* the end of 32-bit seconds, as in pcap: sums with it cannot     \
                                    overflow */

/* Ticks become nanoseconds by multiplication or, where the clock is finer, by division; binary
 * clocks by shift. */
struct pcapng_interface {
    int32_t link_type;
    uint32_t snaplen; /* 0: no limit */
    uint8_t shift;
    uint64_t multiplier, divisor, most_ticks;
    int64_t offset_ns;
};

struct pcapng {
    struct window window;
    bool section, little;
    const char *damage;
    uint64_t bad_blocks;
    int64_t last_time;
    struct pcapng_interface *interfaces;
    uint32_t interface_count, interface_room;
};

struct block {
    uint32_t type;
    struct reader body; /* without type, lengths */
};

static uint16_t get_u16(const struct pcapng *p, struct reader *r)
{
    return p->little ? reader_u16le(r) : reader_u16(r);
}

static uint32_t get_u32(const struct pcapng *p, struct reader *r)
{
    return p->little ? reader_u32le(r) : reader_u32(r);
}

static int fault(struct pcapng *p, const char *damage)
{
    p->damage = damage;
    return -1;
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t value = 1;
    while (exponent--)
        value *= 10;
    return value;
}

/* if_tsresol: negative power of 10, or of 2 with the high bit. False for clocks whose ticks fill no
 * second in 64 bits. */
static bool interface_set_resolution(struct pcapng_interface *interface, uint8_t value)
{
    unsigned exponent = value & 0x7f;
    bool binary = value & 0x80;
    interface->multiplier = interface->divisor = 1;
    interface->shift = 0;
    interface->most_ticks = UINT64_MAX;
    if (binary && exponent > 0) {
        interface->shift = (uint8_t)exponent;
        return exponent < 64;
    }
    if (exponent > 9) {
        interface->divisor = power_of_ten(exponent <= 19 ? exponent - 9 : 0);
        return exponent <= 19;
    }
    interface->multiplier = power_of_ten(9 - exponent);
    interface->most_ticks = (uint64_t)TIME_LAST / interface->multiplier;
    return true;
}

/* if_tsoffset: whole seconds to be added. Beyond the range of pcap no sum can come back into it in
 * earnest. */
static void interface_set_offset(struct pcapng_interface *interface, uint64_t raw)
{
    const int64_t most = INT64_C(1) << 32;
    int64_t seconds = (int64_t)raw;
    seconds = seconds > most ? most : seconds < -most ? -most : seconds;
    interface->offset_ns = seconds * NS_PER_SECOND;
}

/* Rounds down. Below 2^-34 s a tick is finer than what the product of 64 bits can hold, and than a
 * nanosecond. */
static uint64_t binary_ns(uint64_t ticks, unsigned shift)
{
    const unsigned finest = 34;
    uint64_t seconds = ticks >> shift;
    uint64_t rest = ticks & ((UINT64_C(1) << shift) - 1);
    if (seconds > UINT32_MAX)
        return TIME_LAST;
    if (shift > finest) {
        rest >>= shift - finest;
        shift = finest;
    }
    return seconds * NS_PER_SECOND + (rest * NS_PER_SECOND >> shift);
}

static int64_t interface_time(const struct pcapng_interface *interface, uint64_t ticks)
{
    uint64_t ns;
    if (interface->shift)
        ns = binary_ns(ticks, interface->shift);
    else if (interface->divisor > 1)
        ns = ticks / interface->divisor;
    else
        ns = ticks > interface->most_ticks ? (uint64_t)TIME_LAST : ticks * interface->multiplier;
    int64_t time =
        (int64_t)(ns < (uint64_t)TIME_LAST ? ns : (uint64_t)TIME_LAST) + interface->offset_ns;
    return time < 0 ? 0 : time > TIME_LAST ? TIME_LAST : time;
}

static bool interface_option(const struct pcapng *p, struct pcapng_interface *interface,
                             uint16_t code, struct reader value)
{
    if (code == OPTION_TIME_RESOLUTION)
        return value.left == 1 && interface_set_resolution(interface, reader_u8(&value));
    if (code != OPTION_TIME_OFFSET)
        return true;
    uint64_t first = get_u32(p, &value), second = get_u32(p, &value);
    interface_set_offset(interface, p->little ? second << 32 | first : first << 32 | second);
    return reader_done(&value);
}

static bool interface_parse(const struct pcapng *p, struct reader *body,
                            struct pcapng_interface *interface)
{
    interface->link_type = linktype_dlt(get_u16(p, body));
    reader_skip(body, 2);
    interface->snaplen = get_u32(p, body);
    interface_set_resolution(interface, 6); /* the default */
    while (body->left > 0) {
        uint16_t code = get_u16(p, body);
        uint16_t length = get_u16(p, body);
        struct reader value = reader_child(body, length);
        if (code == OPTION_END)
            break;
        if (value.bad || !interface_option(p, interface, code, value))
            return false;
        reader_skip(body, -(unsigned)length & 3); /* padding to 32 bits */
    }
    return !body->bad;
}

/* Appends the interface, usable or not, so that the numbers of later ones are right. Returns -1
 * only without memory. */
static int interface_add(struct pcapng *p, struct reader *body)
{
    if (p->interface_count >= LIMIT_PCAPNG_INTERFACES)
        return 0; /* its packets will be of an unknown interface, and counted */
    if (p->interface_count == p->interface_room) {
        uint32_t room = p->interface_room ? p->interface_room * 4 : 4;
        struct pcapng_interface *grown = memory_resize(p->interfaces, room * sizeof *grown);
        if (!grown)
            return fault(p, "out of memory");
        p->interfaces = grown;
        p->interface_room = room;
    }
    struct pcapng_interface *interface = &p->interfaces[p->interface_count++];
    *interface = (struct pcapng_interface){0};
    if (!interface_parse(p, body, interface)) {
        interface->link_type = LINK_UNUSABLE;
        p->bad_blocks++;
    }
    return 0;
}

static bool packet_fill(struct pcapng *p, uint32_t interface, struct slice data, uint32_t length,
                        struct packet *out)
{
    if (interface >= p->interface_count || data.length > LIMIT_PACKET)
        return false;
    out->data = data.data;
    out->captured = (uint32_t)data.length;
    out->length = length > out->captured ? length : out->captured;
    out->link_type = p->interfaces[interface].link_type;
    out->time_ns = p->last_time;
    return out->link_type != LINK_UNUSABLE;
}

/* Enhanced packet block, and the obsolete one, whose interface shares its 32 bits with a drop
 * count. */
static bool packet_parse(struct pcapng *p, struct block *block, struct packet *out)
{
    struct reader *body = &block->body;
    uint32_t interface;
    if (block->type == BLOCK_ENHANCED_PACKET) {
        interface = get_u32(p, body);
    } else {
        interface = get_u16(p, body);
        reader_skip(body, 2);
    }
    uint64_t high = get_u32(p, body);
    uint64_t ticks = high << 32 | get_u32(p, body);
    uint32_t captured = get_u32(p, body);
    uint32_t length = get_u32(p, body);
    struct slice data = reader_bytes(body, captured);
    if (body->bad || !packet_fill(p, interface, data, length, out))
        return false;
    out->time_ns = p->last_time = interface_time(&p->interfaces[interface], ticks);
    return true;
}

/*
 * Simple packet block: of the first interface, cut at its snapshot length, padded. It has no time:
 * that of the packet before it keeps it in its place.
 */
static bool simple_packet_parse(struct pcapng *p, struct reader *body, struct packet *out)
{
    uint32_t length = get_u32(p, body);
    uint32_t snaplen = p->interface_count ? p->interfaces[0].snaplen : 0;
    uint32_t captured = snaplen && snaplen < length ? snaplen : length;
    struct slice data = reader_bytes(body, captured);
    return !body->bad && packet_fill(p, 0, data, length, out);
}

/* A section header tells the byte order of all that follows, and ends what was said of interfaces.
 */
static int section_begin(struct pcapng *p)
{
    if (!window_fill(&p->window, BLOCK_SECTION_LEAST))
        return -1;
    struct reader head = window_look(&p->window, BLOCK_SECTION_LEAST);
    reader_skip(&head, 8);
    uint32_t order = reader_u32(&head);
    if (order != BYTE_ORDER_MAGIC && order != BYTE_ORDER_SWAPPED)
        return fault(p, "a section without byte order");
    p->little = order == BYTE_ORDER_SWAPPED;
    if (get_u16(p, &head) != 1)
        return fault(p, "pcapng of an unknown version");
    p->section = true;
    p->interface_count = 0;
    return 0;
}

/* Passes over a block that the window need not hold, and compares its two lengths. */
static int block_skip(struct pcapng *p, uint32_t length)
{
    if (!window_skip(&p->window, length - 4) || !window_fill(&p->window, 4))
        return -1;
    struct reader tail = window_take(&p->window, 4);
    return get_u32(p, &tail) == length ? 0 : fault(p, "the two lengths of a block differ");
}

static bool is_packet(uint32_t type)
{
    return type == BLOCK_ENHANCED_PACKET || type == BLOCK_SIMPLE_PACKET ||
           type == BLOCK_PACKET_OBSOLETE;
}

/* Takes the whole block out of the window; it stays valid until the window is filled again. */
static int block_take(struct pcapng *p, uint32_t length, struct block *block)
{
    if (!window_fill(&p->window, length))
        return -1;
    struct reader whole = window_take(&p->window, length);
    reader_skip(&whole, 8);
    block->body = reader_child(&whole, length - BLOCK_FRAME);
    return get_u32(p, &whole) == length ? 1 : fault(p, "the two lengths of a block differ");
}

/* Fetches the next block that holds a packet or describes an interface. Returns 1, 0 at the end, -1
 * on a fault. */
static int block_next(struct pcapng *p, struct block *block)
{
    for (;;) {
        if (!window_fill(&p->window, 8))
            return window_is_empty(&p->window) ? 0 : -1;
        struct reader head = window_look(&p->window, 8);
        block->type = get_u32(p, &head);
        if (block->type == BLOCK_SECTION_HEADER) {
            if (section_begin(p) < 0)
                return -1;
            head = window_look(&p->window, 8);
            reader_skip(&head, 4);
        }
        uint32_t length = get_u32(p, &head);
        uint32_t least = block->type == BLOCK_SECTION_HEADER ? BLOCK_SECTION_LEAST : BLOCK_FRAME;
        if (length < least || length % 4 != 0 || length > LIMIT_PCAPNG_BLOCK)
            return fault(p, "a block of impossible length");
        bool wanted = block->type == BLOCK_INTERFACE || is_packet(block->type);
        if (wanted && length <= WINDOW_SIZE)
            return block_take(p, length, block);
        p->bad_blocks += wanted;
        if (block_skip(p, length) < 0)
            return -1;
    }
}

bool pcapng_recognise(struct slice head)
{
    struct reader r = reader_of_slice(head);
    uint32_t type = reader_u32(&r);
    reader_skip(&r, 4);
    uint32_t order = reader_u32(&r);
    return type == BLOCK_SECTION_HEADER &&
           (order == BYTE_ORDER_MAGIC || order == BYTE_ORDER_SWAPPED);
}

struct pcapng *pcapng_open(struct input *input)
{
    struct pcapng *p = memory_new(sizeof *p);
    if (!p)
        return NULL;
    if (window_open(&p->window, input))
        return p;
    memory_free(p);
    return NULL;
}

static bool packet_of_block(struct pcapng *p, struct block *block, struct packet *out)
{
    bool good = block->type == BLOCK_SIMPLE_PACKET ? simple_packet_parse(p, &block->body, out)
                                                   : packet_parse(p, block, out);
    p->bad_blocks += !good;
    return good;
}

static int first_packet(struct pcapng *p, struct packet *out)
{
    struct block block;
    int status;
    while ((status = block_next(p, &block)) > 0) {
        if (block.type == BLOCK_INTERFACE) {
            if (interface_add(p, &block.body) < 0)
                return -1;
            continue;
        }
        if (packet_of_block(p, &block, out))
            return 1;
    }
    return status;
}

/* Takes the next block if it is one of a packet and lies in the window; its two lengths differing
 * is for the next call to find. */
static bool near_packet(struct pcapng *p, struct block *block)
{
    if (!window_holds(&p->window, 8))
        return false;
    struct reader head = window_look(&p->window, 8);
    block->type = get_u32(p, &head);
    uint32_t length = get_u32(p, &head);
    if (!is_packet(block->type) || length < BLOCK_FRAME || length % 4 != 0 ||
        !window_holds(&p->window, length))
        return false;
    struct reader whole = window_look(&p->window, length);
    reader_skip(&whole, 8);
    block->body = reader_child(&whole, length - BLOCK_FRAME);
    if (get_u32(p, &whole) != length)
        return false;
    window_take(&p->window, length);
    return true;
}

int pcapng_next(struct pcapng *p, struct packet *out, unsigned most)
{
    struct block block;
    int count = first_packet(p, out);
    while (count > 0 && (unsigned)count < most && near_packet(p, &block))
        count += packet_of_block(p, &block, &out[count]);
    return count;
}

const char *pcapng_damage(const struct pcapng *p)
{
    return p->damage;
}

uint64_t pcapng_bad_blocks(const struct pcapng *p)
{
    return p->bad_blocks;
}

void pcapng_close(struct pcapng *p)
{
    if (!p)
        return;
    memory_free(p->interfaces);
    window_close(&p->window);
    memory_free(p);
}
