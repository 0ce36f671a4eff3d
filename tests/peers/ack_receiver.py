# ack_receiver - a receiver of ack: made with python3-zmq from metlog-wire(5) alone, that errs as it is told, for the suite of the sender.
# SPDX-License-Identifier: MPL-2.0
"""usage: ack_receiver.py ADDRESS [FAULT[=N]]...

Appends to `kept` what it takes, to `batches` a line "FIRST COUNT BYTES" for each batch that comes, to `names` each new sender in hex, and makes
the file `at` with its address once it is there. What it knows of senders is kept in the file `state`. It runs until it is killed.

delay=MS    waits before each acknowledgement      mute        takes nothing and says nothing (but counts the batches)
lose=N      the Nth batch is lost                  die=N       ends when the Nth batch has come, which is not kept
twice       acknowledges twice                     beyond      acknowledges too much before it acknowledges
garbage     sends what is no message before        lower       acknowledges less before it acknowledges
reject=N    finds envelope N not good              limit=N     breaks connections that send more bytes in a frame
shy=N       acknowledges only every Nth batch, and when asked
secret=FILE is a CURVE server with this key pair, and lets in the key that allow=FILE holds
"""
import json
import os
import re
import struct
import sys
import time

import zmq
from zmq.auth.thread import ThreadAuthenticator

address, *faults = sys.argv[1:]
faults = dict(fault.partition("=")[::2] for fault in faults)


def number(name, default=0):
    return int(faults.get(name, default))


def key(path, name):
    with open(path, encoding="ascii") as file:
        return re.search(name + r'-key = "(.{40})"', file.read()).group(1).encode()


def load():
    try:
        with open("state", encoding="ascii") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(known):
    with open("state.new", "w", encoding="ascii") as file:
        json.dump(known, file)
    os.rename("state.new", "state")


context = zmq.Context()
sock = context.socket(zmq.ROUTER)
sock.linger = 0
if "limit" in faults:
    sock.maxmsgsize = number("limit")
if "secret" in faults:
    keeper = ThreadAuthenticator(context)
    keeper.start()
    keeper.configure_curve_callback(domain="*", credentials_provider=type("", (), {
        "callback": lambda self, domain, client: client == key(faults["allow"], "public")})())
    sock.curve_server = 1
    sock.curve_publickey, sock.curve_secretkey = key(faults["secret"], "public"), key(faults["secret"], "secret")
sock.bind(address)
with open("at.new", "w", encoding="ascii") as at:
    at.write(sock.last_endpoint.decode().rstrip("\0") + "\n")
os.rename("at.new", "at")

known, seen = load(), 0
kept, batches, names = open("kept", "ab", buffering=0), open("batches", "ab", buffering=0), open("names", "ab", buffering=0)


def acknowledge(peer, upto):
    if "delay" in faults:
        time.sleep(number("delay") / 1000)
    if "garbage" in faults:
        for parts in ([b""], [b"METLOG1A"], [b"METLOG1A", b"123"], [b"METLOG1Z", b"\0" * 8], [b"METLOG1R", b"\0" * 8], [b"x"] * 12):
            sock.send_multipart([peer] + parts)
    if "beyond" in faults:
        sock.send_multipart([peer, b"METLOG1A", struct.pack(">Q", upto + 1000000)])
    if "lower" in faults and upto:
        sock.send_multipart([peer, b"METLOG1A", struct.pack(">Q", upto - 1)])
    for _ in range(2 if "twice" in faults else 1):
        sock.send_multipart([peer, b"METLOG1A", struct.pack(">Q", upto)])


def take(peer, sender, first, lines):
    global seen
    seen += 1
    name, lines = sender.hex(), lines.split(b"\n")[:-1]
    batches.write(b"%d %d %d\n" % (first, len(lines), sum(map(len, lines)) + len(lines)))
    if seen == number("die"):
        os._exit(0)
    if "mute" in faults or seen == number("lose"):
        return
    if name not in known:
        names.write(name.encode() + b"\n")
        known[name] = first - 1
    have = known[name]
    if first <= have + 1:
        for at, line in enumerate(lines, first):
            if at <= have:
                continue
            if at == number("reject"):
                sock.send_multipart([peer, b"METLOG1R", struct.pack(">Q", at), "not good: \u00e4".encode()])
            else:
                kept.write(line + b"\n")
            known[name] = at
        save(known)
    if seen % number("shy", 1) == 0:
        acknowledge(peer, known[name])


while True:
    peer, kind, *rest = sock.recv_multipart()
    if kind == b"METLOG1B":
        take(peer, rest[0], struct.unpack(">Q", rest[1])[0], rest[2])
    elif kind == b"METLOG1P" and "mute" not in faults:
        acknowledge(peer, known.get(rest[0].hex(), 0))
