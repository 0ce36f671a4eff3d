"""fixture - what the unit tests share: a client whose envelopes can be looked at, small far sides, and processes of their own."""
# SPDX-License-Identifier: MPL-2.0
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, ROOT)
import metlog  # noqa: E402

PATIENCE_S = 60


def await_(true, what="the condition"):
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"{what} has not come true in {PATIENCE_S} s")
        time.sleep(0.005)


class Case(unittest.TestCase):
    """`self.client` captures; `self.sent()` is what it has made since the last look, as dicts."""

    options = {}

    def setUp(self):
        self.sender = metlog.senders.DebugCaptureSender(maxlen=10000)
        self.client = metlog.MetlogClient(self.sender, "shop", **self.options)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(self.client.close)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def sent(self):
        found = [json.loads(line) for line in self.sender.msgs]
        self.sender.msgs.clear()
        return found

    def only(self):
        found = self.sent()
        self.assertEqual(len(found), 1, found)
        return found[0]

    def filed(self, name="out"):
        with open(self.path(name), encoding="utf-8") as file:
            # An opener that sees another process amid a write ends that line, too: a blank line, which every reader skips.
            return [json.loads(line) for line in file if line.strip()]

    def run_python(self, text, *arguments, status=0):
        """A program of its own; returns its standard output. What it says on standard error is a failure."""
        done = subprocess.run([sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", f"import sys; sys.path.insert(0, {ROOT!r})\n{text}", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE_S, cwd=self.folder.name)
        self.assertEqual((done.stderr, done.returncode), ("", status))
        return done.stdout


class Listener:
    """A TCP server that reads only when it is told to."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.endpoint = f"tcp:127.0.0.1:{self.socket.getsockname()[1]}"
        self.lines, self._thread = [], None

    def read(self):
        """Takes all connections and all lines from now on, until close."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, connection.makefile("r", encoding="utf-8") as file:
                for line in file:
                    self.lines.append(json.loads(line))

    def close(self):
        self.socket.close()
