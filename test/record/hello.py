# SPDX-License-Identifier: BSD-2-Clause
"""Hellos that no living program makes: SSLv2, the SSLv2 format, SSLv3. Built by hand from the
SSL 2.0 specification (1995), RFC 6101 and RFC 5246 appendix E.2."""
import os
import struct


def v2_record(message):
    return struct.pack("!H", 0x8000 | len(message)) + message


def v2_client_hello(version, specs, challenge_length=16):
    """An SSLv2 hello; with a version of SSLv3 or TLS it is the compatible format."""
    challenge = os.urandom(challenge_length)
    return v2_record(b"\1" + struct.pack("!HHHH", version, len(specs), 0, len(challenge)) +
                     specs + challenge)


#: RC4_128_WITH_MD5, DES_192_EDE3_CBC_WITH_MD5, RC2_128_CBC_WITH_MD5, RC4_128_EXPORT40_WITH_MD5
V2_SPECS = bytes.fromhex("010080" "0700c0" "030080" "020080")
#: SSLv3 and TLS suites as they are in the SSLv2 format
V2_COMPATIBLE = bytes.fromhex("00c030" "00c02f" "00009d" "00009c" "00002f" "000035" "00000a"
                              "000005" "0000ff")


def v2_server_hello(certificate, specs=V2_SPECS[:6]):
    connection = os.urandom(16)
    return v2_record(b"\4\0\1\0\2" + struct.pack("!HHH", len(certificate), len(specs),
                                                  len(connection)) +
                     certificate + specs + connection)


def v2_master_key(spec=V2_SPECS[:3], encrypted=256):
    return v2_record(b"\2" + spec + struct.pack("!HHH", 0, encrypted, 0) + os.urandom(encrypted))


def v2_encrypted(length):
    return v2_record(os.urandom(length))


def v2_error(code):
    return v2_record(b"\0" + struct.pack("!H", code))


# --- SSLv3 ---------------------------------------------------------------------------------------

def record(kind, version, body):
    return struct.pack("!BHH", kind, version, len(body)) + body


def handshake(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


V3_SUITES = bytes.fromhex("00390038003500160013000a00330032002f000500040009")


def v3_client_hello(version=0x0300, suites=V3_SUITES):
    body = struct.pack("!H", version) + os.urandom(32) + b"\0" + struct.pack("!H", len(suites)) + \
        suites + b"\1\0"
    return record(22, version, handshake(1, body))


def v3_server_flight(certificate, version=0x0300, suite=b"\0\x0a"):
    """ServerHello, Certificate, ServerHelloDone, each in a record of its own."""
    hello = struct.pack("!H", version) + os.urandom(32) + b"\x20" + os.urandom(32) + suite + b"\0"
    chain = len(certificate).to_bytes(3, "big") + certificate
    chain = len(chain).to_bytes(3, "big") + chain
    return record(22, version, handshake(2, hello)) + \
        record(22, version, handshake(11, chain)) + record(22, version, handshake(14, b""))


def v3_key_exchange(version=0x0300):
    return record(22, version, handshake(16, os.urandom(256)))


def v3_finish(version=0x0300, length=64):
    """ChangeCipherSpec and an encrypted Finished (its bytes are random)."""
    return record(20, version, b"\1") + record(22, version, os.urandom(length))


def v3_data(length, version=0x0300):
    return record(23, version, os.urandom(length))


def alert(level, code, version=0x0300):
    return record(21, version, bytes([level, code]))
