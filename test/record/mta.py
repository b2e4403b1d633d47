# SPDX-License-Identifier: BSD-2-Clause
"""Mail servers as clients: Postfix, Exim, sendmail and OpenSMTPD deliver a mail, and their logs say
how."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import names
import net
from clients import Dialog, next_port, next_ports
from net import CLIENTS, run
from servers import POSTFIX_MAIN, POSTFIX_MASTER, Server, postfix_instance, prepare, put

MESSAGE = ("From: anna@example.org\nTo: {to}\nSubject: {subject}\nDate: Mon, 26 Aug 2019 12:00:00"
           " +0000\n\nA short text about {subject}.\n")


def version(top, root, package):
    text = run("chroot", f"{top}/{root}", "dpkg-query", "-W", "-f", "${Version}", package)
    return re.sub(r"^\d+:|[-+].*", "", text)


def wait_until(found, timeout=60):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise RuntimeError("a log never said what was waited for")


#: the ports a client of several connections may choose from: few, to know them, but enough that
#: it hardly takes one twice
RANGE = 512


def ports_in(seen, first, count):
    ports = [number for number in seen if first <= number < first + RANGE]
    if len(set(ports)) != count or len(ports) != count:
        raise RuntimeError(f"the server saw the ports {ports}: try again")
    return ports


def plain_facts(starttls="not_offered", messages=1):
    return {"outcome": "plaintext", "starttls": starttls, "established": False,
            "messages_in_clear": messages}


class Log:
    """What is added to a file from now on."""

    def __init__(self, path):
        self.path = path
        self.offset = os.path.getsize(path) if os.path.exists(path) else 0

    def text(self):
        if not os.path.exists(self.path):
            return ""
        with open(self.path, errors="replace") as file:
            file.seek(self.offset)
            return file.read()


class PostfixClient:
    """A Postfix that only delivers. routes: domain -> "TRANSPORT:[ADDRESS]:PORT"; transports:
    name -> settings of that smtp(8); listen: more of master.cf, for one that takes mail as well."""

    def __init__(self, top, routes, transports=None, hostname="mail.example.org",
                 address="192.0.2.10", more="", listen=""):
        self.top, self.base = top, f"{top}/postfix"
        self.version = "Postfix " + version(top, "postfix", "postfix")
        master = POSTFIX_MASTER
        for name, settings in (transports or {}).items():
            master += f"{name} unix - - n - - smtp\n" + \
                "".join(f"    -o {{ {k} = {v} }}\n" for k, v in settings.items())
        master += listen
        put(self.base + "/etc/postfix-out-transport",
            "".join(f"{domain} {route}\n" for domain, route in routes.items()))
        main = POSTFIX_MAIN.format(
            hostname=hostname, interfaces="loopback-only",
            queue="/var/spool/postfix-out", data="/var/lib/postfix-out",
            log="/var/log/postfix-out.log",
            more="transport_maps = texthash:/etc/postfix-out-transport\n"
                 f"smtp_bind_address = {address}\n{more}\nsmtp_tls_security_level = may\n"
                 "smtp_tls_loglevel = 1\nsmtp_tls_protocols = >=TLSv1\nsmtp_tls_ciphers = low\n"
                 "smtp_connection_cache_on_demand = no\ninet_protocols = ipv4\n"
                 "smtp_tls_note_starttls_offer = yes\nminimal_backoff_time = 1s\n"
                 "maximal_backoff_time = 3000s\nqueue_run_delay = 3000s")
        main = main.replace("inet_protocols = all\n", "")
        directory = postfix_instance(self.base, "postfix-out", main, master)
        self.server = Server(top, "postfix", CLIENTS, ["postfix", "-c", directory, "start-fg"])
        self.path = self.base + "/var/log/postfix-out.log"
        wait_until(lambda: "daemon started" in Log.text(self._whole()))

    def _whole(self):
        log = Log(self.path)
        log.offset = 0
        return log

    def deliver(self, domains, subject="figures", recipient="bob", ports=1, sender=None):
        """Hand in a mail and wait until it is gone or deferred; (first port, log)."""
        first = next_ports(ports)
        net.source_ports(first, first + ports - 1)
        log = Log(self.path)
        to = [f"{recipient}@{domain}" for domain in domains]
        sender = sender or "anna@example.org"
        run("sh", "-c", f'printf "%s" "$0" | chroot "{self.base}" sendmail -C /etc/postfix-out -i '
            f'-f "{sender}" "$@"', MESSAGE.format(to=to[0], subject=subject), *to)
        wait_until(lambda: all(re.search(f"to=<{re.escape(one)}>.*status=", log.text())
                               for one in to))
        net.source_ports_free()
        # without what it did with mail of others
        return first, "".join(line for line in log.text().splitlines(True)
                              if "postfix/smtp[" in line)

    def session(self, capture, domain, server, client="192.0.2.10", port=25, **facts):
        """One mail over one connection."""
        options = {key: facts.pop(key) for key in ("subject", "recipient", "sender")
                   if key in facts}
        client_port, log = self.deliver([domain], **options)
        told = postfix_facts(log)
        told.update(facts)
        capture.session(client=client, client_port=client_port, server=server, server_port=port,
                        reported_by=self.version + " smtp", **told)
        return log

    def fallback(self, capture, domain, server, ports_of, client="192.0.2.10", port=25,
                 staged=None, **options):
        """One mail over three connections: the handshake fails and the mail waits in the queue;
        it fails again, and Postfix sends the mail in the clear at once. ports_of(): the ports
        that the server saw, in their order."""
        first, log = self.deliver([domain], ports=RANGE, **options)
        whole = Log(self.path)
        net.source_ports(first, first + RANGE - 1)
        time.sleep(1.5)
        run("chroot", self.base, "postqueue", "-c", "/etc/postfix-out", "-f")
        wait_until(lambda: re.search(f"to=<[^>]*@{re.escape(domain)}>.*status=", whole.text()))
        net.source_ports_free()
        if "Cannot start TLS" not in log + whole.text() or "status=sent" not in whole.text():
            raise RuntimeError(f"{domain}: no fallback in the log:\n{log}{whole.text()}")
        seen = ports_in(ports_of(), first, 3)
        common = {"client": client, "server": server, "server_port": port,
                  "reported_by": self.version + " smtp"}
        for number in seen[:2]:
            capture.session(client_port=number, outcome="tls_failed", starttls="accepted",
                            established=False, **common, staged=staged and [],
                            note="Cannot start TLS: handshake failure")
        capture.session(client_port=seen[2], **common, **plain_facts("offered"), staged=staged,
                        note="plaintext after the failure")

    def stop(self):
        self.server.stop()


def postfix_facts(log):
    tls = re.search(r"TLS connection established to \S+ (\S+) with cipher (\S+) \(\S+ bits\)"
                    r"(?: key-exchange (?:ECDHE \()?([\w-]+))?", log)
    if tls:
        return {"outcome": "tls", "starttls": "accepted", "established": True, "version": tls[1],
                "cipher": names.openssl_cipher(tls[2]),
                "group": names.group(tls[3]) if tls[3] else None}
    if "status=sent" not in log:
        return {"outcome": "tls_failed", "starttls": "accepted", "established": False}
    return plain_facts("offered" if "offered STARTTLS" in log else None)


# --- Exim ----------------------------------------------------------------------------------------

EXIM_CLIENT = """primary_hostname = {helo}
local_interfaces = 127.0.0.1
spool_directory = /var/spool/exim-out
log_file_path = /var/log/exim-out-%slog
log_selector = +tls_cipher +incoming_interface +outgoing_interface +outgoing_port
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
host_lookup =
begin routers
out:
  driver = manualroute
  route_list = * "{server}::{port}" byname
  transport = smtp
