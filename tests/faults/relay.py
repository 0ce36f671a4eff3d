# relay - stands between two programs on loopback, and does to what they say what networks do.
# SPDX-License-Identifier: MPL-2.0
"""usage: relay.py [option ...] HOST:PORT

Listens on a free port of 127.0.0.1, prints it, and passes on to HOST:PORT until it is ended by a signal. TCP, or with --udp datagrams.

  --cut BYTES        close each connection after so many bytes of both directions together; --cut A-B: a number between, drawn anew each time
  --reset            close so that the other side meets a reset (SO_LINGER 0), and throw away what was under way
  --stall SECONDS    after --stall-after BYTES of a connection stop passing on for so long (0: for ever), then go on
  --stall-after BYTES
  --delay SECONDS    pass everything on so much later
  --pieces BYTES     pass on in pieces of so many bytes, each a packet of its own
  --faults N         do all this to the first N connections only; later ones are passed on as they are (default: to all)
  --refuse N         close the first N connections at once
  --drop P, --duplicate P, --reorder P   with --udp: so many percent of the datagrams
  --seed N           of what is drawn"""

import argparse
import random
import selectors
import socket
import struct
import sys
import time


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def span(text):
    least, _, most = text.partition("-")
    return int(least), int(most or least)


class Connection:
    """Two sockets and, for each direction, what is under way: (when it is due, bytes)."""

    def __init__(self, relay, client):
        options = relay.options
        self.relay, self.faulty = relay, options.faults is None or relay.accepted <= options.faults
        self.sides = [client, socket.create_connection(options.to)]
        self.queues, self.ended, self.shut, self.passed, self.stalled = [[], []], [False, False], [False, False], 0, None
        self.cut = relay.random.randint(*options.cut) if options.cut and self.faulty else None
        for side in self.sides:
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        for side in self.sides:
            if self.relay.options.reset and self.faulty:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.close()
        self.relay.connections.remove(self)

    def read(self, index):
        try:
            data = self.sides[index].recv(65536)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if not data:
            self.ended[index] = True
            return True
        due = time.monotonic() + (self.relay.options.delay if self.faulty else 0)
        self.queues[1 - index].append((due, data))
        return True

    def is_stalled(self, now):
        options = self.relay.options
        if not self.faulty or options.stall is None or self.passed < options.stall_after:
            return False
        if self.stalled is None:
            self.stalled = now
        return options.stall == 0 or now - self.stalled < options.stall

    def write(self, index, now):
        """Passes on what is due towards side `index`. False: the connection is over."""
        options, queue = self.relay.options, self.queues[index]
        while queue and queue[0][0] <= now and not self.is_stalled(now):
            due, data = queue[0]
            piece = data[:options.pieces] if options.pieces and self.faulty else data
            if self.cut is not None:
                piece = piece[:self.cut - self.passed]
            if not piece:
                return False
            try:
                sent = self.sides[index].send(piece)
            except (BlockingIOError, InterruptedError):
                return True
            except OSError:
                return False
            self.passed += sent
            queue[0] = (due, data[sent:])
            if not queue[0][1]:
                queue.pop(0)
        if not queue and self.ended[1 - index] and not self.shut[index]:
            self.shut[index] = True
            try:
                self.sides[index].shutdown(socket.SHUT_WR)
            except OSError:
                return False
        return not all(self.shut) and (self.cut is None or self.passed < self.cut)

    def next_due(self):
        return min([queue[0][0] for queue in self.queues if queue], default=None)


class Relay:
    """All connections of a listening TCP socket."""

    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.connections, self.accepted = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        self.accepted += 1
        if self.accepted <= self.options.refuse:
            client.close()
            return
        try:
            self.connections.append(Connection(self, client))
        except OSError:
            client.close()      # the far side is away: so are we

    def turn(self):
        selector, now = selectors.DefaultSelector(), time.monotonic()
        selector.register(self.listener, selectors.EVENT_READ, None)
        wait = None
        for connection in self.connections:
            for index, side in enumerate(connection.sides):
                queue, stalled = connection.queues[index], connection.is_stalled(now)
                events = 0
                if not connection.ended[index] and len(connection.queues[1 - index]) < 64:
                    events |= selectors.EVENT_READ
                if queue and queue[0][0] <= now and not stalled:
                    events |= selectors.EVENT_WRITE
                elif queue:
                    wait = min(wait or 0.05, max(queue[0][0] - now, 0.005), 0.05)
                if events:
                    selector.register(side, events, (connection, index))
        for key, events in selector.select(wait):
            if key.data is None:
                self.accept()
                continue
            connection, index = key.data
            if connection not in self.connections:
                continue
            good = not events & selectors.EVENT_READ or connection.read(index)
            if not (good and all(connection.write(side, time.monotonic()) for side in (0, 1))):
                connection.close()
        for connection in list(self.connections):
            if not all(connection.write(side, time.monotonic()) for side in (0, 1)):
                connection.close()
        selector.close()


class Datagrams:
    """Each sender gets a socket of its own towards the far side, so that answers find back."""

    def __init__(self, options):
        self.options, self.random, self.ways, self.held = options, random.Random(options.seed), {}, None
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)

    def is_drawn(self, percent):
        return self.random.random() * 100 < percent

    def send(self, out, data):
        for _ in range(2 if self.is_drawn(self.options.duplicate) else 1):
            try:
                out.send(data)
            except OSError:
                pass

    def turn(self):
        for key, _ in self.selector.select(None if self.held is None else 0.05):
            data, client = key.fileobj.recvfrom(65536)
            if key.data is not None:
                self.listener.sendto(data, key.data)
                continue
            if client not in self.ways:
                self.ways[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.ways[client].connect(self.options.to)
                self.selector.register(self.ways[client], selectors.EVENT_READ, client)
            if self.is_drawn(self.options.drop):
                continue
            if self.held is None and self.is_drawn(self.options.reorder):
                self.held = (self.ways[client], data)
                continue
            self.send(self.ways[client], data)
            self.release()
            return
        self.release()

    def release(self):
        """One that was held back comes behind the next, or after a while."""
        if self.held is not None:
            self.send(*self.held)
            self.held = None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("to", type=address)
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--cut", type=span)
    parser.add_argument("--reset", action="store_true")
    parser.add_argument("--stall", type=float)
    parser.add_argument("--stall-after", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--pieces", type=int)
    parser.add_argument("--faults", type=int)
    parser.add_argument("--refuse", type=int, default=0)
    for name in ("drop", "duplicate", "reorder"):
        parser.add_argument("--" + name, type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    relay = Datagrams(options) if options.udp else Relay(options)
    print(relay.port, flush=True)
    while True:
        relay.turn()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
