#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A ClientHello of 16 KiB gives the same record however it comes: in one piece, a byte a segment, in 64 records, out of order."""
import random
import struct
import sys

import harness
import wire

SIZE = 16384
NAME = b"mx.example.net"
CIPHERS = [0x1301, 0x1302, 0xc02f, 0xc030]
DIALOG = [(wire.SERVER, b"220 mx.example.net ESMTP\r\n"), (wire.CLIENT, b"EHLO c.example.org\r\n"),
          (wire.SERVER, b"250-mx.example.net\r\n250 STARTTLS\r\n"), (wire.CLIENT, b"STARTTLS\r\n"), (wire.SERVER, b"220 go\r\n")]
ALERT = b"\x15\x03\x03\x00\x02\x02\x46"  # fatal, protocol_version
WINDOW = 32  # segments within which the disorder stays


def extension(kind, data):
    return struct.pack("!HH", kind, len(data)) + data


def client_hello():
    """RFC 8446 4.1.2, filled up with padding (RFC 7685)."""
    names = extension(0, struct.pack("!HBH", len(NAME) + 3, 0, len(NAME)) + NAME)
    versions = extension(43, b"\x04\x03\x04\x03\x03")
    groups = extension(10, b"\x00\x02\x00\x1d")
    head = b"\x03\x03" + bytes(range(32)) + b"\x00" + struct.pack("!H", 2 * len(CIPHERS))
    head += b"".join(struct.pack("!H", cipher) for cipher in CIPHERS) + b"\x01\x00"
    extensions = names + versions + groups
    extensions += extension(21, bytes(SIZE - 4 - len(head) - 2 - len(extensions) - 4))
    body = head + struct.pack("!H", len(extensions)) + extensions
    return b"\x01" + struct.pack("!I", len(body))[1:] + body


def records(message, count):
    size = -(-len(message) // count)
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(message[at:at + size])) + message[at:at + size]
                    for at in range(0, len(message), size))


def packets(flight, size, disorder):
    connection = wire.Connection()
    connection.handshake()
    for side, text in DIALOG:
        connection.send(side, text)
    first = len(connection.packets)
    for at in range(0, len(flight), size):
        connection.packet(wire.CLIENT, wire.PSH | wire.ACK, flight[at:at + size])
    if disorder:
        sent = connection.packets[first:]
        times, chance = [packet.time for packet in sent], random.Random(7)
        for at in range(0, len(sent), WINDOW):
            part = sent[at:at + WINDOW]
            chance.shuffle(part)
            sent[at:at + WINDOW] = part
        connection.packets[first:] = [packet.again(time) for packet, time in zip(sent, times)]
    connection.acknowledge(wire.SERVER)
    connection.send(wire.SERVER, ALERT)
    connection.close(wire.SERVER)
    return connection.packets


def record(scratch, count, size, disorder):
    path = scratch.path("hello.pcap")
    wire.write_pcap(path, packets(records(client_hello(), count), size, disorder))
    run = harness.mxtap("-q", "--offers", "-r", path)
    wrong = harness.checked(run)
    session = run.sessions[0] if not wrong else {}
    for key in ("duration_ms", "sensor"):
        session.pop(key, None)
    session.get("client", {}).pop("bytes", None)  # record headers count
    return wrong, session


def main():
    report = harness.Report("hello")
    with harness.Scratch() as scratch:
        wrong, whole = record(scratch, 1, wire.MSS, False)
        client = {"max_version": "TLSv1.3", "server_name": NAME.decode(), "versions": ["TLSv1.3", "TLSv1.2"], "groups": ["x25519"]}
        expected = {"outcome": "tls_failed", "incomplete": None, "smtp": {"starttls": "accepted"},
                    "tls": {"client": client, "alert": {"code": 70, "from": "server"}}}
        report.verdict("whole", wrong or harness.differences(expected, whole))
        for name, count, size, disorder in (("bytes", 1, 1, False), ("records", 64, wire.MSS, False), ("records-bytes", 64, 1, False),
                                            ("disorder", 1, 100, True), ("records-bytes-disorder", 64, 1, True)):
            wrong, other = record(scratch, count, size, disorder)
            report.verdict(name, wrong or harness.differences(whole, other))
    return 0


if __name__ == "__main__":
    sys.exit(main())
