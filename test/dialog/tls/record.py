#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Records the handshakes of this folder: openssl s_server and s_client with a relay between them that
writes down each record. `record.py [NAME ...]`; without names all of them are made again.

A file has one TLS record per line (or "fin", "rst"), in the order in which they passed:
"C 1603010200010001fc..." was sent by the client, "S ..." by the server. Its comments say how it
was made and what the client itself reported.
"""
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import ssl2hello

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = 0.25  # seconds without a byte: both sides wait
OLD = ["-cipher", "ALL:@SECLEVEL=0"]
TLS12, TLS13 = ["-tls1_2"], ["-tls1_3"]
CLIENT_CERTIFICATE = ["-cert", "client.pem", "-key", "client.key"]
TRUST = ["-CAfile", "ca.pem", "-verify_return_error"]
MANY_PROTOCOLS = ",".join("x-protocol-of-a-large-hello-%02d" % number for number in range(45))

# name: options of the server, options of the client, what is special
SCENES = {
    "tls10": (OLD, OLD + ["-tls1"], ""),
    "tls11": (OLD, OLD + ["-tls1_1"], ""),
    "tls12": (OLD, TLS12, ""),
    "tls12-by-server": (TLS12, [], ""),
    "tls12-rsa": ([], TLS12 + ["-cipher", "AES128-SHA"], ""),
    "tls12-dhe": ([], TLS12 + ["-cipher", "DHE-RSA-AES256-SHA256"], ""),
    "tls12-ticket": ([], TLS12, "resumed"),
    "tls12-session": (["-no_ticket"], TLS12 + ["-no_ticket"], "resumed"),
    "tls12-client-certificate": (["-Verify", "1", *TRUST], TLS12 + CLIENT_CERTIFICATE, ""),
    "tls12-untrusted": ([], TLS12 + ["-verify_return_error"], ""),
    "tls13": ([], [], ""),
    "tls13-aes128": ([], ["-ciphersuites", "TLS_AES_128_GCM_SHA256"], ""),
    "tls13-ccm8": (["-ciphersuites", "TLS_AES_128_CCM_8_SHA256"],
                   ["-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], ""),
    "tls13-retry": (["-groups", "P-384"], ["-groups", "X25519:P-384"], ""),
    "tls13-psk": ([], [], "resumed"),
    "tls13-no-compatibility": (["-no_middlebox"], ["-no_middlebox"], ""),
    "tls13-large": ([], ["-alpn", MANY_PROTOCOLS], ""),
    "tls13-client-certificate": (["-Verify", "1", *TRUST], CLIENT_CERTIFICATE, ""),
    "tls13-no-ticket": (["-num_tickets", "0"], [], "leaves at once"),
    "tls13-untrusted": ([], ["-verify_return_error"], ""),
    "tls13-certificate-required": (["-Verify", "1", *TRUST], [], ""),
    "tls13-certificate-refused": (["-Verify", "1", *TRUST],
                                  ["-cert", "other.pem", "-key", "other.key"], ""),
    "tls12-fallback": (TLS12, ["-no_tls1_3", "-fallback_scsv"], ""),
    "alert-fallback": ([], ["-no_tls1_3", "-fallback_scsv"], ""),
    "alert-protocol-version": (TLS12, OLD + ["-tls1"], ""),
    "alert-no-cipher": (TLS12 + ["-cipher", "AES128-SHA"], TLS12 + ["-cipher", "ECDHE"], ""),
    "ssl2-hello": (["-cipher", "NULL-SHA256:@SECLEVEL=0"], [], "own client"),
}


def openssl(*args, **options):
    return subprocess.run(["openssl", *args], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options).stdout


def make_keys(folder):
    """An authority with a server and a client, and a client that nobody knows."""
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "36500"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj",
            "/CN=Example Test Authority", cwd=folder)
    openssl("req", "-x509", *key, "-keyout", "other.key", "-out", "other.pem", "-subj",
            "/CN=nobody.example.org", cwd=folder)
    for name, host in (("server", "mx.example.net"), ("client", "mail.example.org")):
        openssl("req", "-x509", *key, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout",
                name + ".key", "-out", name + ".pem", "-subj", "/CN=" + host, "-addext",
                "subjectAltName=DNS:" + host, "-addext", "basicConstraints=critical,CA:FALSE",
                cwd=folder)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Relay:
    """Carries one connection from client to server and keeps its records."""

    def __init__(self, listener, server_port):
        self.ends = {"C": listener.accept()[0]}
        self.ends["S"] = socket.create_connection(("127.0.0.1", server_port))
        self.pending = {"C": b"", "S": b""}
        self.lines = []
        self.open = {"C", "S"}

    def until_quiet(self):
        while self.open:
            ready = select.select([self.ends[side] for side in self.open], [], [], QUIET)[0]
            if not ready:
                return
            for side in sorted(self.open):
                if self.ends[side] in ready:
                    self.carry(side)

    def carry(self, side):
        peer = self.ends["S" if side == "C" else "C"]
        try:
            data = self.ends[side].recv(65536)
        except ConnectionResetError:
            self.lines.append(side + " rst")
            self.open.discard(side)
            return
        if not data:
            self.lines.append(side + " fin")
            self.open.discard(side)
        self.note(side, data)
        try:
            if data:
                peer.sendall(data)
            else:
                peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has left; what it would have got was sent all the same

    def note(self, side, data):
        """Cut whole records off; an SSLv2-format hello comes first or not at all."""
        data = self.pending[side] + data
        while len(data) >= 5:
            ssl2 = data[0] & 0x80
            size = 2 + ((data[0] & 0x7f) << 8 | data[1]) if ssl2 else 5 + (data[3] << 8 | data[4])
            if len(data) < size:
                break
            self.lines.append("%s %s" % (side, data[:size].hex()))
            data = data[size:]
        self.pending[side] = data


def talk(relay, client, server, leaves_at_once):
    """After the handshake: EHLO and QUIT inside TLS, as far as both sides live."""
    turns = [(client, b"EHLO mail.example.org\r\n"), (server, b"250 mx.example.net\r\n"),
             (client, b"quit\r\n"), (server, b"221 bye\r\n")]
    relay.until_quiet()
    for process, text in [] if leaves_at_once else turns:
        if len(relay.open) == 2:
            process.stdin.write(text)
            process.stdin.flush()
            relay.until_quiet()
    client.stdin.close()
    for _ in range(4):
        relay.until_quiet()


def start(kind, folder, *args):
    return subprocess.Popen(["openssl", kind, *args], cwd=folder, stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def connect(folder, listener, server, server_port, options, leaves_at_once=False):
    port = str(listener.getsockname()[1])
    client = start("s_client", folder, "-connect", "127.0.0.1:" + port, "-brief", "-servername",
                   "mx.example.net", *options)
    relay = Relay(listener, server_port)
    talk(relay, client, server, leaves_at_once)
    client.wait(10)
    return relay.lines, client.stderr.read().decode()


def own_client(listener, server_port, folder, server):
    with socket.create_connection(listener.getsockname()) as client:
        relay = Relay(listener, server_port)
        reported = ssl2hello.talk(client, relay.until_quiet, os.path.join(folder, "server.pem"))
        relay.until_quiet()
        server.stdin.write(b"250 mx.example.net\r\n")
        server.stdin.flush()
        relay.until_quiet()
    relay.until_quiet()
    return relay.lines, reported


def standard_name(report):
    """The client's report in one line, the cipher by its IANA name."""
    fields = dict(line.split(": ", 1) for line in report.splitlines() if ": " in line)
    version, cipher = fields.get("Protocol version"), fields.get("Ciphersuite")
    if not version:
        return "no handshake"
    for line in openssl("ciphers", "-stdname", "ALL:eNULL:@SECLEVEL=0").splitlines():
        iana, _, name = line.split()[:3]
        if cipher in (iana, name):
            return "%s %s" % (version, iana)
    return "%s %s" % (version, cipher)


