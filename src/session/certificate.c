/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads one certificate with libcrypto: DER from a handshake in, what the record shows out. */
#include <arpa/inet.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1t.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/memory.h"
#include "session/certificate.h"

/* RFC 4514 with UTF-8 left as it is; attributes that libcrypto cannot name come as #hex. */
static const unsigned long NAME_FORMAT = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;

/*
 * Certificate of RFC 5280 4.1 for libcrypto's reader of DER. Its own X509 would make a key ready for use: fifteen times the work of all
 * the rest, which who shows us new certificates without end could make us do.
 */
struct tbs {
    ASN1_INTEGER *version, *serial;
    X509_ALGOR *signature;
    X509_NAME *issuer, *subject;
    X509_VAL *validity;
    struct tbs_key {
        X509_ALGOR *algorithm;
        ASN1_BIT_STRING *bits;
    } *key;
    ASN1_BIT_STRING *issuer_id, *subject_id;
    STACK_OF(X509_EXTENSION) *extensions;
};

struct signed_tbs {
    struct tbs *tbs;
    X509_ALGOR *signature;
    ASN1_BIT_STRING *bits;
};

typedef struct tbs_key TBS_KEY;
typedef struct tbs TBS;
typedef struct signed_tbs SIGNED_TBS;

ASN1_SEQUENCE(TBS_KEY) = {
    ASN1_SIMPLE(TBS_KEY, algorithm, X509_ALGOR),
    ASN1_SIMPLE(TBS_KEY, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(TBS_KEY)

ASN1_SEQUENCE(TBS) = {
    ASN1_EXP_OPT(TBS, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(TBS, serial, ASN1_INTEGER),
    ASN1_SIMPLE(TBS, signature, X509_ALGOR),
    ASN1_SIMPLE(TBS, issuer, X509_NAME),
    ASN1_SIMPLE(TBS, validity, X509_VAL),
    ASN1_SIMPLE(TBS, subject, X509_NAME),
    ASN1_SIMPLE(TBS, key, TBS_KEY),
    ASN1_IMP_OPT(TBS, issuer_id, ASN1_BIT_STRING, 1),
    ASN1_IMP_OPT(TBS, subject_id, ASN1_BIT_STRING, 2),
    ASN1_EXP_SEQUENCE_OF_OPT(TBS, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(TBS)

ASN1_SEQUENCE(SIGNED_TBS) = {
    ASN1_SIMPLE(SIGNED_TBS, tbs, TBS),
    ASN1_SIMPLE(SIGNED_TBS, signature, X509_ALGOR),
    ASN1_SIMPLE(SIGNED_TBS, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SIGNED_TBS)

/* What the size of a key is, and where it stands. */
enum key_size {
    KEY_INTEGER,    /* that of the first number of the key: the modulus (RFC 8017 A.1.1) */
    KEY_PARAMETERS, /* ... of its parameters: p (RFC 3279 2.3.2, 2.3.3; PKCS #3) */
    KEY_CURVE,      /* that of the order of the curve, which the parameters name or give (RFC 3279 2.3.5) */
    KEY_FIXED
};

/* Key algorithms by the words of the events, and the size below which a key is weak. */
static const struct key_kind {
    int nid;
    const char *word;
    enum key_size size;
    int least_bits, bits; /* the latter: if fixed */
} key_kinds[] = {
    {NID_rsaEncryption, "RSA", KEY_INTEGER, 2048, 0},
    {NID_rsa, "RSA", KEY_INTEGER, 2048, 0},
    {NID_rsassaPss, "RSA-PSS", KEY_INTEGER, 2048, 0},
    {NID_dsa, "DSA", KEY_PARAMETERS, 2048, 0},
    {NID_dhKeyAgreement, "DH", KEY_PARAMETERS, 2048, 0},
    {NID_dhpublicnumber, "DH", KEY_PARAMETERS, 2048, 0},
    {NID_X9_62_id_ecPublicKey, "EC", KEY_CURVE, 224, 0},
    {NID_ED25519, "Ed25519", KEY_FIXED, 0, 256}, /* RFC 8032 5.1, 5.2 */
    {NID_ED448, "Ed448", KEY_FIXED, 0, 456},
};

/* text_bound returns how many of `length` bytes fit into `most`, without cutting a UTF-8 sequence.
 */
static size_t text_bound(const char *bytes, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most && ((unsigned char)bytes[most] & 0xc0) == 0x80)
        most--;
    return most;
}

/* text_new returns a string (new) of at most `most` bytes; what is cut shows as "...". */
static char *text_new(const char *bytes, size_t length, size_t most)
{
    size_t kept = text_bound(bytes, length, most);
    char *text = memory_new(kept + sizeof "...");
    if (!text)
        return NULL;
    memcpy(text, bytes, kept);
    if (kept < length)
        memcpy(text + kept, "...", sizeof "...");
    return text;
}

/* A NUL would end a string before its end, and let "mx.example.net\0.evil.example" pass for
 * another. */
static size_t escaped_length(struct slice bytes)
{
    size_t length = bytes.length;
    for (size_t i = 0; i < bytes.length; i++)
        length += bytes.data[i] ? 0 : 2;
    return length;
}

/* escape writes bytes, NUL as \00, and a NUL at the end; returns where it stopped, behind that. */
static char *escape(struct slice bytes, char *out)
{
    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.data[i]) {
            *out++ = (char)bytes.data[i];
        } else {
            memcpy(out, "\\00", 3);
            out += 3;
        }
    }
    *out++ = '\0';
    return out;
}

static struct slice string_bytes(const ASN1_STRING *string)
{
    return (struct slice){.data = ASN1_STRING_get0_data(string),
                          .length = (size_t)ASN1_STRING_length(string)};
}

/* What is no text of its string type does not come here: libcrypto takes no such certificate. */
static char *read_distinguished_name(const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL, *bytes = NULL;
    if (out && X509_NAME_print_ex(out, name, 0, NAME_FORMAT) >= 0) {
        long length = BIO_get_mem_data(out, &bytes);
        text = text_new(length > 0 ? bytes : "", length > 0 ? (size_t)length : 0,
                        LIMIT_DISTINGUISHED_NAME);
    }
    BIO_free(out);
    return text;
}

/* The first CN; NULL in *out if there is none. False without memory. */
static bool read_common_name(const X509_NAME *subject, char **out)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return true;
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, value);
    struct slice bytes = string_bytes(value);
    if (length >= 0)
        bytes = (struct slice){.data = utf8, .length = (size_t)length};
    char *escaped = memory_new(escaped_length(bytes) + 1);
    if (escaped) {
        escape(bytes, escaped);
        *out = text_new(escaped, strlen(escaped), LIMIT_TEXT);
    }
    memory_free(escaped);
    OPENSSL_free(utf8);
    return *out != NULL;
}

/*
 * RFC 5280 4.1.2.2 allows 20 octets and no negative number; more and others are met. A negative one comes from an issuer that left out a
 * leading zero: libcrypto gives its magnitude, and it is told by its octets, as those who look for the certificate write it.
 */
static char *read_serial(const ASN1_INTEGER *serial)
{
    static const char digits[] = "0123456789ABCDEF";
    struct slice bytes = string_bytes(serial);
    uint8_t octets[LIMIT_SERIAL + 1] = {0};
    size_t length = bytes.length < LIMIT_SERIAL ? bytes.length : LIMIT_SERIAL;
    char text[2 * (LIMIT_SERIAL + 1) + sizeof "..."], *out = text;
    unsigned carry = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0, invert = carry ? 0xff : 0;
    for (size_t i = length; i > 0; i--) {
        unsigned octet = (bytes.data[i - 1] ^ invert) + carry;
        octets[i - 1] = (uint8_t)octet;
        carry = octet >> 8;
    }
    if (invert && length && octets[0] < 0x80)
        out = stpcpy(out, "FF"); /* the sign needs an octet of its own */
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[octets[i] >> 4];
        *out++ = digits[octets[i] & 15];
    }
    if (bytes.length > LIMIT_SERIAL)
        out = stpcpy(out, "...");
    return text_new(text, (size_t)(out - text), sizeof text);
}

