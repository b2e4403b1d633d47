# SPDX-License-Identifier: BSD-2-Clause
"""Frames made for the live tests: tagged, fragmented, foreign, and floods."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import wire  # noqa: E402


def talk(connection, closed=True):
    """A session in which nobody sends mail."""
    connection.handshake()
    connection.send(wire.SERVER, b"220 mx.example.net ESMTP\r\n")
    connection.send(wire.CLIENT, b"EHLO mail.example.org\r\n")
    connection.send(wire.SERVER, b"250-mx.example.net\r\n250 HELP\r\n")
    if closed:
        connection.send(wire.CLIENT, b"QUIT\r\n")
        connection.close(wire.SERVER)
    return connection.packets


def fragments(packet):
    """An IPv4 frame as fragments of at most 16 bytes of payload."""
    ethernet, header, data = packet.data[:14], bytearray(packet.data[14:34]), packet.data[34:]
    out = []
    for at in range(0, len(data), 16):
        piece = data[at:at + 16]
        more = 0x2000 if at + 16 < len(data) else 0
        head = bytes(header[:2]) + struct.pack("!HHH", 20 + len(piece), packet.time & 0xffff, at // 8 | more)
        head += bytes(header[8:10]) + b"\0\0" + bytes(header[12:])
        head = head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:]
        out.append(wire.Packet(packet.time, packet.side, ethernet + head + piece))
    return out


def encapsulated():
    """Name -> (packets, what the record has to say); None: no record may come."""
    v6 = {"client": ("2001:db8::10", 40000), "server": ("2001:db8::25", 25)}
    return {
        "plain": (talk(wire.Connection()), {"outcome": "no_mail"}),
        "ipv6": (talk(wire.Connection(**v6)), {"outcome": "no_mail"}),
        "vlan": (talk(wire.Connection(vlans=(10,))), {"outcome": "no_mail", "vlan": ["10"]}),
        "vlan-twice": (talk(wire.Connection(vlans=(20, 30))), {"outcome": "no_mail", "vlan": ["20", "30"]}),
        "vlan-ipv6": (talk(wire.Connection(vlans=(10,), **v6)), {"outcome": "no_mail", "vlan": ["10"]}),
        "fragments": ([piece for packet in talk(wire.Connection()) for piece in fragments(packet)],
                      {"outcome": "no_mail"}),
        "foreign": (talk(wire.Connection(server=("198.51.100.25", 8080))), None),
    }


def crowd():
    """Many short sessions."""
    return [packet for n in range(2000) for packet in talk(wire.Connection(client=("192.0.2.%d" % (n % 250), 20000 + n)))]


def floods():
    """SYN flood, sessions that never end, and the same ports again and again."""
    syns, never, again = [], [], []
    for n in range(8000):
        connection = wire.Connection(client=("198.18.%d.%d" % (n >> 8, n & 255), 1024 + n))
        connection.packet(wire.CLIENT, wire.SYN)
        syns += connection.packets
    for n in range(300):
        never += talk(wire.Connection(client=("192.0.2.77", 20000 + n)), closed=False)
    for n in range(40):
        again += talk(wire.Connection(client=("192.0.2.78", 30000 + n % 10)))
    return {"syns": syns, "never": never, "again": again}
