# SPDX-License-Identifier: BSD-2-Clause
"""OpenSMTPD, of a root of its own: it offers STARTTLS, requires it, or knows none of it."""
import os
import shutil

import world as w

OFFERS, REQUIRES, NONE = "10.25.0.5", "10.25.0.6", "10.25.0.7"

CONF = """pki "srv" cert "/mnt/opensmtpd/cert.pem"
pki "srv" key "/mnt/opensmtpd/key.pem"
table users {{ "@" = "nobody" }}
listen on {offers} port 25 tls pki "srv" hostname mx.example.net
listen on {requires} port 25 tls-require pki "srv" hostname mx2.example.net
listen on {none} port 25 hostname mx3.example.net
action "hole" mda "cat >/dev/null" virtual <users>
match from any for any action "hole"
"""

#: the mounts are those of the command alone: ip-netns(8) gives it some of its own
COMMAND = ('mount --bind "$1" "$2/mnt" && mount -t tmpfs -o mode=711 tmpfs "$2/var/spool/smtpd" && mount -t tmpfs tmpfs "$2/run" && '
           'exec chroot "$2" smtpd -d -f /mnt/opensmtpd/smtpd.conf')


def start(world, root):
    """None, or what is wrong."""
    top = world.path("opensmtpd")
    os.makedirs(top)
    os.makedirs(os.path.join(root, "var/spool/smtpd"), exist_ok=True)
    for name in ("cert.pem", "key.pem"):
        shutil.copy(world.path(name), top)
        os.chmod(os.path.join(top, name), 0o600)
    with open(os.path.join(top, "smtpd.conf"), "w", encoding="utf-8") as file:
        file.write(CONF.format(offers=OFFERS, requires=REQUIRES, none=NONE))
    w.addresses(w.SERVERS, "s0", *(address + "/24" for address in (OFFERS, REQUIRES, NONE)))
    with open(os.path.join(top, "log"), "w", encoding="utf-8") as log:
        world.start(w.SERVERS, "sh", "-c", COMMAND, "sh", world.top, root, stdout=log, stderr=log)
    if all(w.listens(address) for address in (OFFERS, REQUIRES, NONE)):
        return None
    with open(os.path.join(top, "log"), encoding="utf-8") as log:
        return "OpenSMTPD does not listen: " + log.read()[-300:]


def sessions_of(clients):
    """Name, address, what the client saw, and what the record has to say."""
    tls = {"outcome": "tls", "smtp": {"starttls": "accepted"}}
    for name, options in (("openssl", ()), ("openssl-tls12", ("-tls1_2",)),
                          ("openssl-chacha", ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"))):
        yield name, *clients.openssl(OFFERS, *options), tls
    yield "swaks-tls", *clients.swaks(OFFERS, "--tls"), tls
    yield "swaks-required-tls", *clients.swaks(REQUIRES, "--tls"), tls
    yield "swaks-plain", *clients.swaks(OFFERS), {"outcome": "plaintext", "smtp": {"starttls": "offered", "mail_in_clear": 1}}
    yield "swaks-required", *clients.swaks(REQUIRES), {"outcome": "no_mail", "smtp": {"starttls": "offered"}}
    yield "swaks-none", *clients.swaks(NONE), {"outcome": "plaintext", "smtp": {"starttls": "not_offered", "mail_in_clear": 1}}
    yield "openssl-refused", *clients.openssl(NONE), {"outcome": "no_mail", "smtp": {"starttls": "refused"}}
    yield "openssl-tls10", *clients.openssl(OFFERS, "-tls1", "-cipher", "ALL:@SECLEVEL=0"), {
        "outcome": "tls_failed", "smtp": {"starttls": "accepted"},
        "tls": {"established": False, "alert": {"from": "server", "name": "protocol_version"}}}
