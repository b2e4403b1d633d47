#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The bench: CPU time (user and system) of mxtap, and of other programs that are installed, as a ratio
to that of the null reader on the same capture in the same run, the median of interleaved runs; peak
memory (what is below that of this script, some 18 MB, cannot be told by it); and whether the answers
are those that the generator put in.

    test/bench/run.py [--size MB] [--rounds N] [--open N,N] [--seed N] [--only PROFILE,...] [--save]

`make bench` builds what it needs. BUILD names the folder of the programs, in which the captures are
made, too. --save writes RESULTS. Exit status 1 if an answer is wrong.
"""
import argparse
import collections
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import sessions

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
WORK = os.path.join(BUILD, "bench")
MXTAP = os.path.join(BUILD, "mxtap")
NULL = os.path.join(WORK, "null")
OPEN = {"bulk": 40}
PROFILES = ("handshake", "bulk", "mixed", "hostile")
TARGETS = {"handshake": 3.5, "bulk": 1.0, "mixed": 1.15, "hostile": 3.0}
WORST = ("syn", "random", "reorder", "bytes", "lines", "certificates")
SMALL = 100  # MB, for programs that would take hours, and of the worst cases

# how a program reads a capture; True: only a small one
PEERS = {
    "tshark": (["tshark", "-n", "-r", "{}", "-Y", "tls.handshake.type == 2", "-T", "fields",
                "-e", "tls.handshake.version", "-e", "tls.handshake.ciphersuite"], True),
    "ssldump": (["ssldump", "-n", "-r", "{}"], True),
    "ndpiReader": (["ndpiReader", "-q", "-i", "{}"], False),
    "mercury": (["mercury", "-r", "{}", "-f", "/dev/null"], False),
    "suricata": (["suricata", "-r", "{}", "-S", "/dev/null", "-l", WORK, "--runmode=single"],
                 False),
}


class Capture:
    """A workload and what has to be found in it."""

    def __init__(self, profile, megabytes, seed, extra=()):
        self.profile = profile
        self.path = os.path.join(WORK, "%s-%d.pcap" % (profile, megabytes))
        command = [os.path.join(WORK, "generate"), "-p", profile, "-t",
                   os.path.join(WORK, "sessions"), "-o", self.path, "-S", str(seed),
                   "-s", str(megabytes * 1000000), "-c", str(OPEN.get(profile, 10000)), *extra]
        facts = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        self.packets, self.flows = facts["packets"], facts["flows"]
        self.sessions = facts["sessions"]

    def expected(self, truths):
        """How many sessions of each outcome, version and cipher."""
        count = collections.Counter()
        for name, number in self.sessions.items():
            if number and name in truths:
                count[tuple(truths[name][key] for key in ("outcome", "version", "cipher"))] += number
        return count

    def remove(self):
        os.unlink(self.path)


def run(command, path, out=subprocess.DEVNULL):
    """CPU seconds and peak memory in MB; NaN if it failed."""
    process = subprocess.Popen([word.replace("{}", path) for word in command],
                               stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    seconds = usage.ru_utime + usage.ru_stime
    return (seconds if status == 0 else float("nan")), usage.ru_maxrss / 1024


def answers(path):
    """The same counts as Capture.expected, read from mxtap's events; and how many there are."""
    count, number = collections.Counter(), 0
    with tempfile.TemporaryFile("w+", dir=WORK) as out:
        run([MXTAP, "-q", "-r", "{}"], path, out)
        out.seek(0)
        for line in out:
            event = json.loads(line)
            if event["event_type"] != "session":
                continue
            number += 1
            tls = event.get("tls", {}) if event["outcome"] == "tls" else {}
            count[event["outcome"], tls.get("version"), tls.get("cipher")] += 1
    return count, number


def judge(capture, truths):
    """Right answers of those expected, as text; what was abandoned or is noise may be `unknown`."""
    expected, (found, number) = capture.expected(truths), answers(capture.path)
    total = sum(expected.values())
    right = sum(min(wanted, found[key]) for key, wanted in expected.items())
    invented = sum(more for key, more in (found - expected).items() if key[0] != "unknown")
    if capture.profile == "open":
        total, right, invented = capture.flows, min(number, capture.flows), number - capture.flows
    if capture.profile in ("syn", "random", "lines"):
        return "", True
    text = "%d of %d" % (right, total) + (", %d invented" % invented if invented else "")
    return text, right == total and not invented


