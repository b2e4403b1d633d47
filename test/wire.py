# SPDX-License-Identifier: BSD-2-Clause
"""TCP connections as captures: Ethernet, VLAN tags, IPv4 or IPv6, TCP, pcap with microseconds."""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
MSS = 1460
START = 1700000000 * 1000000  # microseconds
TURN = 10000
CLIENT, SERVER = "C", "S"
ETHERNET, RAW = 1, 101  # link types


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packet:
    """A frame of a capture with `payload` bytes of TCP data; `dropped`: sent, but not captured."""

    def __init__(self, time, side, data, payload=0, dropped=False):
        self.time, self.side, self.data = time, side, data
        self.payload, self.dropped = payload, dropped

    def again(self, time):
        return Packet(time, self.side, self.data, self.payload, self.dropped)


class Connection:
    """A TCP connection that writes down its packets. Times are in microseconds."""

    def __init__(self, client=("192.0.2.10", 40000), server=("198.51.100.25", 25), vlans=(),
                 start=START):
        self.end = {CLIENT: client, SERVER: server}
        self.seq = {CLIENT: 0x10000000, SERVER: 0xfffff000}  # the server's wraps around early
        self.vlans = vlans
        self.time = start
        self.packets = []

    def handshake(self):
        self.packet(CLIENT, SYN)
        self.packet(SERVER, SYN | ACK)
        self.packet(CLIENT, ACK)

    def packet(self, side, flags, data=b"", seq=None, dropped=False):
        """One packet; what counts in sequence numbers moves them on unless `seq` is given."""
        if seq is None:
            seq = self.seq[side]
            self.seq[side] += len(data) + (1 if flags & (SYN | FIN) else 0)
        frame = self.frame(side, flags, seq, data)
        self.packets.append(Packet(self.time, side, frame, len(data), dropped))
        self.time += 1

    def send(self, side, data, size=MSS, dropped=False):
        """`data` in segments of at most `size` bytes, then the other side's acknowledgement."""
        for at in range(0, len(data), size):
            self.packet(side, PSH | ACK, data[at:at + size], dropped=dropped)
        self.acknowledge(other(side))

    def acknowledge(self, side):
        self.packet(side, ACK)
        self.wait(TURN)

    def close(self, side):
        """FIN by `side`, FIN by the other side."""
        self.packet(side, FIN | ACK)
        self.packet(other(side), FIN | ACK)
        self.packet(side, ACK)

    def wait(self, microseconds):
        self.time += microseconds

    def frame(self, side, flags, seq, data):
        peer = other(side)
        source, destination = (ipaddress.ip_address(self.end[s][0]) for s in (side, peer))
        options = b"\x02\x04" + struct.pack("!H", MSS) if flags & SYN else b""
        ack = self.seq[peer] & 0xffffffff if flags & ACK else 0
        tcp = struct.pack("!HHIIBBHHH", self.end[side][1], self.end[peer][1], seq & 0xffffffff,
                          ack, (20 + len(options)) << 2, flags, 65535, 0, 0) + options + data
        pseudo = source.packed + destination.packed + struct.pack("!II", len(tcp), 6)
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        v6 = source.version == 6
        header = (ip6_header if v6 else ip4_header)(source.packed, destination.packed, len(tcp))
        macs = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2"
        tags = b"".join(struct.pack("!HH", 0x8100, vlan) for vlan in self.vlans)
        return macs + tags + (b"\x86\xdd" if v6 else b"\x08\x00") + header + tcp


def ip4_header(source, destination, length):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0)
    head += source + destination
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def ip6_header(source, destination, length):
    return struct.pack("!IHBB", 0x60000000, length, 6, 64) + source + destination


def other(side):
    return SERVER if side == CLIENT else CLIENT


def write_pcap(path, packets, snaplen=262144, link=ETHERNET, order="<"):
    """A pcap of those packets that are not dropped; `order` is that of its bytes."""
    with open(path, "wb") as file:
        file.write(struct.pack(order + "IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link))
        for packet in packets:
            if not packet.dropped:
                caught = packet.data[:snaplen]
                file.write(struct.pack(order + "IIII", packet.time // 1000000,
                                       packet.time % 1000000, len(caught), len(packet.data)))
                file.write(caught)


def read_pcap(path):
    """Link type and packets of a plain little-endian pcap with microseconds."""
    with open(path, "rb") as file:
        data = file.read()
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", data)
    if magic != 0xa1b2c3d4:
        raise ValueError(path + ": not a little-endian pcap")
    packets, at = [], 24
    while at < len(data):
        seconds, micro, caught, _ = struct.unpack_from("<IIII", data, at)
        packets.append(Packet(seconds * 1000000 + micro, None, data[at + 16:at + 16 + caught]))
        at += 16 + caught
    return link, packets
