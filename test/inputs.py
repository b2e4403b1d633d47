#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Inputs and outputs that are not as they should be, and the command line: messages, exit status, and
that whatever could be read is still reported.
"""
import gzip
import os
import sys

import dialog
import harness
import wire

SCRIPT = "starttls-tls13"


def make_captures(scratch):
    """good.pcap, and what can be wrong with it."""
    packets = dialog.Dialog(SCRIPT).packets()
    good = scratch.path("good.pcap")
    wire.write_pcap(good, packets)
    with open(good, "rb") as file:
        data = file.read()
    for name, content in (("cut.pcap", data[:-7]), ("cut.pcap.gz", gzip.compress(data)[:-9]),
                          ("empty.pcap", b""), ("foreign.pcap", b"no capture at all\n" * 20),
                          ("header.pcap", data[:24]), ("short.pcap", data[:11])):
        with open(scratch.path(name), "wb") as file:
            file.write(content)
    return good, len(packets)


class Expect:
    """A command line, and what has to come of it."""

    def __init__(self, name, *args, status=0, err=(), sessions=None, out=None):
        self.name, self.args, self.status, self.err = name, args, status, err
        self.sessions, self.out = sessions, out

    def problems(self, run):
        text = run.err.decode("utf-8", "replace")
        lines = [run.crash()] if run.crash() else []
        if run.status != self.status:
            lines.append("exit status %s, expected %d" % (run.status, self.status))
        lines += ["standard error lacks '%s'" % word for word in self.err if word not in text]
        if self.out is not None and self.out not in run.out.decode():
            lines.append("standard output lacks '%s'" % self.out)
        if self.sessions is not None:
            kept = harness.keep_events(run)
            lines += kept or ([] if len(run.sessions) == self.sessions else
                              ["%d sessions, expected %d" % (len(run.sessions), self.sessions)])
        return lines + ["standard error:"] + text.splitlines()[-8:] if lines else []


def cases(path, count):
    """`path` names a file in the scratch folder."""
    good = path("good.pcap")
    return (
        Expect("version", "--version", out="mxtap"),
        Expect("help", "--help", out="-r"),
        Expect("no-arguments", status=2, err=["mxtap: "]),
        Expect("unknown-option", "--unknown", status=2, err=["--unknown"]),
        Expect("bad-filter", "-r", good, "tcp porrt 25", status=2, err=["mxtap: "]),
        Expect("bad-port", "--port", "70000", "-r", good, status=2, err=["70000"]),
        Expect("bad-format", "--format", "yaml", "-r", good, status=2, err=["yaml"]),
        Expect("bad-local", "--local", "192.0.2.0/99", "-r", good, status=2, err=["192.0.2.0/99"]),
        Expect("good", "-q", "-r", good, sessions=1),
        Expect("filter", "-q", "-r", good, "tcp port 25", sessions=1),
        Expect("filter-nothing", "-r", good, "udp", sessions=0, err=["mxtap: "]),
        Expect("truncated", "-q", "-r", path("cut.pcap"), status=1, sessions=1,
               err=["mxtap: ", "cut.pcap: truncated after %d packets" % (count - 1)]),
        Expect("truncated-gzip", "-q", "-r", path("cut.pcap.gz"), status=1, sessions=1,
               err=["mxtap: ", "cut.pcap.gz: "]),
        Expect("missing", "-q", "-r", path("none.pcap"), status=1, sessions=0,
               err=["none.pcap: No such file"]),
        Expect("empty", "-q", "-r", path("empty.pcap"), status=1, sessions=0,
               err=["empty.pcap: "]),
        Expect("foreign", "-q", "-r", path("foreign.pcap"), status=1, sessions=0,
               err=["foreign.pcap: "]),
        Expect("short", "-q", "-r", path("short.pcap"), status=1, sessions=0, err=["short.pcap: "]),
        Expect("no-packets", "-r", path("header.pcap"), sessions=0, err=["mxtap: "]),
        Expect("others-go-on", "-q", "-r", path("foreign.pcap"), "-r", good, status=1, sessions=1,
               err=["foreign.pcap: "]),
        Expect("unwritable", "-q", "-r", good, "-o", path("no/such/folder"), status=1,
               err=["no/such/folder: No such file"]),
    )


def check_output(report, good, scratch):
    """A full disk, a closed pipe, and -o, which appends."""
    if os.path.exists("/dev/full"):
        run = harness.mxtap("-q", "-r", good, "-o", "/dev/full")
        report.verdict("full-disk", Expect("", status=1, err=["/dev/full", "No space left"])
                       .problems(run))
    reader, writer = os.pipe()
    os.close(reader)
    run = harness.mxtap("-q", "-r", good, stdout=writer)
    os.close(writer)
    report.verdict("closed-pipe", Expect("", status=1, err=["mxtap: "]).problems(run))
    out = scratch.path("out.jsonl")
    for _ in range(2):
        harness.mxtap("-q", "-r", good, "-o", out)
    with open(out, "rb") as file:
        lines = file.read().splitlines()
    half = lines[:len(lines) // 2]
    report.verdict("appends", [] if lines and lines == half + half else ["got"] + lines)


def check_quiet(report, good):
    """-q: nothing but errors; without it one line of summary."""
    quiet, spoken = harness.mxtap("-q", "-r", good), harness.mxtap("-r", good)
    report.verdict("quiet", [quiet.err.decode()] if quiet.err else [])
    report.verdict("summary", [] if spoken.err.count(b"\n") == 1 else
                   ["not one line: %r" % spoken.err])


def check_stats(report, good, count):
    """The event at the end counts what was read."""
    run = harness.mxtap("-q", "-r", good)
    last = run.events[-1]
    expected = {"event_type": "stats", "packets": count, "flows": {"opened": 1, "open": 0},
                "sessions": {"total": 1, "outcomes": {"tls": 1, "plaintext": 0}}}
    report.verdict("stats", harness.differences(expected, last))


def check_unreadable(report, path):
    """A file that may not be read; root may read everything."""
    os.chmod(path, 0)
    if os.access(path, os.R_OK):
        report.skipped("unreadable", "root may read every file")
    else:
        report.verdict("unreadable", Expect("", status=1, err=["good.pcap: Permission denied"])
                       .problems(harness.mxtap("-q", "-r", path)))


def main(_):
    report = harness.Report("inputs")
    with harness.Scratch() as scratch:
        good, count = make_captures(scratch)
        for case in cases(scratch.path, count):
            report.verdict(case.name, case.problems(harness.mxtap(*case.args)))
        check_output(report, good, scratch)
        check_quiet(report, good)
        check_stats(report, good, count)
        check_unreadable(report, good)


if __name__ == "__main__":
    main(sys.argv[1:])
