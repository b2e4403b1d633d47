# SPDX-License-Identifier: BSD-2-Clause
"""One capture: tcpdump around a scene, the truth as the clients told it, and a check that the
file holds each of these sessions from SYN to FIN or RST, and nothing else."""
import json
import os
import shutil
import subprocess
import time

from net import SERVERS, run

#: the keys of a line of truth.jsonl, in order; null is what the client did not report. staged:
#: the findings that the scene was made to show (a list, empty for its harmless twin), or null
KEYS = ("file", "client", "client_port", "server", "server_port", "reported_by", "outcome",
        "starttls", "established", "version", "cipher", "group", "resumed", "alert",
        "messages_in_clear", "auth_in_clear", "staged", "note")


class Capture:
    """A with-block during which packets of one device are recorded."""

    def __init__(self, book, name, ns=SERVERS, dev="s0", expression="tcp", options=(),
                 finish=None, partial=False, no_check=False, gaps=False):
        self.book, self.name, self.ns, self.dev = book, name, ns, dev
        self.expression, self.options = expression, options
        self.finish, self.partial, self.no_check = finish, partial, no_check
        self.raw = os.path.join(book.work, "raw-" + name.split(".")[0] + ".pcap")
        self.gaps = gaps
        self.truth = []

    def __enter__(self):
        self.dump = subprocess.Popen(
            ["ip", "netns", "exec", self.ns, "tcpdump", "-i", self.dev, "-w", self.raw, "-Z",
             "root", "--immediate-mode", "-U", "-B", "16384", *self.options, self.expression],
            stderr=subprocess.PIPE, text=True)
        while True:
            line = self.dump.stderr.readline()
            if not line:
                raise RuntimeError(f"{self.name}: tcpdump did not start")
            if "listening on" in line:
                break
        return self

    def session(self, **facts):
        """Note one TCP session in the words of its client."""
        unknown = set(facts) - set(KEYS)
        if unknown:
            raise RuntimeError(f"{self.name}: unknown keys {unknown}")
        line = {key: facts.get(key) for key in KEYS}
        line["file"] = self.name
        self.truth.append(line)

    def __exit__(self, kind, *_):
        time.sleep(1)
        self.dump.terminate()
        summary = self.dump.communicate()[1]
        if kind is not None:
            return
        if "\n0 packets dropped by kernel" not in "\n" + summary:
            raise RuntimeError(f"{self.name}: packets were dropped: {summary}")
        if not self.no_check:
            self.check()
        if self.finish:
            self.finish(self.raw, os.path.join(self.book.directory, self.name))
        else:
            shutil.copy(self.raw, os.path.join(self.book.directory, self.name))
        os.chmod(os.path.join(self.book.directory, self.name), 0o644)
        self.book.enter(self.name, self.truth)
        print(f"{self.name}: {len(self.truth)} sessions", flush=True)

    def flows(self):
        """(address, port) of each client -> what its flow has of SYN, FIN of both, RST."""
        lines = run("tshark", "-n", "-r", self.raw, "-T", "fields", "-E", "separator=,", "-e",
                    "ip.src", "-e", "ipv6.src", "-e", "tcp.srcport", "-e", "ip.dst", "-e",
                    "ipv6.dst", "-e", "tcp.dstport", "-e", "tcp.flags", "-Y", "tcp").splitlines()
        flows, clients = {}, set()
        for line in lines:
            if line.startswith("Running as"):
                continue
            src4, src6, sport, dst4, dst6, dport, flags = line.split(",")
            flags = int(flags, 16)
            src, dst = (src4 or src6, int(sport)), (dst4 or dst6, int(dport))
            if flags & 0x12 == 0x02:
                clients.add(src)
                flows.setdefault(src, set()).add("syn")
            client = src if src in clients else dst
            marks = flows.setdefault(client, set())
            if flags & 0x04:
                marks.add("rst")
            if flags & 0x01:
                marks.add("fin-client" if client == src else "fin-server")
        return flows

    def check(self):
        flows = self.flows()
        told = {(t["client"], t["client_port"]) for t in self.truth}
        if told != set(flows):
            raise RuntimeError(f"{self.name}: only told: {told - set(flows)}; only captured: "
                               f"{set(flows) - told}")
        if self.partial:
            return
        if not self.gaps:
            holes = run("tshark", "-n", "-r", self.raw, "-Y",
                        "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment", "-T",
                        "fields", "-e", "frame.number").splitlines()
            if [line for line in holes if not line.startswith("Running")]:
                raise RuntimeError(f"{self.name}: segments are missing at frames {holes}")
        for client, marks in flows.items():
            whole = "syn" in marks and ("rst" in marks or {"fin-client", "fin-server"} <= marks)
            if not whole:
                raise RuntimeError(f"{self.name}: {client} is not whole: {sorted(marks)}")


class Book:
    """The directory of the captures and its truth.jsonl."""

    def __init__(self, directory, work):
        self.directory, self.work = directory, work
        self.path = os.path.join(directory, "truth.jsonl")
        self.lines = []
        os.makedirs(directory, exist_ok=True)
        os.makedirs(work, exist_ok=True)
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                self.lines = [json.loads(line) for line in file]

    def enter(self, name, truth):
        self.lines = [line for line in self.lines if line["file"] != name] + truth
        self.write()

    def write(self):
        self.lines.sort(key=lambda line: line["file"])
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            for line in self.lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        os.rename(self.path + ".new", self.path)

    def capture(self, name, **options):
        return Capture(self, name, **options)
