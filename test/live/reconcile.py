# SPDX-License-Identifier: BSD-2-Clause
"""README's recipe that compares a day of events with what Postfix itself has logged, on a real Postfix."""
import datetime
import os
import re
import subprocess

import harness
import world as w


def recipe():
    with open(os.path.join(harness.TOP, "README"), encoding="utf-8") as file:
        return re.search(r"No output means yes:\n\n((?:    .*\n)+)", file.read()).group(1)


def iso(line):
    """As rsyslog writes times since Debian 12; Postfix itself writes "Nov 25 19:07:16"."""
    words = line.split(None, 3)
    year = datetime.datetime.now(datetime.timezone.utc).year
    stamp = datetime.datetime.strptime("%d %s" % (year, " ".join(words[:3])), "%Y %b %d %H:%M:%S")
    return stamp.isoformat() + ".000000+00:00 " + words[3]


def answer(folder, log):
    """What the recipe writes for this log."""
    with open(os.path.join(folder, "mail.log"), "w", encoding="utf-8") as file:
        file.writelines(log)
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    text = re.sub(r"D=[0-9-]+", "D=" + day, recipe()).replace("192.0.2.25", w.POSTFIX)
    done = subprocess.run(["bash", "-c", text], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=30, check=False)
    return done.stdout


def reconcile(report, world):
    path = world.path("postfix/postfix.log")
    before = sum(1 for _ in open(path, encoding="utf-8")) if os.path.exists(path) else 0
    folder = world.path("reconcile")
    os.makedirs(folder)
    os.chmod(folder, 0o777)
    tap = w.Tap(world, "--linger", "0", "--stats", "0", name="reconcile/events.json")
    clients = w.Clients(world)
    for options in ((), ("-tls1_2",), ("-tls1_3",), ("-tls1", "-cipher", "ALL:@SECLEVEL=0")):
        clients.openssl(w.POSTFIX, *options)
    for options in (("--tls",), ()):
        clients.swaks(w.POSTFIX, *options)
    w.wait_for(lambda: len(tap.events()) >= 6, 5)
    tap.stop()
    with open(path, encoding="utf-8") as file:
        log = [iso(line) for line in file.readlines()[before:]]
    told = [line for line in log if "TLS connection established" in line]
    lines = [] if len(told) == 4 else ["Postfix has logged %d sessions, expected 4" % len(told)]
    same, other = answer(folder, log), answer(folder, [line for line in log if line != told[-1]])
    lines += ["differs: " + same] if same else []
    lines += [] if other else ["a session that Postfix has not logged is not told"]
    report.verdict("reconcile", lines)
