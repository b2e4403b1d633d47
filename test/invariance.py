#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same packets give the same output, however they are stored and handed over."""
import json
import os
import shutil
import subprocess

import harness
import wire

CHOSEN = ("postfix-tls12", "exim-tls13", "sendmail-plaintext", "fail-client-unknown-ca",
          "hello-retry", "pq-hello-segments", "implicit-tls-465", "ciphers-ecdhe-rsa")


def tool(*argv, out=None):
    """Run a program that makes a capture; None, or what it is that the machine lacks."""
    if not shutil.which(argv[0]):
        return argv[0] + " is not here"
    with open(out or os.devnull, "wb") as file:
        subprocess.run(argv, check=True, stdout=file, stderr=subprocess.DEVNULL)
    return None


def stored(suffix, *argv):
    """A way to store a capture with a program that writes to standard output."""
    def make(path, folder):
        out = os.path.join(folder, "capture" + suffix)
        return tool(*argv, path, out=out), ["-r", out]
    return make


def converted(suffix, kind):
    def make(path, folder):
        out = os.path.join(folder, "capture" + suffix)
        return tool("editcap", "-F", kind, path, out), ["-r", out]
    return make


def other_byte_order(path, folder):
    link, packets = wire.read_pcap(path)
    out = os.path.join(folder, "capture.pcap")
    wire.write_pcap(out, packets, link=link, order=">")
    return None, ["-r", out]


def in_pieces(path, folder):
    """Pieces of 20 packets, the last ones named first."""
    link, packets = wire.read_pcap(path)
    args = []
    for at in range(0, len(packets), 20):
        out = os.path.join(folder, "piece-%05d.pcap" % at)
        wire.write_pcap(out, packets[at:at + 20], link=link)
        args = ["-r", out] + args
    return None, args


def in_a_folder(path, folder):
    in_pieces(path, folder)
    with open(os.path.join(folder, "README"), "w", encoding="ascii") as file:
        file.write("no capture\n")
    return None, ["-r", folder]


def of_two_link_types(path, folder):
    """Every other packet without its Ethernet header, in a file of its own."""
    link, packets = wire.read_pcap(path)
    halves = packets[::2], [wire.Packet(p.time, None, p.data[14:]) for p in packets[1::2]]
    args = []
    for number, (half, kind) in enumerate(zip(halves, (link, wire.RAW))):
        out = os.path.join(folder, "half-%d.pcap" % number)
        wire.write_pcap(out, half, link=kind)
        args += ["-r", out]
    return None, args


def of_mixed_interfaces(path, folder):
    """One pcapng with interfaces of different link types, which libpcap refuses."""
    args = of_two_link_types(path, folder)[1]
    out = os.path.join(folder, "mixed.pcapng")
    return tool("mergecap", "-F", "pcapng", "-w", out, args[1], args[3]), ["-r", out]


SESSIONS_ONLY = ("two-link-types", "mixed-pcapng")  # their packets have fewer bytes: stats differ
WAYS = {
    "gzip": stored(".pcap.gz", "gzip", "-c"),
    "zstd": stored(".pcap.zst", "zstd", "-q", "-c"),
    "pcapng": converted(".pcapng", "pcapng"),
    "nanoseconds": converted(".pcap", "nsecpcap"),
    "other-byte-order": other_byte_order,
    "pieces": in_pieces,
    "folder": in_a_folder,
    "two-link-types": of_two_link_types,
    "mixed-pcapng": of_mixed_interfaces,
}


def output(events):
    return [json.dumps(harness.without_sensor_file(event)) for event in events]


def differs(run, expected, sessions_only=False):
    lines = harness.checked(run)
    if lines:
        return lines
    want = output(expected.sessions if sessions_only else expected.events)
    got = output(run.sessions if sessions_only else run.events)
    return [] if want == got else ["expected"] + want + ["got"] + got


def piped(path, suffix, report, name, expected):
    """Standard input: a pipe and a file."""
    with open(path + suffix, "rb") as file:
        report.verdict(name + "/standard-input" + suffix,
                       differs(harness.mxtap("-q", "-r", "-", stdin=file), expected))
        file.seek(0)
        report.verdict(name + "/pipe" + suffix,
                       differs(harness.mxtap("-q", "-r", "-", stdin=file.read()), expected))


def check(path, report):
    name = os.path.basename(path).rpartition(".")[0]
    run = harness.mxtap("-q", "-r", path)
    lines = harness.checked(run) or ([] if run.sessions else ["no session at all"])
    if lines:
        report.failed(name, lines)
        return
    with harness.Scratch() as scratch:
        for way, make in WAYS.items():
            folder = scratch.path(way)
            os.mkdir(folder)
            reason, args = make(path, folder)
            if reason:
                report.skipped("%s/%s" % (name, way), reason)
            else:
                report.verdict("%s/%s" % (name, way), differs(harness.mxtap("-q", *args), run,
                                                              way in SESSIONS_ONLY))
        piped(path, "", report, name, run)
        if shutil.which("gzip"):
            copy = scratch.path("copy")
            tool("gzip", "-c", path, out=copy + ".gz")
            piped(copy, ".gz", report, name, run)


def main():
    report = harness.Report("invariance")
    paths = [os.path.join(harness.PCAPS, name + ".pcap") for name in CHOSEN]
    for path in paths:
        if os.path.exists(path):
            check(path, report)
        else:
            report.failed(os.path.basename(path), ["not there"])


if __name__ == "__main__":
    main()
