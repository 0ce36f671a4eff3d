# zmq_peer - a ZeroMQ client as the original ones were, made with python3-zmq, for the suites of the receivers and senders.
# SPDX-License-Identifier: MPL-2.0
"""usage: zmq_peer.py ACTION ARGUMENT...

pub-connect ADDRESS [KEYS...]   lines of standard input, one a message, once somebody subscribes; as the Python client, no newline
pub-bind PORTFILE               the same, but binds any port and writes it to PORTFILE; as the Node client, a newline in each frame
push ADDRESS [KEYS...]          lines of standard input to a PULL socket
frames ADDRESS                  each line of standard input is a Python expression: bytes, or a list of bytes for several parts
handshake ADDRESS               an empty request; prints the reply's length
flood ADDRESS SECONDS SIZE      messages of SIZE bytes as fast as they go; prints how many
pull PORTFILE COUNT             binds a PULL socket and prints COUNT messages
sub PORTFILE COUNT              binds a SUB socket and prints COUNT messages
raw ADDRESS HEX                 bytes on a bare TCP connection, then waits for it to be closed

KEYS: server=FILE (its public key) client=FILE (our key pair). A run that hears nothing for ten seconds fails.
"""
import re
import socket
import sys
import time

import zmq

WAIT_MS = 10000


def key(path, name):
    with open(path, encoding="ascii") as file:
        return re.search(name + r'-key = "(.{40})"', file.read()).group(1).encode()


def use_keys(sock, arguments):
    for argument in arguments:
        role, path = argument.split("=", 1)
        if role == "server":
            sock.curve_serverkey = key(path, "public")
        else:
            sock.curve_publickey = key(path, "public")
            sock.curve_secretkey = key(path, "secret")


def await_subscriber(sock):
    if not sock.poll(WAIT_MS):
        sys.exit("nobody subscribes")
    sock.recv()


def tell_port(sock, path):
    port = sock.bind_to_random_port("tcp://127.0.0.1")
    with open(path + ".tmp", "w", encoding="ascii") as file:
        file.write("%d\n" % port)
    import os
    os.rename(path + ".tmp", path)


def lines():
    return [line.rstrip(b"\n") for line in sys.stdin.buffer]


def main(action, address, *rest):
    context = zmq.Context()
    context.linger = WAIT_MS
    if action == "pub-connect":
        sock = context.socket(zmq.XPUB)  # a PUB that can tell when it is heard
        use_keys(sock, rest)
        sock.connect(address)
        await_subscriber(sock)
        for line in lines():
            sock.send(line)
    elif action == "pub-bind":
        sock = context.socket(zmq.XPUB)
        tell_port(sock, address)
        await_subscriber(sock)
        for line in lines():
            sock.send(line + b"\n")
    elif action in ("push", "frames"):
        sock = context.socket(zmq.PUSH)
        use_keys(sock, rest)
        sock.immediate = 1
        sock.sndtimeo = WAIT_MS if not rest else 2000
        sock.connect(address)
        for line in lines():
            if action == "push":
                sock.send(line)
            else:
                parts = eval(line)  # the suite's own text
                sock.send_multipart(parts if isinstance(parts, list) else [parts])
    elif action == "handshake":
        sock = context.socket(zmq.REQ)
        sock.connect(address)
        sock.send(b"")
        if not sock.poll(WAIT_MS):
            sys.exit("no reply")
        print(len(sock.recv()))
    elif action == "flood":
        sock = context.socket(zmq.PUSH)
        sock.sndhwm = 100
        sock.immediate = 1
        sock.connect(address)
        end, count = time.monotonic() + float(rest[0]), 0
        message = b'{"payload":"' + b"x" * (int(rest[1]) - 14) + b'"}'
        while time.monotonic() < end:
            if sock.poll(100, zmq.POLLOUT):
                sock.send(message)
                count += 1
        sock.close(0)
        print(count)
    elif action in ("pull", "sub"):
        sock = context.socket(zmq.PULL if action == "pull" else zmq.SUB)
        if action == "sub":
            sock.subscribe(b"")
        tell_port(sock, address)
        for _ in range(int(rest[0])):
            if not sock.poll(WAIT_MS):
                sys.exit("nothing comes")
            sys.stdout.buffer.write(sock.recv() + b"\n")
            sys.stdout.flush()
    elif action == "raw":
        host, port = address.rsplit("/", 1)[1].rsplit(":", 1)
        sock = socket.create_connection((host, int(port)), 10)
        sock.sendall(bytes.fromhex(rest[0]))
        while sock.recv(4096):
            pass
    else:
        sys.exit(__doc__)


if len(sys.argv) < 3:
    sys.exit(__doc__)
try:
    main(*sys.argv[1:])
except zmq.Again:
    sys.exit("not sent in time")
