#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
One session under every link type, tag and tunnel that the program reads, in IP fragments, padded,
and with lengths of 0 from segmentation offload: the record stays the same.
"""
import ipaddress
import struct

import dialog
import harness
import wire

SCRIPTS = ("starttls-tls12", "ipv6")
OUTER4 = [ipaddress.ip_address(text).packed for text in ("203.0.113.1", "203.0.113.2")]
OUTER6 = [ipaddress.ip_address(text).packed for text in ("2001:db8:f::1", "2001:db8:f::2")]
UDP, GRE, IPIP, IPV6 = 17, 47, 4, 41
ADDRESS_FAMILY_6 = {"bsd": 24, "freebsd": 28, "darwin": 30}  # AF_INET6 as they number it


def ip_of(frame):
    return frame[14:]


def is6(packet):
    return packet[0] >> 4 == 6


def ethertype(packet):
    return b"\x86\xdd" if is6(packet) else b"\x08\x00"


def ethernet(packet, kind=None):
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + (kind or ethertype(packet)) + packet


def outer4(protocol, payload):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0)
    head += OUTER4[0] + OUTER4[1]
    return head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:] + payload


def outer6(next_header, payload):
    return struct.pack("!IHBB", 0x60000000, len(payload), next_header, 64) + OUTER6[0] + \
        OUTER6[1] + payload


def udp(port, payload):
    return struct.pack("!HHHH", 51000, port, 8 + len(payload), 0) + payload


def inner_protocol(packet):
    return IPV6 if is6(packet) else IPIP


def family(order, numbering="bsd"):
    def wrap(packet):
        return struct.pack(order, ADDRESS_FAMILY_6[numbering] if is6(packet) else 2) + packet
    return wrap


def nflog(packet):
    """Family, version, resource; a mark, then the packet (NFULA_PAYLOAD) in 4-byte units."""
    tlv = struct.pack("<HHI", 8, 5, 0) + struct.pack("<HH", 4 + len(packet), 9) + packet
    return struct.pack("!BBH", 10 if is6(packet) else 2, 0, 7) + tlv + bytes(-len(tlv) % 4)


def ppp(packet):
    return (b"\x00\x57" if is6(packet) else b"\x00\x21") + packet


def pppoe(packet):
    body = ppp(packet)
    return ethernet(struct.pack("!BBHH", 0x11, 0, 1, len(body)) + body, b"\x88\x64")


def sll(packet):
    return struct.pack("!HHH8s", 0, 1, 6, b"\2\0\0\0\0\2") + ethertype(packet) + packet


def sll2(packet):
    return ethertype(packet) + struct.pack("!HIHBB8s", 0, 2, 1, 0, 6, b"\2\0\0\0\0\2") + packet


def mpls(packet):
    return ethernet(struct.pack("!II", 0x00010040, 0x00011140) + packet, b"\x88\x47")


def gre(packet):
    """With a key and a sequence number (RFC 2890)."""
    return ethernet(outer4(GRE, struct.pack("!H", 0x3000) + ethertype(packet) +
                           struct.pack("!II", 5, 6) + packet))


def gre_bridged(packet):
    return ethernet(outer4(GRE, b"\0\0\x65\x58" + ethernet(packet)))


def vxlan(packet):
    return ethernet(outer4(UDP, udp(4789, struct.pack("!II", 0x08000000, 99 << 8) +
                                    ethernet(packet))))


def geneve(packet):
    """With an option of 4 bytes (RFC 8926)."""
    head = struct.pack("!BBHI", 2, 0, 0x6558, 99 << 8) + struct.pack("!HBBI", 0x0101, 1, 1, 0)
    return ethernet(outer6(UDP, udp(6081, head + ethernet(packet))))


def teredo(packet):
    """To the relay's port bare, from it with authentication and the origin (RFC 4380 5.1.1)."""
    if packet[40:42] != struct.pack("!H", 25):
        return ethernet(outer4(UDP, udp(3544, packet)))
    head = struct.pack("!HBB4s3s8sB", 1, 4, 3, b"name", b"key", bytes(8), 0) + \
        struct.pack("!HH4s", 0, 0xffff ^ 40000, bytes(4))
    return ethernet(outer4(UDP, struct.pack("!HHHH", 3544, 50000, 8 + len(head + packet), 0) + head + packet))


