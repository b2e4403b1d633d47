#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The same connections told in another way give the same records: segments cut or joined, out of order,
twice, sent again with other boundaries, in fragments, tags and tunnels, in the other address family,
among others, in several files. What is lost makes records say less, never something else.

    test/metamorphic.py [COUNT [SEED [corpus]]]

With `corpus` the public captures are told in other ways too.

Each mutant has addresses of its own, so that hundreds of them are read in one run of the program.
"""
import gzip
import os
import random
import struct
import sys

import dialog
import harness
import wire

COUNT, SEED, BATCH = 2000, 1, 250
LARGEST = 250  # packets of a capture that is used
LONGEST = 120 * 1000000  # microseconds: what is open at its end is not timed out by the others
START = 1700000000 * 1000000
NEAR = 100000  # microseconds within which order is lost: a hole is waited for longer
OPTIONS = ("-q", "--port", "25,465,587,2525")
FIN, SYN, RST, ACK = wire.FIN, wire.SYN, wire.RST, wire.ACK


class Segment:
    """A TCP segment; hosts are numbers within its capture."""

    def __init__(self, time, source, target, ports, seq, ack, flags, data):
        self.time, self.source, self.target, self.ports = time, source, target, ports
        self.seq, self.ack, self.flags, self.data = seq, ack, flags, data

    def again(self, **changes):
        other = Segment(**{**self.__dict__})
        other.__dict__.update(changes)
        return other

    @property
    def way(self):
        return self.source, self.target, self.ports


# --- reading

HEADERS = {1: (14, 12), 113: (16, 14), 276: (20, 0)}  # link type: length, and where the protocol stands


def load(path):
    """Link type and packets (microseconds, bytes, length on the wire) of a pcap or pcapng; ValueError, struct.error: none that is read here."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        data = file.read(8000000)
    magic = struct.unpack_from("<I", data)[0]
    if magic == 0x0a0d0d0a:
        return load_blocks(data)
    if magic not in (0xa1b2c3d4, 0xa1b23c4d):
        raise ValueError("neither")
    link, part, at, packets = struct.unpack_from("<I", data, 20)[0] & 0xffff, 1 if magic == 0xa1b2c3d4 else 1000, 24, []
    while at + 16 <= len(data):
        seconds, fraction, caught, length = struct.unpack_from("<IIII", data, at)
        packets.append((seconds * 1000000 + fraction // part, data[at + 16:at + 16 + caught], length))
        at += 16 + caught
    return link, packets


def load_blocks(data):
    """A pcapng of one section, little-endian, with interfaces of one link type."""
    links, ticks, at, packets = [], [], 0, []
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 0x0a0d0d0a and (packets or data[at + 8:at + 12] != b"\x4d\x3c\x2b\x1a"):
            raise ValueError("section")
        if kind == 1:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
            option = data.find(b"\x09\0\1\0", at + 16, at + size)  # if_tsresol
            ticks.append(10 ** data[option + 4] if option > 0 else 1000000)
        if kind == 6:
            face, high, low, caught, length = struct.unpack_from("<IIIII", data, at + 8)
            time = (high << 32 | low) * 1000000 // ticks[face]
            packets.append((time, data[at + 28:at + 28 + caught], length))
        at += max(size, 12)
    if len(set(links)) != 1:
        raise ValueError("interfaces")
    return links[0], packets


def parse(link, frame, hosts):
    """The fields of a frame; ValueError: not one that is understood here."""
    if link in (101, 228, 229) and frame:
        at, kind = 0, b"\x08\x00" if frame[0] >> 4 == 4 else b"\x86\xdd"
    elif link in HEADERS:
        at, kind = HEADERS[link][0], frame[HEADERS[link][1]:HEADERS[link][1] + 2]
    else:
        raise ValueError("link type")
    while kind in (b"\x81\x00", b"\x88\xa8"):
        kind, at = frame[at + 2:at + 4], at + 4
    if kind == b"\x08\x00":
        total, flags = struct.unpack_from("!HxxH", frame, at + 2)
        if flags & 0x3fff or not total:
            raise ValueError("a fragment")
        protocol, ends = frame[at + 9], (frame[at + 12:at + 16], frame[at + 16:at + 20])
        end, at = at + total, at + (frame[at] & 15) * 4
    elif kind == b"\x86\xdd":
        protocol, ends = frame[at + 6], (frame[at + 8:at + 24], frame[at + 24:at + 40])
        end, at = at + 40 + struct.unpack_from("!H", frame, at + 4)[0], at + 40
    else:
        return None
    if protocol != 6:
        return None
    if end > len(frame):
        raise ValueError("cut")
    source, target, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", frame, at)
    data = frame[at + (offset >> 4) * 4:end]
    numbers = [hosts.setdefault(address, len(hosts)) for address in ends]
    return dict(source=numbers[0], target=numbers[1], ports=(source, target), seq=seq, ack=ack,
                flags=flags, data=data)


def read(link, packets):
    hosts, segments = {}, []
    for time, data, length in packets:
        if len(data) < length:
            raise ValueError("cut")
        fields = parse(link, data, hosts)
        if fields:
            segments.append(Segment(time=time, **fields))
    if not segments or len(segments) > LARGEST:
        raise ValueError("empty or large")
    first, last = (choose(segment.time for segment in segments) for choose in (min, max))
    if last - first > LONGEST:
        raise ValueError("long")
    for segment in segments:
        segment.time += START - first
    return segments


def corpus():
    """The public captures, where they are."""
    top = os.path.join(harness.SHARED, "corpus")
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names
                  if name.endswith((".pcap", ".pcapng", ".cap", ".gz")))


def sources(public):
    """Names and segments of what can be told in another way."""
    found = {}
    for path in harness.captures(harness.PCAPS) + (corpus() if public else []):
        try:
            found[os.path.basename(path)] = read(*load(path))
        except (ValueError, IndexError, KeyError, OSError, EOFError, struct.error):
            continue
    for name in dialog.names():
        packets = [packet for packet in dialog.Dialog(name).packets() if not packet.dropped]
        try:
            found[name] = read(wire.ETHERNET, [(packet.time, packet.data, len(packet.data)) for packet in packets])
        except (ValueError, IndexError, struct.error):
            continue
    return found


# --- what loses nothing

def advance(segment):
    return (segment.seq + (1 if segment.flags & SYN else 0)) & 0xffffffff


def disorderly(segments):
    following = {}
    for segment in segments:
        if segment.data and following.setdefault(segment.way, segment.seq) != segment.seq:
            return True
        following[segment.way] = (advance(segment) + len(segment.data)) & 0xffffffff
    return False


def split(segments, chance, coarse=False):
    """No more pieces than are held where something is out of order."""
    out, coarse = [], coarse or disorderly(segments)
    for segment in segments:
        data, at = segment.data, 0
        if segment.flags & SYN or len(data) < 2:
            out.append(segment)
            continue
        most = chance.choice((1, 5, 7, 100, 536, 1000)) if len(data) < 600 and not coarse else 536
        least = 1 + len(data) // 100 if coarse else 1
        while at < len(data):
            size = min(chance.randint(least, max(least, most)), len(data) - at)
            last = at + size == len(data)
            out.append(segment.again(seq=(segment.seq + at) & 0xffffffff, data=data[at:at + size],
                                     flags=segment.flags if last else segment.flags & ~FIN))
            at += size
    return out


def join(segments, _):
    out = []
    for segment in segments:
        last = out[-1] if out else None
        if last and last.way == segment.way and last.data and segment.data and \
                not (last.flags | segment.flags) & (SYN | FIN | RST) and last.ack == segment.ack and \
                (last.seq + len(last.data)) & 0xffffffff == segment.seq and \
                len(last.data) + len(segment.data) < 9000:
            out[-1] = last.again(data=last.data + segment.data, ack=segment.ack)
        else:
            out.append(segment)
    return out


def reorder(segments, chance):
    """Neighbours change places a few times, but for what begins a connection or breaks it off."""
    out = list(segments)
    fixed = SYN | RST
    for _ in range(len(out) // 2):
        a = chance.randrange(len(out))
        b = min(a + chance.randint(1, 3), len(out) - 1)
        span = out[a:b + 1]
        began = [s for s in out[:a] if s.flags & SYN]
        if any(s.flags & fixed for s in span) or out[b].time - out[a].time > NEAR or not began:
            continue
        times = [s.time for s in span]
        chance.shuffle(span)
        out[a:b + 1] = [s.again(time=time) for s, time in zip(span, times)]
    return out


def duplicate(segments, chance):
    out = []
    for segment in segments:
        out.append(segment)
        if chance.random() < 0.3:
            out.append(segment.again())
    return out


def resend(segments, chance):
    """Bytes that were sent go out again, with boundaries of their own."""
    out, sent = [], {}
    for segment in segments:
        out.append(segment)
        start, data = sent.get(segment.way, (advance(segment), b""))
        if segment.flags & SYN or (start + len(data)) & 0xffffffff != advance(segment):
            start, data = advance(segment), b""
        data += segment.data
        sent[segment.way] = start, data
        if len(data) > 1 and not segment.flags & (SYN | FIN | RST) and chance.random() < 0.3:
            a = chance.randrange(max(0, len(data) - 3000), len(data))
            b = chance.randint(a + 1, min(len(data), a + 1400))
            out.append(segment.again(seq=(start + a) & 0xffffffff, data=data[a:b]))
    return out


SAME = {"split": split, "join": join, "reorder": reorder, "duplicate": duplicate, "resend": resend}


def in_order(segments):
    """No two at the same time, so that their order is kept in several files too."""
    out, time = [], 0
    for segment in segments:
        time = max(segment.time, time + 1)
        out.append(segment.again(time=time))
    return out


# --- what loses something

def drop(segments, chance):
    share = chance.choice((0.02, 0.1, 0.3))
    return [segment for segment in segments if chance.random() > share]


def one_side(segments, chance):
    way = chance.choice(segments).way
    return [segment for segment in segments if segment.way != way]


def late(segments, chance):
    return segments[chance.randrange(len(segments)):]


# Lines of AUTH or of a message that read like commands to whom misses their beginning; ports used again, where the SYN may be
# missing; a hello sent along with STARTTLS, or said twice, where the capture may begin; dialogs in which one line in clear alone shows
# that what looks like TLS is none; FTP within an SMTP session.
ONLY_WHOLE = ("auth-user-starttls", "syn__auth-starttls.pcap", "plaintext-dot-stuffing.pcap", "dot-stuffing", "bdat", "bdat-pipelined",
              "starttls-after-mail.pcap", "port-reuse.pcap", "exim-delivers.pcap", "hello-before-220-accepted.pcap",
              "syn__refused-454.pcap", "syn__not-requested.pcap", "syn__220-then-plain.pcap", "syn__starttls-with-arg.pcap",
              "sv__tests_tls-duplicate-hello_input__s1.pcap", "hello-in-answer-to-no-line", "tls-record-after-answer-in-text", "ndpi__tests_cfgs_default_pcap_ftp-start-tls__s0.pcap")
LESS = {"drop": drop, "one_side": one_side, "late": late}


# --- writing

def address(mutant, host, six):
    if six:
        return b"\xfd\0" + bytes(10) + struct.pack("!HH", mutant, host + 1)
    return struct.pack("!BHB", 10, mutant, host + 1)


def ip(source, target, protocol, body, more=0, at=0, number=0):
    if len(source) == 16:
        return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + source + target + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), number, more << 13 | at >> 3, 64,
                       protocol, 0)
    return head + source + target + body


