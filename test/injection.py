#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Who chooses banners, names, certificates or the names of files cannot end a line, steer a terminal, hide or turn text, leave a string of
JSON, make markup in HTML or a formula in CSV: each of these is tried in each place where the network has a say, in every output.
"""
import csv
import html.parser
import io
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "limits"))
from traffic import C, MAIL, S, certificate, client_hello, connection, harness, record, server_hello, vector, wire  # noqa: E402

# What a reader must not get as it is. Code points, not bytes: also what is overlong or broken is among the input.
HIDDEN = [*range(0x00, 0x20), 0x7f, *range(0x80, 0xa0), 0x061c, *range(0x200b, 0x2010), *range(0x2028, 0x202f), 0x2060,
          *range(0x2066, 0x206a), 0xfeff]
TRIES = (
    b"\x1b]0;owned\x07\x1b[2J\x1b[31m",                       # terminal: title, clear, colour
    "\x9b2J\x85\u2028\u202eevil\u2066\u200b\ufeff".encode(),  # C1, separators, direction, zero width
    b'","outcome":"tls","x":"',                               # JSON
    b"\\\",\\u0022\\n\\",                                     # ... by its escapes
    b"<script>alert(1)</script>&amp;'\"><img src=x>",         # HTML
    b"=cmd|'/c calc'!A0", b"@SUM(1)", b"+1+1", b"-2", b"\t=1",  # CSV
    b"> helo=<forged.example>, findings=none",                # text lines
    b"x\rmxtap: forged", b"a,b;c|d", b"\xff\xc0\xaf\xed\xa0\x80\xf5", b"%s%n%x", b"${jndi:ldap://x}", b"\0nul\0",
)


def alpn(name):
    return b"\0\x10" + vector(2, vector(2, vector(1, name[:255])))


def server_name(name):
    return b"\0\0" + vector(2, vector(2, b"\0" + vector(2, name[:200])))


def der(text):
    """A certificate with the text as its names; what is inside does not matter, but its length does."""
    with open(os.path.join(harness.TOP, "test/unit/certificates/many.der"), "rb") as file:
        data = file.read()
    for name in sorted(set(re.findall(rb"[a-z0-9.-]{12,}\.example[a-z.]*|[a-z0-9.-]+\.example\.[a-z]+", data)), key=len, reverse=True):
        data = data.replace(name, (text + b"." * len(name))[:len(name)])
    return data


def sessions():
    """Each try in every place."""
    packets = []
    for i, text in enumerate(TRIES):
        line = text.replace(b"\r\n", b"")
        begin = ((S, b"220 " + line + b" ESMTP\r\n"), (C, b"EHLO " + line + b"\r\n"), (S, b"250-mx\r\n250 STARTTLS\r\n"))
        mail = ((C, b"MAIL FROM:<a@" + line + b">\r\n"), (S, b"250 ok\r\n"), (C, b"RCPT TO:<b@" + line + b">\r\n"), (S, b"250 ok\r\n"))
        tls = ((C, b"STARTTLS\r\n"), (S, b"220 " + line + b"\r\n"), (C, client_hello(extensions=server_name(text) + alpn(text))),
               (S, record(22, server_hello() + certificate(der(text)))))
        tls += ((S, record(20, b"\1") + record(22, b"f" * 40)), (C, record(20, b"\1") + record(22, b"f" * 40)), (S, record(23, b"d" * 60)))
        host = b"mx" + line.replace(b" ", b"") + b".evil.example"
        named = ((S, b"220 " + host + b" ESMTP\r\n"), (C, b"EHLO " + host + b"\r\n"), (S, b"250 mx\r\n"))
        auth = ((C, b"AUTH " + line + b" " + line + b"\r\n"), (S, b"504 " + line + b"\r\n"))
        refused = ((C, b"STARTTLS\r\n"), (S, b"454 " + line + b"\r\n"))
        for j, turns in enumerate((begin + mail + MAIL, begin + tls, named + auth + MAIL, begin + refused)):
            packets += connection(turns, number=8 * i + j, start=wire.START + (8 * i + j) * 1000000).packets
    return packets


def bad_characters(text, allowed="\n"):
    """Characters of an output that a terminal or an eye would take for something else."""
    return sorted({"U+%04X" % ord(c) for c in text if ord(c) in HIDDEN and c not in allowed})


def plain(data, allowed="\n"):
    try:
        found = bad_characters(data.decode("utf-8"), allowed)
    except UnicodeDecodeError as error:
        return ["not UTF-8: %s" % error]
    return ["has %s" % " ".join(found)] if found else []


def strings(value):
    """All strings of a JSON value."""
    if isinstance(value, dict):
        return [s for item in value.items() for part in item for s in strings(part)]
    if isinstance(value, list):
        return [s for part in value for s in strings(part)]
    return [value] if isinstance(value, str) else []


def json_lines(data, count):
    """One object per line, as many as sessions, with no character to be wary of, not even after JSON's own unescaping."""
    found, lines = plain(data), data.decode("utf-8", "replace").split("\n")
    if len(lines) - 1 != count or lines[-1]:
        found.append("%d lines, expected %d" % (len(lines) - 1, count))
    try:
        values = [json.loads(line, object_pairs_hook=no_twins) for line in lines if line]
    except ValueError as error:
        return found + [str(error)]
    return found + ["a string has %s" % " ".join(bad_characters(s, "")) for v in values for s in strings(v) if bad_characters(s, "")]


