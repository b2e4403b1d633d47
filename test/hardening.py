#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The program was built as the Makefile means it: what its ELF headers and symbols tell, read with readelf."""
import re
import shutil
import subprocess
import sys

import harness


def readelf(*options):
    return subprocess.run(["readelf", "--wide", *options, harness.PROGRAM], capture_output=True, text=True, check=False).stdout


def main():
    report = harness.Report("hardening")
    with open(harness.PROGRAM, "rb") as file:
        sanitized = b"__asan_init" in file.read()
    if sys.platform != "linux" or not shutil.which("readelf") or sanitized:
        report.skipped("", "no readelf here, or a program with a sanitizer")
        return
    header, segments, dynamic = readelf("--file-header"), readelf("--segments"), readelf("--dynamic")
    symbols, notes = readelf("--dyn-syms"), readelf("--notes")
    stack = re.search(r"GNU_STACK.* (R\S*)\s+0x", segments)
    loads = re.findall(r"^\s+LOAD .*0x\w+ (R[ WE]*)\s+0x", segments, re.MULTILINE)
    intel = "X86-64" in header
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
    if intel and "-fcf-protection" in subprocess.run(["cc", "--help=target"], capture_output=True, text=True, check=False).stdout:
        report.verdict("control-flow", [] if re.search(r"IBT", notes) else ["no IBT in the notes (objects of a compiler without it?)"])


if __name__ == "__main__":
    main()
