# SPDX-License-Identifier: BSD-2-Clause
"""Roots of other systems, which test/record/roots builds by debootstrap: mail servers whose packages exclude the host's, and a
whole gateway with its init. Built when first wanted, and kept."""
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BUILDER = os.path.join(os.path.dirname(HERE), "record", "roots")
TOP = os.environ.get("MXTAP_RECORD_DIR", "/var/tmp/mxtap-record")
#: some 300 MB of packages, unpacked on a slow machine
SECONDS = 900


def is_ready(name):
    return os.path.exists(os.path.join(TOP, name, ".ready"))


def find(name, build=True):
    """(path, None), or (None, why there is none)."""
    path = os.path.join(TOP, name)
    if is_ready(name):
        return path, None
    if not build:
        return None, "no root %s below %s, and none is built here" % (name, TOP)
    if not shutil.which("debootstrap"):
        return None, "no root %s below %s, and no debootstrap to build it" % (name, TOP)
    print("roots: building %s by debootstrap, once (MXTAP_RECORD_DIR: %s)" % (name, TOP), flush=True)
    try:
        done = subprocess.run([BUILDER, TOP, name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None, "root %s was not built within %d s" % (name, SECONDS)
    if done.returncode:
        return None, "root %s cannot be built: %s" % (name, " ".join(done.stdout.split())[-300:])
    return path, None


def user(root, name):
    """Numbers of a user there."""
    with open(os.path.join(root, "etc", "passwd"), encoding="utf-8") as file:
        for line in file:
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
    raise LookupError(name)
