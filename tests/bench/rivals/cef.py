# cef.py - json.loads and an f-string for the line: the mapping of cef.map, as a Python service writes it.
# SPDX-License-Identifier: MPL-2.0
import json
import sys
from datetime import datetime

severities = [10, 9, 8, 7, 5, 3, 2, 0]


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def header(value):
    return text(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def extension(value):
    return text(value)[:1023].replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n").replace("\r", "\\r").rstrip(" \t")


out = sys.stdout
for line in sys.stdin.buffer:
    envelope = json.loads(line)
    fields = envelope.get("fields", {})
    kind = envelope.get("type")
    payload = envelope.get("payload", "")
    if kind == "cef" and isinstance(payload, str) and "CEF:" in payload:
        out.write(payload[payload.index("CEF:"):] + "\n")
        continue
    when = int(datetime.fromisoformat(envelope["timestamp"].replace("Z", "+00:00")).timestamp() * 1000)
    pairs = [("rt", when), ("dvchost", envelope.get("metlog_hostname")), ("dvcpid", envelope.get("metlog_pid"))]
    if envelope.get("logger"):
        pairs += [("cs1Label", "logger"), ("cs1", envelope["logger"])]
    pairs += [("msg", payload), ("request", fields.get("path")), ("src", fields.get("remote")), ("outcome", fields.get("status"))]
    rest = " ".join([f"{key}={extension(value)}" for key, value in pairs if value is not None and value != ""])
    out.write(f"CEF:0|Mozilla|{header(envelope['logger'])}|1|{header(kind)}|{header(fields.get('name') or 'event')}|{severities[envelope.get('severity', 6)]}|{rest}\n")
