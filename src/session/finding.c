/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of rules: which observations a finished record gives rise to. Each rule stands in words in mxtap-events(5). */
#include "proto/tls_names.h"
#include "session/state.h"

struct view {
    const struct session *session;
    const struct record *record;
    const struct tls_facts *tls;           /* of a completed handshake, else NULL */
    const struct certificate *certificate; /* readable one of the server in it, else NULL */
    unsigned cipher;                       /* traits of its cipher suite, 0 without */
    int64_t now_s;
};

static bool ehlo_answered(const struct view *v)
{
    return v->session->dialog.seen & SMTP_SEEN_EHLO_250;
}

static bool not_offered(const struct view *v)
{
    return ehlo_answered(v) && v->record->smtp->starttls == STARTTLS_NOT_OFFERED;
}

static bool ignored(const struct view *v)
{
    bool unsure = v->session->dialog.seen & SMTP_SEEN_COMMAND_HOLE || v->tls; /* it may have been asked for, or was, where nobody saw it */
    return v->record->smtp->starttls == STARTTLS_OFFERED && v->record->outcome == OUTCOME_PLAINTEXT && !unsure;
}

static bool refused(const struct view *v)
{
    return v->record->smtp->starttls == STARTTLS_REFUSED;
}

static bool masked(const struct view *v)
{
    return v->session->dialog.seen & (SMTP_SEEN_MASKED_KEYWORD | SMTP_SEEN_MASKED_COMMAND);
}

static bool refused_without_tls(const struct view *v)
{
    return v->session->dialog.seen & SMTP_SEEN_TLS_REQUIRED;
}

static bool version_obsolete(const struct view *v)
{
    enum tls_version version = v->tls ? tls_version_rank(v->tls->version) : TLS_VERSION_NONE;
    return version != TLS_VERSION_NONE && version < TLS_VERSION_TLS12;
}

static bool cipher_insecure(const struct view *v)
{
    return v->cipher & TLS_CIPHER_INSECURE;
}

static bool cipher_anonymous(const struct view *v)
{
    return v->cipher & TLS_CIPHER_ANONYMOUS;
}

static bool cipher_weak(const struct view *v)
{
    return v->cipher & TLS_CIPHER_WEAK && !(v->cipher & TLS_CIPHER_INSECURE);
}

static bool no_forward_secrecy(const struct view *v)
{
    return v->cipher & TLS_CIPHER_KNOWN && !(v->cipher & TLS_CIPHER_FORWARD_SECRECY);
}

static bool compression(const struct view *v)
{
    return v->tls && v->tls->server_compression != 0;
}

/* The client signals RFC 5746 and the server does not know it: it is open to CVE-2009-3555. Unasked no server answers; 1.3 has no renegotiation. */
static bool insecure_renegotiation(const struct view *v)
{
    return v->tls && v->tls->have_server_hello && v->tls->version >= 0x0300 &&
           tls_version_rank(v->tls->version) != TLS_VERSION_TLS13 && v->tls->client.flags & TLS_HAS_RENEGOTIATION_INFO &&
           !(v->tls->server.flags & TLS_HAS_RENEGOTIATION_INFO);
}

/* RFC 8446 4.1.3, RFC 7507 3: the server saw a lower offer than this client made. The sentinel alone says nothing. */
static bool downgrade(const struct view *v)
{
    const struct tls_facts *tls = v->record->tls;
    if (!tls)
        return false;
    if (tls->have_alert && tls->alert_code == 86)
        return true;
    enum tls_version offered = tls_version_rank(tls->client_max_version), chosen = tls_version_rank(tls->version);
    if (!tls->have_server_hello || !tls->have_client_hello)
        return false;
    if (tls->server_supports == 0x0304)
        return offered == TLS_VERSION_TLS13 && chosen < TLS_VERSION_TLS13;
    return tls->server_supports == 0x0303 && offered >= TLS_VERSION_TLS12 && chosen < TLS_VERSION_TLS12;
}

static bool key_small(const struct view *v)
{
    return (v->certificate && v->certificate->key_weak) || (v->tls && v->tls->dh_bits && v->tls->dh_bits < 2048);
}

static bool signature_weak(const struct view *v)
{
    return v->certificate && v->certificate->signature_weak && !v->certificate->self_signed;
}

static bool expired(const struct view *v)
{
    return v->certificate && v->certificate->not_after < v->now_s;
}

static bool not_yet_valid(const struct view *v)
{
    return v->certificate && v->certificate->not_before > v->now_s;
}

static bool self_signed(const struct view *v)
{
    return v->certificate && v->certificate->self_signed;
}

/* RFC 9525 against the SNI; the banner is no reference identity. */
static bool name_mismatch(const struct view *v)
{
    if (!v->certificate || !v->tls->server_name.length || v->certificate->names_dropped)
        return false;
    struct slice name = record_text(v->record, v->tls->server_name);
    return !certificate_matches(v->certificate, (const char *)name.data, name.length);
}

static const struct {
    enum finding finding;
    bool (*rule)(const struct view *view);
} rules[] = {
    {FINDING_STARTTLS_NOT_OFFERED, not_offered},
    {FINDING_STARTTLS_IGNORED, ignored},
    {FINDING_STARTTLS_REFUSED, refused},
    {FINDING_STARTTLS_MASKED, masked},
    {FINDING_MAIL_REFUSED_WITHOUT_TLS, refused_without_tls},
    {FINDING_VERSION_OBSOLETE, version_obsolete},
    {FINDING_CIPHER_INSECURE, cipher_insecure},
    {FINDING_CIPHER_ANONYMOUS, cipher_anonymous},
    {FINDING_CIPHER_WEAK, cipher_weak},
    {FINDING_NO_FORWARD_SECRECY, no_forward_secrecy},
    {FINDING_TLS_COMPRESSION, compression},
    {FINDING_INSECURE_RENEGOTIATION, insecure_renegotiation},
    {FINDING_TLS_DOWNGRADE, downgrade},
    {FINDING_CERTIFICATE_KEY_SMALL, key_small},
    {FINDING_CERTIFICATE_SIGNATURE_WEAK, signature_weak},
    {FINDING_CERTIFICATE_EXPIRED, expired},
    {FINDING_CERTIFICATE_NOT_YET_VALID, not_yet_valid},
    {FINDING_CERTIFICATE_SELF_SIGNED, self_signed},
    {FINDING_CERTIFICATE_NAME_MISMATCH, name_mismatch},
};

static unsigned cipher_traits(const struct tls_facts *tls)
{
    if (!tls || !tls->have_cipher)
        return 0;
    return tls->version == 0x0002 ? ssl2_cipher_traits(tls->cipher) : tls_cipher_traits((uint16_t)tls->cipher);
}

uint64_t session_findings(const struct session *session, const struct record *record)
{
    const struct tls_facts *tls = record->tls && record->tls->established ? record->tls : NULL;
    const struct certificate *certificate = tls ? tls->server.certificate : NULL;
    struct view view = {
        .session = session,
        .record = record,
        .tls = tls,
        .certificate = certificate && certificate->readable ? certificate : NULL,
        .cipher = cipher_traits(tls),
        .now_s = record->time_ns / 1000000000,
    };
    uint64_t findings = session->findings;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].rule(&view))
            findings |= UINT64_C(1) << rules[i].finding;
    return findings;
}
