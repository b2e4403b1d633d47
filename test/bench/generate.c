/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the workloads of the bench: sessions from pcaps/ (taken out by sessions.py), replayed with
 * other addresses and ports and interleaved, as a capture of any size; prints how many of each are
 * in it. The same arguments give the same bytes.
 *
 *     generate -p PROFILE -t SESSIONS -o FILE [-s BYTES] [-c OPEN] [-n FLOWS] [-k MESSAGES] [-S SEED]
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEMPLATES = 256,
    MSS = 1440,
    BURST = 4,          /* segments of a message that are sent in a row */
    BURST_MOST = 100,   /* ... in the profile that reorders to the limit */
    PACKET_NS = 10000,  /* between packets */
    FIN = 1,
    SYN = 2,
    PSH = 8,
    ACK = 16,
    HEADERS = 14 + 40 + 20
};

struct message {
    uint8_t from; /* 0 client, 1 server */
    uint32_t length;
    uint8_t *bytes;
};

struct template {
    char name[33];
    uint32_t port, weight, count, tls, certificate, certificate_at;
    struct message *messages;
    uint64_t whole; /* sessions that were replayed to their end */
};

enum kind { MAIL, WEB, NAMES };

struct flow {
    struct template *template;
    enum kind kind;
    uint64_t number;
    bool six;
    uint8_t address[2][16];
    uint16_t port[2];
    uint32_t sequence[2]; /* of the next byte */
    uint32_t state, message, offset, stop;
};

/* What a profile is made of. */
struct profile {
    const char *name;
    unsigned mss, burst;
    unsigned mail_percent;    /* of the flows; the others are web and name service */
    unsigned flood_percent;   /* of the packets: SYNs that nobody answers */
    unsigned random_percent;  /* ... and segments of no connection */
    unsigned disorder, again; /* percent of the bursts, of the segments */
    unsigned abandon;         /* percent of the sessions, before TLS */
    uint32_t large;           /* bytes of a made-up message within TLS */
    bool certificates;        /* each session has another one */
};

static const struct profile profiles[] = {
    {"handshake", MSS, BURST, 100, 0, 0, 0, 0, 0, 0, false},
    {"bulk", MSS, BURST, 100, 0, 0, 0, 0, 0, 8000000, false},
    {"mixed", MSS, BURST, 25, 0, 0, 0, 0, 0, 0, false},
    {"hostile", MSS, BURST, 100, 18, 11, 35, 15, 10, 0, false},
    {"open", MSS, BURST, 100, 0, 0, 0, 0, 0, 0, false},
    /* the worst for each stage */
    {"syn", MSS, BURST, 0, 100, 0, 0, 0, 0, 0, false},
    {"random", MSS, BURST, 0, 0, 100, 0, 0, 0, 0, false},
    {"reorder", 8, BURST_MOST, 100, 0, 0, 100, 0, 0, 0, false},
    {"bytes", 1, BURST, 100, 0, 0, 0, 0, 0, 0, false},
    {"lines", MSS, BURST, 100, 0, 0, 0, 0, 0, 0, false},
    {"certificates", MSS, BURST, 100, 0, 0, 0, 0, 0, 0, true},
};

static const struct profile *profile;
static struct template templates[TEMPLATES];
static unsigned template_count, weights;
static struct template web;
static uint64_t random_state, clock_ns = UINT64_C(1700000000000000000);
static uint64_t bytes_written, packets, flows, stop_after = UINT32_MAX;
static uint32_t identification;
static FILE *out;

/* ---- random numbers (splitmix64) */

static uint64_t random_64(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)((random_64() >> 32) * limit >> 32);
}

static bool percent(unsigned of_100)
{
    return of_100 && below(100) < of_100;
}

static void fill(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)random_64();
}

/* ---- packets */

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value);
}

static uint32_t sum(const uint8_t *bytes, size_t count, uint32_t start)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        start += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    return count & 1 ? start + ((uint32_t)bytes[count - 1] << 8) : start;
}

static uint32_t folded(uint32_t value)
{
    value = (value >> 16) + (value & 0xffff);
    return ~(value + (value >> 16)) & 0xffff;
}

