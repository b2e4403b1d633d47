/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a peer is; domains by the public suffix list (co.uk and github.io are suffixes there, example
 * is under the default rule). */
#include "report/peer.h"
#include "unit/test.h"

static struct peer_evidence evidence(const char *ip, const char *announced)
{
    struct peer_evidence out = {.ip = ip, .announced = announced, .announced_by = NAMED_BY_HELLO};
    peer_address_parse(ip, &out.address);
    return out;
}

static void check_name(enum peer_by by, const char *announced, const char *expected,
                       enum named_by expected_by)
{
    struct peer_namer *namer = peer_namer_new(by);
    struct peer_evidence one = evidence("192.0.2.1", announced);
    struct peer_name name = peer_identify(namer, &one);
    CHECK_TEXT(name.name, expected);
    CHECK_INT(name.by, expected_by);
    peer_namer_free(namer);
}

static void test_domains(void)
{
    check_name(PEER_BY_DOMAIN, "mail.shop.example.co.uk", "example.co.uk", NAMED_BY_HELLO);
    check_name(PEER_BY_DOMAIN, "MX.Werk.Example.", "werk.example", NAMED_BY_HELLO);
    check_name(PEER_BY_NAME, "MX.Werk.Example.", "mx.werk.example", NAMED_BY_HELLO);
    check_name(PEER_BY_IP, "mx.werk.example", "192.0.2.1", NAMED_BY_ADDRESS);
    static const char *const none[] = {
        "localhost", "[192.0.2.9]", "192.0.2.9",   "co.uk",           "a..example",
        ".example",  "a b.example", "<x>.example", "esc\x1b.example", "",
        "-",         "*.",          "x.123",       "\xc3\xa9.example"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        check_name(PEER_BY_DOMAIN, none[i], "192.0.2.1", NAMED_BY_ADDRESS);
}

static void test_certificate(void)
{
    struct peer_namer *namer = peer_namer_new(PEER_BY_DOMAIN);
    struct peer_evidence one = evidence("192.0.2.1", "mx3.customer.example");
    one.certificate[0] = "*.hoster.example";
    one.certificate[1] = "mail.customer.example";
    one.certificates = 2;
    struct peer_name name = peer_identify(namer, &one);
    CHECK_TEXT(name.name, "customer.example"); /* the one that it announced itself */
    CHECK_INT(name.by, NAMED_BY_CERTIFICATE);
    one.announced = "mx.other.example";
    CHECK_TEXT(peer_identify(namer, &one).name, "hoster.example");
    one.certificate[0] = one.certificate[1] = "localhost";
    CHECK_TEXT(peer_identify(namer, &one).name, "other.example");
    peer_namer_free(namer);
}

static enum direction direction(const struct peer_namer *namer, const char *client,
                                const char *server)
{
    struct peer_address a, b;
    CHECK(peer_address_parse(client, &a) && peer_address_parse(server, &b));
    return peer_direction(namer, &a, &b);
}

static void test_local(void)
{
    struct peer_namer *namer = peer_namer_new(PEER_BY_DOMAIN);
    CHECK(peer_namer_local(namer, "192.0.2.64/27") && peer_namer_local(namer, "2001:db8::/33") &&
          peer_namer_local(namer, "198.51.100.7"));
    CHECK(!peer_namer_local(namer, "192.0.2.0/33") && !peer_namer_local(namer, "::/-1") &&
          !peer_namer_local(namer, "mx.example"));
    CHECK_INT(direction(namer, "192.0.2.95", "192.0.2.96"), DIRECTION_OUTBOUND);
    CHECK_INT(direction(namer, "192.0.2.63", "192.0.2.64"), DIRECTION_INBOUND);
    CHECK_INT(direction(namer, "198.51.100.7", "2001:db8:7fff::1"), DIRECTION_INTERNAL);
    CHECK_INT(direction(namer, "2001:db8:8000::1", "198.51.100.8"), DIRECTION_EXTERNAL);
    peer_namer_free(namer);
}

int main(void)
{
    test_domains();
    test_certificate();
    test_local();
    return TEST_END();
}
