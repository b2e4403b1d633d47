# SPDX-License-Identifier: BSD-2-Clause
"""The same mail over other networks and in other capture files."""
import gzip
import shutil
import subprocess
import threading

import net
from clients import Dialog, Steps, tls_context
from scenes_basic import EXIM, POSTFIX, SMTPD
from scenes_plain import clear, mail, start


def three(rec, capture, server=POSTFIX, client="192.0.2.10"):
    """A TLS session of 1.3, one of 1.2 and a mail in the clear."""
    rec.openssl.session(capture, server, "-tls1_3", client=client)
    rec.openssl.session(capture, server, "-tls1_2", client=client)
    rec.swaks.session(capture, server, client=client)


def ipv6(rec):
    """IPv6"""
    with rec.capture("ipv6.pcap", expression="ip6 and tcp") as capture:
        rec.openssl.session(capture, "2001:db8:5::25", "-tls1_3", client="2001:db8:c::10")
        rec.openssl.session(capture, "2001:db8:5::25", "-tls1_1", client="2001:db8:c::10")
        dialog = start("2001:db8:5::25", client="2001:db8:c::10")
        mail(dialog, "IPv6")
        clear(dialog, capture, 1)


def vlan(rec):
    """802.1Q with tag 10; QinQ with tags 20 and 30"""
    for name, dev, server, client in (("vlan.pcap", "v-trunk1", "10.10.0.25", "10.10.0.10"),
                                      ("qinq.pcap", "q-trunk1", "10.20.30.25", "10.20.30.10")):
        with rec.capture(name, ns=net.MIDDLE, dev=dev, expression="vlan") as capture:
            three(rec, capture, server, client)


def any_device(rec):
    """tcpdump -i any: Linux cooked capture, versions 1 and 2"""
    for name, kind in (("sll.pcap", "LINUX_SLL"), ("sll2.pcap", "LINUX_SLL2")):
        with rec.capture(name, dev="any", options=("-y", kind),
                         expression="tcp and host 192.0.2.10") as capture:
            three(rec, capture)


def to_pcapng(raw, path):
    net.run("editcap", "-F", "pcapng", raw, path)


def to_gzip(raw, path):
    with open(raw, "rb") as source, gzip.GzipFile(path, "wb", mtime=0) as target:
        shutil.copyfileobj(source, target)


def to_zstd(raw, path):
    net.run("zstd", "-qf", raw, "-o", path)


def formats(rec):
    """Nanoseconds, pcapng, gzip, zstd"""
    with rec.capture("nanosecond.pcap", options=("--time-stamp-precision=nano",)) as capture:
        three(rec, capture)
    with rec.capture("nanosecond.pcapng", options=("--time-stamp-precision=nano",),
                     finish=to_pcapng) as capture:
        three(rec, capture)
    with rec.capture("pcapng.pcapng", finish=to_pcapng) as capture:
        three(rec, capture)
    with rec.capture("gzip.pcap.gz", finish=to_gzip) as capture:
        three(rec, capture)
    with rec.capture("zstd.pcap.zst", finish=to_zstd) as capture:
        three(rec, capture)


def incomplete(rec):
    """What a capture may lack: one side, the start, the ends of long packets"""
    for side in ("src", "dst"):
        with rec.capture(f"one-sided-{'client' if side == 'src' else 'server'}.pcap",
                         expression=f"tcp and {side} host 192.0.2.10", partial=True) as capture:
            three(rec, capture)
    with rec.capture("snaplen-128.pcap", options=("-s", "128")) as capture:
        three(rec, capture)
    dialog = start(POSTFIX)
    with rec.capture("midstream-starttls.pcap", partial=True, no_check=True) as capture:
        dialog.say("STARTTLS")
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                    note="the capture starts at STARTTLS")
    dialog = start(POSTFIX)
    dialog.say("STARTTLS")
    with rec.capture("midstream-hello.pcap", partial=True, no_check=True) as capture:
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                    note="the capture starts at the ClientHello")
    dialog = start(POSTFIX)
    with rec.capture("midstream-mail.pcap", partial=True, no_check=True) as capture:
        mail(dialog, "a capture that starts late")
        clear(dialog, capture, 1, note="the capture starts at MAIL FROM")
    dialog = start(POSTFIX)
    dialog.say("STARTTLS")
    steps = Steps(tls_context())
    told = dialog.handshake(steps)
    with rec.capture("midstream-encrypted.pcap", partial=True, no_check=True) as capture:
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told,
                    note="the capture starts inside TLS")


