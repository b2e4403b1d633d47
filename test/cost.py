#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Work grows with the input and not with its square: captures made to let it, at one size and at four times that, compared by the
processor time that the program takes. Linear is 4 times as much, quadratic 16 times.
"""
import os
import resource
import subprocess

import harness
import wire

FLOOR, MOST = 0.03, 7.0  # seconds below which nothing is told apart; times as much for four times the input
BEGIN = [("S", b"220 mx.example.net ESMTP\r\n"), ("C", b"EHLO c.example.org\r\n"), ("S", b"250-mx.example.net\r\n250 STARTTLS\r\n")]
ALERT = b"\x15\x03\x01\x00\x02\x02\x28"


def connection(number, turns, server="198.51.100.25", size=wire.MSS):
    c = wire.Connection(client=("192.0.2.10", 1024 + number % 60000), server=(server, 25), start=wire.START + number * 1000)
    c.handshake()
    for side, text in turns:
        c.send(wire.CLIENT if side == "C" else wire.SERVER, text, size)
    c.close(wire.CLIENT)
    return c.packets


def failures_at_new_addresses(n):
    """The same client and names, ever new addresses of the server; a packet for each turn, and no other."""
    packets = []
    for i in range(n):
        c = wire.Connection(server=("10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255), 25), start=wire.START + i * 1000)
        c.packet(wire.CLIENT, wire.SYN)
        for side, text in BEGIN + [("C", b"STARTTLS\r\n"), ("S", b"220 go\r\n"), ("C", ALERT)]:
            c.packet(side, wire.PSH | wire.ACK, text)
        packets += c.packets
    return packets


def refused_pipelines(n):
    """Each refusal lets one command of the many that wait go on."""
    return connection(0, BEGIN + [("C", b"DATA\r\n" * n), ("S", b"500\r\n" * n)] * (200000 // n + 1))


def one_sided_pipelines(n):
    """No refusal can come, and every command is assumed to be refused."""
    return [p for p in connection(0, [("C", b"EHLO c.example.org\r\n")] + [("C", b"DATA\r\n" * n)] * (60000 // n + 1), size=60000)
            if p.side == wire.CLIENT]


def recipients(n):
    """With --envelope-domains."""
    mail = b"".join(b"RCPT TO:<a@d%d.example>\r\n" % i for i in range(n))
    return connection(0, BEGIN + [("C", b"MAIL FROM:<a@example.org>\r\n"), ("S", b"250 ok\r\n"), ("C", mail)])


def byte_by_byte(n):
    """Lines in segments of a byte."""
    return connection(0, BEGIN + [("C", b"NOOP " + b"x" * 8000 + b"\r\n")] * (n // 8000), size=1)


def backwards(n):
    """Segments in reverse order: each is put in front of all that wait."""
    c = wire.Connection()
    c.handshake()
    for side, text in BEGIN:
        c.send(side, text)
    first, wait = len(c.packets), b"NOOP\r\n" * 4
    for _ in range(n):
        c.packet(wire.CLIENT, wire.ACK, wait)
    packets = c.packets
    for at in range(first, len(packets), 120):
        packets[at:at + 120] = [p.again(c.time) for p in reversed(packets[at:at + 120])]
    return packets


def fragments(n):
    """Of datagrams that never become whole, overlapping."""
    out, packets = [], connection(0, [("C", b"NOOP\r\n" * 200)])
    frame = packets[3].data
    for i in range(n):
        head = bytearray(frame[14:34])
        head[4:6] = (i // 60 & 0xffff).to_bytes(2, "big")
        head[6:8] = (0x2000 | i % 60 * 3).to_bytes(2, "big")
        head[2:4] = (20 + 32).to_bytes(2, "big")
        head[10:12] = b"\0\0"
        head[10:12] = wire.checksum(bytes(head)).to_bytes(2, "big")
        out.append(wire.Packet(wire.START + i, None, frame[:14] + bytes(head) + frame[34:66]))
    return out


def hello(ciphers):
    body = b"\x03\x03" + b"R" * 32 + b"\0" + len(ciphers).to_bytes(2, "big") + ciphers + b"\x01\0"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"".join(b"\x16\x03\x01" + len(message[i:i + 16000]).to_bytes(2, "big") + message[i:i + 16000]
                    for i in range(0, len(message), 16000))


def large_hellos(n):
    """As many cipher suites as fit, in falling order."""
    ciphers = b"".join((0xffff - 2 * i & 0xffff).to_bytes(2, "big") for i in range(n))
    turns = BEGIN + [("C", b"STARTTLS\r\n"), ("S", b"220 go\r\n"), ("C", hello(ciphers))]
    return [p for i in range(120000 // n + 1) for p in connection(i, turns)]


CASES = (
    # what, smaller size, is each unit of the same cost in total (then the time should stay the same)
    (failures_at_new_addresses, 7000, False),
    (refused_pipelines, 1300, True),
    (one_sided_pipelines, 1300, True),
    (recipients, 10000, False),
    (byte_by_byte, 8000, False),
    (backwards, 8000, False),
    (fragments, 8000, False),
    (large_hellos, 8000, True),
)


def seconds(path):
    """Processor time of a run over a capture."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([harness.PROGRAM, "-q", "--envelope-domains", "-r", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=harness.TIMEOUT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    problem = harness.Run(done.returncode, b"", done.stderr).crash()
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, problem


def measure(scratch, make, size):
    path = scratch.path("%s-%d.pcap" % (make.__name__, size))
    wire.write_pcap(path, make(size))
    took, problem = min((seconds(path) for _ in range(2)), key=lambda run: run[0])
    os.remove(path)
    return took, problem


def verdict(scratch, make, size, same):
    small, problem = measure(scratch, make, size)
    large, problem_large = measure(scratch, make, 4 * size)
    if problem or problem_large:
        return [problem or problem_large]
    most = max(small, FLOOR) * (MOST / 4 if same else MOST)
    return ["%.2f s for %d, %.2f s for %d: more than %.2f s" % (small, size, large, 4 * size, most)] if large > most else []


def main():
    report = harness.Report("cost")
    with harness.Scratch() as scratch:
        for make, size, same in CASES:
            report.verdict(make.__name__.replace("_", "-"), verdict(scratch, make, size, same))


if __name__ == "__main__":
    main()
