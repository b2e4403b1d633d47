# SPDX-License-Identifier: BSD-2-Clause
"""The unit under a real systemd: a gateway boots in a container of its own, mxtap is installed as the README says, Exim gets mail.

    netns c  m1 ---- m0  the container     client 10.26.0.3     server 10.26.0.2
"""
import json
import os
import shutil
import subprocess
import time

import roots
import world as w

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVER = "10.26.0.2"
EVENTS, STATE = "/var/log/mxtap/events.json", "/var/lib/mxtap/state"
#: nspawn of Debian 12 does not know these calls, which a real machine has
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


class Gateway:
    """A booted container; it ends with the test."""

    def __init__(self, world, root, build):
        self.root, self.process = world.path("gateway"), None
        parts = {name: world.path("gateway-" + name) for name in ("root", "upper", "work")}
        self.root = parts["root"]
        for path in parts.values():
            os.mkdir(path)
        w.run("mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" % (root, parts["upper"], parts["work"]),
              "overlay", self.root)
        world.programs.append(self.remove)
        self.said = w.run("make", "-s", "-C", TOP, "BUILD=" + build, "DESTDIR=" + self.root, "install")
        with open(self.path("/etc/machine-id"), "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef\n")
        self.log = open(world.path("gateway.log"), "w", encoding="utf-8")

    def path(self, name):
        return self.root + name

    def boot(self):
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", self.root, "--boot", "--private-network", "--machine=mxtap-test-%d" % os.getpid(),
             "--register=no", "--keep-unit", "--system-call-filter=" + LANDLOCK],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        return w.wait_for(lambda: self.init() and self.run("systemctl", "is-system-running").strip() in ("running", "degraded"), 60, 0.5)

    def init(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as file:
            children = file.read().split()
        return int(children[0]) if children else None

    def run(self, *argv, **options):
        pid = self.init()
        root = "/proc/%d/root" % pid
        return subprocess.run(["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "--root=" + root, "--wd=" + root, *argv],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
                              **{"stdin": subprocess.DEVNULL, **options}).stdout

    def show(self, what):
        return self.run("systemctl", "show", "-P", what, "mxtap").strip()

    def is_active(self):
        return self.show("ActiveState") == "active"

    def journal(self):
        return self.run("journalctl", "-b", "-u", "mxtap", "--no-pager", "-o", "cat")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.run("systemctl", "--force", "--force", "poweroff")
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        w.run("umount", self.root, check=False)

    # ---- the network and the mail server inside

    def interface(self):
        for command in ("ip link add m0 type veth peer name m1 netns c", "ip link set m0 up", "ip -n c link set m1 up",
                        "ip addr add 10.26.0.2/24 dev m0", "ip -n c addr add 10.26.0.3/24 dev m1"):
            self.run(*command.split())

    def exim(self):
        os.makedirs(self.path("/etc/mail-test"), exist_ok=True)
        for name in ("cert.pem", "key.pem"):
            shutil.copy(os.path.join(os.path.dirname(self.root), name), self.path("/etc/mail-test/" + name))
        with open(self.path("/etc/exim4/exim4.conf"), "w", encoding="utf-8") as file:
            file.write(w.EXIM_CONF.format(top="/var/spool/exim4", world="/etc/mail-test", address="0.0.0.0")
                       .replace("local_interfaces = 0.0.0.0.25\n", ""))
        os.makedirs(self.path("/etc/default"), exist_ok=True)

    def mail(self):
        """A session of a client that asks for TLS; the number of records of TLS after it."""
        before = len(self.events())
        self.run("ip", "netns", "exec", "c", "openssl", "s_client", "-connect", SERVER + ":25", "-starttls", "smtp", "-brief",
                 stdin=None, input="QUIT\r\n")
        w.wait_for(lambda: len(self.events()) > before, 1.0)
        return [event["outcome"] for event in self.events()[before:]]

    def events(self, name=EVENTS):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        return [event for event in events if event["event_type"] == "session"]


def prepare(gateway):
    gateway.exim()
    with open(gateway.path("/etc/default/mxtap"), "w", encoding="ascii") as file:
        file.write("MXTAP_INTERFACE=m0\nMXTAP_OPTIONS=\"--linger 0 --sandbox=require\"\n")


def installing(report, gateway):
    """make install does nothing but place files; the README's commands do the rest."""
    gateway.run("sh", "-c", "systemd-sysusers; systemctl daemon-reload; systemctl restart exim4")
    gateway.run("ip", "netns", "add", "c")
    user = gateway.run("id", "-u", "mxtap").strip()
    report.verdict("installed/user", [] if user.isdigit() and user != "0" else [user])
    gateway.run("systemctl", "enable", "mxtap")
    gateway.run("systemctl", "start", "--no-block", "mxtap")
    waits = w.wait_for(lambda: "waiting for it" in gateway.journal(), 10, 0.2)
    state = gateway.show("ActiveState")
    report.verdict("unit/waits", [] if waits and state == "activating" else [state, gateway.journal()])
    gateway.interface()
    report.verdict("unit/ready", [] if w.wait_for(gateway.is_active, 10, 0.2) else [gateway.journal()])


def process(report, gateway):
    pid = gateway.show("MainPID")
    status = gateway.run("cat", "/proc/%s/status" % pid)
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    user = gateway.run("id", "-u", "mxtap").strip()
    lines = [key + facts.get(key, " ?") for key in ("CapPrm", "CapEff", "CapAmb", "CapInh") if int(facts.get(key, "1"), 16)]
    if facts["Uid"].split() != [user] * 4 or facts["NoNewPrivs"].strip() != "1" or facts["Seccomp"].strip() != "2":
        lines.append("Uid %s NoNewPrivs %s Seccomp %s" % (facts["Uid"], facts["NoNewPrivs"], facts["Seccomp"]))
    report.verdict("unit/bare", lines)
    score = gateway.run("systemd-analyze", "security", "--no-pager", "mxtap.service").strip().splitlines()[-1]
    report.verdict("unit/score", [] if float(score.split(":")[1].split()[0]) <= 1.5 else [score])


def files(report, gateway):
    outcomes = gateway.mail()
    report.verdict("unit/record", [] if outcomes == ["tls"] else [str(outcomes), gateway.journal()])
    modes = gateway.run("stat", "-c", "%U:%G %a", EVENTS, STATE, os.path.dirname(EVENTS)).split("\n")[:3]
    report.verdict("unit/files", [] if modes == ["mxtap:mxtap 640", "mxtap:mxtap 640", "mxtap:mxtap 750"] else modes)


def rotating(report, gateway):
    before = len(gateway.events())
    gateway.run("systemctl", "reload", "mxtap")
    reloaded = w.wait_for(lambda: "reopening" in gateway.journal(), 3, 0.1)
    lines = [] if reloaded and gateway.is_active() else [gateway.journal()]
    said = gateway.run("logrotate", "-f", "/etc/logrotate.d/mxtap")
    outcomes = gateway.mail()
    lines += [said] if said.strip() else []
    if outcomes != ["tls"] or len(gateway.events()) != 1:
        lines.append("after the rotation: %s" % outcomes)
    if len(gateway.events(EVENTS + ".1")) != before:
        lines.append("%d of %d in the old file" % (len(gateway.events(EVENTS + ".1")), before))
    owner = gateway.run("stat", "-c", "%U:%G %a", EVENTS).strip()
    report.verdict("unit/rotate", lines + ([owner] if owner != "mxtap:mxtap 640" else []))


def restarting(report, gateway):
    """The interface goes and comes back; then kill -9."""
    first = gateway.show("MainPID")
    gateway.run("ip", "link", "del", "m0")
    ended = w.wait_for(lambda: "status=1" in gateway.journal() or "exited" in gateway.journal(), 5, 0.2)
    time.sleep(0.5)
    gateway.interface()
    came = w.wait_for(lambda: gateway.is_active() and gateway.show("MainPID") not in ("0", first), 20, 0.2)
    outcomes = gateway.mail() if came else None
    report.verdict("unit/interface-gone", [] if ended and outcomes == ["tls"] else [str(outcomes), gateway.journal()])
    second = gateway.show("MainPID")
    gateway.run("kill", "-9", second)
    came = w.wait_for(lambda: gateway.is_active() and gateway.show("MainPID") not in ("0", second), 20, 0.2)
    outcomes = gateway.mail() if came else None
    report.verdict("unit/killed", [] if outcomes == ["tls"] else [str(outcomes), gateway.journal()])


def stopping(report, gateway):
    began = time.monotonic()
    gateway.run("systemctl", "stop", "mxtap")
    took, result = time.monotonic() - began, gateway.show("Result")
    report.verdict("unit/stop", [] if took < 5 and result == "success" else ["%.1f s, %s" % (took, result), gateway.journal()])
    gateway.run("systemctl", "restart", "mxtap")
    report.verdict("unit/again", [] if w.wait_for(gateway.is_active, 10, 0.2) else [gateway.journal()])
    report.verdict("unit/no-warnings", [line for line in gateway.journal().splitlines() if "going on without" in line])


def systemd(report, world, build):
    for program in ("systemd-nspawn", "nsenter"):
        if not shutil.which(program):
            report.skipped("unit", "no %s" % program)
            return
    root, reason = roots.find("gateway")
    if not root:
        report.skipped("unit", reason)
        return
    try:
        gateway = Gateway(world, root, build)
    except RuntimeError as error:
        report.skipped("unit", " ".join(str(error).split()))
        return
    prepare(gateway)
    if not gateway.boot():
        report.skipped("unit", "systemd does not boot in a container here: see systemd-nspawn(1)")
        return
    for part in (installing, process, files, rotating, restarting, stopping):
        part(report, gateway)
