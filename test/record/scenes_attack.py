# SPDX-License-Identifier: BSD-2-Clause
"""Interference by a machine in the middle, and for each kind a harmless session that resembles it.

The middle listens on 198.51.100.201 and more; it speaks to the real servers as 203.0.113.254."""
import time

import fake
import net
from clients import Dialog, Steps, tls_context
from mta import EximClient, PostfixClient
from proxy import (UPSTREAM_SOURCE, BreakHandshake, InjectCommands, InjectReply, Mask, Meddler,
                   Proxy, Refuse, Remove)
from scenes_basic import POSTFIX
from scenes_plain import clear, mail, start

#: an address for each capture: what one saw of a server must not matter for another
MIDDLES = {name: f"198.51.100.{201 + number}" for number, name in enumerate((
    "removed-postfix", "removed-exim", "masked-postfix", "masked-exim", "refused-postfix",
    "refused-exim", "masked-server-side", "vanished", "vanished-new-client", "backends",
    "command-postfix", "response-postfix", "command-exim", "response-exim", "fallback-postfix",
    "fallback-exim"))}

UP_POSTFIX, UP_EXIM, UP_PLAIN = "203.0.113.25", "203.0.113.61", "203.0.113.36"
CLIENT_SIDE = {"ns": net.MIDDLE, "dev": "m1"}
SERVER_SIDE = {"ns": net.SERVERS, "dev": "s2"}


def always(upstream, meddler):
    return lambda number: (upstream, meddler())


def strip(rec):
    """STARTTLS removed, masked, refused by the middle; mail goes in the clear"""
    client = PostfixClient(rec.top, {name + ".example.net": f"smtp:[{middle}]"
                                     for name, middle in MIDDLES.items()})
    exim = EximClient(rec.top)
    try:
        for name, meddler, starttls, staged in (
                ("removed", Remove, "not_offered", ["starttls_not_offered"]),
                ("masked", Mask, "not_offered", ["starttls_masked"]),
                ("refused", Refuse, "refused", ["starttls_refused"])):
            for upstream, server in ((UP_POSTFIX, "postfix"), (UP_EXIM, "exim")):
                facts = {"starttls": starttls, "staged": staged}
                middle = MIDDLES[f"{name}-{server}"]
                with rec.capture(f"attack-{name}-{server}.pcap", **CLIENT_SIDE) as capture, \
                        Proxy(middle, always(upstream, meddler)):
                    client.session(capture, f"{name}-{server}.example.net", middle,
                                   outcome="plaintext", established=False, messages_in_clear=1,
                                   **facts)
                    exim.session(capture, middle, **facts)
                    rec.swaks.session(capture, middle, "--tls-optional", staged=staged)
    finally:
        client.stop()
    middle = MIDDLES["masked-server-side"]
    with rec.capture("attack-masked-server-side.pcap", **SERVER_SIDE) as capture, \
            Proxy(middle, always(UP_POSTFIX, Mask)) as proxy:
        dialog = start(middle)
        dialog.say("STARTTLS")
        dialog.say("QUIT")
        dialog.close()
        capture.session(client=UPSTREAM_SOURCE, client_port=proxy.connections[0].upstream_port,
                        server=UP_POSTFIX, server_port=25, reported_by="script",
                        outcome="no_mail", starttls="offered", established=False,
                        messages_in_clear=0, staged=["starttls_masked"],
                        note="the server sees the command XXXXXXXX")


def vanished(rec):
    """First STARTTLS is offered and used, later it is gone; harmless: other causes"""
    def later(first):
        return lambda number: (UP_POSTFIX, Meddler() if number < first else Remove())

    middle = MIDDLES["vanished"]
    with rec.capture("attack-vanished.pcap", **CLIENT_SIDE) as capture, \
            Proxy(middle, later(2)):
        for _ in range(2):
            rec.openssl.session(capture, middle, staged=[])
        for _ in range(2):
            rec.swaks.session(capture, middle, staged=["starttls_vanished",
                                                       "starttls_not_offered"])
    middle = MIDDLES["vanished-new-client"]
    with rec.capture("attack-vanished-new-client.pcap", **CLIENT_SIDE) as capture, \
            Proxy(middle, later(4)):
        for host in (11, 12, 13, 14):
            rec.openssl.session(capture, middle, client=f"192.0.2.{host}", staged=[])
        rec.swaks.session(capture, middle, client="192.0.2.15",
                          staged=["starttls_vanished", "starttls_not_offered"],
                          note="four other clients were offered it, this one never saw the server")
    with rec.capture("benign-never-offered.pcap") as capture:
        for host in (11, 12, 13, 14, 15):
            rec.swaks.session(capture, "198.51.100.36", client=f"192.0.2.{host}",
                              staged=["starttls_not_offered"])
    middle = MIDDLES["backends"]
    with rec.capture("benign-backends.pcap", **CLIENT_SIDE) as capture, \
            Proxy(middle, lambda number: (UP_PLAIN if number % 2 else UP_POSTFIX, Meddler())):
        for number in range(4):
            if number % 2:
                rec.swaks.session(capture, middle, staged=["starttls_not_offered"],
                                  note="another host behind the same address, by its banner")
            else:
                rec.openssl.session(capture, middle, staged=[])
    with rec.capture("benign-helo-after-ehlo.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, talk=("EHLO mail.example.org", "QUIT"), staged=[],
                            note="the second EHLO, under TLS, names no STARTTLS")
        dialog = start(POSTFIX, "HELO")
        mail(dialog, "HELO")
        clear(dialog, capture, 1, "unseen", staged=[], note="HELO: no extensions at all")
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.say("EHLO")
        dialog.say("HELO mail.example.org")
        mail(dialog, "EHLO refused")
        clear(dialog, capture, 1, "unseen", staged=[], note="EHLO without argument: refused")
    with rec.capture("benign-x-keywords.pcap") as capture:
        rec.swaks.session(capture, "198.51.100.58", staged=["starttls_not_offered"],
                          note="XCLIENT and XFORWARD are no masked STARTTLS")


