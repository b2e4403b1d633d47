# SPDX-License-Identifier: BSD-2-Clause
"""
A client that no library is any more: its hello has the SSLv2 format (RFC 5246 E.2), its offer is
TLS 1.2 with TLS_RSA_WITH_NULL_SHA256, so that nothing but HMAC and RSA is needed to finish.
"""
import hashlib
import hmac
import os
import struct
import subprocess

VERSION = b"\x03\x03"
NULL_SHA256 = b"\x00\x3b"
RENEGOTIATION_INFO = b"\x00\xff"


def prf(secret, label, seed, length):
    """RFC 5246 5, with SHA-256."""
    seed, out, a = label + seed, b"", label + seed
    while len(out) < length:
        a = hmac.digest(secret, a, hashlib.sha256)
        out += hmac.digest(secret, a + seed, hashlib.sha256)
    return out[:length]


def public_key(certificate):
    text = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-modulus"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(text.split("=")[1], 16), 65537


def encrypt(secret, key):
    """RSAES-PKCS1-v1_5 (RFC 8017 7.2.1)."""
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    padding = bytes(byte % 255 + 1 for byte in os.urandom(size - 3 - len(secret)))
    block = int.from_bytes(b"\0\2" + padding + b"\0" + secret, "big")
    return pow(block, exponent, modulus).to_bytes(size, "big")


def record(kind, body):
    return bytes([kind]) + VERSION + struct.pack("!H", len(body)) + body


def message(kind, body):
    return bytes([kind]) + struct.pack("!I", len(body))[1:] + body


def sealed(kind, body, key, number):
    """A record under NULL_SHA256: the text and its HMAC (RFC 5246 6.2.3.1)."""
    head = struct.pack("!QB", number, kind) + VERSION + struct.pack("!H", len(body))
    return record(kind, body + hmac.digest(key, head + body, hashlib.sha256))


def hello(challenge):
    ciphers = b"\0" + NULL_SHA256 + b"\0" + RENEGOTIATION_INFO
    return b"\1" + VERSION + struct.pack("!HHH", len(ciphers), 0, len(challenge)) + ciphers + \
        challenge


def handshake_messages(sock, last):
    """The server's handshake messages up to the one of type `last`, as they were sent."""
    got, stream = b"", b""
    while True:
        while len(got) >= 5 and len(got) >= 5 + int.from_bytes(got[3:5], "big"):
            size = int.from_bytes(got[3:5], "big")
            assert got[0] == 22, "alert or worse: %s" % got.hex()
            stream, got = stream + got[5:5 + size], got[5 + size:]
        at = 0
        while len(stream) >= at + 4:
            kind, size = stream[at], int.from_bytes(stream[at + 1:at + 4], "big")
            if kind == last and len(stream) >= at + 4 + size:
                return stream
            at += 4 + size
        got += sock.recv(65536)


def talk(sock, relay, certificate):
    """Handshake and a line inside it; what s_client would have reported. relay() carries bytes."""
    challenge = os.urandom(32)
    transcript = hello(challenge)
    sock.sendall(struct.pack("!H", 0x8000 | len(transcript)) + transcript)
    relay()
    flight = handshake_messages(sock, last=14)
    transcript += flight
    premaster = VERSION + os.urandom(46)
    secret = encrypt(premaster, public_key(certificate))
    exchange = message(16, struct.pack("!H", len(secret)) + secret)
    transcript += exchange
    randoms = challenge, flight[6:38]
    master = prf(premaster, b"master secret", b"".join(randoms), 48)
    key = prf(master, b"key expansion", b"".join(reversed(randoms)), 64)[:32]
    proof = prf(master, b"client finished", hashlib.sha256(transcript).digest(), 12)
    sock.sendall(record(22, exchange) + record(20, b"\1") +
                 sealed(22, message(20, proof), key, 0))
    relay()
    answer = sock.recv(65536)
    assert answer[0] in (20, 22), "refused: %s" % answer.hex()
    sock.sendall(sealed(23, b"EHLO mail.example.org\r\n", key, 1))
    return "Protocol version: TLSv1.2\nCiphersuite: TLS_RSA_WITH_NULL_SHA256\n"
