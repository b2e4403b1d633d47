# SPDX-License-Identifier: BSD-2-Clause
"""--format ocsf against OCSF's own files: attributes of the class and its objects, which of them
are required, their types and enumerations. An object whose file is not there may have any attribute
of the dictionary."""
import json
import os
import re

import shape

NAME = "ocsf"
CLASS = ("base_event", "network", "network_activity")  # each extends the one before it
FREE = "unmapped"
CLASSIFIED = ("category_uid", "class_uid")  # a class has its own; the files have that of its base


def missing():
    return None


def load(folder, name):
    path = os.path.join(folder, name + ".json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Checker:
    def __init__(self, folder):
        self.folder = folder
        dictionary = load(folder, "dictionary")
        self.attributes = dictionary["attributes"]
        self.plain = dictionary["types"]["attributes"]
        self.objects = {}
        self.types = shape.Types()
        self.event = {}
        for name in CLASS:
            self.merge(self.event, load(folder, name)["attributes"])

    @staticmethod
    def merge(known, attributes):
        for key, value in attributes.items():
            if isinstance(value, dict):
                known.setdefault(key, {}).update(
                    {k: v for k, v in value.items() if k != "enum"})
                known[key].setdefault("enum", {}).update(value.get("enum", {}))

    def object(self, name):
        """(attributes, whether these are all)"""
        if name not in self.objects:
            file = load(self.folder, name)
            attributes = {}
            if file:
                self.merge(attributes, file["attributes"])
            # what it extends, or what a profile adds, may not be there
            whole = bool(file) and file.get("extends") == "object" \
                and "$include" not in file["attributes"]
            self.objects[name] = attributes, whole
        return self.objects[name]

    def check(self, line):
        for path, value in shape.leaves(line.get(FREE, {}), FREE):
            self.types.note(path, value)
        problems = self.members(line, self.event, True, "")
        if line.get("type_uid") != line.get("class_uid", 0) * 100 + line.get("activity_id", 0):
            problems.append("type_uid: is not class_uid * 100 + activity_id")
        if line.get("class_uid") != 4001 or line.get("category_uid") != 4:
            problems.append("not of the class Network Activity")
        return problems

    def members(self, value, attributes, whole, path):
        problems = ["%s%s: is required" % (path, key) for key, item in attributes.items()
                    if item.get("requirement") == "required" and not item.get("profile")
                    and key not in value]
        for key, item in value.items():
            known = self.attributes.get(key)
            if known is None or (whole and key not in attributes):
                problems.append("%s%s: no attribute of OCSF here" % (path, key))
            elif key != FREE:
                here = attributes.get(key, {})
                if "@deprecated" in here:
                    problems.append("%s%s: is deprecated" % (path, key))
                problems += self.value(item, known, here, path + key)
        return problems

    def value(self, value, known, here, path):
        if known.get("is_array"):
            if not isinstance(value, list) or not value:
                return ["%s: must be a list" % path]
            return [text for item in value for text in self.one(item, known, here, path)]
        return self.one(value, known, here, path)

    def one(self, value, known, here, path):
        kind = here.get("type", known["type"])
        if kind not in self.plain and kind not in ("string_t", "integer_t"):
            if not isinstance(value, dict):
                return ["%s: must be an object" % path]
            attributes, whole = self.object(kind)
            return self.members(value, attributes, whole, path + ".")
        return self.simple(value, kind, path) + self.enumerated(value, known, here, path)

    def simple(self, value, kind, path):
        base = kind
        while base in self.plain and self.plain[base].get("type"):
            base = self.plain[base]["type"]
        wanted = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool,
                  "float_t": float}.get(base)
        if wanted is None or type(value) is not wanted:
            return ["%s: %r is no %s" % (path, value, kind)]
        rule = self.plain.get(kind, {})
        if "regex" in rule and not re.search(rule["regex"], value):
            return ["%s: %r is no %s" % (path, value, kind)]
        if "range" in rule and not rule["range"][0] <= value <= rule["range"][1]:
            return ["%s: %r is out of range" % (path, value)]
        if "max_len" in rule and len(value) > rule["max_len"]:
            return ["%s: %r is too long" % (path, value)]
        return []

    @staticmethod
    def enumerated(value, known, here, path):
        enum = dict(known.get("enum", {}), **here.get("enum", {}))
        if enum and path not in CLASSIFIED and str(value) not in enum:
            return ["%s: %r is not in its enumeration" % (path, value)]
        return []

    def conflicts(self):
        return self.types.conflicts()


