# SPDX-License-Identifier: BSD-2-Clause
"""The mail servers: each in its Debian root, on many addresses with different settings."""
import os
import shutil
import signal
import socket
import subprocess
import time

import survey
from net import SERVERS, CLIENTS, inside, run

OPENSSL_CNF = """openssl_conf = conf
[conf]
ssl_conf = ssl
[ssl]
system_default = all
[all]
MinProtocol = None
CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0
"""

#: what the servers take of TLS 1.3: also the suites that OpenSSL leaves out by default
SUITES = ("Ciphersuites = TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
          "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256\n")

HOSTS = """127.0.0.1 localhost
192.0.2.10 mail.example.org
198.51.100.25 mx.example.net
198.51.100.61 mx2.example.net
198.51.100.81 sendmail.example.net
198.51.100.82 sendmail.example.net
198.51.100.114 mx.university.example
"""


class Server:
    """A long running program in a root and a namespace."""

    def __init__(self, top, root, ns, argv):
        self.root = f"{top}/{root}"
        self.log = f"{self.root}/var/log/record-{os.path.basename(argv[0])}-{ns}.log"
        # in a PID namespace: what it starts ends with it, daemons too
        command = (f'exec unshare --pid --fork --kill-child sh -c \'mount -t proc proc '
                   f'"{self.root}/proc"; chroot "{self.root}" "$@"; exit $?\' "$@"')
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(inside(ns, "sh", "-c", command, "sh", "sh", *argv),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def prepare(top, root):
    """What every root gets: certificates, names, an OpenSSL that refuses nothing by itself."""
    base = f"{top}/{root}"
    put(base + "/etc/ssl/openssl.cnf", OPENSSL_CNF + SUITES)
    put(base + "/etc/hosts", HOSTS)
    put(base + "/etc/hostname", "mx.example.net\n")
    put(base + "/etc/mailname", "mx.example.net\n")
    put(base + "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\n")
    shutil.rmtree(base + "/pki", ignore_errors=True)
    shutil.copytree(f"{top}/pki", base + "/pki")
    return base


def wait_for(ns, address, port, timeout=30):
    """Wait until something listens."""
    probe = ("import socket,sys\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])),2)\n"
             "s.settimeout(10)\ns.recv(1) if sys.argv[2]!='465' else None\ns.close()\n")
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if subprocess.run(["ip", "netns", "exec", ns, "/usr/bin/python3", "-c", probe, address,
                           str(port)], stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.2)
    raise RuntimeError(f"no server on {address} port {port}")


# --- Postfix -------------------------------------------------------------------------------------

POSTFIX_MAIN = """compatibility_level = 3.6
myhostname = {hostname}
mydestination =
mynetworks = 0.0.0.0/0, [::]/0
inet_interfaces = {interfaces}
inet_protocols = all
queue_directory = {queue}
data_directory = {data}
maillog_file = {log}
maillog_file_prefixes = /var
smtp_host_lookup = native
disable_dns_lookups = yes
alias_maps =
biff = no
notify_classes =
smtpd_peername_lookup = no
smtpd_client_port_logging = yes
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_banner = $myhostname ESMTP Postfix
tls_medium_cipherlist = ALL:COMPLEMENTOFALL:!eNULL:@SECLEVEL=0
tls_low_cipherlist = ALL:COMPLEMENTOFALL:!eNULL:@SECLEVEL=0
tls_random_source = dev:/dev/urandom
smtpd_tls_security_level = may
smtpd_tls_protocols = >=TLSv1
smtpd_tls_mandatory_protocols = >=TLSv1
smtpd_tls_chain_files = /pki/ecdsa-both.pem, /pki/rsa-both.pem
smtpd_tls_loglevel = 1
smtpd_tls_auth_only = no
smtpd_tls_session_cache_database = btree:$data_directory/smtpd
smtp_tls_session_cache_database = btree:$data_directory/smtp
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = no
{more}
"""

POSTFIX_MASTER = """cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 2 1 pickup
"""

#: the last number of the address -> settings of that Postfix listener
POSTFIX = {
    25: {},
    31: {"smtpd_tls_protocols": "TLSv1", "myhostname": "mx31.example.net"},
    32: {"smtpd_tls_protocols": "TLSv1.1", "myhostname": "mx32.example.net"},
    33: {"smtpd_tls_protocols": "TLSv1.2", "myhostname": "mx33.example.net"},
    34: {"smtpd_tls_protocols": "TLSv1.3", "myhostname": "mx34.example.net"},
    35: {"smtpd_tls_protocols": ">=TLSv1.2", "myhostname": "mx35.example.net"},
    36: {"smtpd_tls_security_level": "none", "myhostname": "mx36.example.net"},
    37: {"smtpd_tls_CAfile": "/pki/missing.pem", "myhostname": "mx37.example.net"},
    38: {"tls_eecdh_auto_curves": "secp384r1", "myhostname": "mx38.example.net"},
    39: {"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes",
         "smtpd_tls_CAfile": "/pki/ca.pem", "myhostname": "mx39.example.net"},
    40: {"smtpd_tls_chain_files": "/pki/rsa-both.pem", "myhostname": "mx40.example.net"},
    41: {"smtpd_tls_chain_files": "/pki/ecdsa-both.pem", "myhostname": "mx41.example.net"},
    42: {"tls_ssl_options": "NO_TICKET", "myhostname": "mx42.example.net"},
    43: {"smtpd_tls_chain_files": "/pki/expired-both.pem", "myhostname": "mx43.example.net"},
    44: {"smtpd_tls_chain_files": "/pki/selfsigned-both.pem", "myhostname": "mx44.example.net"},
    45: {"smtpd_tls_security_level": "encrypt", "myhostname": "mx45.example.net"},
    46: {"tls_medium_cipherlist": "AES256-GCM-SHA384:@SECLEVEL=0", "myhostname":
         "mx46.example.net"},
    47: {"smtpd_sasl_auth_enable": "yes", "myhostname": "mx47.example.net"},
    48: {"tls_medium_cipherlist": "eNULL:@SECLEVEL=0", "smtpd_tls_protocols": "TLSv1.2",
         "myhostname": "mx48.example.net"},
    49: {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": "/pki/ca.pem",
         "smtpd_tls_received_header": "yes", "myhostname": "mx49.example.net"},
    50: {"smtpd_tls_chain_files": "/pki/rsa-both.pem", "smtpd_tls_protocols": "<=TLSv1.2",
         "myhostname": "mx50.example.net"},
    51: {"smtpd_recipient_restrictions": "reject", "myhostname": "mx51.example.net"},
    52: {"smtpd_discard_ehlo_keywords": "pipelining,chunking,dsn", "myhostname":
         "mx52.example.net"},
    53: {"smtpd_banner": "$myhostname ESMTP ready", "myhostname": "mx53.example.net",
         "smtpd_discard_ehlo_keywords": "starttls"},
    54: {"smtpd_upstream_proxy_protocol": "haproxy", "myhostname": "mx54.example.net"},
    56: {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject",
         "myhostname": "mx56.example.net"},
    57: {"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes",
         "myhostname": "mx57.example.net"},
    58: {"smtpd_tls_security_level": "none", "smtpd_authorized_xclient_hosts": "0.0.0.0/0",
         "smtpd_authorized_xforward_hosts": "0.0.0.0/0", "myhostname": "mx58.example.net"},
    59: {"smtpd_tls_wrappermode": "yes", "myhostname": "mx59.example.net"},
    90: {"smtpd_tls_chain_files": "/pki/weak-both.pem", "myhostname": "mx90.example.net"},
    91: {"smtpd_tls_chain_files": "/pki/chained-both.pem", "myhostname": "mx91.example.net"},
    111: {"myhostname": "mx.bank.example"},
    117: {"smtpd_tls_protocols": "TLSv1", "myhostname": "mx.hotel.example"},
    118: {"smtpd_tls_security_level": "none", "myhostname": "mail.museum.example"},
}


def postfix_listener(address, port, settings, extra=""):
    line = f"{address}:{port} inet n - n - - smtpd{extra}\n"
    return line + "".join(f"    -o {{ {k} = {v} }}\n" for k, v in settings.items())


def postfix_instance(base, name, main, master):
    """Write the configuration of one Postfix; its directory inside the root."""
    for path in (f"/var/spool/{name}", f"/var/lib/{name}"):
        shutil.rmtree(base + path, ignore_errors=True)
        os.makedirs(base + path)
    put(f"{base}/etc/{name}/main.cf", main)
    put(f"{base}/etc/{name}/master.cf", master)
    run("chroot", base, "chown", "postfix:", f"/var/lib/{name}")
    log = f"{base}/var/log/{name}.log"
    if os.path.exists(log):
        os.unlink(log)
    return f"/etc/{name}"


def postfix310_server(top):
    """The Postfix of trixie, for its OpenSSL: groups of post-quantum cryptography."""
    base = f"{top}/postfix310"
    listeners = {26: ("mx26.example.net", "X25519MLKEM768 X25519 prime256v1"),
                 27: ("mx27.example.net", "X25519MLKEM768"),
                 115: ("mx.cloudmail.example", "X25519MLKEM768 X25519 prime256v1")}
    master = POSTFIX_MASTER + "".join(
        postfix_listener(f"198.51.100.{host}", 25, {"myhostname": name,
                                                    "tls_eecdh_auto_curves": groups})
        for host, (name, groups) in listeners.items())
    main = POSTFIX_MAIN.format(
        hostname="mx26.example.net", interfaces="all", queue="/var/spool/postfix-pq",
        data="/var/lib/postfix-pq", log="/var/log/postfix-pq.log",
        more="default_transport = discard:").replace("btree:", "lmdb:")
    directory = postfix_instance(base, "postfix-pq", main, master)
    server = Server(top, "postfix310", SERVERS, ["postfix", "-c", directory, "start-fg"])
    server.log = f"{base}/var/log/postfix-pq.log"
    return server


def postfix_server(top):
    base = f"{top}/postfix"
    master = POSTFIX_MASTER
    for host, settings in POSTFIX.items():
        master += postfix_listener(f"198.51.100.{host}", 25, settings)
    sasl = {"smtpd_sasl_auth_enable": "yes"}
    for port, settings in ((465, {"smtpd_tls_wrappermode": "yes", **sasl}), (587, sasl),
                           (2525, {}), (10025, {})):
        master += postfix_listener("198.51.100.25", port, settings)
    master += postfix_listener("198.51.100.36", 465, {"smtpd_tls_security_level": "none"})
    for address in ("203.0.113.25", "10.10.0.25", "10.20.30.25", "10.30.1.25", "10.30.2.25",
                    "10.30.3.25", "[2001:db8:5::25]"):
        master += postfix_listener(address, 25, {})
    master += postfix_listener("203.0.113.36", 25, POSTFIX[36])
    for number, (address, name, kind) in enumerate(survey.of("postfix")):
        settings = {"myhostname": name, "tls_preempt_cipherlist": "no"}
        settings.update({"none": {"smtpd_tls_security_level": "none"},
                         "tls10": {"smtpd_tls_protocols": "TLSv1"},
                         "tls12": {"smtpd_tls_protocols": "TLSv1.2"}, "tls13": {}}[kind])
        settings["smtpd_tls_chain_files"] = ("/pki/ecdsa-both.pem", "/pki/rsa-both.pem",
                                             "/pki/selfsigned-both.pem")[number % 3]
        master += postfix_listener(address, 25, settings)
    main = POSTFIX_MAIN.format(
        hostname="mx.example.net", interfaces="all", queue="/var/spool/postfix-mx",
        data="/var/lib/postfix-mx", log="/var/log/postfix-mx.log",
        more="default_transport = discard:\nlocal_transport = discard:\n"
             "relay_transport = discard:\nvirtual_transport = discard:")
    directory = postfix_instance(base, "postfix-mx", main, master)
    server = Server(top, "postfix", SERVERS, ["postfix", "-c", directory, "start-fg"])
    server.log = f"{base}/var/log/postfix-mx.log"
    return server


# --- Dovecot: LMTP, and SASL for Postfix ---------------------------------------------------------

DOVECOT = """protocols = lmtp
base_dir = /run/dovecot-rec
log_path = /var/log/dovecot-rec.log
hostname = mx.example.net
mail_location = maildir:/var/lib/dovecot-rec/%u
mail_uid = 65534
mail_gid = 65534
first_valid_uid = 1
postmaster_address = postmaster@example.net
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5
ssl = yes
ssl_cert = </pki/rsa.pem
ssl_key = </pki/rsa.key
ssl_min_protocol = TLSv1.2
login_greeting = ready.
service lmtp {
  inet_listener lmtp {
    address = 198.51.100.60
    port = 2525
  }
}
service auth {
  unix_listener /var/spool/postfix-mx/private/auth {
    mode = 0666
  }
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN /etc/dovecot-users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/var/lib/dovecot-rec/%u allow_all_users=yes
}
"""


def dovecot_server(top):
    base = f"{top}/postfix"
    put(base + "/etc/dovecot-rec.conf", DOVECOT)
    put(base + "/etc/dovecot-users", "anna@example.org:{PLAIN}inkpot-harbour-42\n")
    shutil.rmtree(base + "/var/lib/dovecot-rec", ignore_errors=True)
    os.makedirs(base + "/var/lib/dovecot-rec")
    os.chmod(base + "/var/lib/dovecot-rec", 0o777)
    while not os.path.isdir(base + "/var/spool/postfix-mx/private"):
        time.sleep(0.1)
    server = Server(top, "postfix", SERVERS, ["dovecot", "-F", "-c", "/etc/dovecot-rec.conf"])
    return server


# --- Exim ----------------------------------------------------------------------------------------

EXIM = """primary_hostname = exim.example.net
smtp_active_hostname = ${lookup{$received_ip_address}lsearch{/etc/survey-names}{$value}\\
  {exim.example.net}}
smtp_banner = $smtp_active_hostname ESMTP Exim
domainlist local_domains =
local_interfaces = 198.51.100.61 : 198.51.100.62 : 198.51.100.63 : 198.51.100.64 : \\
  198.51.100.65 : 198.51.100.66 : 198.51.100.67 : 198.51.100.68 : 198.51.100.69 : \\
  203.0.113.61 : SURVEY_ADDRESSES
daemon_smtp_ports = 25 : 465
tls_on_connect_ports = 465
host_lookup =
rfc1413_query_timeout = 0s
spool_directory = /var/spool/exim-mx
log_file_path = /var/log/exim-mx-%slog
log_selector = +tls_cipher +incoming_port +smtp_connection +outgoing_port
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
acl_smtp_connect = wait
acl_smtp_rcpt = accept
acl_smtp_data = accept
chunking_advertise_hosts = *
queue_only = true
tls_advertise_hosts = ${if or{{eq{$received_ip_address}{198.51.100.66}}\\
  {eq{${lookup{$received_ip_address}lsearch{/etc/survey-kinds}}}{none}}}{}{*}}
tls_certificate = ${if eq{$received_ip_address}{198.51.100.67}{/pki/missing.pem}{/pki/rsa.pem}}
tls_privatekey = /pki/rsa.key
tls_dhparam = historic
tls_resumption_hosts = *
tls_verify_certificates = /pki/ca.pem
tls_verify_hosts = ${if eq{$received_ip_address}{198.51.100.68}{*}{}}
tls_try_verify_hosts =
tls_require_ciphers = ${if eq{${lookup{$received_ip_address}lsearch{/etc/survey-kinds}}}{tls12}\\
  {NORMAL:-VERS-ALL:+VERS-TLS1.2}{${if eq{$received_ip_address}{198.51.100.62}\\
  {NORMAL:-VERS-ALL:+VERS-TLS1.0:%VERIFY_ALLOW_SIGN_WITH_SHA1}{${if \\
  eq{$received_ip_address}{198.51.100.63}\\
  {NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3}{${if eq{$received_ip_address}{198.51.100.64}\\
  {NORMAL:-GROUP-ALL:+GROUP-SECP384R1}{LEGACY:+VERS-ALL:+3DES-CBC:+ARCFOUR-128:+CAMELLIA-128-CBC:+\\
CAMELLIA-256-CBC:+AES-128-CCM:+AES-256-CCM-8:+ANON-ECDH:+ANON-DH:+MD5:+SHA1:+SIGN-ALL}}}}}}}}
begin acl
wait:
  accept condition = ${if eq{$received_ip_address}{198.51.100.65}}
    delay = 2s
  accept
begin routers
hole:
  driver = redirect
  allow_fail
  data = :blackhole:
begin transports
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{inkpot-harbour-42}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if eq{$auth2}{inkpot-harbour-42}}
  server_set_id = $auth1
"""


def exim_server(top):
    base = f"{top}/exim"
    surveyed = survey.of("exim") + [("198.51.100.112", "mx.printworks.example", "tls13")]
    put(base + "/etc/survey-names", "".join(f"{a}: {n}\n" for a, n, _ in surveyed))
    put(base + "/etc/survey-kinds", "".join(f"{a}: {k}\n" for a, _, k in surveyed))
    put(base + "/etc/exim-mx.conf",
        EXIM.replace("SURVEY_ADDRESSES", " : ".join(a for a, _, _ in surveyed)))
    shutil.rmtree(base + "/var/spool/exim-mx", ignore_errors=True)
    os.makedirs(base + "/var/spool/exim-mx")
    run("chroot", base, "sh", "-c", "rm -f /var/log/exim-*; chown -R Debian-exim: "
        "/var/spool/exim-mx"
        " /pki; chmod 1777 /var/log")
    # a configuration of another name is only trusted when listed
    put(base + "/etc/exim4/trusted_configs", "/etc/exim-mx.conf\n/etc/exim-client.conf\n")
    server = Server(top, "exim", SERVERS, ["exim4", "-C", "/etc/exim-mx.conf", "-bdf"])
    server.log = f"{base}/var/log/exim-mx-mainlog"
    return server


# --- OpenSMTPD -----------------------------------------------------------------------------------

OPENSMTPD7 = """pki "srv" cert "/pki/rsa.pem"
pki "srv" key "/pki/rsa.key"
ca "anchor" cert "/pki/ca.pem"
table users { "@" = "nobody" }
listen on 198.51.100.71 port 25 tls pki "srv" hostname smtpd.example.net
listen on 198.51.100.71 port 465 smtps pki "srv" hostname smtpd.example.net
listen on 198.51.100.71 port 2525 hostname smtpd.example.net
listen on 198.51.100.72 port 25 tls-require verify pki "srv" ca "anchor" hostname smtpd2.example.net
listen on 198.51.100.73 port 25 hostname smtpd3.example.net
listen on 198.51.100.74 port 25 tls-require pki "srv" hostname smtpd4.example.net
listen on 198.51.100.75 port 25 tls pki "srv" protocols "tlsv1.2" hostname smtpd5.example.net
listen on 198.51.100.113 port 25 tls pki "srv" hostname mx.freight.example
SURVEY_LISTENERS
action "hole" mda "cat >/dev/null" virtual <users>
match from any for any action "hole"
"""

OPENSMTPD6 = """pki "srv" cert "/pki/rsa.pem"
pki "srv" key "/pki/rsa.key"
listen on 198.51.100.76 port 25 tls pki "srv" hostname smtpd6.example.net
match from any for any reject
"""


def opensmtpd_server(top, root, config):
    base = f"{top}/{root}"
    lines = []
    for address, name, kind in survey.of("opensmtpd"):
        tls = {"none": "", "tls12": 'tls pki "srv" protocols "tlsv1.2"',
               "tls13": 'tls pki "srv"'}[kind]
        lines.append(f"listen on {address} port 25 {tls} hostname {name}")
    put(base + "/etc/smtpd-mx.conf", config.replace("SURVEY_LISTENERS", "\n".join(lines)))
    run("chroot", base, "sh", "-c", "chmod 700 /pki; chmod 600 /pki/*")
    shutil.rmtree(base + "/var/spool/smtpd", ignore_errors=True)
    os.makedirs(base + "/var/spool/smtpd")
    os.chmod(base + "/var/spool/smtpd", 0o711)
    return Server(top, root, SERVERS, ["smtpd", "-dv", "-f", "/etc/smtpd-mx.conf"])


# --- sendmail ------------------------------------------------------------------------------------

SENDMAIL = """divert(0)dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
define(`confDOMAIN_NAME', `sendmail.example.net')dnl
define(`confSMTP_LOGIN_MSG', `$?{if_name}${if_name}$|$j$. Sendmail; $b')dnl
define(`confBIND_OPTS', `-DNSRCH -DEFNAMES')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confTO_IDENT', `0')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confCACERT_PATH', `/pki')dnl
define(`confCACERT', `/pki/ca.pem')dnl
define(`confSERVER_CERT', `/pki/rsa.pem')dnl
define(`confSERVER_KEY', `/pki/rsa.key')dnl
define(`confCLIENT_CERT', `/pki/client.pem')dnl
define(`confCLIENT_KEY', `/pki/client.key')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupReadableSASLDBFile')dnl
define(`confSERVER_SSL_OPTIONS', `')dnl
LOCAL_CONFIG
O CipherList=ALL:COMPLEMENTOFALL:!eNULL:@SECLEVEL=0
LOCAL_CONFIG
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr=198.51.100.81, Port=smtp')dnl
DAEMON_OPTIONS(`Family=inet, Name=NOTLS, Addr=198.51.100.82, Port=smtp, M=S')dnl
DAEMON_OPTIONS(`Family=inet, Name=UNI, Addr=198.51.100.114, Port=smtp')dnl
DAEMON_OPTIONS(`Family=inet, Name=MSA, Addr=198.51.100.81, Port=587')dnl
MAILER(`smtp')dnl
"""


def sendmail_server(top):
    base = f"{top}/sendmail"
    put(base + "/etc/mail/mx.mc", SENDMAIL)
    put(base + "/etc/mail/local-host-names", "")
    put(base + "/etc/mail/service.switch", "hosts files\naliases files\n")
    put(base + "/etc/services", "smtp 25/tcp mail\nsubmission 587/tcp\n")
    run("chroot", base, "sh", "-c", "cd /etc/mail && m4 mx.mc > mx.cf && chmod 600 /pki/*.key && "
        "chown root:root /pki/* && mkdir -p /var/spool/mqueue /run/sendmail/mta && "
        "rm -rf /var/spool/mqueue/* && touch /etc/mail/access")
    return Server(top, "sendmail", SERVERS, ["/usr/sbin/sendmail", "-bD", "-C", "/etc/mail/mx.cf",
                                             "-X", "/dev/null"])


ROOTS = ("postfix", "exim", "opensmtpd6", "opensmtpd7", "sendmail", "postfix310")


def start_all(top):
    """Every server, by name; to be stopped at the end."""
    for name in ROOTS:
        prepare(top, name)
    started = {"postfix": postfix_server(top), "postfix310": postfix310_server(top),
               "dovecot": dovecot_server(top),
               "exim": exim_server(top), "sendmail": sendmail_server(top),
               "opensmtpd6": opensmtpd_server(top, "opensmtpd6", OPENSMTPD6),
               "opensmtpd7": opensmtpd_server(top, "opensmtpd7", OPENSMTPD7)}
    for address, port in (("198.51.100.25", 25), ("198.51.100.61", 25), ("198.51.100.71", 25),
                          ("198.51.100.76", 25), ("198.51.100.26", 25), ("198.51.100.81", 25),
                          ("198.51.100.60", 2525)):
        try:
            wait_for(CLIENTS, address, port)
        except RuntimeError:
            for server in started.values():
                server.stop()
            raise
    return started
