#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""send.py INTERFACE SECONDS RATE FILE ...: the frames of captures, again and again (0 seconds: once), RATE a second
(0: as fast as it goes). Prints how many."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import wire  # noqa: E402

BATCH = 50  # frames between two looks at the clock


def main(interface, seconds, rate, *paths):
    frames = []
    for path in paths:
        try:
            link, packets = wire.read_pcap(path)
        except ValueError:
            continue
        frames += [packet.data for packet in packets if link == wire.ETHERNET and len(packet.data) <= 1514]
    wanted = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wanted.bind((interface, 0))
    began, sent = time.monotonic(), 0
    while frames:
        for at in range(0, len(frames), BATCH):
            for frame in frames[at:at + BATCH]:
                wanted.send(frame)
            sent += len(frames[at:at + BATCH])
            late = time.monotonic() - began
            if float(rate) and sent / float(rate) > late:
                time.sleep(sent / float(rate) - late)
            if float(seconds) and late > float(seconds):
                break
        if not float(seconds) or time.monotonic() - began > float(seconds):
            break
    print(sent)


if __name__ == "__main__":
    main(*sys.argv[1:])
