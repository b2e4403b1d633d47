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


def issue(top, name, issuer, common_name, names=(), key=("rsa:2048",), dates=None):
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
default_md = sha256
policy = p
[p]
commonName = supplied
[x]
basicConstraints = CA:FALSE
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
    issue(top, "client", "ca", "mail.example.org", ("mail.example.org",), key=ecdsa)
    issue(top, "client-other", "other-ca", "mail.example.org", ("mail.example.org",), key=ecdsa)
    run("sh", "-c", f"cat {top}/rsa.key {top}/rsa.pem > {top}/rsa-both.pem; "
        f"cat {top}/ecdsa.key {top}/ecdsa.pem > {top}/ecdsa-both.pem; cat {top}/expired.key {top}/expired.pem > {top}/expired-both.pem; cat {top}/selfsigned.key {top}/selfsigned.pem > {top}/selfsigned-both.pem; chmod 600 {top}/*.key")
    with open(f"{top}/ready", "w"):
        pass
