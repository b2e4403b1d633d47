# SPDX-License-Identifier: BSD-2-Clause
"""SMTP in the clear, in all its forms, and what surrounds STARTTLS."""
import base64
import socket
import struct
import time

import fake
from clients import Dialog, Steps, tls_context
from scenes_basic import EXIM, POSTFIX, SENDMAIL, SMTPD

HELO = "mail.example.org"
BODY = ("From: anna@example.org\r\nTo: bob@example.net\r\nSubject: {0}\r\nMessage-Id: "
        "<{1}@mail.example.org>\r\n\r\nOne line about the {0}.\r\n")
USER, PASSWORD = "anna@example.org", "inkpot-harbour-42"


def envelope(dialog, recipients=1):
    dialog.say("MAIL FROM:<anna@example.org>")
    for number in range(recipients):
        dialog.say(f"RCPT TO:<bob{number or ''}@example.net>")


def mail(dialog, subject, number=1, recipients=1):
    """One mail by DATA; whether the server took it."""
    envelope(dialog, recipients)
    if not dialog.say("DATA").startswith("354"):
        return False
    dialog.send(BODY.format(subject, number).encode() + b".\r\n")
    return dialog.read().startswith("250")


def start(server, verb="EHLO", **options):
    dialog = Dialog(server, **options)
    dialog.read()
    dialog.offer = dialog.say(f"{verb} {HELO}")
    return dialog


def stop(dialog):
    dialog.say("QUIT")
    dialog.drain(1)
    dialog.close()


def clear(dialog, capture, messages, starttls="offered", **facts):
    stop(dialog)
    dialog.note(capture, outcome="plaintext" if messages else "no_mail", starttls=starttls,
                established=False, messages_in_clear=messages, **facts)


def several_mails(rec):
    """Several mails in one connection, by DATA and by BDAT"""
    with rec.capture("plaintext-three-mails.pcap") as capture:
        dialog = start(POSTFIX)
        for number in (1, 2, 3):
            mail(dialog, "weather", number, number)
        clear(dialog, capture, 3)
    with rec.capture("plaintext-bdat.pcap") as capture:
        for server in (POSTFIX, EXIM):
            dialog = start(server)
            for number in (1, 2):
                envelope(dialog)
                body = BODY.format("harvest", number).encode()
                dialog.send(b"BDAT %d\r\n%s" % (40, body[:40]))
                dialog.read()
                dialog.send(b"BDAT %d LAST\r\n%s" % (len(body) - 40, body[40:]))
                dialog.read()
            mail(dialog, "DATA after BDAT", 3)
            clear(dialog, capture, 3)
    with rec.capture("plaintext-bdat-last-empty.pcap") as capture:
        dialog = start(EXIM)
        envelope(dialog)
        body = BODY.format("QUIT\r\nDATA\r\n.\r\n", 1).encode()
        dialog.send(b"BDAT %d\r\n%s" % (len(body), body))
        dialog.read()
        dialog.say("BDAT 0 LAST")
        clear(dialog, capture, 1, note="the chunk holds lines that look like commands")


def pipelining(rec):
    """Pipelined commands; EHLO and STARTTLS in one segment is a case of its own"""
    with rec.capture("plaintext-pipelined.pcap") as capture:
        dialog = start(POSTFIX)
        dialog.send(b"MAIL FROM:<anna@example.org>\r\nRCPT TO:<bob@example.net>\r\n"
                    b"RCPT TO:<carl@example.net>\r\nDATA\r\n")
        for _ in range(4):
            dialog.read()
        dialog.send(BODY.format("pipeline", 1).encode() + b".\r\nRSET\r\nNOOP\r\n")
        for _ in range(3):
            dialog.read()
        clear(dialog, capture, 1)
        rec.swaks.session(capture, EXIM, "--pipeline")