def extension_headers(packet):
    """Hop-by-hop and destination options before TCP; IPv4: an option (RFC 791 3.1)."""
    if not is6(packet):
        head = bytes([0x46]) + packet[1:2] + struct.pack("!H", len(packet) + 4) + packet[4:10] + \
            b"\0\0" + packet[12:20] + b"\1\1\1\0"
        return ethernet(head[:10] + struct.pack("!H", wire.checksum(head)) + head[12:] +
                        packet[20:])
    options = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([6, 0, 1, 4, 0, 0, 0, 0])
    return ethernet(packet[:4] + struct.pack("!HB", len(packet) - 40 + len(options), 0) +
                    packet[7:40] + options + packet[40:])


def padded(packet):
    return ethernet(packet).ljust(60, b"\xee") + b"\xee\xee\xee\xee"


def offloaded(packet):
    """Lengths of 0: the sender's stack left them to the network card."""
    at = 4 if is6(packet) else 2
    return ethernet(packet[:at] + b"\0\0" + packet[at + 2:])


def fragments(packet):
    """Pieces of 64 bytes, the last one first (RFC 791 3.2, RFC 8200 4.5)."""
    head, body = (packet[:40], packet[40:]) if is6(packet) else (packet[:20], packet[20:])
    fragments.number += 1
    pieces = []
    for at in range(0, len(body), 64):
        piece, more = body[at:at + 64], at + 64 < len(body)
        if is6(packet):
            extra = struct.pack("!BBHI", 6, 0, at | more, fragments.number)
            pieces.append(head[:4] + struct.pack("!HB", 8 + len(piece), 44) + head[7:] + extra +
                          piece)
        else:
            pieces.append(head[:2] + struct.pack("!HHH", 20 + len(piece), fragments.number,
                                                 at // 8 | more << 13) + head[6 + 2:] + piece)
    return [ethernet(piece) for piece in reversed(pieces)]


fragments.number = 0

# name: link type (libpcap's LINKTYPE_), from IP packet to frame or frames
WRAPPERS = {
    "ethernet": (1, ethernet), "null": (0, family("<I")), "null-big-endian": (0, family(">I")),
    "null-freebsd": (0, family("<I", "freebsd")), "null-darwin": (0, family("<I", "darwin")),
    "loop": (108, family(">I")), "raw": (101, bytes), "ppp": (9, ppp),
    "ppp-hdlc": (9, lambda packet: b"\xff\x03" + ppp(packet)), "sll": (113, sll),
    "sll2": (276, sll2), "nflog": (239, nflog), "pppoe": (1, pppoe), "mpls": (1, mpls),
    "ip-in-ip": (1, lambda packet: ethernet(outer4(inner_protocol(packet), packet))),
    "ip-in-ip6": (1, lambda packet: ethernet(outer6(inner_protocol(packet), packet))),
    "gre": (1, gre), "gre-bridged": (1, gre_bridged), "vxlan": (1, vxlan), "geneve": (1, geneve),
    "extension-headers": (1, extension_headers), "padded": (1, padded),
    "offloaded": (1, offloaded), "fragments": (1, fragments),
}


def wrapped(packets, wrap):
    out = []
    for packet in packets:
        frames = wrap(ip_of(packet.data))
        for frame in frames if isinstance(frames, list) else [frames]:
            out.append(wire.Packet(packet.time, packet.side, frame))
    return out


def main():
    report = harness.Report("encapsulation")
    with harness.Scratch() as scratch:
        for script in SCRIPTS:
            packets, names, commands = dialog.Dialog(script).packets(), [], []
            wrappers = dict(WRAPPERS)
            wrappers.update({"ipv6-raw" if is6(ip_of(packets[0].data)) else "ipv4-raw":
                             (229 if is6(ip_of(packets[0].data)) else 228, bytes)})
            if is6(ip_of(packets[0].data)):
                wrappers["teredo"] = (1, teredo)
            for name, (link, wrap) in wrappers.items():
                path = scratch.path("%s-%s.pcap" % (script, name))
                wire.write_pcap(path, wrapped(packets, wrap), link=link)
                names.append("%s/%s" % (script, name))
                commands.append(["-q", "-r", path])
            verdicts(report, names, harness.mxtap_all(commands))


def verdicts(report, names, runs):
    """The first run is the plain one."""
    expected = [harness.without_sensor_file(event) for event in runs[0].sessions]
    for name, run in zip(names, runs):
        lines = harness.checked(run)
        got = [] if lines else [harness.without_sensor_file(event) for event in run.sessions]
        if not lines and (len(expected) != 1 or got != expected):
            lines = ["expected %s" % expected, "got %s" % got]
        report.verdict(name, lines)


if __name__ == "__main__":
    main()
