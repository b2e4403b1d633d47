# SPDX-License-Identifier: BSD-2-Clause
"""The limits of proto, session and of the command line."""
import json
import os
import subprocess

from traffic import (BEGIN, C, ESTABLISHED, MAIL, S, SECOND, STARTTLS, certificate, client_hello, connection, copies, harness, lacks,
                     merged, message, packets, pcap_bytes, pcap_head, record, run, run_piped, say, server_hello, session, spoken, vector, wire,
                     wrong)


def told(scratch, turns, count, *options, **expected):
    """A session, the number of things cut in it, and what else its record says."""
    done = run(scratch, packets(turns), *options)
    return (wrong(done, {"counters": {"buffer_limit": count}}) +
            wrong(done, {"cut": True if count else None, **expected}, session()))


def line(scratch, limit):
    def noop(length):
        return BEGIN + ((C, b"NOOP " + b"x" * (length - 7) + b"\r\n"), (S, b"250 ok\r\n"))
    return (told(scratch, noop(limit), 0, outcome="no_mail") + told(scratch, noop(limit + 1), 1, outcome="no_mail") +
            told(scratch, noop(3 * limit), 1, outcome="no_mail"))


def text(scratch, limit):
    def banner(length):
        return ((S, b"220 " + b"b" * length + b"\r\n"),) + BEGIN[1:]
    def mail(count):  # all domains of an envelope are one string
        return BEGIN + tuple((C, b"RCPT TO:<a@%s>\r\n" % (b"%03d." % i + b"d" * 27)) for i in range(count))
    fit = (limit + 1) // 32
    return (told(scratch, banner(limit), 0, smtp={"banner": "b" * limit}) +
            told(scratch, banner(limit + 1), 1, smtp={"banner": "b" * limit}) +
            told(scratch, mail(fit), 0, "--envelope-domains") + told(scratch, mail(fit + 1), 1, "--envelope-domains"))


def tls_message(scratch, limit):
    """Too long a Certificate is passed over; what follows it is read."""
    def hello_done(length):
        body = vector(3, vector(3, b"\x30" * (length - 6)))
        flight = server_hello() + message(11, body) + message(14, b"")
        return STARTTLS + ((C, client_hello()), (S, record(22, flight)))
    return (told(scratch, hello_done(limit), 0, tls={"version": "TLSv1.2"}) +
            told(scratch, hello_done(limit + 1), 1, tls={"version": "TLSv1.2"}))


