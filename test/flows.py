#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connections beside and after each other, and TCP that is not as it should be."""
import dialog
import harness
import wire

GREETING = b"220 mx.example.net ESMTP\r\n"
EHLO = b"EHLO mail.example.org\r\n"
REPLY = b"250-mx.example.net\r\n250 STARTTLS\r\n"
QUIT = b"QUIT\r\n"
BYE = b"221 2.0.0 Bye\r\n"
SECOND = 1000000
NO_MAIL = {"outcome": "no_mail", "smtp": {"starttls": "offered", "hello": "EHLO"}}


def greeted(**options):
    connection = wire.Connection(**options)
    connection.handshake()
    connection.send(wire.SERVER, GREETING)
    connection.send(wire.CLIENT, EHLO)
    connection.send(wire.SERVER, REPLY)
    return connection


def whole(**options):
    connection = greeted(**options)
    connection.send(wire.CLIENT, QUIT)
    connection.send(wire.SERVER, BYE)
    connection.close(wire.CLIENT)
    return connection


def merged(*connections):
    return sorted((packet for connection in connections for packet in connection.packets),
                  key=lambda packet: packet.time)


def client(number):
    return {"client": ("192.0.2.%d" % number, 40000)}


def idle_timeout():
    """Silence ends a session as much as a FIN; another one tells that time went by."""
    later = whole(start=wire.START + 90000 * SECOND, **client(2))
    return merged(greeted(**client(1)), later), [], [
        dict(NO_MAIL, client={"ip": "192.0.2.1"}, end={"how": "timeout", "from": None}),
        dict(NO_MAIL, client={"ip": "192.0.2.2"}, end={"how": "fin", "from": "client"})]


def own_port():
    """A client whose own port happens to be a mail port speaks no mail with a web server."""
    connection = wire.Connection(client=("192.0.2.1", 2525), server=("198.51.100.80", 443))
    connection.handshake()
    connection.send(wire.CLIENT, bytes.fromhex("1603010005") + b"\x01\0\0\x01\0")
    connection.send(wire.SERVER, bytes.fromhex("15030300020228"))
    connection.close(wire.SERVER)
    return connection.packets, [], []


def evicted():
    """At --max-flows the oldest has to go, and still gets its record."""
    return merged(*[greeted(start=wire.START + n * SECOND, **client(n)) for n in (1, 2, 3)]), \
        ["--max-flows", "2"], [
            {"client": {"ip": "192.0.2.1"}, "outcome": "unknown", "end": {"how": "evicted"}},
            {"client": {"ip": "192.0.2.2"}, "outcome": "unknown", "end": {"how": "eof"}},
            {"client": {"ip": "192.0.2.3"}, "outcome": "unknown", "end": {"how": "eof"}}]


def empty_evicted_first():
    """Flows that never carried data go first."""
    scans = []
    for number in (2, 3, 4, 5):
        scan = wire.Connection(start=wire.START + number * SECOND, **client(number))
        scan.handshake()
        scans.append(scan)
    first = greeted(start=wire.START, **client(1))
    first.time = wire.START + 10 * SECOND
    first.send(wire.CLIENT, QUIT)
    first.close(wire.CLIENT)
    return merged(first, *scans), ["--max-flows", "3"], [
        dict(NO_MAIL, client={"ip": "192.0.2.1"}, end={"how": "fin", "from": "client"})]


def port_reused():
    """The same ports again with other sequence numbers: two sessions."""
    again = wire.Connection(start=wire.START + 5 * SECOND)
    again.seq[wire.CLIENT] = 0x77777777
    again.handshake()
    again.send(wire.SERVER, GREETING)
    again.close(wire.CLIENT)
    return merged(whole(), again), [], [NO_MAIL, {"outcome": "no_mail", "smtp": {"hello": None}}]


def port_reused_without_end():
    """A new SYN on a connection whose end was not captured."""
    again = wire.Connection(start=wire.START + 5 * SECOND)
    again.seq[wire.CLIENT] = 0x77777777
    again.seq[wire.SERVER] = 0x22222222
    again.handshake()
    again.send(wire.SERVER, GREETING)
    again.close(wire.CLIENT)
    return merged(greeted(), again), [], [{"smtp": {"hello": "EHLO"}},
                                          {"outcome": "no_mail", "smtp": {"hello": None}}]