/* Ethernet and IP header; returns where the payload goes, and in *pseudo the sum of the pseudo header. */
static uint8_t *put_ip(uint8_t *at, const struct flow *flow, unsigned from, uint8_t protocol, uint32_t length, uint32_t *pseudo)
{
    static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    memcpy(at, macs[!from], 6);
    memcpy(at + 6, macs[from], 6);
    uint8_t *ip = put16(at + 12, flow->six ? 0x86dd : 0x0800);
    size_t size = flow->six ? 16 : 4;
    *pseudo = sum(flow->address[0], size, sum(flow->address[1], size, protocol + length));
    if (flow->six) {
        put16(put32(ip, 0x60000000), length);
        ip[6] = protocol;
        ip[7] = 60;
        memcpy(ip + 8, flow->address[from], 16);
        memcpy(ip + 24, flow->address[!from], 16);
        return ip + 40;
    }
    put16(ip, 0x4500);
    put32(put16(put16(ip + 2, 20 + length), identification++ & 0xffff), 0x40000000);
    ip[6] = 0x40;
    ip[7] = 0;
    ip[8] = 60;
    ip[9] = protocol;
    put16(ip + 10, 0);
    memcpy(ip + 12, flow->address[from], 4);
    memcpy(ip + 16, flow->address[!from], 4);
    put16(ip + 10, folded(sum(ip, 20, 0)));
    return ip + 20;
}

static void write_packet(const uint8_t *packet, const uint8_t *end)
{
    uint32_t size = (uint32_t)(end - packet);
    clock_ns += PACKET_NS / 2 + below(PACKET_NS);
    uint32_t header[4] = {(uint32_t)(clock_ns / 1000000000), (uint32_t)(clock_ns % 1000000000 / 1000), size, size};
    if (fwrite(header, sizeof header, 1, out) != 1 || fwrite(packet, size, 1, out) != 1) {
        perror("generate");
        exit(1);
    }
    bytes_written += sizeof header + size;
    packets++;
}

static void send_tcp(const struct flow *flow, unsigned from, uint8_t flags, uint32_t sequence, const uint8_t *bytes, uint32_t count)
{
    uint8_t packet[HEADERS + MSS];
    uint32_t pseudo;
    uint8_t *tcp = put_ip(packet, flow, from, 6, 20 + count, &pseudo);
    put16(put16(tcp, flow->port[from]), flow->port[!from]);
    put32(put32(tcp + 4, sequence), flags & ACK ? flow->sequence[!from] : 0);
    tcp[12] = 0x50;
    tcp[13] = flags;
    put32(put16(tcp + 14, 64240), 0);
    if (count)
        memcpy(tcp + 20, bytes, count);
    put16(tcp + 16, folded(sum(tcp, 20 + count, pseudo)));
    write_packet(packet, tcp + 20 + count);
}

static void send_udp(const struct flow *flow, unsigned from, const uint8_t *bytes, uint32_t count)
{
    uint8_t packet[HEADERS + MSS];
    uint32_t pseudo;
    uint8_t *udp = put_ip(packet, flow, from, 17, 8 + count, &pseudo);
    put32(put16(put16(udp, flow->port[from]), flow->port[!from]), (8 + count) << 16);
    memcpy(udp + 8, bytes, count);
    put16(udp + 6, folded(sum(udp, 8 + count, pseudo)));
    write_packet(packet, udp + 8 + count);
}

/* ---- sessions */

static void *allocate(size_t size)
{
    void *block = calloc(1, size);
    if (!block) {
        perror("generate");
        exit(1);
    }
    return block;
}

static void read_exactly(void *to, size_t size, FILE *file)
{
    if (fread(to, size, 1, file) != 1) {
        fprintf(stderr, "generate: the file of sessions ends early\n");
        exit(1);
    }
}

