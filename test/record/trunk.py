#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One end of a VLAN trunk: a switch between an access port and a trunk port.

    trunk.py ACCESS TRUNK TPID:VID [TPID:VID]     tags outermost first, in hexadecimal
    trunk.py ACCESS TRUNK drop|swap|double N      no tags; every Nth segment with payload that goes
                                                  out on the trunk is lost, comes behind the next
                                                  one, comes twice

(The kernel's own VLAN devices would do as well, but not every kernel has them.)
"""
import select
import socket
import struct
import sys

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID = 0x10


def port(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((name, ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    return sock


def receive(sock):
    """A frame as it was on the wire; None for what this end sent itself."""
    frame, control, _, address = sock.recvmsg(65535, 256)
    if address[2] == PACKET_OUTGOING:
        return None
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                frame = frame[:12] + struct.pack("!HH", tpid or 0x8100, tci) + frame[12:]
    return frame


def payload(frame):
    """Bytes of TCP payload in an Ethernet frame of IPv4."""
    if frame[12:14] != b"\x08\0" or frame[23] != 6:
        return 0
    header = (frame[14] & 15) * 4
    total = int.from_bytes(frame[16:18], "big")
    return total - header - (frame[14 + header + 12] >> 4) * 4


class Fault:
    """What a bad line does to frames."""

    def __init__(self, kind, every):
        self.kind, self.every = kind, every
        self.count, self.held = 0, None

    def frames(self, frame):
        """The frames to be sent in place of one."""
        if payload(frame) > 0:
            self.count += 1
            if self.count % self.every == 0:
                if self.kind == "drop":
                    return []
                if self.kind == "double":
                    return [frame, frame]
                self.held = frame
                return []
        if self.held:
            held, self.held = self.held, None
            return [frame, held]
        return [frame]


def switch(access, trunk, tags, fault):
    while True:
        ready = select.select([access, trunk], [], [], 0.05)[0]
        if not ready and fault and fault.held:
            held, fault.held = fault.held, None
            trunk.send(held)
        for sock in ready:
            frame = receive(sock)
            if frame is None:
                continue
            if sock is access:
                for one in fault.frames(frame) if fault else [frame]:
                    trunk.send(one[:12] + tags + one[12:])
            elif frame[12:12 + len(tags)] == tags:
                access.send(frame[:12] + frame[12 + len(tags):])


def main():
    access, trunk = port(sys.argv[1]), port(sys.argv[2])
    rest = sys.argv[3:]
    if rest and rest[0] in ("drop", "swap", "double"):
        switch(access, trunk, b"", Fault(rest[0], int(rest[1])))
    switch(access, trunk, b"".join(struct.pack("!HH", *(int(part, 16) for part in tag.split(":")))
                                   for tag in rest), None)


main()
