#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Public captures against their expected values (shared/corpus, see its README; not part of the tree).
`corpus.py [WORD ...]` runs them, or only the files whose name has one of the words in it.

Disagreements in which the program is right stand in corpus.adjudicated, each with the proof.
"""
import collections
import ipaddress
import json
import os
import re
import sys

import harness

FOLDER = os.path.join(harness.SHARED, "corpus")
PORTS = {25, 465, 587, 2525}  # the default of --port
UNTOLD = object()
ASKED = ("requested", "refused", "accepted")


def get(event, path):
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def plain(path):
    return lambda event: get(event, path)


def text(value):
    """Strings are compared as far as both have them: the record cuts long ones, and blanks."""
    return value[:200].rstrip() if isinstance(value, str) else value


def offered(event):
    """Once it is asked for, the record no longer tells whether it was offered."""
    state = get(event, "smtp.starttls")
    return UNTOLD if state in ASKED else True if state == "offered" else None


def mark(name):
    return lambda event: True if name in event.get("incomplete", ()) else None


def fatal(row, name):
    """The record tells of fatal alerts only."""
    return row.get(name) if row.get("alert_level") == 2 else None


def common_name(event):
    subject = get(event, "tls.server.x509.subject.distinguished_name") or ""
    found = re.search(r"(?:^|[,+/ ])CN ?= ?((?:\\.|[^,+\\])*)", subject)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None


def serial(value):
    """Hexadecimal digits of a serial number, without leading zeros."""
    return value and (value.replace(":", "").upper().lstrip("0") or "0")


# expected field: what the event says of it
FIELDS = {
    "banner": lambda event: text(get(event, "smtp.banner")),
    "helo_verb": plain("smtp.hello"),
    "helo": lambda event: text(get(event, "smtp.client_name")),
    "starttls_offered": offered,
    "starttls_requested": lambda event: True if get(event, "smtp.starttls") in ASKED else None,
    "starttls_reply": plain("smtp.starttls_reply.code"),
    "version": plain("tls.version"),
    "version_hex": plain("tls.version_id"),
    "cipher": plain("tls.cipher_id"),
    "cipher_name": plain("tls.cipher"),
    "client_max_version": plain("tls.client.max_version"),
    "sni": plain("tls.client.server_name"),
    "alpn": plain("tls.alpn"),
    "ja3": plain("tls.client.ja3"),
    "ja3s": plain("tls.server.ja3s"),
    "hrr": lambda event: get(event, "tls.hello_retry") or None,
    "alert_desc": plain("tls.alert.code"),
    "alert_from": lambda event: get(event, "tls.alert.code") and get(event, "tls.alert.from"),
    "cert_cn": common_name,
    "cert_serial": lambda event: serial(get(event, "tls.server.x509.serial")),
    "client_cert": lambda event: True if get(event, "tls.client.x509") else None,
    "v2_hello": plain("tls.client.sslv2_hello"),
    "midstream": mark("midstream"),
    "one_sided": mark("one_sided"),
    "gap": mark("gaps"),
}
# what a later part of the program adds: not scored until one event has it
LATER = ("alpn", "ja3", "ja3s", "cert_cn", "cert_serial", "client_cert")


def end_of(row, side):
    address = row.get(side)
    return address and str(ipaddress.ip_address(address)), row.get(side + "_port")


def key_of_row(row):
    return frozenset((end_of(row, "client"), end_of(row, "server")))


def key_of_event(event):
    return frozenset((str(ipaddress.ip_address(event[side]["ip"])), event[side]["port"])
                     for side in ("client", "server"))


def by_key(items, key, order):
    """Items by connection; one connection's, if it was used again, in order."""
    groups = collections.defaultdict(list)
    for item in sorted(items, key=order):
        groups[key(item)].append(item)
    return groups


class Capture:
    """One file of the corpus with its rows."""

    def __init__(self, name, rows):
        self.name, self.rows = name, rows
        self.folder = name.split("/")[0]
        self.negative = "/neg__" in name

    def command(self):
        ports = PORTS | {row["server_port"] for row in self.rows if row.get("smtp")}
        listed = "0-65535" if self.folder == "tls" else ",".join(map(str, sorted(ports)))
        return ["-q", "--port", listed, "-r", os.path.join(FOLDER, self.name)]

    def expected_rows(self):
        """Rows of which the run has to tell: outside of tls/, those of mail ports."""
        return [row for row in self.rows if "stream" in row and row.get("client") and
                (self.folder == "tls" or row.get("smtp") or row["server_port"] in PORTS)]


class Score:
    """Comparisons of a run; `disagreements` are triples of file, connection and text."""

    def __init__(self):
        self.compared = collections.Counter()
        self.agreed = collections.Counter()
        self.seen = set()  # fields that any event had
        self.disagreements = []

    def field(self, capture, row, name, want, got):
        self.compared[name] += 1
        if got is not None:
            self.seen.add(name)
        if want == got:
            self.agreed[name] += 1
        else:
            self.disagree(capture, row, name, harness.show(got), harness.show(want))

    def disagree(self, capture, row, name, got, want):
        connection = "%s:%s-%s:%s" % (*(end_of(row, "client")), *(end_of(row, "server")))
        self.disagreements.append((capture.name, connection, name,
                                   "%s, expected %s" % (got, want)))


