# SPDX-License-Identifier: BSD-2-Clause
"""--format eve against Suricata's own JSON Schema of EVE."""
import json

import shape

NAME = "eve"
FLOW_ID = (1 << 53) - 1


def missing():
    try:
        import jsonschema  # pylint: disable=unused-import
    except ImportError:
        return "python3-jsonschema is not here"
    return None


class Checker:
    def __init__(self, path):
        import jsonschema
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        self.validator = jsonschema.validators.validator_for(schema)(schema)
        self.types = shape.Types()

    def check(self, line):
        for path, value in shape.leaves(line):
            self.types.note(path, value)
        # Without a keyword for each, a schema would take an event of any type.
        problems = [] if line.get(line["event_type"]) is not None or line["event_type"] == "smtp" \
            else ["no object %s" % line["event_type"]]
        return problems + ["%s: %s" % (".".join(map(str, error.path)), error.message[:300])
                           for error in self.validator.iter_errors(line)]

    def conflicts(self):
        return [text for text in self.types.conflicts() if "flowints" not in text]


def self_test(checker):
    good = {"timestamp": "2026-11-25T19:19:18.203301+0000", "event_type": "tls", "src_port": 25,
            "tls": {"version": "TLS 1.2"}}
    wrong = ["a good line: " + text for text in checker.check(good)]
    for bad in ({"timestamp": "2026-11-25T19:19:18.203301Z"}, {"src_port": "25"}, {"mxtap": {}},
                {"tls": {"version": 1}}, {"tls": {"starttls": "accepted"}}, {"tls": None}):
        if not checker.check(dict(good, **bad)):
            wrong.append("not found: %s" % bad)
    return wrong


def version(path, none):
    words = {"TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "SSLv2": "SSLv2", "SSLv3": "SSLv3",
             "TLSv1": "TLSv1"}

    def of(event):
        native = shape.at(event, path)
        if native is None:  # a version without a name has its number
            return shape.at(event, path + "_id") or none
        return words.get(native, "TLS 1.3")
    return of


def peer(key):
    return lambda event: event.get("proxy", event["client"])[key]


def number(path):
    return lambda event: shape.at(event, path) and int(shape.at(event, path), 16)


def without_z(path):
    return lambda event: shape.at(event, path) and shape.at(event, path).rstrip("Z")


HEAD = {"timestamp": lambda event: event["time"].replace("Z", "+0000"),
        "flow_id": lambda event: int(event["uid"], 16) & FLOW_ID,
        "src_ip": peer("ip"), "src_port": peer("port"),
        "dest_ip": "server.ip", "dest_port": "server.port", "community_id": "community_id",
        "host": "sensor.name", "pcap_filename": "sensor.file",
        "vlan": lambda event: [int(vlan) for vlan in event.get("vlan", [])] or None}
SMTP = dict(HEAD, **{"smtp.helo": "smtp.client_name"})
TLS = dict(HEAD, **{
    "tls.version": version("tls.version", "UNDETERMINED"), "tls.sni": "tls.client.server_name",
    "tls.session_resumed": "tls.resumed", "tls.ja3.hash": "tls.client.ja3",
    "tls.ja3s.hash": "tls.server.ja3s", "tls.ja4": "tls.client.ja4",
    "tls.client_alpns": "tls.client.alpn",
    "tls.subject": "tls.server.x509.subject.distinguished_name",
    "tls.issuerdn": "tls.server.x509.issuer.distinguished_name",
    "tls.client.subject": "tls.client.x509.subject.distinguished_name",
    "tls.notbefore": without_z("tls.server.x509.not_before"),
    "tls.notafter": without_z("tls.server.x509.not_after"),
    "tls.client_handshake.version": version("tls.client.max_version", None),
    "tls.server_handshake.cipher": number("tls.cipher_id")})


def in_smtp(event):
    return "smtp" in event and event["smtp"].get("starttls") != "implicit"


def words_of(line, key):
    start = "mxtap.%s." % key
    bits = shape.at(line, "metadata.flowbits") or []
    return [bit[len(start):] for bit in bits if bit.startswith(start)]


def compare_words(line, event):
    problems = []
    for key, want in (("outcome", [event["outcome"]]), ("finding", event["findings"]),
                      ("starttls", [event["smtp"]["starttls"]] if "smtp" in event else []),
                      ("incomplete", event.get("incomplete", []))):
        got = words_of(line, key)
        if got != want:
            problems.append("%s of %s: %s, expected %s" % (key, event["uid"], got, want))
    return problems


def compare(native, lines):
    expected = []
    for event in native:
        if event["event_type"] == "session":
            expected += [(event, "smtp")] if in_smtp(event) else []
            expected += [(event, "tls")] if "tls" in event else []
        else:
            expected.append((event, "stats"))
    problems = []
    if [kind for _, kind in expected] != [line["event_type"] for line in lines]:
        problems.append("other events than expected")
    for (event, kind), line in zip(expected, lines):
        if kind != "stats" and not event.get("cut") and "mxtap.cut" not in line["metadata"]["flowbits"]:
            problems += shape.same(line, SMTP if kind == "smtp" else TLS, event)
            problems += compare_words(line, event)
        if kind == "tls" and (shape.at(line, "tls.from_proto") == "smtp") != in_smtp(event):
            problems.append("from_proto of %s" % event["uid"])
    return problems
