#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Dialog scripts: SMTP sessions as text, replayed as captures. `dialog.py [NAME ...]` runs them,
`dialog.py --pcap NAME FILE` only writes the capture.

    # what is shown, and where it comes from
    options: --port 2526        options of the program
    client: 192.0.2.10:40000    or server: 198.51.100.25:25, [2001:db8::1]:25; vlan: 10 20
    C: EHLO mail.example.org    a line by the client, ended by CRLF
    S: 250-mx.example.net       lines of one side that follow each other are one segment ...
    --                          ... unless this stands between them
    C-lf: NOOP                  ended by a bare LF
    C-raw: START\\x54LS\\r\\n      with escapes; nothing is added
    C-hex: 16 03 01             bytes
    C-lost: QUIT                was sent, but is not in the capture (also S-lost-raw: and so on)
    tls tls13                   a recorded handshake with what follows (dialog/tls/tls13.hex);
    tls tls13 1-3               only the first three turns of it
    time +3s                    time goes by
    midstream                   the capture begins after the TCP handshake
    fin C | rst S | close C     one FIN; RST; FIN by both, the client first
    expect:                     the session that comes of it (a list: the sessions), as JSON;
    {"outcome": "no_mail"}      see harness.differences. Nothing else is compared.

Each script is replayed with a segment per turn, with a byte per segment, with everything pipelined
that RFC 2920 and RFC 3030 allow, and with small segments that arrive in disorder, and twice. The
result has to be the same each time.
"""
import ast
import json
import os
import re
import sys

import harness
import wire

FOLDER = os.path.join(harness.HERE, "dialog")
TIMES = ("duration_ms", "handshake_ms")
GROUPED = (b"MAIL", b"RCPT", b"RSET", b"BDAT", b"SEND", b"SOML", b"SAML")  # RFC 2920 3.1, 3030 4.2


class Turn:
    """What happens next: `data` by a side, or an event (fin, rst, close, time)."""

    def __init__(self, kind, side=None, data=b"", lost=False, wait=0):
        self.kind, self.side, self.data, self.lost, self.wait = kind, side, data, lost, wait


class Dialog:
    def __init__(self, name):
        self.name = name
        self.options, self.turns, self.ends, self.vlans = [], [], {}, ()
        self.midstream = False
        self.joined = False  # whether the next line may join the turn before
        with open(os.path.join(FOLDER, name + ".dialog"), encoding="utf-8") as file:
            script, _, expected = file.read().partition("\nexpect:\n")
        for number, line in enumerate(script.splitlines(), 1):
            try:
                self.statement(line)
            except (ValueError, KeyError, OSError, SyntaxError) as error:
                raise SystemExit("%s.dialog:%d: %s" % (name, number, error)) from error
        self.expected = json.loads(expected)
        if isinstance(self.expected, dict):
            self.expected = [self.expected]

    def statement(self, line):
        word, _, rest = line.partition(" ")
        if not line or word.startswith("#"):
            return
        if re.fullmatch(r"[CS](-\w+)*:", word):
            self.text(word[0], word[1:-1].split("-")[1:], line[len(word) + 1:])
        elif word == "--":
            self.joined = False
        elif word == "tls":
            self.turns += recording(*rest.split())
            self.joined = False
        elif word in ("fin", "rst", "close"):
            self.turns.append(Turn(word, rest))
        elif word == "time":
            self.turns.append(Turn("time", wait=int(float(rest.strip("+s")) * 1000000)))
        elif word == "midstream":
            self.midstream = True
        else:
            self.setting(word, rest)

    def text(self, side, flags, text):
        if "hex" in flags:
            data = bytes.fromhex(text)
        elif "raw" in flags:
            data = ast.literal_eval('b"""%s"""' % text)
        else:
            data = text.encode() + (b"\n" if "lf" in flags else b"\r\n")
        last, lost = self.turns[-1] if self.turns else None, "lost" in flags
        if self.joined and last.kind == "data" and (last.side, last.lost) == (side, lost):
            last.data += data
        else:
            self.turns.append(Turn("data", side, data, lost))
        self.joined = True

    def setting(self, word, rest):
        if word == "options:":
            self.options += rest.split()
        elif word in ("client:", "server:"):
            address, _, port = rest.rpartition(":")
            self.ends[word[:-1]] = (address.strip("[]"), int(port))
        elif word == "vlan:":
            self.vlans = tuple(map(int, rest.split()))
        else:
            raise ValueError("unknown statement " + word)

    def packets(self, size=wire.MSS, turns=None):
        """The packets of a replay in segments of at most `size` bytes."""
        connection = wire.Connection(vlans=self.vlans, **self.ends)
        if not self.midstream:
            connection.handshake()
        for turn in turns or self.turns:
            play(connection, turn, size)
        return connection.packets

    def pipelined(self):
        """The turns with commands sent before the replies to earlier ones, where allowed."""
        turns, offered, plain = [], False, True
        for turn in self.turns:
            offered = offered or (turn.side == wire.SERVER and b"PIPELINING" in turn.data)
            plain = plain and not turn.data.startswith((b"\x16\x03", b"\x80"))
            if offered and plain and may_join(turns, turn):
                turns[-2].data += turn.data
            elif offered and plain and turns and turn.kind == turns[-1].kind == "data" and \
                    (turn.side, turn.lost) == (turns[-1].side, turns[-1].lost):
                turns[-1].data += turn.data
            else:
                turns.append(Turn(turn.kind, turn.side, turn.data, turn.lost, turn.wait))
        return turns

    def replays(self):
        """Pairs of a name and the packets."""
        yield "turns", self.packets()
        yield "pipelined", self.packets(turns=self.pipelined())
        yield "bytes", self.packets(size=1)
        if not self.midstream:  # where a stream begins is told by its first segment
            yield "disorder", disorder(self.packets(size=7))


def play(connection, turn, size):
    if turn.kind == "data":
        connection.send(turn.side, turn.data, size, turn.lost)
    elif turn.kind == "fin":
        connection.packet(turn.side, wire.FIN | wire.ACK)
        connection.acknowledge(wire.other(turn.side))
    elif turn.kind == "rst":
        connection.packet(turn.side, wire.RST | wire.ACK)
    elif turn.kind == "close":
        connection.close(turn.side)
    else:
        connection.wait(turn.wait)


def may_join(turns, turn):
    """Whether a client's turn may be sent with its last one: that ends in a command of a group."""
    if len(turns) < 2 or turn.kind != "data" or turn.side != wire.CLIENT or turn.lost:
        return False
    before, reply = turns[-2:]
    if before.kind != "data" or before.side != wire.CLIENT or before.lost or reply.kind != "data":
        return False
    if before.data.endswith(b"\r\n.\r\n"):
        return True  # the end of a message may be followed by the next group
    last = before.data.rstrip(b"\r\n").rpartition(b"\n")[2]
    return before.data.endswith(b"\n") and last[:4].upper() in GROUPED


