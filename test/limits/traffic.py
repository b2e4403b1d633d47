# SPDX-License-Identifier: BSD-2-Clause
"""Captures that reach a limit, and what a run tells of them."""
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402
import wire  # noqa: E402

C, S = wire.CLIENT, wire.SERVER
BEGIN = ((S, b"220 mx.example.net ESMTP\r\n"), (C, b"EHLO c.example.org\r\n"), (S, b"250-mx.example.net\r\n250 STARTTLS\r\n"))
MAIL = ((C, b"DATA\r\n"), (S, b"354 go\r\n"), (C, b"x\r\n.\r\n"), (S, b"250 ok\r\n"))
STARTTLS = BEGIN + ((C, b"STARTTLS\r\n"), (S, b"220 go\r\n"))
SECOND = 1000000


def constants():
    """Name and value of each limit; what is no plain number is not evaluated."""
    with open(os.path.join(harness.TOP, "include/base/limits.h"), encoding="ascii") as file:
        text = file.read()
    found = re.findall(r"^\s*(?:#define )?(LIMIT_\w+) (?:= )?(\d+)", text, re.MULTILINE)
    return {name: int(value) for name, value in found}


def say(connection, turns, size=wire.MSS):
    for side, data in turns:
        connection.send(side, data, size)


def connection(turns=BEGIN, number=0, start=wire.START, port=25, server="198.51.100.25", size=wire.MSS, open_end=False):
    """A whole connection, each with a number of its own."""
    c = wire.Connection(client=("10.%d.%d.%d" % (number >> 16, number >> 8 & 255, number & 255), 40000), server=(server, port),
                        start=start)
    c.handshake()
    say(c, turns, size)
    if not open_end:
        c.close(C)
    return c


def packets(*args, **named):
    return connection(*args, **named).packets


def copies(template, count, step=100, first=0, servers=False):
    """The same packets from ever new clients, perhaps to ever new servers, which begin `step` microseconds apart."""
    for i in range(first, first + count):
        client, later = struct.pack("!I", 0x0a000000 | i), i * step
        server = struct.pack("!I", 0x0b000000 | i) if servers else b"\xc6\x33\x64\x19"
        ends = {C: client + server, S: server + client}
        for p in template:
            yield wire.Packet(p.time + later, p.side, p.data[:26] + ends[p.side] + p.data[34:])


def spoken(packets_):
    """Without the packets that only acknowledge, but for those that begin."""
    return [p for i, p in enumerate(packets_) if p.payload or i < 2]


def merged(*streams):
    return sorted((p for stream in streams for p in stream), key=lambda p: p.time)


def record(kind, body, minor=3):
    return b"".join(bytes((kind, 3, minor)) + len(body[at:at + 16384]).to_bytes(2, "big") + body[at:at + 16384]
                    for at in range(0, len(body), 16384))


def message(kind, body):
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def vector(size, data):
    return len(data).to_bytes(size, "big") + data


def client_hello(ciphers=b"\xc0\x2f", extensions=b"", session_id=b"i" * 32):
    body = b"\3\3" + b"R" * 32 + vector(1, session_id) + vector(2, ciphers) + b"\1\0"
    return record(22, message(1, body + (vector(2, extensions) if extensions else b"")))


def server_hello():
    return message(2, b"\3\3" + b"S" * 32 + vector(1, b"i" * 32) + b"\xc0\x2f\0")


def certificate(der):
    return message(11, vector(3, vector(3, der)))


CHANGE = record(20, b"\1")
ESTABLISHED = ((C, client_hello()), (S, record(22, server_hello()) + CHANGE + record(22, b"f" * 40)),
               (C, CHANGE + record(22, b"f" * 40)), (S, record(23, b"d" * 60)))


def run_files(*paths, options=()):
    return harness.mxtap("-q", *options, *(word for path in paths for word in ("-r", path)))


def run(scratch, what, *options, link=wire.ETHERNET):
    """A run over packets."""
    path = scratch.path("made.pcap")
    wire.write_pcap(path, what, snaplen=0x7fffffff, link=link)
    done = run_files(path, options=options)
    os.remove(path)
    return done


def feed(process, chunks):
    """Writes pieces to the standard input of a process; returns the thread that does so."""
    import threading  # only here

    def write():
        try:
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass
    thread = threading.Thread(target=write)
    thread.start()
    return thread


def run_piped(chunks, *options):
    """For what is too large for a folder: bytes of a capture in pieces."""
    import subprocess  # only here
    process = subprocess.Popen([harness.PROGRAM, "-q", *options, "-r", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    thread = feed(process, chunks)
    out = process.stdout.read()
    err = process.stderr.read()
    thread.join()
    return harness.Run(process.wait(), out, err)


def pcap_head(snaplen=0x7fffffff, link=wire.ETHERNET):
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link)


def pcap_bytes(packet):
    return struct.pack("<IIII", packet.time // SECOND, packet.time % SECOND, len(packet.data), len(packet.data)) + packet.data


def wrong(done, expected, where=None, status=0):
    """How a run differs from what is expected: of its stats, or of what `where` takes from it."""
    crash = done.crash()
    if crash or done.status != status:
        return [crash or "exit status %d, expected %d: %s" % (done.status, status, done.err[-300:])]
    try:
        got = where(done) if where else done.events[-1]
    except (LookupError, ValueError) as error:
        return ["%r in %s" % (error, done.out[-300:])]
    return harness.differences(expected, got)


def session(number=0):
    return lambda done: done.sessions[number]


def sessions(done):
    return len(done.sessions)


def lacks(done, *words):
    text = done.err.decode("utf-8", "replace")
    return ["standard error lacks '%s': %s" % (word, text[-300:]) for word in words if word not in text]
