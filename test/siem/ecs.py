# SPDX-License-Identifier: BSD-2-Clause
"""--format ecs against ecs-fields.csv: names, types, and which fields are lists."""
import csv
import ipaddress
import re

import shape

NAME = "ecs"
OWN = "mxtap"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
# The values that ECS allows in its categorization fields, as far as we could ever mean them.
ALLOWED = {"event.kind": {"event", "metric", "alert"},
           "event.category": {"network", "email", "intrusion_detection"},
           "event.type": {"connection", "protocol", "start", "end", "info", "denied", "allowed"},
           "event.outcome": {"success", "failure", "unknown"},
           "network.direction": {"inbound", "outbound", "internal", "external"},
           "network.type": {"ipv4", "ipv6"},
           "tls.version_protocol": {"tls", "ssl"}}
REQUIRED = ("@timestamp", "ecs.version", "event.kind", "event.category", "event.type")


def missing():
    return None


def is_address(value):
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


TYPES = {"keyword": lambda value: isinstance(value, str),
         "match_only_text": lambda value: isinstance(value, str),
         "ip": is_address,
         "long": lambda value: type(value) is int,
         "float": lambda value: type(value) in (int, float),
         "boolean": lambda value: isinstance(value, bool),
         "date": lambda value: isinstance(value, str) and bool(TIME.match(value))}


class Checker:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            self.fields = {row["Field"]: row for row in csv.DictReader(file)}
        self.types = shape.Types()

    def check(self, line):
        problems = ["%s: is required" % path for path in REQUIRED if shape.at(line, path) is None]
        for path, value in shape.leaves(line):
            if path.split(".")[0] == OWN:
                self.types.note(path, value)
                problems += self.own(path, value)
            else:
                problems += self.field(path, value)
        return problems

    def field(self, path, value):
        row = self.fields.get(path)
        if row is None or row["Type"] not in TYPES:
            return ["%s: no field of ECS" % path]
        listed = "array" in row["Normalization"]
        if listed != isinstance(value, list):
            return ["%s: %s a list" % (path, "must be" if listed else "is not")]
        items = value if listed else [value]
        problems = ["%s: %r is no %s" % (path, item, row["Type"]) for item in items
                    if not TYPES[row["Type"]](item)]
        return problems + ["%s: %r is not allowed" % (path, item) for item in items
                           if path in ALLOWED and item not in ALLOWED[path]]

    def refused(self, line):
        """Why an index whose template has all fields of ECS would not take a line of another format."""
        problems = []
        for path, value in shape.leaves(line):
            self.types.note(path, value)
            items = value if isinstance(value, list) else [value]
            row = self.fields.get(path)
            problems += self.own(path, value)
            if row is not None:
                problems += ["%s: %r is no %s" % (path, item, row["Type"]) for item in items
                             if not TYPES.get(row["Type"], lambda _: False)(item)]
            elif any(field.startswith(path + ".") for field in self.fields):
                problems.append("%s: an object in ECS" % path)
            above = [path[:i] for i, letter in enumerate(path) if letter == "."]
            problems += ["%s: %s is no object in ECS" % (path, part) for part in above
                         if self.fields.get(part, {}).get("Type") in TYPES]
        return problems

    @staticmethod
    def own(path, value):
        items = value if isinstance(value, list) else [value]
        return ["%s: an object, a list or null in a list" % path for item in items
                if item is None or isinstance(item, (dict, list))]

    def conflicts(self):
        return self.types.conflicts()


def self_test(checker):
    good = {"@timestamp": "2026-11-25T19:19:18.203301Z", "ecs": {"version": "9.0.0"},
            "event": {"kind": "event", "category": ["network"], "type": ["connection"]},
            "source": {"ip": "192.0.2.1", "port": 25}}
    wrong = ["a good line: " + text for text in checker.check(good)]
    for bad in ({"@timestamp": 7}, {"source": {"ip": "here"}}, {"source": {"port": "25"}},
                {"event": dict(good["event"], kind="fine")}, {"tls": {"versoin": "1.2"}},
                {"event": dict(good["event"], category="network")}, {"related": {"ip": "::1"}},
                {"tls": {"established": "true"}}, {"ecs": {}}, {"mxtap": {"a": [{"b": 1}]}}):
        if not checker.check(dict(good, **bad)):
            wrong.append("not found: %s" % bad)
    for bad in ({"client": {"ip": "here"}}, {"tls": {"server": {"x509": {"subject": "CN=x"}}}},
                {"tls": {"version": {"name": "TLSv1"}}}, {"smtp": [{"a": 1}]}):
        if not checker.refused(bad):
            wrong.append("would be refused: %s" % bad)
    return wrong