def injection(rec):
    """Commands behind STARTTLS, a reply behind the 220; harmless: pipelining, long 220 replies"""
    for name, upstream in (("postfix", UP_POSTFIX), ("exim", UP_EXIM)):
        middle = MIDDLES["command-" + name]
        with rec.capture(f"attack-command-injection-{name}.pcap", **SERVER_SIDE) as capture, \
                Proxy(middle, always(upstream, InjectCommands)) as proxy:
            hidden = rec.book.capture("unused")
            rec.openssl.session(hidden, middle, "-tls1_2")
            told = {key: hidden.truth[0][key] for key in (
                "reported_by", "outcome", "starttls", "established", "version", "cipher", "group",
                "resumed", "alert")}
            time.sleep(0.3)
            capture.session(client=UPSTREAM_SOURCE, server=upstream, server_port=25,
                            client_port=proxy.connections[0].upstream_port,
                            staged=["command_injection"], **told)
        middle = MIDDLES["response-" + name]
        with rec.capture(f"attack-response-injection-{name}.pcap", **CLIENT_SIDE) as capture, \
                Proxy(middle, always(upstream, InjectReply)):
            rec.openssl.session(capture, middle, "-tls1_2", staged=["response_injection"])
            rec.swaks.session(capture, middle, "--tls", staged=["response_injection"],
                              note="whatever swaks makes of it")
    with rec.capture("benign-pipelining.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.read()
        dialog.send(b"EHLO mail.example.org\r\nNOOP\r\nRSET\r\nSTARTTLS\r\n")
        for _ in range(4):
            dialog.read()
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told, staged=[],
                    note="commands before STARTTLS in its segment, none behind it")
    with rec.capture("benign-220-lines.pcap") as capture:
        def greet(peer):
            import ssl
            peer.send("220-2.0.0 Ready\r\n220-to start TLS\r\n220 now")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(rec.top + "/pki/rsa.pem", rec.top + "/pki/rsa.key")
            tls = context.wrap_socket(peer.sock, server_side=True)
            tls.recv(1000)
            tls.send(b"221 2.0.0 Bye\r\n")
            tls.close()
            return True
        with fake.FakeServer("198.51.100.106", 25,
                             fake.smtp("mx106.example.net", ["STARTTLS", "8BITMIME"], greet)):
            dialog = start("198.51.100.106")
            dialog.say("STARTTLS")
            steps = Steps(tls_context())
            told = dialog.handshake(steps)
            dialog.quit_tls(steps)
            dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told, staged=[],
                        note="a 220 reply of three lines; the server is a script with OpenSSL")


def fallback(rec):
    """The handshake is broken and the client tries again in the clear; harmless look-alikes"""
    middle = MIDDLES["fallback-postfix"]
    client = PostfixClient(rec.top, {"example.net": f"smtp:[{middle}]",
                                     "old.example.net": "old:[198.51.100.35]"},
                           {"old": {"smtp_tls_protocols": "TLSv1"}})
    exim = EximClient(rec.top)
    staged = ["plaintext_fallback"]
    try:
        with rec.capture("attack-fallback-postfix.pcap", **CLIENT_SIDE) as capture, \
                Proxy(middle, always(UP_POSTFIX, BreakHandshake)) as proxy:
            client.fallback(capture, "example.net", middle, lambda: proxy.client_ports,
                            staged=staged)
        middle = MIDDLES["fallback-exim"]
        with rec.capture("attack-fallback-exim.pcap", **CLIENT_SIDE) as capture, \
                Proxy(middle, always(UP_EXIM, BreakHandshake)) as proxy:
            exim.session(capture, middle, ports_of=lambda: proxy.client_ports, staged=staged)
        with rec.capture("fallback-tls10-client.pcap") as capture:
            client.fallback(capture, "old.example.net", "198.51.100.35",
                            lambda: rec.ports_seen("postfix", "192.0.2.10"), staged=staged)
    finally:
        client.stop()
    with rec.capture("benign-failed-then-tls.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.35", "-tls1", staged=[])
        rec.openssl.session(capture, "198.51.100.35", "-tls1_2", staged=[])
    with rec.capture("benign-two-clients-one-address.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.35", "-tls1", helo="old.example.org", staged=[])
        rec.swaks.session(capture, "198.51.100.35", helo="other.example.org", staged=[],
                          note="another client behind the same address: no fallback of the first")


def refused_mail(rec):
    """530 for want of a login, not of TLS; harmless twin of mail-refused-without-tls.pcap"""
    def talk(peer):
        fake.smtp("mx107.example.net", ["AUTH PLAIN", "STARTTLS"], None)(peer)

    class NeedLogin:
        def __init__(self, peer):
            self.peer = peer

        def __getattr__(self, name):
            return getattr(self.peer, name)

        def send(self, data):
            if isinstance(data, str) and data.startswith("250 2.0.0"):
                data = "530 5.7.0 Authentication required"
            self.peer.send(data)

    with rec.capture("benign-530-authentication.pcap") as capture, \
            fake.FakeServer("198.51.100.107", 25, lambda peer: talk(NeedLogin(peer))):
        dialog = start("198.51.100.107")
        dialog.say("MAIL FROM:<anna@example.org>")
        clear(dialog, capture, 0, staged=[], note="the server is a script")


SCENES = (strip, vanished, injection, fallback, refused_mail)