begin transports
smtp:
  driver = smtp
  interface = {client}
  tls_require_ciphers = {priority}
{more}
begin retry
* * F,1h,1h
"""


class EximClient:
    def __init__(self, top):
        self.top, self.base = top, f"{top}/exim"
        self.version = "Exim " + version(top, "exim", "exim4-daemon-heavy")
        shutil.rmtree(self.base + "/var/spool/exim-out", ignore_errors=True)
        os.makedirs(self.base + "/var/spool/exim-out")
        run("chroot", self.base, "chown", "Debian-exim:", "/var/spool/exim-out")

    def session(self, capture, server, *, domain="example.net", client="192.0.2.20", port=25,
                helo="exim.example.org", priority="NORMAL", more="", ports_of=None, ns=CLIENTS,
                subject="figures", **facts):
        """One mail; with ports_of (see PostfixClient.fallback) over two connections, the first of
        which fails."""
        ports = RANGE if ports_of else 1
        put(self.base + "/etc/exim-client.conf", EXIM_CLIENT.format(
            helo=helo, server=server, port=port, client=client, priority=priority, more=more))
        first = next_ports(ports)
        net.source_ports(first, first + ports - 1, ns)
        log = Log(self.base + "/var/log/exim-out-mainlog")
        recipient = "bob@" + domain
        subprocess.run(net.inside(ns, "chroot", self.base, "exim4", "-C",
                                  "/etc/exim-client.conf", "-odf", "-oi", "-f",
                                  "anna@example.org", recipient),
                       input=MESSAGE.format(to=recipient, subject=subject), text=True,
                       check=True)
        net.source_ports_free(ns)
        text = log.text()
        sent = re.search(r"=> \S+ .*I=\[\S+\]:(\d+)(?: X=(\S+))?", text)
        if not sent:
            raise RuntimeError(f"Exim did not deliver:\n{text}")
        common = {"client": client, "server": server, "server_port": port,
                  "reported_by": self.version + " smtp"}
        told = plain_facts("offered")
        if sent[2]:
            told = {"outcome": "tls", "starttls": "accepted", "established": True}
            told["version"], told["cipher"], told["group"] = names.exim_session(sent[2])
        told.update(facts)
        staged = told.pop("staged", None)
        if ports_of:
            if "TLS session" not in text:
                raise RuntimeError(f"Exim had no failure:\n{text}")
            capture.session(client_port=ports_in(ports_of(), first, 2)[0], outcome="tls_failed",
                            starttls="accepted", established=False, staged=staged and [], **common,
                            note="TLS session failure, then delivered unencrypted")
        capture.session(client_port=int(sent[1]), staged=staged, **common, **told)
        return text


# --- sendmail ------------------------------------------------------------------------------------

class SendmailClient:
    """sendmail logs by syslog: the socket of its root is read here."""

    def __init__(self, top):
        self.base = f"{top}/sendmail"
        self.version = "sendmail " + version(top, "sendmail", "sendmail-bin")
        with open(self.base + "/etc/mail/mx.cf") as file:
            config = file.read()
        config = re.sub(r"^O DaemonPortOptions=.*\n", "", config, flags=re.M)
        config = config.replace("sendmail.example.net", "sm.example.org")
        self.config = re.sub(r"^O DeliveryMode=.*", "O DeliveryMode=interactive", config,
                             flags=re.M) + "\n"
        path = self.base + "/dev/log"
        if os.path.lexists(path):
            os.unlink(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        self.lines = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            self.lines.append(self.sock.recv(65536).decode("utf-8", "replace"))

    def session(self, capture, server, *, client="192.0.2.30", subject="figures", ns=CLIENTS,
                domain="example.net", helo="sm.example.org", **facts):
        config = re.sub(r"^DS.*", f"DSesmtp:[{server}]", self.config, flags=re.M)
        config = config.replace("sm.example.org", helo)
        config += f"O ClientPortOptions=Family=inet,Addr={client}\n"
        put(self.base + "/etc/mail/out.cf", config)
        self.lines.clear()
        client_port = next_port()
        net.source_ports(client_port, ns=ns)
        subprocess.run(net.inside(ns, "chroot", self.base, "/usr/sbin/sendmail", "-C",
                                  "/etc/mail/out.cf", "-odi", "-oi", "-f", "anna@example.org",
                                  "bob@" + domain),
                       input=MESSAGE.format(to="bob@" + domain, subject=subject), text=True,
                       check=True)
        net.source_ports_free(ns)
        time.sleep(0.2)
        text = "\n".join(self.lines)
        if "stat=Sent" not in text:
            raise RuntimeError(f"sendmail did not deliver:\n{text}")
        tls = re.search(r"STARTTLS=client, .*version=(\S+), verify=\S+, cipher=(\S+),", text)
        told = plain_facts("offered")
        if tls:
            told = {"outcome": "tls", "starttls": "accepted", "established": True,
                    "version": tls[1], "cipher": names.openssl_cipher(tls[2])}
        told.update(facts)
        capture.session(client=client, client_port=client_port, server=server, server_port=25,
                        reported_by=self.version, **told)
        return text


# --- OpenSMTPD -----------------------------------------------------------------------------------

class SmtpdClient:
    """An OpenSMTPD 7 that relays; routes: domain -> address. It takes mail on the loopback."""

    def __init__(self, top, routes, client="192.0.2.40"):
        self.client = client
        self.version = "OpenSMTPD " + version(top, "opensmtpd7", "opensmtpd")
        base = f"{top}/opensmtpd7"
        text = 'listen on 127.0.0.1 port 25 hostname out.example.org\n'
        for number, (domain, server) in enumerate(routes.items()):
            text += (f'action "a{number}" relay host "smtp://{server}" src {client} helo '
                     f'"out.example.org"\n'
                     f'match from any for domain "{domain}" action "a{number}"\n')
        put(base + "/etc/smtpd-out.conf", text)
        os.makedirs(base + "/var/spool/smtpd", exist_ok=True)
        self.server = Server(top, "opensmtpd7", CLIENTS, ["sh", "-c",
            "mount -t tmpfs -o mode=711 tmpfs /var/spool/smtpd && mount -t tmpfs tmpfs /run && "
            "exec smtpd -dv -T smtp-out -f /etc/smtpd-out.conf"])
        time.sleep(2)

    def session(self, capture, domain, server, subject="figures", **facts):
        log = Log(self.server.log)
        client_port = next_port()
        dialog = Dialog("127.0.0.1", 25, "127.0.0.1")
        net.source_ports(client_port)
        dialog.read()
        for line in ("EHLO localhost", "MAIL FROM:<anna@example.org>", f"RCPT TO:<bob@{domain}>",
                     "DATA"):
            reply = dialog.say(line)
        if not reply.startswith("354"):
            raise RuntimeError("OpenSMTPD: " + reply)
        dialog.send(MESSAGE.format(to="bob@" + domain, subject=subject).replace(
            "\n", "\r\n").encode() + b".\r\n")
        dialog.read()
        dialog.say("QUIT")
        dialog.close()
        wait_until(lambda: re.search(r"mta delivery .*result=", log.text()))
        wait_until(lambda: "mta disconnected" in log.text(), 40)
        net.source_ports_free()
        text = log.text()
        tls = re.search(r"mta tls ciphers=(\w+[\d.]*):([\w-]+):", text) or \
            re.search(r"tls ciphers=(TLSv[\d.]+):([\w-]+)", text)
        told = plain_facts("offered")
        if tls:
            told = {"outcome": "tls", "starttls": "accepted", "established": True,
                    "version": tls[1], "cipher": names.openssl_cipher(tls[2])}
        told.update(facts)
        capture.session(client=self.client, client_port=client_port, server=server, server_port=25,
                        reported_by=self.version, **told)
        return text

    def stop(self):
        self.server.stop()


__all__ = ["PostfixClient", "EximClient", "SendmailClient", "SmtpdClient", "prepare"]
