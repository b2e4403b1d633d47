# SPDX-License-Identifier: BSD-2-Clause
"""Handshakes that fail or stop half-way, and the protocols from before TLS."""
import socket
import ssl
import time

import fake
import hello
from clients import Dialog, Steps, tls_context
from scenes_basic import EXIM, LONER, POSTFIX, SENDMAIL, SMTPD

FAKE = "198.51.100.100"
FAILED = {"outcome": "tls_failed", "starttls": "accepted", "established": False}


def begin(server, port=25, client=LONER["client"]):
    """A dialog up to the 220 reply to STARTTLS."""
    dialog = Dialog(server, port, client)
    dialog.read()
    dialog.say("EHLO " + LONER["helo"])
    reply = dialog.say("STARTTLS")
    if not reply.startswith("220"):
        raise RuntimeError(f"{server}: {reply}")
    return dialog


def certificate(rec, name="rsa"):
    with open(f"{rec.top}/pki/{name}.pem") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def inside_tls13(rec):
    """Failures inside TLS 1.3, after the client's Finished: its certificate is missing or bad"""
    pki = rec.top + "/pki/"
    other = ("-cert", pki + "client-other.pem", "-key", pki + "client-other.key")
    for name, server in (("exim", "198.51.100.68"), ("opensmtpd", "198.51.100.72")):
        with rec.capture(f"fail-tls13-no-client-certificate-{name}.pcap") as capture:
            rec.openssl.session(capture, server, "-tls1_3", **LONER)
            rec.openssl.session(capture, server, "-tls1_3", "-ciphersuites",
                                "TLS_AES_128_GCM_SHA256", **LONER)
            rec.gnutls.session(capture, server, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                               client=LONER["client"])
        with rec.capture(f"fail-tls13-client-certificate-{name}.pcap") as capture:
            rec.openssl.session(capture, server, "-tls1_3", *other, **LONER)
            rec.openssl.session(capture, server, "-tls1_3", "-ciphersuites",
                                "TLS_CHACHA20_POLY1305_SHA256", *other, **LONER)
        with rec.capture(f"fail-tls12-client-certificate-{name}.pcap") as capture:
            rec.openssl.session(capture, server, "-tls1_2", **LONER)
            rec.openssl.session(capture, server, "-tls1_2", *other, **LONER)
    with rec.capture("postfix-no-client-certificate.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.39", "-tls1_3", talk=("NOOP", "QUIT"),
                            note="Postfix completes the handshake and then says 421", **LONER)