def self_test(checker):
    good = {"activity_id": 2, "category_uid": 4, "class_uid": 4001, "type_uid": 400102,
            "severity_id": 1, "time": 1764098358203, "src_endpoint": {"ip": "192.0.2.1", "port": 1},
            "metadata": {"version": "1.5.0", "product": {"name": "mxtap"}},
            "tls": {"version": "TLSv1.2"}}
    wrong = ["a good line: " + text for text in checker.check(good)]
    for bad in ({"type_uid": 400101}, {"severity_id": 42}, {"time": "now"}, {"tls": {}},
                {"tls": {"version": "TLSv1.2", "ja9": "x"}}, {"metadata": {"version": "1.5.0"}},
                {"src_endpoint": {"ip": "here"}}, {"src_endpoint": {"port": 70000}},
                {"tls": {"version": "TLSv1.2", "certificate": {"issuer": "CN=x"}}},
                {"connection_info": {"uid": "1"}}, {"ja4_fingerprint_list": {"value": "x"}}):
        if not checker.check(dict(good, **bad)):
            wrong.append("not found: %s" % bad)
    return wrong


def version(event):
    return (shape.at(event, "tls.version") or "unknown") if "tls" in event else None


def value(path, algorithm):
    def of(event):
        digest = shape.at(event, path)
        return digest and {"algorithm_id": 1, "algorithm": algorithm, "value": digest}
    return of


def alert(event):
    return shape.at(event, "tls.alert.code")


SAME = {
    "metadata.uid": "uid", "connection_info.community_uid": "community_id",
    "connection_info.direction": "direction", "src_endpoint.ip": "client.ip",
    "src_endpoint.port": "client.port", "dst_endpoint.ip": "server.ip",
    "dst_endpoint.port": "server.port", "traffic.bytes_out": "client.bytes",
    "traffic.bytes_in": "server.bytes", "src_endpoint.proxy_endpoint": "proxy",
    "tls.version": version, "tls.cipher": "tls.cipher", "tls.sni": "tls.client.server_name",
    "tls.alert": alert, "tls.ja3_hash": value("tls.client.ja3", "MD5"),
    "tls.ja3s_hash": value("tls.server.ja3s", "MD5"), "tls.client_ciphers": "tls.client.ciphers",
    "tls.certificate.subject": "tls.server.x509.subject.distinguished_name",
    "tls.certificate.issuer": "tls.server.x509.issuer.distinguished_name",
    "tls.certificate.is_self_signed": lambda event: None if shape.at(
        event, "tls.server.x509.unread") else shape.at(event, "tls.server.x509.self_signed"),
    "unmapped.outcome": "outcome", "unmapped.end": "end", "unmapped.incomplete": "incomplete",
    "unmapped.findings": lambda event: event["findings"] or None,
    "unmapped.smtp.starttls": "smtp.starttls", "unmapped.smtp.banner": "smtp.banner",
    "unmapped.smtp.client_name": "smtp.client_name", "unmapped.tls.group": "tls.group",
    "unmapped.smtp.mail_in_clear": "smtp.mail_in_clear",
    "unmapped.smtp.auth_in_clear": "smtp.auth_in_clear",
    "unmapped.tls.established": "tls.established", "unmapped.tls.limited_by": "tls.limited_by",
    "unmapped.fallback_of.uid": "fallback_of.uid", "unmapped.vlan": "vlan",
}


def compare(native, lines):
    sessions = [event for event in native if event["event_type"] == "session"]
    problems = [] if len(sessions) == len(lines) else [
        "%d lines, expected %d" % (len(lines), len(sessions))]
    for event, line in zip(sessions, lines):
        if not event.get("cut") and not shape.at(line, "unmapped.cut"):
            problems += shape.same(line, SAME, event)
    return problems
