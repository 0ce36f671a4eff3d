# oracle - what an envelope is, said a second time: lines made at random, and judged by Python's json.
# SPDX-License-Identifier: MPL-2.0
"""
oracle.py generate SEED COUNT    lines on standard output: envelopes, strange ones, and damaged ones
oracle.py judge LINES GOOD BAD   the good lines to GOOD, as they stand; of each bad one "NUMBER BASE64" to BAD
oracle.py rejects FILE           of each record of rejects "NUMBER BASE64" of the line in it; checks that the record is an envelope
"""
import base64
import json
import random
import sys

SEVEN = ("timestamp", "logger", "type", "severity", "payload", "fields", "env_version")


# --- judging ---

class Integer(str):
    """The text of an integer: any length, and not to be taken for a string."""


class Real(str):
    pass


class Pairs(list):
    """An object with its repeated keys."""


def no_constant(text):
    raise ValueError(text)  # NaN, Infinity: not JSON


def depth(value):
    if isinstance(value, Pairs):
        return 1 + max((depth(inner) for _, inner in value), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def is_string(value):
    return isinstance(value, str) and not isinstance(value, (Integer, Real))


def is_good(line, limit=1 << 20):
    if b"\0" in line or len(line) > limit:
        return False
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=no_constant, parse_int=Integer, parse_float=Real, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, Pairs) or depth(value) > 64:
        return False
    names = [name for name, _ in value if name in SEVEN]
    if len(names) != len(set(names)):
        return False
    for name, member in value:
        if name in ("timestamp", "logger", "type") and not is_string(member):
            return False
        if name == "severity" and not (isinstance(member, Integer) and member in "0 1 2 3 4 5 6 7".split()):
            return False
        if name == "fields" and not isinstance(member, Pairs):
            return False
        if name == "env_version" and not (is_string(member) and member == "0.8"):
            return False
    return True


def lines_of(path):
    with open(path, "rb") as file:
        text = file.read()
    lines = text.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def judge(path, good, bad):
    with open(good, "wb") as good, open(bad, "w") as bad:
        for number, line in enumerate(lines_of(path), 1):
            if not line.strip(b" \t\r"):
                continue
            if is_good(line):
                good.write(line + b"\n")
            else:
                print(number, base64.b64encode(line).decode(), file=bad)


def rejects(path):
    for line in lines_of(path):
        if not is_good(line):
            sys.exit("a record that is no envelope: %r" % line)
        record = json.loads(line)
        fields = record["fields"]
        if record["type"] != "metlog.reject" or not fields["reason"] or not fields["tool"] or not fields["source"]:
            sys.exit("a record that lacks something: %r" % line)
        if fields.get("encoding") == "base64":
            raw = base64.b64decode(record["payload"], validate=True)
        else:
            raw = record["payload"].encode()
        print(fields["line"], base64.b64encode(raw).decode())


# --- making ---

NUMBERS = ("0 -0 1 7 8 -1 10 1.0 0.5 -1.5e3 1E+2 1e-7 1e400 123456789012345678901234567890 9223372036854775808 9007199254740993 01 1. .5 +1 1e 0x1 - "
           "NaN Infinity -Infinity 1_0").split()
PIECES = ['a', 'z ', '{', '}', '[', ']', ',', ':', '\\"', '\\\\', '\\/', '\\b', '\\n', '\\t', '\\u0041', '\\u00e9', '\\u0000', '\\ud83d\\ude00', '\\ud800',
          '\\u002e', '\u00e9', '\u20ac', '\U0001f600', '\x7f', '\x85', '\u2028', 'x' * 31, ' ' * 33, 'y' * 64, '\ufeff']
