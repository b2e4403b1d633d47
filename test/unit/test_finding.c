/* SPDX-License-Identifier: BSD-2-Clause */
/* Each finding that a finished record gives: what raises it, and what looks alike and must not. The rules are in mxtap-events(5). */
#include "session/state.h"
#include "unit/test.h"

#define NOW_S 1700000000 /* 2023-11-14 */

struct scene {
    struct session session;
    struct record record;
    struct smtp_facts smtp;
    struct tls_facts tls;
    struct certificate certificate;
};

/* A good TLS 1.2 session: ECDHE-RSA-AES256-GCM, a certificate that is in order, SNI mx.example.net. */
static void good(struct scene *s)
{
    static char subject[] = "CN=mx.example.net", name[] = "mx.example.net";
    static char *names[] = {name};
    static uint8_t kinds[] = {0};
    memset(s, 0, sizeof *s);
    s->certificate = (struct certificate){.readable = true,
                                          .not_before = NOW_S - 1000,
                                          .not_after = NOW_S + 1000,
                                          .subject = subject,
                                          .issuer = subject,
                                          .names = names,
                                          .name_kinds = kinds,
                                          .name_count = 1,
                                          .dns_name_count = 1};
    s->tls = (struct tls_facts){.established = true,
                                .have_server_hello = true,
                                .have_client_hello = true,
                                .have_cipher = true,
                                .version = 0x0303,
                                .client_max_version = 0x0304,
                                .cipher = 0xc030,
                                .server_name = {0, 14},
                                .client = {.flags = TLS_HAS_RENEGOTIATION_INFO},
                                .server = {.flags = TLS_HAS_RENEGOTIATION_INFO, .certificate = &s->certificate}};
    s->smtp.starttls = STARTTLS_ACCEPTED;
    s->record = (struct record){.time_ns = NOW_S * INT64_C(1000000000),
                                .outcome = OUTCOME_TLS,
                                .have_smtp = true,
                                .smtp = &s->smtp,
                                .tls = &s->tls,
                                .text = "mx.example.net"};
    s->session.dialog.seen = SMTP_SEEN_EHLO_250 | SMTP_SEEN_OFFER;
}

static uint64_t found(const struct scene *s)
{
    return session_findings(&s->session, &s->record);
}

#define HAS(scene, finding) CHECK(found(scene) >> (finding)&1)
#define LACKS(scene, finding) CHECK(!(found(scene) >> (finding)&1))

static void test_nothing(void)
{
    struct scene s;
    good(&s);
    CHECK_INT(found(&s), 0);
}

static void test_offer(void)
{
    struct scene s;
    good(&s);
    s.record.tls = NULL;
    s.record.outcome = OUTCOME_PLAINTEXT;
    s.smtp.starttls = STARTTLS_NOT_OFFERED;
    s.session.dialog.seen = SMTP_SEEN_EHLO_250;
    HAS(&s, FINDING_STARTTLS_NOT_OFFERED);
    LACKS(&s, FINDING_STARTTLS_IGNORED);
    s.session.dialog.seen = 0; /* HELO, or a reply in a hole */
    s.smtp.starttls = STARTTLS_UNSEEN;
    LACKS(&s, FINDING_STARTTLS_NOT_OFFERED);
    s.smtp.starttls = STARTTLS_OFFERED;
    HAS(&s, FINDING_STARTTLS_IGNORED);
    s.record.outcome = OUTCOME_NO_MAIL; /* a probe that sent no mail ignored nothing */
    LACKS(&s, FINDING_STARTTLS_IGNORED);
    s.smtp.starttls = STARTTLS_REFUSED;
    HAS(&s, FINDING_STARTTLS_REFUSED);
    s.smtp.starttls = STARTTLS_REQUESTED; /* no reply is no refusal */
    LACKS(&s, FINDING_STARTTLS_REFUSED);
}