def commands(rec):
    """RSET, NOOP, HELP, VRFY, unknown verbs, rejected recipients, HELO: no mail crosses"""
    with rec.capture("no-mail-commands.pcap") as capture:
        for server in (POSTFIX, EXIM, SENDMAIL, SMTPD):
            dialog = start(server)
            for line in ("NOOP", "RSET", "HELP", "VRFY bob", "EXPN staff", "FOO bar", "DATA",
                         "MAIL FROM:<anna@example.org>", "RSET"):
                if line != "HELP" or server not in (SENDMAIL, SMTPD):  # theirs names web sites
                    dialog.say(line)
            clear(dialog, capture, 0)
    with rec.capture("no-mail-rejected.pcap") as capture:
        dialog = start("198.51.100.51")
        mail(dialog, "never sent")
        clear(dialog, capture, 0)
        dialog = Dialog("198.51.100.56")
        dialog.read()
        clear(dialog, capture, 0, "unseen", note="the banner is a 554")
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.close()
        dialog.note(capture, outcome="no_mail", starttls="unseen", established=False,
                    messages_in_clear=0, note="leaves after the banner")
    with rec.capture("plaintext-helo.pcap") as capture:
        for server in (POSTFIX, SENDMAIL):
            dialog = start(server, "HELO")
            mail(dialog, "HELO")
            clear(dialog, capture, 1, "unseen")
    with rec.capture("plaintext-dot-stuffing.pcap") as capture:
        dialog = start(POSTFIX)
        envelope(dialog)
        dialog.say("DATA")
        dialog.send(BODY.format("dots", 1).encode() +
                    b"..\r\n..QUIT\r\nSTARTTLS\r\n250 OK\r\n354 go on\r\n...\r\n.\r\n")
        dialog.read()
        mail(dialog, "dots again", 2)
        clear(dialog, capture, 2, note="the body holds lines like commands, replies and dots")
    with rec.capture("plaintext-abandoned.pcap") as capture:
        dialog = start(POSTFIX)
        envelope(dialog)
        dialog.say("DATA")
        dialog.send(BODY.format("half a mail", 1).encode())
        time.sleep(0.1)
        dialog.reset()
        dialog.note(capture, outcome="plaintext", starttls="offered", established=False,
                    messages_in_clear=1, note="reset amid the content")


def auth(rec):
    """AUTH in the clear, taken and refused"""
    with rec.capture("auth-in-clear.pcap") as capture:
        for kind in ("PLAIN", "LOGIN", "CRAM-MD5"):
            rec.swaks.session(capture, "198.51.100.47", "--auth", kind, "--auth-user", USER,
                              "--auth-password", PASSWORD)
        rec.swaks.session(capture, EXIM, "--auth", "PLAIN", "--auth-user", USER,
                          "--auth-password", PASSWORD)
        rec.swaks.session(capture, EXIM, "--auth", "LOGIN", "--auth-user", USER,
                          "--auth-password", "wrong-" + PASSWORD, outcome="no_mail")
    with rec.capture("auth-plain-without-initial-response.pcap") as capture:
        dialog = start("198.51.100.47")
        dialog.say("AUTH PLAIN")
        dialog.say(base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode())
        clear(dialog, capture, 0, auth_in_clear="PLAIN")
    with rec.capture("auth-refused.pcap") as capture:
        dialog = start("198.51.100.57")
        dialog.say("AUTH LOGIN")
        clear(dialog, capture, 0, note="no credentials crossed: Postfix wants STARTTLS first")
        dialog = start("198.51.100.47")
        dialog.say("AUTH PLAIN")
        dialog.say("*")
        clear(dialog, capture, 0, note="AUTH cancelled with *: no credentials crossed")


def tls_required(rec):
    """Mail refused for want of TLS: 530 5.7.0 of Postfix, OpenSMTPD's own"""
    with rec.capture("mail-refused-without-tls.pcap") as capture:
        for server in ("198.51.100.45", "198.51.100.74"):
            dialog = start(server)
            dialog.say("MAIL FROM:<anna@example.org>")
            clear(dialog, capture, 0)


