# zmq_receiver - a ZeroMQ receiver made with python3-zmq: writes down the frames of what arrives, for the suite of the sender.
# SPDX-License-Identifier: MPL-2.0
"""usage: zmq_receiver.py sub|pull bind|connect ADDRESS [topic=TEXT] [deaf] [take=COUNT]

Appends each message to `got` as one JSON list of its frames' texts, and makes the file `at` with its address once it is there. It runs
until it is killed. topic: of the subscription ("none" for no subscription at all). deaf: never reads. take: ends after so many,
without a farewell."""
import json
import os
import sys
import time

import zmq

kind, how, address, *options = sys.argv[1:]
options = dict(option.partition("=")[::2] for option in options)
sock = zmq.Context().socket(zmq.SUB if kind == "sub" else zmq.PULL)
sock.linger = 0
sock.rcvhwm = 10 if "deaf" in options else 1000
if kind == "sub" and options.get("topic") != "none":
    sock.subscribe(options.get("topic", ""))
if how == "connect":
    sock.connect(address)
else:
    sock.bind(address)
    address = sock.last_endpoint.decode().rstrip("\0")
with open("at.new", "w", encoding="ascii") as at:
    at.write(address + "\n")
os.rename("at.new", "at")
if "deaf" in options:
    while True:  # a SUB says what it subscribes to only while it is polled
        sock.poll(100)
        time.sleep(0.1)
count = 0
with open("got", "ab", buffering=0) as got:
    while count < int(options.get("take", 1 << 60)):
        got.write(json.dumps([frame.decode() for frame in sock.recv_multipart()]).encode() + b"\n")
        count += 1
os._exit(0)
