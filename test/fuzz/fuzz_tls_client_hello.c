/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks tls_parse_client_hello, tls_ja3, tls_ja4 and the names of what is offered. Input: the
 * body of a ClientHello. */
#include "fuzz_tls_tally.h"
#include "proto/tls_fingerprint.h"
#include "proto/tls_names.h"

static void tally_names(const struct tls_client_hello *hello)
{
    struct reader list = reader_of_slice(hello->ciphers);
    char name[TLS_VERSION_NAME];
    uint16_t id;
    while (tls_list_next(&list, &id))
        tally_sum += tls_cipher_traits(id) + (tls_cipher_name(id) ? 1u : 0u);
    list = reader_of_slice(hello->groups);
    while (tls_list_next(&list, &id))
        tally_sum += tls_group_post_quantum(id) + (tls_group_name(id) ? 1u : 0u);
    list = reader_of_slice(hello->signatures);
    while (tls_list_next(&list, &id))
        tally_sum += tls_signature_name(id) != NULL;
    list = reader_of_slice(hello->versions);
    while (tls_list_next(&list, &id))
        must((tls_version_name(id, name) != NULL) == (tls_version_rank(id) != TLS_VERSION_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct digests *digests;
    struct tls_client_hello hello;
    static struct tls_traits traits;
    uint8_t ja3[DIGEST_MAX];
    char ja4[TLS_JA4];
    if (!digests)
        digests = digests_new();
    tls_parse_client_hello((struct slice){.data = data, .length = size}, &hello);
    tally(hello.random);
    tally(hello.session_id);
    tally(hello.ciphers);
    tally(hello.compressions);
    tally(hello.extensions);
    tally(hello.versions);
    tally(hello.groups);
    tally(hello.key_shares);
    tally(hello.signatures);
    tally(hello.point_formats);
    tally(hello.alpn);
    tally(hello.server_name);
    tally_names(&hello);
    must(!hello.max_version || tls_version_rank(hello.max_version) != TLS_VERSION_NONE);
    if (!tls_client_traits(&hello, &traits)) {
        must(hello.flags & TLS_INCOMPLETE);
        return 0;
    }
    must(!(hello.flags & TLS_INCOMPLETE) && tls_ja3(&traits, digests, ja3));
    must(tls_ja4(&traits, digests, ja4) && strlen(ja4) == TLS_JA4 - 1);
    return 0;
}
