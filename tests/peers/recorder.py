# recorder.py - stands in for a statsd: writes down what arrives, a datagram or a line of a stream at a time, newlines as \n.
# SPDX-License-Identifier: MPL-2.0
"""usage: recorder.py udp | tcp | dgram | stream  [--cuts COUNT --cut BYTES]

Makes the files `at` (the port, or the socket's path) and `recorded` in the working directory. The first COUNT connections are closed
after BYTES have been read, and each leaves a line in `recorded.cuts`."""
import argparse
import os
import socket
import struct
import time

options = argparse.ArgumentParser()
options.add_argument("kind", choices=["udp", "tcp", "dgram", "stream"])
options.add_argument("--cuts", type=int, default=0, help="close so many connections in the middle of a line")
options.add_argument("--cut", type=int, default=0, help="after so many bytes")
options = options.parse_args()

family = socket.AF_INET if options.kind in ("udp", "tcp") else socket.AF_UNIX
kind = socket.SOCK_STREAM if options.kind in ("tcp", "stream") else socket.SOCK_DGRAM
server = socket.socket(family, kind)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family == socket.AF_INET:
    server.bind(("127.0.0.1", 0))
    where = str(server.getsockname()[1])
else:
    where = os.path.join(os.getcwd(), "socket")
    if os.path.exists(where):
        os.unlink(where)
    server.bind(where)
if kind == socket.SOCK_DGRAM:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
else:
    server.listen(5)
recorded = open("recorded", "ab", buffering=0)
with open("at.new", "w") as at:
    at.write(where + "\n")
os.rename("at.new", "at")


def write(data):
    recorded.write(data.replace(b"\n", b"\\n") + b"\n")


if kind == socket.SOCK_DGRAM:
    while True:
        write(server.recv(65536))
while True:
    connection, _ = server.accept()
    rest, taken = b"", 0
    cutting = options.cuts > 0
    while True:
        block = connection.recv(options.cut - taken if cutting else 65536)
        if not block:
            break
        taken += len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            write(line)
        if cutting and taken == options.cut:
            # A statsd that dies: what it had not read is gone, and its last line had no end.
            options.cuts -= 1
            break
    connection.close()
    if cutting:
        with open("recorded.cuts", "a") as cuts:
            cuts.write("cut\n")