/*
 * Days from 1970-01-01 to a day of the Gregorian calendar, in eras of 400 years that begin on
 * 1 March, so that the leap day comes last. timegm is bound to time_t, mktime to a time zone.
 */
static int64_t days_since_1970(int64_t year, int month, int day)
{
    if (month <= 2)
        year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* Seconds since 1970 of an UTCTime or GeneralizedTime (RFC 5280 4.1.2.5), `unknown` if it is none.
 */
static int64_t read_time(const ASN1_TIME *time, int64_t unknown)
{
    struct tm tm;
    if (!ASN1_TIME_to_tm(time, &tm))
        return unknown;
    return days_since_1970(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
           tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
}

/* The name of an algorithm: libcrypto's long or short one, or the dotted OID. */
static char *object_text(const ASN1_OBJECT *object, bool long_name)
{
    char text[128];
    int nid = OBJ_obj2nid(object);
    const char *name = nid == NID_undef ? NULL : long_name ? OBJ_nid2ln(nid) : OBJ_nid2sn(nid);
    if (!name) {
        if (OBJ_obj2txt(text, sizeof text, object, 1) <= 0)
            text[0] = '\0';
        name = text;
    }
    return text_new(name, strlen(name), sizeof text);
}

static const struct key_kind *key_kind_of(const ASN1_OBJECT *algorithm)
{
    int nid = OBJ_obj2nid(algorithm);
    for (size_t i = 0; i < sizeof key_kinds / sizeof key_kinds[0]; i++)
        if (key_kinds[i].nid == nid)
            return &key_kinds[i];
    return NULL;
}

/* Of a number without sign: who leaves out the leading zero means none. */
static int integer_bits(struct slice octets)
{
    while (octets.length && !*octets.data)
        octets.data++, octets.length--;
    if (!octets.length || octets.length > UINT16_MAX / 8)
        return octets.length ? UINT16_MAX : 0;
    int bits = (int)(octets.length - 1) * 8;
    for (unsigned first = *octets.data; first; first >>= 1)
        bits++;
    return bits;
}

/* What an element of that type holds with which `der` begins; empty if it does not. */
static struct slice element(struct slice der, int type)
{
    const unsigned char *next = der.data;
    long length = 0;
    int tag = 0, class = 0, how = ASN1_get_object(&next, &length, &tag, &class, (long)der.length);
    if (how & 0x80 || class != V_ASN1_UNIVERSAL || tag != type)
        return (struct slice){0};
    if (how & 1) /* of indefinite length: BER, which libcrypto takes too */
        length = (long)der.length - (next - der.data);
    return (struct slice){next, (size_t)length};
}

/* The size of the number that a SEQUENCE begins with, 0 if it does not. */
static int first_integer_bits(struct slice der)
{
    return integer_bits(element(element(der, V_ASN1_SEQUENCE), V_ASN1_INTEGER));
}

static int curve_bits(int type, const void *parameters)
{
    EC_GROUP *curve = NULL;
    if (type == V_ASN1_OBJECT)
        curve = EC_GROUP_new_by_curve_name(OBJ_obj2nid(parameters));
    if (type == V_ASN1_SEQUENCE) {
        struct slice der = string_bytes(parameters);
        const unsigned char *next = der.data;
        curve = d2i_ECPKParameters(NULL, &next, (long)der.length);
    }
    int bits = curve ? EC_GROUP_order_bits(curve) : 0;
    EC_GROUP_free(curve);
    return bits;
}

/* 0 where it cannot be told. */
static int key_bits(const struct key_kind *kind, const struct tbs_key *key)
{
    int type = 0;
    const void *parameters = NULL;
    X509_ALGOR_get0(NULL, &type, &parameters, key->algorithm);
    switch (kind->size) {
    case KEY_INTEGER: return first_integer_bits(string_bytes(key->bits));
    case KEY_PARAMETERS: return type == V_ASN1_SEQUENCE ? first_integer_bits(string_bytes(parameters)) : 0;
    case KEY_CURVE: return curve_bits(type, parameters);
    case KEY_FIXED: break;
    }
    return kind->bits;
}

/* The algorithm is named also where we do not know it (0 bits then). */
static bool read_key(struct certificate *certificate, const struct tbs_key *key)
{
    const ASN1_OBJECT *algorithm = NULL;
    X509_ALGOR_get0(&algorithm, NULL, NULL, key->algorithm);
    const struct key_kind *kind = key_kind_of(algorithm);
    int bits = kind ? key_bits(kind, key) : 0;
    certificate->key_bits = (uint16_t)bits;
    certificate->key_weak = kind && bits > 0 && bits < kind->least_bits;
    certificate->key =
        kind ? text_new(kind->word, strlen(kind->word), LIMIT_TEXT) : object_text(algorithm, false);
    return certificate->key != NULL;
}

/* The digest of an RSA-PSS signature stands in its parameters; without one it is SHA-1 (RFC
 * 4055 3.1). */
static int pss_digest(const X509_ALGOR *algorithm)
{
    int type = 0, digest = NID_undef;
    const void *value = NULL;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE)
        return NID_undef;
    RSA_PSS_PARAMS *parameters = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (!parameters)
        return NID_undef;
    digest =
        parameters->hashAlgorithm ? OBJ_obj2nid(parameters->hashAlgorithm->algorithm) : NID_sha1;
    RSA_PSS_PARAMS_free(parameters);
    return digest;
}

static bool digest_weak(int nid)
{
    switch (nid) {
    case NID_md2:
    case NID_md4:
    case NID_md5:
    case NID_md5_sha1:
    case NID_sha:
    case NID_sha1: return true;
    default: return false;
    }
}

static bool read_signature(struct certificate *certificate, const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    int digest = NID_undef;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(object);
    if (nid == NID_rsassaPss)
        digest = pss_digest(algorithm);
    else if (nid != NID_undef)
        OBJ_find_sigid_algs(nid, &digest, NULL);
    certificate->signature_weak = digest_weak(digest);
    certificate->signature = object_text(object, true);
    return certificate->signature != NULL;
}

/* The name in an authority key identifier; of several the first counts, and others than names of the directory do not. */
static const X509_NAME *authority_issuer(const AUTHORITY_KEYID *authority)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(authority->issuer); i++)
        if (sk_GENERAL_NAME_value(authority->issuer, i)->type == GEN_DIRNAME)
            return sk_GENERAL_NAME_value(authority->issuer, i)->d.directoryName;
    return NULL;
}