def record(name, folder):
    server_options, client_options, special = SCENES[name]
    port = free_port()
    server = start("s_server", folder, "-accept", str(port), "-quiet", "-cert", "server.pem",
                   "-key", "server.key", *server_options)
    time.sleep(0.3)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            if special == "own client":
                return own_client(listener, port, folder, server)
            if special == "resumed":
                session = os.path.join(folder, name + ".session")
                connect(folder, listener, server, port, client_options + ["-sess_out", session])
                client_options = client_options + ["-sess_in", session]
            return connect(folder, listener, server, port, client_options,
                           special == "leaves at once")
    finally:
        server.kill()
        server.wait()


def write(name, lines, report):
    server_options, client_options, special = SCENES[name]
    with open(os.path.join(HERE, name + ".hex"), "w") as file:
        client = "ssl2hello.py" if special == "own client" else "openssl s_client"
        file.write("# " + " ".join(["openssl s_server", *server_options]) + "\n")
        file.write("# " + " ".join([client, *client_options]) + "\n")
        file.write("# client: %s%s\n" % (standard_name(report),
                                         ", " + special if special else ""))
        file.write("".join(line + "\n" for line in lines))


def main(names):
    folder = tempfile.mkdtemp()
    try:
        make_keys(folder)
        for name in names or SCENES:
            lines, report = record(name, folder)
            write(name, lines, report)
            print("%s: %d records, %s" % (name, len(lines), standard_name(report)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