def upper(path):
    return lambda event: (shape.at(event, path) or "").upper() or None


def version(event):
    native = shape.at(event, "tls.version")
    numbers = {"SSLv2": "2.0", "SSLv3": "3.0", "TLSv1": "1.0", "TLSv1.1": "1.1", "TLSv1.2": "1.2"}
    return native and numbers.get(native, "1.3")


def outcome(event):
    return {"tls": "success", "plaintext": "success",
            "tls_failed": "failure"}.get(event["outcome"], "unknown")


def listed(path):
    return lambda event: shape.at(event, path) or None


SAME = {
    "@timestamp": "time", "event.id": "uid", "event.outcome": outcome, "event.action": "outcome",
    "observer.name": "sensor.name", "network.community_id": "community_id",
    "network.direction": "direction", "source.ip": "client.ip", "source.port": "client.port",
    "source.bytes": "client.bytes", "source.nat.ip": "proxy.ip", "source.nat.port": "proxy.port",
    "destination.ip": "server.ip", "destination.port": "server.port",
    "destination.bytes": "server.bytes", "tls.version": version, "tls.cipher": "tls.cipher",
    "tls.curve": "tls.group", "tls.established": "tls.established", "tls.resumed": "tls.resumed",
    "tls.next_protocol": "tls.alpn", "tls.client.ja3": "tls.client.ja3",
    "tls.client.server_name": "tls.client.server_name",
    "destination.domain": "tls.client.server_name",
    "tls.client.supported_ciphers": "tls.client.ciphers", "tls.server.ja3s": "tls.server.ja3s",
    "tls.server.hash.sha256": upper("tls.server.x509.sha256"),
    "tls.client.hash.sha256": upper("tls.client.x509.sha256"),
    "tls.server.subject": "tls.server.x509.subject.distinguished_name",
    "tls.server.issuer": "tls.server.x509.issuer.distinguished_name",
    "tls.client.subject": "tls.client.x509.subject.distinguished_name",
    "tls.server.not_before": "tls.server.x509.not_before",
    "tls.server.x509.not_after": "tls.server.x509.not_after",
    "tls.server.x509.public_key_size": "tls.server.x509.key_bits",
    "tls.server.x509.public_key_algorithm": "tls.server.x509.key",
    "tls.server.x509.alternative_names": listed("tls.server.x509.names"),
    "network.vlan.id": lambda event: event.get("vlan", [None])[0],
    "network.inner.vlan.id": lambda event: (event.get("vlan", []) + [None, None])[1],
    "mxtap.outcome": "outcome", "mxtap.end": "end", "mxtap.incomplete": "incomplete",
    "mxtap.findings": listed("findings"), "mxtap.file": "sensor.file",
    "mxtap.smtp.starttls": "smtp.starttls", "mxtap.smtp.client_name": "smtp.client_name",
    "mxtap.smtp.banner": "smtp.banner", "mxtap.smtp.starttls_reply": "smtp.starttls_reply",
    "mxtap.smtp.mail_in_clear": "smtp.mail_in_clear",
    "mxtap.smtp.auth_in_clear": "smtp.auth_in_clear",
    "mxtap.smtp.sender_domains": "smtp.sender_domains",
    "mxtap.tls.version": "tls.version", "mxtap.tls.limited_by": "tls.limited_by",
    "mxtap.tls.client.max_version": "tls.client.max_version",
    "mxtap.tls.client.ja4": "tls.client.ja4", "mxtap.tls.client.groups": "tls.client.groups",
    "mxtap.tls.server.supports": "tls.server.supports", "mxtap.fallback_of": "fallback_of",
}


def compare(native, lines):
    sessions = [event for event in native if event["event_type"] == "session"]
    events = [line for line in lines if line["event"]["kind"] == "event"]
    metrics = [line for line in lines if line["event"]["kind"] == "metric"]
    problems = []
    if len(sessions) != len(events) or len(metrics) != 1:
        problems.append("%d sessions and %d metrics, expected %d and 1" %
                        (len(events), len(metrics), len(sessions)))
    for event, line in zip(sessions, events):
        if not event.get("cut") and not shape.at(line, "mxtap.cut"):
            problems += shape.same(line, SAME, event)
    return problems
