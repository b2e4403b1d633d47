#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Takes byte streams of sessions out of pcaps/ for generate.c, with what their clients said of them
(truth.jsonl). A file of them: for each its name (32 bytes), port, weight, number of messages, the
message with which TLS begins (0: none) and message and offset of bytes that may be changed in its
certificate (0: none), each 32 bits, then each message: who (0 client), length, bytes.
"""
import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import wire  # noqa: E402

PCAPS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "pcaps")
# captures and how often one of their sessions comes, compared with others
WEIGHTS = {
    "postfix-delivers": 60, "exim-delivers": 60, "sendmail-delivers": 40, "opensmtpd-delivers": 40,
    "swaks-tls": 30, "gnutls-postfix": 20, "gnutls-exim": 20, "hello-retry": 4,
    "resume-tls12-ticket": 20, "resume-tls12-session-id": 10, "resume-tls13-psk": 20,
    "ciphers-tls13": 10, "ciphers-ecdhe-rsa": 6, "ciphers-ecdhe-ecdsa": 6, "ciphers-dhe": 3,
    "ciphers-static-rsa": 2, "postfix-tls10": 3, "postfix-tls11": 1, "exim-tls12": 30,
    "fail-protocol-version": 3, "sendmail-plaintext": 4, "exim-plaintext": 4,
}


def segments(path):
    """(source, destination, flags, sequence, payload) of each TCP packet: (address, port) pairs."""
    link, packets = wire.read_pcap(path)
    for packet in packets:
        data = packet.data[14:] if link == 1 else b""
        if data[:1] and data[0] >> 4 == 4 and data[9] == 6:
            length, = struct.unpack_from("!H", data, 2)
            source, destination, tcp = data[12:16], data[16:20], data[(data[0] & 15) * 4:length]
        elif data[:1] and data[0] >> 4 == 6 and data[6] == 6:
            source, destination, tcp = data[8:24], data[24:40], data[40:]
        else:
            continue
        sport, dport, sequence, _, offset, flags = struct.unpack_from("!HHIIBB", tcp)
        yield (source, sport), (destination, dport), flags, sequence, tcp[(offset >> 4) * 4:]


class Session:
    """The messages of one connection, while its segments come in order."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.next, self.messages, self.good = {}, [], True

    def take(self, source, flags, sequence, payload):
        if flags & 2:
            self.next[source] = (sequence + 1) & 0xffffffff
        if not payload:
            return
        if self.next.get(source) != sequence:
            self.good = False
            return
        self.next[source] = (sequence + len(payload)) & 0xffffffff
        side = 0 if source == self.client else 1
        if self.messages and self.messages[-1][0] == side:
            self.messages[-1] = (side, self.messages[-1][1] + payload)
        else:
            self.messages.append((side, payload))


def sessions_of(path):
    found = {}
    for source, destination, flags, sequence, payload in segments(path):
        key = frozenset((source, destination))
        if flags & 0x12 == 2:
            found[key] = Session(source, destination)
        if key in found:
            found[key].take(source, flags, sequence, payload)
    return [session for session in found.values() if session.good and session.messages]


def begin_of_tls(messages):
    """The message that is a ClientHello; 0 if there is none."""
    for number, (side, data) in enumerate(messages):
        if side == 0 and data[:2] == b"\x16\x03" and data[5:6] == b"\x01":
            return number
    return 0


def certificate_at(messages):
    """Message and offset of 8 bytes within the signature of a readable leaf certificate."""
    for number, (side, data) in enumerate(messages):
        at = 0
        while side == 1 and data[at:at + 2] == b"\x16\x03" and at + 15 < len(data):
            length, = struct.unpack_from("!H", data, at + 3)
            if data[at + 5] == 11:
                return number, at + 15 + int.from_bytes(data[at + 12:at + 15], "big") - 12
            at += 5 + length
    return 0, 0


def truths():
    with open(os.path.join(PCAPS, "truth.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return {(row["file"], row["client_port"]): row for row in rows}


def main(out):
    known, expected = truths(), {}
    with open(out, "wb") as file:
        for capture, weight in WEIGHTS.items():
            for session in sessions_of(os.path.join(PCAPS, capture + ".pcap")):
                truth = known.get((capture + ".pcap", session.client[1]))
                if not truth or not truth["outcome"]:
                    continue
                name = "%s-%d" % (capture, session.client[1])
                message, offset = certificate_at(session.messages)
                file.write(struct.pack("<32s6I", name.encode(), session.server[1], weight,
                                       len(session.messages), begin_of_tls(session.messages),
                                       message, offset))
                for side, data in session.messages:
                    file.write(struct.pack("<BI", side, len(data)) + data)
                expected[name] = {key: truth[key] for key in ("outcome", "version", "cipher")}
    return expected


if __name__ == "__main__":
    json.dump(main(sys.argv[1]), sys.stdout, indent=1)