static void test_masked(void)
{
    struct scene s;
    good(&s);
    s.session.dialog.seen |= SMTP_SEEN_MASKED_KEYWORD;
    HAS(&s, FINDING_STARTTLS_MASKED);
    s.session.dialog.seen = SMTP_SEEN_MASKED_COMMAND;
    HAS(&s, FINDING_STARTTLS_MASKED);
    s.session.dialog.seen = SMTP_SEEN_TLS_REQUIRED;
    LACKS(&s, FINDING_STARTTLS_MASKED);
    HAS(&s, FINDING_MAIL_REFUSED_WITHOUT_TLS);
}

static void test_version(void)
{
    struct scene s;
    good(&s);
    s.tls.version = 0x0302;
    HAS(&s, FINDING_VERSION_OBSOLETE);
    s.tls.version = 0x0304;
    s.tls.cipher = 0x1302;
    LACKS(&s, FINDING_VERSION_OBSOLETE);
    s.tls.version = 0x7f17; /* draft 23 is 1.3 */
    LACKS(&s, FINDING_VERSION_OBSOLETE);
    s.tls.version = 0x0301;
    s.tls.established = false; /* nothing was protected with it */
    LACKS(&s, FINDING_VERSION_OBSOLETE);
}

/* Suites by their registered names: id, and the one finding that they give. */
static void test_cipher(void)
{
    static const struct {
        uint16_t id;
        int finding, not_it;
    } rows[] = {
        {0x0005, FINDING_CIPHER_INSECURE, FINDING_CIPHER_WEAK},      /* RSA_WITH_RC4_128_SHA */
        {0x0003, FINDING_CIPHER_INSECURE, FINDING_CIPHER_ANONYMOUS}, /* RSA_EXPORT_WITH_RC4_40_MD5 */
        {0x003b, FINDING_CIPHER_INSECURE, FINDING_CIPHER_WEAK},      /* RSA_WITH_NULL_SHA256 */
        {0x0009, FINDING_CIPHER_INSECURE, FINDING_CIPHER_WEAK},      /* RSA_WITH_DES_CBC_SHA */
        {0xc018, FINDING_CIPHER_ANONYMOUS, FINDING_CIPHER_INSECURE}, /* ECDH_anon_WITH_AES_128_CBC_SHA */
        {0x000a, FINDING_CIPHER_WEAK, FINDING_CIPHER_INSECURE},      /* RSA_WITH_3DES_EDE_CBC_SHA */
        {0x0007, FINDING_CIPHER_WEAK, FINDING_CIPHER_INSECURE},      /* RSA_WITH_IDEA_CBC_SHA */
        {0x0096, FINDING_CIPHER_WEAK, FINDING_CIPHER_INSECURE},      /* RSA_WITH_SEED_CBC_SHA */
        {0x002f, FINDING_NO_FORWARD_SECRECY, FINDING_CIPHER_WEAK},   /* RSA_WITH_AES_128_CBC_SHA */
        {0xc004, FINDING_NO_FORWARD_SECRECY, FINDING_CIPHER_WEAK},   /* ECDH_ECDSA_WITH_AES_128_CBC_SHA: static ECDH */
    };
    struct scene s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        good(&s);
        s.tls.cipher = rows[i].id;
        HAS(&s, rows[i].finding);
        LACKS(&s, rows[i].not_it);
        s.tls.established = false;
        LACKS(&s, rows[i].finding);
    }
    good(&s);
    s.tls.cipher = 0xc013; /* ECDHE_RSA_WITH_AES_128_CBC_SHA: CBC with SHA-1 alone is none */
    CHECK_INT(found(&s), 0);
    s.tls.cipher = 0x1301; /* 1.3 names no key exchange, and always has one that is ephemeral */
    s.tls.version = 0x0304;
    CHECK_INT(found(&s), 0);
}

