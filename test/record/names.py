# SPDX-License-Identifier: BSD-2-Clause
"""The words of OpenSSL, GnuTLS and the MTAs' logs, put into IANA's."""
import re

from net import run

ALERTS = {"close notify": 0, "unexpected message": 10,
          "bad record mac": 20, "handshake failure": 40, "bad certificate": 42,
          "unsupported certificate": 43, "certificate revoked": 44, "certificate expired": 45,
          "certificate unknown": 46, "illegal parameter": 47, "unknown CA": 48,
          "access denied": 49, "decode error": 50, "decrypt error": 51, "protocol version": 70,
          "insufficient security": 71, "internal error": 80, "inappropriate fallback": 86,
          "user canceled": 90, "missing extension": 109, "unsupported extension": 110,
          "unrecognized name": 112, "certificate required": 116, "no application protocol": 120}

GROUPS = {"prime256v1": "secp256r1", "X25519": "x25519", "X448": "x448",
          "SECP256R1": "secp256r1", "SECP384R1": "secp384r1", "SECP521R1": "secp521r1"}

_openssl = {}


def openssl_cipher(name):
    """IANA's name of a cipher suite that OpenSSL names."""
    if not _openssl:
        for line in run("openssl", "ciphers", "-stdname",
                        "ALL:COMPLEMENTOFALL:@SECLEVEL=0").splitlines():
            iana, _, own = line.split()[:3]
            _openssl[own] = iana
    return name if name.startswith("TLS_") else _openssl.get(name)


def group(name):
    return GROUPS.get(name, name)


def alert(who, text):
    if text not in ALERTS:
        raise RuntimeError(f"alert of no known name: {text}")
    return {"from": who, "code": ALERTS[text], "name": text.replace(" ", "_").lower()}


def alert_number(who, number):
    return alert(who, next(text for text, code in ALERTS.items() if code == number))


def gnutls_aead(cipher):
    cipher = cipher.replace("-", "_")
    if cipher.endswith(("CCM", "CCM_8")):
        return cipher
    return cipher + ("_SHA384" if "256_GCM" in cipher else "_SHA256")


def gnutls_session(description, key_type=None):
    """(version, cipher, group) from "(TLS1.2-X.509)-(ECDHE-X25519)-(RSA-SHA256)-(AES-128-GCM)".

    key_type: that of the certificate; below 1.2 the description does not tell it."""
    parts = re.findall(r"\(([^)]*)\)", description)
    version = "TLSv1" if parts[0].startswith("TLS1.0") else "TLSv" + parts[0][3:6]
    exchange, *rest = parts[1:]
    named = None
    for prefix in ("ECDHE-", "DHE-"):
        if exchange.startswith(prefix) and not exchange[len(prefix):] in ("RSA", "ECDSA"):
            named = group(exchange[len(prefix):])
            exchange = prefix[:-1]
    ciphers = ("AES", "CHACHA20", "CAMELLIA", "3DES", "ARCFOUR", "NULL")
    auth = None
    if not rest[0].startswith(ciphers):
        auth = "ECDSA" if rest[0].startswith("ECDSA") else "RSA"
        rest = rest[1:]
    auth = auth or key_type
    if version == "TLSv1.3":
        name = gnutls_aead(rest[0])
        return version, "TLS_" + (name + "_SHA256" if name.endswith("CCM") else
                                  name.replace("CCM_8", "CCM_8_SHA256")), named
    key = exchange.replace("-", "_").replace("ANON_", "").replace("_ANON", "")
    if "ANON" in exchange:
        key = ("ECDH" if "ECDH" in exchange else "DH") + "_anon"
    elif auth and key in ("ECDHE", "DHE"):
        key += "_" + auth
    if len(rest) > 1:
        cipher = rest[0].replace("-", "_").replace("ARCFOUR", "RC4").replace("3DES", "3DES_EDE")
        name = cipher + "_" + {"SHA1": "SHA"}.get(rest[1], rest[1])
    else:
        name = gnutls_aead(rest[0])
    return version, f"TLS_{key}_WITH_{name}", named if version == "TLSv1.3" or "EC" in key else None


def exim_session(text):
    """(version, cipher) from "TLS1.2:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256"."""
    version, suite, _ = text.split(":")
    description = f"({version.replace('TLS1', 'TLS1')})-" + "-".join(
        "(" + part.replace("_", "-") + ")" for part in suite.split("__"))
    return gnutls_session(description)
