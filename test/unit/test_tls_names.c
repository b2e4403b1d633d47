/* SPDX-License-Identifier: BSD-2-Clause */
/* Names (IANA registries) and traits of code points. */
#include "proto/tls_names.h"
#include "unit/test.h"

static void test_ciphers(void)
{
    static const struct {
        uint16_t id;
        const char *name;
    } cases[] = {
        {0x0000, "TLS_NULL_WITH_NULL_NULL"},
        {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
        {0x001d, "SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA"},
        {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
        {0x0047, NULL},
        {0x0060, "TLS_RSA_EXPORT1024_WITH_RC4_56_MD5"},
        {0x006f, "TLS_ASCONAEAD128_SHA256"},
        {0x0081, "TLS_GOSTR341001_WITH_28147_CNT_IMIT"},
        {0x00c7, "TLS_SM4_CCM_SM3"},
        {0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
        {0x0a0a, NULL}, /* GREASE */
        {0x1301, "TLS_AES_128_GCM_SHA256"},
        {0x1306, "TLS_AEGIS_256_SHA512"},
        {0x1307, "TLS_AEGIS_128L_SHA256"},
        {0x1308, NULL},
        {0x5600, "TLS_FALLBACK_SCSV"},
        {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8"},
        {0xc0b0, "TLS_ECCPWD_WITH_AES_128_GCM_SHA256"},
        {0xc0b4, "TLS_SHA256_SHA256"},
        {0xc106, "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S"},
        {0xcc13, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xccae, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256"},
        {0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256"},
        {0xe011, "ECDHE_SM4_CBC_SM3"},
        {0xfeff, "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA"},
        {0xffe1, "SSL_RSA_FIPS_WITH_DES_CBC_SHA"},
        {0xffff, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_TEXT(tls_cipher_name(cases[i].id), cases[i].name);
    unsigned registered = 0, all = 0, traits = 0;
    for (unsigned id = 0; id <= UINT16_MAX; id++) {
        bool named = tls_cipher_name((uint16_t)id) != NULL;
        traits +=
            (tls_cipher_traits((uint16_t)id) & TLS_CIPHER_KNOWN) == (named ? TLS_CIPHER_KNOWN : 0);
        all += named;
        registered += named && id != 0x1c && id != 0x1d && !(id >= 0x60 && id <= 0x66) &&
                      !(id >= 0x80 && id <= 0x83) && !(id >= 0x16b7 && id <= 0x16ba) &&
                      id != 0xc0ff && !(id >= 0xcc13 && id <= 0xcc15) && id < 0xe000;
    }
    CHECK_INT(registered, 356); /* entries of the registry on 2026-09-29 */
    CHECK_INT(all, 416);
    CHECK_INT(traits, UINT16_MAX + 1); /* known where named, and only there */
}

/* Traits, worked out by hand from the RFCs that define the suites. */
static void test_traits(void)
{
    enum {
        FS = TLS_CIPHER_FORWARD_SECRECY,
        BAD = TLS_CIPHER_INSECURE,
        WEAK = TLS_CIPHER_WEAK,
        ANON = TLS_CIPHER_ANONYMOUS,
        T13 = FS | TLS_CIPHER_TLS13,
        ECDHE = FS | TLS_CIPHER_ECDHE,
        DHE = FS | TLS_CIPHER_DHE,
        PSK = TLS_CIPHER_PSK,
        S384 = TLS_CIPHER_SHA384,
        TAG8 = TLS_CIPHER_TAG8,
    };
    static const struct {
        uint16_t id;
        unsigned traits;
    } cases[] = {
        {0x0000, BAD},               /* NULL_WITH_NULL_NULL */
        {0x0001, BAD},               /* RSA NULL MD5 */
        {0x0002, BAD},               /* RSA NULL SHA */
        {0x0003, BAD},               /* RSA_EXPORT RC4_40 MD5 */
        {0x0005, BAD},               /* RSA RC4 SHA */
        {0x0007, WEAK},              /* RSA IDEA SHA */
        {0x0008, BAD},               /* RSA_EXPORT DES40 */
        {0x0009, BAD},               /* RSA DES */
        {0x000a, WEAK},              /* RSA 3DES SHA */
        {0x000d, WEAK},              /* DH_DSS 3DES: static DH */
        {0x0011, BAD | DHE},         /* DHE_DSS_EXPORT DES40 */
        {0x0016, WEAK | DHE},        /* DHE_RSA 3DES */
        {0x0017, BAD | DHE | ANON},  /* DH_anon_EXPORT RC4_40 MD5 */
        {0x001b, WEAK | DHE | ANON}, /* DH_anon 3DES */
        {0x001c, BAD},               /* FORTEZZA NULL */
        {0x0023, BAD | WEAK},        /* KRB5 3DES MD5 */
        {0x0025, BAD | WEAK},        /* KRB5 IDEA MD5 */
        {0x0026, BAD},               /* KRB5_EXPORT DES_CBC_40 SHA */
        {0x002d, BAD | DHE | PSK},   /* DHE_PSK NULL SHA */
        {0x002f, 0},                 /* RSA AES_128 CBC SHA: CBC with SHA-1 alone is no finding */
        {0x0030, 0},                 /* DH_DSS: static */
        {0x0033, DHE},
        {0x0034, DHE | ANON},
        {0x0063, BAD | DHE}, /* DHE_DSS_EXPORT1024 DES */
        {0x0066, BAD | DHE}, /* DHE_DSS RC4 SHA */
        {0x0096, WEAK},      /* RSA SEED */
        {0x009d, S384},
        {0x009f, DHE | S384},
        {0x00a8, PSK}, /* PSK alone: no forward secrecy */
        {0x00ab, DHE | PSK | S384},
        {0x00ad, PSK | S384}, /* RSA_PSK */
        {0x00c6, T13},        /* SM4_GCM_SM3 */
        {0x00ff, TLS_CIPHER_SIGNALLING},
        {0x0070, T13}, /* AES_128_GCM_ASCONHASH256 */
        {0x1301, T13},
        {0x1302, T13 | S384},
        {0x1304, T13},        /* CCM */
        {0x1305, T13 | TAG8}, /* CCM_8 */
        {0x1306, T13 | TLS_CIPHER_SHA512},
        {0x1307, T13},
        {0x5600, TLS_CIPHER_SIGNALLING},
        {0x16b9, FS | S384},   /* CECPQ1 */
        {0xc002, BAD},         /* ECDH_ECDSA RC4: static */
        {0xc006, BAD | ECDHE}, /* ECDHE_ECDSA NULL */
        {0xc012, WEAK | ECDHE},
        {0xc019, ECDHE | ANON},
        {0xc01b, WEAK | FS}, /* SRP_SHA_RSA 3DES */
        {0xc01e, FS},        /* SRP_SHA_RSA AES */
        {0xc02f, ECDHE},
        {0xc030, ECDHE | S384},
        {0xc032, S384}, /* ECDH_RSA: static */
        {0xc036, ECDHE | PSK},
        {0xc0a0, TAG8},             /* RSA CCM_8 */
        {0xc0aa, DHE | PSK | TAG8}, /* PSK_DHE CCM_8 */
        {0xc0ae, ECDHE | TAG8},
        {0xc0b1, FS | S384},                       /* ECCPWD */
        {0xc0b4, T13 | BAD | TLS_CIPHER_TAG_HASH}, /* integrity only (RFC 9150) */
        {0xc0b5, T13 | BAD | S384 | TLS_CIPHER_TAG_HASH},
        {0xc0ff, FS | TAG8},  /* ECJPAKE */
        {0xc100, 0},          /* GOST 1.2: key transport */
        {0xc103, T13},        /* GOST 1.3, Kuznyechik */
        {0xc104, T13 | TAG8}, /* GOST 1.3, Magma */
        {0xcc14, ECDHE},
        {0xccab, PSK},
        {0xd003, ECDHE | PSK | TAG8},
        {0xe013, 0},    /* ECC_SM4 */
        {0xfefe, BAD},  /* FIPS DES */
        {0xfeff, WEAK}, /* FIPS 3DES */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(tls_cipher_traits(cases[i].id), cases[i].traits | TLS_CIPHER_KNOWN);
    CHECK_INT(tls_cipher_traits(0x4a4a), 0);
    CHECK_INT(tls_cipher_traits(0xffff), 0);
}

static void test_ssl2(void)
{
    CHECK_TEXT(ssl2_cipher_name(0x010080), "SSL2_RC4_128_WITH_MD5");
    CHECK_TEXT(ssl2_cipher_name(0x0700c0), "SSL2_DES_192_EDE3_CBC_WITH_MD5");
    CHECK_TEXT(ssl2_cipher_name(0x080080), "SSL2_RC4_64_WITH_MD5");
    CHECK_TEXT(ssl2_cipher_name(0x00002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
    CHECK_TEXT(ssl2_cipher_name(0x00ffff), NULL);
    CHECK_TEXT(ssl2_cipher_name(0x1010080), NULL);
    CHECK_INT(ssl2_cipher_traits(0x060040), TLS_CIPHER_KNOWN | TLS_CIPHER_INSECURE);
    CHECK_INT(ssl2_cipher_traits(0x0701c0), TLS_CIPHER_KNOWN | TLS_CIPHER_WEAK);
    CHECK_INT(ssl2_cipher_traits(0x040080), TLS_CIPHER_KNOWN | TLS_CIPHER_INSECURE);
    CHECK_INT(ssl2_cipher_traits(0x00c02f), tls_cipher_traits(0xc02f));
    CHECK_INT(ssl2_cipher_traits(0x123456), 0);
}

static void test_sizes(void)
{
    static const struct {
        uint16_t id;
        unsigned hash, tag;
    } cases[] = {
        {0x1301, 32, 16}, {0x1302, 48, 16}, {0x1303, 32, 16}, {0x1305, 32, 8}, {0x1306, 64, 16},
        {0x00c6, 32, 16}, {0xc0b4, 32, 32}, {0xc0b5, 48, 48}, {0xc104, 32, 8}, {0xffff, 32, 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(tls13_hash_size(cases[i].id), cases[i].hash);
        CHECK_INT(tls13_tag_size(cases[i].id), cases[i].tag);
    }
}

static void test_groups(void)
{
    static const struct {
        uint16_t id;
        const char *name;
        bool post_quantum;
    } cases[] = {
        {0, NULL, false},
        {1, "sect163k1", false},
        {23, "secp256r1", false},
        {25, "secp521r1", false},
        {28, "brainpoolP512r1", false},
        {29, "x25519", false},
        {30, "x448", false},
        {31, "brainpoolP256r1tls13", false},
        {34, "GC256A", false},
        {40, "GC512C", false},
        {41, "curveSM2", false},
        {42, NULL, false},
        {0x0100, "ffdhe2048", false},
        {0x0104, "ffdhe8192", false},
        {0x0200, "MLKEM512", true},
        {0x0202, "MLKEM1024", true},
        {0x11eb, "SecP256r1MLKEM768", true},
        {0x11ec, "X25519MLKEM768", true},
        {0x11ed, "SecP384r1MLKEM1024", true},
        {0x11ee, "curveSM2MLKEM768", true},
        {0x2f3a, "p256_kyber512", true},
        {0x4138, "CECPQ2", true},
        {0x6399, "X25519Kyber768Draft00", true},
        {0x639a, "SecP256r1Kyber768Draft00", true},
        {0xfe30, "X25519Kyber512Draft00", true},
        {0xfe32, "CECPQ2b", false}, /* SIKE is broken */
        {0xff01, "arbitrary_explicit_prime_curves", false},
        {0x1a1a, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_TEXT(tls_group_name(cases[i].id), cases[i].name);
        CHECK_INT(tls_group_post_quantum(cases[i].id), cases[i].post_quantum);
    }
}

static void test_other_names(void)
{
    CHECK_TEXT(tls_signature_name(0x0201), "rsa_pkcs1_sha1");
    CHECK_TEXT(tls_signature_name(0x0101), "rsa_pkcs1_md5");
    CHECK_TEXT(tls_signature_name(0x0202), "dsa_sha1");
    CHECK_TEXT(tls_signature_name(0x0403), "ecdsa_secp256r1_sha256");
    CHECK_TEXT(tls_signature_name(0x0303), "ecdsa_sha224");
    CHECK_TEXT(tls_signature_name(0x0807), "ed25519");
    CHECK_TEXT(tls_signature_name(0x0905), "mldsa65");
    CHECK_TEXT(tls_signature_name(0x091c), "slhdsa_shake_256f");
    CHECK_TEXT(tls_signature_name(0x0841), "gostr34102012_512");
    CHECK_TEXT(tls_signature_name(0x0000), NULL);
    CHECK_TEXT(tls_alert_name(0), "close_notify");
    CHECK_TEXT(tls_alert_name(40), "handshake_failure");
    CHECK_TEXT(tls_alert_name(70), "protocol_version");
    CHECK_TEXT(tls_alert_name(86), "inappropriate_fallback");
    CHECK_TEXT(tls_alert_name(117), "general_error");
    CHECK_TEXT(tls_alert_name(121), "ech_required");
    CHECK_TEXT(tls_alert_name(2), NULL);
    CHECK_TEXT(tls_alert_name(255), NULL);
    CHECK_TEXT(tls_handshake_name(0), "hello_request");
    CHECK_TEXT(tls_handshake_name(2), "server_hello");
    CHECK_TEXT(tls_handshake_name(24), "key_update");
    CHECK_TEXT(tls_handshake_name(254), "message_hash");
    CHECK_TEXT(tls_handshake_name(7), NULL);
}

static void test_versions(void)
{
    static const struct {
        uint16_t id;
        enum tls_version rank;
        const char *name;
    } cases[] = {
        {0x0002, TLS_VERSION_SSL2, "SSLv2"},
        {0x0300, TLS_VERSION_SSL3, "SSLv3"},
        {0x0301, TLS_VERSION_TLS10, "TLSv1"},
        {0x0302, TLS_VERSION_TLS11, "TLSv1.1"},
        {0x0303, TLS_VERSION_TLS12, "TLSv1.2"},
        {0x0304, TLS_VERSION_TLS13, "TLSv1.3"},
        {0x7f12, TLS_VERSION_TLS13, "TLSv1.3-draft18"},
        {0x7f1c, TLS_VERSION_TLS13, "TLSv1.3-draft28"},
        {0x7f01, TLS_VERSION_TLS13, "TLSv1.3-draft1"},
        {0xfb1a, TLS_VERSION_TLS13, "TLSv1.3-fb1a"},
        {0xfb17, TLS_VERSION_TLS13, "TLSv1.3-fb17"},
        {0x7e02, TLS_VERSION_TLS13, "TLSv1.3-7e02"},
        {0x0000, TLS_VERSION_NONE, NULL},
        {0x0200, TLS_VERSION_NONE, NULL},
        {0x0305, TLS_VERSION_NONE, NULL},
        {0x7f00, TLS_VERSION_NONE, NULL},
        {0x7f1d, TLS_VERSION_NONE, NULL},
        {0x7e00, TLS_VERSION_NONE, NULL},
        {0x7e04, TLS_VERSION_NONE, NULL},
        {0xfb16, TLS_VERSION_NONE, NULL},
        {0xfb1d, TLS_VERSION_NONE, NULL},
        {0x7a7a, TLS_VERSION_NONE, NULL},
        {0xfeff, TLS_VERSION_NONE, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[TLS_VERSION_NAME];
        CHECK_INT(tls_version_rank(cases[i].id), cases[i].rank);
        CHECK_TEXT(tls_version_name(cases[i].id, name), cases[i].name);
        if (cases[i].name)
            CHECK_INT(word_tls_version_of(name), cases[i].rank);
    }
}

int main(void)
{
    test_ciphers();
    test_traits();
    test_ssl2();
    test_sizes();
    test_groups();
    test_other_names();
    test_versions();
    return TEST_END();
}
