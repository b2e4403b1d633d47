/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events and text lines against lines written by hand from mxtap-events(5). With --print it writes
 * the events, to be held against man/mxtap-events.schema.json.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/memory.h"
#include "proto/tls_hello.h"
#include "unit/event_reference.h"
#include "unit/test.h"
#include "writer/writer.h"

static bool print;
static char wire[60000]; /* the text of the record under test */
static size_t wire_length;
static struct smtp_facts smtp;
static struct tls_facts tls;
static struct record record;

static struct text_ref keep_bytes(const void *bytes, size_t length)
{
    struct text_ref ref = {.at = (uint16_t)wire_length, .length = (uint16_t)length};
    memcpy(wire + wire_length, bytes, length);
    wire_length += length;
    return ref;
}

static struct text_ref keep(const char *text)
{
    return keep_bytes(text, strlen(text));
}

static struct address address4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){{a, b, c, d}};
}

/* What every record has: the addresses and the time of the design's example. */
static void begin(enum outcome outcome)
{
    wire_length = 0;
    smtp = (struct smtp_facts){0};
    tls = (struct tls_facts){.limited_by = SIDE_NONE};
    record = (struct record){.uid = 0x9f3c51d27a10be44,
                             .time_ns = 1566828191123456000, /* 2019-08-26T14:03:11.123456Z */
                             .duration_ns = 812400000,
                             .family = 4,
                             .client_family = 4,
                             .client_ip = address4(192, 0, 2, 10),
                             .server_ip = address4(198, 51, 100, 25),
                             .client_port = 51344,
                             .server_port = 25,
                             .client_bytes = 48211,
                             .server_bytes = 5120,
                             .outcome = outcome,
                             .end = END_FIN,
                             .end_from = SIDE_CLIENT,
                             .text = wire};
}

static void with_smtp(enum starttls starttls)
{
    smtp.starttls = (uint8_t)starttls;
    record.smtp = &smtp;
    record.have_smtp = true;
}

static void with_tls(void)
{
    record.tls = &tls;
}

/* The same event by way of jansson, byte for byte. */
static bool equals_reference(const struct line *line, const struct reference_line *reference)
{
    return !reference->failed && line->length == reference->length &&
           memcmp(line->data, reference->data, line->length) == 0;
}

/* Both formats into one static line; NULL if it failed. Every event is also read back, held against
 * the limits and against the reference. */
static const char *written(const char *format)
{
    static char text[LIMIT_EVENT + 1];
    struct line line = {0};
    format_of(format)->session(&line, &record);
    bool good = !line.failed && line.length > 0 && line.length <= LIMIT_EVENT &&
                line.data[line.length - 1] == '\n';
    if (good) {
        memcpy(text, line.data, line.length);
        text[line.length - 1] = '\0';
        good = !strchr(text, '\n');
    }
    if (good && strcmp(format, "mxtap") == 0) {
        static struct reference_line reference;
        json_t *event = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        reference = (struct reference_line){0};
        reference_write_session(&reference, &record);
        good = event != NULL && equals_reference(&line, &reference);
        json_decref(event);
        if (print)
            printf("%s\n", text);
    }
    line_free(&line);
    return good ? text : NULL;
}

#define HEAD                                                                                       \
    "{\"event_type\":\"session\",\"schema\":1,\"uid\":\"9f3c51d27a10be44\",\"time\":\"2019-08-"    \
    "26T14:03:11.123456Z\","
#define PEERS                                                                                      \
    "\"client\":{\"ip\":\"192.0.2.10\",\"port\":51344,\"bytes\":48211},"                           \
    "\"server\":{\"ip\":\"198.51.100.25\",\"port\":25,\"bytes\":5120},"

