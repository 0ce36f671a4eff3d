# derive_tags.py - hostile values as tags and names: makes envelopes, and judges what metlog-derive and metlog-to-statsd make of them.
# SPDX-License-Identifier: MPL-2.0
import json
import random
import re
import sys

CASES = 2000
UNSAFE = "|#@:,=\\;!^~[]{}() \t\n\r\0\"'`%&*<>?$\x7f\x1b/._-"
OTHER = ["é", "Ü", "ß", "€", "𝄞", "\u202e", "\u200b", "\ufeff", "\u00a0", "\u2003", "\u0131", "\u212a", "ſ", "\ufffd", "\uff21", "٣"]


def text(r):
    kind = r.randrange(9)
    if kind == 0:
        return "".join(r.choice(UNSAFE) for _ in range(r.randrange(1, 30)))
    if kind == 1:
        return "".join(r.choice(OTHER) for _ in range(r.randrange(1, 20)))
    if kind == 2:
        return "".join(chr(r.randrange(128)) for _ in range(r.randrange(0, 40)))
    if kind == 3:
        return r.choice(["", " ", "\t \n", "\u00a0\u2003", "~x", "~", "x\\", "\\", ".", "...", "a..b", "-", "/", "//", "_", "9", "é.", "host", "a:b"])
    if kind == 4:
        return "".join(r.choice("abcXYZ019._-/" + UNSAFE) for _ in range(1024))
    if kind == 5:
        return r.choice(["x", "é", "~", "."]) * r.randrange(190, 210)
    if kind == 6:
        return "".join(chr(r.choice([r.randrange(32), r.randrange(0xA0, 0xD800), r.randrange(0xE000, 0x110000)])) for _ in range(r.randrange(1, 40)))
    if kind == 7:
        return "v" + str(r.randrange(100)) + ".Geo_loc-ate/x"
    return "".join(r.choice(["a", "B", "7", ".", r.choice(UNSAFE), r.choice(OTHER)]) for _ in range(r.randrange(1, 60)))


def escape(r, s):
    """The string in JSON, each character in one of the forms that JSON has for it; lone surrogates among them."""
    out = []
    for c in s:
        if ord(c) > 0xFFFF or r.random() < 0.5:
            out.append(json.dumps(c, ensure_ascii=r.random() < 0.5)[1:-1])
        else:
            out.append("\\u%04x" % ord(c))
    if r.random() < 0.05:
        out.append("\\ud800")
    return '"%s"' % "".join(out)


def make(seed):
    r = random.Random(seed)
    for _ in range(CASES):
        print('{"type":"t","fields":{"v":%s,"w":%s}}' % (escape(r, text(r)), escape(r, text(r))))


def fail(line, why):
    sys.exit("%s: %r" % (why, line))


# What the readers of each dialect ask of a tag and a name, told without looking at how they are made.
def safe_tag(key, value):
    whole = key + ":" + value
    return (
        value != ""
        and value.strip() != ""
        and len(whole.encode()) <= 200
        and all(0x20 < ord(c) < 0x7F for c in value)
        and not set(value) & set(",|#@:\n")  # DogStatsD; statsd itself
        and not set(value) & set(" =\\")  # InfluxDB: would have to be escaped, and a last backslash cannot
        and not set(value) & set(";!^~")  # Graphite
        and not set(value) & set("[]")  # SignalFx; Librato is ',' '=' '#'
        and not set(value) & set("\"'{}()<>%&*$?")  # queries and shells
    )


def safe_name(name):
    by_npm = re.sub(r"[^a-zA-Z_\-0-9.;=]", "", re.sub(r"/", "-", re.sub(r"\s+", "_", name)))
    return (
        by_npm == name
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name) is not None
        and ".." not in name
        and not name.endswith(".")
        and len(name) <= 200
    )


def judge():
    made = 0
    with open("metrics") as lines:
        for line in lines:
            metric = json.loads(line)
            fields = metric["fields"]
            if not safe_name(fields["name"]):
                fail(line, "a name is not safe")
            for key, value in fields.get("tags", {}).items():
                made += 1
                if not safe_tag(key, value):
                    fail(line, "the tag %s is not safe" % key)
    if made < CASES:
        sys.exit("only %d tags" % made)


STYLES = {
    "none": lambda n, t: n + ":1|c",
    "dogstatsd": lambda n, t: n + ":1|c" + ("|#" + ",".join("%s:%s" % p for p in t) if t else ""),
    "influx": lambda n, t: n + "".join(",%s=%s" % p for p in t) + ":1|c",
    "graphite": lambda n, t: n + "".join(";%s=%s" % p for p in t) + ":1|c",
    "librato": lambda n, t: n + ("#" + ",".join("%s=%s" % p for p in t) if t else "") + ":1|c",
    "signalfx": lambda n, t: n + ("[" + ",".join("%s=%s" % p for p in t) + "]" if t else "") + ":1|c",
}


def expect(style):
    with open("metrics") as lines:
        for line in lines:
            fields = json.loads(line)["fields"]
            print(STYLES[style](fields["name"], list(fields.get("tags", {}).items())))


# What a safe form is, by the manual, a character at a time.
def by_manual(key, value):
    if not value.strip():
        return None
    made = "".join(c if re.fullmatch(r"[A-Za-z0-9._/-]", c) else "_" for c in value)
    return made[: 200 - len(key) - 1]


def same():
    """The tag `plain` is the field as the manual says, where there is one; else it is left out."""
    with open("in") as sources, open("plain") as metrics:
        for source, metric in zip(sources, metrics):
            value = json.loads(source)["fields"]["v"]
            value = re.sub("[\ud800-\udfff]", "\ufffd", value)
            got = json.loads(metric)["fields"].get("tags", {}).get("plain")
            if got != by_manual("plain", value):
                fail(source, "the tag is %r, not %r" % (got, by_manual("plain", value)))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
        make(int(sys.argv[2]))
    elif sys.argv[1] == "judge":
        judge()
    elif sys.argv[1] == "same":
        same()
    else:
        expect(sys.argv[2])
