# ichnaea_oracle - a web application that logs and counts as Ichnaea does, and what of its metrics its log lines give: the other side of the tests of contrib/ichnaea.
# SPDX-License-Identifier: MPL-2.0
"""usage: ichnaea_oracle.py make SEED COUNT     requests, into mozlog envelopes expected.code expected.page, and a word about them
       ichnaea_oracle.py read [FILE]            metrics in the form of expected.*, of envelopes
       ichnaea_oracle.py differ FILE FILE       names of metrics and tags in which two such files differ, which otherwise are the same
       ichnaea_oracle.py cases FILE             holds the cases of tests/data/ichnaea/requests.ndjson against the rules below; their lines go into mozlog and wire.*

It knows nothing of rules files. `Application` plays the program: it logs and emits, and knows what it did; `derived` is what can be told of the line alone,
by what the page ("page") or the program ("code") says. Of each request the two are compared here, so that one mistake would have to be made twice."""

import collections
import datetime
import json
import random
import re
import sys

CLASSES = ("high", "medium", "low", "none")
SOURCES = ("internal", "geoip", "fallback")
STATIC = ("/favicon.ico", "/robots.txt", "/apple-touch-icon-precomposed.png")
VIEWS = {  # path: (type, name of the path in tags)
    "/v1/geolocate": ("locate", "v1.geolocate"), "/v1/country": ("region", "v1.country"), "/v1/submit": ("submit", "v1.submit"),
    "/v1/geosubmit": ("submit", "v1.geosubmit"), "/v2/geosubmit": ("submit", "v2.geosubmit"),
}
PAGES = ("/", "/api", "/api/", "/contribute.json", "/terms", "/stats/regions", "/stats_wifi.json", "/x/static/y", "/robots.txt/", "/__heartbeat__", "/__version__", "/map.json", "/Contact", "/v1/geolocate/", "//x",
         "/a//b/", "/@", "/me@example.org/x", "/caf%C3%A9", "/caf\u00e9/\U0001f525", "/a,b|c#d:e", "/a=b;c", "/~user", "/%00%0A", "/a b\tc", "/\"\\", "/.", "/...", "/1", "/_", "/-", "/statistics",
         "/" + "x" * 194, "/" + "x" * 195, "/" + "x" * 196, "/" + "A/" * 300, "/" + "\u00e9" * 250, "no-slash", "", "/host", "/[x]", "/a{b}", "/../../etc/passwd")


def accuracy_class(meters):
    return "high" if meters <= 500 else "medium" if meters <= 50000 else "low" if meters <= 40000000 else "none"


def good_enough(found, needed):
    return CLASSES.index(found) <= CLASSES.index(needed)


def generate_tag(key, value):
    """As markus 4.0.1 does it."""
    key = re.sub(r"[^0-9a-zA-Z._\-/]", "_", key)
    tag = key + ":" + re.sub(r"[^0-9a-zA-Z._\-/]", "_", value) if value.strip() else key
    tag = (tag if tag[:1].isalpha() or not tag else "a" + tag).lower()[:200]
    return tag + "_" if tag in ("device", "host", "source") else tag


def request_metrics(fields, seconds):
    path = fields["http_path"].replace("/", ".").lstrip(".").replace("@", "-")
    tags = [generate_tag("path", path or ".homepage"), generate_tag("method", fields["http_method"])]
    return [("request.timing", "timer", round(seconds * 1000), tags), ("request", "counter", 1, tags + [generate_tag("status", str(fields["http_status"]))])]


def is_static(path):
    return path in STATIC or path.startswith("/static")


def amount(count):
    return ("none", "one", "many")[min(count, 2)]


class Stop(Exception):
    """The request ends with this status."""


class Key:
    """Of the table of keys; also what stands in for one that could not be looked up."""

    def __init__(self, name=None, limit=0, allowed=("locate", "region", "submit"), fallback=False, sampled=False):
        self.name, self.limit, self.allowed, self.fallback, self.sampled = name, limit, allowed, fallback, sampled


