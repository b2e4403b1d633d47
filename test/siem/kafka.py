# SPDX-License-Identifier: BSD-2-Clause
"""
Events to Kafka: against the broker of librdkafka (kafka_broker.c), in a process of its own, read
back by kcat. Nothing is lost without a count, whatever the broker does.
"""
import collections
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import clickhouse
import harness

BROKER = os.path.join(harness.TOP, os.environ.get("BUILD", "build"), "test", "siem", "kafka_broker")
TOPIC = "mxtap"
PARTITIONS = 4
END = 5  # seconds from SIGTERM to the end
PRODUCE, INIT_PRODUCER_ID = 0, 22
CLUSTER_AUTHORIZATION_FAILED, MESSAGE_TOO_LARGE = 31, 10


class Broker:
    """Runs while the context lasts."""

    def __enter__(self):
        self.process = subprocess.Popen([BROKER, TOPIC, str(PARTITIONS)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def messages(self):
        """All of the topic: partition, key and line."""
        done = subprocess.run(["kcat", "-C", "-b", self.address, "-t", TOPIC, "-e", "-q", "-o",
                               "beginning", "-f", "%p\t%k\t%s\n"], stdout=subprocess.PIPE,
                              timeout=60, check=True)
        return [line.split(b"\t", 2) for line in done.stdout.splitlines()]

    def lines(self):
        return [message[2] for message in self.messages()]

    def wait_for(self, count):
        until = time.monotonic() + 20
        while len(self.lines()) < count and time.monotonic() < until:
            time.sleep(0.2)


class Program:
    """One run in the background; `config`: properties of librdkafka."""

    def __init__(self, scratch, address, *args, config=""):
        with open(scratch.path("kafka.conf"), "w", encoding="utf-8") as file:
            file.write("# for a test\n\nreconnect.backoff.max.ms = 200\n" + config)
        self.process = subprocess.Popen(
            [harness.PROGRAM, *args, "--kafka", address, "--topic", TOPIC, "--kafka-config",
             scratch.path("kafka.conf")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def end(self, signal=None, within=60):
        """The run, and how long it went on after the signal."""
        begin = time.monotonic()
        if signal:
            self.process.send_signal(signal)
        try:
            out, err = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            return harness.Run("hangs", out, err), within
        return harness.Run(self.process.returncode, out, err), time.monotonic() - begin


def problems_of(run, status, *words):
    text = run.err.decode("utf-8", "replace")
    found = [] if run.status == status else ["exit status %s, expected %s" % (run.status, status)]
    found += ["not told: " + word for word in words if word not in text]
    return found + ([text[-1500:]] if found else []) + ([run.crash()] if run.crash() else [])


def compare(expected, actual):
    """Every event once, as it was."""
    wanted, got = collections.Counter(expected), collections.Counter(actual)
    found = ["%d of %d missing" % (sum((wanted - got).values()), len(expected))
             ] if wanted - got else []
    return found + (["%d too many" % sum((got - wanted).values())] if got - wanted else [])


def events_of(*args):
    return harness.mxtap("-q", "--any-port", "-r", harness.PCAPS, *args).out.splitlines()


# ---- saved captures

CAPTURE = "survey.pcap"  # with many sessions, one after the other
READ = ("--any-port", "-r", harness.PCAPS)


def check_keys(messages):
    """The key is the connection's, and keeps its events on one partition."""
    problems, places = [], {}
    for partition, key, line in messages:
        event = json.loads(line)
        wanted = event["community_id"] if event["event_type"] == "session" else "gw1"
        if key.decode() != wanted:
            problems.append("key %s, expected %s" % (key.decode(), wanted))
        if places.setdefault(key, partition) != partition:
            problems.append("%s is on two partitions" % key)
    if len(set(places.values())) != PARTITIONS:
        problems.append("not on all partitions")
    return problems


def delivered(scratch):
    with Broker() as broker:
        run, _ = Program(scratch, broker.address, "--sensor", "gw1", "-o", scratch.path("copy"),
                         *READ).end()
        messages = broker.messages()
    expected = events_of("--sensor", "gw1")
    with open(scratch.path("copy"), "rb") as file:
        copy = compare(expected, file.read().splitlines())
    problems = problems_of(run, 0, "%d events delivered to mxtap" % len(expected))
    return problems + copy + compare(expected, [line for _, _, line in messages]) + check_keys(
        messages)


def two_lines(scratch):
    """A session that is two events of Suricata's is two messages."""
    with Broker() as broker:
        run, _ = Program(scratch, broker.address, "--format", "eve", *READ).end()
        return problems_of(run, 0) + compare(events_of("--format", "eve"), broker.lines())


def back_pressure(scratch):
    """With room for twenty events and a slow start, the reading waits."""
    with Broker() as broker:
        broker.tell("down")
        program = Program(scratch, broker.address, *READ,
                          config="queue.buffering.max.messages=20\nlinger.ms=1\n")
        time.sleep(1.5)
        waits = [] if program.process.poll() is None else ["did not wait"]
        broker.tell("up")
        run, _ = program.end()
        return waits + problems_of(run, 0, "kafka: brokers: ") + compare(events_of(),
                                                                         broker.lines())


def interrupted(scratch):
    """The broker goes away in the middle and comes again."""
    with open(os.path.join(harness.PCAPS, CAPTURE), "rb") as file:
        data = file.read()
    expected = harness.mxtap("-q", "--any-port", "-r", "-", stdin=data).out.splitlines()
    with Broker() as broker:
        program = Program(scratch, broker.address, "--any-port", "-r", "-")
        program.process.stdin.write(data[:len(data) * 2 // 3])
        program.process.stdin.flush()
        broker.wait_for(1)
        seen = len(broker.lines())
        broker.tell("down")
        program.process.stdin.write(data[len(data) * 2 // 3:])
        program.process.stdin.close()
        program.process.stdin = None
        time.sleep(1)
        waits = [] if program.process.poll() is None else ["did not wait"]
        broker.tell("up")
        run, _ = program.end()
        early = [] if 0 < seen < len(expected) else ["%d of %d before" % (seen, len(expected))]
        return early + waits + problems_of(run, 0, "delivering again") + compare(expected,
                                                                                 broker.lines())


def stopped(scratch):
    """No broker, for ever: SIGTERM ends it, and all is told as lost."""
    with Broker() as broker:
        address = broker.address
    program = Program(scratch, address, *READ, config="queue.buffering.max.messages=20\n")
    time.sleep(1)
    run, seconds = program.end(subprocess.signal.SIGTERM)
    late = ["%.1f s" % seconds] if seconds > END else []
    return late + problems_of(run, 1, "0 events delivered", "21 events were lost")


def stopped_reading(scratch):
    """SIGTERM ends it, too, while it waits for a pipe; what it has read is delivered."""
    with open(os.path.join(harness.PCAPS, CAPTURE), "rb") as file:
        data = file.read()
    with Broker() as broker:
        program = Program(scratch, broker.address, "--any-port", "-r", "-")
        program.process.stdin.write(data[:len(data) * 2 // 3])
        program.process.stdin.flush()
        broker.wait_for(1)
        time.sleep(0.5)
        begin = time.monotonic()
        program.process.terminate()  # the pipe stays open
        program.process.wait(60)
        seconds = time.monotonic() - begin
        run, _ = program.end()
        found = len(broker.lines())
    late = ["%.1f s" % seconds] if seconds > END else []
    return late + problems_of(run, 1, "standard input: ", "kafka: %d events delivered" % found)


def timed_out(scratch):
    """Who reads a file is told after a while, and it ends."""
    with Broker() as broker:
        address = broker.address
    run, _ = Program(scratch, address, *READ, config="message.timeout.ms=1500\n").end()
    lost = len(events_of())
    return problems_of(run, 1, "%d events were lost" % lost)


def refused(scratch):
    """One event that the broker does not take is one that is lost, and the end of a reading."""
    with Broker() as broker:
        broker.tell("error %d %d" % (PRODUCE, MESSAGE_TOO_LARGE))
        run, _ = Program(scratch, broker.address, *READ, config="linger.ms=0\n").end()
        text = run.err.decode()
        found = len(broker.lines())
    numbers = [int(line.split()[2]) for line in text.splitlines()
               if line.startswith("mxtap: kafka: ") and " events " in line and line.split()[2].isdigit()]
    problems = problems_of(run, 1, "an event was not delivered: ", "events were lost")
    if len(numbers) != 2 or numbers[0] != found or not numbers[1]:
        problems.append("%d found, told %s" % (found, numbers))
    return problems


def fatal(scratch):
    """Not allowed to produce idempotently: no use in going on."""
    with Broker() as broker:
        broker.tell("error %d %d" % (INIT_PRODUCER_ID, CLUSTER_AUTHORIZATION_FAILED))
        run, _ = Program(scratch, broker.address, *READ).end()
    return problems_of(run, 1, "nothing more can be delivered: ", "0 events delivered")


def tls(scratch):
    """The sandbox lets the library speak TLS, with authorities and a key that it reads itself."""
    key, certificate = scratch.path("key.pem"), scratch.path("certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert",
                               certificate, "-key", key, "-Verify", "1", "-CAfile", certificate],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)  # it would end with its standard input
    time.sleep(0.5)
    run, _ = Program(scratch, "localhost:%d" % port, *READ, config="message.timeout.ms=2000\n"
                     "security.protocol=ssl\nssl.ca.location=%s\nssl.certificate.location=%s\n"
                     "ssl.key.location=%s\n" % (certificate, certificate, key)).end()
    server.terminate()
    said = server.communicate(timeout=10)[0]
    # a hello of Kafka's: length, ApiVersions (18), a version, and later our name
    inside = [] if b"mxtap" in said else ["no request inside TLS: %r" % said[-500:]]
    return inside + problems_of(run, 1, "events were lost")


def usage(scratch):
    problems = []
    with open(scratch.path("bad.conf"), "w", encoding="utf-8") as file:
        file.write("linger.ms=5\nno.such.property=1\n")
    for args, words in (
            (("--kafka", "localhost"), "belong together"),
            (("--topic", "t"), "belong together"),
            (("--kafka", "localhost", "--topic", "t", "--kafka-config", scratch.path("none")),
             "none: No such file"),
            (("--kafka", "localhost", "--topic", "t", "--kafka-config", scratch.path("bad.conf")),
             'bad.conf:2: No such configuration property: "no.such.property"'),
            (("--kafka", "localhost", "--topic", "t", "--kafka-config", scratch.top),
             "Is a directory"),
            (("--kafka", "", "--topic", "t"), "expected host:port"),
            (("--kafka", "localhost,", "--topic", "t"), "expected host:port"),
            (("--kafka", "[::1", "--topic", "t"), "expected host:port"),
            (("--kafka", "localhost:99999", "--topic", "t"), "expected host:port"),
            (("--kafka", "localhost", "--topic", ""), "--topic : expected"),
            (("--kafka", "localhost", "--topic", "a b"), "--topic a b: expected")):
        problems += problems_of(harness.mxtap(*READ, *args), 2, words)
    return problems


def library_missing(scratch):
    """The library is loaded only for --kafka: one that is no library is told, and nobody else is in its way."""
    with open(scratch.path("librdkafka.so.1"), "w", encoding="utf-8") as file:
        file.write("none")
    env = {"LD_LIBRARY_PATH": scratch.top}
    problems = problems_of(harness.mxtap(*READ, "--kafka", "localhost", "--topic", "t", env=env), 2, "--kafka: ", "librdkafka.so.1")
    return problems + problems_of(harness.mxtap(*READ, env=env), 0)


def clickhouse_reads(scratch):
    """From Kafka into the table of contrib/clickhouse, where the questions have the same answers."""
    with Broker() as broker, clickhouse.Server(scratch.top) as server:
        clickhouse.connect(server, broker.address)
        run, _ = Program(scratch, broker.address, *READ).end()
        expected = events_of()
        until = time.monotonic() + 40
        while len(clickhouse.lines_of(server)) < len(expected) and time.monotonic() < until:
            time.sleep(0.5)
        problems = problems_of(run, 0) + compare(expected, clickhouse.lines_of(server))
        ask = clickhouse.questions(server)
        names = ("old-tls", "fallback", "interference", "auth-in-clear")
        answers = {name: ask(name) for name in names}
        server.ask(b"DROP TABLE mxtap_from_kafka")
        clickhouse.load(server, b"".join(line + b"\n" for line in expected))
        return problems + ["%s: other answer" % name for name in names
                           if not answers[name] or answers[name] != ask(name)]


# ---- live

def serve(server):
    """A mail server's words, for as many clients as come."""
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            client.sendall(b"220 mx.example.net ESMTP\r\n")
            for line in client.makefile("rb"):
                quit_ = line.startswith(b"QUIT")
                client.sendall(b"221 bye\r\n" if quit_ else b"250 ok\r\n")
                if quit_:
                    break


class Mail:
    """A server on a port of its own; deliver() makes one session."""

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=serve, args=(self.server,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def deliver(self, count):
        for _ in range(count):
            with socket.create_connection(("127.0.0.1", self.port)) as client:
                lines = client.makefile("rb")
                for command in (b"EHLO mail.example.org\r\n", b"QUIT\r\n"):
                    lines.readline()
                    client.sendall(command)
                lines.read()


def listen(scratch, broker, mail, *args, config=""):
    program = Program(scratch, broker.address, "-i", "lo", "--port", str(mail.port), "--sensor",
                      "gw1", "--stats", "0", "-Z", "root", *args, config=config)
    said = b""
    while b"listening" not in said:
        line = program.process.stderr.readline()
        if not line:
            break
        said += line
    return program


def live(scratch):
    """Sessions come, the broker goes, room runs out, the broker comes again."""
    with Broker() as broker, Mail() as mail:
        program = listen(scratch, broker, mail, "--metrics", scratch.path("metrics"),
                         config="queue.buffering.max.messages=20\nlinger.ms=1\n")
        mail.deliver(10)
        broker.wait_for(10)
        broker.tell("down")
        time.sleep(0.5)
        mail.deliver(50)
        time.sleep(1.5)
        program.process.send_signal(subprocess.signal.SIGUSR1)
        time.sleep(0.3)
        broker.tell("up")
        broker.wait_for(30)
        mail.deliver(5)
        broker.wait_for(35)
        run, seconds = program.end(subprocess.signal.SIGTERM)
        events = [json.loads(line) for line in broker.lines()]
    sessions = [event for event in events if event["event_type"] == "session"]
    stats = [event for event in events if event["event_type"] == "stats"][-1]
    lost = stats["counters"]["events_lost"]
    problems = problems_of(run, 1, "delivering again", "%d events were lost" % lost)
    if len(sessions) + lost != 65 + 1 or not 25 <= lost <= 31:  # one lost: stats
        problems.append("%d sessions, %d lost, of 65" % (len(sessions), lost))
    if stats["kafka"]["delivered"] < 35 or seconds > END:
        problems.append("%s after %.1f s" % (stats["kafka"], seconds))
    with open(scratch.path("metrics"), encoding="ascii") as file:
        metrics = dict(line.split(" ") for line in file.read().splitlines() if line[0] != "#")
    if int(metrics["mxtap_events_lost_total"]) != lost or "mxtap_kafka_waiting" not in metrics:
        problems.append("metrics: %s" % metrics)
    return problems


def live_stopped(scratch):
    """The broker is away when it has to end."""
    with Broker() as broker, Mail() as mail:
        program = listen(scratch, broker, mail, "-o", scratch.path("copy"))
        mail.deliver(3)
        broker.wait_for(3)
        broker.tell("down")
        time.sleep(0.3)
        mail.deliver(4)
        time.sleep(1)
        run, seconds = program.end(subprocess.signal.SIGTERM)
    with open(scratch.path("copy"), "rb") as file:
        copied = len(file.read().splitlines())
    late = ["%.1f s" % seconds] if seconds > END else []
    return late + ([] if copied == 8 else ["%d lines in the file" % copied]) + problems_of(
        run, 1, "3 events delivered", "5 events were lost")


def live_stuck(scratch):
    """Nobody reads standard output: the broker gets all, standard output what waited for its reader."""
    with Broker() as broker, Mail() as mail:
        program = listen(scratch, broker, mail, "-o", "-", "--linger", "0")
        for count in (150, 300, 450):  # the pipe holds some 70
            mail.deliver(150)
            broker.wait_for(count)
        meanwhile = len(broker.lines())
        run, seconds = program.end(subprocess.signal.SIGTERM)
    late = ["%.1f s" % seconds] if seconds > END else []
    late += [] if meanwhile == 450 else ["held up: %d events" % meanwhile]
    lines = run.out.splitlines()
    return late + ([] if len(lines) == 451 else ["%d lines on standard output" % len(lines)]) + problems_of(
        run, 0, "451 events delivered")


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
        return True
    except (OSError, AttributeError):
        return False


def run(report):
    checks = (delivered, two_lines, back_pressure, interrupted, stopped, stopped_reading,
              timed_out, refused, fatal, tls, usage, library_missing, clickhouse_reads, live, live_stopped, live_stuck)
    for check in checks:
        name = "kafka/" + check.__name__.replace("_", "-")
        if not os.path.exists(BROKER):
            report.skipped(name, "built without librdkafka")
        elif not shutil.which("kcat"):
            report.skipped(name, "kcat is not here")
        elif check is clickhouse_reads and clickhouse.missing():
            report.skipped(name, clickhouse.missing())
        elif check in (live, live_stopped, live_stuck) and not may_capture():
            report.skipped(name, "not allowed to capture")
        else:
            with harness.Scratch() as scratch:
                report.verdict(name, check(scratch))


if __name__ == "__main__":
    run(harness.Report("siem"))
