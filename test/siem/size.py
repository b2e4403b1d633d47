# SPDX-License-Identifier: BSD-2-Clause
"""How large events are: the median of the default format, and that none is above the limit."""
import statistics

import harness

MEDIAN = 1024  # a TLS 1.3 session has some 1000 bytes
LIMIT = 16384


def run(report):
    for form in ("mxtap", "ecs", "eve", "ocsf"):
        found = harness.mxtap("-q", "--any-port", "--format", form, "-r", harness.PCAPS)
        sizes = [len(line) + 1 for line in found.out.splitlines() if b"stats" not in line[:90]]
        problems = ["a line of %d bytes" % size for size in sizes if size > LIMIT]
        median = statistics.median(sizes)
        if form == "mxtap" and median >= MEDIAN:
            problems.append("median %d bytes, expected less than %d" % (median, MEDIAN))
        report.verdict("size/%s (median %d bytes, mean %d)" %
                       (form, median, statistics.mean(sizes)), problems)
