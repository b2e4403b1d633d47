#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Memory is bounded by the formula of README 8, whatever comes: floods of one size and of three times that need the same, and no more than
the formula says. `memory.py --all` has more of them, and fills what is bounded in bytes alone, up to 600 MB.
"""
import itertools
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "limits"))
from traffic import (BEGIN, C, S, STARTTLS, certificate, client_hello, connection, constants, copies, feed,  # noqa: E402
                     harness, message, pcap_bytes, pcap_head, record, server_hello, spoken, wire)

MB = 1 << 20
SPARES = 22 * MB  # buffers that the pool keeps for later: some are only needed by and by
LIMITS = constants()


def formula(flows, sessions=0, pool=0, holes=0):
    """README 8, of what a flood can fill at all."""
    whole = 40 * MB + flows * 200 + 48 * MB + sessions + pool + holes
    return whole * 1.1


def peak(chunks, *options):
    """The most memory that the program held at once while it read a capture, and what went wrong."""
    process = subprocess.Popen([harness.PROGRAM, "-q", *options, "-o", "/dev/null", "-r", "-"], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    thread = feed(process, itertools.chain([pcap_head()], chunks))
    err = process.stderr.read()
    thread.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    problem = harness.Run(process.returncode, b"", err).crash()
    return usage.ru_maxrss * 1024, [problem] if problem or process.returncode else []


def flood(template, count, step=20, servers=False):
    """Bytes of a capture, some thousand packets at a time."""
    batch = []
    for packet in copies(template, count, step, servers=servers):
        batch.append(pcap_bytes(packet))
        if len(batch) == 4096:
            yield b"".join(batch)
            batch = []
    yield b"".join(batch)


def der(size):
    """A certificate of about that size, with names; the number that makes each its own is patched in."""
    name = "long-subject" if size < 2048 else "flood"
    with open(os.path.join(harness.TOP, "test/unit/certificates/%s.der" % name), "rb") as file:
        return file.read()


def distinct(template, count, mark):
    """As flood, with bytes of its own in each connection in place of `mark`."""
    for i, packet in enumerate(copies(template, count, 20)):
        yield pcap_bytes(wire.Packet(packet.time, packet.side, packet.data.replace(mark, b"%08x" % (i // len(template)))))


def syn(count):
    return flood(connection(()).packets[:1], count)


def open_flows(count):
    turns = ((S, b"220 " + b"b" * 500 + b"\r\n"), (C, b"EHLO " + b"e" * 500 + b"\r\n"))
    return flood(spoken(connection(turns, open_end=True).packets), count)


def ehlo(count):
    """Again and again in one connection, and each as long as a line can be."""
    turns = BEGIN + ((C, b"EHLO " + b"e" * 8000 + b"\r\n"), (S, b"250 mx\r\n")) * 20
    return flood(connection(turns, open_end=True).packets, count // 20)


def certificates(count):
    """Each another one, of handshakes that do not go on."""
    turns = STARTTLS + ((C, client_hello()), (S, record(22, server_hello() + certificate(der(1000) + b"########"))))
    return distinct(spoken(connection(turns, open_end=True).packets), count, b"########")


def hosts(count):
    """Servers that offer STARTTLS, with the longest names, each another: the history is full of them."""
    turns = ((S, b"220 " + b"m" * 240 + b".example.net ESMTP\r\n"), (C, b"EHLO " + b"c" * 250 + b"\r\n"),
             (S, b"250-mx\r\n250 STARTTLS\r\n"))
    return flood(spoken(connection(turns).packets), count, servers=True)


def failures(count):
    turns = STARTTLS + ((C, b"\x15\3\1\0\2\2\x28"),)
    return flood(spoken(connection(turns).packets), count, servers=True)


# name, flood, its smaller size, --max-flows, bytes that a flow of it may hold besides
QUICK = (
    ("syn", syn, 150000, 1000, 0),
    ("open-flows", open_flows, 12000, 8000, 4096),
    ("ehlo", ehlo, 4000, 50, 16384),
    ("certificates", certificates, 8000, 2000, 8192),
)
FLOODS = QUICK + (
    ("hosts", hosts, 36000, 1000, 4096),
    ("failures", failures, 18000, 1000, 4096),
)


def check(report, floods):
    for name, make, count, flows, each in floods:
        options = ("--max-flows", str(flows), "--idle-timeout", "3000")
        small, problems = peak(make(count), *options)
        large, more = peak(make(3 * count), *options)
        problems += more
        most = formula(flows, sessions=flows * each)
        if large > small * 1.1 + SPARES:
            problems.append("%.1f MB for %d, %.1f MB for three times as many" % (small / MB, count, large / MB))
        if large > most:
            problems.append("%.1f MB, the formula says %.1f" % (large / MB, most / MB))
        report.verdict("%s (%.0f MB)" % (name, large / MB), problems)


def hello_with_lists():
    ids = b"\xc0\x2f" * 512
    lists = b"".join(kind + (2 + len(ids)).to_bytes(2, "big") + len(ids).to_bytes(2, "big") + ids for kind in (b"\0\x0d", b"\0\x0a"))
    return client_hello(ids, lists)


def fill_sessions(scale):
    """Handshakes that do not go on, with --offers."""
    turns = ((C, hello_with_lists()),)
    return flood(spoken(connection(turns, port=465, open_end=True).packets), int(scale * LIMITS["LIMIT_SESSIONS_BYTES"] / 8000))


def fill_pool(scale):
    half = record(22, message(1, b"x" * 131000))[:130000]
    template = connection(((C, half),), port=465, size=60000, open_end=True).packets
    return flood(template, int(scale * LIMITS["LIMIT_POOL_BYTES"] / 262144))


def fill_holes(scale):
    c = connection(open_end=True)
    c.packet(C, wire.ACK, b"RSET\r\n", dropped=True)
    for _ in range(4):
        c.packet(C, wire.ACK, b"N" * 63000)
    return flood([p for p in c.packets if not p.dropped], int(scale * LIMITS["LIMIT_HELD_ALL"] / 252000))


BY_BYTES = (("sessions", fill_sessions, "LIMIT_SESSIONS_BYTES", ("--offers",)), ("pool", fill_pool, "LIMIT_POOL_BYTES", ()),
            ("holes", fill_holes, "LIMIT_HELD_ALL", ()))


def check_by_bytes(report):
    for name, make, limit, options in BY_BYTES:
        large, problems = peak(make(1.5), "--idle-timeout", "3000", *options)
        parts = {"sessions": LIMITS["LIMIT_SESSIONS_BYTES"]} if name == "sessions" else \
            {"pool": LIMITS["LIMIT_POOL_BYTES"]} if name == "pool" else {"holes": LIMITS["LIMIT_HELD_ALL"]}
        most = formula(1000000, **parts)
        least = LIMITS[limit] * 0.45  # buffers may be used by half
        if not least < large <= most:
            problems.append("%.1f MB, expected between %.1f and %.1f" % (large / MB, least / MB, most / MB))
        report.verdict("full-%s (%.0f MB)" % (name, large / MB), problems)


def main():
    report = harness.Report("memory")
    check(report, FLOODS if "--all" in sys.argv[1:] else QUICK)
    if "--all" in sys.argv[1:]:
        check_by_bytes(report)


if __name__ == "__main__":
    main()
