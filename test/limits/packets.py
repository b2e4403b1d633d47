# SPDX-License-Identifier: BSD-2-Clause
"""The limits of capture, decode and flow."""
import os
import struct

from traffic import (BEGIN, C, MAIL, S, SECOND, connection, copies, harness, lacks, merged, packets, pcap_bytes, pcap_head,
                     run, run_files, run_piped, session, sessions, wire, wrong)


def open_captures(scratch, limit):
    """All of them cover the same time, and there are descriptors for no more than the limit and some."""
    import resource
    paths = []
    for i in range(limit + 20):
        c = connection(number=i)
        c.wait(10 * SECOND)
        c.acknowledge(C)
        paths.append(scratch.path("open-%03d.pcap" % i))
        wire.write_pcap(paths[-1], c.packets)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit + 30, before[1]))
    try:
        return wrong(run_files(*paths), limit + 20, sessions)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for path in paths:
            os.remove(path)


def captures(scratch, limit):
    """The same file again and again: what counts is how often it is named."""
    wire.write_pcap(scratch.path("good"), packets())
    wire.write_pcap(scratch.path("more"), packets(number=1))
    wire.write_pcap(scratch.path("e"), [wire.Packet(wire.START, None, b"x" * 60)])
    here = os.getcwd()
    os.chdir(scratch.top)
    try:
        done = run_files(*["e"] * (limit - 1), "good", "more")
    finally:
        os.chdir(here)
    return wrong(done, 1, sessions, 1) + lacks(done, "more: too many captures")


def filter_links(scratch, limit):
    """The last place is for all link types that have none."""
    good, paths = scratch.path("good.pcap"), []
    wire.write_pcap(good, packets())
    for i in range(limit - 1):
        paths.append(scratch.path("link-%d.pcap" % i))
        wire.write_pcap(paths[-1], [wire.Packet(wire.START, None, b"x" * 60)], link=147 + i)
    fits = harness.mxtap(*(w for path in (*paths[1:], good) for w in ("-r", path)), "greater 1")
    over = harness.mxtap(*(w for path in (*paths, good) for w in ("-r", path)), "greater 1")
    return wrong(fits, 1, sessions) + wrong(over, 0, sessions) + lacks(over, "no packet of it is read")


def capture_depth(scratch, limit):
    found = []
    for depth in (limit, limit + 1):
        top = scratch.path("deep-%d" % depth)
        folder = os.path.join(top, *["d"] * depth)
        os.makedirs(folder)
        wire.write_pcap(os.path.join(folder, "deep.pcap"), packets())
        done = harness.mxtap("-r", top)
        found += wrong(done, 1, sessions) if depth == limit else lacks(done, "passed over: more than %d folders" % limit)
    return found


def large_packet(scratch, limit):
    """The packet after it is there only if it was one."""
    found = []
    for size in (limit, limit + 1):
        big = wire.Packet(wire.START, None, packets()[3].data[:54] + b"x" * (size - 54))
        done = run(scratch, [big] + packets())
        found += wrong(done, 1, sessions) if size == limit else wrong(done, 0, sessions, 1) + lacks(done, "made.pcap: ")
    return found


def pcapng(scratch, blocks):
    path = scratch.path("made.pcapng")
    with open(path, "wb") as file:
        for kind, body in blocks:
            size = struct.pack("<I", 12 + len(body))
            file.write(struct.pack("<I", kind) + size + body + size)
    done = run_files(path)
    os.remove(path)
    return done


