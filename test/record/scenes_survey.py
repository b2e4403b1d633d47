# SPDX-License-Identifier: BSD-2-Clause
"""The question of the survey: a hundred servers, each asked once. And a small office's day."""
import os

import survey as servers
from clients import Dialog, Steps, tls_context


def survey(rec):
    """A hundred servers: EHLO, STARTTLS where it is offered, a handshake, QUIT"""
    with open(os.path.join(rec.book.directory, "survey.hosts"), "w") as file:
        file.write(servers.hosts())
    with rec.capture("survey.pcap") as capture:
        for number, name, _, kind in servers.servers():
            dialog = Dialog(servers.NETWORK % number)
            dialog.read()
            offer = dialog.say("EHLO survey.example.org")
            if "STARTTLS" not in offer.split("\n", 1)[1]:
                dialog.say("QUIT")
                dialog.drain(1)
                dialog.close()
                dialog.note(capture, outcome="no_mail", starttls="not_offered",
                            established=False, note=name)
                expected = "none"
            else:
                dialog.say("STARTTLS")
                steps = Steps(tls_context())
                told = dialog.handshake(steps)
                dialog.quit_tls(steps)
                dialog.note(capture, reported_by="Python ssl", starttls="accepted", note=name,
                            **told)
                expected = {"TLSv1": "tls10", "TLSv1.2": "tls12"}.get(told["version"], "tls13")
            if expected != kind:
                raise RuntimeError(f"{name} is {expected}, not {kind}")


SCENES = (survey,)
