#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""seeds.py FOLDER: inputs for the fuzz targets out of pcaps/, in FOLDER/NAME. The program in BUILD,
if it is there, makes the lines for the report."""
import hashlib
import os
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LARGEST = 16384
PORTS = [25, 465, 587, 8025]  # as in fuzz_session.c
LINKS = [1, 0, 9, 12, 50, 51, 104, 108, 113, 204, 219, 228, 229, 239, 276]  # as in fuzz_decode.c


def packets(data):
    """Link type, then the packets of a pcap file in the byte order of this machine."""
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return None, []
    found, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        found.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return struct.unpack_from("<I", data, 20)[0], found


def segment(frame):
    """(addresses and ports, flags, sequence number, payload) of Ethernet, IPv4 or IPv6, TCP."""
    kind, ip = frame[12:14], frame[14:]
    if kind == b"\x08\x00" and len(ip) > 20 and ip[9] == 6:
        ends, tcp = (ip[12:16], ip[16:20]), ip[(ip[0] & 15) * 4:struct.unpack("!H", ip[2:4])[0]]
    elif kind == b"\x86\xdd" and len(ip) > 40 and ip[6] == 6:
        ends, tcp = (ip[8:24], ip[24:40]), ip[40:40 + struct.unpack("!H", ip[4:6])[0]]
    else:
        return None
    if len(tcp) < 20:
        return None
    source, target, sequence = struct.unpack("!HHI", tcp[:8])
    return ((ends[0], source), (ends[1], target)), tcp[13], sequence, tcp[(tcp[12] >> 4) * 4:]


def connections(frames):
    """[server's port, [[side, bytes], ...]] of each connection, without what came twice."""
    found = {}
    for frame in frames:
        parts = segment(frame)
        if not parts:
            continue
        (source, target), flags, sequence, payload = parts
        key = frozenset((source, target))
        if flags & 0x12 == 2 or key not in found:
            found[key] = {"client": source, "port": target[1], "turns": [], "next": {}}
        c = found[key]
        side = 0 if source == c["client"] else 1
        if flags & 2:
            c["next"][side] = (sequence + 1) & 0xffffffff
        if not payload or c["next"].get(side, sequence) != sequence:
            continue
        c["next"][side] = (sequence + len(payload)) & 0xffffffff
        if not c["turns"] or c["turns"][-1][0] != side:
            c["turns"].append([side, b""])
        c["turns"][-1][1] += payload
    return [(c["port"], c["turns"]) for c in found.values() if c["turns"]]


def session(port, turns):
    data = bytes([(PORTS.index(port) if port in PORTS else 3) | 4 | 64, 9, 17, 3, 0])
    for side, said in turns:
        for at in range(0, len(said), 4095):
            piece = said[at:at + 4095]
            data += struct.pack("!BH", side, len(piece)) + piece
    return data


def smtp(turns):
    data = bytes([3, 9, 1, 40, 7, 255, 2, 80])
    for side, said in turns:
        if said[:2] == b"\x16\x03":
            break
        for at in range(0, len(said), 255):
            piece = said[at:at + 255]
            data += bytes([side, len(piece)]) + piece
    return data


def tls_of(turns, side):
    """The bytes of one side from its first TLS record on."""
    said = b"".join(data for who, data in turns if who == side and len(data) > 2)
    at = said.find(b"\x16\x03")
    return said[at:] if at >= 0 else b""


def messages(stream):
    """(type, body) of the handshake messages at the beginning of a stream of records."""
    text = b""
    while len(stream) > 5 and stream[0] == 22:
        length = struct.unpack("!H", stream[3:5])[0]
        text, stream = text + stream[5:5 + length], stream[5 + length:]
    while len(text) >= 4:
        length = int.from_bytes(text[1:4], "big")
        yield text[0], text[4:4 + length]
        text = text[4 + length:]


def handshake(keep, turns):
    for side in (0, 1):
        stream = tls_of(turns, side)
        if not stream:
            continue
        keep("fuzz_tls_record", bytes([4, 1, 99, 2, 250, 5, 0, 17, 0]) + stream)
        keep("fuzz_tls_record", bytes([40, 1, 99, 20, 250, 5, 0, 17, 0x31]) + stream)
        for kind, body in messages(stream):
            if kind == 1:
                keep("fuzz_tls_client_hello", body)
            elif kind in (2, 12):
                keep("fuzz_tls_server_hello", body if kind == 2 else b"\x03\x03\xc0\x2f" + body)
            elif kind == 11 and len(body) > 6:
                keep("fuzz_certificate", body[6:6 + int.from_bytes(body[3:6], "big")])


def lines(path):
    program = os.path.join(os.environ.get("BUILD", "build"), "mxtap")
    if not os.path.exists(program):
        return b""
    return subprocess.run([program, "-r", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False).stdout


def main(folder):
    def keep(name, data):
        if not 0 < len(data) <= LARGEST:
            return
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        digest = hashlib.sha256(data).hexdigest()[:12]
        with open(os.path.join(folder, name, digest), "wb") as file:
            file.write(data)

    captures = os.path.join(TOP, "pcaps")
    for name in sorted(os.listdir(captures)):
        path = os.path.join(captures, name)
        with open(path, "rb") as file:
            data = file.read()
        keep("fuzz_capture", data)
        keep("fuzz_pipeline", b"\0" + data)
        keep("fuzz_memory", struct.pack("!H", 1 + len(data) % 200) + b"\0" + data)
        if data[:4] == b"\x0a\x0d\x0d\x0a":
            keep("fuzz_pcapng", data)
        link, frames = packets(data)
        if link in LINKS:
            keep("fuzz_decode", bytes([LINKS.index(link)]) + b"".join(
                struct.pack("!HH", len(f), 0) + f for f in frames[:12]))
        if link != 1:
            continue
        keep("fuzz_report", lines(path))
        for port, turns in connections(frames):
            keep("fuzz_session", session(port, turns))
            keep("fuzz_smtp", smtp(turns))
            handshake(keep, turns)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
