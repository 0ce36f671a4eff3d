# vectors_check - holds the shared vectors against the rules of an envelope and of RFC 8785's numbers, and prints their envelopes.
# SPDX-License-Identifier: MPL-2.0
#
#   vectors_check.py FILE...    every expected envelope on standard output, with a time and a duration in the place of "@"
#
# What is wrong is named by file and case on standard error, and the exit status is 1.
import json
import re
import sys

MEMBERS = ["type", "timestamp", "logger", "severity", "payload", "fields", "env_version", "metlog_pid", "metlog_hostname"]
CASE = {"name", "only", "config", "pid", "hostname", "calls", "expect"}
ARGUMENTS = {
    "send": {"type", "severity", "logger", "payload", "payload_json", "payload_hex", "payload_utf16", "fields", "timestamp"},
    "count": {"name", "count", "rate", "fields"},
    "timing": {"name", "ms", "rate", "fields"},
    "gauge": {"name", "value", "fields"},
    "set": {"name", "member", "fields"},
    "log": {"severity", "text"},
    "cef": {"signature", "name", "severity", "vendor", "product", "version", "extension"},
    "timer": {"name", "rate"},
}
KINDS = {"null", "bool", "int", "uint", "double", "text", "json", "tag", "bytes", "utf16"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")


def number(value):
    """The text of a double, by the steps of ECMAScript's Number::toString from the shortest digits that read back."""
    value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        return "null"
    if value == 0:
        return "0"
    mantissa, exponent = ("%r" % abs(value)).split("e") if "e" in repr(value) else (repr(abs(value)), "0")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    n = len(whole) + int(exponent) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    k = len(digits)
    if k <= n <= 21:
        text = digits + "0" * (n - k)
    elif 0 < n <= 21:
        text = digits[:n] + "." + digits[n:]
    elif -6 < n <= 0:
        text = "0." + "0" * -n + digits
    else:
        text = digits[0] + ("." + digits[1:] if k > 1 else "") + "e" + ("+" if n > 0 else "-") + str(abs(n - 1))
    return ("-" if value < 0 else "") + text


def no_constant(text):
    raise ValueError(text + " is not JSON")


def pairs_once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name comes twice: %s" % names)
    return dict(pairs)


def check_calls(case):
    for call in case["calls"]:
        unknown = set(call) - {"call"} - ARGUMENTS[call["call"]]
        assert not unknown, "unknown arguments: %s" % unknown
        for name, kind, _ in call.get("fields", call.get("extension", [])):
            assert kind in KINDS, "unknown kind of %s: %s" % (name, kind)


def check_numbers(case, envelope):
    """Each double of a call that has one message stands in it as the rules have it."""
    if len(case["calls"]) != 1 or len(case["expect"]) != 1:
        return
    for name, kind, value in case["calls"][0].get("fields", []):
        if kind == "double":
            wanted = json.dumps(name) + ":" + number(value)
            assert re.search(re.escape(wanted) + "[,}]", envelope), "%s is not in %s" % (wanted, envelope)


def check_envelope(case, text):
    twice = "given twice" in case["name"]
    envelope = json.loads(text, parse_constant=no_constant, object_pairs_hook=None if twice else pairs_once)
    assert list(envelope) == MEMBERS, "members: %s" % list(envelope)
    assert envelope["env_version"] == "0.8"
    assert envelope["metlog_pid"] == case["pid"] and envelope["metlog_hostname"] == case["hostname"]
    assert type(envelope["severity"]) is int and 0 <= envelope["severity"] <= 7
    assert envelope["timestamp"] == "@" or TIME.fullmatch(envelope["timestamp"]), envelope["timestamp"]
    assert isinstance(envelope["fields"], dict)
    if envelope["type"] in ("counter", "timer") and envelope["payload"] != "@":
        assert number(envelope["payload"]) == envelope["payload"] or envelope["type"] == "counter", envelope["payload"]
        assert list(envelope["fields"])[:2] == ["name", "rate"]
    if "keeps its blanks" not in case["name"]:
        between = re.sub(r'"(\\.|[^"\\])*"', '""', text)
        assert not re.search(r"\s", between), "blanks between its parts: %s" % text


def main():
    faults = 0
    names = set()
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            cases = json.load(file, parse_constant=no_constant, object_pairs_hook=pairs_once)
        for case in cases:
            try:
                assert not set(case) - CASE and CASE - set(case) <= {"only"}, "members of the case"
                assert case["name"] not in names, "the name was there before"
                names.add(case["name"])
                check_calls(case)
                for text in case["expect"]:
                    check_envelope(case, text)
                    check_numbers(case, text)
                    print(text.replace('"timestamp":"@"', '"timestamp":"2012-10-05T12:00:01.137911Z"').replace('"payload":"@"', '"payload":"0.412"'))
            except (AssertionError, ValueError, KeyError) as fault:
                faults = 1
                print("%s: %s: %s" % (path, case.get("name"), fault), file=sys.stderr)
    return faults


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
