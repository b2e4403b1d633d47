# SPDX-License-Identifier: BSD-2-Clause
"""
The five questions of contrib/queries as jq and SQL, on the events of pcaps/; the answers expected are
what the clients themselves reported (pcaps/truth.jsonl).
"""
import collections
import json
import os
import shutil
import subprocess
import time

import clickhouse
import harness

QUERIES = os.path.join(harness.TOP, "contrib", "queries")
LACKING = ("lost", "midstream", "one-sided", "snaplen", "other-port")  # cannot show all, see truth.py
OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
ATTACKS = ("starttls_masked", "starttls_vanished", "command_injection", "response_injection",
           "tls_downgrade")


def truth():
    with open(os.path.join(harness.PCAPS, "truth.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if not row["file"].startswith(LACKING)]


def collect(files):
    """Each capture by itself, as truth.jsonl means it."""
    runs = harness.mxtap_all([["-q", "-r", os.path.join(harness.PCAPS, name)] for name in files])
    return b"".join(run.out for run in runs)


# ---- what each question has to answer, as rows of text without times and uids

def old_tls(rows):
    """Who limits is not told by the clients: peer is one of the two, and the sessions add up."""
    return sum(1 for row in rows if row["established"] and row["version"] in OLD)


def fallback(rows):
    """A client whose handshake had failed with the server to which it then sent in the clear."""
    found, failed = [], set()
    for row in rows:  # in the order in which they happened
        pair = (row["client"], row["server"])
        if row["outcome"] == "tls_failed":
            failed.add((row["file"], *pair))
        elif row["outcome"] == "plaintext" and (row["file"], *pair) in failed \
                and row["staged"] != []:  # a harmless twin: another client at the same address
            found.append(pair)
    return sorted(found)


def attacks(row):
    alert = (row["alert"] or {}).get("name")
    return set(row["staged"] or []).intersection(ATTACKS) | (
        {"tls_downgrade"} if alert == "inappropriate_fallback" else set())


def interference(rows):
    count = collections.Counter((row["server"], finding) for row in rows
                                for finding in attacks(row))
    return sorted((server, finding, str(number)) for (server, finding), number in count.items())


def auth(rows):
    count = collections.Counter((row["client"], row["server"], row["auth_in_clear"])
                                for row in rows if row["auth_in_clear"])
    return sorted((*key, str(number)) for key, number in count.items())


def peers(rows):
    return {row[side] for row in rows for side in ("client", "server")
            if row["established"] and row["version"] in OLD}


def check_answers(ask, rows):
    problems = []
    old = ask("old-tls")
    if sum(int(row[3]) for row in old) != old_tls(rows):
        problems.append("old-tls: %s, expected %d sessions" % (old, old_tls(rows)))
    if not {row[0] for row in old} <= peers(rows):
        problems.append("old-tls: other peers: %s" % old)
    for name, got, want in (
            ("fallback", sorted((row[1], row[2]) for row in ask("fallback")), fallback(rows)),
            ("interference", sorted(map(tuple, ask("interference"))), interference(rows)),
            ("auth-in-clear", sorted(map(tuple, ask("auth-in-clear"))), auth(rows))):
        if got != want or not want:
            problems.append("%s: %s, expected %s" % (name, got, want))
    return problems


# ---- blind sensors: real events, told of other times

def sensors():
    """Lines of stats events and the names of those that must be found."""
    run = harness.mxtap("-q", "--sensor", "x", "-r", os.path.join(harness.PCAPS, "exim-tls12.pcap"))
    event = [event for event in run.events if event["event_type"] == "stats"][0]
    now = time.time()

    def told(name, age, **changes):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now - age))
        changed = dict(event, sensor={"name": name}, time=stamp, **changes)
        changed = {key: value for key, value in changed.items() if value is not None}
        return json.dumps(changed, separators=(",", ":"))  # as mxtap writes

    lines = [told("fine", 10), told("recovered", 5000), told("recovered", 20),
             told("silent", 1000), told("quiet", 10, quiet_s=901), told("no-mail", 10, quiet_s=None),
             told("losing", 10, drops={"received": 9, "kernel": 1, "interface": 0}),
             told("not-losing", 10, drops={"received": 9, "kernel": 0, "interface": 0}),
             told("stuck", 10, counters=dict(event["counters"], events_lost=1))]
    return "\n".join(lines).encode() + b"\n", ["losing", "no-mail", "quiet", "silent", "stuck"]


def check_sensors(ask, want):
    got = sorted(row[0] for row in ask("blind-sensors"))
    return [] if got == want else ["blind-sensors: %s, expected %s" % (got, want)]


# ---- the two languages

def output(command, folder, stdin=None):
    done = subprocess.run(command, cwd=folder, stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=harness.TIMEOUT, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError("%s: %s" % (command, done.stderr.decode()[-500:]))
    return done.stdout.decode().splitlines()


def with_jq(folder):
    def ask(name):
        command = ["jq", "-nrf", os.path.join(QUERIES, name + ".jq"), "--argjson", "now",
                   str(int(time.time())), os.path.join(folder, "events.json")]
        return [line.split("\t") for line in output(command, folder)]
    return ask


def with_sqlite(folder):
    def feed(name, *options):
        with open(os.path.join(QUERIES, name + ".sql"), "rb") as file:
            return output(["sqlite3", "-batch", *options, "mxtap.db"], folder, file)
    feed("load")
    return lambda name: [line.split("\t") for line in feed(name, "-separator", "\t")]


def run(report):
    rows = truth()
    files = sorted({row["file"] for row in rows})
    stats, blind = sensors()
    events = collect(files)
    for name, program, language in (("jq", "jq", with_jq), ("sql", "sqlite3", with_sqlite)):
        if not shutil.which(program):
            report.skipped("queries/" + name, program + " is not here")
            continue
        for part, data, check in (("truth", events, lambda ask: check_answers(ask, rows)),
                                  ("sensors", stats, lambda ask: check_sensors(ask, blind))):
            with harness.Scratch() as scratch:
                with open(scratch.path("events.json"), "wb") as file:
                    file.write(data)
                report.verdict("queries/%s/%s" % (name, part), check(language(scratch.top)))
    if clickhouse.missing():
        report.skipped("queries/clickhouse", clickhouse.missing())
        return
    try:
        with harness.Scratch() as scratch, clickhouse.Server(scratch.top) as server:
            clickhouse.load(server, events)
            report.verdict("queries/clickhouse/truth",
                           check_answers(clickhouse.questions(server), rows))
            clickhouse.load(server, stats)
            report.verdict("queries/clickhouse/sensors",
                           check_sensors(clickhouse.questions(server), blind))
    except RuntimeError as error:
        report.failed("queries/clickhouse", [str(error)])
