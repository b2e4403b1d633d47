#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
No packet can end the program: every capture at hand, as it is, cut at several snapshot lengths,
with packets missing, and damaged. Only the end counts here, and that what comes out is JSON. Best with a
build that has sanitizers.
"""
import os
import random
import shutil

import dialog
import harness
import situations
import wire

ALL_PORTS = ("-q", "--port", "0-65535")


def as_they_are():
    """Folders of captures: ours, and the public ones where they are."""
    corpus = os.path.join(harness.SHARED, "corpus")
    folders = [harness.PCAPS]
    if os.path.isdir(corpus):
        folders += [os.path.join(corpus, name) for name in sorted(os.listdir(corpus))]
    return [folder for folder in folders if os.path.isdir(folder)]


def made(scratch):
    """A folder with every dialog and situation."""
    folder = scratch.path("made")
    os.mkdir(folder)
    for name in dialog.names():
        wire.write_pcap(os.path.join(folder, name + ".pcap"), dialog.Dialog(name).packets())
    for situation in situations.SITUATIONS:
        situations.write(folder, situation)
    return folder


def cut_at(snaplen):
    def change(packets, _):
        return [wire.Packet(p.time, None, p.data[:snaplen]) for p in packets]
    return change


def missing(packets, chance):
    return [packet for packet in packets if chance.random() > 0.1]


def reordered(packets, chance):
    packets = list(packets)
    for _ in range(len(packets) // 4):
        a = chance.randrange(len(packets) - 1)
        packets[a], packets[a + 1] = packets[a + 1].again(packets[a].time), \
            packets[a].again(packets[a + 1].time)
    return packets


def damaged(packets, chance):
    """A wrong byte in every third packet, anywhere from the Ethernet type on."""
    out = []
    for packet in packets:
        data = bytearray(packet.data)
        if len(data) > 13 and chance.random() < 0.34:
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        out.append(wire.Packet(packet.time, None, bytes(data)))
    return out


CHANGES = {"snaplen-60": cut_at(60), "snaplen-96": cut_at(96), "snaplen-300": cut_at(300),
           "missing": missing, "reordered": reordered, "damaged": damaged}


def changed(paths, change, folder):
    os.mkdir(folder)
    for path in paths:
        try:
            link, packets = wire.read_pcap(path)
        except ValueError:
            continue  # pcapng and the like
        if len(packets) > 1:
            chance = random.Random(os.path.basename(path))
            wire.write_pcap(os.path.join(folder, os.path.basename(path)),
                            change(packets, chance), link=link)


def verdict(report, name, run):
    lines = [run.crash()] if run.crash() else harness.keep_events(run)
    report.verdict(name, lines or ([] if run.sessions else ["no session at all"]))


def main():
    report = harness.Report("robust")
    with harness.Scratch() as scratch:
        folders = as_they_are() + [made(scratch)]
        runs = harness.mxtap_all([[*ALL_PORTS, "-r", folder] for folder in folders])
        for folder, run in zip(folders, runs):
            verdict(report, os.path.basename(folder), run)
        paths = [path for folder in folders for path in harness.captures(folder)]
        for name, change in CHANGES.items():
            folder = scratch.path(name)
            changed(paths, change, folder)
            verdict(report, name, harness.mxtap(*ALL_PORTS, "-r", folder))
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
