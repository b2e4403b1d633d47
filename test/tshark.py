#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
tshark and the openssl program as oracles on our own captures: what both hellos say, alerts, and the leaf certificate, field by field. All
Ethernet captures of pcaps/ go through tshark in one run.
"""
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import harness

RETRY = hashlib.sha256(b"HelloRetryRequest").hexdigest()
ETHERNET = "Ethernet"
FIELDS = ["frame.time_epoch", "tcp.stream", "tcp.srcport", "tcp.dstport", "tls.handshake.type", "tls.handshake.random",
          "tls.handshake.version", "tls.handshake.extensions.supported_version", "tls.handshake.ciphersuite",
          "tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.ja3s",
          "tls.handshake.extensions_key_share_group", "tls.handshake.server_named_curve", "tls.alert_message.level",
          "tls.alert_message.desc", "tls.handshake.certificate"]
OPTIONS = ["-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tcp.desegment_tcp_streams:TRUE", "-d", "tcp.port==2525,smtp"]
# What tshark cannot or does not read, with the reason.
LEFT_OUT = {
    "other-port": "SMTP on a port where tshark does not look for it",
    "sslv2": "tshark gives SSLv2 other fields",
    "midstream": "tshark does not enter TLS",
    "lost": "tshark does not enter TLS behind a hole",
    "one-sided": "tshark does not enter TLS",
    "snaplen": "tshark shows nothing of messages that were cut",
    "early-client": "EHLO before the banner: tshark does not enter TLS",
    "hello-before-220": "tshark does not enter TLS",
    "command-injection": "tshark does not enter TLS",
    "response-injection": "tshark does not enter TLS",
    "proxy": "a PROXY header hides SMTP from tshark",
    "lmtp": "LMTP is not SMTP to tshark",
}


def captures():
    """Files that tshark and we are to agree on: pcap files of Ethernet, told by their header."""
    for name in sorted(os.listdir(harness.PCAPS)):
        path = os.path.join(harness.PCAPS, name)
        if not name.endswith(".pcap") or any(word in name for word in LEFT_OUT):
            continue
        with open(path, "rb") as file:
            head = file.read(24)
        if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and head[20] == 1:
            yield path


def tshark(path):
    """Rows of fields, each a list of its occurrences."""
    command = ["tshark", "-n", "-2", "-r", path, "-Y", "tls.handshake or tls.alert_message", "-T", "fields", "-E", "occurrence=a", *OPTIONS]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for line in done.stdout.decode().split("\n"):
        if line:
            yield {field: value.split(",") if value else [] for field, value in zip(FIELDS, line.split("\t"))}


def from_client(row, fact):
    fact["sni"] = (row["tls.handshake.extensions_server_name"] or [None])[0]
    fact["ja3"] = (row["tls.handshake.ja3"] or [None])[0]


def from_server(row, fact):
    version = (row["tls.handshake.extensions.supported_version"] or row["tls.handshake.version"])[0]
    fact["version"] = "0x%04x" % int(version, 16)
    fact["cipher"] = "0x%04x" % int(row["tls.handshake.ciphersuite"][0], 0)
    fact["ja3s"] = (row["tls.handshake.ja3s"] or [None])[0]
    group = row["tls.handshake.extensions_key_share_group"] or row["tls.handshake.server_named_curve"]
    if group:  # not for suites whose key exchange tshark does not read (ARIA)
        fact["group"] = "0x%04x" % int(group[0], 0)


def take(row, fact):
    """Adds what a frame says to the facts of its connection."""
    kinds, random = row["tls.handshake.type"], row["tls.handshake.random"]
    if "1" in kinds and "ja3" not in fact:
        from_client(row, fact)
    if "2" in kinds and "version" not in fact and random[:1] != [RETRY]:
        from_server(row, fact)
    elif "12" in kinds and not fact.get("group") and row["tls.handshake.server_named_curve"]:
        fact["group"] = "0x%04x" % int(row["tls.handshake.server_named_curve"][0], 0)
    if "version" in fact and row["tls.handshake.certificate"] and "sha256" not in fact:
        der = bytes.fromhex(row["tls.handshake.certificate"][0].replace(":", ""))
        fact["sha256"], fact["der"] = hashlib.sha256(der).hexdigest(), der
    for level, code in zip(row["tls.alert_message.level"], row["tls.alert_message.desc"]):
        if level == "2" and "alert" not in fact:
            fact["alert"] = int(code)


def oracle(path):
    """Facts by connection: the client's port is unique within a capture."""
    facts = {}
    for row in tshark(path):
        ports = sorted((int(row["tcp.srcport"][0]), int(row["tcp.dstport"][0])), reverse=True)
        take(row, facts.setdefault(tuple(ports), {}))
    return facts


def ours(event):
    tls = event["tls"]
    server = tls.get("server", {})
    return {"sni": tls.get("client", {}).get("server_name"), "ja3": tls.get("client", {}).get("ja3"), "ja3s": server.get("ja3s"),
            "version": tls.get("version_id"), "cipher": tls.get("cipher_id"), "group": tls.get("group_id"),
            "sha256": server.get("x509", {}).get("sha256"), "alert": tls.get("alert", {}).get("code")}


def openssl(der):
    """What the openssl program reads in a certificate."""
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-serial", "-startdate", "-enddate", "-dateopt", "iso_8601",
               "-subject", "-issuer", "-nameopt", "RFC2253,-esc_msb,utf8"]
    done = subprocess.run(command, input=der, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    values = dict(line.split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
    iso = lambda text: text.replace(" ", "T")
    return {"serial": values["serial"], "not_before": iso(values["notBefore"]), "not_after": iso(values["notAfter"]),
            "subject": {"distinguished_name": values["subject"]}, "issuer": {"distinguished_name": values["issuer"]}}


def compare(path, certificates):
    """Lines of disagreement, and how many values were compared."""
    run = harness.mxtap("-q", "-r", path)
    wrong, compared = harness.checked(run), 0
    facts = oracle(path)
    for event in run.sessions:
        fact = facts.get(tuple(sorted((event["client"]["port"], event["server"]["port"]), reverse=True)))
        if "tls" not in event or not fact:
            continue
        for field, value in ours(event).items():
            if field in ("alert",) and event["tls"]["established"]:
                continue  # after the handshake nothing is told
            if field not in fact:
                continue
            compared += 1
            if value != fact[field]:
                wrong.append("%s:%d %s: %s, tshark says %s" % (event["client"]["ip"], event["client"]["port"], field, value, fact[field]))
        if "der" in fact and "x509" in event["tls"].get("server", {}):
            certificates[fact["sha256"]] = (fact["der"], event["tls"]["server"]["x509"])
    return wrong, compared


def main():
    report = harness.Report("tshark")
    if not shutil.which("tshark"):
        report.skipped("", "tshark is not here")
        return 0
    certificates, total = {}, 0
    paths = list(captures())
    with ThreadPoolExecutor(harness.WORKERS) as pool:
        results = list(pool.map(lambda path: compare(path, certificates), paths))
    for path, (wrong, compared) in zip(paths, results):
        total += compared
        if wrong:
            report.failed(os.path.basename(path), wrong)
    report.verdict("values", [] if total > 500 else ["only %d values were compared" % total])
    print("    %d values compared with tshark, %d certificates with openssl" % (total, len(certificates)))
    wrong = []
    for der, x509 in certificates.values():
        wrong += harness.differences(openssl(der), x509)
    report.verdict("certificates", wrong if certificates else ["there were none"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