def blind(flags):
    """A segment with this flag and a sequence number that is nowhere near."""
    def make():
        connection = greeted()
        connection.packet(wire.CLIENT, flags | wire.ACK, seq=0x50000000)
        connection.packet(wire.SERVER, flags | wire.ACK, seq=0x50000000)
        connection.send(wire.CLIENT, b"STARTTLS\r\n")
        connection.send(wire.SERVER, b"220 go\r\n")
        for turn in dialog.recording("tls13"):
            dialog.play(connection, turn, wire.MSS)
        return connection.packets, [], [{"outcome": "tls", "smtp": {"starttls": "accepted"},
                                         "tls": {"version": "TLSv1.3"}}]
    return make


def other_copy():
    """A retransmission with other bytes: the first copy wins."""
    connection = greeted()
    at = connection.seq[wire.CLIENT]
    connection.packet(wire.CLIENT, wire.ACK, b"NOOP 3456\r\n")
    connection.packet(wire.CLIENT, wire.ACK, b"STARTTLS\r\n", seq=at)
    connection.acknowledge(wire.SERVER)
    connection.send(wire.SERVER, b"250 ok\r\n")
    connection.close(wire.CLIENT)
    return connection.packets, [], [dict(NO_MAIL, incomplete=None)]


def overlapping():
    """Segments that overlap by some bytes."""
    connection = greeted()
    at = connection.seq[wire.CLIENT]
    connection.packet(wire.CLIENT, wire.ACK, b"START")
    connection.packet(wire.CLIENT, wire.ACK, b"ARTTLS", seq=at + 2)
    connection.packet(wire.CLIENT, wire.ACK, b"STARTTLS\r\n", seq=at)
    connection.seq[wire.CLIENT] = at + 10
    connection.acknowledge(wire.SERVER)
    connection.send(wire.SERVER, b"454 later\r\n")
    connection.close(wire.CLIENT)
    return connection.packets, [], [{"outcome": "no_mail", "incomplete": None,
                                     "smtp": {"starttls": "refused", "starttls_attempts": None}}]


def lost_reply():
    """A hole in the EHLO reply: the line after it is read again."""
    connection = wire.Connection()
    connection.handshake()
    connection.send(wire.SERVER, GREETING)
    connection.send(wire.CLIENT, EHLO)
    connection.packet(wire.SERVER, wire.ACK, b"250-mx.example.net\r\n")
    connection.packet(wire.SERVER, wire.ACK, b"250-SIZE\r\n", dropped=True)
    connection.packet(wire.SERVER, wire.ACK, b"250 STARTTLS\r\n")
    connection.acknowledge(wire.CLIENT)
    connection.send(wire.CLIENT, QUIT)
    connection.send(wire.SERVER, BYE)
    connection.close(wire.CLIENT)
    return connection.packets, [], [dict(NO_MAIL, incomplete=["gaps"],
                                         outcome={"one of": ["no_mail", "unknown"]})]


def reset_behind_hole():
    """What follows a hole that nobody acknowledged before the reset was sent all the same."""
    connection = greeted()
    connection.send(wire.CLIENT, b"STARTTLS\r\n" + dialog.recording("tls13")[0].data)
    connection.packet(wire.SERVER, wire.ACK, b"220 2.0.0 Ready to start TLS\r\n", dropped=True)
    connection.packet(wire.SERVER, wire.ACK, bytes.fromhex("1503030002020a"))
    connection.packet(wire.CLIENT, wire.RST)
    return connection.packets, [], [{
        "outcome": "tls_failed", "end": {"how": "rst"}, "incomplete": ["gaps"], "smtp": {"starttls": "requested"},
        "tls": {"established": False, "alert": {"from": "server", "code": 10, "name": "unexpected_message"}}}]


def capture_ends_behind_hole():
    """All there is of the server lies behind a hole: that is no server that says nothing."""
    connection = wire.Connection()
    connection.handshake()
    connection.packet(wire.SERVER, wire.ACK, b"220-mx.exam", dropped=True)
    connection.packet(wire.SERVER, wire.ACK, b"ple.net ESMTP\r\n220 no UCE\r\n")
    return connection.packets, [], [{"outcome": "unknown", "end": {"how": "eof"}, "incomplete": ["gaps"], "smtp": {"starttls": "unseen"}}]


