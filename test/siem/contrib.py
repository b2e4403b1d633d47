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
    run = harness.mxtap("-q", "--sensor", "x", "-r", harness.PCAPS)
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
    for check in (wazuh, sigma, splunk, grafana):
        report.verdict("contrib/" + check.__name__, check())
    yaml_files(report)
