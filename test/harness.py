# SPDX-License-Identifier: BSD-2-Clause
"""What the tests share: running the program, comparing events, saying PASS, FAIL and SKIP."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PROGRAM = os.path.join(TOP, os.environ.get("BUILD", "build"), "mxtap")
PCAPS = os.path.join(TOP, "pcaps")
SHARED = os.environ.get("MXTAP_SHARED") or os.path.join(os.path.dirname(TOP), "shared")
EVENTS = os.environ.get("MXTAP_TEST_EVENTS")  # file that collects every event for schema.py
TIMEOUT = 120
WORKERS = 2
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


class Run:
    """What one run of the program wrote and how it ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def lines(self):
        return self.out.decode("utf-8", "replace").splitlines()

    @property
    def events(self):
        return [json.loads(line) for line in self.lines]

    @property
    def sessions(self):
        return [event for event in self.events if event["event_type"] == "session"]

    def crash(self):
        """What no run may do, whatever it reads: the reason as text, or None."""
        text = self.err.decode("utf-8", "replace")
        if any(word in text for word in SANITIZER):
            return text[-3000:]
        if self.status not in (0, 1, 2):
            return "exit status %s\n%s" % (self.status, text[-2000:])
        return None


def mxtap(*args, stdin=None, stdout=subprocess.PIPE, env=None):
    """Run the program to its end. stdin: bytes, an open file or nothing."""
    feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    command = [PROGRAM, *map(str, args)]
    try:
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              env=dict(os.environ, **env) if env else None, check=False, **feed)
    except subprocess.TimeoutExpired:
        return Run("hangs: no end after %d s" % TIMEOUT, b"", b"")
    return Run(done.returncode, done.stdout or b"", done.stderr)


def mxtap_all(commands):
    """Run several argument lists, a few at a time; the runs in the same order."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda command: mxtap(*command), commands))


def differences(expected, actual, path=""):
    """
    How `actual` fails to contain `expected`, as lines. null: must be absent. {"one of": [...]}: any
    of these will do. {"has": [...]}: a list with at least these.
    """
    if isinstance(expected, dict) and set(expected) == {"one of"}:
        if all(differences(choice, actual, path) for choice in expected["one of"]):
            return ["%s: %s is none of %s" % (path, show(actual), show(expected["one of"]))]
        return []
    if isinstance(expected, dict) and set(expected) == {"has"}:
        missing = [item for item in expected["has"] if item not in (actual or [])]
        return ["%s: %s lacks %s" % (path, show(actual), show(missing))] if missing else []
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return ["%s: %s, expected %s" % (path, show(actual), show(expected))]
        return [line for key, value in expected.items()
                for line in differences(value, actual.get(key), (path + "." + key).lstrip("."))]
    if expected != actual:
        return ["%s: %s, expected %s" % (path, show(actual), show(expected))]
    return []


def show(value):
    return "absent" if value is None else json.dumps(value)


def compare_sessions(expected, sessions):
    """Differences between a list of expected subsets and the session events of a run."""
    if len(expected) != len(sessions):
        lines = ["%d sessions, expected %d" % (len(sessions), len(expected))]
        return lines + ["got " + json.dumps(session) for session in sessions]
    lines = []
    for want, got in zip(expected, sessions):
        found = differences(want, got)
        lines += found + (["in " + json.dumps(got)] if found else [])
    return lines


class Report:
    """Verdicts of one part of the tests, on standard output in the words that test/run counts."""

    def __init__(self, part):
        self.part = part

    def passed(self, name):
        self.say("PASS", name)

    def failed(self, name, lines):
        self.say("FAIL", name)
        for line in lines:
            for piece in line.splitlines():
                print("    " + piece)
        sys.stdout.flush()

    def skipped(self, name, reason):
        self.say("SKIP", name, ": " + reason)

    def verdict(self, name, lines):
        """FAIL with what is wrong, PASS if nothing is."""
        if lines:
            self.failed(name, lines)
        else:
            self.passed(name)

    def say(self, word, name, rest=""):
        print("%s %s%s" % (word, "/".join(filter(None, (self.part, name))), rest), flush=True)


def checked(run, expected_status=0):
    """What is wrong with a run before its events are looked at; schema.py gets them, too."""
    crash = run.crash()
    if crash:
        return [crash]
    if run.status != expected_status:
        return ["exit status %d, expected %d" % (run.status, expected_status),
                run.err.decode("utf-8", "replace")[-2000:]]
    return keep_events(run)


def keep_events(run):
    try:
        run.events
    except ValueError as error:
        return ["output is not JSON: %s" % error]
    if EVENTS:
        with open(EVENTS, "ab") as file:
            file.write(run.out)
    return []


class Scratch:
    """A folder for captures made on the fly; gone at the end."""

    def __enter__(self):
        self.top = tempfile.mkdtemp(prefix="mxtap-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)

    def path(self, name):
        return os.path.join(self.top, name)


def adjudicated(name):
    """
    A file of disagreements that were looked into: lines of capture, connection or *, field or *,
    and the proof that the program is right. As a function that tells whether one is listed.
    """
    known = set()
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                known.add(tuple(line.split()[:3]))
    return lambda capture, connection, field: any(
        (capture, c, f) in known for c in (connection, "*") for f in (field, "*"))


def captures(folder):
    """All files below a folder of captures that look like captures, in name order."""
    found = []
    for top, _, names in os.walk(folder):
        found += [os.path.join(top, name) for name in names
                  if name.endswith((".pcap", ".pcapng", ".pcap.gz", ".pcap.zst", ".cap"))]
    return sorted(found)


def without_sensor_file(event):
    """The same event as if read under another name."""
    sensor = {key: value for key, value in event.get("sensor", {}).items() if key != "file"}
    event = {key: value for key, value in event.items() if key != "sensor" or sensor}
    if sensor:
        event["sensor"] = sensor
    return event
