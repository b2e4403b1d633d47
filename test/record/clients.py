# SPDX-License-Identifier: BSD-2-Clause
"""The clients. Each returns what it said itself: version, cipher, failure. The source port is
bound where the client can, else left with a range of one port."""
import ctypes
import os
import re
import socket
import ssl
import subprocess
import threading
import time

import names
import net
from net import CLIENTS

_libc = ctypes.CDLL(None, use_errno=True)
_port = [40000]


_port_lock = threading.Lock()


def next_port():
    with _port_lock:
        _port[0] += 1
        return _port[0]


def next_ports(count):
    """The first of a range, for a client of several connections."""
    with _port_lock:
        first = _port[0] + 1
        _port[0] += count
        return first


class inside:
    """with inside(ns): sockets made here belong to that network namespace."""

    def __init__(self, ns):
        self.ns = ns

    def _enter(self, path):
        with open(path) as file:
            if _libc.setns(file.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns " + path)

    def __enter__(self):
        self.home = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        self.back = os.open(self.home, os.O_RDONLY)
        self._enter("/run/netns/" + self.ns)

    def __exit__(self, *_):
        _libc.setns(self.back, 0x40000000)
        os.close(self.back)


def connect(client, server, port, client_port=None, timeout=10, ns=CLIENTS):
    """A TCP connection of a script; (socket, source port)."""
    client_port = client_port or next_port()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with inside(ns):
        sock = socket.socket(family)
    sock.settimeout(timeout)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((client, client_port))
    sock.connect((server, port))
    return sock, client_port


class Reader:
    """Collects what a process prints, so that a dialog can wait for it."""

    def __init__(self, stream):
        self.text = ""
        self.done = False
        self.changed = threading.Condition()
        threading.Thread(target=self._run, args=(stream,), daemon=True).start()

    def _run(self, stream):
        while True:
            data = os.read(stream.fileno(), 65536)
            with self.changed:
                self.text += data.decode("utf-8", "replace")
                self.done = not data
                self.changed.notify_all()
            if not data:
                return

    def wait(self, predicate, timeout=10):
        """Until predicate(text) or the end; whether it came true."""
        with self.changed:
            self.changed.wait_for(lambda: predicate(self.text) or self.done, timeout)
            return bool(predicate(self.text))


def replies(text):
    return len(re.findall(r"^\d{3}(?: |\r?$)", text, re.M))


def drive(process, talk, ready):
    """Send the lines of talk, each after the reply to the one before; the whole output."""
    reader = Reader(process.stdout)
    if reader.wait(ready):
        time.sleep(0.15)
        for line in talk:
            before = replies(reader.text)
            try:
                process.stdin.write(line.encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                break
            if not reader.wait(lambda text: replies(text) > before, 5):
                break
    if talk:
        reader.wait(lambda _: False, 3)
    try:
        process.stdin.close()
    except BrokenPipeError:
        pass
    reader.wait(lambda _: False, 5)
    process.kill()
    process.wait()
    return reader.text


def host(address):
    return f"[{address}]" if ":" in address else address


# --- openssl s_client ----------------------------------------------------------------------------

def openssl_facts(output):
    """What s_client printed, as facts of a session."""
    facts = {"established": False, "outcome": "tls_failed"}
    new = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)", output, re.M)
    # what it sends after that line is only its complaint about an end without close_notify
    written = re.search(r"alert write:fatal:(.*)", output[:new.start()] if new else output)
    read = re.search(r"alert read:fatal:(.*)", output)
    number = re.search(r"SSL alert number (\d+)", output)
    if read and number:
        facts["alert"] = names.alert_number("server", int(number[1]))
    elif written:
        facts["alert"] = names.alert("client", written[1].strip())
    if not new or new[2] == "(NONE)":
        return facts
    version = re.findall(r"^\s+Protocol\s*: (\S+)", output, re.M)
    facts["version"] = new[2] if new[2] == "TLSv1.3" else (version or [None])[-1]
    facts["cipher"] = names.openssl_cipher(new[3])
    facts["resumed"] = new[1] == "Reused"
    key = re.search(r"^(?:Server|Peer) Temp Key: (.*)", output, re.M)
    negotiated = re.search(r"^Negotiated TLS1.3 group: (\S+)", output, re.M)
    if negotiated and negotiated[1] != "<NULL>":
        facts["group"] = names.group(negotiated[1])
    elif key and key[1].startswith("DH"):
        if facts["version"] == "TLSv1.3":
            facts["group"] = "ffdhe" + key[1].split()[1]
    elif key:
        facts["group"] = names.group(key[1].replace("ECDH, ", "").split(",")[0])
    # its -state tells whether the server took its Finished before an alert came
    taken = "read server session ticket" if facts["version"] == "TLSv1.3" else "read finished"
    if not written and (not read or taken in output[:read.start()]):
        facts.update(established=True, outcome="tls")
        if read:
            facts["note"] = "the alert comes after the handshake"
    return facts


class OpenSSL:
    """openssl s_client; root: that of another Debian whose openssl is to be used."""

    def __init__(self, top, root=None):
        self.top, self.root = top, root
        base = f"{top}/{root}" if root else top
        self.version = net.run(*(["chroot", base] if root else []), "openssl",
                               "version").split()[:2]
        self.version = " ".join(self.version)
        self.config = (f"{base}/etc/ssl/record.cnf" if root else f"{top}/record-openssl.cnf")
        with open(self.config, "w") as file:
            from servers import OPENSSL_CNF
            file.write(OPENSSL_CNF)

    def argv(self, ns):
        config = "/etc/ssl/record.cnf" if self.root else self.config
        start = ["chroot", f"{self.top}/{self.root}"] if self.root else []
        return ["ip", "netns", "exec", ns, *start, "env", "OPENSSL_CONF=" + config,
                "openssl", "s_client", "-nocommands", "-crlf", "-state"]

    def session(self, capture, server, *args, port=25, client="192.0.2.10",
                helo="mail.example.org", starttls="smtp", talk=("QUIT",), ns=CLIENTS, **facts):
        """One session; facts overrule what is taken from the output. Returns the output."""
        client_port = next_port()
        argv = self.argv(ns) + ["-connect", f"{host(server)}:{port}", "-bind",
                              f"{host(client)}:{client_port}"]
        if starttls:
            argv += ["-starttls", starttls, "-name", helo]
        process = subprocess.Popen([*argv, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        output = drive(process, talk, lambda text: "Verify return code" in text)
        told = {"starttls": "accepted" if starttls else "implicit", **openssl_facts(output)}
        told.update(facts)
        capture.session(client=client, client_port=client_port, server=server, server_port=port,
                        reported_by=self.version + " s_client", **told)
        return output


# --- gnutls-cli ----------------------------------------------------------------------------------

def gnutls_facts(output):
    facts = {"established": False, "outcome": "tls_failed"}
    received = re.search(r"Received alert \[(\d+)\]: (.*)", output)
    if received and "Fatal error" in output:
        facts["alert"] = names.alert_number("server", int(received[1]))
    description = re.search(r"^- Description: (.*)", output, re.M)
    if not description:
        return facts
    key = re.search(r"^ - subject .*, (RSA|EC/ECDSA) key ", output, re.M)
    facts["version"], facts["cipher"], facts["group"] = names.gnutls_session(
        description[1], key and key[1].split("/")[-1])
    facts["resumed"] = "*** This is a resumed session" in output
    if "- Handshake was completed" in output and "alert" not in facts:
        facts.update(established=True, outcome="tls")
    return facts


class GnuTLS:
    def __init__(self):
        self.version = "gnutls-cli " + net.run("gnutls-cli", "--version").split()[1]

    def session(self, capture, server, priority, *args, port=25, client="192.0.2.10",
                starttls=True, talk=("EHLO mail.example.org", "QUIT"), ca=None, **facts):
        client_port = next_port()
        net.source(server, client)
        net.source_ports(client_port)
        argv = ["ip", "netns", "exec", CLIENTS, "gnutls-cli", "--crlf", "--priority", priority,
                "-p", str(port), *(["--x509cafile", ca] if ca else ["--no-ca-verification"])]
        if starttls:
            argv.append("--starttls-proto=smtp")
        process = subprocess.Popen([*argv, *args, server], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = drive(process, talk, lambda text: "Simple Client Mode" in text)
        net.source_ports_free()
        told = {"starttls": "accepted" if starttls else "implicit", **gnutls_facts(output)}
        told.update(facts)
        capture.session(client=client, client_port=client_port, server=server, server_port=port,
                        reported_by=self.version, **told)
        return output


# --- swaks ---------------------------------------------------------------------------------------

def swaks_facts(output):
    """Swaks prints the whole dialog: -> what it sent, <- what it got, ~> and <~ under TLS."""
    facts = {"established": None}
    offered = re.search(r"^<[-*]+\s+250[ -]STARTTLS", output, re.M)
    asked = re.search(r"^ -> STARTTLS", output, re.M)
    answer = re.search(r"^ -> STARTTLS\n<(?:-|\*\*)\s+(\d{3})", output, re.M)
    facts["starttls"] = "not_offered" if not offered else "offered"
    if asked:
        facts["starttls"] = {None: "requested", "220": "accepted"}.get(
            answer and answer[1], "refused")
    tls = re.search(r"^=== TLS started with cipher (\S+?):(\S+?):", output, re.M)
    failed = re.search(r"^\*\*\* TLS startup failed", output, re.M)
    contents = len(re.findall(r"^<-  354", output, re.M)) + \
        len(re.findall(r"^ -> BDAT [1-9]", output, re.M))
    facts["messages_in_clear"] = contents
    if tls:
        facts.update(established=True, outcome="tls", version=tls[1],
                     cipher=names.openssl_cipher(tls[2]))
    elif failed:
        facts.update(established=False, outcome="tls_failed")
    else:
        facts.update(established=False, outcome="no_mail")
    auth = re.search(r"^ -> AUTH (\S+)", output, re.M)
    if auth:
        facts["auth_in_clear"] = auth[1]
    if contents:
        facts["outcome"] = "plaintext"
    return facts


class Swaks:
    def __init__(self, top):
        self.top = top
        self.version = net.run("swaks", "--version").splitlines()[0].split("version ")[-1]

    def session(self, capture, server, *args, port=25, client="192.0.2.10",
                helo="mail.example.org", implicit=False, ns=CLIENTS, sender="anna@example.org",
                to="bob@example.net", **facts):
        client_port = next_port()
        output = net.run(
            "ip", "netns", "exec", ns, "env", f"OPENSSL_CONF={self.top}/record-openssl.cnf",
            "swaks", "--server", server, "--port", str(port), "--local-interface", client,
            "--local-port", str(client_port), "--helo", helo, "--timeout", "10", "--from",
            sender, "--to", to, "--header", "Message-Id: <1@" + helo +
            ">", "--header", "X-Mailer: swaks", *args, check=False)
        told = swaks_facts(output)
        if implicit:
            told["starttls"] = "implicit"
        told.update(facts)
        capture.session(client=client, client_port=client_port, server=server, server_port=port,
                        reported_by="swaks " + self.version, **told)
        return output


# --- Python's ssl -------------------------------------------------------------------------------

def tls_context(low=None, high=None, ciphers="ALL:@SECLEVEL=0"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = low or ssl.TLSVersion.MINIMUM_SUPPORTED
    if high:
        context.maximum_version = high
    return context


class Steps:
    """A TLS client that works in memory, so that a scene can say when which bytes are sent."""

    def __init__(self, context, server_name=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)

    def step(self, data=b""):
        """Take what the server sent, give what is to be sent."""
        if data:
            self.incoming.write(data)
        try:
            self.tls.do_handshake()
            self.complete = True
        except ssl.SSLWantReadError:
            self.complete = False
        return self.outgoing.read()

    def send(self, data):
        self.tls.write(data)
        return self.outgoing.read()

    def facts(self):
        """What Python's ssl says it negotiated."""
        return python_facts(self.tls)


def python_facts(tls):
    return {"established": True, "outcome": "tls", "version": tls.version(),
            "cipher": names.openssl_cipher(tls.cipher()[0]), "resumed": tls.session_reused}


# --- scripts -------------------------------------------------------------------------------------

class Dialog:
    """A client that is a script: it says and hears exactly what a scene wants."""

    def __init__(self, server, port=25, client="192.0.2.10", ns=CLIENTS, client_port=None):
        self.client, self.server, self.port = client, server, port
        self.sock, self.client_port = connect(client, server, port, client_port, ns=ns)
        self.pending = b""

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode() + b"\r\n")

    def read(self):
        """One whole reply, as text; "" at the end of the connection."""
        lines = []
        while True:
            while b"\n" not in self.pending:
                try:
                    data = self.sock.recv(65536)
                except OSError:
                    data = b""
                if not data:
                    return "\n".join(lines)
                self.pending += data
            line, self.pending = self.pending.split(b"\n", 1)
            lines.append(line.decode("utf-8", "replace").rstrip("\r"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def say(self, line):
        self.send(line)
        return self.read()

    def drain(self, timeout=2):
        """All that still comes, as bytes."""
        self.sock.settimeout(timeout)
        data = self.pending
        try:
            while True:
                more = self.sock.recv(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass
        self.pending = b""
        return data

    def handshake(self, steps, first=None):
        """A whole handshake, for a server that takes it; the facts."""
        self.send(first if first is not None else steps.step())
        while not getattr(steps, "complete", False):
            data = self.pending or self.sock.recv(65536)
            self.pending = b""
            answer = steps.step(data)
            if answer:
                self.send(answer)
        return steps.facts()

    def quit_tls(self, steps):
        """QUIT under TLS, to the end."""
        self.send(steps.send(b"QUIT\r\n"))
        self.drain(3)
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """End with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def note(self, capture, **facts):
        facts.setdefault("reported_by", "script")
        capture.session(client=self.client, client_port=self.client_port, server=self.server,
                        server_port=self.port, **facts)
