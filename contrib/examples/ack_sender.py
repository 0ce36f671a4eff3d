#!/usr/bin/env python3
# ack_sender.py - a client of the acknowledged transport ack:, to copy from: sends envelopes until the receiver keeps them; see metlog-wire(5).
# SPDX-License-Identifier: MPL-2.0
"""usage: ack_sender.py ADDRESS <envelopes        (python3-zmq; ADDRESS such as tcp://127.0.0.1:5565)

Standard input is envelopes, one a line; the far side is "metlog-recv --from ack:ADDRESS --spool DIR", or another receiver.
Exit status: 0, all are kept; 65, all but those that are named on standard error; 75, it has kept no more for 30 seconds.
"""
import os
import struct
import sys
import time
from collections import deque

import zmq

BATCH, WINDOW, PATIENCE = 64 * 1024, 4 * 1024 * 1024, 30


class Sender:
    def __init__(self, address):
        self.address, self.socket, self.news, self.rejected = address, None, time.monotonic(), 0
        self.held, self.held_bytes = deque(), 0     # lines that are not acknowledged, oldest first
        self.begin()

    def begin(self):
        """Takes a new name, under which numbers begin at 1 again."""
        self.name, self.settled, self.highest = os.urandom(16), 0, 0
        self.connect()

    def connect(self):
        """What ZeroMQ had in its queues is gone with the old socket."""
        if self.socket:
            self.socket.close()
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0                      # what is not acknowledged is held here, and not in a queue
        self.socket.connect(self.address)
        self.sent, self.alone, self.heard, self.pause = 0, False, False, 1
        self.due = time.monotonic() + self.pause

    def go_back(self):
        """The first batch alone; the rest when it is acknowledged."""
        self.sent, self.alone = 0, True
        self.transmit()

    def add(self, line):
        self.held.append(line)
        self.held_bytes += len(line)

    def transmit(self):
        while self.sent < len(self.held) and not (self.alone and self.sent):
            lines, size = [], 0
            for i in range(self.sent, len(self.held)):
                if lines and size + len(self.held[i]) > BATCH:
                    break
                lines.append(self.held[i])
                size += len(lines[-1])
            try:
                self.socket.send_multipart([b"METLOG1B", self.name, struct.pack(">Q", self.settled + self.sent + 1), b"".join(lines)], zmq.NOBLOCK)
            except zmq.Again:
                return
            self.sent += len(lines)
            self.highest = max(self.highest, self.settled + self.sent)

    def hear(self):
        frames = self.socket.recv_multipart()
        if len(frames) < 2 or len(frames[1]) != 8:
            return
        self.heard, upto = True, struct.unpack(">Q", frames[1])[0]
        if frames[0] == b"METLOG1R" and len(frames) == 3:
            print(f"ack_sender.py: envelope {upto} is rejected: {ascii(frames[2].decode(errors='replace'))}", file=sys.stderr)
            self.rejected += 1
        elif frames[0] != b"METLOG1A" or len(frames) != 2 or upto > self.highest:
            return                                  # not for us, or a mistake of the receiver
        elif upto > self.settled:
            for _ in range(upto - self.settled):
                self.held_bytes -= len(self.held.popleft())
            self.sent, self.settled, self.alone = max(self.sent - (upto - self.settled), 0), upto, False
            self.news, self.pause = time.monotonic(), 1
            self.due = self.news + self.pause
        elif not self.alone:
            self.go_back()                          # a gap: once, for what follows tells of batches that were under way
        elif upto < self.settled and time.monotonic() - self.news > 5:
            self.begin()                            # it has lost what it had acknowledged, and asks for that in vain

    def look(self):
        """Nothing new for a while: sends the first again; over a new connection, if not even that was answered."""
        if time.monotonic() < self.due:
            return
        self.pause = min(2 * self.pause, 10)
        if not self.heard and self.pause > 2:
            pause = self.pause
            self.connect()
            self.pause = pause
        self.heard, self.due = False, time.monotonic() + self.pause
        self.go_back()


def main():
    sender, rest, open_ = Sender(sys.argv[1]), b"", True
    while open_ or sender.held:
        poller = zmq.Poller()
        poller.register(sender.socket, zmq.POLLIN)
        if open_ and sender.held_bytes < WINDOW:
            poller.register(0, zmq.POLLIN)
        ready = dict(poller.poll(max(0, sender.due - time.monotonic()) * 1000 if sender.held else None))
        if 0 in ready:
            data = os.read(0, BATCH)
            *lines, rest = (rest + (data or b"\n" * bool(rest))).split(b"\n")
            idle, open_ = not sender.held, bool(data)
            for line in lines:
                sender.add(line + b"\n")
            if idle:                                # from here on an answer is expected
                sender.news, sender.pause = time.monotonic(), 1
                sender.due = sender.news + sender.pause
        if sender.socket in ready:
            sender.hear()
        if sender.held:
            sender.transmit()
            sender.look()
            if time.monotonic() - sender.news > PATIENCE:
                print(f"ack_sender.py: {sender.address}: {len(sender.held)} envelopes are not known to be kept", file=sys.stderr)
                return 75
    return 65 if sender.rejected else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        sys.exit(64)
    sys.exit(main())
