# SPDX-License-Identifier: BSD-2-Clause
"""What TLS can look like: cipher suites, groups, resumption, client certificates, other ports."""
import os

import net
from scenes_basic import EXIM, POSTFIX, SENDMAIL, SMTPD

LEVEL = ":@SECLEVEL=0"
CIPHERS = {
    "ciphers-ecdhe-rsa": (POSTFIX[:-2] + "40", (
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384",
        "ECDHE-RSA-CAMELLIA128-SHA256", "ECDHE-ARIA256-GCM-SHA384")),
    "ciphers-ecdhe-ecdsa": (POSTFIX[:-2] + "41", (
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-CCM8", "ECDHE-ECDSA-AES128-SHA")),
    "ciphers-dhe": (POSTFIX[:-2] + "40", (
        "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES128-CCM",
        "DHE-RSA-AES128-SHA", "DHE-RSA-CAMELLIA256-SHA")),
    "ciphers-static-rsa": (POSTFIX[:-2] + "40", (
        "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-CCM8", "AES256-SHA256", "AES128-SHA")),
    "ciphers-anonymous": (POSTFIX, ("ADH-AES128-GCM-SHA256", "ADH-AES256-SHA",
                                    "AECDH-AES256-SHA")),
    "ciphers-null": (POSTFIX[:-2] + "48", ("ECDHE-RSA-NULL-SHA", "NULL-SHA256")),
}


def ciphers(rec):
    """TLS 1.2 cipher suites, one session each, Postfix"""
    for name, (server, suites) in CIPHERS.items():
        with rec.capture(name + ".pcap") as capture:
            for suite in suites:
                rec.openssl.session(capture, server, "-tls1_2", "-cipher", suite + LEVEL)


def ciphers_old(rec):
    """TLS 1.0 and 1.1 with CBC, static RSA and anonymous suites, Postfix and sendmail"""
    with rec.capture("ciphers-tls10-tls11.pcap") as capture:
        for version in ("-tls1", "-tls1_1"):
            rec.openssl.session(capture, POSTFIX, version, "-cipher", "AES128-SHA" + LEVEL)
            rec.openssl.session(capture, SENDMAIL, version, "-cipher", "DHE-RSA-AES256-SHA" +
                                LEVEL)
            rec.openssl.session(capture, POSTFIX, version, "-cipher", "AECDH-AES128-SHA" + LEVEL)


def ciphers_tls13(rec):
    """The five suites of TLS 1.3, Postfix"""
    with rec.capture("ciphers-tls13.pcap") as capture:
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                      "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                      "TLS_AES_128_CCM_8_SHA256"):
            rec.openssl.session(capture, POSTFIX, "-tls1_3", "-ciphersuites", suite)


def gnutls(rec):
    """gnutls-cli with Postfix, Exim, sendmail and OpenSMTPD, and suites that OpenSSL lacks"""
    for name, server in (("postfix", POSTFIX), ("exim", EXIM), ("sendmail", SENDMAIL),
                         ("opensmtpd", SMTPD)):
        with rec.capture(f"gnutls-{name}.pcap") as capture:
            for version in ("1.2", "1.3"):
                rec.gnutls.session(capture, server, f"NORMAL:-VERS-ALL:+VERS-TLS{version}")
    with rec.capture("gnutls-old-ciphers.pcap") as capture:
        only = "NONE:+VERS-TLS1.2:+VERS-TLS1.0:+MAC-ALL:+SIGN-ALL:+GROUP-ALL:+COMP-NULL"
        for kx, cipher in (("+ECDHE-RSA", "+3DES-CBC"), ("+RSA", "+ARCFOUR-128"),
                           ("+RSA", "+3DES-CBC"), ("+DHE-RSA", "+CAMELLIA-128-CBC"),
                           ("+RSA", "+AES-256-CCM-8")):
            rec.gnutls.session(capture, EXIM, f"{only}:{kx}:{cipher}")
        rec.gnutls.session(capture, POSTFIX, f"{only}:+ANON-ECDH:+AES-128-CBC")
        rec.gnutls.session(capture, POSTFIX, f"{only}:+ANON-DH:+AES-256-GCM")
        rec.gnutls.session(capture, EXIM, f"{only}:+ANON-DH:+AES-256-GCM",
                           note="this server has no anonymous suites")
    with rec.capture("gnutls-tls10-tls11.pcap") as capture:
        for version in ("1.0", "1.1"):
            for server in (EXIM, POSTFIX):
                rec.gnutls.session(capture, server, f"LEGACY:-VERS-ALL:+VERS-TLS{version}")


def resume(rec, capture, server, *args, **facts):
    """A session, and one that resumes it."""
    path = rec.top + "/scratch/session.pem"
    if os.path.exists(path):
        os.unlink(path)
    rec.openssl.session(capture, server, *args, "-sess_out", path, talk=("NOOP", "QUIT"), **facts)
    rec.openssl.session(capture, server, *args, "-sess_in", path, talk=("NOOP", "QUIT"), **facts)


def resumption(rec):
    """Resumption: by session id and by ticket in 1.2, by PSK in 1.3; and one that is declined"""
    with rec.capture("resume-tls12-ticket.pcap") as capture:
        resume(rec, capture, POSTFIX, "-tls1_2")
    with rec.capture("resume-tls12-session-id.pcap") as capture:
        resume(rec, capture, POSTFIX, "-tls1_2", "-no_ticket")
    with rec.capture("resume-tls10.pcap") as capture:
        resume(rec, capture, POSTFIX, "-tls1")
    with rec.capture("resume-tls13-psk.pcap") as capture:
        resume(rec, capture, POSTFIX, "-tls1_3")
    with rec.capture("resume-exim.pcap") as capture:
        resume(rec, capture, EXIM, "-tls1_3")
        resume(rec, capture, EXIM, "-tls1_2")
    with rec.capture("resume-declined.pcap") as capture:
        path = rec.top + "/scratch/session.pem"
        for version in ("-tls1_2", "-tls1_3"):
            rec.openssl.session(capture, POSTFIX, version, "-sess_out", path,
                                talk=("NOOP", "QUIT"))
            rec.openssl.session(capture, SENDMAIL, version, "-sess_in", path,
                                note="offers the ticket of another server: a full handshake")


def groups(rec):
    """HelloRetryRequest, and one session for each group"""
    with rec.capture("hello-retry.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.38", "-groups", "X25519:P-384")
        rec.openssl.session(capture, "198.51.100.64", "-groups", "X25519:P-384")
        rec.openssl.session(capture, "198.51.100.38", "-groups", "X25519:P-384",
                            "-no_middlebox")
        rec.gnutls.session(capture, "198.51.100.38",
                           "NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP384R1")
    with rec.capture("groups-tls13.pcap") as capture:
        for group in ("P-256", "P-384", "P-521", "X448", "ffdhe2048"):
            rec.openssl.session(capture, EXIM if group != "X448" else POSTFIX, "-tls1_3",
                                "-groups", group)
    with rec.capture("fail-no-shared-group.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.38", "-groups", "X25519", "-tls1_3")
        rec.openssl.session(capture, "198.51.100.64", "-groups", "P-521", "-tls1_3")


def post_quantum(rec):
    """OpenSSL 3.5: a hello of about 1.5 KB in two segments, and in many"""
    with rec.capture("pq-hello-x25519.pcap") as capture:
        rec.openssl35.session(capture, POSTFIX, note="offers X25519MLKEM768 and x25519")
        rec.openssl35.session(capture, EXIM, note="offers X25519MLKEM768 and x25519")
    with rec.capture("pq-x25519mlkem768.pcap") as capture:
        rec.openssl35.session(capture, "198.51.100.26")
    with rec.capture("pq-hello-retry.pcap") as capture:
        rec.openssl35.session(capture, "198.51.100.27", "-groups", "*X25519:X25519MLKEM768")
        rec.openssl35.session(capture, "198.51.100.38", "-groups",
                              "*X25519MLKEM768/*X25519:P-384")
    with rec.capture("pq-hello-segments.pcap") as capture:
        net.ip(net.CLIENTS, "route", "replace", POSTFIX + "/32", "dev", "c0", "src", "192.0.2.10",
               "mtu", "lock", "552")
        rec.openssl35.session(capture, POSTFIX, note="segments of at most 500 bytes")
        net.ip(net.CLIENTS, "route", "del", POSTFIX + "/32")
    with rec.capture("pq-hello-records.pcap") as capture:
        rec.openssl35.session(capture, POSTFIX, "-max_send_frag", "512",
                              note="the hello is in several TLS records")
        rec.openssl35.session(capture, "198.51.100.26", "-max_send_frag", "512", "-no_middlebox",
                              note="the hello is in several TLS records")


def extensions(rec):
    """Server name, ALPN, or neither of them"""
    with rec.capture("client-server-name.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, "-servername", "mx.example.net", "-alpn", "smtp")
        rec.openssl.session(capture, SMTPD, "-servername", "smtpd.example.net", "-tls1_2")
        rec.openssl.session(capture, EXIM, "-noservername", "-tls1_2")


def client_certificates(rec):
    """Client certificates that are taken"""
    pki = rec.top + "/pki/"
    good = ("-cert", pki + "client.pem", "-key", pki + "client.key")
    with rec.capture("client-certificate.pcap") as capture:
        for server in ("198.51.100.39", "198.51.100.68", "198.51.100.72", SENDMAIL):
            for version in ("-tls1_2", "-tls1_3"):
                rec.openssl.session(capture, server, version, *good)


def server_certificates(rec):
    """Certificates in sight (1.2): RSA, ECDSA, expired, self-signed, weak, with an intermediate"""
    with rec.capture("server-certificates.pcap") as capture:
        for host, what in ((40, "RSA 2048"), (41, "ECDSA P-256"), (43, "expired"),
                           (44, "self-signed"), (90, "RSA 1024 signed with SHA-1"),
                           (91, "with an intermediate certificate")):
            rec.openssl.session(capture, f"198.51.100.{host}", "-tls1_2", note=what)


def implicit_25(rec):
    """TLS from the first byte on port 25: a server that wants it, one that does not"""
    with rec.capture("implicit-tls-25.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.59", starttls=None,
                            talk=("EHLO mail.example.org", "QUIT"))
    with rec.capture("hello-to-smtp-server.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, starttls=None, client="192.0.2.66",
                            outcome=None, note="the client begins TLS at once, the server "
                            "greets in SMTP")


def ports(rec):
    """Implicit TLS on 465, submission on 587, port 2525, LMTP"""
    with rec.capture("implicit-tls-465.pcap") as capture:
        for server in (POSTFIX, EXIM, SMTPD):
            rec.openssl.session(capture, server, port=465, starttls=None,
                                talk=("EHLO mail.example.org", "QUIT"))
        rec.swaks.session(capture, POSTFIX, "--tls-on-connect", port=465, implicit=True)
        rec.openssl.session(capture, EXIM, "-tls1", port=465, starttls=None,
                            talk=("EHLO mail.example.org", "QUIT"))
    with rec.capture("implicit-tls-465-failed.pcap") as capture:
        rec.openssl.session(capture, SMTPD, "-tls1_1", port=465, starttls=None)
    with rec.capture("plain-smtp-on-465.pcap") as capture:
        rec.swaks.session(capture, "198.51.100.36", port=465)
    with rec.capture("submission-587.pcap") as capture:
        rec.swaks.session(capture, POSTFIX, "--tls", "--auth", "PLAIN", "--auth-user",
                          "anna@example.org", "--auth-password", "inkpot-harbour-42", port=587,
                          auth_in_clear=None)
        rec.openssl.session(capture, SENDMAIL, port=587)
    with rec.capture("port-2525.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, port=2525)
        rec.swaks.session(capture, SMTPD, port=2525)
    with rec.capture("lmtp-2525.pcap") as capture:
        rec.swaks.session(capture, "198.51.100.60", "--protocol", "LMTP", port=2525)
        rec.openssl.session(capture, "198.51.100.60", port=2525, starttls="lmtp")


def many_mails(rec):
    """swaks under TLS: a whole mail"""
    with rec.capture("swaks-tls.pcap") as capture:
        for server in (POSTFIX, EXIM, SENDMAIL, SMTPD):
            rec.swaks.session(capture, server, "--tls")
        rec.swaks.session(capture, POSTFIX, "--tls", "--tls-protocol", "tlsv1_2", "--pipeline")


SCENES = (ciphers, ciphers_old, ciphers_tls13, gnutls, resumption, groups, post_quantum,
          extensions, client_certificates, server_certificates, implicit_25,
          ports, many_mails)