def compare(capture, sessions, score):
    events = by_key(sessions, key_of_event, lambda event: event["time"])
    for key, rows in by_key(capture.expected_rows(), key_of_row, lambda row: row["stream"]).items():
        found = events.pop(key, [])
        for row, event in zip(rows, found + [None] * len(rows)):
            compare_row(capture, row, event, score)
        for event in found[len(rows):]:
            extra(capture, event, score)
    for event in (event for group in events.values() for event in group):
        if capture.negative:
            extra(capture, event, score)


def extra(capture, event, score):
    if event["outcome"] != "not_smtp":
        row = {"client": event["client"]["ip"], "client_port": event["client"]["port"],
               "server": event["server"]["ip"], "server_port": event["server"]["port"]}
        score.disagree(capture, row, "session", event["outcome"], "none or not_smtp")


def wanted(row, name):
    if name.startswith("alert_"):
        return fatal(row, name)
    return serial(row.get(name)) if name == "cert_serial" else text(row.get(name))


def compare_row(capture, row, event, score):
    ambiguous = row.get("ambiguous", ())
    if event is None:
        if "smtp" not in ambiguous and "tls" not in ambiguous:
            score.disagree(capture, row, "session", "none", "one")
        return
    score.compared["session"] += 1
    score.agreed["session"] += 1
    if capture.folder != "tls" and row.get("smtp") and "smtp" not in ambiguous:
        score.field(capture, row, "smtp", True, event["outcome"] != "not_smtp")
    if "client_port" in row and row["client_port"] != event["client"]["port"]:
        score.disagree(capture, row, "client", event["client"]["port"], row["client_port"])
    for name, value in FIELDS.items():
        if name in ambiguous or (name in ("version_hex", "cipher_name", "ja3s") and
                                 {"version", "cipher"} & set(ambiguous)):
            continue
        want = wanted(row, name)
        got = value(event)
        if got is not UNTOLD and (want, got) != (None, None):
            score.field(capture, row, name, want, got)


def load(words):
    rows = collections.defaultdict(list)
    with open(os.path.join(FOLDER, "expected.jsonl"), encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if not words or any(word in row["file"] for word in words):
                rows[row["file"]].append(row)
    return [Capture(name, rows[name]) for name in sorted(rows)]


def negatives(captures, report):
    """Every port of the captures without SMTP: not_smtp, or TLS from the first byte."""
    chosen = [capture for capture in captures if capture.negative]
    runs = harness.mxtap_all([["-q", "--port", "0-65535", "-r", os.path.join(FOLDER, c.name)]
                              for c in chosen])
    for capture, run in zip(chosen, runs):
        lines = harness.checked(run) or ([] if run.sessions else ["no event at all"])
        for event in [] if lines else run.sessions:
            if event["outcome"] not in ("not_smtp", "unknown") and \
                    get(event, "smtp.starttls") != "implicit":
                lines.append("a session: " + json.dumps(event))
        report.verdict("all-ports/" + capture.name, lines)


def summary(score, report, known):
    for name in ("session", "smtp", *FIELDS):
        bad = [entry for entry in score.disagreements if entry[2] == name]
        if name in LATER and name not in score.seen:
            report.skipped("field/" + name, "no event has it")
            continue
        new = [entry for entry in bad if not known(*entry[:3])]
        lines = ["%s %s %s: %s" % entry for entry in new]
        if not score.agreed[name]:
            lines.append("not once as expected")
        print("    %s: %d of %d as expected, %d adjudicated" %
              (name, score.agreed[name], score.agreed[name] + len(bad), len(bad) - len(new)))
        report.verdict("field/" + name, lines)
    others = [entry for entry in score.disagreements
              if entry[2] == "client" and not known(*entry[:3])]
    report.verdict("field/client", ["%s %s %s: %s" % entry for entry in others])


def main(words):
    report = harness.Report("corpus")
    if not os.path.isdir(FOLDER):
        report.skipped("", "no shared/corpus beside this folder, and MXTAP_SHARED names none")
        return
    captures, score = load(words), Score()
    runs = harness.mxtap_all([capture.command() for capture in captures])
    for capture, run in zip(captures, runs):
        lines = harness.checked(run, expected_status=run.status if run.status == 1 else 0)
        if lines:
            report.failed("read/" + capture.name, lines)
        else:
            compare(capture, run.sessions, score)
    report.verdict("files", [] if captures else ["expected.jsonl names none"])
    negatives(captures, report)
    summary(score, report, harness.adjudicated("corpus.adjudicated"))


if __name__ == "__main__":
    main(sys.argv[1:])
