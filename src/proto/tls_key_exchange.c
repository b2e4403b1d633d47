/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads from a ServerKeyExchange which group a handshake of TLS 1.2 or below uses. */
#include "proto/tls_hello.h"
#include "proto/tls_names.h"

enum {
    CURVE_NAMED = 3,
    CURVE_PRIME = 1,
    CURVE_CHAR2 = 2,
    TLS_1_2 = 0x0303,
    CHAR2_TRINOMIAL = 1,
    CHAR2_PENTANOMIAL = 2
};

static uint16_t bits_of(struct slice number)
{
    struct reader r = reader_of_slice(number);
    uint8_t top = 0;
    while (r.left && !top)
        top = reader_u8(&r);
    size_t bits = r.left * 8;
    for (; top; top >>= 1)
        bits++;
    return bits > UINT16_MAX ? UINT16_MAX : (uint16_t)bits;
}

static void skip_vector8(struct reader *r)
{
    reader_child8(r);
}

static void skip_vector16(struct reader *r)
{
    reader_child16(r);
}

/* RFC 4492 5.4, gone since RFC 8422: the curve is spelled out in the message. */
static bool skip_explicit_curve(struct reader *r, uint8_t type)
{
    if (type == CURVE_PRIME) {
        skip_vector8(r); /* prime_p */
    } else {
        reader_skip(r, 2); /* m */
        uint8_t basis = reader_u8(r);
        if (basis != CHAR2_TRINOMIAL && basis != CHAR2_PENTANOMIAL)
            return false;
        for (unsigned k = basis == CHAR2_TRINOMIAL ? 1 : 3; k; k--)
            skip_vector8(r);
    }
    for (unsigned field = 0; field < 5; field++) /* a, b, base, order, cofactor */
        skip_vector8(r);
    return true;
}

/* RFC 8422 5.4: struct { ECParameters curve_params; ECPoint public; } ServerECDHParams. */
static bool take_ecdh(struct reader *r, struct tls_key_exchange *out)
{
    bool ok = true;
    uint8_t type = reader_u8(r);
    if (type == CURVE_NAMED)
        out->group = reader_u16(r);
    else
        ok = (type == CURVE_PRIME || type == CURVE_CHAR2) && skip_explicit_curve(r, type);
    skip_vector8(r);
    return ok;
}

/* RFC 5246 7.4.3: struct { opaque dh_p<1..2^16-1>; opaque dh_g<1..2^16-1>; opaque dh_Ys<1..2^16-1>;
 * } ServerDHParams. */
static bool take_dh(struct reader *r, struct tls_key_exchange *out)
{
    struct reader p = reader_child16(r);
    out->prime_bits = bits_of(reader_rest(&p));
    skip_vector16(r);
    skip_vector16(r);
    return true;
}

/* Anonymous and PSK key exchanges are not signed (RFC 4279 3, RFC 5489 2). */
static bool take_signature(struct reader *r, uint16_t version, unsigned traits)
{
    if (!(traits & (TLS_CIPHER_ANONYMOUS | TLS_CIPHER_PSK))) {
        if (version >= TLS_1_2)
            reader_skip(r, 2);
        skip_vector16(r);
    }
    return reader_done(r);
}

enum tls_parse tls_parse_server_key_exchange(struct slice body, uint16_t version, uint16_t cipher,
                                             struct tls_key_exchange *out)
{
    *out = (struct tls_key_exchange){0};
    unsigned traits = tls_cipher_traits(cipher);
    struct reader r = reader_of_slice(body);
    bool ok;
    if (!(traits & (TLS_CIPHER_ECDHE | TLS_CIPHER_DHE)))
        return TLS_PARSE_OK;
    if (traits & TLS_CIPHER_PSK)
        skip_vector16(&r); /* psk_identity_hint */
    ok = traits & TLS_CIPHER_ECDHE ? take_ecdh(&r, out) : take_dh(&r, out);
    return take_signature(&r, version, traits) && ok ? TLS_PARSE_OK : TLS_PARSE_MALFORMED;
}