def lossy_request():
    """The SYN-ACK is missing, and what came last may be too: whether TLS was begun nobody knows."""
    connection = wire.Connection()
    connection.packet(wire.CLIENT, wire.SYN)
    connection.packet(wire.SERVER, wire.SYN | wire.ACK, dropped=True)
    connection.packet(wire.CLIENT, wire.ACK)
    connection.send(wire.SERVER, GREETING)
    connection.send(wire.CLIENT, EHLO)
    connection.send(wire.SERVER, REPLY)
    connection.send(wire.CLIENT, b"STARTTLS\r\n")
    connection.packet(wire.SERVER, wire.ACK, b"220 go ahead\r\n", dropped=True)
    connection.packet(wire.CLIENT, wire.RST)
    return connection.packets, [], [{"outcome": "unknown", "incomplete": ["midstream"], "smtp": {"starttls": "requested"}}]


def answer_unseen():
    """Of the server there is just an acknowledgment, in the midst: nobody knows how it greeted."""
    connection = wire.Connection()
    connection.packet(wire.CLIENT, wire.SYN)
    connection.packet(wire.SERVER, wire.SYN | wire.ACK, dropped=True)
    connection.packet(wire.SERVER, wire.ACK, GREETING, dropped=True)
    connection.packet(wire.CLIENT, wire.ACK, b"\x80")
    connection.acknowledge(wire.SERVER)
    connection.packet(wire.CLIENT, wire.FIN | wire.ACK)
    return connection.packets, [], [{"outcome": "unknown", "incomplete": ["midstream"]}]


def clock_leap():
    """One packet from the future expires nothing."""
    connection = whole()
    stray = wire.Connection(start=wire.START + 10 ** 15, **client(9))
    stray.packet(wire.CLIENT, wire.SYN)
    packets = connection.packets
    return packets[:8] + stray.packets + packets[8:], [], [
        dict(NO_MAIL, end={"how": "fin", "from": "client"}, incomplete=None)]


def clock_back():
    """The machine's clock is set back two hours between two connections, and amid the second."""
    first = whole(**client(1))
    second = greeted(start=wire.START - 3600 * SECOND, **client(2))
    second.time -= 3600 * SECOND
    second.send(wire.CLIENT, QUIT)
    second.send(wire.SERVER, BYE)
    second.close(wire.CLIENT)
    return first.packets + second.packets, [], [
        dict(NO_MAIL, client={"ip": address}, end={"how": "fin", "from": "client"})
        for address in ("192.0.2.2", "192.0.2.1")]


def length_lies():
    """An IP length beyond the end of the frame, of which nothing was cut: no bytes are missing."""
    connection = whole()
    packet = connection.packets[1]  # SYN-ACK
    packet.data = packet.data[:16] + b"\x10\x00" + packet.data[18:]
    return connection.packets, [], [dict(NO_MAIL, end={"how": "fin", "from": "client"},
                                         smtp={"banner": "mx.example.net ESMTP", "hello": "EHLO"})]


def late_retransmission():
    """What is sent again after both have closed belongs to the connection that was."""
    connection = greeted()
    at = connection.seq[wire.CLIENT]
    connection.packet(wire.CLIENT, wire.FIN | wire.PSH | wire.ACK, QUIT)
    connection.packet(wire.SERVER, wire.FIN | wire.ACK, BYE)
    connection.packet(wire.CLIENT, wire.ACK)
    for pause in (1, 2, 4, 8):
        connection.wait(pause * SECOND)
        connection.packet(wire.CLIENT, wire.FIN | wire.PSH | wire.ACK, QUIT, seq=at)
    return connection.packets, [], [NO_MAIL]


def server_side_only():
    packets = [packet for packet in whole().packets if packet.side == wire.SERVER]
    return packets, [], [{"outcome": "unknown", "incomplete": ["one_sided"],
                          "client": {"ip": "192.0.2.10"},
                          "smtp": {"banner": "mx.example.net ESMTP", "hello": None}}]


def two_vlans():
    """The same ports in two VLANs at a time are two connections."""
    return merged(whole(vlans=(10,)), whole(vlans=(20,), start=wire.START + 1)), [], \
        [NO_MAIL, NO_MAIL]


