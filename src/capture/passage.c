/* SPDX-License-Identifier: BSD-2-Clause */
/* What a filter lets through, found out from its program alone: before workers share the packets. */
#include <string.h>

#include <pcap/pcap.h>

#include "base/limits.h"
#include "capture/live.h"

enum {
    HEADERS = 64,   /* bytes of a packet that may be known */
    STEPS = 100000, /* of a program; with more to look at the answer is yes */
    ANY_PORT = 50000 /* of the sender of a tunnel: as good as any other that is not well known */
};

/* A packet of which some bytes are known; the others, and all behind them, may be anything. */
struct sample {
    uint8_t bytes[HEADERS];
    bool known[HEADERS];
};

struct value {
    bool known;
    uint32_t number;
};

/* The machine of BPF, with values that may be unknown. */
struct state {
    unsigned at;
    struct value a, x, memory[BPF_MEMWORDS];
};

struct search {
    const struct bpf_program *program;
    const struct sample *sample;
    unsigned steps;
};

static const struct value unknown = {0};

static struct value load(const struct sample *sample, unsigned mode, uint32_t offset)
{
    unsigned size = mode == BPF_W ? 4 : mode == BPF_H ? 2 : 1;
    struct value value = {.known = true};
    if (offset > HEADERS - size) /* also what only the kernel knows */
        return unknown;
    for (unsigned i = 0; i < size; i++) {
        value.number = value.number << 8 | sample->bytes[offset + i];
        value.known &= sample->known[offset + i];
    }
    return value;
}

static struct value load_by(const struct search *search, const struct state *state, const struct bpf_insn *code)
{
    struct value value;
    switch (BPF_MODE(code->code)) {
    case BPF_IMM: return (struct value){true, code->k};
    case BPF_ABS: return load(search->sample, BPF_SIZE(code->code), code->k);
    case BPF_IND: return state->x.known ? load(search->sample, BPF_SIZE(code->code), state->x.number + code->k) : unknown;
    case BPF_MEM: return code->k < BPF_MEMWORDS ? state->memory[code->k] : unknown;
    case BPF_MSH:
        value = load(search->sample, BPF_B, code->k);
        value.number = (value.number & 15) * 4;
        return value;
    default: return unknown; /* the length */
    }
}

static struct value compute(const struct state *state, const struct bpf_insn *code)
{
    struct value by = BPF_SRC(code->code) == BPF_X ? state->x : (struct value){true, code->k};
    uint32_t a = state->a.number, b = by.number;
    if (!state->a.known || !by.known)
        return unknown;
    switch (BPF_OP(code->code)) {
    case BPF_ADD: return (struct value){true, a + b};
    case BPF_SUB: return (struct value){true, a - b};
    case BPF_MUL: return (struct value){true, a * b};
    case BPF_AND: return (struct value){true, a & b};
    case BPF_OR: return (struct value){true, a | b};
    case BPF_LSH: return (struct value){true, b < 32 ? a << b : 0};
    case BPF_RSH: return (struct value){true, b < 32 ? a >> b : 0};
    default: return unknown; /* rare in filters */
    }
}

static bool holds(unsigned operation, uint32_t a, uint32_t b)
{
    switch (operation) {
    case BPF_JEQ: return a == b;
    case BPF_JGT: return a > b;
    case BPF_JGE: return a >= b;
    default: return (a & b) != 0;
    }
}

static bool may_pass(struct search *search, struct state state);

static bool may_pass_branch(struct search *search, struct state *state, const struct bpf_insn *code)
{
    struct value by = BPF_SRC(code->code) == BPF_X ? state->x : (struct value){true, code->k};
    struct state other = *state;
    state->at += code->jt;
    other.at += code->jf;
    if (state->a.known && by.known)
        return may_pass(search, holds(BPF_OP(code->code), state->a.number, by.number) ? *state : other);
    return may_pass(search, *state) || may_pass(search, other);
}

/* Where a comparison cannot be decided both ways are gone. Programs only jump forward. */
static bool may_pass(struct search *search, struct state state)
{
    while (state.at < search->program->bf_len && search->steps) {
        const struct bpf_insn *code = &search->program->bf_insns[state.at++];
        search->steps--;
        switch (BPF_CLASS(code->code)) {
        case BPF_LD: state.a = load_by(search, &state, code); break;
        case BPF_LDX: state.x = load_by(search, &state, code); break;
        case BPF_ST: state.memory[code->k % BPF_MEMWORDS] = state.a; break;
        case BPF_STX: state.memory[code->k % BPF_MEMWORDS] = state.x; break;
        case BPF_ALU: state.a = compute(&state, code); break;
        case BPF_RET: return BPF_RVAL(code->code) == BPF_K ? code->k != 0 : !state.a.known || state.a.number != 0;
        case BPF_JMP:
            if (BPF_OP(code->code) != BPF_JA)
                return may_pass_branch(search, &state, code);
            state.at += code->k;
            break;
        default:
            if (BPF_MISCOP(code->code) == BPF_TAX)
                state.x = state.a;
            else
                state.a = state.x;
        }
    }
    return true;
}

static void know(struct sample *sample, unsigned at, unsigned size, uint32_t number)
{
    for (unsigned i = size; i-- > 0; number >>= 8) {
        sample->bytes[at + i] = (uint8_t)number;
        sample->known[at + i] = true;
    }
}

/* A datagram to a port, on Ethernet. */
static struct sample sample_of(bool tagged, bool v6, unsigned port)
{
    struct sample sample = {0};
    unsigned at = tagged ? 18 : 14;
    if (tagged)
        know(&sample, 12, 2, 0x8100);
    know(&sample, at - 2, 2, v6 ? 0x86dd : 0x0800);
    if (v6) {
        know(&sample, at + 6, 1, 17);
        at += 40;
    } else {
        know(&sample, at, 1, 0x45);
        know(&sample, at + 6, 2, 0);
        know(&sample, at + 9, 1, 17);
        at += 20;
    }
    know(&sample, at, 2, ANY_PORT);
    know(&sample, at + 2, 2, port);
    return sample;
}

bool live_lets_tunnels(const char *expression)
{
    static const unsigned ports[] = {4789, 6081, 8472, 2152, 3544}; /* VXLAN, Geneve, VXLAN of old, GTP-U, Teredo: see decode */
    struct bpf_program program;
    bool may = false;
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, LIMIT_PACKET);
    bool good = dead && pcap_compile(dead, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (dead)
        pcap_close(dead);
    if (!good)
        return strstr(expression, "tcp") == NULL; /* a word that only a live handle knows */
    for (unsigned i = 0; i < 4 * sizeof ports / sizeof *ports && !may; i++) {
        struct sample sample = sample_of(i & 1, i & 2, ports[i / 4]);
        struct search search = {.program = &program, .sample = &sample, .steps = STEPS};
        may = may_pass(&search, (struct state){0});
    }
    pcap_freecode(&program);
    return may;
}
