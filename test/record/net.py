# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces: clients (mxc), servers (mxs) and a machine in the middle (mxm).

    mxc c0 ------- s0 mxs         clients 192.0.2.0/24, 2001:db8:c::/64
    mxc c1 - m1 mxm m2 - s2 mxs   servers 198.51.100.0/24, 2001:db8:5::/64
    mxc vc - switch = switch - vs mxs, and the same with q

198.51.100.192/26 is routed through the machine in the middle, which reaches the servers under
203.0.113.0/24. VLAN 10 carries 10.10.0.0/24, VLAN 30 inside of 20 carries 10.20.30.0/24.
"""
import os
import subprocess

import survey

CLIENTS = "mxc"
SERVERS = "mxs"
MIDDLE = "mxm"

_switches = []


def run(*argv, check=True, quiet=False):
    """Run a program to its end; its output as text."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise RuntimeError("%s: exit status %d\n%s" % (" ".join(argv), done.returncode,
                                                       done.stdout))
    return done.stdout


def ip(ns, *args):
    return run("ip", "-n", ns, *args)


def inside(ns, *argv):
    """The command line that runs argv in a namespace, under a made-up host name."""
    names = {CLIENTS: "mail.example.org", SERVERS: "mx.example.net", MIDDLE: "gw.example.com"}
    return ["ip", "netns", "exec", ns, "unshare", "--uts", "sh", "-c",
            'hostname "$0"; exec "$@"', names[ns], *argv]


def sysctl(ns, **values):
    for key, value in values.items():
        run("ip", "netns", "exec", ns, "sysctl", "-qw", "%s=%s" % (key.replace("__", "."), value))


def link(ns_a, dev_a, ns_b, dev_b):
    run("ip", "link", "add", dev_a, "netns", ns_a, "type", "veth", "peer", "name", dev_b,
        "netns", ns_b)
    for ns, dev in ((ns_a, dev_a), (ns_b, dev_b)):
        ip(ns, "link", "set", dev, "up")
        # segments of the size a wire would carry, with checksums a wire would carry
        run("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro",
            "off", "tx", "off", "rx", "off", check=False)


def vlans():
    """Networks of an access port, two switches (trunk.py) and a trunk between: tagged, or bad."""
    for name, network, tags in (("v", "10.10.0.%d/24", ["8100:a"]),
                                ("q", "10.20.30.%d/24", ["88a8:14", "8100:1e"]),
                                ("l", "10.30.1.%d/24", ["drop", "4"]),
                                ("w", "10.30.2.%d/24", ["swap", "2"]),
                                ("d", "10.30.3.%d/24", ["double", "2"])):
        link(CLIENTS, name + "c", MIDDLE, name + "c-port")
        link(MIDDLE, name + "-trunk1", MIDDLE, name + "-trunk2")
        link(SERVERS, name + "s", MIDDLE, name + "s-port")
        ip(CLIENTS, "addr", "add", network % 10, "dev", name + "c")
        ip(SERVERS, "addr", "add", network % 25, "dev", name + "s")
        for number, side in (("1", "c"), ("2", "s")):
            _switches.append(subprocess.Popen(
                ["ip", "netns", "exec", MIDDLE, "/usr/bin/python3", os.path.dirname(__file__) +
                 "/trunk.py", f"{name}{side}-port", f"{name}-trunk{number}", *tags]))


def addresses(ns, dev, *prefixes):
    batch = "".join("addr add %s/32 dev %s\n" % (address, dev) for address in prefixes)
    subprocess.run(["ip", "-n", ns, "-batch", "-"], input=batch, text=True, check=True)


def setup():
    teardown()
    for ns in (CLIENTS, SERVERS, MIDDLE):
        run("ip", "netns", "add", ns)
        ip(ns, "link", "set", "lo", "up")
        sysctl(ns, net__ipv4__tcp_timestamps=1, net__ipv6__conf__all__accept_dad=0,
               net__ipv6__conf__default__accept_dad=0, net__ipv4__conf__all__rp_filter=0,
               net__ipv4__conf__default__rp_filter=0, net__ipv4__ip_nonlocal_bind=1,
               net__ipv6__conf__default__router_solicitations=0,
               net__ipv4__ip_unprivileged_port_start=0)
    link(CLIENTS, "c0", SERVERS, "s0")
    link(CLIENTS, "c1", MIDDLE, "m1")
    link(MIDDLE, "m2", SERVERS, "s2")
    addresses(CLIENTS, "lo", *("192.0.2.%d" % n for n in range(1, 255)))
    addresses(SERVERS, "lo", *("198.51.100.%d" % n for n in range(1, 192)))
    addresses(SERVERS, "lo", *("203.0.113.%d" % n for n in range(1, 128)))
    addresses(SERVERS, "lo", *(survey.NETWORK % n for n in range(1, 101)))
    ip(CLIENTS, "route", "add", "10.25.0.0/24", "dev", "c0", "src", "192.0.2.10")
    addresses(MIDDLE, "lo", *("198.51.100.%d" % n for n in range(192, 255)))
    addresses(MIDDLE, "lo", "203.0.113.254")
    ip(CLIENTS, "addr", "add", "2001:db8:c::10/64", "dev", "c0", "nodad")
    ip(SERVERS, "addr", "add", "2001:db8:5::25/64", "dev", "s0", "nodad")
    ip(CLIENTS, "route", "add", "2001:db8:5::/64", "dev", "c0")
    ip(SERVERS, "route", "add", "2001:db8:c::/64", "dev", "s0")
    ip(CLIENTS, "route", "add", "198.51.100.0/24", "dev", "c0", "src", "192.0.2.10")
    ip(CLIENTS, "route", "add", "198.51.100.192/26", "dev", "c1", "src", "192.0.2.10")
    ip(SERVERS, "route", "add", "192.0.2.0/24", "dev", "s0", "src", "198.51.100.25")
    ip(SERVERS, "route", "add", "203.0.113.254", "dev", "s2")
    ip(MIDDLE, "route", "add", "192.0.2.0/24", "dev", "m1", "src", "198.51.100.200")
    ip(MIDDLE, "route", "add", "203.0.113.0/24", "dev", "m2", "src", "203.0.113.254")
    vlans()


def teardown():
    """Remove the namespaces; the servers inside are ended by whoever started them."""
    while _switches:
        switch = _switches.pop()
        switch.terminate()
        switch.wait()
    for ns in (CLIENTS, SERVERS, MIDDLE):
        if os.path.exists("/run/netns/" + ns):
            run("ip", "netns", "del", ns)


def source(server, client):
    """Let clients that cannot choose their address use this one towards server."""
    prefix = server if ":" in server else server + "/32"
    dev = "c1" if server.startswith("198.51.100.") and int(server.split(".")[3]) >= 192 else "c0"
    if server.startswith("198.51.100."):
        ip(CLIENTS, "route", "replace", prefix, "dev", dev, "src", client)


def source_ports(first, last=None, ns=CLIENTS):
    """Let the next connections that do not choose their port have one of these."""
    sysctl(ns, net__ipv4__ip_local_port_range="%d %d" % (first, last or first))


def source_ports_free(ns=CLIENTS):
    source_ports(32768, 39999, ns)
