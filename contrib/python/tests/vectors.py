#!/usr/bin/env python3
"""vectors.py - runs the calls of tests/data/vectors through a client into a file, and compares the envelopes; prints a TAP line a case."""
# SPDX-License-Identifier: MPL-2.0
import glob
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import metlog  # noqa: E402

TIME = re.compile(r'("timestamp":)"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"')
MILLISECONDS = re.compile(r'("payload":)"\d+(?:\.\d{0,2}[1-9])?"')
SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")


def units(text):
    """Code units in hex; each is a character of its own, as in text that a careless decoder has made."""
    return "".join(chr(int(text[i:i + 4], 16)) for i in range(0, len(text), 4))


def number(value):
    return float(value)


KINDS = {"null": lambda value: None, "bool": bool, "int": int, "uint": int, "double": number, "text": str, "json": json.loads, "utf16": units}


def fields_of(call, key="fields"):
    fields, tags = {}, {}
    for name, kind, value in call.get(key, ()):
        if kind == "tag":
            tags[name] = value
        else:
            fields[name] = KINDS[kind](value)
    return {"fields": fields, **({"tags": tags} if tags else {})}


def payload_of(call):
    if "payload_json" in call:
        return {"payload": json.loads(call["payload_json"])}
    if "payload_utf16" in call:
        return {"payload": units(call["payload_utf16"])}
    return {"payload": call["payload"]} if "payload" in call else {}


def make(client, call):
    kind = call["call"]
    if kind == "send":
        options = {key: call[key] for key in ("severity", "logger", "timestamp") if key in call}
        client.metlog(call["type"], **options, **payload_of(call), **fields_of(call))
    elif kind == "count":
        client.incr(call["name"], int(call["count"]), rate=number(call["rate"]), **fields_of(call))
        return
    elif kind == "timing":
        client.timer_send(call["name"], number(call["ms"]), rate=number(call["rate"]), **fields_of(call))
    elif kind == "gauge":
        client.gauge(call["name"], number(call["value"]), **fields_of(call))
    elif kind == "set":
        client.set(call["name"], call["member"], **fields_of(call))
    elif kind == "log" and 0 <= call["severity"] <= 7:
        getattr(client, SEVERITIES[call["severity"]])(call["text"])
    elif kind == "log":
        client.log(call["severity"], call["text"])
    elif kind == "cef":
        parts = {key: call[key] for key in ("signature", "name", "severity", "vendor", "product", "version") if key in call}
        client.cef_event(**parts, extension=fields_of(call, "extension")["fields"])
    elif kind == "timer":
        with client.timer(call["name"], rate=number(call["rate"])):
            pass
    else:
        raise ValueError(f"no call {kind}")


def run(case, path, bare):
    """`bare`: calls without fields are made without that argument, which is another way through the client."""
    if os.path.exists(path):
        os.unlink(path)
    client = metlog.client_from_dict_config(case["config"], endpoint="file:" + path, pid=case["pid"], hostname=case["hostname"])
    for call in case["calls"]:
        if bare and not call.get("fields"):
            bare_call(client, call)
        else:
            make(client, call)
    client.close(30)
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:
        return []
    assert lines.pop() == "", "the last line has no end"
    return lines


def bare_call(client, call):
    if call["call"] == "count":
        client.incr(call["name"], int(call["count"]), rate=number(call["rate"]))
    elif call["call"] == "timing":
        client.timer_send(call["name"], number(call["ms"]), rate=number(call["rate"]))
    else:
        make(client, call)


def same(line, expected):
    if '"timestamp":"@"' in expected:
        line = TIME.sub(r'\1"@"', line)
    if '"payload":"@"' in expected:
        line = MILLISECONDS.sub(r'\1"@"', line)
    return line == expected


def main():
    failed = number_ = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
            with open(path, encoding="utf-8") as file:
                cases = json.load(file)
            for case in cases:
                if "python" not in case.get("only", ["python"]):
                    continue
                number_ += 1
                for bare in (False, True):
                    lines = run(case, os.path.join(folder, "out"), bare)
                    good = len(lines) == len(case["expect"]) and all(map(same, lines, case["expect"]))
                    if not good:
                        break
                print(f"{'ok' if good else 'not ok'} {number_} {os.path.basename(path)}: {case['name']}")
                if not good:
                    failed += 1
                    for line in lines:
                        print("#  is:", line)
                    for line in case["expect"]:
                        print("# not:", line)
    print(f"1..{number_}")
    return 1 if failed or not number_ else 0


if __name__ == "__main__":
    sys.exit(main())