/* Whether the issuer's key that a certificate speaks of can be its own (RFC 5280 4.2.1.1): all that it says has to agree. */
static bool names_itself(const struct tbs *tbs, const AUTHORITY_KEYID *authority)
{
    const X509_NAME *issuer = authority_issuer(authority);
    ASN1_OCTET_STRING *own = X509V3_get_d2i(tbs->extensions, NID_subject_key_identifier, NULL, NULL);
    bool other = (authority->keyid && own && ASN1_OCTET_STRING_cmp(authority->keyid, own) != 0) ||
                 (authority->serial && ASN1_INTEGER_cmp(authority->serial, tbs->serial) != 0) ||
                 (issuer && X509_NAME_cmp(issuer, tbs->issuer) != 0);
    ASN1_OCTET_STRING_free(own);
    return !other;
}

/*
 * Self-signed as far as names and key identifiers tell. The signature is not verified (it costs more than all the rest), nor need
 * libcrypto know its algorithm.
 */
static bool read_self_signed(const struct tbs *tbs)
{
    if (X509_NAME_cmp(tbs->subject, tbs->issuer) != 0)
        return false;
    AUTHORITY_KEYID *authority = X509V3_get_d2i(tbs->extensions, NID_authority_key_identifier, NULL, NULL);
    bool agrees = !authority || names_itself(tbs, authority);
    AUTHORITY_KEYID_free(authority);
    return agrees;
}