static bool read_template(struct template *t, FILE *file)
{
    uint32_t numbers[6];
    if (fread(t->name, 32, 1, file) != 1)
        return false;
    read_exactly(numbers, sizeof numbers, file);
    t->port = numbers[0], t->weight = numbers[1], t->count = numbers[2];
    t->tls = numbers[3], t->certificate = numbers[4], t->certificate_at = numbers[5];
    t->messages = allocate((t->count + 1) * sizeof *t->messages);
    for (uint32_t i = 0; i < t->count; i++) {
        struct message *m = &t->messages[i];
        read_exactly(&m->from, 1, file);
        read_exactly(&m->length, 4, file);
        m->bytes = allocate(m->length);
        read_exactly(m->bytes, m->length, file);
    }
    return true;
}

/* A message of full TLS records, as long as a large mail. */
static struct message made_up(uint8_t from, uint32_t length)
{
    enum { RECORD = 16384 + 5 };
    struct message m = {.from = from, .length = length / RECORD * RECORD, .bytes = allocate(length)};
    fill(m.bytes, m.length);
    for (uint32_t at = 0; at < m.length; at += RECORD) {
        memcpy(m.bytes + at, "\x17\x03\x03", 3);
        put16(m.bytes + at + 3, RECORD - 5);
    }
    return m;
}

/* The client's mail, before the last thing that it says. */
static void insert_large(struct template *t, uint32_t length)
{
    uint32_t at = t->count - 1;
    while (at > t->tls && t->messages[at].from != 0)
        at--;
    memmove(&t->messages[at + 1], &t->messages[at], (t->count - at) * sizeof *t->messages);
    t->messages[at] = made_up(0, length);
    t->count++;
}

/* A client that says EHLO without end, and a server that has much to offer. */
static void make_lines(struct template *t)
{
    enum { ROUNDS = 400, LINES = 40 };
    struct message greeting = {1, 12, (uint8_t *)allocate(12)}, hello = {0, 10, (uint8_t *)allocate(10)};
    struct message reply = {1, 9 * LINES + 8, (uint8_t *)allocate(9 * LINES + 8)};
    memcpy(greeting.bytes, "220 x ESMTP\n", 12);
    memcpy(hello.bytes, "EHLO a.b\r\n", 10);
    for (unsigned i = 0; i < LINES; i++)
        memcpy(reply.bytes + 9 * i, "250-XYZ\r\n", 9);
    memcpy(reply.bytes + 9 * LINES, "250 OK\r\n", 8);
    *t = (struct template){.name = "lines", .port = 25, .weight = 1, .count = 1 + 2 * ROUNDS};
    t->messages = allocate((t->count + 1) * sizeof *t->messages);
    t->messages[0] = greeting;
    for (unsigned i = 0; i < ROUNDS; i++) {
        t->messages[1 + 2 * i] = hello;
        t->messages[2 + 2 * i] = reply;
    }
}

/* Does the profile replay it? Bulk mail needs TLS, changed certificates a readable one. */
static bool wanted(const struct template *t)
{
    if (profile->large && (!t->tls || strncmp(t->name, "fail", 4) == 0))
        return false;
    return !profile->certificates || t->certificate;
}

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    while (template_count < TEMPLATES && read_template(&templates[template_count], file))
        if (wanted(&templates[template_count]))
            template_count++;
    fclose(file);
    if (strcmp(profile->name, "lines") == 0) {
        make_lines(&templates[0]);
        template_count = 1;
    }
    for (unsigned i = 0; i < template_count; i++) {
        if (profile->large)
            insert_large(&templates[i], profile->large / 8 + below(profile->large));
        weights += templates[i].weight;
    }
}

/* TLS on port 443: the hellos of a mail session, and data. */
static void make_web(void)
{
    const struct template *t = &templates[0];
    web = (struct template){.name = "web", .port = 443, .count = 4};
    web.messages = allocate(4 * sizeof *web.messages);
    web.messages[0] = t->messages[t->tls];
    web.messages[1] = t->messages[t->tls + 1];
    web.messages[2] = made_up(0, 16389);
    web.messages[3] = made_up(1, 160000);
}

static struct template *choose(void)
{
    uint32_t at = below(weights);
    struct template *t = templates;
    while (at >= t->weight)
        at -= t++->weight;
    return t;
}

/* ---- flows */

