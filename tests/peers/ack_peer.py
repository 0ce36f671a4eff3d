# ack_peer - a sender over ack: as metlog-wire(5) describes it, made with python3-zmq, for the suites of metlog-recv.
# SPDX-License-Identifier: MPL-2.0
"""usage: ack_peer.py ACTION ADDRESS ...

send ADDRESS [SENDER [FIRST [BATCH]]]   lines of standard input, numbered from FIRST (1) on, BATCH (50) to a batch, by SENDER (32 hexadecimal
                                        digits); sent again until all is acknowledged. Prints each number that is newly acknowledged, and
                                        "reject NUMBER REASON"
script ADDRESS                          standard input is Python: batch(sender, first, *lines), ping(sender), raw(*parts), expect(ACK, 3),
                                        silence(SECONDS), again() for a new connection; a sender is any number

KEYS, behind the rest: server=FILE (its public key) client=FILE (our key pair).
"""
import os
import re
import struct
import sys
import time

import zmq

WAIT_MS = int(os.environ.get("ACK_WAIT_MS", 30000))
ACK, REJECTED = "ACK", "REJECTED"


def key(path, name):
    with open(path, encoding="ascii") as file:
        return re.search(name + r'-key = "(.{40})"', file.read()).group(1).encode()


class Peer:
    def __init__(self, address, keys=(), hwm=1000):
        self.context, self.address, self.keys, self.hwm = zmq.Context.instance(), address, keys, hwm
        self.socket = None
        self.again()

    def again(self, identity=None):
        if self.socket:
            self.socket.close(0)
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.sndhwm = self.socket.rcvhwm = self.hwm
        self.socket.immediate = 1
        self.socket.sndtimeo = WAIT_MS
        self.socket.reconnect_ivl = 20
        if identity:
            self.socket.routing_id = identity
        for argument in self.keys:
            role, path = argument.split("=", 1)
            if role == "server":
                self.socket.curve_serverkey = key(path, "public")
            else:
                self.socket.curve_publickey = key(path, "public")
                self.socket.curve_secretkey = key(path, "secret")
        self.socket.connect(self.address)

    def raw(self, *parts):
        self.socket.send_multipart(parts)

    def batch(self, sender, first, *lines):
        self.raw(b"METLOG1B", name(sender), struct.pack(">Q", first), b"".join(line + b"\n" for line in lines))

    def ping(self, sender):
        self.raw(b"METLOG1P", name(sender))

    def hear(self, timeout_ms=WAIT_MS):
        """The next message: (ACK, number), (REJECTED, number, reason), or None."""
        if not self.socket.poll(timeout_ms):
            return None
        parts = self.socket.recv_multipart()
        number = struct.unpack(">Q", parts[1])[0]
        if parts[0] == b"METLOG1A" and len(parts) == 2:
            return ACK, number
        if parts[0] == b"METLOG1R" and len(parts) == 3:
            return REJECTED, number, parts[2].decode()
        sys.exit("not of the protocol: %r" % parts)

    def expect(self, *want):
        heard = self.hear()
        if heard is None or heard[: len(want)] != want:
            sys.exit("heard %r, expected %r" % (heard, want))

    def until(self, number, timeout_ms=WAIT_MS):
        """Awaits the acknowledgement of everything up to `number`."""
        while True:
            heard = self.hear(timeout_ms)
            if heard is None:
                sys.exit("no acknowledgement of %d" % number)
            if heard[0] == ACK and heard[1] >= number:
                return

    def silence(self, seconds):
        heard = self.hear(int(seconds * 1000))
        if heard is not None:
            sys.exit("heard %r, expected nothing" % (heard,))


def name(sender):
    return sender if isinstance(sender, bytes) else struct.pack(">QQ", 0x6D65746C6F67, sender)


def send(peer, sender, first, size):
    """Goes back to the first unacknowledged line whenever nothing has moved for a while, and when told of a gap."""
    lines = [line.rstrip(b"\n") for line in sys.stdin.buffer]
    done, sent, moved, end = 0, 0, time.monotonic(), time.monotonic() + WAIT_MS / 1000
    while done < len(lines):
        while sent < len(lines) and sent - done < 8 * size:
            try:
                peer.batch(sender, first + sent, *lines[sent : sent + size])
            except zmq.Again:
                break
            sent += size
        heard = peer.hear(50)
        if heard and heard[0] == REJECTED:
            print("reject", heard[1], heard[2], flush=True)
        elif heard and first + done <= heard[1] < first + len(lines):
            done = heard[1] - first + 1
            moved = time.monotonic()
            print(heard[1], flush=True)
        elif time.monotonic() - moved > 0.2:
            sent, moved = done, time.monotonic()
        if time.monotonic() > end:
            sys.exit("not acknowledged within %d ms: from %d on" % (WAIT_MS, first + done))


def main(action, address, *rest):
    keys = [one for one in rest if "=" in one]
    rest = [one for one in rest if "=" not in one]
    peer = Peer(address, keys)
    if action == "send":
        sender = bytes.fromhex(rest[0]) if rest else os.urandom(16)
        send(peer, sender, int(rest[1]) if len(rest) > 1 else 1, int(rest[2]) if len(rest) > 2 else 50)
    elif action == "script":
        names = {one: getattr(peer, one) for one in ("raw", "batch", "ping", "hear", "expect", "until", "silence", "again")}
        exec(sys.stdin.read(), dict(names, peer=peer, Peer=Peer, ACK=ACK, REJECTED=REJECTED, address=address))  # the suite's own text
    else:
        sys.exit(__doc__)
    peer.socket.close(0)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except zmq.Again:
        sys.exit("not sent in time")
