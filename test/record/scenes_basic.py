# SPDX-License-Identifier: BSD-2-Clause
"""The plain cases: each server, each version; refusal, failure and clear text."""

POSTFIX, EXIM, SENDMAIL, SMTPD = ("198.51.100.25", "198.51.100.61", "198.51.100.81",
                                  "198.51.100.71")
#: who fails here is not who sends mail in the clear elsewhere
LONER = {"client": "192.0.2.66", "helo": "half.example.org"}
VERSIONS = (("tls10", "-tls1"), ("tls11", "-tls1_1"), ("tls12", "-tls1_2"), ("tls13", "-tls1_3"))


def postfix_versions(rec):
    """Postfix, openssl s_client, one file for each version"""
    for name, option in VERSIONS:
        with rec.capture(f"postfix-{name}.pcap") as capture:
            rec.openssl.session(capture, POSTFIX, option)


def exim_versions(rec):
    """Exim (GnuTLS), openssl s_client, one file for each version"""
    for name, option in VERSIONS:
        with rec.capture(f"exim-{name}.pcap") as capture:
            rec.openssl.session(capture, EXIM, option)


def sendmail_versions(rec):
    """sendmail, openssl s_client, one file for each version"""
    for name, option in VERSIONS:
        with rec.capture(f"sendmail-{name}.pcap") as capture:
            rec.openssl.session(capture, SENDMAIL, option)


def opensmtpd_versions(rec):
    """OpenSMTPD 7, openssl s_client; TLS 1.0 and 1.1 it refuses"""
    for name, option in VERSIONS:
        with rec.capture(f"opensmtpd-{name}.pcap") as capture:
            rec.openssl.session(capture, SMTPD, option, **(LONER if "1" == name[-2] and
                                                           name[-1] in "01" else {}))


def opensmtpd6(rec):
    """OpenSMTPD 6.8 with OpenSSL 3: its handshakes fail by an alert, in 1.3 an encrypted one"""
    with rec.capture("opensmtpd6-internal-error.pcap") as capture:
        for option in ("-tls1_2", "-tls1_3"):
            rec.openssl.session(capture, "198.51.100.76", option,
                                note="the server cannot use its key: alert 80")


def refused(rec):
    """STARTTLS answered with 454 or 502, or not offered at all"""
    with rec.capture("starttls-refused-454.pcap") as capture:
        rec.swaks.session(capture, "198.51.100.37", "--tls")
        rec.swaks.session(capture, "198.51.100.67", "--tls-optional",
                          note="mail goes on in the clear after the refusal")
    with rec.capture("starttls-not-offered.pcap") as capture:
        rec.swaks.session(capture, "198.51.100.36")
        rec.swaks.session(capture, "198.51.100.66", "--tls")
        rec.swaks.session(capture, "198.51.100.82")
        rec.swaks.session(capture, "198.51.100.73")


def plaintext(rec):
    """Mail in the clear though STARTTLS is offered"""
    for name, server in (("postfix", POSTFIX), ("exim", EXIM), ("sendmail", SENDMAIL),
                         ("opensmtpd", SMTPD)):
        with rec.capture(f"{name}-plaintext.pcap") as capture:
            rec.swaks.session(capture, server)


def failures(rec):
    """Handshakes that fail in plain sight: version, cipher, certificate"""
    with rec.capture("fail-protocol-version.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.35", "-tls1", **LONER)
        rec.openssl.session(capture, "198.51.100.34", "-tls1_2", **LONER)
        rec.openssl.session(capture, "198.51.100.63", "-tls1_1", **LONER)
    with rec.capture("fail-no-shared-cipher.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.46", "-tls1_2", "-cipher",
                            "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", **LONER)
    with rec.capture("fail-client-unknown-ca.pcap") as capture:
        for option in ("-tls1_2", "-tls1_3"):
            rec.openssl.session(capture, POSTFIX, option, "-verify_return_error", "-verify", "5",
                                **LONER)
    with rec.capture("fail-client-expired.pcap") as capture:
        for option in ("-tls1_2", "-tls1_3"):
            rec.openssl.session(capture, "198.51.100.43", option, "-verify_return_error",
                                "-verify", "5", "-CAfile", rec.top + "/pki/ca.pem", **LONER)


SCENES = (postfix_versions, exim_versions, sendmail_versions, opensmtpd_versions, opensmtpd6,
          refused, plaintext, failures)
