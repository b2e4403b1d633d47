# SPDX-License-Identifier: BSD-2-Clause
"""Events as mxtap writes them, of invented traffic whose truth is known because it was decided first.

    generate.py week [SEED]        a week on a gateway: events
    generate.py survey             one client, 100 servers: events
    generate.py many COUNT [SEED]  that many events of much traffic, for measuring
"""
import collections
import datetime
import hashlib
import json
import random
import sys

VERSIONS = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
VERSION_IDS = {"SSLv3": "0x0300", "TLSv1": "0x0301", "TLSv1.1": "0x0302", "TLSv1.2": "0x0303", "TLSv1.3": "0x0304"}
# IANA: name, id, forward secrecy
CIPHERS = {
    "TLSv1.3": [("TLS_AES_256_GCM_SHA384", "0x1302", True), ("TLS_AES_128_GCM_SHA256", "0x1301", True)],
    "TLSv1.2": [("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "0xc030", True), ("TLS_RSA_WITH_AES_128_CBC_SHA", "0x002f", False)],
    "old": [("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "0x0039", True), ("TLS_RSA_WITH_AES_128_CBC_SHA", "0x002f", False)],
}
START = datetime.datetime(2026, 11, 16, tzinfo=datetime.timezone.utc)  # a Monday


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def uid(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def event(when, direction, client, server, outcome, starttls, tls=None, bytes_sent=2500, client_name=None,
          server_name=None, findings=(), end=("fin", "client"), sensor=None, port=25, incomplete=None, **more):
    out = {"event_type": "session", "schema": 1, "uid": uid(when, client, server, more.get("salt")), "time": stamp(when)}
    more.pop("salt", None)
    if sensor:
        out["sensor"] = sensor
    if direction:
        out["direction"] = direction
    out["duration_ms"] = 812.4
    out["client"] = {"ip": client, "port": 40000, "bytes": bytes_sent}
    out["server"] = {"ip": server, "port": port, "bytes": 5120}
    out["outcome"] = outcome
    out["end"] = {"how": end[0]} if end[1] is None else {"how": end[0], "from": end[1]}
    if incomplete:
        out["incomplete"] = incomplete
    smtp = {"starttls": starttls}
    if server_name:
        smtp.update(banner=server_name + " ESMTP", server_name=server_name)
    if client_name:
        smtp.update(hello="EHLO", client_name=client_name)
    out["smtp"] = smtp
    if tls:
        out["tls"] = tls
    out["findings"] = list(findings)
    out.update(more)
    return out


def handshake(version, client_max, cipher=None, group=None, pfs=True, pq=False, names=None, not_after=None, serial=0,
              supports=None, limited_by=None, established=True, alert=None):
    """A tls object. group: name and id."""
    tls = {"established": established}
    if version:
        cipher = cipher or CIPHERS.get(version, CIPHERS["old"])[0]
        tls.update(version=version, version_id=VERSION_IDS[version], cipher=cipher[0], cipher_id=cipher[1])
        if group:
            tls.update(group=group[0], group_id=group[1])
        if version != "TLSv1.3":
            tls["limited_by"] = limited_by or ("client" if client_max == version else "server")
        tls["resumed"] = False
        tls["handshake_ms"] = 41.2
    if alert:
        tls["alert"] = {"from": alert[0], "level": "fatal", "code": alert[1], "name": alert[2]}
    if client_max:
        tls["client"] = {"max_version": client_max, "forward_secrecy": pfs, "post_quantum": pq,
                         "ja3": "d41d8cd98f00b204e9800998ecf8427e", "ja4": "t13d1516h2_8daaf6152771_b186095e22b6"}
    server = {}
    if supports:
        server["supports"] = supports
    if names:
        server["x509"] = {"subject": {"distinguished_name": "CN=" + names[0]},
                          "issuer": {"distinguished_name": "CN=Example CA"}, "names": names,
                          "not_before": "2026-01-01T00:00:00Z", "not_after": not_after or "2027-06-01T00:00:00Z",
                          "key": "RSA", "key_bits": 2048, "signature": "sha256WithRSAEncryption",
                          "sha256": hashlib.sha256(repr((names, serial)).encode()).hexdigest(), "self_signed": False}
    if server:
        tls["server"] = server
    return tls


X25519 = ("x25519", "0x001d")
MLKEM = ("X25519MLKEM768", "0x11ec")
MX1, MX2, OUT = "192.0.2.25", "192.0.2.26", "192.0.2.30"  # ours: two servers, one that sends


class Week:
    """Seven days of one gateway. Every session is decided here first, then written as an event; `truth` is what was decided."""

    def __init__(self, seed=1, sessions=4000):
        self.random = random.Random(seed)
        self.events = []
        self.truth = collections.Counter()
        self.outcomes = collections.Counter()   # (outcome, direction)
        self.versions = collections.Counter()   # (version, direction)
        self.days = collections.Counter()       # day -> sessions that cannot
        self.peers = collections.defaultdict(collections.Counter)
        self.reasons = collections.Counter()
        self.fallbacks = []
        self.ciphers, self.groups = collections.Counter(), collections.Counter()
        self.good(sessions)
        self.weak_clients()
        self.weak_servers()
        self.own_doing()
        self.unknowns()
        self.clear_text()
        self.failures()
        self.vanished()
        self.rest()
        self.stats()
        self.random.shuffle(self.events)

    def when(self, day=None):
        day = self.random.randrange(7) if day is None else day
        second = self.random.randrange(86400)
        while day == 2 and 100 * 300 <= second < 124 * 300 + 300:  # the sensor was down: see stats()
            second = self.random.randrange(86400)
        return START + datetime.timedelta(days=day, seconds=second, microseconds=self.random.randrange(10**6))

    def add(self, when, direction, peer, made, outcome, as_, version=None):
        made["sensor"] = {"name": "gw1", "interface": "eth0"}
        self.events.append(made)
        self.outcomes[outcome, direction] += 1
        self.truth["sessions"] += 1
        self.truth[as_] += 1
        if version:
            self.versions[version, direction] += 1
        if made.get("incomplete"):
            self.truth["incomplete"] += 1
        if peer:
            entry = self.peers[peer]
            entry["sessions"] += 1
            entry[as_] += 1
            entry["outcome " + outcome] += 1
            if as_ == "cannot" and made["client"]["bytes"] > 1024:
                entry["cannot_substantial"] += 1
        if as_ == "cannot":
            self.days[when.date().isoformat()] += 1
        if outcome == "tls":
            tls = made["tls"]
            self.ciphers[tls.get("cipher", tls.get("cipher_id"))] += 1
            self.groups[tls.get("group")] += 1
            self.truth["pfs_chosen"] += tls.get("cipher_id") != "0x002f" and "cipher_id" in tls
            self.truth["pq_chosen"] += tls.get("group_id") == "0x11ec"
            self.truth["pq_offered"] += tls.get("client", {}).get("post_quantum") is True
            self.truth["visible"] += "x509" in tls.get("server", {})

    def inbound(self, peer, address, outcome, as_, tls=None, starttls="accepted", when=None, server=MX1, **more):
        when = when or self.when()
        made = event(when, "inbound", address, server, outcome, starttls, tls, client_name="mail." + peer, server_name="mx1.gw.example",
                     salt=len(self.events), **more)
        self.add(when, "inbound", peer, made, outcome, as_, tls.get("version") if tls and outcome == "tls" else None)
        return made

    def outbound(self, peer, address, outcome, as_, tls=None, starttls="accepted", when=None, client=OUT, **more):
        when = when or self.when()
        made = event(when, "outbound", client, address, outcome, starttls, tls, client_name="out.gw.example", server_name="mx." + peer,
                     salt=len(self.events), **more)
        self.add(when, "outbound", peer, made, outcome, as_, tls.get("version") if tls and outcome == "tls" else None)
        return made

    def good(self, sessions):
        for i in range(sessions):
            number = int(self.random.paretovariate(0.7)) % 700
            peer, address = "partner%d.example" % number, "198.51.%d.%d" % (100 + number // 250, number % 250 + 1)
            version = self.random.choice(["TLSv1.3", "TLSv1.3", "TLSv1.2"])
            pq = version == "TLSv1.3" and number % 5 == 0
            tls = handshake(version, "TLSv1.3", self.random.choice(CIPHERS[version]), MLKEM if pq else X25519, pq=pq,
                            names=["mx." + peer, peer] if version == "TLSv1.2" and i % 3 else None)
            if i % 3:
                self.inbound(peer, address, "tls", "can", tls)
            else:
                self.outbound(peer, address, "tls", "can", tls)

    WEAK = {"werk.example": ("TLSv1", 27, 27), "altbank.example": ("TLSv1.1", 22, 22), "scan-77.example": ("SSLv3", 12, 0),
            "hotel.example": ("TLSv1", 9, 9), "printer.example": ("TLSv1", 4, 4)}

    def weak_clients(self):
        for number, (peer, (version, count, substantial)) in enumerate(self.WEAK.items()):
            for i in range(count):
                tls = handshake(version, version, group=X25519 if i % 2 else None)
                self.inbound(peer, "203.0.113.%d" % (10 + number), "tls", "cannot", tls,
                             bytes_sent=4000 if i < substantial else 900, findings=["version_obsolete"])

    def weak_servers(self):
        for i in range(6):
            tls = handshake("TLSv1", "TLSv1.3", names=["mx.spedition.example"], limited_by="server")
            self.outbound("spedition.example", "203.0.113.50", "tls", "cannot", tls)
        for i in range(5):  # a partner with an old and a new server behind one domain
            version = "TLSv1.3" if i else "TLSv1.1"
            self.outbound("kommune.example", "203.0.113.5%d" % (1 + (i > 0)), "tls", "can" if i else "cannot", handshake(version, "TLSv1.3"))

    def own_doing(self):
        for i in range(8):
            tls = handshake("TLSv1", "TLSv1.3", limited_by="server")
            self.inbound("partner%d.example" % (i % 5), "198.51.100.%d" % (i % 5 + 1), "tls", "own", tls, server=MX2)

    def unknowns(self):
        for i in range(3):
            tls = {"established": True}
            self.inbound("partner1.example", "198.51.100.2", "tls", "unknown", tls, incomplete=["midstream"])
        tls = handshake("TLSv1", None)  # the ClientHello was lost: nobody can be charged
        self.inbound("partner2.example", "198.51.100.3", "tls", "unknown", tls, incomplete=["gaps"])

    def clear_text(self):
        for i in range(57):
            self.inbound("clear%d.example" % i, "203.0.113.%d" % (100 + i), "plaintext", "not_judged", starttls="offered",
                         findings=["starttls_ignored"])
        for i in range(11):
            self.outbound("nostarttls%d.example" % (i % 4), "203.0.113.%d" % (200 + i % 4), "plaintext", "not_judged",
                          starttls="not_offered", findings=["starttls_not_offered"])
        for peer, address in (("altbank.example", "203.0.113.11"), ("hotel.example", "203.0.113.13")):
            when = self.when()
            failed = self.inbound(peer, address, "tls_failed", "not_judged", when=when, end=("fin", "server"),
                                  tls=handshake(None, "TLSv1", alert=("server", 70, "protocol_version"), established=False))
            self.reasons["alert protocol_version by server"] += 1
            clear = self.inbound(peer, address, "plaintext", "not_judged", starttls="offered", when=when + datetime.timedelta(seconds=3),
                                 findings=["plaintext_fallback", "starttls_ignored"],
                                 fallback_of={"uid": failed["uid"], "time": failed["time"]})
            self.fallbacks.append(clear["uid"])

    def failures(self):
        for i in range(17):
            self.inbound("failing%d.example" % (i % 5), "203.0.113.%d" % (220 + i % 5), "tls_failed", "not_judged", end=("fin", "server"),
                         tls=handshake(None, "TLSv1.2", alert=("server", 40, "handshake_failure"), established=False))
            self.reasons["alert handshake_failure by server"] += 1
        for i in range(4):
            self.outbound("failing6.example", "203.0.113.230", "tls_failed", "not_judged",
                          tls=handshake("TLSv1.2", "TLSv1.3", alert=("client", 48, "unknown_ca"), established=False))
            self.reasons["alert unknown_ca by client"] += 1
        for i in range(5):
            self.inbound("failing7.example", "203.0.113.231", "tls_failed", "not_judged", end=("rst", "client"))
            self.reasons["rst by client"] += 1

    def vanished(self):
        self.vanished_uids = [
            self.outbound("reise.example", "203.0.113.240", "plaintext", "not_judged", starttls="not_offered", when=self.when(1),
                          findings=["starttls_not_offered", "starttls_vanished"])["uid"] for i in range(3)]

    def rest(self):
        for i in range(40):
            self.inbound("nomail%d.example" % i, "203.0.113.%d" % i, "no_mail", "not_judged", starttls="offered", bytes_sent=40)
        for i in range(2):
            self.inbound("lost%d.example" % i, "203.0.113.%d" % (60 + i), "unknown", "not_judged", starttls="unseen",
                         incomplete=["one_sided"], end=("eof", None))

    def stats(self):
        """Every five minutes of the week, but for two hours on Wednesday."""
        packets = 0
        for slot in range(7 * 288):
            when = START + datetime.timedelta(seconds=300 * slot + 10)
            packets += 1000
            if 2 * 288 + 100 <= slot < 2 * 288 + 124:
                continue
            self.events.append({"event_type": "stats", "schema": 1, "time": stamp(when), "started": stamp(START),
                                "sensor": {"name": "gw1", "interface": "eth0"}, "packets": packets, "bytes": packets * 300,
                                "drops": {"received": packets + 7, "kernel": 5, "interface": 2},
                                "counters": {"events_lost": 3}, "bytes_held": 0})
        self.truth["packets"] = packets + 7
        self.truth["dropped"] = 7


def any_events(seed, count, directions=("inbound", "outbound", "internal", "external")):
    """Events without sense but by the schema: every mixture of what may be there and what may be missing."""
    pick = random.Random(seed)
    maybe = lambda value, chance=0.8: value if pick.random() < chance else None
    out = []
    for i in range(count):
        outcome = pick.choice(["tls"] * 6 + ["plaintext"] * 3 + ["tls_failed", "no_mail", "unknown", "not_smtp"])
        tls = None
        if outcome in ("tls", "tls_failed") or pick.random() < 0.1:
            version = maybe(pick.choice(VERSIONS))
            tls = handshake(version, maybe(pick.choice(VERSIONS)), pick.choice(CIPHERS.get(version, CIPHERS["old"])),
                            maybe(pick.choice([X25519, MLKEM])), pick.random() < 0.9, pick.random() < 0.4,
                            maybe(["mx.host%d.example" % pick.randrange(30)], 0.3), serial=pick.randrange(5),
                            not_after="2026-1%d-01T00:00:00Z" % pick.randrange(3),
                            supports=maybe(pick.choice(["TLSv1.2", "TLSv1.3"]), 0.2), established=outcome == "tls")
            if pick.random() < 0.2 and "client" in tls:
                del tls["client"]["forward_secrecy"]
        found = ["plaintext_fallback"] if outcome == "plaintext" and pick.random() < 0.2 else []
        found += ["starttls_vanished"] if pick.random() < 0.02 else []
        out.append(event(START + datetime.timedelta(seconds=pick.randrange(20 * 86400), microseconds=pick.randrange(10**6)),
                         pick.choice(directions), "192.0.2.%d" % pick.randrange(1, 40), "198.51.100.%d" % pick.randrange(1, 40), outcome,
                         pick.choice(["unseen", "not_offered", "offered", "requested", "refused", "accepted", "implicit"]), tls,
                         bytes_sent=pick.randrange(0, 3000), client_name=maybe("c%d.client%d.example" % (i % 3, pick.randrange(40))),
                         server_name=maybe("mx.server%d.example" % pick.randrange(40)), findings=found, salt=(seed, i),
                         sensor=maybe({"name": "gw%d" % pick.randrange(3), "interface": "eth0"}),
                         incomplete=maybe(["gaps"], 0.05)))
    return out


def survey():
    """The article: one client, 100 servers; 9 offer no STARTTLS, 1 has only TLS 1.0."""
    client, out, names = "192.0.2.10", [], []
    for i in range(100):
        address, name = "198.51.100.%d" % (i + 1), "mx.provider%d.example" % i
        when = START + datetime.timedelta(seconds=10 * i)
        more = {"client_name": "probe.example", "server_name": name, "bytes_sent": 600}
        names.append("%s %s\n" % (address, name))
        if i < 9:
            out.append(event(when, None, client, address, "no_mail", "not_offered", findings=["starttls_not_offered"], **more))
        elif i == 9:
            out.append(event(when, None, client, address, "tls", "accepted", handshake("TLSv1", "TLSv1.3"), **more))
        else:
            out.append(event(when, None, client, address, "tls", "accepted",
                             handshake("TLSv1.3" if i < 68 else "TLSv1.2", "TLSv1.3", group=X25519), **more))
    return out, "".join(names)


def many(count, seed=1):
    """Traffic of a large site, a line at a time."""
    pick = random.Random(seed)
    for i in range(count):
        number = int(pick.paretovariate(0.4)) % 100000
        when = START + datetime.timedelta(seconds=i * 7 * 86400 / count, microseconds=pick.randrange(10**6))
        old = number % 97 == 0
        version = "TLSv1" if old else pick.choice(["TLSv1.3", "TLSv1.3", "TLSv1.2"])
        peer = "partner%d.example" % number
        tls = handshake(version, version if old else "TLSv1.3", pick.choice(CIPHERS.get(version, CIPHERS["old"])), X25519,
                        names=["mx." + peer, "mx2." + peer] if version == "TLSv1.2" else None)
        inbound = pick.random() < 0.6
        address = "198.%d.%d.%d" % (18 + number // 62500, number // 250 % 250, number % 250 + 1)
        more = dict(sensor={"name": "gw1", "interface": "eth0"}, bytes_sent=pick.randrange(500, 90000), salt=i,
                    community_id="1:FPywpBw0S0EXzNlm9ICwAHzFiVI=")
        if inbound:
            yield event(when, "inbound", address, MX1, "tls", "accepted", tls, client_name="mail." + peer, server_name="mx1.gw.example", **more)
        else:
            yield event(when, "outbound", OUT, address, "tls", "accepted", tls, client_name="out.gw.example", server_name="mx." + peer, **more)


def line(made):
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False) + "\n"


def main(what, *arguments):
    if what == "survey":
        made = survey()[0]
    elif what == "week":
        made = Week(*map(int, arguments)).events
    else:
        made = many(*map(int, arguments))
    for one in made:
        sys.stdout.write(line(one))


if __name__ == "__main__":
    main(*sys.argv[1:])
