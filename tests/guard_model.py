# guard_model - what rules of metlog-guard(5) make of envelopes, worked out over parsed JSON.
# SPDX-License-Identifier: MPL-2.0
"""guard_model.py INPUT OUTPUT: INPUT through the rules below, in this model; exits 1 with the first line of OUTPUT that is another one.

    tag fields.name limit 3 -> rare        tag fields.status bucket none,one,many
    tag fields.path normalise path         tag fields.id drop over 20 per type
    tag fields.method keep GET,POST        tag fields.referer drop if severity <= 6
"""

import json
import re
import sys


class Pairs(list):
    """An object: its pairs in order, repeated keys too."""


class Number(str):
    """As it is written."""


def parse(line):
    return json.loads(line, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


def text(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return value
    return {None: "null", True: "true", False: "false"}.get(value) if value is None or isinstance(value, bool) else "container"


def normalise(key, value, path=False):
    if path:
        if value == ".homepage":
            return value
        value = value.replace("/", ".").lstrip(".").replace("@", "-") or ".homepage"
    if not value.strip():
        return ""
    return (key + ":" + re.sub(r"[^0-9a-zA-Z._\-/]", "_", value)).lower()[:200][len(key) + 1:]


admitted = {}


def lets_in(rule, group, value, limit):
    known = admitted.setdefault((rule, group), [])
    if value not in known and len(known) < limit:
        known.append(value)
    return value in known


def bucket(value):
    if value in ("none", "one", "many", "other"):
        return value
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", value) or float(value) < 0:
        return "other"
    return ("none", "one", "many")[min(int(float(value)), 2)]


DROP = object()


def judge(envelope, name, value):
    known, was = dict(envelope), text(value)
    made = was
    if name == "name" and was != "rare" and not lets_in("name", None, was, 3):
        made = "rare"
    if name == "status":
        made = bucket(was)
    if name == "path":
        made = normalise("path", was, True)
    if name == "id" and not lets_in("id", known.get("type"), was, 20):
        return DROP
    if name == "method" and was not in ("GET", "POST", "other"):
        made = "other"
    if name == "referer" and int(known.get("severity", 6)) <= 6:
        return DROP
    return value if made == was else made


def rule(envelope):
    made = Pairs()
    for key, value in envelope:
        if key == "fields":
            judged = [(name, judge(envelope, name, one)) for name, one in value]
            value = Pairs(pair for pair in judged if pair[1] is not DROP)
        made.append((key, value))
    return made


with open(sys.argv[1], encoding="utf-8") as before, open(sys.argv[2], encoding="utf-8") as after:
    for number, (one, other) in enumerate(zip(before, after, strict=True), 1):
        wanted = parse(one)
        made = rule(wanted)
        if made != parse(other) or (made == wanted and one != other):
            sys.exit(f"line {number}: {one}became {other}instead of {made}")