def offer(scratch, limit):
    def hello(count):
        return STARTTLS + ((C, client_hello(b"\x13\1" * count)), (S, record(22, server_hello())))
    found = []
    for count, cut in ((limit // 2, 0), (limit // 2 + 1, 1)):
        found += told(scratch, hello(count), cut, "--offers")
        done = run(scratch, packets(hello(count)), "--offers")
        found += wrong(done, limit // 2, lambda done: len(session()(done)["tls"]["client"]["ciphers"]))
    return found


def wait(scratch, limit):
    """More than waits for the reply to DATA: the likelier is assumed, that it is content."""
    def pipelined(length):
        return BEGIN + ((C, b"DATA\r\n" + b"x" * (length - 2) + b"\r\n"),)
    return told(scratch, pipelined(limit), 0) + told(scratch, pipelined(limit + 1), 1)


def foreign(scratch, limit):
    """TLS is looked for in what is no SMTP, so far."""
    found = []
    for length, tls in ((limit - 600, {"version": "TLSv1.2"}), (limit + 10, None)):
        turns = ((S, b"* OK IMAP4rev1 ready\r\n"), (C, b"a " + b"x" * length + b"\r\n"), (S, b"a OK\r\n"), *ESTABLISHED)
        found += wrong(run(scratch, packets(turns)), {"outcome": "not_smtp", "tls": tls}, session())
    return found


def pool(_, limit):
    """As many handshake messages half read as the pool has room for, and some more."""
    half = record(22, message(1, b"x" * 100000))[:70000]
    begun = connection(((C, half),), port=465, size=60000, open_end=True).packets
    fit, size = limit // 262144, 262144

    def chunks(count):
        yield pcap_head()
        for p in copies(begun, count, step=10):
            yield pcap_bytes(p)
    found = []
    for count, full in ((fit - 8, False), (fit + 40, True)):
        done = run_piped(chunks(count))
        found += wrong(done, {"counters": {"memory_failures": 0}})
        cut = done.events[-1]["counters"]["buffer_limit"] if not found else full
        marked = sum(1 for s in done.sessions if s.get("cut")) if not found else cut
        found += [] if bool(cut) == bool(marked) == full and marked <= cut else ["%d of %d: cut %d, marked %d" % (count, size, cut, marked)]
    return found


def waiting(scratch, limit):
    """All are decided within the time that they wait: one of them is one too many."""
    template = spoken(connection(ESTABLISHED, port=465, open_end=True).packets)
    done = run(scratch, copies(template, limit + 1, step=50), "--linger", "30")
    found = wrong(done, {"counters": {"records_early": 1}, "sessions": {"total": limit + 1, "outcomes": {"tls": limit + 1}}})
    return found or wrong(done, {"end": {"how": "open"}, "client": {"ip": "10.0.0.0"}}, session())


def linger(scratch, limit):
    found = []
    for after, how in ((limit - 1, "fin"), (limit + 1, "open")):
        c = connection(ESTABLISHED, port=465, open_end=True)
        c.wait(after * SECOND)
        c.close(C)
        found += wrong(run(scratch, c.packets), {"outcome": "tls", "end": {"how": how}}, session())
    return found


def offers(words):
    return BEGIN[:2] + ((S, b"250-mx.example.net\r\n" + b"".join(b"250-%s\r\n" % w for w in words) + b"250 8BITMIME\r\n"),)


def named(banner, words):
    return ((S, b"220 %s ESMTP\r\n" % banner),) + offers(words)[1:]


def one_after_the_other(*sessions):
    """Of client 192.0.2.10, by ports of its own; each a list of turns, when it begins in seconds, and the server."""
    streams = []
    for i, (turns, at, server) in enumerate(sessions):
        c = wire.Connection(client=("192.0.2.10", 30000 + i), server=(server, 25), start=wire.START + int(at * SECOND))
        c.handshake()
        say(c, turns)
        c.close(C)
        streams.append(c.packets)
    return merged(*streams)


def has(finding, number=1):
    """Whether that session has it."""
    return lambda done: [finding in s["findings"] for s in done.sessions if s["client"]["port"] == 30000 + number][0]


SERVER = "198.51.100.25"


def vanish_window_s(scratch, limit):
    found = []
    for after, expected in ((limit - 2, True), (limit + 2, False)):
        done = run(scratch, one_after_the_other((offers([b"STARTTLS"]), 0, SERVER), (offers([]), after, SERVER)))
        found += wrong(done, expected, has("starttls_vanished"))
    return found


def history_names(scratch, limit):
    """What one banner name more had offered is not known."""
    seen = [(named(b"mx%d.example.net" % i, [b"STARTTLS"]), i, SERVER) for i in range(limit + 1)]
    known = (named(b"mx%d.example.net" % (limit - 1), []), 100, SERVER)
    unknown = (named(b"mx%d.example.net" % limit, []), 101, SERVER)
    done = run(scratch, one_after_the_other(*seen, known, unknown))
    return (wrong(done, True, has("starttls_vanished", limit + 1)) + wrong(done, False, has("starttls_vanished", limit + 2)) +
            wrong(done, {"counters": {"history_forgotten": 2}}))


def forgotten(scratch, count, begin, end, finding, entries):
    """Of the clients 0, 1, 2 ... the first is forgotten when there is one too many, and the second is not; so many entries in all."""
    template = spoken(packets(begin, open_end=True))
    flood = copies(template, count, step=1000, servers=True)
    again = spoken(connection(end, start=wire.START + 5 * SECOND + count * 1000).packets)
    last = copies(again, 2, step=SECOND, servers=True)
    done = run(scratch, [*flood, *last], "--idle-timeout", "1")
    ends = {s["client"]["ip"]: finding in s["findings"] for s in done.sessions}
    return (wrong(done, {"10.0.0.0": False, "10.0.0.1": True}, lambda _: ends) +
            wrong(done, {"counters": {"history_forgotten": entries}}))


def history_offers(scratch, limit):
    """Each session leaves two entries: the server, and the server as its client saw it; the last two one each."""
    return forgotten(scratch, limit // 2 + 1, offers([b"STARTTLS"]), offers([]), "starttls_vanished", 4)


FAILED = STARTTLS + ((C, b"\x15\3\1\0\2\2\x28"),)


def history_failures(scratch, limit):
    return forgotten(scratch, limit + 1, FAILED, BEGIN + MAIL, "plaintext_fallback", 1)


def fallback_window_s(scratch, limit):
    found = []
    for after, expected in ((limit - 2, True), (limit + 2, False)):
        done = run(scratch, one_after_the_other((FAILED, 0, SERVER), (BEGIN + MAIL, after, SERVER)))
        found += wrong(done, expected, has("plaintext_fallback"))
    return found


def der(number=0):
    with open(os.path.join(harness.TOP, "test/unit/certificates/p256.der"), "rb") as file:
        data = bytearray(file.read())
    data[-4:] = number.to_bytes(4, "big")  # of the signature, which nobody verifies
    return bytes(data)


def with_certificate(data):
    return STARTTLS + ((C, client_hello()), (S, record(22, server_hello() + certificate(data))))


def x509(done):
    return session(-1)(done)["tls"]["server"]["x509"]


def certificate_size(scratch, limit):
    """At the limit it is tried, and is none; above it is not tried."""
    found = []
    for size, unread in ((limit, 0), (limit + 1, 1)):
        done = run(scratch, packets(with_certificate(b"\x30" * size)))
        found += wrong(done, {"counters": {"certificates_unread": unread}}) + wrong(done, {"subject": None}, x509)
    return found


def certificates_per_second(scratch, limit):
    """All of them in one second; of those over it only the digest is told."""
    found = []
    for count in (limit, limit + 1):
        many = merged(*(packets(with_certificate(der(i)), number=i, start=wire.START + i * 1000) for i in range(count)))
        for p in many:
            p.time = wire.START + (p.time - wire.START) // 10
        done = run(scratch, many)
        unread = count - limit
        found += wrong(done, {"counters": {"certificates_unread": unread}})
        lacking = lambda done: sum(1 for s in done.sessions if "subject" not in s["tls"]["server"]["x509"])
        found += wrong(done, unread, lacking)
    return found


def workers(_, limit):
    done = harness.mxtap("--workers", limit + 1, "-i", "lo")
    return wrong(done, "", lambda done: done.out.decode(), 2) + lacks(done, "up to %d" % limit)


def hello_with_lists():
    ids = b"\xfe\xf1" * 512  # without names, so that the event is not too long
    lists = b"".join(kind + vector(2, vector(2, ids)) for kind in (b"\0\x0d", b"\0\x0a"))
    return client_hello(ids, lists)


def session_text(scratch, limit):
    """Handshake after handshake that the server does not take up, each with its lists."""
    each = 3 * 1024
    again = ((C, hello_with_lists()), (S, b"454 not now\r\n"), (C, b"STARTTLS\r\n"), (S, b"220 go\r\n"))
    fit = (limit - 200) // each
    return (told(scratch, STARTTLS + again * fit, 0, "--offers") +
            told(scratch, STARTTLS + again * (fit + 1), {"one of": [1, 2, 3]}, "--offers"))


def sessions_bytes(_, limit):
    """As many handshakes with all their lists as together hold more: the oldest are evicted."""
    template = spoken(connection(((C, hello_with_lists()),), port=465, open_end=True).packets)
    command = '"$0" -q --offers --idle-timeout 3000 -r - | sed -n "1p; \\$p"'  # else it is a gigabyte
    with subprocess.Popen(["sh", "-c", command, harness.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(pcap_head())
        for p in copies(template, limit // 4400, step=20):
            process.stdin.write(pcap_bytes(p))
        process.stdin.close()
        first, last = (json.loads(line) for line in process.stdout)
    evicted = last["flows"]["evicted"]
    return (harness.differences({"end": {"how": "evicted"}, "client": {"ip": "10.0.0.0"}}, first) +
            ([] if 0 < evicted < limit // 4400 // 2 else ["%d evicted" % evicted]))


TESTS = {
    "LIMIT_SESSION_TEXT": session_text,
    "LIMIT_SESSIONS_BYTES": sessions_bytes,
    "LIMIT_LINE": line,
    "LIMIT_TEXT": text,
    "LIMIT_TLS_MESSAGE": tls_message,
    "LIMIT_OFFER": offer,
    "LIMIT_WAIT": wait,
    "LIMIT_FOREIGN": foreign,
    "LIMIT_POOL_BYTES": pool,
    "LIMIT_WAITING": waiting,
    "LIMIT_LINGER_S": linger,
    "LIMIT_VANISH_WINDOW_S": vanish_window_s,
    "LIMIT_FALLBACK_WINDOW_S": fallback_window_s,
    "LIMIT_HISTORY_NAMES": history_names,
    "LIMIT_HISTORY_OFFERS": history_offers,
    "LIMIT_HISTORY_FAILURES": history_failures,
    "LIMIT_CERTIFICATE": certificate_size,
    "LIMIT_CERTIFICATES_PER_SECOND": certificates_per_second,
    "LIMIT_WORKERS": workers,
}
