#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The end-to-end cases of TESTLIST: the program's whole output for a capture against a file in
expected/. `golden.py [NAME ...]` compares, `golden.py --update NAME ...` writes the expected files
(all: every one). The name of the capture is left out of the events, and the stats event, whose
figures differ from build to build, is.
"""
import difflib
import json
import os
import sys

import dialog
import harness
import wire


class Case:
    """A line of TESTLIST: name, capture, expected file, options."""

    def __init__(self, line):
        self.name, self.capture, expected, *self.options = line.split()
        self.expected = os.path.join(harness.HERE, "expected", expected)

    def run(self, scratch):
        path = os.path.join(harness.TOP, self.capture)
        if path.endswith(".dialog"):
            path = scratch.path(self.name + ".pcap")
            wire.write_pcap(path, dialog.Dialog(os.path.basename(self.capture)[:-7]).packets())
        return harness.mxtap("-q", *self.options, "-r", path)


def plain(line):
    """An output line as it is kept: an event without the name of the capture."""
    if not line.startswith("{"):
        return line
    return json.dumps(harness.without_sensor_file(json.loads(line)), separators=(",", ":"),
                      ensure_ascii=False)


def plain_lines(run):
    return [plain(line) for line in run.lines if not line.startswith('{"event_type":"stats"')]


def problems(run):
    crash = run.crash()
    if crash or run.status:
        return [crash or "exit status %d: %s" % (run.status, run.err.decode("utf-8", "replace"))]
    return harness.keep_events(run) if run.out.startswith(b"{") else []


def compare(case, run):
    lines = problems(run)
    if lines:
        return lines
    if not os.path.exists(case.expected):
        return ["no expected file; make update NAME=" + case.name + " writes it: read it first"]
    with open(case.expected, encoding="utf-8") as file:
        expected = file.read().splitlines()
    return list(difflib.unified_diff(expected, plain_lines(run), "expected", "got", n=1,
                                     lineterm=""))


def update(case, run):
    lines = problems(run)
    if not lines:
        with open(case.expected, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in plain_lines(run))
        print("%s written" % os.path.relpath(case.expected))
    return lines


def load(names):
    with open(os.path.join(harness.HERE, "TESTLIST"), encoding="utf-8") as file:
        cases = [Case(line) for line in file if line.strip() and not line.startswith("#")]
    chosen = [case for case in cases if not names or names == ["all"] or case.name in names]
    unknown = set(names) - {case.name for case in cases} - {"all"}
    if unknown:
        sys.exit("golden: not in TESTLIST: " + " ".join(sorted(unknown)))
    return chosen


def main(args):
    writing = args[:1] == ["--update"]
    if writing and len(args) < 2:
        sys.exit("usage: make update NAME=x (a name of test/TESTLIST, or all)")
    report = harness.Report("golden")
    bad = False
    with harness.Scratch() as scratch:
        for case in load(args[1:] if writing else args):
            if writing:
                lines = update(case, case.run(scratch))
                bad = bad or bool(lines)
                print("".join(line + "\n" for line in lines), end="")
            else:
                report.verdict(case.name, compare(case, case.run(scratch)))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
