# statsd_model.py - random envelopes, and what a statsd must know after it has got them.
# SPDX-License-Identifier: MPL-2.0
"""usage: statsd_model.py make COUNT SEED MODEL >ENVELOPES     writes the totals that are right into MODEL
       statsd_model.py fuzz COUNT SEED >ENVELOPES             counters, timers and sets with hostile names and members
       statsd_model.py compare MODEL TOTALS                   exit status 1, and what differs, if they are not the same"""
import json
import random
import re
import sys


def server_key(name):
    """The name as metlog-to-statsd writes it, then as npm's statsd keeps it."""
    name = name.replace("::", ".")
    name = re.sub(r"[:|@#\s]", "_", name)
    name = re.sub(r"\.+", ".", name).strip(".")
    return re.sub(r"[^a-zA-Z_\-0-9.;=]", "", name.replace("/", "-"))


def number_text(rng, value):
    """One of the spellings in which numbers come: JSON numbers and text."""
    text = repr(value)
    if isinstance(value, int) and rng.random() < 0.1:
        text = "%de0" % value
    return rng.choice([text, '"%s"' % text])


NAMES = ["login.ok", "login::failed", "db query", "cache/hit", "api.v1.geolocate", "n", "a..b", ".lead", "x|y", "path:x", "mail@x", "tag#x"]


def make(count, seed, model_path):
    rng = random.Random(seed)
    model = {"lines": 0, "counters": {}, "gauges": {}, "timers": {}, "sets": {}, "others": 0, "rejects": 0}
    members = {}
    out = []
    for number in range(count):
        name = rng.choice(NAMES) + str(rng.randrange(20))
        key = server_key(name)
        kind = rng.choices(["counter", "timer", "gauge", "set", "oldstyle", "bad"], [50, 20, 12, 10, 6, 2])[0]
        fields = {"name": name}
        rate = 1
        if kind in ("counter", "timer") and rng.random() < 0.5:
            rate = rng.choice([1, 1.0, 0.5, 0.25, 0.1, 1e-3, "0.5", 7])
            fields["rate"] = rate
            rate = min(1, float(rate))
        if kind == "counter":
            value = rng.choice([1, 1, 1, rng.randrange(-50, 1000), round(rng.uniform(-5, 5), 3)])
            payload = number_text(rng, value)
            model["counters"][key] = model["counters"].get(key, 0) + value / rate
            model["lines"] += 1
        elif kind == "timer":
            value = rng.choice([rng.randrange(0, 5000), round(rng.uniform(0, 100), 6)])
            payload = number_text(rng, value)
            timer = model["timers"].setdefault(key, {"samples": 0, "sum": 0, "scaled": 0})
            timer["samples"] += 1
            timer["sum"] += value
            timer["scaled"] += 1 / rate
            model["lines"] += 1
        elif kind == "gauge":
            value = rng.choice([rng.randrange(-100, 100), round(rng.uniform(-100, 100), 4)])
            payload = number_text(rng, value)
            model["gauges"][key] = value
            model["lines"] += 2 if value < 0 else 1
        elif kind == "set":
            member = "user-%d" % rng.randrange(500)
            payload = json.dumps(member)
            members.setdefault(key, set()).add(member)
            model["lines"] += 1
        elif kind == "oldstyle":
            payload = '"a line of a log, 5|c"'
            model["others"] += 1
        else:
            kind, payload = "counter", '"many"'
            model["rejects"] += 1
        out.append('{"timestamp":"2012-10-05T12:00:01.137911Z","type":"%s","logger":"app","severity":6,"payload":%s,"fields":%s,"env_version":"0.8",'
                   '"metlog_pid":%d,"metlog_hostname":"web1"}' % (kind, payload, json.dumps(fields), number))
    model["sets"] = {key: len(value) for key, value in members.items()}
    with open(model_path, "w") as file:
        json.dump(model, file)
    print("\n".join(out))


TRAPS = ["constructor", "__proto__", "toString", "to*String", "hasOwnProperty", "valueOf", "", ".", "::", "|", "#", "a|#b:c", "x:1|c\nforged:1|c", "_e{1,2}",
         "\u2028", "\ufeffconstructor", "a\rb", "\x00"]


def fuzz(count, seed):
    rng = random.Random(seed)
    alphabet = [":", "|", "@", "#", "\n", "\r", "\t", " ", ".", ",", ";", "=", "/", "\\", "\"", "\x00", "\x7f", "\x85", "a", "b", "1", "é", "日", "\u2028", "😀", "\ud800"]
    for number in range(count):
        text = rng.choice(TRAPS) if rng.random() < 0.05 else "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 24)))
        if not text:
            text = "-"
        kind = rng.choice(["counter", "timer", "set"])
        print(json.dumps({"type": kind, "payload": rng.choice([text, "m"]) if kind == "set" else "1", "fields": {"name": text, "tags": {text: text, "k": text}}},
                         ensure_ascii=rng.random() < 0.5 or "\ud800" in text))


def close(a, b):
    return abs(a - b) <= 1e-6 * max(1, abs(a), abs(b))


def compare(model_path, totals_path):
    with open(model_path) as file:
        model = json.load(file)
    with open(totals_path) as file:
        totals = json.load(file)
    wrong = []
    own = {key: value for key, value in totals["counters"].items() if not key.startswith("statsd.")}
    gauges = {key: value for key, value in totals["gauges"].items() if not key.startswith("statsd.")}
    for what, right, got in (("counters", model["counters"], own), ("gauges", model["gauges"], gauges), ("sets", model["sets"], totals["sets"]),
                             ("timers", model["timers"], totals["timers"])):
        for key in sorted(set(right) | set(got)):
            a, b = right.get(key), got.get(key)
            same = a is not None and b is not None and (all(close(a[part], b[part]) for part in a) if isinstance(a, dict) else close(a, b))
            if not same:
                wrong.append("%s %s: should be %s, is %s" % (what, key, a, b))
    if totals["counters"]["statsd.bad_lines_seen"]:
        wrong.append("statsd has seen %d bad lines" % totals["counters"]["statsd.bad_lines_seen"])
    print("\n".join(wrong[:20]))
    return 1 if wrong else 0


if sys.argv[1] == "make":
    make(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
elif sys.argv[1] == "fuzz":
    sys.stdout.reconfigure(encoding="utf-8")
    fuzz(int(sys.argv[2]), int(sys.argv[3]))
else:
    sys.exit(compare(sys.argv[2], sys.argv[3]))
