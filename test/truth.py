#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The captures of pcaps/ against pcaps/truth.jsonl: what the clients themselves said they negotiated.
null there means that the client did not tell; where it tells nothing, there is to be no event.

A capture that lacks something on purpose cannot show all of it: of those, what the event does say
has to be true. Disagreements in which the program is right stand in truth.adjudicated.
"""
import collections
import json
import os

import harness

LACKING = ("lost", "midstream", "one-sided", "snaplen")  # how the names of such captures begin
ANY_PORT = "other-port"  # and of those with SMTP where only --any-port finds it
HARMLESS = {"starttls_masked", "starttls_vanished", "plaintext_fallback", "command_injection",
            "response_injection", "tls_downgrade"}  # what a harmless twin must not show
TOLD = ("outcome", "starttls", "established")
TRUTH = os.path.join(harness.PCAPS, "truth.jsonl")


def key(event):
    client = event.get("proxy", event["client"])  # a PROXY header names another one
    return (event["sensor"]["file"], client["ip"], client["port"], event["server"]["ip"],
            event["server"]["port"])


def key_of_truth(row):
    return (row["file"], row["client"], row["client_port"], row["server"], row["server_port"])


def alert_of(row):
    """In TLS 1.3 an alert may be known by its shape only."""
    return {"one of": [row["alert"], {"from": row["alert"]["from"], "encrypted": True}]}


def expected(row):
    """The subset of the event that a client's report fixes."""
    tls = {name: row[name] for name in ("established", "version", "cipher", "group", "resumed")
           if row.get(name) is not None}
    if row.get("alert"):
        tls["alert"] = alert_of(row)
    smtp = {"starttls": row["starttls"]} if row.get("starttls") else {}
    if row.get("messages_in_clear") is not None:
        smtp["mail_in_clear"] = row["messages_in_clear"] or None
    if row.get("auth_in_clear"):
        smtp["auth_in_clear"] = row["auth_in_clear"]
    event = {"incomplete": None}
    if row.get("outcome"):
        event["outcome"] = row["outcome"]
    if tls != {"established": False}:  # then there may have been nothing of TLS at all
        event["tls"] = tls
    if row.get("staged"):
        event["findings"] = {"has": row["staged"]}
    return dict(event, smtp=smtp) if smtp else event


def lacking(row, event):
    """What is wrong with the event of a capture that lacks something."""
    lines = [] if event.get("incomplete") else ["incomplete: absent"]
    if event["outcome"] not in ("unknown", row["outcome"]):
        lines.append("outcome: %s, but it was %s" % (event["outcome"], row["outcome"]))
    for name in ("version", "cipher", "group"):
        value = event.get("tls", {}).get(name)
        if None not in (value, row.get(name)) and value != row[name]:
            lines.append("tls.%s: %s, but it was %s" % (name, value, row.get(name)))
    if event.get("tls", {}).get("established") and not row["established"]:
        lines.append("tls.established: true, but it was not")
    return lines


def check_row(row, found):
    if not any(row.get(name) is not None for name in TOLD):
        return ["session: there is one"] if found else []
    if not found:
        silent = row["outcome"] == "not_smtp" and row["file"].startswith(ANY_PORT)
        return [] if silent else ["session: there is none"]
    event = found.pop(0)
    wrong = HARMLESS & set(event["findings"]) if row.get("staged") == [] else ()
    if wrong:
        return ["findings: %s in a harmless session" % ", ".join(wrong)]
    if row["file"].startswith(LACKING):
        return lacking(row, event)
    return harness.differences(expected(row), event)


def check_file(rows, events, known):
    lines = []
    for row in rows:
        connection = "%s:%d" % (row["client"], row["client_port"])
        for line in check_row(row, events[key_of_truth(row)]):
            if not known(row["file"], connection, line.partition(":")[0]):
                lines.append("%s (%s): %s" % (connection, row["reported_by"], line))
    return lines


def main():
    report = harness.Report("truth")
    with open(TRUTH, encoding="utf-8") as file:
        truth = [json.loads(line) for line in file]
    others = [path for path in harness.captures(harness.PCAPS)
              if os.path.basename(path).startswith(ANY_PORT)]
    runs = [harness.mxtap("-q", "-r", harness.PCAPS),
            harness.mxtap("-q", "--any-port", *(arg for path in others for arg in ("-r", path)))]
    lines = [line for run in runs for line in harness.checked(run)]
    report.verdict("read", lines)
    if lines:
        return
    events = collections.defaultdict(list)
    for event in sorted((event for run in runs for event in run.sessions),
                        key=lambda event: event["time"]):
        events[key(event)].append(event)
    known = harness.adjudicated("truth.adjudicated")
    for name in sorted({row["file"] for row in truth}):
        rows = [row for row in truth if row["file"] == name]
        report.verdict(name, check_file(rows, events, known))
    report.verdict("every-capture", ["%s: in no line of truth.jsonl" % os.path.basename(path)
                                     for path in harness.captures(harness.PCAPS)
                                     if os.path.basename(path) not in
                                     {row["file"] for row in truth}])


if __name__ == "__main__":
    main()