/* name_bytes tells the kind of a name and borrows its bytes; false if it is none that is kept. */
static bool name_bytes(const GENERAL_NAME *name, enum certificate_name_kind *kind,
                       struct slice *out)
{
    if (name->type != GEN_DNS && name->type != GEN_IPADD)
        return false;
    *kind = name->type == GEN_DNS ? CERTIFICATE_DNS_NAME : CERTIFICATE_ADDRESS;
    *out = string_bytes(name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress);
    return true;
}

/* name_length returns the bytes that a name takes as text with its NUL; 0 if it is not kept. */
static size_t name_length(enum certificate_name_kind kind, struct slice bytes)
{
    if (kind == CERTIFICATE_ADDRESS)
        return bytes.length == 4 ? INET_ADDRSTRLEN : bytes.length == 16 ? INET6_ADDRSTRLEN : 0;
    size_t length = escaped_length(bytes) + 1;
    return length <= LIMIT_TEXT ? length : 0;
}

static void add_name(struct certificate *certificate, enum certificate_name_kind kind,
                     struct slice bytes, char **text)
{
    char *start = *text;
    certificate->name_kinds[certificate->name_count] = (uint8_t)kind;
    certificate->names[certificate->name_count++] = start;
    if (kind == CERTIFICATE_DNS_NAME) {
        *text = escape(bytes, start);
    } else {
        inet_ntop(bytes.length == 4 ? AF_INET : AF_INET6, bytes.data, start, INET6_ADDRSTRLEN);
        *text = start + strlen(start) + 1;
    }
}