def starttls_forms(rec):
    """STARTTLS in lower case, with a bare LF, with an argument, twice, late, pipelined"""
    def tls(dialog, capture, **facts):
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", **{"starttls": "accepted", **told, **facts})

    with rec.capture("starttls-lower-case.pcap") as capture:
        for server in (POSTFIX, EXIM):
            dialog = start(server)
            dialog.say("starttls")
            tls(dialog, capture)
    with rec.capture("starttls-bare-lf.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.send(b"EHLO mail.example.org\n")
        dialog.read()
        dialog.send(b"STARTTLS\n")
        dialog.read()
        tls(dialog, capture)
    with rec.capture("starttls-second-attempt.pcap") as capture:
        dialog = start(POSTFIX)
        dialog.say("STARTTLS now")
        dialog.say("STARTTLS")
        tls(dialog, capture, note="refused with 501 for its argument, then accepted")
    with rec.capture("starttls-without-ehlo.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.say("STARTTLS")
        tls(dialog, capture, note="Postfix wants no EHLO first")
    with rec.capture("starttls-after-mail.pcap") as capture:
        dialog = start(POSTFIX)
        mail(dialog, "mail in the clear, then STARTTLS")
        dialog.say("STARTTLS")
        tls(dialog, capture, outcome="plaintext", messages_in_clear=1)
    with rec.capture("starttls-several-ehlo.pcap") as capture:
        dialog = start(EXIM)
        dialog.say("EHLO again.example.org")
        dialog.say("HELO once-more.example.org")
        dialog.say("EHLO mail.example.org")
        dialog.say("STARTTLS")
        tls(dialog, capture)
    with rec.capture("starttls-pipelined-with-ehlo.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.send(b"EHLO mail.example.org\r\nSTARTTLS\r\n")
        dialog.read()
        dialog.read()
        tls(dialog, capture, note="EHLO and STARTTLS in one segment")
    with rec.capture("starttls-refused-by-helo.pcap") as capture:
        dialog = start("198.51.100.36")
        dialog.say("STARTTLS")
        mail(dialog, "after a 502")
        clear(dialog, capture, 1, "refused", note="not offered, asked for, 502, mail in the clear")


def exchange(rec):
    """X-ANONYMOUSTLS as Exchange servers use it among themselves; the server is a script"""
    address = "198.51.100.102"

    def handshake(peer):
        import ssl
        peer.send("220 2.0.0 SMTP server ready")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rec.top + "/pki/rsa.pem", rec.top + "/pki/rsa.key")
        tls = context.wrap_socket(peer.sock, server_side=True)
        tls.recv(1000)
        tls.send(b"221 2.0.0 Bye\r\n")
        tls.close()
        return True

    talk = fake.smtp("exchange.example.com", ["SIZE 37748736", "X-ANONYMOUSTLS", "X-EXPS GSSAPI",
                                              "XEXCH50", "8BITMIME", "CHUNKING"], handshake,
                     banner="220 exchange.example.com Microsoft ESMTP MAIL Service ready")
    with rec.capture("x-anonymoustls.pcap") as capture, fake.FakeServer(address, 25, talk):
        dialog = start(address)
        dialog.say("X-ANONYMOUSTLS")
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                    note="the server is a script with OpenSSL")


def timing(rec):
    """A server that speaks late, a client that speaks early"""
    with rec.capture("late-banner.pcap") as capture:
        dialog = start("198.51.100.65")
        mail(dialog, "late banner")
        clear(dialog, capture, 1, note="the banner comes after two seconds")
        dialog = Dialog("198.51.100.65")
        dialog.send(f"EHLO {HELO}")
        dialog.read()
        offered = "STARTTLS" in dialog.read()
        stop(dialog)
        dialog.note(capture, outcome="no_mail", starttls="offered" if offered else "unseen",
                    established=False, messages_in_clear=0, note="the client speaks first")
    with rec.capture("early-client.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.send(f"EHLO {HELO}")
        dialog.read()
        dialog.read()
        mail(dialog, "early EHLO")
        clear(dialog, capture, 1, note="EHLO may cross the banner")


def proxy_header(rec):
    """A HAProxy PROXY header, v1 and v2, before the banner; Postfix understands it"""
    server = "198.51.100.54"
    headers = (b"PROXY TCP4 203.0.113.77 198.51.100.54 51000 25\r\n",
               b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("203.0.113.78") +
               socket.inet_aton(server) + struct.pack("!HH", 51001, 25))
    for number, header in enumerate(headers, 1):
        note = f"the header names 203.0.113.{76 + number} port {50999 + number} as the client"
        with rec.capture(f"proxy-v{number}.pcap") as capture:
            for tls in (False, True):
                dialog = Dialog(server)
                dialog.send(header)
                dialog.read()
                dialog.say(f"EHLO {HELO}")
                if not tls:
                    mail(dialog, "through a proxy")
                    clear(dialog, capture, 1, note=note)
                    continue
                dialog.say("STARTTLS")
                steps = Steps(tls_context())
                told = dialog.handshake(steps)
                dialog.quit_tls(steps)
                dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                            note=note)


def not_smtp(rec):
    """Port 25 with something else; a flow without payload"""
    def http(peer):
        peer.bytes()
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def ssh(peer):
        peer.send(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        peer.bytes()
        peer.send(bytes(range(40)) * 20)

    def silent(peer):
        peer.bytes()

    facts = {"outcome": "not_smtp", "starttls": None, "established": False}
    with rec.capture("not-smtp.pcap") as capture:
        for address, talk, data in (
                ("198.51.100.103", http, b"GET / HTTP/1.1\r\nHost: mx.example.net\r\n\r\n"),
                ("198.51.100.104", ssh, b"SSH-2.0-OpenSSH_9.2p1\r\n")):
            with fake.FakeServer(address, 25, talk):
                dialog = Dialog(address)
                dialog.send(data)
                dialog.drain(2)
                dialog.close()
                dialog.note(capture, **facts)
    with rec.capture("no-payload.pcap") as capture:
        with fake.FakeServer("198.51.100.105", 25, silent):
            dialog = Dialog("198.51.100.105")
            dialog.close()
            dialog.note(capture, outcome=None, note="no payload: there is no event")


def other_port(rec):
    """SMTP on port 10025; what only looks like it on port 10021, and what does not at all"""
    with rec.capture("other-port-10025.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, port=10025)
        rec.swaks.session(capture, POSTFIX, port=10025)
        dialog = Dialog(POSTFIX, 10025)
        dialog.send(f"EHLO {HELO}")
        dialog.read()
        dialog.read()
        clear(dialog, capture, 0, note="the client speaks first")

    def ftp(peer):
        peer.send("220 ftp.example.net FTP server ready")
        while True:
            verb = peer.line().split(" ")[0]
            peer.send({"USER": "331 Password required", "PASS": "230 Logged in", "AUTH":
                       "502 Not understood", "QUIT": "221 Goodbye"}.get(verb, "200 Ok"))
            if verb == "QUIT":
                return

    def http(peer):
        peer.bytes()
        peer.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    facts = {"outcome": "not_smtp", "established": False}
    with rec.capture("other-port-not-smtp.pcap") as capture:
        with fake.FakeServer("198.51.100.109", 10021, ftp):
            dialog = Dialog("198.51.100.109", 10021)
            dialog.read()
            for line in ("AUTH TLS", "USER anna", "PASS inkpot-harbour-42", "QUIT"):
                dialog.say(line)
            dialog.close()
            dialog.note(capture, **facts, note="FTP")
        with fake.FakeServer("198.51.100.110", 10080, http):
            dialog = Dialog("198.51.100.110", 10080)
            dialog.send(b"GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n")
            dialog.drain(2)
            dialog.close()
            dialog.note(capture, **facts, note="HTTP")


def awkward(rec):
    """Banner, EHLO name and replies with bytes that are no UTF-8, control characters, quotes"""
    talk = fake.smtp("", ["STARTTLS \x1b[31mred", "SIZE 1000", 'X-QUOTE "\\"', "8BITMIME"], None,
                     banner=b"220 mx108.example.net \xe4\xf6\xfc \"quoted\\\" \x07\x1b[0m <&>\r\n",
                     greeting="mx108.example.net \u00e9\u0000\u2028 hello")
    with rec.capture("awkward-bytes.pcap") as capture, \
            fake.FakeServer("198.51.100.108", 25, talk):
        dialog = Dialog("198.51.100.108")
        dialog.read()
        dialog.send(b'EHLO caf\xe9."\\example\t.org\x00\x7f\r\n')
        dialog.read()
        mail(dialog, "awkward bytes")
        clear(dialog, capture, 1, note="the server is a script")


SCENES = (several_mails, pipelining, commands, auth, tls_required, starttls_forms, exchange,
          timing, proxy_header, not_smtp,
          other_port, awkward)
