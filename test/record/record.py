# SPDX-License-Identifier: BSD-2-Clause
"""Record the scenes named, or all: record.py TOP PCAPS [-l | SCENE ...]"""
import os
import re
import ssl
import sys
import traceback

import clients
import mta
import net
import pki
import servers
from capture import Book

MODULES = ("scenes_basic", "scenes_tls", "scenes_failure", "scenes_plain", "scenes_net",
           "scenes_mta", "scenes_attack", "scenes_survey")


PACKAGES = (("Postfix", "postfix", "postfix"), ("Postfix of trixie", "postfix310", "postfix"),
            ("Exim", "exim", "exim4-daemon-heavy"), ("sendmail", "sendmail", "sendmail-bin"),
            ("OpenSMTPD", "opensmtpd6", "opensmtpd"),
            ("OpenSMTPD of trixie", "opensmtpd7", "opensmtpd"),
            ("Dovecot", "postfix", "dovecot-core"),
            ("OpenSSL of the servers", "postfix", "libssl3"),
            ("OpenSSL of trixie", "opensmtpd7", "libssl3t64"),
            ("GnuTLS of Exim", "exim", "libgnutls30"))


class Recorder:
    """What a scene gets: the book to write captures into, and the clients."""

    def __init__(self, top, directory):
        self.top = top
        self.book = Book(directory, top + "/scratch")
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


    def write_versions(self):
        """VERSIONS: the programs that the captures are from."""
        lines = [f"{what:28} {mta.version(self.top, root, package)}"
                 for what, root, package in PACKAGES]
        lines += [f"{'openssl s_client':28} {self.openssl.version.split()[1]}",
                  f"{'openssl s_client of trixie':28} {self.openssl35.version.split()[1]}",
                  f"{'gnutls-cli':28} {self.gnutls.version.split()[1]}",
                  f"{'swaks':28} {self.swaks.version}",
                  f"{'Python':28} {sys.version.split()[0]} with {ssl.OPENSSL_VERSION[:15].strip()}",
                  f"{'tcpdump':28} " + net.run("tcpdump", "--version").split()[2]]
        with open(os.path.join(self.book.directory, "VERSIONS"), "w") as file:
            file.write("\n".join(lines) + "\n")

    def check_readme(self):
        """Every capture has its line in README, and README names no other."""
        with open(os.path.join(self.book.directory, "README")) as file:
            named = set(re.findall(r"^  ([\w.-]+\.(?:pcap|pcapng|pcap\.\w+))(?: |$)", file.read(),
                                   re.M))
        there = {name for name in os.listdir(self.book.directory) if ".pcap" in name}
        for name in sorted(there ^ named):
            print(f"README: {name} is " + ("not named" if name in there else "not there"),
                  file=sys.stderr)


def scenes():
    found = {}
    for module in MODULES:
        for scene in __import__(module).SCENES:
            found[scene.__name__] = scene
    return found


def attempt(recorder, name, scene):
    """Play a scene; whether it succeeded. The other scenes are still wanted if not."""
    try:
        scene(recorder)
        return True
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-2:]
        print(f"{name}: {str(error)[-1500:]}\n" + "".join(traceback.format_list(where)),
              file=sys.stderr, flush=True)
        return False


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
            if not attempt(recorder, name, known[name]) and \
                    not attempt(recorder, name, known[name]):  # once more: it may be chance
                failed.append(name)
    finally:
        for server in recorder.servers.values():
            server.stop()
        net.teardown()
    if not wanted:
        recorder.write_versions()
    recorder.check_readme()
    if failed:
        sys.exit("record: failed: " + " ".join(failed))


main()
