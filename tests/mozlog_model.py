# mozlog_model.py - makes lines of MozLog and envelopes from a seed, and judges what the converters have made of them.
# SPDX-License-Identifier: MPL-2.0
#
#   mozlog_model.py lines SEED COUNT          lines of MozLog, good by the schema and not
#   mozlog_model.py envelopes SEED COUNT      envelopes that have a time
#   mozlog_model.py schema FILE               every line is what the schema of MozLog's checkers allows
#   mozlog_model.py same OLD NEW              the same value on each line; numbers are compared as they are written
#   mozlog_model.py back OLD NEW              lines of MozLog that went to envelopes and back: as the manual says
#   mozlog_model.py returned OLD NEW          envelopes that went to MozLog and back: as the manual says
import json
import random
import re
import sys
from datetime import datetime, timezone

NAMES = ["Timestamp", "Type", "Logger", "Hostname", "EnvVersion", "Severity", "Pid", "Fields"]
ENVELOPE = ["timestamp", "logger", "type", "severity", "payload", "fields", "env_version", "metlog_pid", "metlog_hostname"]


class Number(str):
    """A number as it is written."""


def read(line):
    return json.loads(line, parse_int=Number, parse_float=Number)


def lines(name):
    with open(name, encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def kind(value):
    if isinstance(value, Number):
        return "number"
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", list: "array", dict: "object", type(None): "null"}[type(value)]


SCALARS = ("string", "number", "boolean")


def is_plain(value):
    what = kind(value)
    if what in SCALARS:
        return True
    if what == "array":
        return bool(value) and kind(value[0]) in SCALARS and len({kind(one) for one in value}) == 1
    if what == "object":
        return set(value) == {"value", "representation"} and kind(value["representation"]) == "string" and kind(value["value"]) != "object" and is_plain(value["value"])
    return False


def is_host(value):
    label = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
    return kind(value) == "string" and len(value) <= 253 and re.fullmatch(rf"{label}(\.{label})*", value) is not None


def is_digits(value):
    return kind(value) == "number" and re.fullmatch(r"[0-9]+", value) is not None


# --- the schema ---

def wrong(line):
    good = {
        "Timestamp": is_digits, "Type": lambda v: kind(v) == "string", "Logger": lambda v: kind(v) == "string", "Hostname": is_host,
        "EnvVersion": lambda v: kind(v) == "string" and re.fullmatch(r"[0-9]+(\.[0-9]+){0,2}", v) is not None,
        "Severity": lambda v: kind(v) == "number" and re.fullmatch("[0-7]", v) is not None, "Pid": is_digits,
        "Fields": lambda v: kind(v) == "object" and len(v) > 0 and all(is_plain(one) for one in v.values()),
    }
    if "Timestamp" not in line:
        return "no Timestamp"
    return next((f"{name}: {line[name]!r}" for name in NAMES if name in line and not good[name](line[name])), None)


# --- what is made ---

class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def text(self):
        return "".join(self.r.choice("ab\"\\/\n\t\u0000é\u2028🔥 .{}[],:1") for _ in range(self.r.randrange(7)))

    def number(self):
        return Number(self.r.choice(["0", "-0", "1", "-17", "12.50", "1e400", "1E-07", "-0.0", "9007199254740993", "18446744073709551616", "123456789012345678901234567890"]))

    def key(self):
        return self.r.choice(["a", "b", "http_status", "", "value", "representation", "name", self.text()])

    def value(self, depth=0):
        r = self.r
        choice = r.randrange(14 if depth < 4 else 7)
        if choice < 2:
            return self.text()
        if choice < 4:
            return self.number()
        if choice < 6:
            return r.random() < 0.5
        if choice == 6:
            return None
        if choice < 9:
            one = r.choice([self.text, self.number, lambda: r.random() < 0.5])
            return [one() for _ in range(r.randrange(4))]
        if choice == 9:
            return [self.value(depth + 1) for _ in range(r.randrange(4))]
        if choice == 10:
            return {"value": dump(self.value(depth + 1)), "representation": "json"}
        if choice == 11:
            return {"value": self.value(depth + 1), "representation": r.choice(["json", "date-time", "", Number("1")])}
        return {self.key(): self.value(depth + 1) for _ in range(r.randrange(4))}

    def fields(self, extra):
        fields = {self.key(): self.value() for _ in range(self.r.randrange(6))}
        for name, value in extra:
            if self.r.random() < 0.12:
                fields[name] = value()
        beside = kind(fields.get("msg")) == "string" and fields["msg"]
        if not beside and ("msg" in fields or kind(fields.get("fields.msg")) not in SCALARS):
            fields.pop("fields.msg", None)
        items = list(fields.items())
        self.r.shuffle(items)
        return dict(items)

    def maybe(self, chance, made):
        return [made()] if self.r.random() < chance else []

    def line(self):
        r = self.r
        line = {"Timestamp": Number(r.choice([str(r.randrange(9214646400000000000)), "0", "1612950421902130927", "1795300004322262528", "1795300004322000000"]))}
        for name, chance, made in [
            ("Type", 0.9, lambda: r.choice(["app.log", "canonical-log-line", self.text(), self.value()])),
            ("Logger", 0.9, lambda: r.choice(["ichnaea", self.text(), self.value()])),
            ("Hostname", 0.8, lambda: r.choice(["web-1.example.net", "big", "10.0.0.1", "not_one", "-", "", self.value()])),
            ("EnvVersion", 0.8, lambda: r.choice(["2.0", "2.0", "2.0", "2", "1.0.3", "new", self.value()])),
            ("Severity", 0.9, lambda: r.choice([Number("0"), Number("6"), Number("7"), Number("8"), Number("6.0"), self.value()])),
            ("Pid", 0.8, lambda: r.choice([Number("19235"), Number("-1"), self.value()])),
            ("Time", 0.2, lambda: "2018-02-23T04:51:05Z"), ("severity", 0.1, lambda: Number("200")),
            (r.choice(["metlog_x", "metlog_type", "metlog_metlog_pid", "metlog_metlog_mozlog_x", "metlog_mozlog_Type", "metlog_", "", self.text()]), 0.2, self.value),
        ]:
            for value in self.maybe(chance, made):
                line[name] = value
        for _ in self.maybe(0.9, bool):
            line["Fields"] = self.fields([("msg", self.text), ("msg", self.text), ("msg", self.value), ("fields.msg", self.value), ("fields.fields.msg", self.value),
                ("metlog_hostname", lambda: r.choice(["a b", "web1", self.value()])), ("metlog_pid", self.value), ("metlog_mozlog_Severity", self.value), ("metlog_mozlog_EnvVersion", lambda: r.choice(["1.0", "new"]))])
        for _ in self.maybe(0.03, bool):
            line["Fields"] = self.value()
        items = list(line.items())
        r.shuffle(items)
        return dict(items)

    def envelope(self):
        r = self.r
        second = r.choice(["01", "59", "30"])
        fraction = r.choice(["", ".1", ".137911", ".123456789", ".100000000"])
        envelope = {"timestamp": f"20{r.randrange(10, 99)}-0{r.randrange(1, 10)}-1{r.randrange(10)}T12:34:{second}{fraction}{r.choice(['Z', '', '+02:00', '-05:30'])}"}
        for name, chance, made in [
            ("logger", 0.9, self.text), ("type", 0.9, self.text), ("severity", 0.9, lambda: Number(r.randrange(8))),
            ("payload", 0.8, lambda: r.choice([self.text(), self.text(), self.value()])),
            ("fields", 0.9, lambda: self.fields([("msg", self.value), ("metlog_hostname", self.text)])),
            ("env_version", 0.9, lambda: "0.8"), ("metlog_pid", 0.9, lambda: r.choice([Number("26482"), self.value()])),
            ("metlog_hostname", 0.9, lambda: r.choice(["web1", "a_b", self.value()])),
            (r.choice(["x", "Timestamp", "Fields", "metlog_x", "metlog_mozlog_Time", "metlog_mozlog_metlog_x", "metlog_mozlog_metlog_type", "mozlog_x", self.text()]), 0.3, self.value),
            (r.choice(["metlog_mozlog_EnvVersion", "metlog_mozlog_Severity", "metlog_mozlog_Fields", "metlog_mozlog_Timestamp"]), 0.2, lambda: r.choice(["1.0", "2.0", self.value()])),
        ]:
            for value in self.maybe(chance, made):
                envelope[name] = value
        items = list(envelope.items())
        r.shuffle(items)
        return dict(items)


def dump(value, r=None):
    blank = r.choice(["", "", " "]) if r else ""
    what = kind(value)
    if what == "number":
        return str(value)
    if what == "array":
        return "[" + blank + ("," + blank).join(dump(one, r) for one in value) + blank + "]"
    if what == "object":
        return "{" + blank + ("," + blank).join(dump(name, r) + ":" + blank + dump(one, r) for name, one in value.items()) + blank + "}"
    return json.dumps(value, ensure_ascii=bool(r and r.random() < 0.5))


# --- what may be lost ---

def read_text(text):
    """The value that the text of Heka's object is, in a list; no text that we write has blanks at its ends or control characters."""
    try:
        return [read(text)] if text == text.strip(" ") and min(text, default=" ") >= " " else []
    except ValueError:
        return []


def expected_line(line):
    """A line of MozLog after the way to an envelope and back."""
    line = dict(line)
    fields = dict(line.get("Fields") or {}) if kind(line.get("Fields")) in ("object", "null") else {}

    hidden = {}

    def hide(name, key):
        value = line.pop(name)
        hidden[key] = {"value": value, "representation": "json"} if must_wrap(value) else value

    for name in ("Type", "Logger"):
        if name in line and kind(line[name]) != "string":
            hide(name, "metlog_mozlog_" + name)
        elif line.get(name) == "":
            del line[name]
    if "Severity" in line and not (kind(line["Severity"]) == "number" and re.fullmatch("[0-7]", line["Severity"])):
        hide("Severity", "metlog_mozlog_Severity")
    line.setdefault("Severity", Number("6"))
    if "EnvVersion" in line and not (kind(line["EnvVersion"]) == "string" and re.fullmatch(r"[0-9]+(\.[0-9]+){0,2}", line["EnvVersion"])):
        hide("EnvVersion", "metlog_mozlog_EnvVersion")
    line.setdefault("EnvVersion", "2.0")
    if "Hostname" in line and not is_host(line["Hostname"]):
        hide("Hostname", "metlog_hostname")
    if "Pid" in line and not is_digits(line["Pid"]):
        hide("Pid", "metlog_pid")
    if "Fields" in line and kind(line["Fields"]) not in ("object", "null"):
        hide("Fields", "metlog_mozlog_Fields")
    if fields.get("msg") == "":
        del fields["msg"]
    message = fields.get("msg")
    if (kind(message) == "object" and not is_message(message)) or not is_plain(message):
        fields = {"fields.msg" if name == "msg" else name: value for name, value in fields.items()}
    line["Fields"] = {name: value if is_plain(value) else {"value": value, "representation": "json"} for name, value in fields.items()} | hidden
    if not line["Fields"]:
        del line["Fields"]
    return line


def must_wrap(value):
    """A value of Fields that the schema does not allow, or that would be read as what is in it."""
    if not is_plain(value):
        return True
    is_text = kind(value) == "object" and value["representation"] == "json" and kind(value["value"]) == "string"
    return is_text and any(must_wrap(one) for one in read_text(value["value"]))


def is_message(value):
    """Heka's object as a payload that is no text is written."""
    text = value.get("value")
    return set(value) == {"value", "representation"} and value["representation"] == "json" and kind(text) == "string" and any(kind(one) != "string" for one in read_text(text))


def unfold(value):
    """The JSON text in Heka's object as a value, so that two of them can be compared whatever blanks stand in them."""
    if kind(value) == "object":
        value = {name: unfold(one) for name, one in value.items()}
        if set(value) == {"value", "representation"} and value["representation"] == "json" and kind(value["value"]) == "string":
            for inner in read_text(value["value"]):
                return {"value": unfold(inner), "representation": "json"}
    return value


def nanoseconds(stamp):
    match = re.fullmatch(r"(.{19})(\.(\d+))?(Z|[+-]\d\d:\d\d)?", stamp)
    whole = datetime.fromisoformat(match[1] + (match[4] or "+00:00").replace("Z", "+00:00"))
    return int((whole - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()) * 10**9 + int((match[3] or "").ljust(9, "0"))


def expected_envelope(envelope):
    """An envelope after the way to MozLog and back."""
    envelope = dict(envelope)
    envelope["timestamp"] = nanoseconds(envelope["timestamp"])
    envelope.setdefault("severity", Number("6"))
    envelope.setdefault("env_version", "0.8")
    for name in ("logger", "type", "payload"):
        envelope.setdefault(name, "")
    fields = dict(envelope.get("fields", {}))
    if kind(fields.get("msg")) == "string" and envelope["payload"] == "":
        envelope["payload"] = fields.pop("msg")
    if "metlog_hostname" in fields and "metlog_hostname" not in envelope and not is_host(fields["metlog_hostname"]):
        envelope["metlog_hostname"] = fields.pop("metlog_hostname")
    return envelope | {"fields": fields}


def compare(old, new, of_old, of_new):
    old, new = lines(old), lines(new)
    if len(old) != len(new):
        sys.exit(f"{len(old)} lines, then {len(new)}")
    for number, (was, now) in enumerate(zip(old, new), 1):
        wanted, got = of_old(read(was)), of_new(read(now))
        if wanted != got:
            for name in sorted(set(wanted) | set(got)):
                if wanted.get(name, "absent") != got.get(name, "absent"):
                    print(f"{name}: {wanted.get(name, 'absent')!r}\n  not {got.get(name, 'absent')!r}", file=sys.stderr)
            sys.exit(f"line {number}\n{was}\n{now}")


def main(mode, *rest):
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass", newline="\n")
    if mode in ("lines", "envelopes"):
        maker = Maker(int(rest[0]))
        for _ in range(int(rest[1])):
            print(dump(maker.line() if mode == "lines" else maker.envelope(), maker.r))
    elif mode == "schema":
        for number, line in enumerate(lines(rest[0]), 1):
            why = wrong(read(line))
            if why:
                sys.exit(f"line {number}: {why}\n{line}")
    elif mode == "same":
        compare(rest[0], rest[1], lambda v: v, lambda v: v)
    elif mode == "back":
        compare(rest[0], rest[1], lambda v: unfold(expected_line(v)), unfold)
    elif mode == "returned":
        compare(rest[0], rest[1], expected_envelope, lambda v: v | {"timestamp": nanoseconds(v["timestamp"])})
    else:
        sys.exit(f"no such mode: {mode}")


main(*sys.argv[1:])
