# SPDX-License-Identifier: BSD-2-Clause
"""
The files of contrib/ for programs that are not here: well formed, with the names that the program
has: findings by class as in mxtap-events(5), metrics as in its source, fields as in real events.
"""
import csv
import json
import os
import re
import xml.etree.ElementTree

import harness
import shape

CONTRIB = os.path.join(harness.TOP, "contrib")


def text_of(*path):
    with open(os.path.join(harness.TOP, *path), encoding="utf-8") as file:
        return file.read()


def classes():
    found = re.findall(r"^\.It Cm (\w+) Pq (attack|exposure|posture)$",
                       text_of("man", "mxtap-events.5"), re.M)
    by_class = {}
    for name, kind in found:
        by_class.setdefault(kind, set()).add(name)
    return by_class


def native_paths():
    run = harness.mxtap("-q", "--sensor", "x", "--local", "192.0.2.0/24", "-r", harness.PCAPS)
    return {path for event in run.events for path, _ in shape.leaves(event)}


def wazuh():
    problems, rules = [], {}
    paths = native_paths() | {"drops.kernel"}  # live only
    for name in ("mxtap_decoders.xml", "mxtap_rules.xml"):
        # Wazuh's files have several roots
        root = xml.etree.ElementTree.fromstring("<x>%s</x>" % text_of("contrib", "wazuh", name))
        for rule in root.iter("rule"):
            group = (rule.findtext("group") or "").strip(",")
            rules[group] = rule
            problems += ["%s: no such field" % field.get("name") for field in rule.iter("field")
                         if field.get("name") not in paths]
    for kind, names in classes().items():
        listed = re.findall(r"[a-z0-9_]{3,}", rules[kind].find("field").text)
        if set(listed) != names:
            problems.append("%s: differs in %s" % (kind, set(listed) ^ names))
    return problems


def sigma():
    text = text_of("contrib", "sigma", "mxtap_attack.yml")
    listed = re.search(r"^    findings:\n((?:      - \w+\n)+)", text, re.M).group(1)
    names = set(re.findall(r"- (\w+)", listed))
    return [] if names == classes()["attack"] else [
        "differs in %s" % (names ^ classes()["attack"])]


def sigma_matches():
    """The selection, as Sigma means it, finds the real events with a finding of that class."""
    try:
        import yaml
    except ImportError:
        return None
    rule = yaml.safe_load(text_of("contrib", "sigma", "mxtap_attack.yml"))
    if rule["detection"]["condition"] != "selection":
        return ["another condition"]
    selection = rule["detection"]["selection"]
    run = harness.mxtap("-q", "--any-port", "-r", harness.PCAPS)

    def has(value, wanted):
        values = value if isinstance(value, list) else [value]
        return bool(set(values) & set(wanted if isinstance(wanted, list) else [wanted]))

    attack = classes()["attack"]
    wrong = [event["uid"] for event in run.events
             if all(has(event.get(key), wanted) for key, wanted in selection.items()) !=
             bool(attack & set(event.get("findings", [])))]
    found = sum(1 for event in run.events if attack & set(event.get("findings", [])))
    return ["%d events differ" % len(wrong)] if wrong else [] if found > 10 else ["too few events"]


LIVE = {"drops.kernel", "drops.interface", "kafka.delivered", "kafka.waiting"}


def fields_of_queries():
    """Every field that a question in SPL or KQL asks for is one of real events."""
    native = native_paths() | LIVE
    parents = {path.rsplit(".", 1)[0] for path in native if "." in path}
    ecs = harness.mxtap("-q", "--sensor", "x", "--format", "ecs", "-r", harness.PCAPS)
    elastic = {path for event in ecs.events for path, _ in shape.leaves(event)}
    elastic |= {"mxtap.stats." + path for path in LIVE}
    problems = []
    for name in sorted(os.listdir(os.path.join(CONTRIB, "queries"))):
        text = text_of("contrib", "queries", name)
        lines = [line for line in text.splitlines() if not line.startswith(("//", "```"))]
        kibana = [line.split("ecs:", 1)[1] for line in text.splitlines() if "format ecs:" in line]
        if name.endswith(".kql"):
            used = set(re.findall(r"\bevent\.([a-z_.0-9]+)", "\n".join(lines)))
            problems += ["%s: no field %s" % (name, path) for path in used - native - parents]
            used = set(re.findall(r"([a-z_.0-9]+) (?:[:<>]+) ", "\n".join(kibana)))
            problems += ["%s: no field %s" % (name, path) for path in used - elastic]
            problems += [] if used else ["%s: no fields" % name]
        elif name.endswith(".spl"):
            used = set(re.findall(r"\b((?:tls|smtp|client|server|drops|counters|fallback_of|sensor)"
                                  r"\.[a-z_.0-9]+)", "\n".join(lines)))
            problems += ["%s: no field %s" % (name, path) for path in used - native]
            problems += [] if used else ["%s: no fields" % name]
    return problems


def splunk():
    rows = csv.DictReader(text_of("contrib", "splunk", "findings.csv").splitlines())
    found = {(row["finding"], row["class"]) for row in rows}
    wanted = {(name, kind) for kind, names in classes().items() for name in names}
    problems = ["findings.csv differs in %s" % (found ^ wanted)] if found != wanted else []
    aliases = re.findall(r'"([\w.]+)" AS', text_of("contrib", "splunk", "props.conf"))
    paths = native_paths()
    return problems + ["%s: no such field" % path for path in aliases if path not in paths]


def grafana():
    dashboard = json.loads(text_of("contrib", "grafana", "mxtap.json"))
    source = text_of("src", "service_tell.c")
    known = {"mxtap_" + name for name in re.findall(r'METRIC\("(\w+)"', source)}
    known |= set(re.findall(r'"(mxtap_\w+?)"', source)) | set(re.findall(r"(mxtap_info)", source))
    used = {name for panel in dashboard["panels"] for target in panel["targets"]
            for name in re.findall(r"mxtap_\w+", target["expr"])}
    return ["%s: no such metric" % name for name in used - known] + ([] if used else ["no metrics"])


def yaml_files(report):
    try:
        import yaml
    except ImportError:
        report.skipped("contrib/yaml", "python3-yaml is not here")
        return
    problems = []
    for path in (("sigma", "mxtap_attack.yml"), ("filebeat", "filebeat.yml")):
        try:
            if not isinstance(yaml.safe_load(text_of("contrib", *path)), dict):
                problems.append("%s: no mapping" % path[1])
        except yaml.YAMLError as error:
            problems.append("%s: %s" % (path[1], error))
    report.verdict("contrib/yaml", problems)


def run(report):
    for check in (wazuh, sigma, splunk, grafana, fields_of_queries):
        report.verdict("contrib/" + check.__name__, check())
    matches = sigma_matches()
    if matches is not None:
        report.verdict("contrib/sigma-matches", matches)
    yaml_files(report)
