#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The program was built as the Makefile means it: what its ELF headers and symbols tell, read with readelf."""
import os
import re
import shutil
import subprocess
import sys

import harness


def readelf(*options):
    return subprocess.run(["readelf", "--wide", *options, harness.PROGRAM], capture_output=True, text=True, check=False).stdout


def compiles(flag):
    """The compiler that builds here has the flag."""
    compiler = os.environ.get("CC", "cc").split()
    command = [*compiler, "-Werror", flag, "-x", "c", "-c", "-o", os.devnull, os.devnull]
    return bool(shutil.which(compiler[0])) and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def main():
    report = harness.Report("hardening")
    with open(harness.PROGRAM, "rb") as file:
        program = file.read()
    sanitized = b"__asan_init" in program
    if sys.platform != "linux" or not shutil.which("readelf") or sanitized:
        report.skipped("", "no readelf here, or a program with a sanitizer")
        return
    header, segments, dynamic = readelf("--file-header"), readelf("--segments"), readelf("--dynamic")
    symbols = readelf("--dyn-syms")
    stack = re.search(r"GNU_STACK.* (R\S*)\s+0x", segments)
    loads = re.findall(r"^\s+LOAD .*0x\w+ (R[ WE]*)\s+0x", segments, re.MULTILINE)
    checks = {
        "position-independent": "DYN (" in header and bool(re.search(r"FLAGS_1\).*PIE", dynamic)),
        "relocations-read-only": "GNU_RELRO" in segments and "BIND_NOW" in dynamic and " NOW" in dynamic,
        "stack-not-executable": bool(stack) and "E" not in stack[1],
        "nothing-writable-and-executable": bool(loads) and not any("W" in load and "E" in load for load in loads),
        "stack-protector": "__stack_chk_fail" in symbols,
        "fortified": bool(re.search(r"__\w+_chk\b(?<!stack_chk)", re.sub(r"__stack_chk_\w+", "", symbols))),
        "no-search-path": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
    }
    for name, good in checks.items():
        report.verdict(name, [] if good else ["it is not"])
    # the property IBT would need the C library's own objects to have it: the instruction at each entry tells
    if "X86-64" in header and compiles("-fcf-protection"):
        report.verdict("control-flow", [] if program.count(b"\xf3\x0f\x1e\xfa") > 100 else ["its functions begin without endbr64"])


if __name__ == "__main__":
    main()
