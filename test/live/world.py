# SPDX-License-Identifier: BSD-2-Clause
"""Two network namespaces joined by a veth pair, mail servers in one, clients in the other.

    mxlc c0 ---- s0 mxls        clients 10.25.0.10..., fd25::10     servers 10.25.0.2..., fd25::2
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness  # noqa: E402
import roots  # noqa: E402

#: another run beside this one needs other names
CLIENTS, SERVERS = ("mxl" + side + os.environ.get("LIVE_NAME", "") for side in "cs")
POSTFIX, EXIM, BARE = "10.25.0.2", "10.25.0.3", "10.25.0.4"
FIRST_CLIENT = 10


def run(*argv, check=True):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode:
        raise RuntimeError("%s: exit status %d\n%s" % (" ".join(argv), done.returncode, done.stdout))
    return done.stdout


def inside(ns, *argv):
    return ["ip", "netns", "exec", ns, *argv]


def addresses(ns, dev, *all_of_them):
    for address in all_of_them:
        run("ip", "-n", ns, "addr", "add", address, "dev", dev, *(["nodad"] if ":" in address else []))


def link_up():
    """The pair between the namespaces; the server's end can be taken away and come back."""
    run("ip", "link", "add", "c0", "netns", CLIENTS, "type", "veth", "peer", "name", "s0", "netns", SERVERS)
    for ns, dev in ((CLIENTS, "c0"), (SERVERS, "s0")):
        run("ip", "-n", ns, "link", "set", dev, "up")
        run(*inside(ns, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/%s/keep_addr_on_down" % dev))
        run(*inside(ns, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro", "off", "tx", "off",
                    "rx", "off"), check=False)
    addresses(CLIENTS, "c0", "fd25::10/64", *("10.25.0.%d/24" % n for n in range(FIRST_CLIENT, 200)))
    addresses(SERVERS, "s0", "fd25::2/64", *(server + "/24" for server in (POSTFIX, EXIM, BARE)))


def link_down():
    run("ip", "-n", SERVERS, "link", "del", "s0", check=False)


class World:
    """Namespaces, a certificate, and the programs that were started, which end with it."""

    def __init__(self, top):
        self.top, self.programs = top, []
        os.chmod(top, 0o755)

    def __enter__(self):
        self.remove()
        for ns in (CLIENTS, SERVERS):
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        link_up()
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj",
            "/CN=mx.example.net", "-addext", "subjectAltName=DNS:mx.example.net", "-keyout",
            self.path("key.pem"), "-out", self.path("cert.pem"))
        os.chmod(self.path("key.pem"), 0o644)
        return self

    def __exit__(self, *_):
        for stop in reversed(self.programs):
            stop()
        self.remove()

    def remove(self):
        for ns in (CLIENTS, SERVERS):
            run("ip", "netns", "del", ns, check=False)

    def path(self, name):
        return os.path.join(self.top, name)

    def start(self, ns, *argv, **options):
        process = subprocess.Popen(inside(ns, *argv), stdin=subprocess.DEVNULL, **options)
        self.programs.append(lambda: stop(process))
        return process


def stop(process, how=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def wait_for(condition, seconds, step=0.02):
    """Whether it becomes true within that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def listens(address, port=25):
    return wait_for(lambda: "%s:%d" % (address, port) in run(*inside(SERVERS, "ss", "-Hltn")), 15)


class Tap:
    """mxtap on an interface of the servers' namespace."""

    def __init__(self, world, *options, dev="s0", ns=SERVERS, name="events.json", prefix=(), out=None,
                 ready=True):
        self.out = world.path(name)
        self.err = open(self.out + ".err", "w+", encoding="utf-8")
        command = [*prefix, harness.PROGRAM, "-i", dev, *options]
        if out is None:
            command += ["-o", self.out]
        self.process = world.start(ns, *command, stderr=self.err, stdout=out or subprocess.DEVNULL)
        if ready and not wait_for(lambda: "listening on" in self.said() or self.process.poll() is not None, 10):
            raise RuntimeError("mxtap does not start: " + self.said())

    def said(self):
        with open(self.err.name, encoding="utf-8") as file:
            return file.read()

    def pid(self):
        """The process itself: `ip netns exec` became it."""
        return self.process.pid

    def events(self, kind="session"):
        if not os.path.exists(self.out):
            return []
        with open(self.out, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return [event for event in lines if event["event_type"] == kind]

    def of(self, client):
        return [event for event in self.events() if event["client"]["ip"] == client]

    def stop(self, how=signal.SIGTERM):
        status = stop(self.process, how)
        if harness.EVENTS:
            with open(self.out, "rb") as file, open(harness.EVENTS, "ab") as every:
                every.write(file.read())
        return status


class Dump:
    """tcpdump in parallel, with the same time stamps."""

    def __init__(self, world, name, dev="s0", ns=SERVERS):
        self.path = world.path(name)
        self.process = world.start(ns, "tcpdump", "-i", dev, "-w", self.path, "-U", "-Z", "root", "-B", "8192",
                                   "--time-stamp-precision=nano", stderr=subprocess.PIPE, text=True)
        while "listening on" not in self.process.stderr.readline():
            if self.process.poll() is not None:
                raise RuntimeError("tcpdump does not start")

    def stop(self):
        time.sleep(1.5)  # its own packet timeout
        stop(self.process)
        return self.path


# ---- servers

MASTER = """smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
qmgr unix n - n 300 1 qmgr
error unix - - n - - error
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
myhostname = mx.example.net
mydestination = mx.example.net
inet_interfaces = {address}, [fd25::2]
inet_protocols = all
mynetworks = 127.0.0.0/8
local_recipient_maps =
local_transport = discard
default_transport = discard
alias_maps =
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {world}/cert.pem
smtpd_tls_key_file = {world}/key.pem
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_relay_restrictions = reject_unauth_destination
maillog_file = {top}/postfix.log
maillog_file_prefixes = {top}
"""


def start_postfix(world):
    """Postfix, from its package, with a configuration and a queue of its own."""
    if not shutil.which("postfix"):
        return "Postfix is not here"
    top = world.path("postfix")
    for name in ("config", "queue", "data"):
        os.makedirs(os.path.join(top, name))
    shutil.chown(os.path.join(top, "data"), "postfix")
    with open(os.path.join(top, "config", "main.cf"), "w", encoding="utf-8") as file:
        file.write(MAIN.format(top=top, world=world.top, address=POSTFIX))
    with open(os.path.join(top, "config", "master.cf"), "w", encoding="utf-8") as file:
        file.write(MASTER)
    config = os.path.join(top, "config")
    run(*inside(SERVERS, "postfix", "-c", config, "start"))
    world.programs.append(lambda: stop_postfix(os.path.join(top, "queue", "pid", "master.pid")))
    return None if listens(POSTFIX) else "Postfix does not listen"


def stop_postfix(pid_file):
    """By its process: `postfix stop` wants the addresses, which a test may have taken away."""
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not os.path.exists("/proc/%d" % pid), 10)


EXIM_CONF = """primary_hostname = mx.example.net
spool_directory = {top}
log_file_path = {top}/%slog
local_interfaces = {address}.25
tls_advertise_hosts = *
tls_certificate = {world}/cert.pem
tls_privatekey = {world}/key.pem
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
rfc1413_query_timeout = 0s
begin acl
accept:
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = mail
"""


def start_exim(world):
    """Exim: the host's, that of MXTAP_EXIM, or one of a root of its own, since its package excludes Postfix's."""
    exim = os.environ.get("MXTAP_EXIM") or shutil.which("exim4")
    seen, command, user = world.top, [exim], "Debian-exim"
    if not exim:
        root, reason = roots.find("exim" if roots.is_ready("exim") else "gateway")
        if not root:
            return "Exim is not here: " + reason
        seen = "/mnt"  # ip-netns(8) gives each command mounts of its own
        user = roots.user(root, user)[0]
        command = ["sh", "-c", 'mount --bind "$1" "$2/mnt" && shift && exec chroot "$@"', "sh", world.top, root, "/usr/sbin/exim4"]
    top = world.path("exim")
    os.makedirs(top)
    try:
        shutil.chown(top, user)
    except LookupError:
        return "no user Debian-exim"
    config = os.path.join(top, "exim.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(EXIM_CONF.format(top=seen + "/exim", world=seen, address=EXIM))
    world.start(SERVERS, *command, "-C", seen + "/exim/exim.conf", "-bdf", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return None if listens(EXIM) else "Exim does not listen"


# ---- clients: each has an address of its own, and says what it saw

class Clients:
    def __init__(self, world):
        self.world, self.number = world, FIRST_CLIENT

    def address(self):
        self.number += 1
        return "10.25.0.%d" % self.number

    def openssl(self, server, *options, address=None):
        """A session without mail, through STARTTLS; what the client saw."""
        bind = [] if address else ["-bind", self.address() + ":0"]
        address = address or bind[1][:-2]
        text = subprocess.run(inside(CLIENTS, "openssl", "s_client", "-connect", server + ":25", *bind, "-starttls", "smtp", "-brief", "-servername",
                                     "mx.example.net", *options), input="QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=30, check=False).stdout
        facts = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        return address, {"version": facts.get("Protocol version"), "cipher": iana(facts.get("Ciphersuite"))}

    def swaks(self, server, *options):
        """A mail; (version, cipher) as the client saw them, None in the clear."""
        address = self.address()
        text = run(*inside(CLIENTS, "swaks", "--server", server, "--local-interface", address, "--from",
                           "a@example.org", "--to", "b@mx.example.net", "--helo", "mail.example.org", *options), check=False)
        for line in text.splitlines():
            if "TLS started with cipher" in line:
                version, cipher = line.split("cipher ")[1].split(":")[:2]
                return address, {"version": version, "cipher": iana(cipher)}
        return address, {"version": None, "cipher": None}


_names = {}


def iana(name):
    """OpenSSL's own name of a cipher suite as IANA has it."""
    if not _names:
        for line in run("openssl", "ciphers", "-stdname", "ALL:@SECLEVEL=0").splitlines():
            words = line.split()
            _names[words[2]] = words[0]
    return _names.get(name) if name else None
