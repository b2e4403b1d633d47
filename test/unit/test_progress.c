/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Established or not, from sequences of records as DESIGN quotes them from real sessions: side, colon,
 * length of a type-23 record; a letter before the colon for other types and events. With H the
 * suite's hash and T its tag the client's Finished has 4+H+1+T bytes or more, an alert 3+T
 * (RFC 8446 4.4.4, 5.2, 6).
 */
#include <ctype.h>
#include <stdlib.h>

#include "proto/tls_progress.h"
#include "proto/tls_record.h"
#include "test.h"

enum { AES_128_GCM = 0x1301, AES_256_GCM = 0x1302, CCM_8 = 0x1305, ECDHE_RSA = 0xc02f };

static void take(struct tls_progress *p, const char *word)
{
    enum side side = word[0] == 'C' ? SIDE_CLIENT : SIDE_SERVER;
    if (strcmp(word, "gap") == 0)
        tls_progress_gap(p);
    else if (strcmp(word + 1, "FIN") == 0 || strcmp(word + 1, "RST") == 0)
        tls_progress_close(p, side, word[1] == 'R');
    else if (strcmp(word + 1, "alert") == 0)
        tls_progress_fatal(p, side);
    else if (word[1] == ':')
        tls_progress_record(p, side, TLS_APPLICATION_DATA, (uint16_t)atoi(word + 2));
    else if (strcmp(word + 1, "ccs") == 0)
        tls_progress_record(p, side, TLS_CHANGE_CIPHER_SPEC, 1);
    else if (strcmp(word + 1, "hs") == 0)
        tls_progress_record(p, side, TLS_HANDSHAKE, 40);
    else
        CHECK(word[0] == 0); /* a known word */
}

static enum tls_verdict play(enum tls_version version, uint16_t cipher, const char *events)
{
    struct tls_progress progress = {.verdict = TLS_UNDECIDED};
    char text[256], *rest = NULL;
    snprintf(text, sizeof text, "%s", events);
    if (version)
        tls_progress_chosen(&progress, version, cipher);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        take(&progress, word);
    return (enum tls_verdict)progress.verdict;
}

static const struct {
    uint16_t cipher;
    const char *events;
    enum tls_verdict verdict;
} rows13[] = {
    /* H 48, T 16: F is 69, A is 19. */
    {AES_256_GCM, "S:928 C:69 C:44 S:239 S:19 C:19 CFIN", TLS_ESTABLISHED},
    {AES_256_GCM, "S:23 S:928 S:19 SFIN", TLS_FAILED},
    {AES_256_GCM, "S:928 C:68 S:239", TLS_UNDECIDED}, /* not yet a Finished */
    {AES_256_GCM, "S:928 C:69", TLS_UNDECIDED},
    {AES_256_GCM, "S:928 C:69 C:44", TLS_UNDECIDED}, /* an EHLO may cross the server's rejection */
    {AES_256_GCM, "S:928 C:69 C:44 S:19", TLS_FAILED},
    {AES_256_GCM, "S:928 C:69 C:44 SFIN", TLS_FAILED},
    {AES_256_GCM, "S:928 C:69 SRST", TLS_FAILED},
    {AES_256_GCM, "S:928 C:69 Salert", TLS_FAILED},
    {AES_256_GCM, "S:928 C:69 CFIN", TLS_ESTABLISHED}, /* it was content, and left */
    {AES_256_GCM, "S:928 C:69 CRST", TLS_UNDECIDED},
    {AES_256_GCM, "S:928 C:69 C:19", TLS_ESTABLISHED},
    {AES_256_GCM, "S:928 C:69 S:18", TLS_ESTABLISHED},
    {AES_256_GCM, "S:928 C:19", TLS_FAILED},
    {AES_256_GCM, "S:928 Calert", TLS_FAILED},
    {AES_256_GCM, "CFIN", TLS_FAILED},
    {AES_256_GCM, "S:928 CFIN", TLS_FAILED},
    {AES_256_GCM, "S:928 SFIN", TLS_FAILED},
    {AES_256_GCM, "Sccs S:928 Cccs C:69 S:239", TLS_ESTABLISHED},
    /* A client certificate: more records before its Finished, or one that holds them all. */
    {AES_256_GCM, "S:928 C:1200 C:300 C:69 S:239", TLS_ESTABLISHED},
    {AES_256_GCM, "S:928 C:1500 S:19", TLS_FAILED},
    /* Nothing counts after establishment. */
    {AES_256_GCM, "S:928 C:69 S:239 S:19 SFIN", TLS_ESTABLISHED},
    {AES_256_GCM, "S:928 C:69 S:239 Salert", TLS_ESTABLISHED},
    /* H 32, T 16: F is 53. */
    {AES_128_GCM, "S:900 C:53 S:239", TLS_ESTABLISHED},
    {AES_128_GCM, "S:900 C:52 S:239", TLS_UNDECIDED},
    {AES_128_GCM, "S:900 C:53 S:19", TLS_FAILED},
    {AES_128_GCM, "S:900 C:53 S:11", TLS_ESTABLISHED},
    /* H 32, T 8: F is 45, A is 11. */
    {CCM_8, "S:900 C:45 S:239", TLS_ESTABLISHED},
    {CCM_8, "S:900 C:44 S:239", TLS_UNDECIDED},
    {CCM_8, "S:900 C:45 S:11", TLS_FAILED},
    {CCM_8, "S:900 C:45 S:19", TLS_ESTABLISHED},
    {CCM_8, "S:900 C:11", TLS_FAILED},
    /* Across a hole: data of both sides that are no alerts. */
    {AES_256_GCM, "gap C:44 S:239", TLS_ESTABLISHED},
    {AES_256_GCM, "gap C:44 S:19", TLS_UNDECIDED}, /* content and close_notify, or Finished and alert */
    {AES_256_GCM, "C:69 gap S:19", TLS_UNDECIDED},
    {AES_256_GCM, "C:69 gap C:19", TLS_UNDECIDED},
    {AES_256_GCM, "C:69 gap SFIN", TLS_UNDECIDED},
    {AES_256_GCM, "C:69 gap S:239", TLS_ESTABLISHED},
    {AES_256_GCM, "gap CFIN", TLS_UNDECIDED},
    {AES_256_GCM, "gap SRST", TLS_UNDECIDED},
};

