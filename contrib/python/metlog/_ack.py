"""_ack - the acknowledged transport ack:, the sender's side of metlog-wire(5)."""
# SPDX-License-Identifier: MPL-2.0
import os
import struct
import time
from collections import deque
from typing import Deque, List, Optional

from ._endpoint import Endpoint
from ._plain import Away, Transport
from ._zeromq import Curve, ZeromqSocket, _inherited

BATCH, WINDOW = 64 * 1024, 4 * 1024 * 1024
NEWS_S, NEWS_MAX_S, PING_S, PING_MAX_S, PINGS_MAX = 1.0, 10.0, 1.0, 16.0, 3
#: For so long the answers may stay below what was acknowledged before the receiver is taken for one that has lost it.
LOST_MEMORY_S = 5.0


class AckTransport(Transport):
    """Holds what is not acknowledged and sends it again when the connection breaks, falls silent, or the receiver has a gap. Settled is what
    the receiver keeps; what it finds to be no envelope is settled too, and counted as rejected."""

    def __init__(self, endpoint: Endpoint, curve: Curve) -> None:
        super().__init__()
        self._endpoint, self._curve = endpoint, curve
        self._open: Optional[ZeromqSocket] = None
        self._held: Deque[bytes] = deque()
        self._held_bytes, self._ping_s = 0, PING_S
        self._name, self._why, self._rejection = b"", "", ""

    @property
    def reason(self) -> str:
        return self._why or self._rejection

    def _begin(self) -> None:
        """Takes a new name, under which numbers begin at 1 again."""
        self._name, self._number, self._highest = os.urandom(16), 0, 0

    def _connect(self) -> ZeromqSocket:
        """What ZeroMQ had in its queues is gone with the old socket."""
        if not self._name:
            self._begin()
        if self._open is not None:
            self._open.end()
            self._open = None
        self._open = ZeromqSocket("DEALER", self._endpoint, self._curve, 0)
        self._sent, self._alone, self._cuts, self._pings = 0, False, 0, 0
        self._expect(time.monotonic(), anew=True)
        return self._open

    def _expect(self, now: float, anew: bool = False) -> None:
        """From here on an answer is awaited."""
        self._news, self._pause = now, NEWS_S
        self._due, self._ping_due = now + NEWS_S, now + self._ping_s
        if anew:
            self._asked = False

    def _go_back(self) -> None:
        """The first batch alone; the rest when it is acknowledged."""
        self._sent, self._alone = 0, True

    def send(self, lines: List[bytes]) -> int:
        if self._open is None:
            self._connect()
        if not self._held:
            self._expect(time.monotonic())
        taken = 0
        for line in lines:
            if self._held and self._held_bytes + len(line) >= WINDOW:
                break
            self._held.append(line + b"\n")
            self._held_bytes += len(line) + 1
            taken += 1
        self.taken += taken
        self.wait(0)
        if not taken and self._why:
            raise Away(self._why)
        return taken

    def _transmit(self, one: ZeromqSocket) -> None:
        while self._sent < len(self._held) and not (self._alone and self._sent):
            lines: List[bytes] = []
            size = 0
            for i in range(self._sent, len(self._held)):
                if lines and size + len(self._held[i]) > BATCH:
                    break
                lines.append(self._held[i])
                size += len(lines[-1])
            first = struct.pack(">Q", self._number + self._sent + 1)
            try:
                one.socket.send_multipart([b"METLOG1B", self._name, first, b"".join(lines)], one.zmq.NOBLOCK)
            except one.zmq.Again:
                return
            self._sent += len(lines)
            self._highest = max(self._highest, self._number + self._sent)

    def _hear(self, one: ZeromqSocket) -> None:
        frames = one.socket.recv_multipart(one.zmq.NOBLOCK)
        if len(frames) < 2 or len(frames[1]) != 8:
            return
        upto = struct.unpack(">Q", frames[1])[0]
        if frames[0] == b"METLOG1R" and len(frames) == 3:
            self.rejected += 1
            self._rejection = "rejected: " + frames[2][:200].decode("utf-8", "replace")
        elif frames[0] == b"METLOG1A" and len(frames) == 2:
            self._acknowledge(upto, time.monotonic())
        else:
            return
        self._pings, self._ping_s = 0, PING_S
        self._ping_due = time.monotonic() + PING_S

    def _acknowledge(self, upto: int, now: float) -> None:
        asked, self._asked = self._asked, False
        if upto > self._highest:
            self._why = "the receiver acknowledges what was never sent"
        elif upto > self._number:
            for _ in range(upto - self._number):
                self._held_bytes -= len(self._held.popleft())
            self.settled += upto - self._number
            self._sent, self._number, self._alone = max(self._sent - (upto - self._number), 0), upto, False
            self._why = ""
            self._expect(now)
        elif upto < self._number and self._alone and now - self._news > LOST_MEMORY_S:
            self._begin()          # it has lost what it had acknowledged, and asks for that in vain
            self._go_back()
            self._expect(now)
        elif not self._alone and not asked:
            self._go_back()        # a gap: once, for what follows tells of batches that were under way

    def _look(self, one: ZeromqSocket, now: float) -> ZeromqSocket:
        if one.disconnected > self._cuts:
            self._cuts = one.disconnected
            self._go_back()
        if now >= self._due:       # nothing new for a while
            self._pause = min(2 * self._pause, NEWS_MAX_S)
            self._due = now + self._pause
            self._why = "not acknowledged"
            self._go_back()
        if now >= self._ping_due:
            if self._pings >= PINGS_MAX and one.peers:   # a connection can be dead without a sign
                self._ping_s = min(2 * self._ping_s, PING_MAX_S)
                return self._connect()
            try:
                one.socket.send_multipart([b"METLOG1P", self._name], one.zmq.NOBLOCK)
                self._asked, self._pings = True, self._pings + 1
            except one.zmq.Again:
                pass
            self._ping_due = now + self._ping_s
        return one

    def wait(self, seconds: float) -> None:
        one = self._open or self._connect()
        one.hear()
        if self._held:
            one = self._look(one, time.monotonic())
            if one.peers:
                self._transmit(one)
            else:
                self._why = one.nobody()
        ready = dict(one.poller.poll(max(0, int(seconds * 1000))))
        while one.socket in ready and one.socket.poll(0):
            self._hear(one)

    def reset(self) -> None:
        if self._open is not None:
            self._open.end()
        self._open = None

    def close(self, seconds: float) -> None:
        self.finish(seconds)
        self.lost += len(self._held)
        self._held.clear()
        self.reset()

    def abandon(self) -> None:
        _inherited.append(self._open)
        self._open = None
