# SPDX-License-Identifier: BSD-2-Clause
"""Certificates for the recordings; made anew each time, the keys stay outside the tree."""
import os

from net import run

SERVER_NAMES = ("mx.example.net", "mx1.example.net", "mx2.example.net", "mail.example.com",
                "smtp.example.com", "mx.example.com")


def ca(top, name, common_name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/O=Example Recordings/CN=" + common_name, "-days", "3650",
        "-keyout", f"{top}/{name}.key", "-out", f"{top}/{name}.pem")


def issue(top, name, issuer, common_name, names=(), key=("rsa:2048",), dates=None, digest="sha256",
          basic="CA:FALSE"):
    """A certificate of issuer; dates: (not before, not after) as YYYYMMDDHHMMSSZ."""
    request = f"{top}/{name}.csr"
    run("openssl", "req", "-new", "-newkey", *key, "-nodes", "-subj", "/CN=" + common_name,
        "-keyout", f"{top}/{name}.key", "-out", request)
    database = f"{top}/{name}.db"
    with open(database, "w"):
        pass
    with open(database + ".attr", "w") as attributes:
        attributes.write("unique_subject = no\n")
    config = f"{top}/{name}.cnf"
    with open(config, "w") as file:
        file.write(f"""[ca]
default_ca = d
[d]
database = {database}
new_certs_dir = {top}
rand_serial = yes
default_md = {digest}
policy = p
[p]
commonName = supplied
[x]
basicConstraints = {basic}
""")
        if names:
            file.write("subjectAltName = " + ",".join("DNS:" + n for n in names) + "\n")
    start, end = dates or ("20250101000000Z", "20341231235959Z")
    signer = ("-selfsign", "-keyfile", f"{top}/{name}.key") if issuer is None else \
        ("-cert", f"{top}/{issuer}.pem", "-keyfile", f"{top}/{issuer}.key")
    run("openssl", "ca", "-batch", "-notext", "-config", config, "-extensions", "x", *signer,
        "-startdate", start, "-enddate", end, "-in", request, "-out", f"{top}/{name}.pem")


def make(top):
    if os.path.exists(f"{top}/ready"):
        return
    os.makedirs(top, exist_ok=True)
    ecdsa = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    ca(top, "ca", "Example Recordings CA")
    ca(top, "other-ca", "Another Example CA")
    issue(top, "rsa", "ca", "mx.example.net", SERVER_NAMES)
    issue(top, "ecdsa", "ca", "mx.example.net", SERVER_NAMES, key=ecdsa)
    issue(top, "expired", "ca", "mx.example.net", SERVER_NAMES, key=ecdsa,
          dates=("20180101000000Z", "20190101000000Z"))
    issue(top, "selfsigned", None, "mx.example.net", SERVER_NAMES, key=ecdsa)
    issue(top, "weak", "ca", "mx.example.net", SERVER_NAMES, key=("rsa:1024",), digest="sha1")
    issue(top, "middle-ca", "ca", "Example Intermediate CA", key=ecdsa, basic="CA:TRUE")
    issue(top, "chained", "middle-ca", "mx91.example.net", ("mx91.example.net",), key=ecdsa)
    issue(top, "client", "ca", "mail.example.org", ("mail.example.org",), key=ecdsa)
    issue(top, "client-other", "other-ca", "mail.example.org", ("mail.example.org",), key=ecdsa)
    for name in ("rsa", "ecdsa", "expired", "selfsigned", "weak", "chained"):
        more = f"{top}/middle-ca.pem" if name == "chained" else ""
        run("sh", "-c", f"cat {top}/{name}.key {top}/{name}.pem {more} > {top}/{name}-both.pem")
    run("sh", "-c", f"chmod 600 {top}/*.key")
    with open(f"{top}/ready", "w"):
        pass
