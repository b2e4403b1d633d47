#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""send.py INTERFACE [--vary] SECONDS RATE FILE ...: the frames of captures, again and again (0 seconds: once), RATE a second
(0: as fast as it goes). --vary: in each round from and to other addresses, but for captures named *again*. Prints how many."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import wire  # noqa: E402

BATCH = 50  # frames between two looks at the clock


def other(frame, turn):
    """The frame between other addresses of IPv4, the same for both directions; mxtap minds no checksums."""
    if frame[12:14] != b"\x08\0" or frame[26] == 127:
        return frame
    high, low = turn >> 8 & 255, turn & 255
    return frame[:27] + bytes((frame[27] ^ high, frame[28] ^ low)) + frame[29:31] + bytes((frame[31] ^ high, frame[32] ^ low)) + frame[33:]


def main(interface, *args):
    vary = args[0] == "--vary"
    seconds, rate, *paths = args[vary:]
    frames, steady = [], []
    for path in paths:
        try:
            link, packets = wire.read_pcap(path)
        except ValueError:
            continue
        fit = [packet.data for packet in packets if link == wire.ETHERNET and 34 <= len(packet.data) <= 1514]
        frames += fit
        steady += [not vary or "again" in os.path.basename(path)] * len(fit)
    wanted = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wanted.bind((interface, 0))
    began, sent, turn = time.monotonic(), 0, 0
    while frames:
        turn += 1
        for at in range(0, len(frames), BATCH):
            for n, frame in enumerate(frames[at:at + BATCH], at):
                wanted.send(frame if steady[n] else other(frame, turn))
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
