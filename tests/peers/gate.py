# gate - stands before a server on loopback; holds what a client sends, in the middle, until it is told to let it pass, and writes down what was asked.
# SPDX-License-Identifier: MPL-2.0
"""usage: gate.py HOST:PORT [AFTER]

Listens on a free port of 127.0.0.1 and prints it. With AFTER, the first connection is held after so many bytes of its client ("held" is printed then),
until SIGUSR1. What clients send is in the file `asked`, in the directory it was started in."""

import signal
import socket
import sys
import threading


def forward(source, target, before):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            data = before(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Gate:
    def __init__(self, to, after):
        host, _, port = to.rpartition(":")
        self.to, self.after, self.asked = (host, int(port)), after, open("asked", "ab", 0)
        self.is_open = threading.Event()
        if after is None:
            self.is_open.set()
        signal.signal(signal.SIGUSR1, lambda *_: self.is_open.set())
        self.listener = socket.create_server(("127.0.0.1", 0))
        print(self.listener.getsockname()[1], flush=True)

    def serve(self, client, hold):
        passed = 0
        with client, socket.create_connection(self.to) as server:
            def hold_back(data):
                nonlocal passed, hold
                self.asked.write(data)
                if hold and passed + len(data) > self.after:
                    hold, first = False, self.after - passed
                    server.sendall(data[:first])
                    print("held", flush=True)
                    self.is_open.wait()
                    data = data[first:]
                passed += len(data)
                return data
            answers = threading.Thread(target=forward, args=(server, client, lambda data: data), daemon=True)
            answers.start()
            forward(client, server, hold_back)
            answers.join()

    def run(self):
        hold = self.after is not None
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client, hold), daemon=True).start()
            hold = False


Gate(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None).run()