def alerts(rec):
    """Alerts in the clear: fallback SCSV, no shared signature, a client that dislikes it"""
    with rec.capture("fail-inappropriate-fallback.pcap") as capture:
        rec.openssl.session(capture, POSTFIX, "-fallback_scsv", "-tls1_1", **LONER)
        rec.openssl.session(capture, EXIM, "-fallback_scsv", "-tls1_2", **LONER)
    with rec.capture("fail-no-shared-signature.pcap") as capture:
        rec.openssl.session(capture, "198.51.100.40", "-tls1_3", "-sigalgs",
                            "ECDSA+SHA256", **LONER)
    with rec.capture("fail-gnutls-client.pcap") as capture:
        rec.gnutls.session(capture, POSTFIX, "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                           ca=rec.top + "/pki/other-ca.pem", client=LONER["client"])
        rec.gnutls.session(capture, POSTFIX, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
                           ca=rec.top + "/pki/other-ca.pem", client=LONER["client"])


def unfinished(rec):
    """Clients that leave: after the 220, after the server's flight; servers that hang up"""
    with rec.capture("fail-client-resets-after-220.pcap") as capture:
        for server in (POSTFIX, EXIM):
            dialog = begin(server)
            dialog.reset()
            dialog.note(capture, **FAILED)
    with rec.capture("fail-client-closes-after-220.pcap") as capture:
        for server in (SENDMAIL, SMTPD):
            dialog = begin(server)
            dialog.close()
            dialog.note(capture, **FAILED)
    with rec.capture("fail-client-stops-in-handshake.pcap") as capture:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for reset in (False, True):
                dialog = begin(POSTFIX)
                dialog.send(Steps(tls_context(high=version)).step())
                dialog.sock.recv(65536)
                time.sleep(0.2)
                dialog.reset() if reset else dialog.close()
                dialog.note(capture, **FAILED, note="the client leaves after the first flight")
    with rec.capture("fail-server-closes.pcap") as capture:
        def close(peer):
            peer.send("220 2.0.0 Ready to start TLS")
            peer.bytes()
            return True
        with fake.FakeServer(FAKE, 25, fake.smtp("mx100.example.net", ["STARTTLS"], close)):
            rec.openssl.session(capture, FAKE, "-tls1_2", note="the server closes after the hello",
                                **LONER)
    with rec.capture("fail-error-text-after-hello.pcap") as capture:
        def complain(peer):
            peer.send("220 2.0.0 Ready to start TLS")
            peer.bytes()
            peer.send("421 4.3.0 TLS handshake cannot be started, closing connection")
            return True
        with fake.FakeServer(FAKE, 25, fake.smtp("mx100.example.net", ["STARTTLS"], complain)):
            rec.openssl.session(capture, FAKE, note="the server answers the hello with SMTP text",
                                **LONER)


def not_tls(rec):
    """Clear text where TLS is due after the 220, and garbage"""
    with rec.capture("fail-plaintext-after-220.pcap") as capture:
        for server in (POSTFIX, EXIM, SENDMAIL, SMTPD):
            dialog = begin(server)
            dialog.send("EHLO " + LONER["helo"])
            dialog.drain(3)
            dialog.close()
            dialog.note(capture, **FAILED, note="the client goes on in the clear after the 220")
    with rec.capture("fail-garbage-after-220.pcap") as capture:
        dialog = begin(POSTFIX)
        dialog.send(bytes(range(128, 256)))
        dialog.drain(3)
        dialog.close()
        dialog.note(capture, **FAILED, note="bytes that are neither TLS nor SMTP after the 220")


def old_hellos(rec):
    """SSLv2 and SSLv3 hellos at real servers, which refuse them"""
    for name, data in (("sslv2", hello.v2_client_hello(0x0002, hello.V2_SPECS)),
                       ("sslv3", hello.v3_client_hello())):
        with rec.capture(f"{name}-refused.pcap") as capture:
            for server in (POSTFIX, EXIM, SENDMAIL, SMTPD):
                dialog = begin(server)
                dialog.send(data)
                dialog.drain(3)
                dialog.close()
                dialog.note(capture, **FAILED, note=f"{name} hello of a script")
    with rec.capture("sslv2-format-hello.pcap") as capture:
        for server in (POSTFIX, EXIM):
            dialog = begin(server)
            dialog.send(hello.v2_client_hello(0x0303, hello.V2_COMPATIBLE, 32))
            dialog.drain(1)
            dialog.close()
            dialog.note(capture, **FAILED, note="a hello of the SSLv2 format that offers TLS 1.2; "
                        "the script does not go on with it")


def played(rec):
    """SSLv2 and SSLv3 to their end, both sides played by scripts: the shapes, not the secrets"""
    der = certificate(rec)

    def v2(peer):
        peer.send("220 2.0.0 Ready to start TLS")
        peer.bytes()
        peer.send(hello.v2_server_hello(der))
        peer.bytes(200)
        peer.send(hello.v2_encrypted(33))
        peer.bytes()
        peer.send(hello.v2_encrypted(33))
        for _ in range(2):
            peer.bytes()
            peer.send(hello.v2_encrypted(60))
        return True

    def v2_error(peer):
        peer.send("220 2.0.0 Ready to start TLS")
        peer.bytes()
        peer.send(hello.v2_error(1))
        return True

    def v3(peer):
        peer.send("220 2.0.0 Ready to start TLS")
        peer.bytes()
        peer.send(hello.v3_server_flight(der))
        peer.bytes(300)
        peer.send(hello.v3_finish())
        for _ in range(2):
            peer.bytes()
            peer.send(hello.v3_data(80))
        return True

    with rec.capture("sslv2-played.pcap") as capture:
        with fake.FakeServer(FAKE, 25, fake.smtp("mx100.example.net", ["STARTTLS"], v2)):
            dialog = begin(FAKE)
            dialog.send(hello.v2_client_hello(0x0002, hello.V2_SPECS))
            dialog.sock.recv(65536)
            dialog.send(hello.v2_master_key())
            dialog.sock.recv(65536)
            for length in (33, 60, 40):
                dialog.send(hello.v2_encrypted(length))
                dialog.sock.recv(65536)
            dialog.close()
            dialog.note(capture, outcome="tls", starttls="accepted", established=True,
                        version="SSLv2", cipher=None, resumed=False,
                        note="both sides are scripts; RC4_128_WITH_MD5 chosen by the client")
        with fake.FakeServer("198.51.100.101", 25,
                             fake.smtp("mx101.example.net", ["STARTTLS"], v2_error)):
            dialog = begin("198.51.100.101")
            dialog.send(hello.v2_client_hello(0x0002, hello.V2_SPECS))
            dialog.drain()
            dialog.close()
            dialog.note(capture, **FAILED, note="SSLv2 ERROR: no cipher; both sides are scripts")
    with rec.capture("sslv3-played.pcap") as capture:
        with fake.FakeServer(FAKE, 25, fake.smtp("mx100.example.net", ["STARTTLS"], v3)):
            for first in (hello.v3_client_hello(),
                          hello.v2_client_hello(0x0300, hello.V2_COMPATIBLE)):
                dialog = begin(FAKE)
                dialog.send(first)
                dialog.sock.recv(65536)
                dialog.send(hello.v3_key_exchange() + hello.v3_finish())
                dialog.sock.recv(65536)
                for length in (64, 48):
                    dialog.send(hello.v3_data(length))
                    dialog.sock.recv(65536)
                dialog.close()
                dialog.note(capture, outcome="tls", starttls="accepted", established=True,
                            version="SSLv3", cipher="TLS_RSA_WITH_3DES_EDE_CBC_SHA",
                            resumed=False, note="both sides are scripts")


def split_hello(rec):
    """Steps of TLS in unusual segments: byte by byte, hello with STARTTLS, with the end of it"""
    with rec.capture("split-byte-by-byte.pcap") as capture:
        dialog = Dialog(POSTFIX)
        dialog.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialog.read()
        for line in (b"EHLO mail.example.org\r\n", b"STARTTLS\r\n"):
            for byte in line:
                dialog.send(bytes([byte]))
                time.sleep(0.002)
            dialog.read()
        steps = Steps(tls_context())
        first = steps.step()
        for at in range(0, len(first), 7):
            dialog.send(first[at:at + 7])
            time.sleep(0.002)
        facts = dialog.handshake(steps, b"")
        dialog.quit_tls(steps)
        dialog.note(capture, starttls="accepted", reported_by="Python ssl", **facts)
    with rec.capture("hello-before-220.pcap") as capture:
        for server in (POSTFIX, EXIM):
            dialog = Dialog(server, client=LONER["client"])
            dialog.read()
            dialog.say("EHLO " + LONER["helo"])
            steps = Steps(tls_context())
            dialog.send(b"STARTTLS\r\n" + steps.step())
            dialog.read()
            dialog.sock.settimeout(3)
            try:
                facts = dialog.handshake(steps, b"")
                dialog.quit_tls(steps)
            except OSError:
                facts = FAILED
                dialog.close()
            facts = {**facts, "starttls": "accepted"}
            dialog.note(capture, reported_by="Python ssl", **facts,
                        note="the hello is in the segment of STARTTLS")


def last_flight(dialog, steps):
    """The handshake up to the client's last flight, which is not sent yet."""
    while True:
        flight = steps.step(dialog.sock.recv(65536))
        if steps.complete:
            return flight
        if flight:  # the answer to a HelloRetryRequest
            dialog.send(flight)


def crossing(rec):
    """TLS 1.3: the client's EHLO crosses the server's rejection of its missing certificate"""
    with rec.capture("fail-tls13-ehlo-crosses-alert.pcap") as capture:
        for server in ("198.51.100.68", "198.51.100.72"):
            dialog = begin(server)
            steps = Steps(tls_context())
            dialog.send(steps.step())
            flight = last_flight(dialog, steps)
            facts = steps.facts()
            dialog.send(flight + steps.send(b"EHLO half.example.org\r\n"))
            alert = None
            try:
                while True:
                    data = dialog.sock.recv(65536)
                    if not data:
                        break
                    steps.incoming.write(data)
                    steps.tls.read(1000)
            except ssl.SSLError as error:
                alert = error.reason
            except OSError as error:
                alert = str(error)
            dialog.close()
            dialog.note(capture, reported_by="Python ssl", **FAILED, version=facts["version"],
                        cipher=facts["cipher"], note=f"reading gave {alert}")


def leaves(rec):
    """TLS 1.3: the client completes the handshake and leaves without a word"""
    with rec.capture("tls13-client-leaves.pcap") as capture:
        for server in (POSTFIX, EXIM, SENDMAIL, SMTPD):
            dialog = begin(server)
            steps = Steps(tls_context())
            dialog.send(steps.step())
            flight = last_flight(dialog, steps)
            facts = steps.facts()
            try:
                steps.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            dialog.send(flight + steps.outgoing.read())
            dialog.sock.shutdown(socket.SHUT_WR)
            dialog.drain(2)
            dialog.close()
            dialog.note(capture, reported_by="Python ssl", starttls="accepted", **facts)


def tolerant(rec):
    """A hello before the 220, with a server that does not mind; the server is a script"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(rec.top + "/pki/rsa.pem", rec.top + "/pki/rsa.key")

    def serve(peer):
        peer.send("220 2.0.0 Ready to start TLS")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        action = tls.do_handshake
        while True:
            try:
                if action() and action is not tls.do_handshake:
                    break
                action = lambda: tls.read(1000)
            except ssl.SSLWantReadError:
                if outgoing.pending:
                    peer.send(outgoing.read())
                incoming.write(peer.bytes())
        tls.write(b"221 2.0.0 Bye\r\n")
        peer.send(outgoing.read())
        return True

    with rec.capture("hello-before-220-accepted.pcap") as capture, \
            fake.FakeServer(FAKE, 25, fake.smtp("mx100.example.net", ["STARTTLS"], serve)):
        dialog = Dialog(FAKE)
        dialog.read()
        dialog.say("EHLO mail.example.org")
        steps = Steps(tls_context())
        dialog.send(b"STARTTLS\r\n" + steps.step())
        dialog.read()
        told = dialog.handshake(steps, b"")
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                    note="the hello is in the segment of STARTTLS")


SCENES = (inside_tls13, alerts, unfinished, not_tls, old_hellos, played, split_hello,
          crossing, leaves, tolerant)