SECTION = (0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
INTERFACE = (1, struct.pack("<HHI", 1, 0, 0))


def block_of(packet, interface=0):
    data = packet.data + b"\0" * (-len(packet.data) % 4)
    return (6, struct.pack("<IIIII", interface, packet.time >> 32, packet.time & 0xffffffff, len(packet.data), len(packet.data)) + data)


def pcapng_block(scratch, limit):
    mail = [block_of(p) for p in packets()]
    fits = pcapng(scratch, [SECTION, INTERFACE, (0x0bad, b"x" * (limit - 12)), *mail])
    over = pcapng(scratch, [SECTION, INTERFACE, (0x0bad, b"x" * (limit - 8)), *mail])
    return wrong(fits, 1, sessions) + wrong(over, 0, sessions, 1) + lacks(over, "made.pcapng: ")


def pcapng_interfaces(scratch, limit):
    """Packets of interfaces beyond it are of none that is known."""
    found = []
    for count in (limit, limit + 1):
        done = pcapng(scratch, [SECTION] + [INTERFACE] * count + [block_of(p, count - 1) for p in packets()])
        found += wrong(done, 1, sessions) if count == limit else wrong(done, 0, sessions, 1) + lacks(done, "made.pcapng: ")
    return found


def counts(scratch, what, **expected):
    return wrong(run(scratch, what), {"counters": expected})


def frame(ip, kind=b"\x08\x00"):
    return wire.Packet(wire.START, None, b"\2\0\0\0\0\1\2\0\0\0\0\2" + kind + ip)


def tunnel_depth(scratch, limit):
    """IP in IP around a mail packet."""
    def nested(depth):
        ip = packets()[3].data[14:]
        for _ in range(depth - 1):
            head = bytearray(wire.ip4_header(b"\x0a\0\0\1", b"\x0a\0\0\2", len(ip)))
            head[9] = 4
            ip = bytes(head) + ip
        return [frame(ip)]
    return (counts(scratch, nested(limit), tunnels_too_deep=0, segments=1) +
            counts(scratch, nested(limit + 1), tunnels_too_deep=1, segments=0))


def extension_headers(scratch, limit):
    def headers(count):
        tcp = packets()[3].data[34:]
        ip = b"".join(bytes((60 if i < count - 1 else 6, 0)) + b"\1\4\0\0\0\0" for i in range(count)) + tcp
        head = bytearray(wire.ip6_header(b"\x20\1" + b"\0" * 13 + b"\1", b"\x20\1" + b"\0" * 13 + b"\2", len(ip)))
        head[6] = 60
        return [frame(bytes(head) + ip, b"\x86\xdd")]
    return (counts(scratch, headers(limit), tunnels_too_deep=0, segments=1) +
            counts(scratch, headers(limit + 1), tunnels_too_deep=1, segments=0))


def vlan_tags(scratch, limit):
    def tagged(count):
        return [frame(packets()[3].data[14:], b"\x81\0\0\5" * count + b"\x08\0")]
    return (counts(scratch, tagged(limit), tunnels_too_deep=0, segments=1) +
            counts(scratch, tagged(limit + 1), tunnels_too_deep=1, segments=0))


def wire_length(scratch, limit):
    """A length on the wire that no packet has is not believed: the hole is no larger than the limit."""
    def claimed(length):
        c = connection(BEGIN[:2], open_end=True)
        c.packet(C, wire.ACK, b"NOOP\r\n")
        path = scratch.path("made.pcap")
        wire.write_pcap(path, c.packets)
        with open(path, "rb") as file:
            data = bytearray(file.read())
        at = len(data) - len(c.packets[-1].data)
        data[at - 4:at] = struct.pack("<I", length)
        data[at + 16:at + 18] = b"\0\0"  # the length of IP: 0 where segmentation offload made more than it can say
        with open(path, "wb") as file:
            file.write(data)
        return run_files(path)
    small, large, huge = (claimed(limit // 2), claimed(limit), claimed(16 * limit))
    most = session()(large)["client"]["bytes"]
    found = wrong(large, {"incomplete": ["truncated"], "client": {"bytes": most}}, session())
    found += wrong(huge, {"client": {"bytes": most}}, session())
    return found + ([] if session()(small)["client"]["bytes"] < most else ["half of the limit was not believed"])


def fragment(number, offset, more, payload, identity=0):
    """A piece of a datagram of TCP."""
    head = bytearray(wire.ip4_header(struct.pack("!I", 0x0a000000 | number), b"\xc6\x33\x64\x19", len(payload)))
    head[4:6] = struct.pack("!H", identity)
    head[6:8] = struct.pack("!H", (0x2000 if more else 0) | offset // 8)
    return frame(bytes(head) + payload)


TCP = packets()[3].data[34:]


def fragmented_packets(scratch, limit):
    """The first datagram is the one that is missing its second half when that comes at last."""
    half = TCP[:len(TCP) // 16 * 8]

    def flood(count):
        return ([fragment(i, 0, True, half) for i in range(count)] + [fragment(0, len(half), False, TCP[len(half):])])
    return (counts(scratch, flood(limit), fragments_dropped=0, segments=1) +
            counts(scratch, flood(limit + 1), fragments_dropped=2, segments=0))


def fragments(scratch, limit):
    def pieces(count):
        tcp = TCP[:20] + b"x" * (8 * count - 20)
        return [fragment(0, 8 * i, i < count - 1, tcp[8 * i:8 * i + 8]) for i in range(count)]
    return (counts(scratch, pieces(limit), fragments_dropped=0, segments=1) +
            counts(scratch, pieces(limit + 1), fragments_dropped=limit + 1, segments=0))


def fragment_bytes(scratch, limit):
    size, half = 65000, b"x" * 65000

    def flood(count):
        first = TCP + b"x" * (48 - len(TCP))
        return ([fragment(0, 0, True, first)] + [fragment(1 + i, 0, True, half) for i in range(count)] +
                [fragment(0, len(first), False, b"\r\n")])
    fit = (limit - 48 - 2) // size
    return (counts(scratch, flood(fit), fragments_dropped=0, segments=1) +
            counts(scratch, flood(fit + 1), fragments_dropped={"one of": [1, 2]}, segments=0))


def flows(scratch, limit):
    """The default is what the help says; 20 flows tell what happens at it."""
    said = harness.mxtap("--help").out.decode()
    open_ones = [p for i in range(21) for p in packets(number=i, start=wire.START + i * SECOND, open_end=True)]
    fits = run(scratch, open_ones, "--max-flows", "21")
    over = run(scratch, open_ones, "--max-flows", "20")
    found = [] if "(%d)" % limit in said else ["--help does not name %d" % limit]
    found += wrong(fits, {"flows": {"evicted": 0}})
    found += wrong(over, {"flows": {"evicted": 1}})
    return found + wrong(over, {"end": {"how": "evicted"}, "outcome": "unknown"}, session())


def behind_a_hole(pieces, size, late=False, sides=(C, S)):
    """A segment of the client is missing; then `pieces` segments of `size` bytes come, perhaps the missing one at last."""
    c = connection(open_end=True)
    c.packet(C, wire.ACK, b"RSET\r\n", dropped=True)
    hole = c.packets[-1]
    line = b"NOOP " + b"x" * (size - 7) + b"\r\n"
    for _ in range(pieces):
        c.packet(C, wire.ACK, line)
    if late:
        c.packets.append(wire.Packet(c.time, C, hole.data))
    return [p for p in c.packets if p.side in sides]


def held_segments(scratch, limit):
    fits = run(scratch, behind_a_hole(limit, 10, late=True))
    over = run(scratch, behind_a_hole(limit + 1, 10, late=True))
    return (wrong(fits, {"counters": {"held_limit": 0, "gaps": 0}}) + wrong(fits, {"incomplete": None}, session()) +
            wrong(over, {"counters": {"held_limit": 1, "gaps": 1}}) + wrong(over, {"incomplete": ["gaps"]}, session()))


def held_bytes(scratch, limit):
    size = 8192
    fits = run(scratch, behind_a_hole(limit // size, size, late=True))
    over = run(scratch, behind_a_hole(limit // size + 1, size, late=True))
    return (wrong(fits, {"counters": {"held_limit": 0, "gaps": 0}}) + wrong(fits, {"incomplete": None}, session()) +
            wrong(over, {"counters": {"held_limit": 1, "gaps": 1}}) + wrong(over, {"incomplete": ["gaps"]}, session()))


def held_one_sided(scratch, limit):
    """Nobody acknowledges: what is behind the hole goes on when there is so much of it."""
    size = 8192
    fits = run(scratch, behind_a_hole(limit // size - 1, size, late=True, sides=(C,)))
    over = run(scratch, behind_a_hole(limit // size + 1, size, late=True, sides=(C,)))
    return (wrong(fits, {"counters": {"gaps": 0}}) + wrong(fits, {"incomplete": ["one_sided"]}, session()) +
            wrong(over, {"counters": {"gaps": 1}}) + wrong(over, {"incomplete": ["gaps", "one_sided"]}, session()))


def held_all(_, limit):
    """As many flows with holes as together hold more than that."""
    size, each = 63000, 4
    template = behind_a_hole(each, size)
    template = [p for p in template if not p.dropped]

    def chunks(count):
        yield pcap_head()
        for p in copies(template, count, step=10):
            yield pcap_bytes(p)
    over = run_piped(chunks(limit // (size * each) + 2))
    found = wrong(over, {"counters": {"memory_failures": 0}})
    held = over.events[-1]["counters"]["held_limit"] if not found else 1
    return found + ([] if held else ["held_limit is 0"])


def window(scratch, limit):
    def ahead(distance):
        c = connection(open_end=True)
        c.packet(C, wire.ACK, b"NOOP\r\n", seq=c.seq[C] + distance)
        return run(scratch, c.packets)
    return (wrong(ahead(limit), {"counters": {"segments_stray": 0}}) + wrong(ahead(limit + 1), {"counters": {"segments_stray": 1}}))


def hole_ns(scratch, limit):
    """The hole is acknowledged past; what fills it comes before and after that time."""
    found = []
    for after, gaps in ((limit // 1000 - 100000, 0), (limit // 1000 + 100000, 1)):
        c = connection(open_end=True)
        c.packet(C, wire.ACK, b"RSET\r\n", dropped=True)
        hole = c.packets[-1]
        c.packet(C, wire.ACK, b"NOOP\r\n")
        c.packet(S, wire.ACK)
        c.wait(after)
        c.packets.append(wire.Packet(c.time, C, hole.data))
        c.wait(1)
        c.packet(C, wire.ACK, b"QUIT\r\n")
        c.packet(S, wire.ACK)
        done = run(scratch, c.packets)
        found += wrong(done, {"counters": {"gaps": gaps}}) + wrong(done, {"incomplete": ["gaps"] if gaps else None}, session())
    return found


def bare_s(scratch, limit):
    """Of two connections without payload the first is forgotten, or not, when the third begins."""
    found = []
    for after, peak in ((limit - 2, 2), (limit + 2, 1)):
        bare = [connection((), i, wire.START + i * after * SECOND, open_end=True).packets for i in range(2)]
        found += wrong(run(scratch, merged(*bare)), {"flows": {"open_peak": peak, "without_payload": 2}})
    return found


def ended_s(scratch, limit):
    """A late retransmission opens a flow only after that time."""
    found = []
    for after, opened in ((limit - 2, 1), (limit + 2, 2)):
        c = connection()
        late = [p.again(c.time + after * SECOND) for p in c.packets if p.payload]
        found += wrong(run(scratch, c.packets + late), {"flows": {"opened": opened}})
    return found


def ended_flows(scratch, limit):
    """The first is forgotten when there is one more; a retransmission tells."""
    template = packets(())
    template = [p for p in template if p.time < template[3].time + 3]
    many = list(copies(template, limit + 1, step=10))
    last = many[-1].time
    data = packets(MAIL)[3]
    late = [next(copies([data.again(last + 10)], 1, first=i)) for i in (0, 1)]
    late = [wire.Packet(last + 10 + i, C, p.data) for i, p in enumerate(late)]
    return wrong(run(scratch, many + late), {"flows": {"opened": limit + 2}})


def idle_s(scratch, limit):
    found = []
    for after, how in ((limit - 2, "fin"), (limit + 2, "timeout")):
        c = connection(open_end=True)
        other = packets(number=1, start=c.time + after * SECOND)
        c.wait((after + 1) * SECOND)
        c.close(C)
        done = run(scratch, merged(c.packets, other))
        found += wrong(done, how, lambda run: [s["end"]["how"] for s in run.sessions if s["client"]["ip"] == "10.0.0.0"][0])
    return found


TESTS = {
    "LIMIT_OPEN_CAPTURES": open_captures,
    "LIMIT_CAPTURES": captures,
    "LIMIT_FILTER_LINKS": filter_links,
    "LIMIT_CAPTURE_DEPTH": capture_depth,
    "LIMIT_PACKET": large_packet,
    "LIMIT_PCAPNG_BLOCK": pcapng_block,
    "LIMIT_PCAPNG_INTERFACES": pcapng_interfaces,
    "LIMIT_WIRE_LENGTH": wire_length,
    "LIMIT_TUNNEL_DEPTH": tunnel_depth,
    "LIMIT_EXTENSION_HEADERS": extension_headers,
    "LIMIT_VLAN_TAGS": vlan_tags,
    "LIMIT_FRAGMENTED_PACKETS": fragmented_packets,
    "LIMIT_FRAGMENTS": fragments,
    "LIMIT_FRAGMENT_BYTES": fragment_bytes,
    "LIMIT_FLOWS": flows,
    "LIMIT_HELD_SEGMENTS": held_segments,
    "LIMIT_HELD_BYTES": held_bytes,
    "LIMIT_HELD_ONE_SIDED": held_one_sided,
    "LIMIT_HELD_ALL": held_all,
    "LIMIT_WINDOW": window,
    "LIMIT_HOLE_NS": hole_ns,
    "LIMIT_BARE_S": bare_s,
    "LIMIT_ENDED_S": ended_s,
    "LIMIT_ENDED_FLOWS": ended_flows,
    "LIMIT_IDLE_S": idle_s,
}
