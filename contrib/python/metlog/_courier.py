"""_courier - takes lines from any thread at once, and hands them over to a transport from a thread of its own."""
# SPDX-License-Identifier: MPL-2.0
import signal
import sys
import time
from collections import deque
from typing import Any, Callable, Deque, List, Tuple

from . import _json, _live
from ._count import Counter
from ._plain import Away, Transport

#: BLOCK: what the transport is given at a time. LINGER: what comes so soon behind the first line goes with it, which saves as many wake-ups.
BLOCK_BYTES, BLOCK_LINES, LINGER_S = 64 * 1024, 1000, 0.002
#: Between two attempts; AWAY: while ZeroMQ itself tries to connect. SLICE: for what is under way, as long as nothing happens.
PAUSE_S, PAUSE_MAX_S, AWAY_MAX_S, SLICE_S, SLICE_MAX_S = 0.02, 1.0, 0.1, 0.002, 0.1
CLOSED = -(1 << 62)


def native(module: str, name: str) -> Any:
    """The interpreter's own, where gevent has put another one in its place: our thread is to be one."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    return getattr(__import__(module), name)


def running_loop() -> Any:
    """The event loop that runs in this thread, or None. Another thread may be about to import asyncio for the first time."""
    return getattr(sys.modules.get("asyncio"), "_get_running_loop", _nothing)()


def _nothing() -> None:
    return None


class Courier:
    """post() neither waits nor takes a lock, so it may be called from a signal handler or a finalizer amid itself. What is exact: each line
    posted is either in the queue, or with the transport, or counted as dropped or refused."""

    def __init__(self, make_transport: Callable[[], Transport], buffer_bytes: int, line_bytes: int, blocks: bool, close_s: float,
                 dropped_line: Callable[[int], str], tell: Callable[[str], None]) -> None:
        self._make_transport, self._buffer_bytes, self._line_bytes, self._blocks = make_transport, buffer_bytes, line_bytes, blocks
        self.close_s, self._dropped_line, self._tell = close_s, dropped_line, tell
        self._begin()

    def _begin(self) -> None:
        self._away = self._refusal = ""
        self._transport = self._make_transport()
        self._queue: Deque[str] = deque()
        self._room = self._buffer_bytes
        self._lines: List[bytes] = []        # popped, not yet taken by the transport
        self._lines_bytes = 0
        self._asleep, self._hurry, self._runs = True, False, False
        self._closing, self._ended = False, False
        self._end = 0.0
        self._popped, self._fills = 0, 0     # odd: lines are being popped
        self._reported = self._reports = 0   # drops that were told of, and lines of our own that tell
        self._report_places: List[int] = []  # which of the lines given to the transport the last of these are
        self._slice, self._telling = SLICE_S, False
        self._thread = 0
        self.dropped, self.refused = Counter(), Counter()
        self._bell, self._start_lock = native("_thread", "allocate_lock")(), native("_thread", "allocate_lock")()
        self._bell.acquire()

    # --- the callers' side

    def post(self, line: str) -> bool:
        """Takes a line, without its newline. False: it was dropped or refused, and counted."""
        if line.isascii():
            size = len(line)
        else:
            line, size = _sized(line)
        room = self._room - size
        if room < 0 or size > self._line_bytes or self._closing:   # a close's CLOSED may have been undone by a sum of another thread
            return self._no_room(line, size)
        self._room = room
        self._queue.append(line)
        if self._asleep:
            self._wake()
        return True

    def _no_room(self, line: str, size: int) -> bool:
        if self._closing:
            return self.refuse("the client is closed")
        if size > self._line_bytes or size > self._buffer_bytes:
            return self.refuse(f"an envelope of {size} bytes is longer than {min(self._line_bytes, self._buffer_bytes)}")
        if self._asleep:
            self._wake()
        if self._blocks and self._may_wait():
            sleep = native("time", "sleep") if not self._green() else time.sleep
            while not self._closing:
                room = self._room - size
                if room >= 0:
                    self._room = room
                    self._queue.append(line)
                    if self._asleep:
                        self._wake()
                    return True
                if self._asleep:
                    self._wake()
                if not self._runs and not self._start_lock.locked():
                    break   # there can be no thread, so there will be no room
                sleep(0.001)
        self.dropped.add()
        return False

    def refuse(self, reason: str) -> bool:
        """Counts a call that can be no envelope."""
        self.refused.add()
        if reason != self._refusal:
            self._refusal = reason
            self._tell_safely(reason)
        return False

    @property
    def reason(self) -> str:
        """Why the far side takes nothing now, or else why it, or we, last refused a message."""
        return self._away or self._refusal or self._transport.reason

    def _green(self) -> bool:
        return "gevent.monkey" in sys.modules

    def _may_wait(self) -> bool:
        """Not in our own thread, which makes the room, and not in an event loop, which others wait for."""
        if native("_thread", "get_ident")() == self._thread:
            return False
        return running_loop() is None

    def _wake(self) -> None:
        self._asleep = False
        if self._runs:
            self._ring()
            return
        if not self._start_lock.acquire(False):
            return   # somebody is starting it
        try:
            if not self._runs and not self._ended:
                _live.close_in_child()
                self._runs = True
                native("_thread", "start_new_thread")(self._run, ())
        except RuntimeError:             # no more threads, or the interpreter ends: the close hands over what is there
            self._runs, self._asleep = False, True
        finally:
            self._start_lock.release()

    def _ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:
            pass   # it rings already

    def counts(self) -> Tuple[int, int, int, int, int]:
        """taken, dropped, refused, sent, rejected"""
        transport, taken = self._transport, self._taken()
        over = transport.settled + transport.lost
        ahead = sum(place > over for place in self._report_places)
        sent = max(0, transport.settled - self._reports + ahead)
        return taken, self.dropped.value(), self.refused.value(), sent, transport.rejected

    def _taken(self) -> int:
        """Lines posted, exactly, though they may be on their way from the queue just now."""
        while True:
            fills = self._fills
            taken = self._popped + len(self._queue)
            if not fills & 1 and fills == self._fills:
                return taken
            time.sleep(0.0001)

    def flush(self, seconds: float) -> bool:
        """Waits until everything that was posted before is settled or lost. False: not all was handed over in that time."""
        transport, target = self._transport, self._taken()
        lost, end = transport.lost, time.monotonic() + seconds
        self._hurry = True
        if self._asleep and (self._queue or self._lines or transport.outstanding):
            self._wake()
        self._ring()
        pause = 0.0005
        while self._popped < target or transport.settled + transport.lost < target + self._reports:
            if time.monotonic() >= end or self._ended:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 0.01)
        return transport.lost == lost

    def close_begin(self, seconds: float) -> None:
        """Takes no more."""
        end = time.monotonic() + seconds
        self._end = min(self._end, end) if self._closing else end
        self._closing, self._room = True, CLOSED
        self._ring()

    def close(self, seconds: float) -> None:
        """Waits for at most so long until everything is handed over, and gives up what is left then."""
        self.close_begin(seconds)
        if self._queue and not self._runs:
            self._wake()
        self._ring()
        while not self._ended and not self._takes_over() and time.monotonic() < self._end + 0.5:
            time.sleep(0.001)

    def _takes_over(self) -> bool:
        """Does the work of the thread where there is none: there never was anything to do, or there can be none. False: there is, or another caller is about to start it."""
        if self._runs or not self._start_lock.acquire(False):
            return False
        try:
            mine = not self._runs and not self._ended
            self._runs = self._runs or mine
        finally:
            self._start_lock.release()
        if mine:
            self._work_guarded()
        return mine

    def end_soon(self) -> None:
        """Nobody can post any more: the thread hands over what is there, and ends."""
        if not self._closing:
            self._end = time.monotonic() + 60
            self._closing = True
            self._ring()
            if not self._runs and not self._queue:
                self._ended = True   # it has never begun

    def after_fork(self) -> None:
        """In the child: what is queued is the parent's, which sends it; so are its thread and its connection."""
        try:
            self._transport.abandon()
        except Exception:   # the parent's thread was amid something
            pass
        closing = self._closing
        self._begin()
        if closing:   # by a thread that is not here
            self._closing, self._ended, self._room = True, True, CLOSED

    # --- the thread's side

    def _run(self) -> None:
        self._thread = native("_thread", "get_ident")()
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._work_guarded()

    def _work_guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:   # it is a fault of ours; the application must not notice
            self._say(f"{type(error).__name__}: {error}")
        finally:
            if self._closing:
                self._ended = True   # first: nobody starts another one
            self._runs, self._asleep = False, True

    def _work(self) -> None:
        pause = PAUSE_S
        while True:
            try:
                if not self._turn():
                    break
                pause = PAUSE_S
                continue
            except Away as error:
                self._say(str(error))
                pause = min(pause, AWAY_MAX_S)
            except Exception as error:
                self._say(_reason_of(error))
                self._transport.reset()
            if self._closing and time.monotonic() >= self._end:
                break
            self._rest(pause)
            pause = min(2 * pause, PAUSE_MAX_S)
        left = max(0.0, self._end - time.monotonic())
        try:
            self._transport.close(left)
        except Exception as error:
            self._say(_reason_of(error))

    def _rest(self, seconds: float) -> None:
        if self._closing:
            seconds = max(0.0, min(seconds, PAUSE_S, self._end - time.monotonic()))
        self._bell.acquire(True, seconds)

    def _turn(self) -> bool:
        """One block, or a wait for the next. False: all is done, or the time for it is over."""
        transport = self._transport
        if not self._lines and not self._fill():
            if transport.outstanding:
                if self._closing:
                    return False      # the transport's close has the patience for the rest
                self._wait()
                return True
            self._say("")
            if self._closing:
                return False
            self._hurry = False
            self._sleep()
            return True
        taken = transport.send(self._lines)
        if taken:
            room = self._give_back(taken)   # not within the sum, which would undo what others do to _room while this is called
            self._room += room
            if not self._lines or not transport.outstanding:
                self._say("")
        if self._closing and time.monotonic() >= self._end:
            return False
        if self._lines:
            self._wait()
        return True

    def _wait(self) -> None:
        """For the transport, longer from time to time if nothing happens."""
        transport = self._transport
        before = transport.settled + transport.lost
        transport.wait(self._slice)
        idle = before == transport.settled + transport.lost
        self._slice = min(2 * self._slice, SLICE_MAX_S) if idle and not self._closing else SLICE_S

    def _give_back(self, taken: int) -> int:
        if taken == len(self._lines):
            size, self._lines_bytes, self._lines = self._lines_bytes, 0, []
            return size
        size = sum(map(len, self._lines[:taken]))
        self._lines_bytes -= size
        self._lines = self._lines[taken:]
        return size

    def _fill(self) -> bool:
        queue, size = self._queue, 0
        lines: List[bytes] = []
        self._fills += 1
        try:
            while queue and size < BLOCK_BYTES and len(lines) < BLOCK_LINES:
                line = queue[0].encode()   # may find no memory: it is there still then
                lines.append(line)
                queue.popleft()
                size += len(line)
        finally:
            self._lines, self._lines_bytes = lines, size
            self._popped += len(lines)
            self._fills += 1
        if not queue and not self._closing:
            self._room = self._buffer_bytes - size   # sums of several threads may have drifted where additions are not atomic
        dropped = self.dropped.value()
        if dropped > self._reported:
            line = self._dropped_line(dropped - self._reported).encode()
            self._reported = dropped
            self._reports += 1
            self._report_places = [*self._report_places[-1000:], self._popped + self._reports]
            lines.append(line)
            size += len(line)
            self._room -= len(line)
        self._lines, self._lines_bytes = lines, size
        return bool(lines)

    def _sleep(self) -> None:
        self._asleep = True
        if not self._queue and not self._closing:
            self._bell.acquire()
        self._asleep = False
        if not self._hurry and not self._closing:
            self._bell.acquire(True, LINGER_S)

    def _say(self, reason: str) -> None:
        if reason == self._away:
            return
        self._away = reason
        if reason:
            self._tell_safely(reason)

    def _tell_safely(self, reason: str) -> None:
        if self._telling:      # what is told may log, and be refused
            return
        self._telling = True
        try:
            self._tell(reason)
        except Exception:
            pass
        finally:
            self._telling = False


def _reason_of(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _sized(line: str) -> Tuple[str, int]:
    """The line without lone surrogates, and how many bytes it is."""
    try:
        return line, len(line.encode())
    except UnicodeEncodeError:
        line = _json.mend(line)
        return line, len(line.encode())