class Application:
    def __init__(self, rng):
        self.rng, self.counts = rng, collections.Counter()
        keys = [Key("test"), Key("4c5e0a1b-77d2-4f0e-9a61-0b7e25d1c3f8", limit=40), Key("Mixed-Case-KEY", fallback=True), Key("fall", limit=1000, fallback=True), Key("nolocate", allowed=("region", "submit")),
                Key("noregion", allowed=("locate", "submit"), limit=7), Key("sampled", sampled=True), Key("0123456789abcdef0123456789abcdef01234567", fallback=True), Key("host")]
        self.keys = {key.name: key for key in keys}

    def request(self):
        """The fields of the log line, the metrics that were emitted, and what the line does not tell of them: a set of their names."""
        rng = self.rng
        self.log, self.metrics, self.hidden = {}, [], set()
        path = rng.choice(list(VIEWS)) if rng.random() < 0.8 else rng.choice(PAGES + STATIC + ("/static/css/a.css", "/static", "/statics"))
        method = rng.choice(("POST",) * 6 + ("GET", "HEAD", "OPTIONS", "PUT", "Delete"))
        self.log.update(http_method=method, http_path=path)
        seconds = rng.choice((0.0, rng.random() / 100, rng.expovariate(4), rng.random() * 300, 1e-5))
        try:
            if path in VIEWS and method != "OPTIONS":
                self.view(*VIEWS[path])
            status = rng.choice((200, 200, 200, 301, 304, 404, 405, 500, 503)) if path not in VIEWS else 200
        except Stop as stop:
            status = stop.args[0]
        self.log.update(http_status=status, duration_s=round(seconds, 3))
        if not is_static(path):
            self.metrics += request_metrics(self.log, seconds)
        return self.log, self.metrics, self.hidden

    def emit(self, name, tags):
        self.metrics.append((name, "counter", 1, tags))

    def count(self, api, path, key):
        self.emit(api + ".request", ["path:" + path, "key:" + key])
        self.log.update(api_key=key, api_path=path, api_type=api)

    def view(self, api, path):
        key = self.admit(api, path)
        if self.rng.random() < 0.05:
            raise Stop(400)     # the body cannot be read
        if self.rng.random() < 0.02:
            raise Stop(500)
        if api != "submit":
            raise Stop(self.search(api, key))
        if key.sampled and self.rng.random() < 0.5:
            self.hidden.add("data.batch.upload")
        else:
            self.emit("data.batch.upload", ["key:" + key.name] if key.name else [])
        raise Stop(204 if path == "v1.submit" else 200)

    def admit(self, api, path):
        text = self.rng.choice([None, "", "abc", "a b c d", "x" * 41, "not-known", "123e4567-e89b"] + list(self.keys) * 5)
        well_formed = bool(text and re.fullmatch("[-0-9a-zA-Z]{4,40}", text))
        if not well_formed:
            self.count(api, path, "none")
            if text:
                self.log["invalid_api_key"] = text
        elif self.rng.random() < 0.03:
            self.log.update(api_key=text, api_path=path, api_type=api, api_key_db_fail=True)
            return Key()
        elif text not in self.keys:
            self.count(api, path, "invalid")
            self.log["invalid_api_key"] = text
        elif api not in self.keys[text].allowed:
            self.count(api, path, "invalid")
            self.log.update(api_key=text, api_key_allowed=False)
        else:
            self.count(api, path, text)
            if api != "region" and self.rng.random() < 0.98:    # else Redis is away
                self.limit(path, self.keys[text])
            return self.keys[text]
        if api != "submit":
            raise Stop(400)
        return Key()

    def limit(self, path, key):
        self.counts[path, key.name] += 1
        count = self.log["api_key_count"] = self.counts[path, key.name]
        if key.limit:
            self.log.update(rate_quota=key.limit, rate_remaining=max(0, key.limit - count), rate_allowed=count <= key.limit)
            if count > key.limit:
                raise Stop(403)

    def networks(self):
        """Of blue, cell and wifi: how many were sent, and how many of them are of use."""
        rng = self.rng
        for name in ("blue", "cell", "wifi"):
            sent = rng.choice((0, 0, 1, 2, 3, rng.randrange(40)))
            valid = rng.choice((sent, rng.randint(0, sent)))
            self.log[name], self.log[name + "_valid"] = sent, valid if name == "cell" or valid >= 2 else 0
        has_ip = rng.random() < 0.9
        has_geoip = has_ip and rng.random() < 0.8
        self.log.update(has_ip=has_ip, has_geoip=has_geoip, region=rng.choice(("GB", "BT")) if has_geoip else None)

    def search(self, api, key):
        rng, log = self.rng, self.log
        self.networks()
        near, cells = log["blue_valid"] or log["wifi_valid"], log["cell_valid"]
        by_area, by_ip = bool(cells) and rng.random() < 0.8, log["has_ip"] and rng.random() < 0.9
        needed = "low" if by_area or by_ip else "none"
        if api == "region":
            needed = "low" if near or cells else needed
        else:
            needed = "high" if near else "medium" if cells else needed
        told = bool(key.name) and needed != "none"
        if told:
            tags = ["key:" + key.name] + ([] if log["has_ip"] else ["geoip:false"])
            self.emit(api + ".query", tags + ["blue:" + amount(log["blue"]), "cell:" + amount(cells), "wifi:" + amount(log["wifi"])])
        if rng.random() < 0.02:
            if told:
                self.hidden.add(api + ".query")
            raise Stop(500)
        found = []
        if near or cells:
            found += self.source(api, key, needed, told, "internal", rng.randrange(4))
        if by_ip:
            found += self.source(api, key, needed, told, "geoip", int(log["has_geoip"]))
        if api == "locate" and key.fallback and (near or cells) and not (found and rng.random() < 0.6):
            if told:
                self.emit("locate.fallback.cache", ["fallback_name:fall", "status:miss"])
                self.hidden.add("locate.fallback.cache")
            found += self.source(api, key, needed, told, "fallback", rng.randrange(2))
        best = self.best(api, found)
        if told:
            self.result(api, key, needed, best)
        if best and api == "locate":
            log["api_response_sig"] = "%016x" % rng.getrandbits(64)
        return 200 if best else 404

    def source(self, api, key, needed, told, name, results):
        found = [(name, accuracy_class(self.rng.choice((10, 500, 501, 1000, 50000, 50001, 2e6, 4e7)))) for _ in range(results)]
        if told:
            hits = [accuracy for _, accuracy in found if good_enough(accuracy, needed)]
            status = "hit" if hits else "miss"
            self.emit(api + ".source", ["key:" + key.name, "source:" + name, "accuracy:" + needed, "status:" + status])
            seen = hits[0] if hits else found[-1][1] if found else None
            self.log.update({"source_%s_accuracy" % name: seen, "source_%s_accuracy_min" % name: needed, "source_%s_status" % name: status})
        return found

    def best(self, api, found):
        """Of those that lie together, whichever they are: the most exact, or for a region the first."""
        together = [one for one in found if self.rng.random() < 0.8] or found[-1:]
        return min(together, key=lambda one: SOURCES.index(one[0]) if api == "region" else CLASSES.index(one[1])) if together else None

    def result(self, api, key, needed, best):
        source, accuracy = best or (None, "none")
        status = "hit" if good_enough(accuracy, needed) else "miss"
        tags = ["key:" + key.name, "fallback_allowed:" + str(key.fallback).lower(), "accuracy:" + needed, "status:" + status]
        self.emit(api + ".result", tags + (["source:" + source] if status == "hit" else []))
        self.log.update(fallback_allowed=key.fallback, accuracy=accuracy, accuracy_min=needed, result_status=status)


