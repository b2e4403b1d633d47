#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The question of the article in one pipe: of a hundred servers nine offer no STARTTLS, and one has TLS 1.0 only. Who they are comes from
what the clients said when pcaps/survey.pcap was recorded.
"""
import json
import os
import shutil
import subprocess
import sys

import harness

CAPTURE = os.path.join(harness.PCAPS, "survey.pcap")
PIPES = {
    "no-starttls": 'select(.smtp.starttls? == "not_offered") | .server.ip',
    "old": 'select(.tls.version? | IN("SSLv3", "TLSv1", "TLSv1.1")) | .server.ip',
    "offers": 'select(.smtp.starttls? | IN("offered", "requested", "refused", "accepted")) | .server.ip',
}


def truth():
    with open(os.path.join(harness.PCAPS, "truth.jsonl"), encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["file"] == "survey.pcap"]
    return {"no-starttls": {row["server"] for row in rows if row["starttls"] == "not_offered"},
            "old": {row["server"] for row in rows if row["version"] in ("TLSv1", "TLSv1.1", "SSLv3")},
            "offers": {row["server"] for row in rows if row["starttls"] == "accepted"}}


def main():
    report = harness.Report("survey")
    if not shutil.which("jq"):
        report.skipped("", "jq is not here")
        return 0
    run = harness.mxtap("-q", "-r", CAPTURE)
    wrong = harness.checked(run)
    expected = truth()
    counts = {name: len(servers) for name, servers in expected.items()}
    report.verdict("events", wrong or harness.differences({"no-starttls": 9, "old": 1, "offers": 91}, counts))
    for name, pipe in PIPES.items():
        done = subprocess.run(["jq", "-r", pipe], input=run.out, stdout=subprocess.PIPE, check=True)
        found = sorted(done.stdout.decode().split())
        report.verdict(name, [] if found == sorted(expected[name]) else ["found %s" % found, "truth %s" % sorted(expected[name])])
    return 0


if __name__ == "__main__":
    sys.exit(main())