NAMES = ["name", "rate", "a", "b", "a.b", "", "type", "t\\u0079pe", "caf\u00e9", "metlog_pid", "metlog_hostname", "Type", "typ", "severity", "fields"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def string(self):
        return '"' + "".join(self.random.choices(PIECES, k=self.random.choice((0, 1, 2, 3, 8)))) + '"'

    def blank(self):
        return self.random.choice(("",) * 9 + (" ", "\t", "\r", "   "))

    def value(self, room=4):
        kind = self.random.randrange(9 if room else 6)
        if kind < 2:
            return self.string()
        if kind == 2:
            return self.random.choice(NUMBERS[:16])
        if kind == 3:
            return self.random.choice(NUMBERS) if self.random.random() < .1 else str(self.random.randrange(1000))
        if kind == 4:
            return self.random.choice(("true", "false", "null"))
        if kind == 5:
            return self.random.choice(("[]", "{}", "[ ]", "{ }"))
        if kind == 6:
            return "[" + ",".join(self.blank() + self.value(room - 1) for _ in range(self.random.randrange(4))) + "]"
        return self.object(self.random.choices(NAMES, k=self.random.randrange(4)), room - 1)

    def member(self, name, room):
        likely = {
            "timestamp": '"2011-06-24T12:00:00.%06dZ"' % self.random.randrange(10**6), "logger": '"shop"', "type": '"counter"',
            "severity": str(self.random.randrange(8)), "env_version": self.random.choice(('"0.8"', '"0.8"', '"0\\u002e8"')),
        }.get(name)
        if name == "fields":
            likely = self.object(self.random.choices(NAMES, k=self.random.randrange(6)), room)
        return self.value(room) if likely is None or self.random.random() < .02 else likely

    def object(self, names, room):
        pairs = ('%s"%s"%s:%s%s%s' % (self.blank(), name, self.blank(), self.blank(), self.value(room), self.blank()) for name in names)
        return "{" + ",".join(pairs) + "}"

    def envelope(self):
        names = [name for name in SEVEN if self.random.random() < .8] + self.random.choices(NAMES, k=self.random.choice((0, 0, 0, 1, 2)))
        self.random.shuffle(names)
        if self.random.random() < .1:
            names = [name.replace("e", "\\u0065", 1) for name in names]
        pairs = ('%s"%s"%s:%s%s' % (self.blank(), name, self.blank(), self.blank(), self.member(name, 3)) for name in names)
        return self.blank() + "{" + ",".join(pairs) + "}" + self.blank()

    def damage(self, line):
        at = self.random.randrange(len(line) + 1)
        kind = self.random.randrange(6)
        if kind == 0:
            return line[:at]
        if kind == 1:
            return line[:at] + line[at + 1:]
        if kind == 2:
            return line[:at] + self.random.choice((b'"', b"\\", b",", b"{", b"}", b"[", b"]", b":", b"\0", b"\x01", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\t", b" ", b"0")) + line[at:]
        if kind == 3:
            return line[:at] + bytes((self.random.choice([i for i in range(256) if i != 10]),)) + line[at + 1:]
        if kind == 4:
            return line + self.random.choice((b"{}", b"x", b",", b"]", b"\xef\xbb\xbf"))
        return self.random.choice((b"\xef\xbb\xbf", b"[", b"x", b"\xff\xfe", b'"')) + line

    def deep(self):
        count = self.random.randrange(60, 68)
        return b'{"fields":{"deep":' + b"[" * count + b"]" * count + b"}}"

    def line(self):
        what = self.random.random()
        if what < .01:
            return self.deep()
        if what < .03:
            return self.random.choice((b"", b" ", b"\r", b"\t \r", b"null", b"[]", b'"x"', b"hello", b"12"))
        line = self.envelope().encode("utf-8")
        return self.damage(line) if self.random.random() < .4 else line


def main():
    if sys.argv[1] == "generate":
        maker = Maker(int(sys.argv[2]))
        for _ in range(int(sys.argv[3])):
            sys.stdout.buffer.write(maker.line() + b"\n")
    elif sys.argv[1] == "judge":
        judge(*sys.argv[2:])
    else:
        rejects(sys.argv[2])


main()