def tagged_by_direction(packets):
    return [packet if packet.side == wire.CLIENT else
            wire.Packet(packet.time, packet.side, packet.data[:12] + b"\x81\0\0\x14" +
                        packet.data[12:], packet.payload) for packet in packets]


def ignore_vlan():
    """A mirror port that tags one direction only."""
    return tagged_by_direction(whole().packets), ["--ignore-vlan"], [dict(NO_MAIL, incomplete=None)]


def without_ignore_vlan():
    """The same without the option: two halves."""
    return tagged_by_direction(whole().packets), [], [{"incomplete": ["one_sided"]}] * 2


def fast_open():
    """Data in the SYN (RFC 7413): a client that speaks TLS at once, on 465."""
    connection = wire.Connection(server=("198.51.100.25", 465))
    turns = dialog.recording("tls13")
    connection.packet(wire.CLIENT, wire.SYN, turns[0].data)
    connection.packet(wire.SERVER, wire.SYN | wire.ACK)
    connection.packet(wire.CLIENT, wire.ACK)
    for turn in turns[1:]:
        dialog.play(connection, turn, wire.MSS)
    return connection.packets, [], [{"outcome": "tls", "incomplete": None,
                                     "tls": {"version": "TLSv1.3"}}]


def roles_by_port():
    """No SYN was captured: the mail port tells who is the server."""
    packets = whole().packets[3:]
    return packets, [], [dict(NO_MAIL, client={"ip": "192.0.2.10"}, incomplete=["midstream"],
                              server={"ip": "198.51.100.25", "port": 25})]


def keep_alive():
    """Probes of one byte before the next sequence number change nothing."""
    connection = greeted()
    for _ in range(3):
        connection.packet(wire.CLIENT, wire.ACK, b"\0", seq=connection.seq[wire.CLIENT] - 1)
        connection.packet(wire.SERVER, wire.ACK)
    connection.send(wire.CLIENT, QUIT)
    connection.send(wire.SERVER, BYE)
    connection.close(wire.CLIENT)
    return connection.packets, [], [dict(NO_MAIL, incomplete=None)]


def bytes_counted():
    """Bytes are those of the sequence numbers, whatever was sent twice."""
    connection = greeted()
    connection.packet(wire.CLIENT, wire.ACK, EHLO, seq=connection.seq[wire.CLIENT] - len(EHLO))
    connection.close(wire.SERVER)
    return connection.packets, [], [dict(
        NO_MAIL, client={"bytes": len(EHLO)}, server={"bytes": len(GREETING + REPLY)},
        end={"how": "fin", "from": "server"})]


CASES = {
    "idle-timeout": idle_timeout, "evicted": evicted, "empty-evicted-first": empty_evicted_first,
    "port-reused": port_reused, "port-reused-without-end": port_reused_without_end,
    "blind-reset": blind(wire.RST), "blind-fin": blind(wire.FIN), "blind-syn": blind(wire.SYN),
    "other-copy": other_copy, "overlapping": overlapping, "lost-reply": lost_reply,
    "reset-behind-hole": reset_behind_hole, "answer-unseen": answer_unseen,
    "capture-ends-behind-hole": capture_ends_behind_hole, "lossy-request": lossy_request,
    "clock-leap": clock_leap, "clock-back": clock_back, "length-lies": length_lies,
    "late-retransmission": late_retransmission, "server-side-only": server_side_only,
    "two-vlans": two_vlans,
    "ignore-vlan": ignore_vlan, "without-ignore-vlan": without_ignore_vlan,
    "fast-open": fast_open, "roles-by-port": roles_by_port, "keep-alive": keep_alive,
    "bytes-counted": bytes_counted, "own-port": own_port,
}


def main():
    report = harness.Report("flows")
    with harness.Scratch() as scratch:
        commands, expectations = [], []
        for name, make in CASES.items():
            packets, options, expected = make()
            path = scratch.path(name + ".pcap")
            wire.write_pcap(path, packets)
            commands.append(["-q", *options, "-r", path])
            expectations.append(expected)
        for name, expected, run in zip(CASES, expectations, harness.mxtap_all(commands)):
            sessions = [] if run.crash() else sorted(run.sessions, key=lambda e: e["time"])
            report.verdict(name, harness.checked(run) or
                           harness.compare_sessions(expected, sessions))


if __name__ == "__main__":
    main()