static const struct {
    const char *events;
    enum tls_verdict verdict;
} rows12[] = {
    {"Chs Shs Cccs Chs Sccs Shs", TLS_ESTABLISHED},
    {"Chs Shs Sccs Shs Cccs Chs", TLS_ESTABLISHED}, /* resumed: the server first */
    {"Chs Shs Cccs Chs Sccs", TLS_UNDECIDED},
    {"Chs Shs Cccs Sccs Shs", TLS_UNDECIDED},
    {"Chs Shs Cccs Chs", TLS_UNDECIDED},
    {"Chs Shs Cccs Chs Salert", TLS_FAILED},
    {"Chs Shs Cccs Chs SFIN", TLS_FAILED},
    {"Chs Shs CRST", TLS_FAILED},
    {"Cccs Chs Sccs Shs Salert SFIN", TLS_ESTABLISHED},
    {"C:100 S:100", TLS_UNDECIDED}, /* only a hole lets data say it */
    {"gap C:100 S:100", TLS_ESTABLISHED},
    {"gap C:100 SFIN", TLS_UNDECIDED},
    {"gap Salert", TLS_FAILED},
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows13 / sizeof *rows13; i++) {
        enum tls_verdict verdict = play(TLS_VERSION_TLS13, rows13[i].cipher, rows13[i].events);
        if (verdict != rows13[i].verdict)
            fprintf(stderr, "1.3 %04x %s\n", rows13[i].cipher, rows13[i].events);
        CHECK_INT(verdict, rows13[i].verdict);
    }
    for (size_t i = 0; i < sizeof rows12 / sizeof *rows12; i++) {
        enum tls_verdict verdict = play(TLS_VERSION_TLS12, ECDHE_RSA, rows12[i].events);
        if (verdict != rows12[i].verdict)
            fprintf(stderr, "1.2 %s\n", rows12[i].events);
        CHECK_INT(verdict, rows12[i].verdict);
    }
    /* Before a ServerHello there are no keys: early data are not judged (RFC 8446 2.3). */
    struct tls_progress progress = {.verdict = TLS_UNDECIDED};
    tls_progress_retry(&progress);
    tls_progress_record(&progress, SIDE_CLIENT, TLS_APPLICATION_DATA, 19);
    CHECK_INT(progress.verdict, TLS_UNDECIDED);
    return TEST_END();
}
