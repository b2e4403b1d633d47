# SPDX-License-Identifier: BSD-2-Clause
"""Files of contrib/ in the programs that they are for: Prometheus, logrotate, systemd."""
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
import kafka

CONTRIB = os.path.join(harness.TOP, "contrib")
RULES = os.path.join(CONTRIB, "prometheus", "mxtap.rules.yml")


def say(*command, folder=None):
    """What a program says when it does not end with 0."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def complaints(*command, folder=None):
    status, text = say(*command, folder=folder)
    return ["%s: %s" % (command[0], text[-1500:])] if status else []


def sensor(port, *args):
    """mxtap on the loopback interface, listening."""
    process = subprocess.Popen([harness.PROGRAM, "-i", "lo", "--port", str(port), "--sensor", "gw1",
                                "-Z", "root", *args], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    while b"listening" not in process.stderr.readline():
        if process.poll() is not None:
            raise RuntimeError("mxtap ended")
    return process


def end(process):
    process.terminate()
    process.communicate(timeout=10)
    return [] if process.returncode == 0 else ["exit status %d" % process.returncode]


# ---- Prometheus

def metrics_of(scratch):
    """The metrics of a run at its begin and at its end, with four sessions between."""
    path = scratch.path("mxtap.prom")
    with kafka.Mail() as mail:
        process = sensor(mail.port, "--metrics", path)
        with open(path, "rb") as file:
            before = file.read()
        mail.deliver(4)
        time.sleep(0.3)
        end(process)
    with open(path, "rb") as file:
        return before, file.read()


class Exporter:
    """Serves a text as metrics while the context lasts."""

    def __enter__(self):
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(exporter.text)

            def log_message(self, *_):
                pass

        self.text = b""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Prometheus:
    """A server that scrapes one address every second, with our rules."""

    def __init__(self, scratch, target):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = scratch.path("prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                       "rule_files: ['%s']\n"
                       "scrape_configs: [{job_name: mxtap, static_configs: [{targets: ['%s']}]}]\n" %
                       (RULES, target))
        self.command = ["prometheus", "--config.file", config, "--storage.tsdb.path",
                        scratch.path("tsdb"), "--web.listen-address", "127.0.0.1:%d" % self.port]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def get(self, path):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, path), timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": "error", "error": error.read().decode("utf-8", "replace")}
        except OSError:
            return None

    def ask(self, query):
        """The values, or a text that says what is wrong."""
        answer = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        if not answer or answer["status"] != "success":
            return str(answer and answer.get("error"))
        return [float(row["value"][1]) for row in answer["data"]["result"]]

    def wait_for(self, query, wanted):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.ask(query) == wanted:
                return []
            time.sleep(0.2)
        return ["%s is %s, expected %s" % (query, self.ask(query), wanted)]


def panels():
    with open(os.path.join(CONTRIB, "grafana", "mxtap.json"), encoding="utf-8") as file:
        for panel in json.load(file)["panels"]:
            for target in panel["targets"]:
                yield panel["title"], re.sub(r"\$__(rate_interval|range)", "1m", target["expr"])


def prometheus(scratch):
    """The metrics are clean; each query of the dashboard has an answer; the rules are evaluated."""
    before, after = metrics_of(scratch)
    lint = subprocess.run(["promtool", "check", "metrics"], input=after, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    problems = [lint.stdout.decode()] if lint.returncode or lint.stdout else []
    problems += complaints("promtool", "check", "rules", RULES)
    with Exporter() as exporter, Prometheus(scratch, exporter.address) as server:
        exporter.text = before
        problems += server.wait_for("sum(mxtap_sessions_total)", [0.0])
        exporter.text = after
        problems += server.wait_for("sum(mxtap_sessions_total)", [4.0])
        time.sleep(1)
        for title, query in panels():
            answer = server.ask(query)
            if not answer or isinstance(answer, str):
                problems.append("%s: %s: %s" % (title, query, answer))
        for name, group in ((rule["name"], rule) for part in server.get("/api/v1/rules")["data"]["groups"]
                            for rule in part["rules"]):
            if group["health"] != "ok":
                problems.append("%s: %s" % (name, group.get("lastError", group["health"])))
    return problems


def alerts(_):
    """Each rule fires on what it is for, and not on a sensor that is well: in promtool's own test."""
    return complaints("promtool", "test", "rules",
                      os.path.join(harness.HERE, "siem", "prometheus.test.yml"))