/* One block holds the pointers, the kinds and the texts of all names. */
static bool reserve_names(struct certificate *certificate, size_t count, size_t size, char **text)
{
    char *block = memory_new(count * (sizeof *certificate->names + 1) + size);
    if (!block)
        return false;
    certificate->names = (char **)(void *)block;
    certificate->name_kinds = (uint8_t *)block + count * sizeof *certificate->names;
    *text = block + count * (sizeof *certificate->names + 1);
    return true;
}

/* Two passes over the names: what is kept is counted and measured first. */
static bool keep_names(struct certificate *certificate, const GENERAL_NAMES *names)
{
    enum certificate_name_kind kind;
    struct slice bytes;
    size_t count = 0, size = 0;
    char *text = NULL;
    int all = sk_GENERAL_NAME_num(names);
    for (int i = 0; i < all && count < LIMIT_CERTIFICATE_NAMES; i++) {
        if (!name_bytes(sk_GENERAL_NAME_value(names, i), &kind, &bytes))
            continue;
        size_t length = name_length(kind, bytes);
        count += length != 0;
        size += length;
    }
    if (count && !reserve_names(certificate, count, size, &text))
        return false;
    for (int i = 0; i < all; i++) {
        if (!name_bytes(sk_GENERAL_NAME_value(names, i), &kind, &bytes))
            continue;
        certificate->dns_name_count =
            (uint16_t)(certificate->dns_name_count + (kind == CERTIFICATE_DNS_NAME));
        if (certificate->name_count < count && name_length(kind, bytes))
            add_name(certificate, kind, bytes, &text);
        else
            certificate->names_dropped++;
    }
    return true;
}

/* RFC 5280 4.2.1.6; of several such extensions (4.2 forbids them) the first counts. */
static bool read_names(struct certificate *certificate, const struct tbs *tbs)
{
    int at = -1;
    GENERAL_NAMES *names = X509V3_get_d2i(tbs->extensions, NID_subject_alt_name, NULL, &at);
    bool kept = !names || keep_names(certificate, names);
    GENERAL_NAMES_free(names);
    return kept;
}

static bool read_all(struct certificate *certificate, const struct signed_tbs *all)
{
    const struct tbs *tbs = all->tbs;
    certificate->subject = read_distinguished_name(tbs->subject);
    certificate->issuer = read_distinguished_name(tbs->issuer);
    certificate->serial = read_serial(tbs->serial);
    certificate->not_before = read_time(tbs->validity->notBefore, INT64_MIN);
    certificate->not_after = read_time(tbs->validity->notAfter, INT64_MAX);
    certificate->self_signed = read_self_signed(tbs);
    return certificate->subject && certificate->issuer && certificate->serial &&
           read_common_name(tbs->subject, &certificate->common_name) && read_key(certificate, tbs->key) &&
           read_signature(certificate, all->signature) && read_names(certificate, tbs);
}

enum certificate_verdict certificate_read(struct certificate *certificate, struct slice der)
{
    const unsigned char *next = der.data;
    ASN1_VALUE *value = NULL;
    if (der.length && der.length <= LONG_MAX)
        value = ASN1_item_d2i(NULL, &next, (long)der.length, ASN1_ITEM_rptr(SIGNED_TBS));
    const void *all = value;
    enum certificate_verdict verdict = CERTIFICATE_MALFORMED;
    if (all && next == der.data + der.length)
        verdict = read_all(certificate, all) ? CERTIFICATE_READ : CERTIFICATE_NO_MEMORY;
    ASN1_item_free(value, ASN1_ITEM_rptr(SIGNED_TBS));
    ERR_clear_error();
    certificate->readable = verdict == CERTIFICATE_READ;
    if (!certificate->readable)
        certificate_clear(certificate);
    return verdict;
}

void certificate_clear(struct certificate *certificate)
{
    struct certificate empty = {.references = certificate->references};
    memcpy(empty.sha256, certificate->sha256, sizeof empty.sha256);
    memory_free(certificate->subject);
    memory_free(certificate->issuer);
    memory_free(certificate->serial);
    memory_free(certificate->key);
    memory_free(certificate->signature);
    memory_free(certificate->common_name);
    memory_free(certificate->names);
    *certificate = empty;
}
