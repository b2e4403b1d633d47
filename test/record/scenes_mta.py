# SPDX-License-Identifier: BSD-2-Clause
"""Each mail server delivers to each other, with its defaults."""
from mta import EximClient, PostfixClient, SendmailClient, SmtpdClient
from scenes_basic import EXIM, POSTFIX, SENDMAIL, SMTPD

SERVERS = (("postfix.example.net", POSTFIX), ("exim.example.net", EXIM),
           ("sendmail.example.net", SENDMAIL), ("opensmtpd.example.net", SMTPD))


def postfix_client(rec):
    """Postfix delivers: TLS by default, clear text to a server without it, several mails"""
    routes = {name: f"smtp:[{address}]" for name, address in SERVERS}
    routes.update({"plain.example.net": "smtp:[198.51.100.36]",
                   "tls10.example.net": "smtp:[198.51.100.31]",
                   "refused.example.net": "smtp:[198.51.100.37]"})
    client = PostfixClient(rec.top, routes)
    try:
        with rec.capture("postfix-delivers.pcap") as capture:
            for name, address in SERVERS:
                client.session(capture, name, address)
            client.session(capture, "tls10.example.net", "198.51.100.31")
        with rec.capture("postfix-delivers-plaintext.pcap") as capture:
            client.session(capture, "plain.example.net", "198.51.100.36", starttls="not_offered")
        with rec.capture("postfix-resumes.pcap") as capture:
            for number in (1, 2, 3):
                client.session(capture, "postfix.example.net", POSTFIX, subject=f"part {number}",
                               note="its session cache may resume; the log does not say")
    finally:
        client.stop()


def exim_client(rec):
    """Exim delivers: TLS, clear text with CHUNKING"""
    client = EximClient(rec.top)
    with rec.capture("exim-delivers.pcap") as capture:
        for name, address in SERVERS:
            client.session(capture, address, domain=name)
        client.session(capture, POSTFIX, priority="NORMAL:-VERS-TLS1.3")
    with rec.capture("exim-delivers-plaintext.pcap") as capture:
        client.session(capture, "198.51.100.36", starttls="not_offered")
        client.session(capture, EXIM, more="  hosts_avoid_tls = *")


def sendmail_client(rec):
    """sendmail delivers"""
    client = SendmailClient(rec.top)
    with rec.capture("sendmail-delivers.pcap") as capture:
        for _, address in SERVERS[:2] + SERVERS[3:]:
            client.session(capture, address)
        client.session(capture, "198.51.100.36", starttls="not_offered")


def opensmtpd_client(rec):
    """OpenSMTPD delivers"""
    client = SmtpdClient(rec.top, {**dict(SERVERS), "plain.example.net": "198.51.100.36"})
    try:
        with rec.capture("opensmtpd-delivers.pcap") as capture:
            for name, address in SERVERS[:3]:
                client.session(capture, name, address)
            client.session(capture, "plain.example.net", "198.51.100.36", starttls="not_offered")
    finally:
        client.stop()


SCENES = (postfix_client, exim_client, sendmail_client, opensmtpd_client)
