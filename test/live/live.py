#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Live capture beside real mail servers: what mxtap says within a second, against what clients saw and against a capture of
the same packets; signals, interfaces that come and go, a stuck reader, privileges."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import made  # noqa: E402
import reconcile  # noqa: E402
import roots  # noqa: E402
import smtpd  # noqa: E402
import systemd as unit  # noqa: E402
import world as w  # noqa: E402
import wire  # noqa: E402
import harness  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED = ("ip", "ethtool", "ss", "tcpdump", "swaks", "openssl", "setpriv")
#: mxtap's file is there this long after the packet that decides; see LIVE_BLOCK_MS in live.h
SOON = 1.0


def expected(saw, outcome):
    """The record that a client's own report asks for."""
    want = {"outcome": outcome, "direction": "inbound", "tls": None}
    if saw["version"]:
        want["tls"] = {"established": True, "version": saw["version"], "cipher": saw["cipher"]}
    if outcome == "plaintext":
        want["smtp"] = {"mail_in_clear": 1}
    return want


def sessions_of(clients, server):
    """Name, and a client's session as (address, what it saw, outcome)."""
    yield "openssl", (*clients.openssl(server), "tls")
    yield "openssl-tls12", (*clients.openssl(server, "-tls1_2"), "tls")
    yield "openssl-cipher", (*clients.openssl(server, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "tls")
    yield "openssl-chacha", (*clients.openssl(server, "-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), "tls")
    yield "swaks-tls", (*clients.swaks(server, "--tls"), "tls")
    yield "swaks-plain", (*clients.swaks(server), "plaintext")
    yield "swaks-quit", (*clients.swaks(server, "--quit-after", "EHLO"), "no_mail")


def failing_of(clients, server):
    yield "openssl-tls10", (*clients.openssl(server, "-tls1", "-cipher", "ALL:@SECLEVEL=0"), "tls_failed")


def check_session(report, tap, name, session):
    address, saw, outcome = session
    if not w.wait_for(lambda: tap.of(address), SOON):
        report.failed(name, ["no record within %.1f s" % SOON, tap.said()])
        return
    want = expected(saw, outcome)
    if outcome == "tls_failed":
        want["tls"] = {"established": False, "alert": {"from": "server", "name": "protocol_version"}}
    events = tap.of(address)
    lines = ["%d records" % len(events)] if len(events) != 1 else harness.differences(want, events[0])
    if outcome == "tls" and not saw["version"]:
        lines.append("the client saw no TLS")
    report.verdict(name, lines)


def comparable(events):
    """By connection, without what tells where it was read, and times: each packet socket stamps packets itself, microseconds apart."""
    found = {}
    for event in events:
        event = {key: value for key, value in event.items() if key not in ("sensor", "uid", "time", "duration_ms")}
        if "tls" in event:
            event["tls"] = {key: value for key, value in event["tls"].items() if key != "handshake_ms"}
        found.setdefault(event["community_id"], []).append(event)
    return found


def without_end(event):
    """How far a connection had come when its record was written, which --linger 0 leaves to those microseconds."""
    event = {key: value for key, value in event.items() if key != "end"}
    for side in ("client", "server"):
        event[side] = {key: value for key, value in event[side].items() if key != "bytes"}
    return event


def compare_offline(report, name, tap, dump, *options):
    offline = harness.mxtap("-q", "-r", dump, "--linger", "0", "--local", "10.25.0.0/29", "--local", "fd25::2", *options)
    lines = harness.checked(offline)
    live, saved = comparable(tap.events()), comparable(offline.sessions)
    for connection in sorted(set(live) | set(saved)):
        pair = [found.get(connection, []) for found in (live, saved)]
        if any(event["end"]["how"] == "open" for events in pair for event in events):
            pair = [[without_end(event) for event in events] for events in pair]
        if pair[0] != pair[1]:
            lines += ["only live: " + json.dumps(pair[0]), "only -r:   " + json.dumps(pair[1])]
    if len(live) < 3:
        lines.append("only %d connections" % len(live))
    report.verdict(name, lines)


def mail(report, world):
    """Sessions with both servers: each has its record in time, as the client saw it and as -r says."""
    clients = w.Clients(world)
    tap = w.Tap(world, "--linger", "0", "--stats", "0")
    dump = w.Dump(world, "mail.pcap")
    for server, name, start in ((w.POSTFIX, "postfix", w.start_postfix), (w.EXIM, "exim", w.start_exim)):
        problem = start(world)
        if problem:
            report.skipped("mail/" + name, problem)
            continue
        for kind, session in sessions_of(clients, server):
            check_session(report, tap, "mail/%s/%s" % (name, kind), session)
        for kind, session in failing_of(clients, server):
            if name == "postfix":
                check_session(report, tap, "mail/%s/%s" % (name, kind), session)
        if name == "postfix":
            _, saw = clients.openssl("[fd25::2]", address="fd25::10")
            check_session(report, tap, "mail/postfix/ipv6", ("fd25::10", saw, "tls"))
    path = dump.stop()
    status = tap.stop()
    report.verdict("mail/end", [] if status == 0 else ["exit status %d" % status, tap.said()])
    compare_offline(report, "mail/as-offline", tap, path)
    stats = tap.events("stats")
    report.verdict("mail/stats", [] if len(stats) == 1 and stats[0]["drops"]["kernel"] == 0 else [json.dumps(stats)])


def opensmtpd(report, world):
    """The same with OpenSMTPD: STARTTLS accepted, required, refused, not there."""
    root, reason = roots.find("opensmtpd7", build="CI" not in os.environ)  # the largest of the roots
    if not root:
        report.skipped("opensmtpd", "OpenSMTPD is not here: " + reason)
        return
    problem = smtpd.start(world, root)
    if problem:
        report.failed("opensmtpd", [problem])
        return
    clients = w.Clients(world)
    clients.number = 180
    tap = w.Tap(world, "--linger", "0", "--stats", "0", name="opensmtpd.json")
    dump = w.Dump(world, "opensmtpd.pcap")
    for name, address, saw, want in smtpd.sessions_of(clients):
        w.wait_for(lambda: tap.of(address), SOON)
        want = {**expected(saw, want["outcome"]), **want}
        events = tap.of(address)
        lines = harness.differences(want, events[0]) if len(events) == 1 else ["%d records" % len(events), tap.said()]
        lines += ["the client saw no TLS"] if want["outcome"] == "tls" and not saw["version"] else []
        report.verdict("opensmtpd/" + name, lines)
    path = dump.stop()
    status = tap.stop()
    report.verdict("opensmtpd/end", [] if status == 0 else ["exit status %d" % status, tap.said()])
    compare_offline(report, "opensmtpd/as-offline", tap, path)


def any_interface(report, world):
    """The same on all interfaces at once, by two workers."""
    clients = w.Clients(world)
    clients.number = 100
    for options in ((), ("--workers", "2")):
        tap = w.Tap(world, "--linger", "0", *options, dev="any", name="any%d.json" % len(options))
        for kind, session in list(sessions_of(clients, w.POSTFIX))[:4]:
            check_session(report, tap, "any/%s%s" % (kind, "-workers" if options else ""), session)
        tap.stop()


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def bare(facts):
    """What a process has left that it should not have."""
    lines = [key + " " + facts[key] for key in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(facts[key], 16)]
    if facts["NoNewPrivs"] != "1" or facts["Seccomp"] != "2":
        lines.append("NoNewPrivs %s Seccomp %s" % (facts["NoNewPrivs"], facts["Seccomp"]))
    if facts["Groups"].strip():
        lines.append("Groups " + facts["Groups"])
    return lines + (["Uid " + facts["Uid"]] if facts["Uid"].startswith("0\t") else [])


def threads_of(pid):
    return [int(name) for name in os.listdir("/proc/%d/task" % pid)]


def privileges(report, world):
    """Started as root, and unprivileged with CAP_NET_RAW as the unit does it."""
    folder = world.path("user")
    os.mkdir(folder)
    shutil.chown(folder, "nobody", "nogroup")
    tap = w.Tap(world, "-Z", "nobody", name="user/root.json")
    lines = [line for thread in threads_of(tap.pid()) for line in bare(status_of(thread))]
    report.verdict("privileges/dropped", lines)
    owner = os.stat(tap.out).st_uid
    report.verdict("privileges/owner", [] if owner == 65534 else ["uid %d" % owner])
    tap.stop()
    prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all,+net_raw",
              "--ambient-caps", "-all,+net_raw", "--bounding-set", "-all,+net_raw")
    tap = w.Tap(world, prefix=prefix, name="user/ambient.json")
    report.verdict("privileges/ambient", bare(status_of(tap.pid())) if tap.process.poll() is None else [tap.said()])
    report.verdict("privileges/ambient-end", [] if tap.stop() == 0 else [tap.said()])
    tap = w.Tap(world, "-Z", "no-such-user", ready=False)
    status = tap.process.wait()
    report.verdict("privileges/unknown-user", [] if status == 1 and "no such user" in tap.said() else [str(status), tap.said()])


def signals(report, world):
    """SIGHUP after a rotation, one that cannot reopen, SIGUSR1."""
    clients = w.Clients(world)
    clients.number = 120
    folder = world.path("rotate")
    os.mkdir(folder)
    shutil.chown(folder, "nobody")
    tap = w.Tap(world, "--linger", "0", name="rotate/events.json")
    first, _ = clients.openssl(w.POSTFIX)
    w.wait_for(lambda: tap.of(first), SOON)
    os.rename(tap.out, tap.out + ".1")
    os.kill(tap.pid(), signal.SIGHUP)
    w.wait_for(lambda: os.path.exists(tap.out), 2)
    second, _ = clients.openssl(w.POSTFIX)
    w.wait_for(lambda: tap.of(second), SOON)
    with open(tap.out + ".1", encoding="utf-8") as file:
        old = [json.loads(line)["client"]["ip"] for line in file]
    new = [event["client"]["ip"] for event in tap.events()]
    report.verdict("signals/rotate", [] if old == [first] and new == [second] else ["%s then %s" % (old, new)])
    os.kill(tap.pid(), signal.SIGUSR1)
    report.verdict("signals/usr1", [] if w.wait_for(lambda: tap.events("stats"), 1) else ["no stats"])
    shutil.chown(folder, "root")
    os.rename(tap.out, tap.out + ".2")
    os.kill(tap.pid(), signal.SIGHUP)
    told = w.wait_for(lambda: "going on with the file" in tap.said(), 2)
    third, _ = clients.openssl(w.POSTFIX)
    time.sleep(SOON)
    with open(tap.out + ".2", encoding="utf-8") as file:
        kept = third in file.read()
    report.verdict("signals/reopen-fails", ([] if told else ["not told: " + tap.said()]) + ([] if kept else ["line lost"]))
    began = time.monotonic()
    status = stop_status(tap)
    report.verdict("signals/term", [] if status == 0 and time.monotonic() - began < 5 else [str(status), tap.said()])


def stop_status(tap, how=signal.SIGTERM):
    return w.stop(tap.process, how)


def interfaces(report, world):
    """Down and up again; waited for; gone, with an open session."""
    clients = w.Clients(world)
    clients.number = 140
    tap = w.Tap(world, "--linger", "0", dev="d1", ns=w.CLIENTS, name="down.json", ready=False)
    status = tap.process.wait()
    report.verdict("interface/missing", [] if status == 1 and "no such interface" in tap.said() else [tap.said()])
    tap = w.Tap(world, "--linger", "0", "--wait", dev="d1", ns=w.CLIENTS, name="wait.json", ready=False)
    time.sleep(0.7)
    w.run("ip", "-n", w.CLIENTS, "link", "add", "d1", "type", "veth", "peer", "name", "d2")
    w.run("ip", "-n", w.CLIENTS, "link", "set", "d2", "up")
    waited = w.wait_for(lambda: "down" in tap.said() or "no such" in tap.said(), 1)
    w.run("ip", "-n", w.CLIENTS, "link", "set", "d1", "up")
    came = w.wait_for(lambda: "listening" in tap.said(), 3)
    report.verdict("interface/wait", [] if waited and came else [tap.said()])
    w.run("ip", "-n", w.CLIENTS, "link", "del", "d1")
    ended = w.wait_for(lambda: tap.process.poll() is not None, 3)
    report.verdict("interface/gone", [] if ended and tap.process.wait() == 1 and "d1" in tap.said() else [tap.said()])
    tap = w.Tap(world, "--linger", "0", name="updown.json")
    w.run("ip", "-n", w.SERVERS, "link", "set", "s0", "down")
    time.sleep(0.5)
    busy = cpu_of(tap.pid())
    time.sleep(1)
    busy = cpu_of(tap.pid()) - busy
    w.run("ip", "-n", w.SERVERS, "link", "set", "s0", "up")
    time.sleep(0.5)
    address, _ = clients.openssl(w.POSTFIX)
    good = w.wait_for(lambda: tap.of(address), SOON)
    report.verdict("interface/down-up", ([] if good else ["no record", tap.said()]) +
                   (["busy while it was down: %.2f s of a second" % busy] if busy > 0.2 else []))
    open_session(world, clients)
    w.link_down()
    ended = w.wait_for(lambda: tap.process.poll() is not None, 5)
    status = tap.process.wait() if ended else None
    last = [event for event in tap.events() if event["end"]["how"] == "eof"]
    report.verdict("interface/gone-open", [] if status == 1 and last and tap.events("stats") else ["%s" % status, tap.said()])


def cpu_of(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_session(world, clients):
    """A client that says EHLO and nothing more; ends with the world."""
    address = clients.address()
    code = ("import socket,time\ns=socket.create_connection(('%s',25),source_address=('%s',0))\n"
            "s.recv(999);s.sendall(b'EHLO x\\r\\n');s.recv(999);time.sleep(60)" % (w.POSTFIX, address))
    world.start(w.CLIENTS, sys.executable, "-c", code)
    time.sleep(1)
    return address


def stuck(report, world):
    """Nobody reads the pipe: capture goes on, what is lost is counted, the end comes in time."""
    reading, writing = os.pipe()
    tap = w.Tap(world, "--linger", "0", name="stuck", out=writing)
    os.close(writing)
    for _ in range(400):  # stats events of 700 bytes into a pipe of 65536
        os.kill(tap.pid(), signal.SIGUSR1)
        time.sleep(0.005)
    began = time.monotonic()
    tap.process.send_signal(signal.SIGTERM)
    try:
        status = tap.process.wait(6)
    except subprocess.TimeoutExpired:
        status = None
    took = time.monotonic() - began
    report.verdict("stuck/ends", [] if status == 1 and took < 5 else ["%s after %.1f s" % (status, took), tap.said()])
    report.verdict("stuck/counted", [] if "events could not be written" in tap.said() else [tap.said()])
    with os.fdopen(reading, "rb") as pipe:
        whole = pipe.read()
    report.verdict("stuck/whole-lines", [] if whole.endswith(b"\n") and len(whole) > 30000 else [repr(whole[-100:])])


def metric(path, name):
    with open(path, encoding="utf-8") as file:
        return next((int(line.split()[1]) for line in file if line.startswith(name + " ")), None)


def backpressure(report, world):
    """A FIFO that nobody reads for a while: what is lost is counted, in metrics and in stats, and all else arrives."""
    folder = world.path("pressure")
    os.mkdir(folder)
    shutil.chown(folder, "nobody")
    fifo, counters = os.path.join(folder, "fifo"), os.path.join(folder, "mxtap.prom")
    os.mkfifo(fifo)
    shutil.chown(fifo, "nobody")
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    path = world.path("crowd.pcap")
    wire.write_pcap(path, made.crowd())
    tap = w.Tap(world, "--linger", "0", "--stats", "0", "--metrics", counters, "-o", fifo, name="pressure/none", out=subprocess.DEVNULL)
    load = world.start(w.CLIENTS, *sender("--vary", 60, 20000, path), stdout=subprocess.DEVNULL)
    lost = w.wait_for(lambda: metric(counters, "mxtap_events_lost_total"), 60, 0.5)
    w.stop(load)
    report.verdict("backpressure/metrics", [] if lost else ["nothing was lost: " + tap.said()])
    os.set_blocking(reading, True)
    reader = subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.PIPE)
    os.close(reading)
    tap.process.send_signal(signal.SIGTERM)
    lines = [json.loads(line) for line in reader.stdout]
    status, stats = tap.process.wait(), lines[-1]
    wrong = [] if status == 1 and "events could not be written" in tap.said() else ["%s %s" % (status, tap.said())]
    sessions = len([event for event in lines if event["event_type"] == "session"])
    if stats["event_type"] != "stats" or sessions + stats["counters"]["events_lost"] != stats["sessions"]["total"]:
        wrong.append("%d sessions, %s" % (sessions, json.dumps(stats)))
    wrong += [] if not stats["drops"]["kernel"] else [json.dumps(stats["drops"])]
    report.verdict("backpressure/counted", wrong)


def workers(report, world):
    """Filters with which workers would tear tunnels apart."""
    for options, message in ((("udp",), "tunnels"), (("host 192.0.2.1",), "tunnels"), (("port 25 or port 587",), None)):
        tap = w.Tap(world, "--workers", "2", *options, name="workers.json", ready=message is None)
        if message:
            status = tap.process.wait()
            report.verdict("workers/" + options[0], [] if status == 1 and message in tap.said() else [str(status), tap.said()])
        else:
            report.verdict("workers/" + options[0], [] if tap.stop() == 0 else [tap.said()])


def metrics(report, world):
    """The metrics file, the warning about silence, readiness."""
    folder = world.path("metrics")
    os.mkdir(folder)
    shutil.chown(folder, "nobody")
    path = os.path.join(folder, "mxtap.prom")
    tap = w.Tap(world, "--quiet-warning", "1", "--metrics", path, name="metrics/events.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    wanted = ("# TYPE mxtap_packets_total counter", 'mxtap_sessions_total{outcome="tls"} 0', 'interface="s0"')
    report.verdict("metrics/file", ["no " + line for line in wanted if line not in text])
    if shutil.which("promtool"):
        said = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        report.verdict("metrics/promtool", [] if said.returncode == 0 and not said.stdout.strip() else [said.stdout])
    else:
        report.skipped("metrics/promtool", "no promtool")
    told = w.wait_for(lambda: "no SMTP for" in tap.said(), 3)
    report.verdict("metrics/quiet", [] if told and tap.said().count("no SMTP") == 1 else [tap.said()])
    tap.stop()
    tap = w.Tap(world, "--metrics", world.path("not-there/x.prom"), name="metrics/none.json", ready=False)
    report.verdict("metrics/cannot", [] if tap.process.wait() == 1 and "x.prom" in tap.said() else [tap.said()])


def sender(*args):
    return [sys.executable, os.path.join(HERE, "send.py"), "c0", *map(str, args)]


def encapsulation(report, world):
    """What the filter in the kernel lets through: tags, fragments, IPv6, and nothing foreign."""
    for name, (packets, want) in made.encapsulated().items():
        path = world.path("made-%s.pcap" % name)
        wire.write_pcap(path, packets)
        tap = w.Tap(world, "--linger", "0", name="made-%s.json" % name)
        w.run(*w.inside(w.CLIENTS, *sender(0, 2000, path)))
        if want:
            w.wait_for(tap.events, SOON)
        tap.stop()
        received = tap.events("stats")[-1]["drops"]["received"]
        lines = harness.compare_sessions([want] if want else [], tap.events())
        if received != (len(packets) if want else 0):
            lines.append("%d of %d packets passed the filter" % (received, len(packets)))
        report.verdict("encapsulation/" + name, lines)


def memory_of(pid):
    return int(status_of(pid)["VmRSS"].split()[0])


def is_flat(memory):
    """What is held grows while tables fill, and then no more: the last third against the one before it."""
    third = len(memory) // 3
    return max(memory[-third:]) < 1.05 * max(memory[-2 * third:-third])


def rotate(tap, turn):
    os.rename(tap.out, "%s.%d" % (tap.out, turn))
    os.kill(tap.pid(), signal.SIGHUP)
    w.wait_for(lambda: os.path.exists(tap.out), 5)


def lines_of(folder):
    """Events of all files, and what is no event."""
    events, torn = [], []
    for name in sorted(name for name in os.listdir(folder) if ".err" not in name):
        with open(os.path.join(folder, name), "rb") as file:
            for line in file:
                try:
                    events.append(json.loads(line))
                except ValueError:
                    torn.append("%s: torn: %r" % (name, line[:200]))
    return events, torn


def soak(report, world):
    """Floods, sessions that never end, ports used again, ten rotations: flat memory, and every line there and whole."""
    seconds = float(os.environ.get("SOAK", "20"))
    step = min(10, seconds / 30)
    folder = world.path("soak")
    os.mkdir(folder)
    shutil.chown(folder, "nobody")
    paths = []
    for name, packets in made.floods().items():
        paths.append(world.path("flood-%s.pcap" % name))
        wire.write_pcap(paths[-1], packets)
    idle = "60" if seconds > 300 else "3"
    tap = w.Tap(world, "--linger", "0", "--max-flows", "5000", "--idle-timeout", idle, "--workers", "2", "--stats", "60",
                name="soak/events.json")
    load = world.start(w.CLIENTS, *sender("--vary", seconds, os.environ.get("SOAK_RATE", 20000), *paths,
                                          *harness.captures(harness.PCAPS)), stdout=subprocess.PIPE, text=True)
    memory, turn, began = [], 0, time.monotonic()
    while load.poll() is None:
        time.sleep(step)
        memory.append(memory_of(tap.pid()))
        if turn < 10 and time.monotonic() - began > (turn + 0.5) * seconds / 10:
            rotate(tap, turn)
            turn += 1
    sent = load.stdout.read().strip()
    status = tap.stop()
    events, lines = lines_of(folder)
    stats = max((event for event in events if event["event_type"] == "stats"), key=lambda event: event["time"])
    sessions = len([event for event in events if event["event_type"] == "session"])
    print("soak: %s packets in %.0f s, %d sessions, %d rotations, KiB each %.0f s: %s" %
          (sent, time.monotonic() - began, sessions, turn, step, " ".join(map(str, memory))))
    if status or turn != 10 or sessions != stats["sessions"]["total"] or stats["counters"]["events_lost"]:
        lines.append("status %s, %d rotations, %d lines, %s" % (status, turn, sessions, json.dumps(stats)))
    report.verdict("soak/lines", lines)
    report.verdict("soak/no-drops", [] if not stats["drops"]["kernel"] else [json.dumps(stats["drops"])])
    report.verdict("soak/memory", [] if is_flat(memory) and sessions > 500 else ["KiB: %s, %d sessions" % (memory, sessions)])


def killed(report, world):
    """kill -9 in the middle of everything, then again with the same files; readiness is told."""
    clients = w.Clients(world)
    clients.number = 160
    folder = world.path("killed")
    os.mkdir(folder)
    shutil.chown(folder, "nobody")
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(world.path("notify"))
    ready.settimeout(2)
    os.chmod(world.path("notify"), 0o777)
    options = ("--linger", "0", "--sandbox=require", "--state", os.path.join(folder, "state"))
    os.environ["NOTIFY_SOCKET"] = world.path("notify")
    tap = w.Tap(world, *options, name="killed/events.json")
    del os.environ["NOTIFY_SOCKET"]
    told = ready.recv(64)
    report.verdict("killed/ready", [] if told == b"READY=1" else [repr(told)])
    first, _ = clients.openssl(w.POSTFIX)
    w.wait_for(lambda: tap.of(first), SOON)
    w.stop(tap.process, signal.SIGKILL)
    with open(tap.out, "ab") as file:
        file.write(b'{"event_type":"sess')  # as far as a crash of the system let it come
    tap = w.Tap(world, *options, name="killed/events.json")
    second, _ = clients.openssl(w.POSTFIX)
    lines = [] if w.wait_for(lambda: tap.of(second), SOON) and tap.of(first) else ["lost: " + tap.said()]
    lines += [] if "cut off an unfinished last line" in tap.said() else ["not told: " + tap.said()]
    lines += [] if tap.stop() == 0 and os.path.exists(os.path.join(folder, "state")) else [tap.said()]
    report.verdict("killed/again", lines)


def systemd(report, world):
    unit.systemd(report, world, os.path.dirname(os.path.abspath(harness.PROGRAM)))


SCENES = {"mail": mail, "opensmtpd": opensmtpd, "any": any_interface, "privileges": privileges, "signals": signals, "metrics": metrics,
          "stuck": stuck, "backpressure": backpressure, "workers": workers, "killed": killed, "reconcile": reconcile.reconcile,
          "encapsulation": encapsulation, "soak": soak, "interfaces": interfaces, "systemd": systemd}


def main(names):
    report = harness.Report("live")
    missing = [name for name in NEEDED if not shutil.which(name)]
    if os.geteuid() != 0:
        report.skipped("", "needs root")
    elif subprocess.run(["unshare", "--net", "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        report.skipped("", "no network namespaces may be made here")
    elif missing:
        report.skipped("", "not here: " + " ".join(missing))
    else:
        with harness.Scratch() as scratch, w.World(scratch.top) as world:
            if names and "mail" not in names:
                w.start_postfix(world)
            for name, scene in SCENES.items():
                if not names or name in names:
                    scene(report, world)


if __name__ == "__main__":
    main(sys.argv[1:])
