# SPDX-License-Identifier: BSD-2-Clause
"""The limits of the report and of what is written."""
import json

from traffic import C, S, STARTTLS, client_hello, harness, lacks, packets, record, run, server_hello, wire, wrong


def event(number=0, at=0, client=None, findings=(), tls=None, **more):
    """A session as far as the report looks at it."""
    stamp = "2026-11-%02dT%02d:%02d:%02d" % (1 + at // 86400, at // 3600 % 24, at // 60 % 60, at % 60)
    return {"event_type": "session", "schema": 1, "uid": "%016x" % number, "time": stamp + ".%06dZ" % (number % 1000000),
            "direction": "inbound", "client": {"ip": client or "10.0.0.1", "port": 40000, "bytes": 5000},
            "server": {"ip": "192.0.2.25", "port": 25, "bytes": 500}, "outcome": "tls" if tls else "plaintext",
            "end": {"how": "fin", "from": "client"}, "smtp": {"starttls": "accepted" if tls else "not_offered"},
            "findings": list(findings), **({"tls": tls} if tls else {}), **more}


def report(scratch, lines, *options, status=0):
    path = scratch.path("events.json")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    done = harness.mxtap("report", "-q", "--format", "json", *options, path)
    return done, wrong(done, {"report": "mxtap"}, whole, status)


def whole(done):
    return json.loads(done.out)


def peers(scratch, limit):
    """The default is what the help says; ten tell what happens at it."""
    said = harness.mxtap("report", "--help").out.decode()
    found = [] if "(%d)" % limit in said else ["report --help does not name %d" % limit]
    for count in (10, 11):
        done, problems = report(scratch, [event(i, client="10.0.0.%d" % i) for i in range(count)], "--max-peers", "10")
        folded = {"peer_counts": {"folded_sessions": {"all": count - 10}}, "sessions": {"total": count}}
        found += problems or wrong(done, folded, whole)
    return found


def long_line(scratch, limit):
    """One of that length is read, one byte more is damage."""
    found = []
    for length, status in ((limit - 1, 0), (limit + 1, 1)):
        text = json.dumps(event(1, pad=""))
        text = text[:-2] + "x" * (length - len(text)) + '"}\n'
        done, problems = report(scratch, [event(0), text], status=status)
        found += problems + (lacks(done, "longer than any event") if status else [])
        found += wrong(done, {"sessions": {"total": 1 if status else 2}}, whole, status)
    return found


def incidents(scratch, limit):
    """The newest are listed, all are counted."""
    found = []
    for count in (limit, limit + 1):
        done, problems = report(scratch, [event(i, i, findings=["starttls_vanished"]) for i in range(count)])
        found += problems or wrong(done, {"findings": {"starttls_vanished": count}}, whole)
        uids = {one["uid"] for one in whole(done)["interference"]} if not problems else set()
        oldest = "%016x" % 0 in uids
        found += [] if len(uids) == limit and oldest == (count == limit) else ["%d of %d, the oldest: %s" % (len(uids), count, oldest)]
    return found


def seen_certificate(number):
    return {"established": True, "version": "TLSv1.2", "version_id": "0x0303", "cipher_id": "0xc030", "resumed": False,
            "client": {"max_version": "TLSv1.2", "forward_secrecy": True, "post_quantum": False},
            "server": {"x509": {"subject": {"distinguished_name": "CN=x"}, "issuer": {"distinguished_name": "CN=y"}, "names": ["x.example"], "not_before": "2023-01-01T00:00:00Z",
                                "not_after": "2033-01-01T00:00:00Z", "key": "RSA", "key_bits": 2048, "signature": "sha256",
                                "sha256": "%064x" % number, "self_signed": False}}}


def certificates(scratch, limit):
    found = []
    for count, bound in ((limit, False), (limit + 1, True)):
        line = json.dumps(event(0, tls=seen_certificate(0))) + "\n"
        first, second = line.split("0" * 64)
        done, problems = report(scratch, [first + "%064x" % i + second for i in range(count)])
        found += problems or wrong(done, {"certificates": {"visible_is_lower_bound": bound}}, whole)
    return found


def damage_shown(scratch, limit):
    done, problems = report(scratch, [event(0)] + ["damaged\n"] * (limit + 2), status=1)
    named = done.err.count(b": no JSON\n")
    return problems + ([] if named == limit else ["%d lines named" % named]) + lacks(done, "%d lines in all" % (limit + 2))


def many_extensions(scratch, _):
    """Lists long enough that the event has to be cut: --offers with the longest of names."""
    alpn = b"\0\x10" + (lambda body: len(body).to_bytes(2, "big") + body)(
        (lambda names: len(names).to_bytes(2, "big") + names)(b"".join(b"\4a\x01%c%c" % (97 + i % 26, 1) for i in range(100))))
    ids = b"\xc0\x2f" * 512
    signatures = b"\0\x0d" + (2 + len(ids)).to_bytes(2, "big") + len(ids).to_bytes(2, "big") + ids
    turns = STARTTLS + ((C, client_hello(ids, alpn + signatures)), (S, record(22, server_hello())))
    banner = ((S, b"220 " + b"\x01" * 508 + b"\r\n"),)
    done = run(scratch, packets(banner + turns[1:]), "--offers")
    return done


def event_length(scratch, limit):
    done = many_extensions(scratch, limit)
    longest = max(len(line) for line in done.out.splitlines()) + 1 if done.out else 0
    return wrong(done, True, lambda done: done.sessions[0].get("cut")) + ([] if limit // 2 < longest <= limit else ["longest: %d" % longest])


TESTS = {
    "LIMIT_REPORT_PEERS": peers,
    "LIMIT_REPORT_LINE": long_line,
    "LIMIT_REPORT_INCIDENTS": incidents,
    "LIMIT_REPORT_CERTIFICATES": certificates,
    "LIMIT_REPORT_DAMAGE_SHOWN": damage_shown,
    "LIMIT_EVENT": event_length,
}
