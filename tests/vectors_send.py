# vectors_send - runs the shared vectors through metlog-send: each call as a command line, the configuration as a file.
# SPDX-License-Identifier: MPL-2.0
#
#   vectors_send.py FILE...    in an empty directory; prints how many cases were run, and how many a command line cannot say
#
# A case that comes out wrong is named on standard error, and the exit status is 1.
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from vectors_check import TIME, number  # noqa: E402

NOW = re.compile(r'"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"')


class Inexpressible(Exception):
    """A call that a command line has no words for."""


def argument(text):
    if "\0" in text:
        raise Inexpressible("a NUL")
    return text


def fields_of(fields):
    arguments = []
    plain = [name for name, kind, _ in fields if kind != "tag"]
    if len(set(plain)) < len(plain) or (len(plain) < len(fields) and "tags" in plain):
        raise Inexpressible("a field that comes from two places is wrong usage")
    for name, kind, value in fields:
        if not name or "=" in name or name.endswith(":") or kind in ("bytes", "utf16"):
            raise Inexpressible("the field %s" % name)
        if kind == "tag":
            arguments += ["--tag", argument("%s=%s" % (name, value))]
        elif kind == "text":
            arguments += ["-f", argument("%s=%s" % (name, value))]
        else:
            text = {"null": lambda: "null", "bool": lambda: json.dumps(value), "double": lambda: number(value)}.get(kind, lambda: str(value))()
            arguments += ["-f", "%s:=%s" % (name, text)]
    return arguments


def metric(option, name, value, rate, fields):
    clash = {"name", "rate"} & {field[0] for field in fields if field[1] != "tag"}
    if not name or "=" in name or clash or (rate is not None and number(rate) != str(rate).replace(".0", "")) or (rate is not None and float(rate) < 0):
        raise Inexpressible("the metric %s" % name)
    arguments = ["--" + option, argument("%s=%s" % (name, value))] + fields_of(fields)
    return arguments if rate is None else arguments + ["--rate", number(rate)]


def text_of(number_or_text):
    text = number(number_or_text)
    return str(number_or_text) if text == "null" else text


def message(call):
    if {"payload_hex", "payload_utf16", "payload_json"} & set(call):
        raise Inexpressible("a payload")
    if not TIME.fullmatch(call.get("timestamp", "2012-10-05T12:00:01Z")):
        raise Inexpressible("a time in words")  # which is one here
    arguments = ["-T", call["type"]] + fields_of(call.get("fields", []))
    for name in ("severity", "logger", "timestamp"):
        if name in call:
            arguments.append("--%s=%s" % (name, call[name]))
    return arguments + ["--", argument(call.get("payload", ""))]


def security_event(call):
    parts = [[name, "int" if name == "severity" else "text", call[name]] for name in ("signature", "name", "severity", "vendor", "product", "version") if name in call]
    return ["-T", "cef"] + fields_of(parts + call.get("extension", [])) + ["--", ""]


def command_of(call):
    kind, fields = call["call"], call.get("fields", [])
    if kind == "send":
        return message(call)
    if kind == "log":
        return ["-s", str(call["severity"]), "--", argument(call["text"])]
    if kind == "cef":
        return security_event(call)
    if kind == "count":
        return metric("counter", call["name"], call["count"], call["rate"], fields)
    if kind == "timing" and float(call["rate"]) >= 1:
        return metric("timer", call["name"], text_of(call["ms"]), call["rate"], fields)
    if kind == "gauge":
        return metric("gauge", call["name"], text_of(call["value"]), None, fields)
    if kind == "set":
        return metric("set", call["name"], call["member"], None, fields)
    if kind == "timer" and float(call["rate"]) >= 0:
        return ["--timer", argument(call["name"]), "--rate", number(call["rate"]), "--", "true"]
    raise Inexpressible(kind)


def write_config(config):
    def section(name, keys):
        lines = ["[%s]" % name]
        for key, value in keys.items():
            text = "\n    ".join(value) if isinstance(value, list) else str(value)
            if "\n" in text and not isinstance(value, list):
                raise Inexpressible(key)
            lines.append("%s = %s" % (key, text))
        return "\n".join(lines) + "\n"

    config = dict(config)
    filters = config.pop("filters", [])
    with open("client.ini", "w", encoding="utf-8") as file:
        file.write(section("metlog", config))
        for place, one in enumerate(filters):
            file.write(section("metlog_filter_%d" % place, one))


def run(case):
    if "c" not in case.get("only", ["c"]):
        raise Inexpressible("about another language")
    write_config(case["config"])
    commands = [command_of(call) for call in case["calls"]]
    lines = []
    for call, command in zip(case["calls"], commands):
        ran = subprocess.run(["metlog-send", "--config", "client.ini", "--pid", str(case["pid"]), "--hostname", case["hostname"]] + command,
                             stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
        if ran.returncode not in (0, 64, 65):
            raise AssertionError("%s: status %d: %s" % (command, ran.returncode, ran.stderr))
        for line in ran.stdout.split("\n")[:-1]:
            if "timestamp" not in call:
                line = NOW.sub('"timestamp":"@"', line)
            if call["call"] == "timer":  # what a command took: whole milliseconds, and its exit status
                line = re.sub(r'"payload":"\d+"', '"payload":"@"', line).replace(',"exit_status":0', "")
            lines.append(line)
    if lines != case["expect"]:
        raise AssertionError("got:\n%s\nexpected:\n%s" % ("\n".join(lines), "\n".join(case["expect"])))


def main():
    ran = left = faults = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            cases = json.load(file)
        for case in cases:
            try:
                run(case)
                ran += 1
            except Inexpressible:
                left += 1
            except AssertionError as fault:
                faults = 1
                print("%s: %s: %s" % (path, case["name"], fault), file=sys.stderr)
    print("%d cases, %d that a command line cannot say" % (ran, left))
    return faults


if __name__ == "__main__":
    sys.exit(main())
