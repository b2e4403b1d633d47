#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The captures of pcaps/ against pcaps/truth.jsonl: what the clients themselves said they negotiated.
null there means that the client did not tell.
"""
import collections
import json
import os

import harness

TRUTH = os.path.join(harness.PCAPS, "truth.jsonl")


def key(event):
    return (event["sensor"]["file"], event["client"]["ip"], event["client"]["port"],
            event["server"]["ip"], event["server"]["port"])


def key_of_truth(row):
    return (row["file"], row["client"], row["client_port"], row["server"], row["server_port"])


def expected(row):
    """The subset of the event that a client's report fixes."""
    tls = {name: row[name] for name in ("established", "version", "cipher", "group", "resumed")
           if row.get(name) is not None}
    if row.get("alert"):
        tls["alert"] = row["alert"]
    if tls == {"established": False}:
        tls = {"one of": [None, tls]}  # nothing of TLS may have been there
    smtp = {"starttls": row["starttls"]} if row.get("starttls") else {}
    if row.get("messages_in_clear") is not None:
        smtp["mail_in_clear"] = row["messages_in_clear"] or None
    if row.get("auth_in_clear"):
        smtp["auth_in_clear"] = row["auth_in_clear"]
    return {"outcome": row["outcome"], "smtp": smtp, "tls": tls, "incomplete": None}


def check_file(name, rows, events):
    lines = []
    for row in rows:
        found = events.pop(key_of_truth(row), [])
        connection = "%s:%d" % (row["client"], row["client_port"])
        if not found:
            lines.append(connection + ": no session")
            continue
        wrong = harness.differences(expected(row), found.pop(0))
        lines += ["%s (%s): %s" % (connection, row["reported_by"], line) for line in wrong]
    return lines


def main():
    report = harness.Report("truth")
    with open(TRUTH, encoding="utf-8") as file:
        truth = [json.loads(line) for line in file]
    run = harness.mxtap("-q", "-r", harness.PCAPS)
    lines = harness.checked(run)
    report.verdict("read", lines)
    if lines:
        return
    events = collections.defaultdict(list)
    for event in sorted(run.sessions, key=lambda event: event["time"]):
        events[key(event)].append(event)
    for name in sorted({row["file"] for row in truth}):
        rows = [row for row in truth if row["file"] == name]
        report.verdict(name, check_file(name, rows, events))
    report.verdict("every-capture", ["%s: in no line of truth.jsonl" % os.path.basename(path)
                                     for path in harness.captures(harness.PCAPS)
                                     if os.path.basename(path) not in
                                     {row["file"] for row in truth}])


if __name__ == "__main__":
    main()