def measure(capture, programs, rounds):
    """Per program: median ratio to the null reader, median seconds, peak memory; the slow programs
    once."""
    times, memory = collections.defaultdict(list), collections.defaultdict(float)
    for number in range(rounds):
        null, _ = run([NULL, "{}"], capture.path)
        times["null"].append((1.0, null))
        for name, command in programs.items():
            if number and name in PEERS and PEERS[name][1]:
                continue
            seconds, peak = run(command, capture.path)
            times[name].append((seconds / null, seconds))
            memory[name] = max(memory[name], peak)
    return {name: (statistics.median(pair[0] for pair in pairs),
                   statistics.median(pair[1] for pair in pairs), memory[name])
            for name, pairs in times.items()}


class Table:
    """Lines on standard output and, at the end, in RESULTS."""

    def __init__(self):
        self.lines = []

    def say(self, text=""):
        self.lines.append(text)
        print(text, flush=True)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return "%s, %d cores, Linux %s" % (names[0] if names else platform.machine(), os.cpu_count(),
                                       platform.release().split("-")[0])


def peers(small):
    return {name: command for name, (command, only_small) in PEERS.items()
            if shutil.which(command[0]) and (small or not only_small)}


def workloads(table, options, truths):
    good, cost = True, None
    table.say("%-10s %-11s %6s %7s %8s %8s  %s" % ("workload", "program", "MB", "ratio", "CPU s",
                                                  "peak MB", "answers"))
    for profile in options.only or PROFILES:
        if profile not in PROFILES:
            continue
        for size in sorted({options.size, SMALL if peers(True) else options.size}, reverse=True):
            capture = Capture(profile, size, options.seed)
            text, right = judge(capture, truths)
            good = good and right
            programs = {"mxtap": [MXTAP, "-q", "-r", "{}"],
                        **{name: command for name, command in peers(size == SMALL).items()}}
            rows = measure(capture, programs, options.rounds)
            if profile == "handshake" and cost is None:
                cost = rows["mxtap"][1] / capture.packets
            for name, (ratio, seconds, memory) in rows.items():
                note = "%s (at most %.2f)" % (text, TARGETS[profile]) if name == "mxtap" else ""
                table.say("%-10s %-11s %6d %7.2f %8.2f %8.1f  %s" % (profile, name, size, ratio,
                                                                   seconds, memory, note))
            capture.remove()
    return good, cost


def worst_cases(table, options, truths, cost):
    good = True
    for profile in WORST:
        if options.only and profile not in options.only:
            continue
        extra = ("-n", "1000000") if profile == "syn" else ()
        capture = Capture(profile, SMALL, options.seed, extra)
        text, right = judge(capture, truths)
        row = measure(capture, {"mxtap": [MXTAP, "-q", "-r", "{}"]}, 3)["mxtap"]
        each = row[1] / capture.packets
        table.say("%-13s %8d packets %7.0f ns each, %4.1f of handshake's, ratio %5.2f, %6.1f MB  %s"
                  % (profile, capture.packets, each * 1e9, each / cost if cost else float("nan"),
                     row[0], row[2], text))
        good = good and right
        capture.remove()
    return good


def open_flows(table, options, truths):
    good = True
    for number in options.open:
        capture = Capture("open", 1000000, options.seed,
                          ("-n", str(number), "-c", str(number), "-k", "7"))
        text, right = judge(capture, truths)
        _, memory = run([MXTAP, "-q", "-r", "{}"], capture.path)
        table.say("%8d sessions open: %6.1f MB  %s" % (number, memory, text))
        good = good and right
        capture.remove()
    return good


def arguments():
    parser = argparse.ArgumentParser()

    def numbers(text):
        return [int(word) for word in text.split(",") if word]

    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open", type=numbers, default=[10000, 100000])
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


def main():
    options, table = arguments(), Table()
    truths = sessions.main(os.path.join(WORK, "sessions"))
    table.say("%s, %s, seed %d, medians of %d" % (datetime.date.today(), machine(), options.seed,
                                                 options.rounds))
    table.say()
    good, cost = workloads(table, options, truths)
    table.say()
    good = worst_cases(table, options, truths, cost) and good
    table.say()
    if not options.only or "open" in options.only:
        good = open_flows(table, options, truths) and good
    if options.save:
        with open(os.path.join(HERE, "RESULTS"), "w", encoding="utf-8") as file:
            file.write("\n".join(table.lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