static void set_addresses(struct flow *flow)
{
    uint32_t client = (uint32_t)(flow->number * 2654435761u);
    flow->six = percent(15);
    for (unsigned side = 0; side < 2 && flow->six; side++)
        memcpy(flow->address[side], "\x20\x01\x0d\xb8", 4);
    put32(flow->address[0] + (flow->six ? 12 : 0), flow->six ? client : 0x0a000000 | (client & 0xffffff));
    put32(flow->address[1] + (flow->six ? 12 : 0), (flow->six ? 0 : 0xc6120000) + 1 + below(64));
    flow->port[0] = (uint16_t)(1024 + (flow->number * 7919 + (flow->number >> 24)) % 64000);
}

static void begin(struct flow *flow)
{
    *flow = (struct flow){.number = flows++, .stop = UINT32_MAX};
    set_addresses(flow);
    flow->sequence[0] = (uint32_t)random_64();
    flow->sequence[1] = (uint32_t)random_64();
    if (percent(profile->mail_percent)) {
        flow->template = choose();
        flow->port[1] = (uint16_t)flow->template->port;
        if (percent(profile->abandon))
            flow->stop = below(flow->template->tls + 1);
        if (stop_after < flow->stop)
            flow->stop = (uint32_t)stop_after;
    } else {
        flow->kind = percent(70) ? WEB : NAMES;
        flow->template = &web;
        flow->port[1] = flow->kind == WEB ? 443 : 53;
    }
}

struct piece {
    uint32_t offset, length;
};

static void shuffle(struct piece *pieces, unsigned count)
{
    for (unsigned i = count - 1; i > 0; i--) {
        /* All backwards is the worst: the first one comes last. */
        unsigned j = profile->disorder == 100 ? count - 1 - i : below(i + 1);
        struct piece piece = pieces[i];
        if (profile->disorder == 100 && j >= i)
            break;
        pieces[i] = pieces[j];
        pieces[j] = piece;
    }
}

/* Some segments come twice, some of them in part. */
static unsigned repeat(struct piece *pieces, unsigned count)
{
    unsigned all = count;
    for (unsigned i = 0; i < count; i++) {
        if (!percent(profile->again))
            continue;
        pieces[all] = pieces[below(count)];
        uint32_t cut = pieces[all].length > 200 && percent(33) ? below(150) : 0;
        pieces[all].offset += cut;
        pieces[all++].length -= cut;
    }
    return all;
}

static void send_burst(struct flow *flow, const struct message *m)
{
    struct piece pieces[2 * BURST_MOST];
    uint32_t first = flow->sequence[m->from] - flow->offset;
    unsigned count = 0;
    while (count < profile->burst && flow->offset < m->length) {
        uint32_t left = m->length - flow->offset, size = left < profile->mss ? left : profile->mss;
        pieces[count++] = (struct piece){flow->offset, size};
        flow->offset += size;
        flow->sequence[m->from] += size;
    }
    if (count > 1 && percent(profile->disorder))
        shuffle(pieces, count);
    count = repeat(pieces, count);
    for (unsigned i = 0; i < count; i++)
        send_tcp(flow, m->from, ACK | PSH, first + pieces[i].offset, m->bytes + pieces[i].offset, pieces[i].length);
}

static void change_certificate(const struct template *t, const struct message *m)
{
    if (profile->certificates && m == &t->messages[t->certificate])
        fill(m->bytes + t->certificate_at, 8);
}

/* Returns false when no more comes of the flow. */
static bool step_data(struct flow *flow)
{
    struct template *t = flow->template;
    if (flow->message >= flow->stop)
        return false;
    const struct message *m = &t->messages[flow->message];
    if (!flow->offset)
        change_certificate(t, m);
    send_burst(flow, m);
    send_tcp(flow, !m->from, ACK, flow->sequence[!m->from], NULL, 0);
    if (flow->offset == m->length) {
        flow->offset = 0;
        if (++flow->message == t->count)
            flow->state++;
    }
    return true;
}

static bool step_names(struct flow *flow)
{
    uint8_t bytes[60] = {0};
    put16(bytes, (uint32_t)flow->number);
    bytes[2] = flow->state ? 0x81 : 1;
    send_udp(flow, flow->state, bytes, sizeof bytes);
    return ++flow->state < 2;
}

