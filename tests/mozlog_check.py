# mozlog_check - holds lines of MozLog against its JSON schema, and against the envelopes and lines they became.
# SPDX-License-Identifier: MPL-2.0
#
# usage: mozlog_check.py valid SCHEMA LINES          each line is valid by the JSON schema
#        mozlog_check.py arrived LINES ENVELOPES     each value of a line is in its envelope
#        mozlog_check.py back LINES AGAIN            AGAIN is LINES, but for what the manual lists
import datetime
import json
import re
import sys

MEMBERS = {"Timestamp", "Type", "Logger", "Hostname", "EnvVersion", "Severity", "Pid", "Fields"}
HOST = re.compile(r"(?!.{254})[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")


class Number(str):
    """Numbers are compared as they are written: 1e-07 and -0.0 arrive byte for byte."""


def read(name):
    return [json.loads(line, parse_float=Number) for line in open(name, encoding="utf-8")]


def fail(number, what, got, want):
    sys.exit("mozlog_check: line %d: %s: %r instead of %r" % (number, what, got, want))


def nanoseconds(text):
    whole, fraction = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)Z", text).groups()
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def valid(schema_name, name):
    import jsonschema
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("hostname")(lambda text: not isinstance(text, str) or HOST.fullmatch(text) is not None)
    checker = jsonschema.Draft7Validator(json.load(open(schema_name)), format_checker=formats)
    for number, line in enumerate(open(name, encoding="utf-8"), 1):
        for error in checker.iter_errors(json.loads(line)):
            fail(number, "not valid at " + "/".join(map(str, error.path)), error.instance, error.message)


def arrived(name, envelopes_name):
    lines, envelopes = read(name), read(envelopes_name)
    if len(lines) != len(envelopes):
        sys.exit("mozlog_check: %d lines became %d envelopes" % (len(lines), len(envelopes)))
    for number, (line, envelope) in enumerate(zip(lines, envelopes), 1):
        fields = dict(line.get("Fields") or {})
        message = fields.pop("msg") if isinstance(fields.get("msg"), str) else ""
        if message and "fields.msg" in fields:
            fields["msg"] = fields.pop("fields.msg")
        want = {
            "timestamp": line["Timestamp"], "type": line.get("Type", ""), "logger": line.get("Logger", ""), "severity": line.get("Severity", 6),
            "payload": message, "fields": fields, "env_version": "0.8",
            "metlog_pid": line.get("Pid"), "metlog_hostname": line.get("Hostname"),
        }
        want.update({"metlog_mozlog_" + key: value for key, value in line.items() if key not in MEMBERS})
        got = {"metlog_pid": None, "metlog_hostname": None, **envelope}
        got["timestamp"] = nanoseconds(envelope["timestamp"])
        for key in sorted(set(want) | set(got)):
            if key not in want or key not in got or want[key] != got[key]:
                fail(number, key, got.get(key), want.get(key))


def allowed(value):
    """Whether the schema takes it in Fields as it is."""
    kind = {bool: 1, str: 2, int: 3, Number: 3}
    if isinstance(value, list):
        return len(value) > 0 and len({kind.get(type(one), 0) for one in value}) == 1 and type(value[0]) in kind
    return type(value) in kind


def written(line):
    """The line as it has to come back."""
    want = {"EnvVersion": "2.0", "Severity": 6, **line}
    fields = {key: value for key, value in (line.get("Fields") or {}).items() if not (key == "msg" and value == "")}
    want.pop("Fields", None)
    if fields:
        want["Fields"] = fields
    return want


def back(name, again_name):
    lines, again = read(name), read(again_name)
    if len(lines) != len(again):
        sys.exit("mozlog_check: %d lines became %d" % (len(lines), len(again)))
    for number, (line, got) in enumerate(zip(lines, again), 1):
        want = written(line)
        for key, value in list(got.get("Fields", {}).items()):
            wrapped = isinstance(value, dict) and value.get("representation") == "json"
            source = want.get("Fields", {}).get(key)
            if wrapped == allowed(source):
                fail(number, "Fields." + key, value, source)
            if wrapped:
                got["Fields"][key] = json.loads(value["value"], parse_float=Number)
        for key in sorted(set(want) | set(got)):
            if want.get(key) != got.get(key) or (key in want) != (key in got):
                fail(number, key, got.get(key), want.get(key))


{"valid": valid, "arrived": arrived, "back": back}[sys.argv[1]](*sys.argv[2:])
