# SPDX-License-Identifier: BSD-2-Clause
"""jq and rsyslog each carry 100,000 events: none lost, none changed."""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import harness

COUNT = 100000
PATIENCE = 90  # seconds
CONFIGURATION = os.path.join(harness.TOP, "contrib", "rsyslog", "mxtap.conf")


def real_events():
    run = harness.mxtap("-q", "--any-port", "--offers", "-r", harness.PCAPS)
    return [line for line in run.out.splitlines() if b'"event_type":"session"' in line]


def many(lines):
    """COUNT events that differ, made of real ones: each with a uid of its own; some of 16 KiB."""
    lines = [line.split(b'"uid":"', 1) for line in lines]
    for i in range(COUNT):
        before, after = lines[i % len(lines)]
        line = before + b'"uid":"%016x' % i + after[16:]
        if i % 10007 == 0:  # as long as an event can be
            line = line[:-1] + b',"pad":"' + b"x" * (16383 - len(line) - 9) + b'"}'
        yield line + b"\n"


def digest(lines):
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def canonical(lines):
    """One spelling for events that mean the same: jq may write 812.0 as 812."""
    return [json.dumps(json.loads(line, parse_int=float), sort_keys=True).encode()
            for line in lines]


def compare(before, after):
    if len(before) != len(after):
        return ["%d events, expected %d" % (len(after), len(before))]
    return [] if digest(before) == digest(after) else ["events were changed"]


def through_jq(report, events):
    name = "jq/%d-events" % COUNT
    if not shutil.which("jq"):
        report.skipped(name, "jq is not here")
        return
    done = subprocess.run(["jq", "-c", "."], input=b"".join(events), stdout=subprocess.PIPE,
                          timeout=harness.TIMEOUT, check=False)
    report.verdict(name, compare(canonical(events), canonical(done.stdout.splitlines())))


def configure(scratch):
    """The file of contrib with other paths, within the least that rsyslogd needs to run by itself."""
    with open(CONFIGURATION, encoding="utf-8") as file:
        text = file.read()
    for path, name in (("/var/log/mxtap/events.json", "in.jsonl"),
                       ("/var/log/mxtap-events.json", "out.jsonl")):
        assert path in text
        text = text.replace(path, scratch.path(name))
    with open(scratch.path("rsyslog.conf"), "w", encoding="utf-8") as file:
        file.write('global(workDirectory="%s")\n%s' % (scratch.top, text))


def start(scratch):
    return subprocess.Popen(["rsyslogd", "-n", "-f", scratch.path("rsyslog.conf"), "-i",
                             scratch.path("pid")], stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_for(path, size):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if os.path.exists(path) and os.path.getsize(path) >= size:
            return
        time.sleep(0.1)


def carry(scratch, events):
    """Half before it starts, a quarter while it runs, the rest after a rotation."""
    source, target = scratch.path("in.jsonl"), scratch.path("out.jsonl")
    parts = (events[:COUNT // 2], events[COUNT // 2:3 * COUNT // 4], events[3 * COUNT // 4:])
    with open(source, "wb") as file:
        file.writelines(parts[0])
    server = start(scratch)
    try:
        wait_for(target, sum(map(len, parts[0])))
        with open(source, "ab") as file:
            file.writelines(parts[1])
        os.rename(source, source + ".1")
        with open(source, "wb") as file:
            file.writelines(parts[2])
        wait_for(target, sum(map(len, events)))
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=30)
    if not os.path.exists(target):
        return [errors.decode("utf-8", "replace")[-2000:] or "rsyslogd wrote nothing"]
    with open(target, "rb") as file:
        return compare(events, list(file))


# ---- to a collector: the lines of the file that are comments

class Collector:
    """Takes what comes over TCP, while the context lasts."""

    def __enter__(self):
        self.data = b""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.take, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.close()

    def take(self):
        try:
            while True:
                client, _ = self.server.accept()
                with client:
                    while piece := client.recv(65536):
                        self.data += piece
        except OSError:
            return


def forward(scratch, events):
    with Collector() as collector:
        with open(scratch.path("rsyslog.conf"), encoding="utf-8") as file:
            text = file.read()
        for old, new in (("siem.example.net", "127.0.0.1"), ('"5514"', '"%d"' % collector.port),
                         ("    # action", "    action"), ("    #        queue", "           queue")):
            assert old in text, old
            text = text.replace(old, new)
        with open(scratch.path("rsyslog.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        with open(scratch.path("in.jsonl"), "wb") as file:
            file.writelines(events)
        server = start(scratch)
        try:
            until = time.monotonic() + PATIENCE
            while collector.data.count(b"\n") < len(events) and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            server.terminate()
            _, errors = server.communicate(timeout=30)
        problems = compare(events, collector.data.splitlines(keepends=True))
    return problems + ([errors.decode("utf-8", "replace")[-1000:]] if problems else [])


def run(report):
    lines = real_events()
    events = list(many(lines))
    through_jq(report, events)
    name = "rsyslog/%d-events" % COUNT
    if not shutil.which("rsyslogd"):
        report.skipped(name, "rsyslogd is not here")
        return
    with harness.Scratch() as scratch:
        configure(scratch)
        report.verdict(name, carry(scratch, events))
    with harness.Scratch() as scratch:
        configure(scratch)
        report.verdict("rsyslog/forwarded", forward(scratch, [line + b"\n" for line in lines]))