def offload(rec):
    """Segmentation offload: packets longer than any wire carries, checksums not filled in"""
    def devices(state):
        for ns, dev in ((net.CLIENTS, "c0"), (net.SERVERS, "s0")):
            net.run("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tx", state, "tso", state,
                    "gso", state, check=False)
    devices("on")
    try:
        with rec.capture("offload.pcap") as capture:
            rec.openssl35.session(capture, EXIM, note="hello of 1.5 KB in one packet")
            dialog = start(POSTFIX)
            dialog.say("MAIL FROM:<anna@example.org>")
            dialog.say("RCPT TO:<bob@example.net>")
            dialog.say("DATA")
            dialog.send(b"Subject: long\r\n\r\n" + b"A line of a long mail.\r\n" * 400 + b".\r\n")
            dialog.read()
            clear(dialog, capture, 1)
    finally:
        devices("off")


def concurrent(rec):
    """Eight sessions at once, interleaved"""
    with rec.capture("interleaved.pcap") as capture:
        jobs = []
        for number, server in enumerate((POSTFIX, EXIM, SMTPD, POSTFIX) * 2):
            option = "-tls1_3" if number % 2 else "-tls1_2"
            jobs.append(threading.Thread(target=rec.openssl.session, args=(
                capture, server, option), kwargs={"talk": ("NOOP", "NOOP", "QUIT")}))
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()


def loopback(rec):
    """The loopback device; tcpdump's -i lo"""
    with rec.capture("loopback.pcap", dev="lo", expression="tcp") as capture:
        output = subprocess.run(
            ["ip", "netns", "exec", net.SERVERS, "swaks", "--server", POSTFIX, "--local-interface",
             POSTFIX, "--local-port", "39001", "--from", "anna@example.org", "--to",
             "bob@example.net", "--helo", "localhost", "--header", "X-Mailer: swaks", "--header",
             "Message-Id: <1@localhost>"],
            stdout=subprocess.PIPE, text=True).stdout
        from clients import swaks_facts
        capture.session(client=POSTFIX, client_port=39001, server=POSTFIX, server_port=25,
                        reported_by="swaks " + rec.swaks.version, **swaks_facts(output))


def bad_line(rec):
    """Segments lost (and sent again), out of order, twice: by a switch between, seen behind it"""
    for name, what, dev, network in (("segments-lost", "lost", "l-trunk2", "10.30.1."),
                                     ("segments-swapped", "swapped", "w-trunk2", "10.30.2."),
                                     ("segments-doubled", "doubled", "d-trunk2", "10.30.3.")):
        with rec.capture(name + ".pcap", ns=net.MIDDLE, dev=dev, gaps=True) as capture:
            rec.openssl35.session(capture, network + "25", client=network + "10")
            rec.openssl35.session(capture, network + "25", "-tls1_2", client=network + "10")
            for _ in range(2):
                rec.swaks.session(capture, network + "25", client=network + "10")


def lost_reply(rec):
    """The 220 reply to STARTTLS is missing in the capture; the ServerHello; the EHLO reply"""
    start_of = "tcp[((tcp[12:1] & 0xf0) >> 2):4]"
    for name, lost in (
            ("lost-220.pcap", f"src port 25 and {start_of} = 0x32323020 and "
             "tcp[((tcp[12:1] & 0xf0) >> 2) + 4:1] = 0x32"),
            ("lost-server-hello.pcap", "src port 25 and tcp[((tcp[12:1] & 0xf0) >> 2):1] = 0x16"),
            ("lost-client-hello.pcap", "dst port 25 and tcp[((tcp[12:1] & 0xf0) >> 2):1] = 0x16"),
            ("lost-ehlo-reply.pcap", f"src port 25 and {start_of} = 0x3235302d")):
        with rec.capture(name, expression="tcp and (tcp[tcpflags] & tcp-push == 0 or not "
                         f"({lost}))",
                         gaps=True) as capture:
            rec.openssl.session(capture, POSTFIX, "-tls1_3")
            rec.openssl.session(capture, POSTFIX, "-tls1_2")


def port_reuse(rec):
    """Two connections one after the other with the same addresses and ports"""
    with rec.capture("port-reuse.pcap") as capture:
        dialog = start(POSTFIX)
        mail(dialog, "the first of this port")
        dialog.reset()
        facts = {"starttls": "offered", "established": False, "outcome": "plaintext",
                 "messages_in_clear": 1}
        dialog.note(capture, **facts)
        dialog = Dialog(POSTFIX, client_port=dialog.client_port)
        dialog.read()
        dialog.say("EHLO mail.example.org")
        dialog.say("STARTTLS")
        steps = Steps(tls_context())
        told = dialog.handshake(steps)
        dialog.quit_tls(steps)
        dialog.note(capture, reported_by="Python ssl", starttls="accepted", **told)


SCENES = (ipv6, vlan, any_device, formats, incomplete, offload, concurrent, loopback,
          bad_line, lost_reply, port_reuse)