def no_twins(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key twice: %s" % keys)
    return dict(pairs)


def text_lines(data, count):
    found, lines = plain(data), data.decode("utf-8", "replace").split("\n")[:-1]
    if len(lines) != count:
        found.append("%d lines, expected %d" % (len(lines), count))
    shape = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Za-z ]+[^<>]*(<[^<>]*>[^<>]*)*$")
    found += ["not of its form: " + line for line in lines if not shape.match(line)]
    return found + ["forged: " + line for line in lines if "helo=<forged.example>" in line or "\nmxtap:" in line]


class Markup(html.parser.HTMLParser):
    """Tags and attributes of the page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def page(data):
    markup = Markup()
    markup.feed(data.decode("utf-8", "replace"))
    found = plain(data)
    found += ["has <%s>" % tag for tag in markup.tags & {"script", "img", "iframe", "object", "embed", "link", "form"}]
    return found + ["has %s=" % name for name in markup.attributes if name.startswith("on") or name in ("src", "href", "srcset")]


def table(data):
    found = plain(data, "\r\n")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")))
    width = len(rows[0])
    found += ["%d fields, not %d: %s" % (len(row), width, row) for row in rows if len(row) != width]
    return found + ["a formula: %s" % cell for row in rows[1:] for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def check_events(report, path, count):
    for name, lines, extra in (("mxtap", json_lines, 1), ("ecs", json_lines, 1), ("eve", json_lines, None), ("ocsf", json_lines, None),
                               ("text", text_lines, 0)):
        done = harness.mxtap("-q", "--offers", "--envelope-domains", "--format", name, "-r", path)
        expected = done.out.count(b"\n") if extra is None else count + extra
        found = [done.crash()] if done.crash() else lines(done.out, expected)
        if not done.out.count(b"evil") and not found:
            found.append("nothing of what was tried is in it")
        report.verdict("format-" + name, found)


def check_report(report, path):
    for name, look in (("json", lambda data: json_lines(data.replace(b"\n", b"") + b"\n", 1)), ("text", plain), ("html", page), ("csv", table)):
        for by in ("domain", "name", "ip"):
            done = harness.mxtap("report", "-q", "--by", by, "--peers", "all", "--format", name, path)
            report.verdict("report-%s-by-%s" % (name, by), [done.crash()] if done.crash() else look(done.out) + ([] if done.out else ["empty"]))
    # the report reads events that somebody else may have written: what no mxtap would write
    forged = harness.mxtap("-q", "-r", path).events[0]
    forged["client"]["ip"], forged["smtp"]["client_name"] = "192.0.2.9", "x\x1b[2J\u202e=1<script>"
    forged["smtp"]["server_name"] = forged["smtp"]["banner"] = "=2+\x9b\"<img onerror=1>"
    for name, look in (("text", plain), ("html", page), ("csv", table)):
        done = harness.mxtap("report", "-q", "--by", "name", "--peers", "all", "--format", name, "-", stdin=json.dumps(forged).encode())
        report.verdict("report-%s-of-forged-events" % name, [done.crash()] if done.crash() else look(done.out))


def check_names(report, scratch, capture):
    """Names of files are of who put them there: in messages, and in the sensor of events."""
    folder = os.fsencode(scratch.path("names"))
    os.mkdir(folder)
    with open(capture, "rb") as file:
        data = file.read()
    for i, text in enumerate(TRIES):
        name = (b"%d" % i + text.replace(b"/", b"").replace(b"\0", b"")).replace(b"\n", b"\n")[:200]
        for end, content in ((b".pcap", data[:-5]), (b"\n.pcap", data)):
            with open(os.path.join(folder, name + end), "wb") as file:
                file.write(content)
    done = subprocess.run([harness.PROGRAM, "-v", "-r", folder], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    report.verdict("names-in-messages", plain(done.stderr) + ["not ours: %r" % line for line in done.stderr.splitlines()
                                                              if not line.startswith(b"mxtap: ")])
    report.verdict("names-in-events", json_lines(done.stdout, done.stdout.count(b"\n")))
    lacking = [os.path.join(folder, b"none" + text.replace(b"\0", b"")) for text in TRIES]
    done = subprocess.run([harness.PROGRAM, *(word for path in lacking for word in (b"-r", path)), b"-o", b"\x1b[2J/\x9b"],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    report.verdict("names-that-lack", plain(done.stderr))
    done = subprocess.run([harness.PROGRAM, b"--format", b"\x1b[2J", b"-r", b"x"], capture_output=True, check=False)
    report.verdict("options", plain(done.stderr))


def main():
    report = harness.Report("injection")
    with harness.Scratch() as scratch:
        path = scratch.path("tries.pcap")
        wire.write_pcap(path, sessions())
        check_events(report, path, 4 * len(TRIES))
        check_report(report, path)
        small = scratch.path("small.pcap")
        wire.write_pcap(small, connection().packets)
        check_names(report, scratch, small)


if __name__ == "__main__":
    main()