static void test_handshake(void)
{
    struct scene s;
    good(&s);
    s.tls.server_compression = 1;
    HAS(&s, FINDING_TLS_COMPRESSION);
    good(&s);
    s.tls.server.flags = 0;
    HAS(&s, FINDING_INSECURE_RENEGOTIATION);
    s.tls.client.flags = 0; /* a client that does not ask gets no answer */
    LACKS(&s, FINDING_INSECURE_RENEGOTIATION);
    s.tls.client.flags = TLS_HAS_RENEGOTIATION_INFO;
    s.tls.version = 0x0304; /* 1.3 has no renegotiation, and its ServerHello no such extension */
    LACKS(&s, FINDING_INSECURE_RENEGOTIATION);
}

static void test_downgrade(void)
{
    struct scene s;
    good(&s); /* chose 1.2 although 1.3 was offered */
    s.tls.server_supports = 0x0304;
    HAS(&s, FINDING_TLS_DOWNGRADE);
    s.tls.client_max_version = 0x0303; /* an honest server of 1.3 tells every older client so */
    LACKS(&s, FINDING_TLS_DOWNGRADE);
    s.tls.server_supports = 0x0303;
    s.tls.version = 0x0301;
    HAS(&s, FINDING_TLS_DOWNGRADE);
    s.tls.client_max_version = 0x0301;
    LACKS(&s, FINDING_TLS_DOWNGRADE);
    s.tls.server_supports = 0;
    s.tls.client.flags = TLS_HAS_FALLBACK_SCSV; /* alone it is only a client that tried again */
    LACKS(&s, FINDING_TLS_DOWNGRADE);
    s.tls = (struct tls_facts){.have_alert = true, .alert_level = 2, .alert_code = 86};
    HAS(&s, FINDING_TLS_DOWNGRADE); /* inappropriate_fallback, RFC 7507 */
    s.tls.alert_code = 70;
    LACKS(&s, FINDING_TLS_DOWNGRADE);
}

static void test_certificate_times(void)
{
    struct scene s;
    good(&s);
    s.certificate.not_after = NOW_S - 1;
    HAS(&s, FINDING_CERTIFICATE_EXPIRED);
    s.certificate.not_after = NOW_S; /* inclusive, RFC 5280 4.1.2.5 */
    LACKS(&s, FINDING_CERTIFICATE_EXPIRED);
    s.certificate.not_before = NOW_S + 1;
    HAS(&s, FINDING_CERTIFICATE_NOT_YET_VALID);
    s.certificate.not_before = NOW_S;
    LACKS(&s, FINDING_CERTIFICATE_NOT_YET_VALID);
    s.certificate.not_after = NOW_S - 1;
    s.certificate.readable = false;
    LACKS(&s, FINDING_CERTIFICATE_EXPIRED);
}

static void test_certificate(void)
{
    struct scene s;
    good(&s);
    s.certificate.key_weak = true;
    HAS(&s, FINDING_CERTIFICATE_KEY_SMALL);
    good(&s);
    s.tls.dh_bits = 1024;
    HAS(&s, FINDING_CERTIFICATE_KEY_SMALL);
    s.tls.dh_bits = 2048;
    LACKS(&s, FINDING_CERTIFICATE_KEY_SMALL);
    s.certificate.signature_weak = true;
    HAS(&s, FINDING_CERTIFICATE_SIGNATURE_WEAK);
    s.certificate.self_signed = true; /* nobody checks the signature of a root */
    LACKS(&s, FINDING_CERTIFICATE_SIGNATURE_WEAK);
    HAS(&s, FINDING_CERTIFICATE_SELF_SIGNED);
    good(&s);
    s.record.text = "mx.example.org";
    HAS(&s, FINDING_CERTIFICATE_NAME_MISMATCH);
    s.tls.server_name.length = 0; /* without SNI there is no reference; the banner is none */
    LACKS(&s, FINDING_CERTIFICATE_NAME_MISMATCH);
    s.tls.server_name.length = 14;
    s.certificate.names_dropped = 1; /* the name may be among those that were not kept */
    LACKS(&s, FINDING_CERTIFICATE_NAME_MISMATCH);
}

int main(void)
{
    test_nothing();
    test_offer();
    test_masked();
    test_version();
    test_cipher();
    test_handshake();
    test_downgrade();
    test_certificate_times();
    test_certificate();
    return TEST_END();
}