def fragments(source, target, body, number, chance):
    """The IP packets that carry a TCP segment in pieces."""
    size, out = 8 * chance.randint(3 + len(body) // 480, 200), []  # no more than are put together
    for at in range(0, len(body), size):
        piece, more = body[at:at + size], int(at + size < len(body))
        if len(source) == 16:
            head = struct.pack("!BBHI", 6, 0, at | more, number)
            out.append(ip(source, target, 44, head + piece))
        else:
            out.append(ip(source, target, 6, piece, more, at, number))
    return out


def gre(packet, six, outer):
    return ip(*outer, 47, struct.pack("!HH", 0, 0x86dd if six else 0x800) + packet), False


def ip_in_ip(packet, six, outer):
    return ip(*outer, 41 if six else 4, packet), False


def vxlan(packet, six, outer):
    inner = struct.pack("!II", 0x08000000, 42 << 8) + ethernet(packet, six, ())
    return ip(*outer, 17, struct.pack("!HHHH", 50000, 4789, 8 + len(inner), 0) + inner), False


TUNNELS = {"gre": gre, "ip_in_ip": ip_in_ip, "vxlan": vxlan}


def ethernet(packet, six, tags):
    inner = b"".join(struct.pack("!HH", kind, number) for kind, number in tags)
    return bytes(12) + inner + (b"\x86\xdd" if six else b"\x08\0") + packet


class Mutant:
    """A capture and what is done to it."""

    def __init__(self, number, name, segments, seed, plain=False):
        self.number, self.name, self.chance = number, name, random.Random(seed)
        chance = self.chance
        lossless = plain or chance.random() < 0.7 or name in ONLY_WHOLE
        self.steps = [] if plain else chance.sample(sorted(SAME), chance.randint(0, 2))
        if not lossless:
            # What is sent again says that its sender had seen more than at first: where the first is lost nobody can tell. And before
            # a side is seen at all there is nothing to wait for.
            self.steps = [step for step in self.steps if step in ("split", "join", "duplicate")]
            self.steps.append(chance.choice(sorted(LESS)))
        self.six = not plain and chance.random() < 0.4
        self.fragmented = not plain and chance.random() < 0.2
        self.tags = [] if plain or chance.random() < 0.7 else \
            [(0x88a8, 100), (0x8100, 7)][chance.randrange(2):]
        self.tunnel = None if plain or chance.random() < 0.7 else chance.choice(sorted(TUNNELS))
        self.snaplen = chance.choice((68, 96, 128, 200, 400)) \
            if lossless and not plain and chance.random() < 0.1 and name not in ONLY_WHOLE else 0
        self.lossless = lossless and not self.snaplen
        self.fragmented = self.fragmented and not self.snaplen  # of a fragment that was cut nothing is known, not even that it was there
        for step in self.steps:
            if step == "split" and ("reorder" in self.steps or "drop" in self.steps):
                segments = split(segments, chance, True)
            else:
                segments = {**SAME, **LESS}[step](segments, chance)
        self.segments = in_order(segments)

    def packets(self):
        out = []
        for index, segment in enumerate(self.segments):
            for packet in self.pack(segment, index + 1):
                data = packet[:self.snaplen] if self.snaplen else packet
                out.append((segment.time, data, len(packet)))
        return out

    def pack(self, s, number):
        ends = [address(self.number, host, self.six) for host in (s.source, s.target)]
        tcp = struct.pack("!HHIIBBHHH", *s.ports, s.seq, s.ack, 0x50, s.flags, 65535, 0, 0) + s.data
        whole = self.fragmented and len(s.data) > 30 and not s.flags & SYN
        packets = fragments(*ends, tcp, number, self.chance) if whole else [ip(*ends, 6, tcp)]
        for packet in packets:
            six = self.six
            if self.tunnel:
                outer = [b"\xac\x10\0" + bytes([1 + host % 250]) for host in (s.source, s.target)]
                packet, six = TUNNELS[self.tunnel](packet, six, outer)
            yield ethernet(packet, six, self.tags)

    def __str__(self):
        extra = [word for word, on in (("six", self.six), ("fragments", self.fragmented),
                                       ("snaplen %d" % self.snaplen, self.snaplen),
                                       ("tags %s" % self.tags, self.tags),
                                       (self.tunnel, self.tunnel)) if on]
        return "%s %s" % (self.name, " ".join(self.steps + extra))


def write(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for time, data, length in packets:
            file.write(struct.pack("<IIII", time // 1000000, time % 1000000, len(data), length) + data)


# --- comparing

def where(event):
    """Mutant and connection of a record."""
    ends = []
    for side in ("client", "server"):
        text = event.get("proxy", event["client"])["ip"] if side == "client" else event[side]["ip"]
        if ":" in text:
            words = text.split("::")[-1].split(":")
            number, host = (int(words[-2], 16) if len(words) > 1 else 0), int(words[-1], 16)
        else:
            _, high, low, host = map(int, text.split("."))
            number = high << 8 | low
        ends.append(host)
    port = event.get("proxy", event["client"])["port"]
    return number, (ends[0], port, ends[1], event["server"]["port"])


def plain(event):
    """A record without what may differ."""
    event = {key: value for key, value in event.items() if key not in (
        "uid", "time", "sensor", "duration_ms", "community_id", "vlan", "protocol")}
    for side in ("client", "server", "proxy", "fallback_of", "tls"):
        if side in event:
            gone = ("ip", "uid", "time", "community_id", "handshake_ms")
            event[side] = {key: value for key, value in event[side].items() if key not in gone}
    if event["outcome"] == "not_smtp":
        event.pop("tls", None)
    return event


def records(run):
    out = {}
    for event in run.sessions:
        number, connection = where(event)
        out.setdefault(number, {}).setdefault(connection, []).append(plain(event))
    return out


def leaves(value, path=""):
    """Every string, number and truth of a record, with the way to it."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, path + "." + key)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item, path)]
    return [(path, value)]


# What may have another value where something is missing: a state that is not the furthest, a smaller number.
LESSER = (".end.", ".cut", ".incomplete", ".tls.client.last_message", ".tls.server.last_message",
          ".tls.limited_by", ".tls.resumed", ".smtp.hello", ".smtp.client_name")
NUMBERS = (".client.bytes", ".server.bytes", ".smtp.mail_in_clear", ".smtp.starttls_attempts")
STATES = ("unseen", "not_offered", "offered", "requested", "refused", "accepted", "implicit")
FROM_MEMORY = ("plaintext_fallback", "starttls_vanished")


def is_less(path, value, known):
    """Is this value of an incomplete record less than what is known?"""
    if (path, value) in known or path.startswith(LESSER):
        return True
    truth = [item for at, item in known if at == path]
    if path.endswith(".bytes") and (".end.how", "open") in known:
        return True  # the record was written before the end, or this one was not
    if path in NUMBERS:  # the acknowledgment of a FIN that is missing counts as a byte
        return any(value <= number + 1 for number in truth)
    if path == ".smtp.starttls":
        return value == "unseen" or (value == "implicit" and (".server.port", 465) in known) or \
            any(STATES.index(value) <= STATES.index(state) for state in truth)
    if value == "starttls_not_offered":  # it was not, and was asked for all the same
        return any((".smtp.starttls", state) in known for state in ("refused", "accepted")) and \
            any(at == ".smtp.mail_in_clear" for at, _ in known)
    if path == ".client.port":  # whoever names the client is missing
        return (".proxy.port", value) in known
    if path == ".outcome" and value in ("tls", "tls_failed"):  # the message in the clear is missing
        return (".outcome", "plaintext") in known and (".tls.established", value == "tls") in known
    if any(at == ".smtp.starttls_attempts" for at, _ in known) and \
            (path.startswith((".smtp.starttls_reply", ".tls.client.")) or value == "starttls_refused"):
        return True  # of the other attempt
    if path.startswith(".tls.client.") and ("refused" in (item for at, item in known if at == ".smtp.starttls")):
        return True  # a hello after a refusal that nobody saw
    return (path, value) in ((".outcome", "unknown"), (".tls.established", False))


def forgetful(event):
    """A record whose forerunner, which it should remember, is incomplete."""
    event = {key: value for key, value in event.items() if key != "fallback_of"}
    event["findings"] = [word for word in event["findings"] if word not in FROM_MEMORY]
    return event


def any_end(event):
    return dict(event, end=event["end"].get("how") if isinstance(event["end"], dict) else event["end"])


def only_less(mutant, base, got):
    """What a lossy mutant says that the base did not, or without saying that it lacks something."""
    lines = []
    lacking = any("incomplete" in event for events in got.values() for event in events)
    for connection, events in got.items():
        known = base.get(connection, [])
        truth = [leaf for event in known for leaf in leaves(event)]
        for event in events:
            lines += ["%s: %s, which it is not" % (path, value) for path, value in leaves(event)
                      if not is_less(path, value, truth)]
            if "reorder" in mutant.steps:  # whose FIN was first may be what got lost
                known, event = [any_end(item) for item in known], any_end(event)
            same = event in known or (lacking and event in [forgetful(item) for item in known])
            if mutant.snaplen and not same and "incomplete" not in event:
                lines.append("differs without `incomplete`")
    return lines


def compare(mutant, base, got):
    if not mutant.lossless:
        return only_less(mutant, base, got)
    lines = []
    for connection in sorted(set(base) | set(got)):
        want, have = base.get(connection, []), got.get(connection, [])
        if len(want) != len(have):
            lines.append("%s: %d records, expected %d" % (connection, len(have), len(want)))
        for a, b in zip(want, have):
            if "reorder" in mutant.steps:  # whose FIN was first may be what got lost
                a, b = any_end(a), any_end(b)
            lines += [line for line in harness.differences(a, b) + harness.differences(b, a)]
    return lines


def complete(base):
    return all("incomplete" not in event for events in base.values() for event in events)


def run_batch(mutants, scratch):
    """The records of some mutants by number; half of the captures lie in one file, the rest in three."""
    files = [[], [], []]
    for mutant in mutants:
        for index, packet in enumerate(mutant.packets()):
            files[0 if mutant.number % 2 else index % 3].append(packet)
    paths = [scratch.path("%d.pcap" % index) for index in range(3)]
    for path, packets in zip(paths, files):
        packets.sort(key=lambda packet: packet[0])
        write(path, packets)
    run = harness.mxtap(*OPTIONS, *[word for path in paths for word in ("-r", path)])
    return run.crash() or (run.err.decode() if run.status else None), run


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    report, found = harness.Report("metamorphic"), sources(sys.argv[3:] == ["corpus"])
    names = sorted(found)
    with harness.Scratch() as scratch:
        plain_ones = [Mutant(n, name, found[name], 0, True) for n, name in enumerate(names)]
        crash, run = run_batch(plain_ones, scratch)
        if crash:
            report.failed("base", [crash])
            return
        base = records(run)
        usable = [n for n in range(len(names)) if n in base and complete(base[n])]
        report.passed("base of %d captures" % len(usable))
        failures, kinds = [], {True: 0, False: 0}
        for first in range(0, count, BATCH):
            batch = []
            for number in range(first, min(first + BATCH, count)):
                which = usable[number % len(usable)]
                mutant = Mutant(number - first, names[which], found[names[which]], seed * 1000003 + number)
                mutant.base, mutant.seed = base[which], seed * 1000003 + number
                batch.append(mutant)
                kinds[mutant.lossless] += 1
            crash, run = run_batch(batch, scratch)
            if crash:
                failures.append("batch at %d: %s" % (first, crash))
                continue
            got = records(run)
            for mutant in batch:
                lines = compare(mutant, mutant.base, got.get(mutant.number, {}))
                if lines:
                    failures.append("%s (seed %d): %s" % (mutant, mutant.seed, "; ".join(lines[:4])))
        report.verdict("%d mutants, %d the same, %d saying only less" %
                       (count, kinds[True], kinds[False]), failures[:400])


if __name__ == "__main__":
    main()
