#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The bench, live: CPU time per packet of mxtap on one end of a veth pair, as a ratio to that of the null
reader (test/bench/watch.c) in the same run, the median of interleaved rounds; what the kernel dropped
with the default ring while the sender goes as fast as it can; and what mixed traffic costs, nine
tenths of it no mail.

The null reader has the same ring, the same time until a block is handed over, and whole packets, as
mxtap; it wakes up for each block of the ring. It has no filter: of handshake and bulk mxtap's lets all
through, and a filter runs at the sender's cost; of mixed the null reader takes everything. Sender and
readers never share a CPU: one that reads what it has just sent itself finds it in its cache, and the
null reader then costs half. So there have to be two.

    test/bench/live.py [--size MB] [--rounds N] [--seconds N] [--seed N]

`make bench-live` builds what it needs. Needs root. Exit status 1 if packets were dropped.
"""
import argparse
import collections
import json
import os
import signal
import statistics
import subprocess
import sys
import time

import run
import sessions

WATCH, BURST = (os.path.join(run.WORK, name) for name in ("watch", "burst"))
SENDER, READER = "mxbs", "mxbr"
#: for the sender, for the readers
FIRST, *OTHERS = sorted(os.sched_getaffinity(0))
#: profile, packets a second (0: as many as go), highest ratio or (for mixed) share of a core in percent
LOADS = (("handshake", 0, 5.0), ("bulk", 0, 1.5), ("mixed", 100000, 2.0))


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, stderr=None if check else subprocess.DEVNULL)


def inside(name, *command):
    cpus = [FIRST] if name == SENDER else OTHERS
    return ["taskset", "-c", ",".join(map(str, cpus)), "ip", "netns", "exec", name, *command]


def link():
    unlink()
    for name in (SENDER, READER):
        ip("netns", "add", name)
        subprocess.run(inside(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"), check=False)
    ip("link", "add", "b0", "netns", SENDER, "type", "veth", "peer", "name", "b1", "netns", READER)
    ip("-n", SENDER, "link", "set", "b0", "up")
    ip("-n", READER, "link", "set", "b1", "up")


def unlink():
    for name in (SENDER, READER):
        ip("netns", "del", name, check=False)


def cpu(pid):
    """Seconds of all threads, to the nanosecond."""
    total = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread), encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


Turn = collections.namedtuple("Turn", "cpu sent seconds dropped")


def turn(command, events, path, rate, seconds):
    """One program beside one burst."""
    reader = subprocess.Popen(inside(READER, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "listening on" not in reader.stderr.readline():
        if reader.poll() is not None:
            sys.exit("%s does not start" % command[0])
    time.sleep(0.3)
    before = cpu(reader.pid)
    sent, took = subprocess.run(inside(SENDER, BURST, "b0", path, str(rate), str(seconds)), check=True,
                                stdout=subprocess.PIPE, text=True).stdout.split()
    time.sleep(0.5)
    spent = cpu(reader.pid) - before
    reader.send_signal(signal.SIGTERM)
    out, _ = reader.communicate(timeout=20)
    if not events:
        return Turn(spent, int(sent), float(took), int(out.split()[1]))
    with open(events, encoding="utf-8") as file:
        stats = json.loads(collections.deque(file, 1)[0])
    os.unlink(events)
    return Turn(spent, int(sent), float(took), stats["drops"]["kernel"])


def measure(profile, rate, most, options):
    capture = run.Capture(profile, options.size, options.seed)
    events = os.path.join(run.WORK, "live.json")
    programs = {"null": ([WATCH, "b1"], None),
                "mxtap": ([run.MXTAP, "-i", "b1", "-Z", "root", "--stats", "0", "-o", events], events)}
    turns = collections.defaultdict(list)
    for _ in range(options.rounds):
        for name, (command, out) in programs.items():
            turns[name].append(turn(command, out, capture.path, rate, options.seconds))
    capture.remove()
    dropped = 0
    for name, all_of_them in turns.items():
        each = statistics.median(one.cpu / one.sent for one in all_of_them)
        ratio = statistics.median(one.cpu / one.sent / (null.cpu / null.sent)
                                  for one, null in zip(all_of_them, turns["null"]))
        core = statistics.median(100 * one.cpu / one.seconds for one in all_of_them)
        fastest = max(one.sent / one.seconds for one in all_of_them)
        lost = sum(one.dropped for one in all_of_them)
        dropped += lost if name == "mxtap" else 0
        note = "" if name == "null" else "  (at most %.1f %%)" % most if rate else "  (at most %.1f)" % most
        print("%-10s %-6s %7.3f us a packet, ratio %5.2f, %5.2f %% of a core, up to %6.0f packets a second, %d dropped%s" %
              (profile, name, each * 1e6, ratio, core, fastest, lost, note), flush=True)
    return dropped


def main():
    parser = argparse.ArgumentParser(description="the bench, live")
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench: needs root")
    if not OTHERS:
        sys.exit("bench: needs two CPUs")
    sessions.main(os.path.join(run.WORK, "sessions"))
    link()
    try:
        dropped = sum(measure(*load, options) for load in LOADS)
    finally:
        unlink()
    return 1 if dropped else 0


if __name__ == "__main__":
    sys.exit(main())
