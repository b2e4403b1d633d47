# SPDX-License-Identifier: BSD-2-Clause
"""The question of the survey: a hundred servers, each asked once. And a small office's day."""
import os

import net
import survey as servers
from clients import Dialog, Steps, tls_context
from mta import EximClient, PostfixClient, SendmailClient
from servers import postfix_listener


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


GATEWAY = "192.0.2.25"

OFFICE = {"gw.office.example": GATEWAY, "mx.bank.example": "198.51.100.111",
          "mx.printworks.example": "198.51.100.112", "mx.freight.example": "198.51.100.113",
          "mx.university.example": "198.51.100.114", "mx.cloudmail.example": "198.51.100.115",
          "mail.werk.example": "198.51.100.116", "mx.hotel.example": "198.51.100.117",
          "mail.museum.example": "198.51.100.118", "mail.sportclub.example": "198.51.100.119"}


class Office:
    """The gateway of a small office, and what the nine others do with it."""

    def __init__(self, rec, capture):
        self.rec, self.capture = rec, capture
        routes = {name.split(".", 1)[1]: f"modern:[{address}]" for name, address in OFFICE.items()}
        routes["office.example"] = "discard:"
        self.gateway = PostfixClient(
            rec.top, routes, hostname="gw.office.example", address=GATEWAY,
            transports={"modern": {"smtp_tls_protocols": ">=TLSv1.2"}},
            listen=postfix_listener(GATEWAY, 25, {}))
        self.exim, self.sendmail = EximClient(rec.top), SendmailClient(rec.top)

    def out(self, host, subject):
        """A mail from the office."""
        self.gateway.session(self.capture, host.split(".", 1)[1], OFFICE[host], client=GATEWAY,
                             subject=subject, sender="desk@office.example")

    def out_museum(self, subject):
        self.gateway.session(self.capture, "museum.example", OFFICE["mail.museum.example"],
                             client=GATEWAY, subject=subject, sender="desk@office.example",
                             starttls="not_offered")

    def out_hotel(self):
        """It speaks TLS 1.0 only, the gateway asks 1.2 at least: in the end in the clear."""
        self.gateway.fallback(self.capture, "hotel.example", OFFICE["mx.hotel.example"],
                              lambda: self.rec.ports_seen("postfix", GATEWAY), client=GATEWAY,
                              subject="reservation", sender="desk@office.example")

    def by_swaks(self, host, subject, *options, pages=0, **facts):
        """A mail to the office."""
        self.rec.swaks.session(
            self.capture, GATEWAY, "--header", "Subject: " + subject, *options, "--body",
            "About " + subject + "\n" + "And so on, line after line of it.\n" * 30 * pages,
            client=OFFICE[host], helo=host, ns=net.SERVERS, to="desk@office.example",
            sender="info@" + host.split(".", 1)[1], **facts)

    def by_exim(self, subject, **facts):
        self.exim.session(self.capture, GATEWAY, client=OFFICE["mx.printworks.example"],
                          helo="mx.printworks.example", domain="office.example",
                          ns=net.SERVERS, subject=subject, **facts)

    def by_sendmail(self, subject):
        self.sendmail.session(self.capture, GATEWAY, client=OFFICE["mx.university.example"],
                              helo="mx.university.example", domain="office.example",
                              ns=net.SERVERS, subject=subject)

    def by_openssl35(self, subject, *talk):
        host = "mx.cloudmail.example"
        self.rec.openssl35.session(
            self.capture, GATEWAY, client=OFFICE[host], helo=host, ns=net.SERVERS, talk=talk or (
                "MAIL FROM:<news@cloudmail.example>", "RCPT TO:<desk@office.example>", "DATA",
                f"From: news@cloudmail.example\nSubject: {subject}\n\nAbout {subject}.\n.",
                "QUIT"))

    def probe(self):
        """EHLO and QUIT, as a monitor does it."""
        dialog = Dialog(GATEWAY, client=OFFICE["mx.cloudmail.example"], ns=net.SERVERS)
        dialog.read()
        dialog.say("EHLO mx.cloudmail.example")
        dialog.say("QUIT")
        dialog.drain(1)
        dialog.close()
        dialog.note(self.capture, outcome="no_mail", starttls="offered", established=False)

    def day(self):
        bank, werk, hotel = "mx.bank.example", "mail.werk.example", "mx.hotel.example"
        club = "mail.sportclub.example"
        self.by_swaks(bank, "statement", "--tls", pages=2)
        self.by_openssl35("newsletter")
        self.out("mx.printworks.example", "leaflets")
        self.by_exim("proof of the leaflets")
        self.by_swaks(werk, "delivery note 1", "--tls", "--tls-protocol", "tlsv1", pages=2)
        self.out(bank, "transfer")
        self.by_sendmail("lecture")
        self.out("mx.freight.example", "two pallets")
        self.out_museum("school class")
        self.by_swaks(club, "training")
        self.out("mx.cloudmail.example", "account")
        self.by_swaks(bank, "confirmation", "--tls")
        self.out("mx.university.example", "thesis")
        self.probe()
        self.by_swaks(hotel, "offer", "--tls", "--tls-protocol", "tlsv1_1", pages=1)
        self.out_hotel()
        self.by_exim("invoice")
        self.out("mx.freight.example", "three pallets")
        self.by_openssl35("reminder")
        self.by_sendmail("seminar")
        self.by_swaks(bank, "rates", "--tls", "--tls-protocol", "tlsv1_2", pages=3)
        self.out(bank, "question")
        self.by_swaks(werk, "delivery note 2", "--tls", "--tls-protocol", "tlsv1", pages=1)
        self.out("mx.printworks.example", "posters")
        self.by_exim("proof of the posters", priority="NORMAL:-VERS-TLS1.3")
        self.by_openssl35("weekly")
        self.out("mx.university.example", "exam")
        self.by_swaks(club, "match")
        self.out_museum("opening hours")
        self.by_swaks(bank, "reply", "--tls")
        self.out("mx.freight.example", "claim")
        self.by_sendmail("grades")
        self.out("mx.cloudmail.example", "cancellation")
        self.by_openssl35("goodbye")
        self.out(bank, "thanks")
        self.by_swaks(bank, "statement", "--tls", pages=2)

    def close(self):
        self.gateway.stop()


def office(rec):
    """A small office's day in short: 38 sessions of its gateway with nine others"""
    with open(os.path.join(rec.book.directory, "office.hosts"), "w") as file:
        file.write("".join(f"{address:15} {name}\n" for name, address in OFFICE.items()))
    with rec.capture("office.pcap") as capture:
        day = Office(rec, capture)
        try:
            day.day()
        finally:
            day.close()


SCENES = (survey, office)
