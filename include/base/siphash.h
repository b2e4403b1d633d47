/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash, after Aumasson and Bernstein's paper of 2012: for tables of what the wire chooses. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* siphash_new_key fills in a random key; `other` is used where the kernel has no randomness. */
void siphash_new_key(uint64_t key[2], const void *other);

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void siphash_rounds(uint64_t v[4], unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = siphash_rotate(v[1], 13) ^ v[0];
        v[3] = siphash_rotate(v[3], 16) ^ v[2];
        v[0] = siphash_rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = siphash_rotate(v[1], 17) ^ v[2];
        v[3] = siphash_rotate(v[3], 21) ^ v[0];
        v[2] = siphash_rotate(v[2], 32);
    }
}

/* siphash is SipHash-c-d of `size` bytes. Always inlined: with constant numbers its loops unroll. */
static inline __attribute__((always_inline)) uint64_t
siphash(const uint64_t key[2], unsigned c, unsigned d, const void *bytes, size_t size)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
    const uint8_t *at = bytes;
    size_t left = size;
    uint64_t word;
    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        v[3] ^= word;
        siphash_rounds(v, c);
        v[0] ^= word;
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << 8 * i;
    v[3] ^= word;
    siphash_rounds(v, c);
    v[0] ^= word;
    v[2] ^= 0xff;
    siphash_rounds(v, d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