def disorder(packets):
    """Segments of one side in pairs, the later one first and once more after the earlier."""
    out, at = [], 0
    while at < len(packets):
        pair = packets[at:at + 2]
        if len(pair) == 2 and pair[0].side == pair[1].side and all(p.payload for p in pair):
            one, two = pair
            out += [two.again(one.time), one.again(two.time), two]
            at += 2
        else:
            out.append(packets[at])
            at += 1
    return out


def recording(name, span="1-"):
    """Turns of a recorded handshake."""
    turns = []
    with open(os.path.join(FOLDER, "tls", name + ".hex"), encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    for side, what in lines:
        if what in ("fin", "rst"):
            turns.append(Turn(what, side))
        elif turns and turns[-1].kind == "data" and turns[-1].side == side:
            turns[-1].data += bytes.fromhex(what)
        else:
            turns.append(Turn("data", side, bytes.fromhex(what)))
    first, _, last = span.partition("-")
    return turns[int(first) - 1:int(last) if last else None]


def timeless(value):
    """An event without what depends on how long the replay took."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    return value


def run_dialog(dialog, scratch, report):
    paths, names = [], []
    for name, packets in dialog.replays():
        paths.append(scratch.path("%s.pcap" % name))
        names.append(name)
        wire.write_pcap(paths[-1], packets)
    runs = harness.mxtap_all([["-q", "-r", path, *dialog.options] for path in paths])
    first = None
    for name, run in zip(names, runs):
        lines = harness.checked(run)
        if not lines:
            lines = harness.compare_sessions(dialog.expected, run.sessions)
            sessions = [timeless(harness.without_sensor_file(event)) for event in run.sessions]
            first = sessions if first is None else first
            if not lines and sessions != first:
                lines = ["differs from the replay by turns:", json.dumps(first),
                         json.dumps(sessions)]
        report.verdict("%s/%s" % (dialog.name, name), lines)


def names():
    return sorted(name[:-7] for name in os.listdir(FOLDER) if name.endswith(".dialog"))


def main(args):
    if args[:1] == ["--pcap"]:
        wire.write_pcap(args[2], Dialog(args[1]).packets())
        return
    report = harness.Report("dialog")
    with harness.Scratch() as scratch:
        for name in args or names():
            run_dialog(Dialog(name), scratch, report)


if __name__ == "__main__":
    main(sys.argv[1:])
