#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
User names, passwords and message contents are never written and never kept: not in any output, message or state
file, and not in the memory of the process once the record is written and 8 MB of other packets have gone by.
"""
import base64
import os
import subprocess
import sys
import time

import harness
import wire

USER, PASSWORD, CONTENT = b"ulrike.geheimnis", b"Sesam-oeffne-dich-7719", b"Das Treffen ist um Mitternacht."
NOISE = 8 << 20


def secrets():
    """Each secret as it may stand somewhere: plain, and in the base64 of the dialogs."""
    whole = base64.b64encode(b"\0" + USER + b"\0" + PASSWORD)
    return [USER, PASSWORD, CONTENT, whole, base64.b64encode(USER), base64.b64encode(PASSWORD)]


def exchange(turns, port, size):
    """One connection from client port `port`, cut into segments of `size` bytes."""
    connection = wire.Connection(client=("192.0.2.10", port))
    connection.handshake()
    for side, text in turns:
        connection.send({"C": wire.CLIENT, "S": wire.SERVER}[side], text, size)
    connection.close(wire.CLIENT)
    return connection.packets


def sessions():
    begin = [("S", b"220 mx.example.net ESMTP\r\n"), ("C", b"EHLO c.example.org\r\n"),
             ("S", b"250-mx.example.net\r\n250 AUTH PLAIN LOGIN\r\n")]
    plain = base64.b64encode(b"\0" + USER + b"\0" + PASSWORD)
    mail = [("C", b"MAIL FROM:<" + USER + b"@example.org>\r\n"), ("S", b"250 ok\r\n"),
            ("C", b"RCPT TO:<" + USER + b"@example.net>\r\n"), ("S", b"250 ok\r\n"), ("C", b"DATA\r\n"), ("S", b"354 go\r\n"),
            ("C", b"Subject: x\r\n\r\n" + CONTENT + b"\r\n.\r\n"), ("S", b"250 ok\r\n"), ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n")]
    initial = [("C", b"AUTH PLAIN " + plain + b"\r\n"), ("S", b"235 ok\r\n")]
    login = [("C", b"AUTH LOGIN\r\n"), ("S", b"334 VXNlcm5hbWU6\r\n"), ("C", base64.b64encode(USER) + b"\r\n"),
             ("S", b"334 UGFzc3dvcmQ6\r\n"), ("C", base64.b64encode(PASSWORD) + b"\r\n"), ("S", b"235 ok\r\n")]
    mistaken = [("C", b"AUTH " + PASSWORD + b" " + plain + b"\r\n"), ("S", b"504 no\r\n"),
                ("C", PASSWORD + b"\r\n"), ("S", b"500 what?\r\n")]
    port = 41000
    for dialog in (begin + initial + mail, begin + login + mail, begin + mistaken):
        for size in (wire.MSS, 7, 1):
            yield from exchange(dialog, port, size)
            port += 1


def noise():
    """Other mail, large enough that no buffer of the reading side keeps what came before."""
    connection = wire.Connection(client=("192.0.2.99", 50000))
    connection.handshake()
    for side, text in (("S", b"220 mx.example.net ESMTP\r\n"), ("C", b"EHLO n.example.org\r\n"), ("S", b"250 mx.example.net\r\n"),
                       ("C", b"DATA\r\n"), ("S", b"354 go\r\n")):
        connection.send({"C": wire.CLIENT, "S": wire.SERVER}[side], text)
    connection.send(wire.CLIENT, b"All work and no play makes Jack a dull boy.\r\n" * (NOISE // 45))
    return connection.packets


def memory(pid):
    """All that the process holds in writable memory."""
    with open("/proc/%d/maps" % pid, encoding="ascii", errors="replace") as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if mode[:2] != "rw":
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError):
                continue


def consumed(pid, size):
    """Wait until the process has read nearly all that was fed."""
    for _ in range(200):
        with open("/proc/%d/io" % pid, encoding="ascii") as io:
            if int(io.readline().split()[1]) >= size:
                return True
        time.sleep(0.05)
    return False


def capture(scratch):
    """The bytes of the capture, and how many of them are the sessions with secrets."""
    first, later = scratch.path("auth.pcap"), scratch.path("noise.pcap")
    wire.write_pcap(first, list(sessions()))
    wire.write_pcap(later, noise())
    with open(first, "rb") as a, open(later, "rb") as b:
        return a.read(), b.read()[24:]


def scan(options, data, messages):
    """Feed the program, and look through its memory before it ends: what was found, or why it could not be looked for."""
    process = subprocess.Popen([harness.PROGRAM, *options], stdin=subprocess.PIPE, stderr=messages)
    try:
        process.stdin.write(data)
        process.stdin.flush()
        if not consumed(process.pid, len(data) - (1 << 20)):
            return ["the capture was not read"]
        time.sleep(0.2)
        return sorted({repr(s) for block in memory(process.pid) for s in secrets() if s in block})
    except (PermissionError, FileNotFoundError):
        return None
    finally:
        process.stdin.close()
        process.wait()


def main():
    report = harness.Report("privacy")
    with harness.Scratch() as scratch:
        dialogs, rest = capture(scratch)
        report.verdict("the capture has them", [repr(s) for s in secrets() if s not in dialogs])
        out, err, state = (scratch.path(name) for name in ("out", "err", "state"))
        options = ["-v", "--envelope-domains", "--offers", "--any-port", "--state", state, "-o", out, "-r", "-"]
        with open(err, "wb") as messages:
            kept = scan(options, dialogs + rest, messages)
        if kept is None:
            report.skipped("memory", "the memory of the process cannot be read here")
        else:
            report.verdict("memory", kept)
        for name, path in (("output", out), ("messages", err), ("state", state)):
            with open(path, "rb") as file:
                text = file.read()
            report.verdict(name, [repr(s) for s in secrets() if s in text] + ([] if text else ["empty"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