def winner(log):
    """Where the result is from. When several sources hit, a guess."""
    hits = [name for name in SOURCES if log.get("source_%s_status" % name) == "hit"]
    if len(hits) > 1 and log["api_type"] == "locate":
        hits = [name for name in hits if log["source_%s_accuracy" % name] == log["accuracy"]] or hits
    return hits[0] if hits else None


def derived(log, profile):
    if "http_path" not in log or is_static(log["http_path"]):
        return []
    api, failed = log.get("api_type"), bool(log.get("api_key_db_fail"))
    metrics = []
    if api and not failed:
        metrics.append((api + ".request", "counter", 1, ["path:" + log["api_path"], "key:" + ("invalid" if log.get("api_key_allowed") is False else log["api_key"])]))
    if api in ("locate", "region") and log.get("result_status"):
        key = "key:" + log["api_key"]
        known, cells = ("has_ip", "cell_valid") if profile == "code" else ("has_geoip", "cell")
        metrics.append((api + ".query", "counter", 1,
                        [key] + ([] if log[known] else ["geoip:false"]) + ["blue:" + amount(log["blue"]), "cell:" + amount(log[cells]), "wifi:" + amount(log["wifi"])]))
        for name in SOURCES:
            if "source_%s_status" % name in log:
                metrics.append((api + ".source", "counter", 1,
                                [key, "source:" + name, "accuracy:" + log["source_%s_accuracy_min" % name], "status:" + log["source_%s_status" % name]]))
        allowed = ["fallback_allowed:true"] if log["fallback_allowed"] else ["fallback_allowed:false"] if profile == "code" else []
        source = ["source:" + winner(log)] if log["result_status"] == "hit" and winner(log) else []
        metrics.append((api + ".result", "counter", 1, [key] + allowed + ["accuracy:" + log["accuracy_min"], "status:" + log["result_status"]] + source))
    if api == "submit" and log["http_status"] in (200, 204):
        metrics.append(("data.batch.upload", "counter", 1, [] if failed or log["api_key"] in ("none", "invalid") else ["key:" + log["api_key"]]))
    return metrics + request_metrics(log, log["duration_s"])


