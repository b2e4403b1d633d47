#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One end of a VLAN trunk: a switch between an access port and a trunk port.

    trunk.py ACCESS TRUNK TPID:VID [TPID:VID]     tags outermost first, in hexadecimal

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


def main():
    access, trunk = port(sys.argv[1]), port(sys.argv[2])
    tags = b"".join(struct.pack("!HH", *(int(part, 16) for part in tag.split(":")))
                    for tag in sys.argv[3:])
    while True:
        for sock in select.select([access, trunk], [], [])[0]:
            frame = receive(sock)
            if frame is None:
                continue
            if sock is access:
                trunk.send(frame[:12] + tags + frame[12:])
            elif frame[12:12 + len(tags)] == tags:
                access.send(frame[:12] + frame[12 + len(tags):])


main()