# ---- logrotate

def logrotate(scratch):
    """Rotated while events come: each is in one of the files, once."""
    with open(os.path.join(CONTRIB, "logrotate", "mxtap"), encoding="utf-8") as file:
        text = file.read()
    with kafka.Mail() as mail:
        process = sensor(mail.port, "-o", scratch.path("events.json"), "--stats", "0")
        for old, new in (("/var/log/mxtap/*.json", scratch.path("*.json")), ("su mxtap mxtap", "su root root"),
                         ("0640 mxtap mxtap", "0640 root root"),
                         ("systemctl kill --kill-whom=main --signal=HUP mxtap.service",
                          "kill -HUP %d" % process.pid)):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        with open(scratch.path("conf"), "w", encoding="utf-8") as file:
            file.write(text)
        problems = []
        for _ in range(3):
            mail.deliver(5)
            time.sleep(0.7)
            problems += complaints("logrotate", "--force", "--state", scratch.path("state"),
                                   scratch.path("conf"))
        mail.deliver(5)
        time.sleep(0.7)
        problems += end(process)
    names = sorted(name for name in os.listdir(scratch.top) if name.startswith("events.json"))
    data = b""
    for name in names:
        status = subprocess.run(["zcat", "-f", scratch.path(name)], stdout=subprocess.PIPE, check=True)
        data += status.stdout
    events = [json.loads(line) for line in data.splitlines()]
    uids = {event["uid"] for event in events if event["event_type"] == "session"}
    if len(uids) != 20 or len(events) != 21:
        problems.append("%d sessions, %d events in %s" % (len(uids), len(events), names))
    if names != ["events.json", "events.json.1", "events.json.2.gz", "events.json.3.gz"]:
        problems.append("files: %s" % names)
    return problems


# ---- systemd

def systemd(scratch):
    """The unit, alone and with the drop-in for Kafka, as systemd reads it."""
    folder = scratch.path("units")
    os.makedirs(os.path.join(folder, "mxtap.service.d"))
    with open(os.path.join(CONTRIB, "systemd", "mxtap.service"), encoding="utf-8") as file:
        text = file.read().replace("@BINDIR@/mxtap", os.path.abspath(harness.PROGRAM))
    with open(os.path.join(folder, "mxtap.service"), "w", encoding="utf-8") as file:
        file.write(text)
    problems = []
    for drop_in in (None, "kafka.conf"):
        if drop_in:
            shutil.copy(os.path.join(CONTRIB, "systemd", drop_in),
                        os.path.join(folder, "mxtap.service.d"))
        status, said = say("systemd-analyze", "verify", "--man=no", os.path.join(folder, "mxtap.service"))
        ours = [line for line in said.splitlines() if "mxtap.service" in line]
        problems += ours or (["%s" % said] if status and not said else [])
    return problems


def run(report):
    for check, programs, live in ((prometheus, ("prometheus", "promtool"), True),
                                  (alerts, ("promtool",), False),
                                  (logrotate, ("logrotate",), True),
                                  (systemd, ("systemd-analyze",), False)):
        name = "programs/" + check.__name__
        lacks = [program for program in programs if not shutil.which(program)]
        if lacks:
            report.skipped(name, "%s not here" % ", ".join(lacks))
        elif live and not (kafka.may_capture() and os.geteuid() == 0):
            report.skipped(name, "not allowed to capture")
        else:
            with harness.Scratch() as scratch:
                report.verdict(name, check(scratch))
