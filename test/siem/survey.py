# SPDX-License-Identifier: BSD-2-Clause
"""contrib/survey against three servers on loopback in a network of its own, with a stub resolver."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SCRIPT = os.path.join(harness.TOP, "contrib", "survey")
PROGRAMS = ("unshare", "ip", "tcpdump", "openssl", "timeout")
PORT = 2525
# domain, its exchanger, address, and what that speaks
SERVERS = (("new.example", "mx.new.example", "127.0.0.2", ssl.TLSVersion.TLSv1_3),
           ("older.example", "mx.older.example", "127.0.0.3", ssl.TLSVersion.TLSv1_2),
           ("clear.example", "mx.clear.example", "127.0.0.4", None))
RESOLVER = """#!/bin/sh
case "$2 $3" in
%s
"MX null.example") echo "0 ." ;;
esac
"""


def serve(address, version, certificate):
    """One SMTP server that knows EHLO, STARTTLS and QUIT."""
    listener = socket.create_server((address, PORT))
    while True:
        connection, _ = listener.accept()
        try:
            dialog(connection, version, certificate)
        except (OSError, ssl.SSLError):
            pass
        connection.close()


def dialog(connection, version, certificate):
    connection.sendall(b"220 test ESMTP\r\n")
    while True:
        line = connection.recv(1000).upper()
        if line.startswith(b"EHLO"):
            connection.sendall(b"250-test\r\n250 STARTTLS\r\n" if version else b"250 test\r\n")
        elif line.startswith(b"STARTTLS") and version:
            connection.sendall(b"220 go\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.maximum_version = version
            connection = context.wrap_socket(connection, server_side=True)
        elif line.startswith(b"QUIT") or not line:
            connection.sendall(b"221 bye\r\n")
            return
        else:
            connection.sendall(b"502 no\r\n")


def inside(top):
    """In the new network: bring loopback up, serve, and run the script."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for _, _, address, version in SERVERS:
        threading.Thread(target=serve, args=(address, version, os.path.join(top, "pem")),
                         daemon=True).start()
    environment = dict(os.environ, NAME="survey.example.org", PACE="0", INTERFACE="lo",
                       PORT=str(PORT), MXTAP=harness.PROGRAM, DIG=os.path.join(top, "dig"))
    done = subprocess.run([SCRIPT, os.path.join(top, "domains"), os.path.join(top, "out")],
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=100, check=False)
    sys.stdout.buffer.write(done.stdout)
    return done.returncode


def prepare(scratch):
    answers = ['"MX %s") echo "20 b.%s."; echo "10 %s." ;;\n"A %s") echo %s ;;' %
               (domain, host, host, host, address) for domain, host, address, _ in SERVERS]
    with open(scratch.path("dig"), "w", encoding="utf-8") as file:
        file.write(RESOLVER % "\n".join(answers))
    os.chmod(scratch.path("dig"), 0o755)
    with open(scratch.path("domains"), "w", encoding="utf-8") as file:
        file.write("# ours\n" + "\n".join(row[0] for row in SERVERS) + "\nnull.example\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test",
                    "-keyout", scratch.path("key"), "-out", scratch.path("crt")],
                   stderr=subprocess.DEVNULL, check=True)
    with open(scratch.path("pem"), "wb") as pem:
        for name in ("key", "crt"):
            with open(scratch.path(name), "rb") as file:
                pem.write(file.read())


def check(scratch):
    done = subprocess.run(["unshare", "-n", sys.executable, os.path.abspath(__file__), scratch.top],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=110, check=False)
    text = done.stdout.decode("utf-8", "replace")
    problems = [] if done.returncode == 0 else ["exit status %d" % done.returncode]
    if "null.example: takes no mail" not in text:
        problems.append("null.example is not told of")
    with open(scratch.path("out/survey.hosts"), encoding="utf-8") as file:
        hosts = file.read().split()
    if hosts != [word for _, host, address, _ in SERVERS for word in (address, host)]:
        problems.append("survey.hosts: %s" % hosts)
    run = harness.mxtap("-q", "-r", scratch.path("out/survey.pcap"))
    got = {event["server"]["ip"]: event.get("tls", {}).get("version") for event in run.sessions}
    if got != {"127.0.0.2": "TLSv1.3", "127.0.0.3": "TLSv1.2", "127.0.0.4": None}:
        problems.append("sessions: %s" % json.dumps(got))
    if "STARTTLS is offered by 2 of the peers' 3 servers" not in text:
        problems.append("the report does not tell")
    return problems + text.splitlines() if problems else []


def run(report):
    lacks = [name for name in PROGRAMS if not shutil.which(name)]
    if lacks or os.geteuid() != 0:
        report.skipped("survey", ", ".join(lacks) + " not here" if lacks else "not root")
        return
    with harness.Scratch() as scratch:
        prepare(scratch)
        report.verdict("survey", check(scratch))


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1]))