def compare(log, emitted, hidden, tally):
    """What the line gives is what was emitted, but for what it cannot give."""
    told = derived(log, "code")
    for name in {metric[0] for metric in emitted + told}:
        ours, theirs = [one for one in told if one[0] == name], [one for one in emitted if one[0] == name]
        tally["metrics"] += len(theirs)
        if ours == theirs:
            tally["told"] += len(theirs)
            continue
        tally[name] += 1
        guessed = name.endswith(".result") and sum(value == "hit" for key, value in log.items() if key.startswith("source_")) > 1
        if name not in hidden and not (guessed and [one[3][:4] for one in ours] == [one[3][:4] for one in theirs]):
            sys.exit("%s\n of the line: %s\n emitted: %s" % (log, ours, theirs))


def others(rng):
    """What else is in the log: no metric comes of it."""
    return rng.choice((("celery.worker", {"msg": "ready"}), ("canonical-log-line", {"script_name": "ichnaea.scripts.datamap", "duration_s": 81.2, "success": True}), ("ichnaea", {}),
                       ("markus", {"http_path": "/", "http_method": "GET", "http_status": 200, "duration_s": 0.1, "msg": "not a request"})))


def rfc3339(nanoseconds):
    seconds, rest = divmod(nanoseconds, 10**9)
    digits = "%06d" % (rest // 1000) if rest % 1000 == 0 else "%09d" % rest
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + digits + "Z"


def shuffled(rng, log):
    members = list(log.items())
    rng.shuffle(members)
    return dict(members)


def write_line(mozlog, envelopes, rng, stamp, kind, log):
    pid, host = rng.randrange(1, 60000), "web-%d.example.net" % rng.randrange(4)
    message = "%s %s - %s" % (log["http_method"], log["http_path"], log["http_status"]) if kind == "canonical-log-line" and "http_path" in log else "other"
    print(json.dumps({"Timestamp": stamp, "Type": kind, "Logger": "ichnaea", "Hostname": host, "EnvVersion": "2.0", "Severity": 6, "Pid": pid, "Fields": {**log, "msg": message}},
                     ensure_ascii=rng.random() < 0.5), file=mozlog)
    names = {"type": kind, "logger": "ichnaea"} if rng.random() < 0.5 else {"type": "oldstyle", "logger": kind}
    print(json.dumps({"timestamp": rfc3339(stamp), **names, "severity": 6, "payload": message, "fields": log, "env_version": "0.8", "metlog_pid": pid, "metlog_hostname": host}), file=envelopes)


def write_metrics(out, stamp, metrics):
    for name, kind, value, tags in metrics:
        print(json.dumps({"timestamp": rfc3339(stamp), "name": name, "type": kind, "value": value, "tags": tags}), file=out)


def opened(*names):
    return [open(name, "w", encoding="utf-8", newline="\n") for name in names]


def make(seed, count):
    rng, stamp, tally = random.Random(seed), 1600000000 * 10**9, collections.Counter()
    application = Application(rng)
    mozlog, envelopes, code, page = opened("mozlog", "envelopes", "expected.code", "expected.page")
    for _ in range(count):
        stamp += rng.choice((1, 1000, 256 * rng.randrange(1, 10**7)))
        if rng.random() < 0.03:
            write_line(mozlog, envelopes, rng, stamp, *others(rng))
            continue
        log, emitted, hidden = application.request()
        compare(log, emitted, hidden, tally)
        write_line(mozlog, envelopes, rng, stamp, "canonical-log-line", shuffled(rng, log))
        write_metrics(code, stamp, derived(log, "code"))
        write_metrics(page, stamp, derived(log, "page"))
    told, metrics = tally.pop("told"), tally.pop("metrics")
    print("%d metrics emitted, %d of them exactly what the lines give; not: %s" % (metrics, told, ", ".join("%s %d" % one for one in sorted(tally.items()))))


def read(stream):
    for line in stream:
        envelope = json.loads(line)
        fields, payload = envelope["fields"], envelope["payload"]
        if fields["rate"] != 1:
            sys.exit("rate: " + line)
        print(json.dumps({"timestamp": envelope["timestamp"], "name": fields["name"], "type": envelope["type"], "value": json.loads(payload) if isinstance(payload, str) else payload,
                          "tags": [key + ":" + value for key, value in fields.get("tags", {}).items()]}))


def differ(one, other):
    found = set()
    pairs = [[json.loads(line) for line in open(name, encoding="utf-8")] for name in (one, other)]
    if len(pairs[0]) != len(pairs[1]):
        sys.exit("%d metrics and %d" % (len(pairs[0]), len(pairs[1])))
    for left, right in zip(*pairs):
        tags = [[tag.split(":", 1) for tag in metric.pop("tags")] for metric in (left, right)]
        names = {key for key, value in tags[0] if [key, value] not in tags[1]} | {key for key, value in tags[1] if [key, value] not in tags[0]}
        if left != right or [tag for tag in tags[0] if tag[0] not in names] != [tag for tag in tags[1] if tag[0] not in names]:
            sys.exit("%s\n%s" % (left, right))
        found |= {left["name"] + " " + name for name in names}
    print("\n".join(sorted(found)))


def wire(metric):
    name, kind, value, tags = metric
    return "%s:%s|%s%s" % (name, value, {"counter": "c", "timer": "ms", "gauge": "g"}[kind], "|#" + ",".join(tags) if tags else "")


def cases(path):
    rng = random.Random(1)
    mozlog, envelopes, code, page = opened("mozlog", "envelopes", "wire.code", "wire.page")
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        case = json.loads(line)
        wanted = {"code": case["metrics"], "page": case.get("page", case["metrics"])}
        for profile, out in (("code", code), ("page", page)):
            found = [wire(one) for one in derived(case["log"], profile)]
            if found != wanted[profile]:
                sys.exit("%s:%d: %s, by the %s\n wanted: %s\n found: %s" % (path, number, case["case"], profile, wanted[profile], found))
            out.writelines("location." + one + "\n" for one in wanted[profile])
        write_line(mozlog, envelopes, rng, 1600000000 * 10**9 + number * 1000, "canonical-log-line", case["log"])


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "make":
        make(int(arguments[0]), int(arguments[1]))
    elif what == "read":
        read(open(arguments[0], encoding="utf-8") if arguments else sys.stdin)
    elif what == "differ":
        differ(*arguments)
    elif what == "cases":
        cases(arguments[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
