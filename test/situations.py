#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Situations in which readers of mail captures lose a session: 23 captures, each one SMTP session made
from a recorded handshake, and the record that has to come of it. `situations.py [NUMBER ...]` runs
them; `situations.py --pcap FOLDER` only writes the captures.
"""
import os
import struct
import sys

import dialog
import harness
import wire

BANNER = b"220 mx.example.net ESMTP\r\n"
EHLO = b"EHLO mail.example.org\r\n"
OFFERS = b"250-mx.example.net\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
STARTTLS = b"STARTTLS\r\n"
READY = b"220 2.0.0 Ready to start TLS\r\n"
MAIL = ((wire.CLIENT, b"MAIL FROM:<ada@example.org>\r\n"), (wire.SERVER, b"250 2.1.0 Ok\r\n"),
        (wire.CLIENT, b"RCPT TO:<bob@example.net>\r\n"), (wire.SERVER, b"250 2.1.5 Ok\r\n"),
        (wire.CLIENT, b"DATA\r\n"), (wire.SERVER, b"354 go ahead\r\n"),
        (wire.CLIENT, b"Subject: test\r\n\r\ntext\r\n.\r\n"), (wire.SERVER, b"250 2.0.0 Ok\r\n"),
        (wire.CLIENT, b"QUIT\r\n"), (wire.SERVER, b"221 2.0.0 Bye\r\n"))

TLS13 = {"established": True, "version": "TLSv1.3", "version_id": "0x0304",
         "cipher": "TLS_AES_256_GCM_SHA384", "cipher_id": "0x1302",
         "client": {"max_version": "TLSv1.3", "server_name": "mx.example.net"}}
ACCEPTED = {"banner": "mx.example.net ESMTP", "hello": "EHLO", "client_name": "mail.example.org",
            "starttls": "accepted",
            "starttls_reply": {"code": 220, "text": "2.0.0 Ready to start TLS"}}
GOOD = {"outcome": "tls", "end": {"how": "fin", "from": "client"}, "incomplete": None,
        "client": {"ip": "192.0.2.10", "port": 40000},
        "server": {"ip": "198.51.100.25", "port": 25}, "smtp": ACCEPTED, "tls": TLS13}


def but(**changes):
    return dict(GOOD, **changes)


class Session:
    """A session under construction: `say` what comes before TLS, then `tls`."""

    def __init__(self, handshake="tls13", port=25, vlans=()):
        self.wire = wire.Connection(server=("198.51.100.25", port), vlans=vlans)
        self.turns = dialog.recording(handshake)
        self.wire.handshake()

    def say(self, *turns, dropped=False):
        for side, data in turns:
            self.wire.send(side, data, dropped=dropped)
        return self

    def greet(self, offers=OFFERS, banner=BANNER):
        return self.say((wire.SERVER, banner), (wire.CLIENT, EHLO), (wire.SERVER, offers))

    def start(self):
        return self.greet().say((wire.CLIENT, STARTTLS), (wire.SERVER, READY))

    def hello(self):
        """Takes the ClientHello off the handshake."""
        return self.turns.pop(0).data

    def in_pieces(self, side, pieces):
        for piece in pieces:
            self.wire.packet(side, wire.PSH | wire.ACK, piece)
        self.wire.acknowledge(wire.other(side))
        return self

    def tls(self):
        """The rest of the recording."""
        for turn in self.turns:
            dialog.play(self.wire, turn, wire.MSS)
        return self

    def close(self):
        self.wire.close(wire.CLIENT)
        return self

    @property
    def packets(self):
        return self.wire.packets


def cut(data, *places):
    """`data` cut at these places."""
    edges = (0,) + places + (len(data),)
    return [data[a:b] for a, b in zip(edges, edges[1:])]


def base():
    return Session().start().tls()


def port_2525():
    return Session(port=2525).start().tls()


def hello_in_6_segments():
    session = Session().start()
    return session.in_pieces(wire.CLIENT, cut(session.hello(), 3, 60, 61, 200, 290)).tls()


def hello_in_3_records():
    session = Session().start()
    hello = session.hello()
    parts = cut(hello[5:], 2, 150)
    records = [hello[:3] + struct.pack("!H", len(part)) + part for part in parts]
    return session.say((wire.CLIENT, b"".join(records))).tls()


def refused_454():
    return Session().greet().say((wire.CLIENT, STARTTLS),
                                 (wire.SERVER, b"454 4.7.0 TLS not available\r\n"), *MAIL).close()


def injected_commands():
    injected = b"RSET\r\nMAIL FROM:<eve@example.org>\r\n"
    return Session().greet().say((wire.CLIENT, STARTTLS + injected), (wire.SERVER, READY)).tls()


def masked_keyword():
    return Session().greet(OFFERS.replace(b"STARTTLS", b"XXXXXXXA")).say(*MAIL).close()


def number_of(packets, payload):
    """Where the first packet with this payload stands."""
    return next(number for number, packet in enumerate(packets)
                if packet.payload and packet.data.endswith(payload))


def starts_at_hello():
    session = Session().start()
    hello = session.turns[0].data
    packets = session.tls().packets
    return packets[number_of(packets, hello):]


def starts_at_starttls():
    packets = base().packets
    return packets[number_of(packets, STARTTLS):]


def hello_with_starttls():
    session = Session().greet()
    return session.say((wire.CLIENT, STARTTLS + session.hello()), (wire.SERVER, READY)).tls()


def ready_lost():
    session = Session().greet().say((wire.CLIENT, STARTTLS))
    return session.say((wire.SERVER, READY), dropped=True).tls()


def client_only():
    return [packet for packet in base().packets if packet.side == wire.CLIENT]


def ssl2_hello():
    return Session("ssl2-hello").start().tls()


def vlan_tag():
    return Session(vlans=(100,)).start().tls()


def hello_reversed():
    session = Session().start()
    pieces = cut(session.hello(), 60, 200)
    packets = session.in_pieces(wire.CLIENT, pieces).tls().packets
    at = number_of(packets, pieces[0])
    one, two, three = packets[at:at + 3]
    return packets[:at] + [three.again(one.time), two, one.again(three.time)] + packets[at + 3:]


def multi_line_banner():
    return Session().greet(banner=b"220-mx.example.net ESMTP\r\n220-no spam\r\n220 please\r\n") \
        .say((wire.CLIENT, STARTTLS), (wire.SERVER, READY)).tls()


def split_lines():
    return Session().greet().in_pieces(wire.CLIENT, cut(STARTTLS, 5)) \
        .in_pieces(wire.SERVER, cut(READY, 2)).tls()


def port_465():
    return Session(port=465).tls()


def alert_70():
    return Session("alert-protocol-version").start().tls()


def tls12():
    return Session("tls12").start().tls()


def hello_in_2_segments():
    session = Session().start()
    return session.in_pieces(wire.CLIENT, cut(session.hello(), 300)).tls()


def large_hello():
    session = Session("tls13-large").start()
    return session.in_pieces(wire.CLIENT, cut(session.hello(), 1400)).tls()


# number, what it is, how it is made, snapshot length, the record
SITUATIONS = (
    ("01", "base", base, None, GOOD),
    ("02", "port-2525", port_2525, None, but(server={"port": 2525})),
    ("03", "hello-in-6-segments", hello_in_6_segments, None, GOOD),
    ("04", "hello-in-3-records", hello_in_3_records, None, GOOD),
    ("05", "refused-454", refused_454, None, but(
        outcome="plaintext", tls=None,
        smtp={"starttls": "refused", "mail_in_clear": 1,
              "starttls_reply": {"code": 454, "text": "4.7.0 TLS not available"}})),
    ("06", "injected-commands", injected_commands, None, GOOD),
    ("07", "masked-keyword", masked_keyword, None, but(
        outcome="plaintext", tls=None, smtp={"starttls": "not_offered", "mail_in_clear": 1})),
    # nothing of SMTP was seen, but the handshake from its first byte to its end
    ("08", "starts-at-hello", starts_at_hello, None, but(
        incomplete=["midstream"], smtp={"one of": [None, {"starttls": "unseen"}]})),
    ("09", "starts-at-starttls", starts_at_starttls, None, but(
        incomplete=["midstream"], smtp=dict(ACCEPTED, banner=None, hello=None, client_name=None))),
    ("10", "hello-with-starttls", hello_with_starttls, None, GOOD),
    ("11", "ready-lost", ready_lost, None, but(
        incomplete=["gaps"], smtp={"starttls": "requested", "starttls_reply": None})),
    ("12", "client-only", client_only, None, but(
        outcome="unknown", incomplete=["one_sided"],
        smtp={"banner": None, "hello": "EHLO", "starttls": "requested"},
        tls={"established": False, "version": None, "cipher": None, "cipher_id": None,
             "limited_by": None, "client": TLS13["client"]})),
    ("13", "ssl2-hello", ssl2_hello, None, but(
        end={"how": "rst", "from": "client"},
        tls={"established": True, "version": "TLSv1.2", "cipher": "TLS_RSA_WITH_NULL_SHA256",
             "client": {"max_version": "TLSv1.2"}})),
    ("14", "vlan-tag", vlan_tag, None, but(vlan={"one of": [[100], ["100"]]})),
    # 74 bytes of each segment: the ServerHello ends before the chosen version and cipher
    ("15", "snaplen-128", base, 128, but(
        outcome={"one of": ["tls", "unknown"]}, incomplete={"has": ["truncated"]},
        tls={"version": None, "cipher": None, "cipher_id": None})),
    ("16", "hello-reversed", hello_reversed, None, GOOD),
    ("17", "multi-line-banner", multi_line_banner, None, GOOD),
    ("18", "split-lines", split_lines, None, GOOD),
    ("19", "port-465", port_465, None, but(
        server={"port": 465}, smtp={"starttls": "implicit", "starttls_reply": None})),
    ("20", "alert-70", alert_70, None, but(
        outcome="tls_failed",
        tls={"established": False, "version": None, "cipher": None, "cipher_id": None,
             "client": {"max_version": "TLSv1"},
             "alert": {"from": "server", "level": "fatal", "code": 70,
                       "name": "protocol_version"}})),
    ("21", "tls12", tls12, None, but(
        tls={"established": True, "version": "TLSv1.2", "version_id": "0x0303",
             "cipher": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "cipher_id": "0xc030",
             "group": "x25519", "limited_by": "client"})),
    ("22", "hello-in-2-segments", hello_in_2_segments, None, GOOD),
    ("23", "large-hello", large_hello, None, GOOD),
)


def write(folder, situation):
    number, name, make, snaplen, _ = situation
    made = make()
    path = os.path.join(folder, "%s-%s.pcap" % (number, name))
    wire.write_pcap(path, getattr(made, "packets", made), snaplen or 262144)
    return path


def main(args):
    if args[:1] == ["--pcap"]:
        for situation in SITUATIONS:
            write(args[1], situation)
        return
    chosen = [situation for situation in SITUATIONS if not args or situation[0] in args]
    report = harness.Report("situations")
    with harness.Scratch() as scratch:
        paths = [write(scratch.top, situation) for situation in chosen]
        runs = harness.mxtap_all([["-q", "-r", path] for path in paths])
    for (number, name, _, _, expected), run in zip(chosen, runs):
        lines = harness.checked(run) or harness.compare_sessions([expected], run.sessions)
        report.verdict("%s-%s" % (number, name), lines)


if __name__ == "__main__":
    main(sys.argv[1:])