static const uint8_t digest_of_nothing[32] = {/* SHA-256 of no bytes, FIPS 180-4 */
                                              0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                              0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                              0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                              0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
#define DIGEST_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char subject[] = "CN=mx.example.net", issuer[] = "CN=Test CA,O=Example", serial[] = "0A1B",
            key[] = "RSA", signature[] = "sha256WithRSAEncryption", name[] = "mx.example.net";
static char *names[] = {name};

static struct certificate certificate(void)
{
    struct certificate leaf = {.readable = true,
                               .key_bits = 2048,
                               .not_before = 1546300800,
                               .not_after = 1577836799,
                               .subject = subject,
                               .issuer = issuer,
                               .serial = serial,
                               .key = key,
                               .signature = signature,
                               .names = names,
                               .name_count = 1,
                               .dns_name_count = 1};
    memcpy(leaf.sha256, digest_of_nothing, sizeof leaf.sha256);
    return leaf;
}

/* The session of the example in mxtap-events(5). */
static void build_example(struct certificate *leaf)
{
    begin(OUTCOME_TLS);
    with_smtp(STARTTLS_ACCEPTED);
    with_tls();
    record.sensor = "gw1";
    record.interface = "eth0";
    record.direction = DIRECTION_INBOUND;
    strcpy(record.community_id, "1:FPywpBw0S0EXzNlm9ICwAHzFiVI=");
    smtp.banner = keep("mx.example.net ESMTP Postfix");
    smtp.banner_code = 220;
    smtp.server_name = keep("mx.example.net");
    smtp.hello = SMTP_HELLO_EHLO;
    smtp.client_name = keep("mail.example.org");
    smtp.reply_code = 220;
    smtp.reply_text = keep("2.0.0 Ready to start TLS");
    smtp.attempts = 1;
    tls = (struct tls_facts){.established = true,
                             .have_server_hello = true,
                             .have_client_hello = true,
                             .have_cipher = true,
                             .version = 0x0303,
                             .cipher = 0xc030,
                             .group = 0x001d,
                             .limited_by = SIDE_SERVER,
                             .began_ns = 1000000000,
                             .established_ns = 1041200000,
                             .client_max_version = 0x0304,
                             .server_name = keep("mx.example.net")};
    tls.client.flags =
        TLS_OFFERS_FORWARD_SECRECY | TLS_OFFERS_POST_QUANTUM | TLS_HAS_EXTENDED_MASTER_SECRET;
    tls.client.saw_message = tls.server.saw_message = true;
    *leaf = certificate();
    tls.server.certificate = leaf;
    tls.server.chain_length = 2;
    record.findings = UINT64_C(1) << FINDING_CERTIFICATE_SELF_SIGNED;
    leaf->self_signed = true;
}

#define LACKS_ALL                                                                                  \
    "\"lacks\":[\"ticket\",\"extended_master_secret\",\"encrypt_then_mac\","                       \
    "\"renegotiation_info\"],"

static void test_example(void)
{
    struct certificate leaf;
    build_example(&leaf);
    CHECK_TEXT(
        written("mxtap"), HEAD
        "\"sensor\":{\"name\":\"gw1\",\"interface\":\"eth0\"},\"direction\":\"inbound\",\"duration_"
        "ms\":812.4,"
        "\"community_id\":\"1:FPywpBw0S0EXzNlm9ICwAHzFiVI=\"," PEERS
        "\"outcome\":\"tls\",\"end\":{\"how\":\"fin\",\"from\":\"client\"},"
        "\"smtp\":{\"banner\":\"mx.example.net ESMTP "
        "Postfix\",\"server_name\":\"mx.example.net\",\"hello\":\"EHLO\","
        "\"client_name\":\"mail.example.org\",\"starttls\":\"accepted\","
        "\"starttls_reply\":{\"code\":220,\"text\":\"2.0.0 Ready to start TLS\"}},"
        "\"tls\":{\"established\":true,\"version\":\"TLSv1.2\",\"version_id\":\"0x0303\","
        "\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\",\"cipher_id\":\"0xc030\",\"group\":"
        "\"x25519\","
        "\"group_id\":\"0x001d\",\"limited_by\":\"server\",\"resumed\":false,\"handshake_ms\":41.2,"
        "\"client\":{\"max_version\":\"TLSv1.3\",\"server_name\":\"mx.example.net\",\"forward_"
        "secrecy\":true,"
        "\"post_quantum\":true,\"lacks\":[\"ticket\",\"encrypt_then_mac\",\"renegotiation_info\"]},"
        "\"server\":{\"x509\":{\"subject\":{\"distinguished_name\":\"CN=mx.example.net\"},"
        "\"issuer\":{\"distinguished_name\":\"CN=Test CA,O=Example\"},\"names\":[\"mx.example.net\"],\"serial\":\"0A1B\","
        "\"not_before\":\"2019-01-01T00:00:00Z\",\"not_after\":\"2019-12-31T23:59:59Z\",\"key\":"
        "\"RSA\","
        "\"key_bits\":2048,\"signature\":\"sha256WithRSAEncryption\",\"sha256\":"
        "\"" DIGEST_OF_NOTHING "\","
        "\"self_signed\":true},\"chain_length\":2}},"
        "\"findings\":[\"certificate_self_signed\"]}");
    CHECK_TEXT(written("text"),
               "2019-08-26T14:03:11Z in: TLS connection established from 192.0.2.10:51344 to "
               "198.51.100.25:25: TLSv1.2 with cipher "
               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, limited-by=server, helo=<mail.example.org>, "
               "findings=certificate_self_signed");
}

/* A flow of which next to nothing is known has next to no keys. */
static void test_least(void)
{
    begin(OUTCOME_UNKNOWN);
    record.end = END_EOF;
    record.end_from = SIDE_NONE;
    record.incomplete = INCOMPLETE_GAPS | INCOMPLETE_ONE_SIDED;
    record.duration_ns = 0;
    record.file = "a b\xff.pcap";
    CHECK_TEXT(written("mxtap"),
               HEAD "\"sensor\":{\"file\":\"a b\\\\xff.pcap\"},\"duration_ms\":0.0," PEERS
                    "\"outcome\":\"unknown\",\"end\":{\"how\":\"eof\"},\"incomplete\":[\"gaps\","
                    "\"one_sided\"],\"findings\":[]}");
    CHECK_TEXT(
        written("text"),
        "2019-08-26T14:03:11Z outcome unknown from 192.0.2.10:51344 to 198.51.100.25:25: end=eof, "
        "incomplete=gaps,one_sided");
}

static void test_handshake_failed(void)
{
    begin(OUTCOME_TLS_FAILED);
    with_smtp(STARTTLS_ACCEPTED);
    with_tls();
    record.direction = DIRECTION_OUTBOUND;
    record.end = END_RST;
    record.end_from = SIDE_SERVER;
    smtp.hello = SMTP_HELLO_EHLO;
    smtp.client_name = keep("old.werk.example");
    smtp.attempts = 2;
    smtp.reply_code = 220;
    tls.have_client_hello = true;
    tls.client_max_version = 0x0301;
    tls.have_alert = true;
    tls.alert_from = SIDE_SERVER;
    tls.alert_level = 2;
    tls.alert_code = 70;
    tls.client.saw_message = true;
    tls.client.last_message = 1;
    CHECK_TEXT(written("mxtap"),
               HEAD "\"direction\":\"outbound\",\"duration_ms\":812.4," PEERS
                    "\"outcome\":\"tls_failed\",\"end\":{\"how\":\"rst\",\"from\":\"server\"},"
                    "\"smtp\":{\"hello\":\"EHLO\",\"client_name\":\"old.werk.example\","
                    "\"starttls\":\"accepted\","
                    "\"starttls_reply\":{\"code\":220},\"starttls_attempts\":2},"
                    "\"tls\":{\"established\":false,\"alert\":{\"from\":\"server\",\"level\":"
                    "\"fatal\",\"code\":70,"
                    "\"name\":\"protocol_version\"},\"client\":{\"max_version\":\"TLSv1\","
                    "\"forward_secrecy\":false,"
                    "\"post_quantum\":false," LACKS_ALL "\"last_message\":\"client_hello\"}},\"findings\":[]}");
    CHECK_TEXT(written("text"), "2019-08-26T14:03:11Z out: TLS handshake failed from "
                                "192.0.2.10:51344 to 198.51.100.25:25: alert protocol_version "
                                "(70) by server, offered=TLSv1, helo=<old.werk.example>");
    tls.alert_encrypted = true;
    tls.have_server_hello = true;
    tls.version = 0x0304;
    CHECK(strstr(written("mxtap"), "\"alert\":{\"from\":\"server\",\"encrypted\":true}"));
    CHECK_TEXT(written("text"), "2019-08-26T14:03:11Z out: TLS handshake failed from "
                                "192.0.2.10:51344 to 198.51.100.25:25: encrypted alert by server, "
                                "offered=TLSv1, chosen=TLSv1.3, helo=<old.werk.example>");
    tls.have_alert = tls.have_server_hello = false;
    CHECK(strstr(written("text"), ": end=rst by server, offered=TLSv1, "));
    tls.saw_not_tls = true;
    CHECK(strstr(written("text"), ": what followed is not TLS, offered=TLSv1, "));
    record.tls = NULL;
    CHECK(strstr(written("text"), ": end=rst by server, helo="));
}

static void test_plaintext(void)
{
    begin(OUTCOME_PLAINTEXT);
    with_smtp(STARTTLS_OFFERED);
    smtp.hello = SMTP_HELLO_HELO;
    smtp.client_name = keep("old.werk.example");
    smtp.mail_in_clear = 3;
    smtp.mechanism = keep("PLAIN");
    smtp.sender_domains = keep("werk.example");
    smtp.recipient_domains = keep("example.net,example.org");
    record.direction = DIRECTION_INTERNAL;
    record.findings = UINT64_C(1) << FINDING_PLAINTEXT_FALLBACK | UINT64_C(1)
                                                                      << FINDING_AUTH_IN_CLEAR;
    record.have_fallback = true;
    record.fallback_uid = 0x1f;
    record.fallback_time_ns = 1566828190000000001;
    strcpy(record.fallback_community_id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    CHECK_TEXT(written("mxtap"), HEAD
               "\"direction\":\"internal\",\"duration_ms\":812.4," PEERS
               "\"outcome\":\"plaintext\",\"end\":{\"how\":\"fin\",\"from\":\"client\"},"
               "\"smtp\":{\"hello\":\"HELO\",\"client_name\":\"old.werk.example\",\"starttls\":"
               "\"offered\",\"mail_in_clear\":3,"
               "\"auth_in_clear\":\"PLAIN\",\"sender_domains\":[\"werk.example\"],"
               "\"recipient_domains\":[\"example.net\",\"example.org\"]},\"findings\":[\"plaintext_"
               "fallback\",\"auth_in_clear\"],"
               "\"fallback_of\":{\"uid\":\"000000000000001f\",\"community_id\":\"1:LQU9qZlK+"
               "B5F3KDmev6m5PMibrg=\","
               "\"time\":\"2019-08-26T14:03:10.000000001Z\"}}");
    CHECK_TEXT(written("text"), "2019-08-26T14:03:11Z internal: clear text mail from "
                                "192.0.2.10:51344 to 198.51.100.25:25: messages=3, "
                                "starttls=offered, auth=<PLAIN>, helo=<old.werk.example>, "
                                "findings=plaintext_fallback,auth_in_clear");
}

static void test_no_mail_and_not_smtp(void)
{
    begin(OUTCOME_NO_MAIL);
    with_smtp(STARTTLS_UNSEEN);
    smtp.banner = keep("mx.example.net too busy");
    smtp.banner_code = 421;
    record.direction = DIRECTION_EXTERNAL;
    record.end_from = SIDE_SERVER;
    CHECK(strstr(written("mxtap"),
                 "\"outcome\":\"no_mail\",\"end\":{\"how\":\"fin\",\"from\":\"server\"},"
                 "\"smtp\":{\"banner\":\"mx.example.net too "
                 "busy\",\"banner_code\":421,\"starttls\":\"unseen\"}"));
    CHECK_TEXT(written("text"),
               "2019-08-26T14:03:11Z external: no mail from 192.0.2.10:51344 to 198.51.100.25:25: "
               "end=fin by server, starttls=unseen");
    begin(OUTCOME_NOT_SMTP);
    record.protocol = "SSH";
    CHECK(strstr(
        written("mxtap"),
        "\"end\":{\"how\":\"fin\",\"from\":\"client\"},\"protocol\":\"SSH\",\"findings\":[]}"));
    CHECK_TEXT(written("text"), "2019-08-26T14:03:11Z not SMTP from 192.0.2.10:51344 to "
                                "198.51.100.25:25: end=fin by client, "
                                "protocol=<SSH>");
}

static void test_addresses(void)
{
    begin(OUTCOME_NO_MAIL);
    record.family = record.client_family = 6;
    record.client_ip = (struct address){{0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    record.server_ip = (struct address){{0x20, 0x01, 0x0d, 0xb8, [11] = 1, [15] = 2}};
    record.vlans = 2;
    record.vlan[0] = 10;
    record.vlan[1] = 4094;
    CHECK(
        strstr(written("mxtap"), "\"vlan\":[\"10\",\"4094\"],\"client\":{\"ip\":\"2001:db8::1\","));
    CHECK(strstr(written("text"), " from [2001:db8::1]:51344 to [2001:db8::1:0:2]:25: "));
    record.vlans = 5; /* more seen than kept */
    CHECK(strstr(written("mxtap"), "\"vlan\":[\"10\",\"4094\"],"));
}

/* A client behind a proxy: the packets' own address is told beside it. */
static void test_proxy(void)
{
    begin(OUTCOME_NO_MAIL);
    record.have_proxy = true;
    record.proxy_ip = record.client_ip;
    record.proxy_port = record.client_port;
    record.client_family = 6;
    record.client_ip = (struct address){{0x20, 0x01, 0x0d, 0xb8, [15] = 7}};
    record.client_port = 40000;
    CHECK(strstr(written("mxtap"), "\"client\":{\"ip\":\"2001:db8::7\",\"port\":40000,"));
    CHECK(strstr(written("mxtap"), ",\"proxy\":{\"ip\":\"192.0.2.10\",\"port\":51344},"));
}

static void test_escapes(void)
{
    begin(OUTCOME_NO_MAIL);
    with_smtp(STARTTLS_NOT_OFFERED);
    smtp.hello = SMTP_HELLO_EHLO;
    smtp.client_name = keep_bytes("a\0\"b\\\xff\r\n>, helo=<c", 18);
    smtp.banner = keep("gr\xc3\xbc\xc3\x9f \xe2\x80\xaegnp.exe");
    CHECK(
        strstr(written("mxtap"), "\"banner\":\"gr\xc3\xbc\xc3\x9f \\\\xe2\\\\x80\\\\xaegnp.exe\""));
    CHECK(strstr(written("mxtap"),
                 "\"client_name\":\"a\\\\x00\\\"b\\\\\\\\\\\\xff\\\\x0d\\\\x0a>, helo=<c\""));
    CHECK(strstr(written("text"),
                 "starttls=not_offered, helo=<a\\x00\"b\\\\\\xff\\x0d\\x0a\\x3e, helo=\\x3cc>"));
}

static void build_everything(struct certificate *unread)
{
    static const uint8_t ids[4][8] = {{0xfa, 0xfa, 0x03, 0x04, 0x7f, 0x17, 0x03, 0x01},
                                      {0x0a, 0x0a, 0x13, 0x01, 0x00, 0xff, 0xee, 0xee},
                                      {0x11, 0xec, 0x00, 0x1d, 0x00, 0x17, 0xfe, 0xff},
                                      {0x04, 0x03, 0x08, 0x04, 0x02, 0x01, 0xfe, 0xff}};
    begin(OUTCOME_TLS_FAILED);
    with_tls();
    tls = (struct tls_facts){.have_server_hello = true,
                             .have_client_hello = true,
                             .have_cipher = true,
                             .hello_retry = true,
                             .hello_retry_group = 0x11ec,
                             .resumption = TLS_RESUMED_TICKET,
                             .limited_by = SIDE_NONE,
                             .server_compression = 1,
                             .version = 0x0305,
                             .cipher = 0xeeee,
                             .group = 0xeeee,
                             .dh_bits = 1024,
                             .client_max_version = 0x7f17,
                             .began_ns = 5,
                             .server_supports = 0x0304};
    static struct fingerprint client = {.have_ja3 = true,
                                        .ja3 = {0xde, 0xad},
                                        .ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"},
                              server = {.have_ja3 = true, .ja3 = {0xbe, 0xef}};
    tls.client = (struct tls_side_facts){.flags = UINT32_MAX & ~(uint32_t)TLS_SSL2_FORMAT,
                                         .saw_message = true,
                                         .last_message = 200,
                                         .fingerprint = &client,
                                         .max_fragment = 4,
                                         .chain_length = 1,
                                         .record_size_limit = 16385,
                                         .alpn = keep("smtp,h2,"),
                                         .certificate = unread};
    tls.server = (struct tls_side_facts){.fingerprint = &server, .flags = UINT32_MAX,
                                         .saw_message = true,
                                         .last_message = 14,
                                         .max_fragment = 5,
                                         .alpn = keep("smtp")};
    for (unsigned i = 0; i < 4; i++)
        tls.offers[i] = keep_bytes(ids[i], sizeof ids[i]);
    *unread = certificate();
    unread->readable = false;
}

static void test_everything(void)
{
    struct certificate unread;
    build_everything(&unread);
    const char *event = written("mxtap");
    const char *part = event ? strstr(event, "\"tls\":") : NULL;
#define FACTS_OF_BOTH "\"psk\":true,\"early_data\":true,\"ech\":true,"
#define FACTS_OF_SERVER                                                                            \
    "\"extended_master_secret\":true,\"encrypt_then_mac\":true,\"renegotiation_info\":true,"
    CHECK_TEXT(
        part,
        "\"tls\":{\"established\":false,\"version_id\":\"0x0305\",\"cipher_id\":\"0xeeee\",\"group_"
        "id\":\"0xeeee\","
        "\"dh_bits\":1024,\"resumed\":true,\"resumed_by\":\"ticket\",\"hello_retry\":true,"
        "\"hello_retry_group\":\"X25519MLKEM768\",\"compression\":\"deflate\",\"alpn\":\"smtp\","
        "\"client\":{\"max_version\":\"TLSv1.3-draft23\",\"alpn\":[\"smtp\",\"h2\"],\"forward_"
        "secrecy\":true,"
        "\"post_quantum\":true," FACTS_OF_BOTH
        "\"fallback_scsv\":true,\"compression\":true,\"heartbeat\":true,"
        "\"status_request\":true,\"record_size_limit\":16385,\"max_fragment_length\":4096,"
        "\"ja3\":\"dead0000000000000000000000000000\",\"ja4\":\"t13d1516h2_8daaf6152771_"
        "e5627efa2ab1\","
        "\"versions\":[\"GREASE_0xfafa\",\"TLSv1.3\",\"TLSv1.3-draft23\",\"TLSv1\"],"
        "\"ciphers\":[\"GREASE_0x0a0a\",\"TLS_AES_128_GCM_SHA256\",\"TLS_EMPTY_RENEGOTIATION_INFO_"
        "SCSV\",\"0xeeee\"],"
        "\"groups\":[\"X25519MLKEM768\",\"x25519\",\"secp256r1\",\"0xfeff\"],"
        "\"signature_algorithms\":[\"ecdsa_secp256r1_sha256\",\"rsa_pss_rsae_sha256\",\"rsa_pkcs1_"
        "sha1\",\"0xfeff\"],"
        "\"x509\":{\"sha256\":\"" DIGEST_OF_NOTHING
        "\",\"unread\":true},\"chain_length\":1,\"last_message\":\"0xc8\"},"
        "\"server\":{\"supports\":\"TLSv1.3\",\"ticket\":true," FACTS_OF_BOTH FACTS_OF_SERVER
        "\"heartbeat\":true,\"status_request\":true,"
        "\"ja3s\":\"beef0000000000000000000000000000\",\"last_message\":\"server_hello_done\"}},"
        "\"findings\":[]}");
    CHECK(strstr(written("text"), ": end=fin by client, offered=TLSv1.3-draft23, chosen=0x0305"));
    tls.established = true;
    record.outcome = OUTCOME_TLS;
    CHECK(strstr(written("text"), ": 0x0305 with cipher 0xeeee"));
    tls.hello_retry_group = 0xeeee;
    CHECK(strstr(written("mxtap"), "\"hello_retry_group\":\"0xeeee\""));
    CHECK(!strstr(written("mxtap"), "last_message"));
}

static void test_ssl2(void)
{
    static const uint8_t ciphers[] = {0x01, 0x00, 0x80, 0x00, 0x00, 0x0a, 0xee, 0xee, 0xee};
    begin(OUTCOME_TLS);
    with_tls();
    tls.established = tls.have_server_hello = tls.have_client_hello = tls.have_cipher = true;
    tls.version = 0x0002;
    tls.cipher = 0x010080;
    tls.client_max_version = 0x0002;
    tls.client.flags = TLS_SSL2_FORMAT;
    tls.offers[TLS_OFFER_CIPHERS] = keep_bytes(ciphers, sizeof ciphers);
    const char *event = written("mxtap");
    CHECK_TEXT(event ? strstr(event, "\"tls\":") : NULL,
               "\"tls\":{\"established\":true,\"version\":\"SSLv2\",\"version_id\":\"0x0002\","
               "\"cipher\":\"SSL2_RC4_128_WITH_MD5\",\"cipher_id\":\"0x010080\",\"resumed\":false,"
               "\"client\":{\"max_version\":\"SSLv2\",\"forward_secrecy\":false,\"post_quantum\":"
               "false," LACKS_ALL "\"sslv2_hello\":true,"
               "\"ciphers\":[\"SSL2_RC4_128_WITH_MD5\",\"TLS_RSA_WITH_3DES_EDE_CBC_SHA\","
               "\"0xeeeeee\"]}},\"findings\":[]}");
}

/* Hostile lengths: the event stays below its limit, says that it was cut, and the rest of it is
 * there. */
static void test_limits(void)
{
    static char many_names[600][300];
    static char *pointers[600];
    struct certificate leaf;
    build_example(&leaf);
    char junk[LIMIT_TEXT];
    memset(junk, '\\', sizeof junk);
    smtp.banner = smtp.server_name = smtp.client_name = smtp.reply_text = tls.server_name =
        keep_bytes(junk, sizeof junk);
    CHECK(!strstr(written("mxtap"), "\"cut\"")); /* 512 bytes of each of them still fit whole */
    for (size_t i = 0; i < 600; i++) {
        memset(many_names[i], 1, sizeof many_names[i] - 1);
        pointers[i] = many_names[i];
    }
    char long_name[9000];
    memset(long_name, '"', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    leaf.subject = leaf.issuer = long_name;
    leaf.names = pointers;
    leaf.name_count = 600;
    tls.client.certificate = &leaf;
    for (unsigned i = 0; i < 4; i++)
        tls.offers[i] = keep_bytes(many_names, 10000);
    record.findings = (UINT64_C(1) << FINDING_COUNT) - 1;
    const char *event = written("mxtap");
    CHECK(event && strstr(event, "\"certificate_name_mismatch\"],\"cut\":true}"));
    CHECK(event && strstr(event, "\"cipher\":\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\""));
    CHECK(event && strstr(event, "\"outcome\":\"tls\""));

    build_example(&leaf);
    leaf.names_dropped = 1;
    event = written("mxtap");
    CHECK(event && strstr(event, "],\"cut\":true}"));
}

/* A long list of suites is written whole where there is room for it. */
static void test_long_offer(void)
{
    uint8_t ids[400];
    begin(OUTCOME_TLS_FAILED);
    with_tls();
    tls.have_client_hello = true;
    for (size_t i = 0; i < sizeof ids; i += 2) {
        ids[i] = 0xc0;
        ids[i + 1] = (uint8_t)(i / 2);
    }
    tls.offers[TLS_OFFER_CIPHERS] = keep_bytes(ids, sizeof ids);
    const char *event = written("mxtap");
    CHECK(event && !strstr(event, "\"cut\"") && strstr(event, "\"0xc0c7\"]"));
}

static const char *stats(const struct stats_facts *facts)
{
    static char text[LIMIT_EVENT + 1];
    struct counters counters = {.packets = 1001,
                                .bytes = 2002,
                                .flows_open = 1,
                                .flows_open_peak = 4,
                                .flows_opened = 5,
                                .flows_evicted = 2,
                                .flows_without_payload = 3,
                                .flows_unproven = 2,
                                .sessions = 7,
                                .gaps = 9,
                                .history_forgotten = 6,
                                .clock_leaps = 8};
    counters.outcomes[OUTCOME_TLS] = 6;
    counters.outcomes[OUTCOME_UNKNOWN] = 1;
    counters.versions[TLS_VERSION_TLS11] = 2;
    counters.versions[TLS_VERSION_TLS13] = 4;
    struct line line = {0};
    format_of("mxtap")->stats(&line, &counters, facts);
    snprintf(text, sizeof text, "%.*s", (int)line.length - 1, line.data);
    CHECK(!line.failed && line.data[line.length - 1] == '\n');
    static struct reference_line reference;
    reference = (struct reference_line){0};
    reference_write_stats(&reference, &counters, facts);
    CHECK(equals_reference(&line, &reference));
    line_free(&line);
    if (print)
        printf("%s\n", text);
    return text;
}

#define STATS_HEAD                                                                                 \
    "{\"event_type\":\"stats\",\"schema\":1,\"time\":\"1970-01-01T00:00:01.000000Z\","    \
    "\"started\":\"1970-01-01T00:00:00.250000Z\","
#define STATS_TAIL                                                                                 \
    "\"flows\":{\"open\":1,\"open_peak\":4,\"opened\":5,\"evicted\":2,\"without_payload\":3,"      \
    "\"unproven\":2},"                                                                           \
    "\"sessions\":{\"total\":7,\"outcomes\":{\"plaintext\":0,\"tls\":6,\"tls_failed\":0,\"not_"    \
    "smtp\":0,\"no_mail\":0,"                                                                      \
    "\"unknown\":1},\"versions\":{\"sslv2\":0,\"sslv3\":0,\"tlsv1\":0,\"tlsv1_1\":2,\"tlsv1_2\":"  \
    "0,\"tlsv1_3\":4}},"                                                                           \
    "\"counters\":{\"packets_not_tcp\":0,\"packets_unknown_link\":0,\"packets_malformed\":0,"      \
    "\"packets_truncated\":0,"                                                                     \
    "\"fragments\":0,\"fragments_dropped\":0,\"tunnels_too_deep\":0,\"segments\":0,\"segments_"    \
    "stray\":0,"                                                                                   \
    "\"overlaps_different\":0,\"gaps\":9,\"held_limit\":0,\"buffer_limit\":0,\"certificates_unread\":0,\"records_early\":0," \
    "\"history_forgotten\":6,\"memory_failures\":0,\"events_lost\":0,"                                                     \
    "\"clock_leaps\":8},"

static void test_stats(void)
{
    struct stats_facts facts = {.time_ns = 1000000000, .started_ns = 250000000, .quiet_ns = -1, .bytes_held = 4096};
    CHECK_TEXT(stats(&facts),
               STATS_HEAD "\"packets\":1001,\"bytes\":2002," STATS_TAIL "\"bytes_held\":4096}");
    facts = (struct stats_facts){.time_ns = 1000000000,
                                 .started_ns = 250000000,
                                 .sensor = "gw1",
                                 .interface = "eth0",
                                 .quiet_ns = 61999999999,
                                 .live = true,
                                 .kernel_received = 1001,
                                 .kernel_dropped = 3,
                                 .interface_dropped = 1};
    CHECK_TEXT(
        stats(&facts), STATS_HEAD
        "\"sensor\":{\"name\":\"gw1\",\"interface\":\"eth0\"},\"packets\":1001,\"bytes\":2002,"
        "\"drops\":{\"received\":1001,\"kernel\":3,\"interface\":1}," STATS_TAIL
        "\"bytes_held\":0,\"quiet_s\":61}");
    CHECK(format_of("text")->stats == NULL);
    CHECK(format_of("xml") == NULL);
}

/* Whichever allocation fails: the line is the whole event, or it is marked and not to be written.
 */
static void test_memory(void)
{
    struct certificate leaf;
    build_everything(&leaf);
    char expected[LIMIT_EVENT + 1];
    snprintf(expected, sizeof expected, "%s\n", written("mxtap"));
    unsigned failed = 0, wrong = 0, whole = 0;
    for (uint64_t n = 1; !whole && n < 10000; n++) {
        struct line line = {0};
        memory_fail_at(n);
        format_of("mxtap")->session(&line, &record);
        if (line.failed)
            failed++;
        else if (line.length == strlen(expected) && memcmp(line.data, expected, line.length) == 0)
            whole++;
        else
            wrong++;
        memory_fail_at(0);
        line_free(&line);
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(whole, 1);
    CHECK(failed >= 1);
}

int main(int argc, char **argv)
{
    print = argc > 1 && strcmp(argv[1], "--print") == 0;
    test_example();
    test_least();
    test_handshake_failed();
    test_plaintext();
    test_no_mail_and_not_smtp();
    test_addresses();
    test_proxy();
    test_escapes();
    test_everything();
    test_ssl2();
    test_limits();
    test_long_offer();
    test_stats();
    if (print)
        return test_failed != 0;
    test_memory();
    return TEST_END();
}
