# SPDX-License-Identifier: BSD-2-Clause
"""Record the scenes named, or all: record.py TOP PCAPS [-l | SCENE ...]"""
import re
import sys

import clients
import net
import pki
import servers
from capture import Book

MODULES = ("scenes_basic", "scenes_tls", "scenes_failure", "scenes_plain", "scenes_net",
           "scenes_mta", "scenes_attack", "scenes_survey")


class Recorder:
    """What a scene gets: the book to write captures into, and the clients."""

    def __init__(self, top, directory):
        self.top = top
        self.book = Book(directory, top + "/work")
        self.capture = self.book.capture
        self.openssl = clients.OpenSSL(top)
        self.openssl35 = clients.OpenSSL(top, "opensmtpd7")
        self.gnutls = clients.GnuTLS()
        self.swaks = clients.Swaks(top)
        self.servers = {}


    def ports_seen(self, server, client):
        """The source ports of a client, in order, as the log of a server has them."""
        with open(self.servers[server].log, errors="replace") as file:
            return [int(port) for port in re.findall(
                r" connect from \S*\[" + re.escape(client) + r"\]:(\d+)", file.read())]


def scenes():
    found = {}
    for module in MODULES:
        for scene in __import__(module).SCENES:
            found[scene.__name__] = scene
    return found


def main():
    top, directory, *wanted = sys.argv[1:]
    known = scenes()
    if wanted == ["-l"]:
        for name, scene in known.items():
            print(f"{name:24} {(scene.__doc__ or '').splitlines()[0]}")
        return
    for name in wanted:
        if name not in known:
            sys.exit(f"record: no scene {name}; -l lists them")
    pki.make(top + "/pki")
    net.setup()
    recorder = Recorder(top, directory)
    recorder.servers = servers.start_all(top)
    failed = []
    try:
        for name in wanted or known:
            try:
                known[name](recorder)
            except Exception as error:  # the other scenes are still wanted
                failed.append(name)
                print(f"{name}: {str(error)[-1500:]}", file=sys.stderr, flush=True)
    finally:
        for server in recorder.servers.values():
            server.stop()
        net.teardown()
    if failed:
        sys.exit("record: failed: " + " ".join(failed))


main()
