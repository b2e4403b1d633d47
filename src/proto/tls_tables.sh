#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes the tables behind tls_names.c out of tls_names.txt:
#   src/proto/tls_tables.sh >src/proto/tls_tables.inc
# The names in tls_names.txt are those of the IANA registries "TLS Cipher Suites" (356 entries), "TLS Supported Groups" (59) and
# "TLS SignatureScheme" (49) as of 2026-09-29; alerts and handshake messages are those of RFC 8446, 9846 and the RFCs that add to
# them. Compared in November 2026 with the value strings of Wireshark 4.0.17 (no difference in what both know, but for the Open
# Quantum Safe ids that the registry has given to ML-KEM since: 0200-0202), OpenSSL 3.0 (none) and nDPI 4.2 (c0aa, c0ab, where the
# registry follows RFC 6655). SSLv2: draft-hickman-netscape-ssl-00 and the constants of SSLeay. Each list heads what lies outside
# the registry. What a suite is made of (enum tls_cipher_trait) follows from its name, by the rules below.
set -eu
export LC_ALL=C
folder=$(dirname "$0")

# Here and not below, where the shell would not see it fail.
awk '!/^#/ && NF && NF != 3 { print "tls_tables.sh: bad line " NR > "/dev/stderr"; exit 1 }' "$folder/tls_names.txt"

awk '
function has(text, pattern) { return text ~ ("(^|_)(" pattern ")(_|$)") }
function add(trait) { traits = traits " | TLS_CIPHER_" trait }

# Key exchange and bulk part: around _WITH_; suites of TLS 1.3 have only the second, those of GM/T 0024 begin with the first.
function cipher_traits(name,    at, kx, bulk, tls13) {
	traits = "TLS_CIPHER_KNOWN"
	if (name ~ /_SCSV$/) {
		add("SIGNALLING")
		return traits
	}
	at = index(name, "_WITH_")
	tls13 = name ~ /_MGM_[LS]$/ || (!at && name ~ /^TLS_/)
	kx = at ? substr(name, 1, at - 1) : tls13 ? "" : name
	bulk = at ? substr(name, at + 6) : name
	if (name ~ /^SSL2_/) # the cipher stands before _WITH_, the MAC after it
		kx = bulk = name
	if (tls13 || has(kx, "DHE|ECDHE|DH_anon|ECDH_anon|ECCPWD|ECJPAKE|SRP|CECPQ1"))
		add("FORWARD_SECRECY")
	if (has(kx, "anon"))
		add("ANONYMOUS")
	if (has(kx, "NULL|EXPORT|EXPORT1024") || has(bulk, "NULL|RC2|RC4|DES40|DES_CBC|DES_64|EXPORT40|MD5|SHA256_SHA256|SHA384_SHA384"))
		add("INSECURE")
	if (has(bulk, "3DES|DES_192|IDEA|SEED"))
		add("WEAK")
	if (tls13)
		add("TLS13")
	if (has(bulk, "SHA384"))
		add("SHA384")
	if (has(bulk, "SHA512"))
		add("SHA512")
	if (has(bulk, "CCM_8|MAGMA_MGM"))
		add("TAG8")
	if (has(bulk, "SHA256_SHA256|SHA384_SHA384"))
		add("TAG_HASH")
	if (has(kx, "ECDHE|ECDH_anon"))
		add("ECDHE")
	if (has(kx, "DHE|DH_anon"))
		add("DHE")
	if (has(kx, "PSK"))
		add("PSK")
	return traits
}

# CECPQ2 joins X25519 with NTRU-HRSS; CECPQ2b does so with SIKE, which is broken.
function group_traits(name) {
	return tolower(name) ~ /mlkem|kyber/ || name == "CECPQ2" ? "GROUP_KNOWN | GROUP_POST_QUANTUM" : "GROUP_KNOWN"
}

/^#/ || NF == 0 { next }
{
	id = $1 == "alert" || $1 == "handshake" ? sprintf("%d", $2) : "0x" $2
	traits = $1 == "cipher" || $1 == "ssl2" ? cipher_traits($3) : $1 == "group" ? group_traits($3) : "0"
	printf "%s\tx%s\t{%s, %s, \"%s\"},\n", $1, substr("00000000" $2, length($2) + 1), id, traits, $3
}' "$folder/tls_names.txt" | sort | awk -F '\t' '
BEGIN {
	print "/* SPDX-License-Identifier: BSD-2-Clause */"
	print "/* Made by tls_tables.sh from tls_names.txt; do not edit. Rows by rising id. */"
	print "/* clang-format off */"
}
{
	if ($1 != kind)
		printf "%s\nstatic const struct name_row %s_rows[] = {\n", kind ? "};" : "", $1
	else if ($2 == last) {
		print "tls_tables.sh: " kind " " last " twice" > "/dev/stderr"
		exit 1
	}
	kind = $1
	last = $2
	print "    " $3
}
END { print "};" }'
