#!/usr/bin/env python3
"""send.py - a small application for the tests: sends so many messages to an endpoint, closes, and prints what became of them as JSON."""
# SPDX-License-Identifier: MPL-2.0
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import metlog  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("count", type=int)
    parser.add_argument("--close", type=float, default=30.0)
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--await", dest="awaited", help="after the first half, wait until this file is there")
    parser.add_argument("options", nargs="*", help="MetlogClient's: name=value")
    given = parser.parse_intermixed_args()
    options = dict(option.split("=", 1) for option in given.options)
    if "insecure" in options:
        options["insecure"] = options["insecure"] == "yes"
    client = metlog.MetlogClient(given.endpoint, "shop", **options)
    for number in range(given.count):
        client.metlog("t", payload=f"{number:0{given.size}d}")
        if given.awaited and number + 1 == given.count // 2:
            client.flush(30)
            open("half", "w").close()
            while not os.path.exists(given.awaited):
                time.sleep(0.01)
    counts = client.close(given.close)
    print(json.dumps({**counts._asdict(), "reason": client.reason}))


main()
