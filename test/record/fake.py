# SPDX-License-Identifier: BSD-2-Clause
"""Servers that are scripts, for what no real server does."""
import socket
import threading

from clients import inside
from net import SERVERS


class FakeServer:
    """with FakeServer(address, port, talk): talk(connection) serves each in a thread."""

    def __init__(self, address, port, talk, ns=SERVERS):
        with inside(ns):
            self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, port))
        self.sock.listen(16)
        self.talk = talk
        self.threads = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            connection.settimeout(15)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _serve(self, connection):
        try:
            self.talk(Peer(connection))
        except OSError:
            pass
        finally:
            connection.close()

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join(10)
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Peer:
    """A connection, with lines."""

    def __init__(self, sock):
        self.sock, self.pending = sock, b""

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")

    def line(self):
        while b"\n" not in self.pending:
            data = self.sock.recv(65536)
            if not data:
                raise OSError("closed")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode("utf-8", "replace").rstrip("\r")

    def bytes(self, minimum=1):
        while len(self.pending) < minimum:
            data = self.sock.recv(65536)
            if not data:
                raise OSError("closed")
            self.pending += data
        data, self.pending = self.pending, b""
        return data


def smtp(name, keywords, starttls, banner=None, greeting=None):
    """The talk of a small mail server; starttls(peer) is called after STARTTLS."""
    def talk(peer):
        peer.send(banner or f"220 {name} ESMTP")
        while True:
            line = peer.line()
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb in ("EHLO", "LHLO"):
                lines = [greeting or name, *keywords]
                peer.send("\r\n".join(f"250{'-' if n + 1 < len(lines) else ' '}{text}"
                                      for n, text in enumerate(lines)))
            elif verb in ("STARTTLS", "X-ANONYMOUSTLS") and starttls:
                if starttls(peer):
                    return
            elif verb == "STARTTLS":
                peer.send("502 5.5.1 Command not implemented")
            elif verb == "DATA":
                peer.send("354 Go ahead")
                while peer.line() != ".":
                    pass
                peer.send("250 2.0.0 Ok")
            elif verb == "QUIT":
                peer.send("221 2.0.0 Bye")
                return
            else:
                peer.send("250 2.0.0 Ok")
    return talk