static bool step(struct flow *flow)
{
    if (flow->kind == NAMES)
        return step_names(flow);
    switch (flow->state) {
    case 0: send_tcp(flow, 0, SYN, flow->sequence[0]++, NULL, 0); break;
    case 1: send_tcp(flow, 1, SYN | ACK, flow->sequence[1]++, NULL, 0); break;
    case 2: send_tcp(flow, 0, ACK, flow->sequence[0], NULL, 0); break;
    case 3: return step_data(flow);
    case 4: send_tcp(flow, 0, FIN | ACK, flow->sequence[0], NULL, 0); flow->sequence[0]++; break;
    case 5: send_tcp(flow, 1, FIN | ACK, flow->sequence[1], NULL, 0); flow->sequence[1]++; break;
    default:
        send_tcp(flow, 0, ACK, flow->sequence[0], NULL, 0);
        flow->template->whole++;
        return false;
    }
    flow->state++;
    return true;
}

static void send_noise(void)
{
    struct flow flow = {.template = templates};
    uint8_t bytes[MSS];
    unsigned both = profile->flood_percent + profile->random_percent;
    if (!percent(both))
        return;
    fill(flow.address[0], 4);
    put32(flow.address[1], 0xc6120000 + 1 + below(64));
    flow.port[0] = (uint16_t)random_64();
    flow.port[1] = 25;
    flow.sequence[1] = (uint32_t)random_64();
    if (below(both) < profile->flood_percent) {
        send_tcp(&flow, 0, SYN, (uint32_t)random_64(), NULL, 0);
        return;
    }
    uint32_t size = below(600);
    fill(bytes, size);
    send_tcp(&flow, 0, ACK, (uint32_t)random_64(), bytes, size);
}

/* ---- the capture */

/* Keeps `open` flows going until there are enough, then lets them end; in profile open they stay. */
static void run(uint32_t open, uint64_t size, uint64_t most)
{
    struct flow *going = allocate(open * sizeof *going);
    uint32_t count = 0;
    while (profile->mail_percent && (count || (flows < most && bytes_written < size))) {
        while (count < open && flows < most && bytes_written < size)
            begin(&going[count++]);
        uint32_t at = below(count);
        send_noise();
        if (!step(&going[at]))
            going[at] = going[--count];
    }
    while (!profile->mail_percent && packets < most && bytes_written < size)
        send_noise();
    free(going);
}

static void tell(void)
{
    printf("{\"packets\":%llu,\"bytes\":%llu,\"flows\":%llu,\"sessions\":{", (unsigned long long)packets,
           (unsigned long long)bytes_written, (unsigned long long)flows);
    for (unsigned i = 0; i < template_count; i++)
        printf("%s\"%s\":%llu", i ? "," : "", templates[i].name, (unsigned long long)templates[i].whole);
    printf("}}\n");
}

static const struct profile *profile_of(const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    fprintf(stderr, "generate: no profile %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};
    const char *sessions = NULL, *path = NULL;
    uint64_t size = 100000000, most = UINT64_MAX;
    uint32_t open = 10000;
    int option;
    profile = profiles;
    while ((option = getopt(argc, argv, "p:t:o:s:c:n:k:S:")) != -1) {
        switch (option) {
        case 'p': profile = profile_of(optarg); break;
        case 't': sessions = optarg; break;
        case 'o': path = optarg; break;
        case 's': size = strtoull(optarg, NULL, 10); break;
        case 'c': open = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'n': most = strtoull(optarg, NULL, 10); break;
        case 'k': stop_after = strtoull(optarg, NULL, 10); break;
        case 'S': random_state = strtoull(optarg, NULL, 10); break;
        default: return 2;
        }
    }
    if (!sessions || !path || !(out = fopen(path, "wb"))) {
        fprintf(stderr, "usage: generate -p PROFILE -t SESSIONS -o FILE [-s BYTES] [-c OPEN] [-n FLOWS] [-k MESSAGES] [-S SEED]\n");
        return 2;
    }
    load(sessions);
    make_web();
    fwrite(header, sizeof header, 1, out);
    run(open, size, most);
    if (fclose(out) != 0) {
        perror(path);
        return 1;
    }
    tell();
    return 0;
}
