# SPDX-License-Identifier: BSD-2-Clause
"""The rules of mxtap-report(1), "Who cannot", written once more from the manual, one event at a time."""
import collections

ORDER = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
FORWARD_SECRECY = {"0x1301": True, "0x1302": True, "0xc030": True, "0x0039": True, "0x002f": False}
POST_QUANTUM = {"0x001d": False, "0x11ec": True}
OURS = {"inbound": {"server"}, "outbound": {"client"}, "internal": {"client", "server"}, "external": set()}


def below(version, least):
    return ORDER.index(version) < ORDER.index(least)


def lacking_version(tls, least):
    highest, chosen = tls.get("client", {}).get("max_version"), tls.get("version")
    if chosen and not below(chosen, least):
        return set()
    if highest and below(highest, least):
        return {"client"}
    if highest and chosen:
        return {"server"}
    return None


def lacking_choice(offered, chosen):
    if chosen:
        return set()
    if offered is False:
        return {"client"}
    if offered and chosen is False:
        return {"server"}
    return None


def lacking_tls(event):
    """Mail in the clear."""
    if "plaintext_fallback" in event["findings"]:
        return {"client", "server"}
    return {"not_offered": {"server"}, "refused": {"server"}, "offered": {"client"}, "requested": {"client", "server"},
            "accepted": {"client", "server"}, "implicit": {"client", "server"}, "unseen": None}[event["smtp"]["starttls"]]


def lacking(event, require):
    """Sides that lack something: a set; None: not known. The string "not judged": the outcome is none that is."""
    wanted = require.split(",")
    if event["outcome"] == "plaintext" and "tls" in wanted:
        return lacking_tls(event)
    if event["outcome"] != "tls":
        return "not judged"
    tls, answers = event["tls"], []
    for one in wanted:
        if one in ORDER:
            answers.append(lacking_version(tls, one))
        elif one == "pfs":
            answers.append(lacking_choice(tls.get("client", {}).get("forward_secrecy"), FORWARD_SECRECY.get(tls.get("cipher_id"))))
        elif one == "pq":
            chosen = POST_QUANTUM.get(tls.get("group_id"))
            if chosen is None and tls.get("version") not in (None, "TLSv1.3"):
                chosen = False  # there was nothing post-quantum before 1.3
            answers.append(lacking_choice(tls.get("client", {}).get("post_quantum"), chosen))
    found = set().union(*[answer for answer in answers if answer])
    return found if found else None if None in answers else set()


def judge(events, require):
    """Counts as in the report's `judged`, and per peer address (side, address) the sessions charged to it."""
    counts, charged = collections.Counter(), collections.Counter()
    for event in events:
        lacks = lacking(event, require)
        if lacks == "not judged":
            continue
        counts["sessions"] += 1
        if lacks is None:
            counts["unknown"] += 1
            continue
        theirs = lacks - OURS[event["direction"]]
        counts["can" if not lacks else "cannot" if theirs else "own"] += 1
        for side in theirs:
            charged[event[side]["ip"]] += 1
    return counts, charged
