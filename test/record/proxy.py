# SPDX-License-Identifier: BSD-2-Clause
"""A machine in the middle: takes the server's place towards the client and may change what passes
until TLS begins."""
import socket
import threading

from clients import inside, next_port
from net import MIDDLE

UPSTREAM_SOURCE = "203.0.113.254"


class Meddler:
    """Changes nothing; the attacks override it. One for each connection."""

    def client_line(self, proxy, line):
        """What the server gets for a line of the client; None: nothing."""
        return line

    def server_line(self, proxy, line):
        """What the client gets for a line of the server."""
        return line

    def client_hello(self, proxy, data):
        """What the server gets for the first bytes after the 220 to STARTTLS."""
        return data


class Connection:
    def __init__(self, client, upstream, meddler):
        self.client, self.meddler = client, meddler
        self.upstream_port = next_port()
        with inside(MIDDLE):
            self.server = socket.socket()
        self.server.bind((UPSTREAM_SOURCE, self.upstream_port))
        self.server.connect((upstream, 25))
        self.asked = self.raw = self.hello_seen = False
        self.threads = [threading.Thread(target=self._server_to_client, daemon=True),
                        threading.Thread(target=self._client_to_server, daemon=True)]
        for thread in self.threads:
            thread.start()

    def _lines(self, source, target, change):
        pending = b""
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            try:
                if self.raw:
                    if source is self.client and not self.hello_seen:
                        self.hello_seen = True
                        data = self.meddler.client_hello(self, data)
                    if data:
                        target.sendall(data)
                    continue
                pending += data
                whole, _, pending = pending.rpartition(b"\n")
                out = b""
                for line in whole.split(b"\n") if whole else ():
                    changed = change(self, line + b"\n")
                    out += changed or b""
                if out:
                    target.sendall(out)
            except OSError:
                break
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _client_to_server(self):
        def change(connection, line):
            if line.strip().upper() == b"STARTTLS":
                self.asked = True
            return self.meddler.client_line(connection, line)
        self._lines(self.client, self.server, change)

    def _server_to_client(self):
        def change(connection, line):
            out = self.meddler.server_line(connection, line)
            if self.asked:
                self.asked = False
                self.raw = line.startswith(b"220")
            return out
        self._lines(self.server, self.client, change)

    def reset(self):
        """Break both sides off."""
        for sock in (self.client, self.server):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()

    def join(self):
        for thread in self.threads:
            thread.join(10)
        self.client.close()
        self.server.close()


class Proxy:
    """with Proxy(address, choose): choose(number) -> (upstream address, Meddler) for each
    connection in turn."""

    def __init__(self, address, choose):
        with inside(MIDDLE):
            self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, 25))
        self.sock.listen(16)
        self.choose = choose
        self.connections = []
        self.client_ports = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                client, address = self.sock.accept()
            except OSError:
                return
            self.client_ports.append(address[1])
            upstream, meddler = self.choose(len(self.connections))
            self.connections.append(Connection(client, upstream, meddler))

    def __exit__(self, *_):
        for connection in self.connections:
            connection.join()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


# --- the attacks ---------------------------------------------------------------------------------

class Remove(Meddler):
    """STARTTLS is taken out of the EHLO reply."""

    def server_line(self, proxy, line):
        return b"" if line[4:].strip() == b"STARTTLS" else line


class Mask(Meddler):
    """STARTTLS becomes XXXXXXXA, as some firewalls do it; asked for all the same, XXXXXXXX."""

    def server_line(self, proxy, line):
        return line.replace(b"STARTTLS", b"XXXXXXXA")

    def client_line(self, proxy, line):
        return line.upper().replace(b"STARTTLS", b"XXXXXXXX") \
            if line.strip().upper() == b"STARTTLS" else line


class Refuse(Meddler):
    """The middle answers STARTTLS itself."""

    def client_line(self, proxy, line):
        if line.strip().upper() == b"STARTTLS":
            proxy.asked = False
            proxy.client.sendall(b"454 4.7.0 TLS not available due to local problem\r\n")
            return None
        return line


class InjectCommands(Meddler):
    """Commands behind STARTTLS in one segment (CVE-2011-0411)."""

    def client_line(self, proxy, line):
        if line.strip().upper() == b"STARTTLS":
            return line + b"RSET\r\nMAIL FROM:<mallory@example.com>\r\n"
        return line


class InjectReply(Meddler):
    """A reply behind the 220."""

    def server_line(self, proxy, line):
        if proxy.asked and line.startswith(b"220"):
            return line + b"250-mx.example.net\r\n250 AUTH PLAIN LOGIN\r\n"
        return line


class BreakHandshake(Meddler):
    """The hello is swallowed, the connection broken."""

    def client_hello(self, proxy, data):
        proxy.reset()
        return b""
