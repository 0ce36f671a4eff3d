# route.py - what a person writes first: json.loads on each line, and a file by type.
# SPDX-License-Identifier: MPL-2.0
import json
import sys

directory = sys.argv[1]
metrics, requests, security, rest = (open(f"{directory}/{n}", "wb") for n in ("metrics", "requests", "security", "rest"))
where = {"counter": metrics, "timer": metrics, "gauge": metrics, "request": requests, "cef": security, "sentry": security}
for line in sys.stdin.buffer:
    where.get(json.loads(line).get("type"), rest).write(line)
