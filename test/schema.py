#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Every event that any test got out of the program, against man/mxtap-events.schema.json, its spelling
against that of another JSON writer, and its Community ID against one computed here.
"""
import base64
import hashlib
import ipaddress
import json
import os
import struct

import harness

SCHEMA = os.path.join(harness.TOP, "man", "mxtap-events.schema.json")


def events():
    with open(harness.EVENTS, encoding="utf-8") as file:
        return sorted(set(file))


def community_id(event):
    """Version 1, seed 0, of the connection on the wire: github.com/corelight/community-id-spec."""
    ends = sorted((ipaddress.ip_address(end["ip"]).packed, end["port"])
                  for end in (event.get("proxy", event["client"]), event["server"]))
    (low, low_port), (high, high_port) = ends
    data = b"\0\0" + low + high + struct.pack("!BBHH", 6, 0, low_port, high_port)
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()


def broken(event):
    """Events that no schema of ours may let pass: each key once with a value of another type."""
    for key, value in event.items():
        yield key, dict(event, **{key: "seven" if isinstance(value, (int, float)) else 7})
    yield "outcome", dict(event, outcome="fine")
    yield "event_type", dict(event, event_type="sessions")


def main():
    report = harness.Report("schema")
    try:
        import jsonschema
    except ImportError:
        report.skipped("events", "python3-jsonschema is not here")
        return
    if not harness.EVENTS or not os.path.exists(harness.EVENTS):
        report.skipped("events", "no other test was run")
        return
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    lines, wrong, spelled, sample, count = [], [], [], None, 0
    for text in events():
        event = json.loads(text)
        count += 1
        if json.dumps(event, separators=(",", ":"), ensure_ascii=False) != text.rstrip("\n"):
            spelled.append(text)
        if event["event_type"] == "session":
            sample = event
            if event["community_id"] != community_id(event):
                wrong.append(text)
        error = jsonschema.exceptions.best_match(validator.iter_errors(event))
        if error:
            lines.append("%s: %s\n%s" % ("/".join(map(str, error.path)), error.message,
                                         text.strip()[:1000]))
    print("    %d different events" % count)
    report.verdict("events", lines[:40])
    report.verdict("compact", spelled[:10])
    report.verdict("community-id", wrong[:10] if sample else ["no session"])
    report.verdict("refuses-broken", ["takes a broken " + key for key, event in broken(sample)
                                      if validator.is_valid(event)] if sample else ["no session"])


if __name__ == "__main__":
    main()
