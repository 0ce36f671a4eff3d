"""_plain - the transports without ZeroMQ: standard output, files, TCP, UDP and unix sockets."""
# SPDX-License-Identifier: MPL-2.0
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import termios
import time
from typing import List, Optional, Type, Union

from ._endpoint import Endpoint

#: What one look at a connection waits at most for it to be made.
CONNECT_S = 1.0
#: How often a file is asked whether it is still the one of its name.
LOOK_AGAIN_S = 1.0
_MSG_QUIET = getattr(socket, "MSG_NOSIGNAL", 0) | getattr(socket, "MSG_DONTWAIT", 0)


class Away(Exception):
    """The far side takes nothing now; its text says why. The connection, or the trying to make one, goes on: no reset is needed."""


class Transport:
    """A way to the far side, used by one thread. Counted since the beginning: lines taken from the caller, lines that are settled (handed
    over, as far as this kind can know) and lines lost on the way; what is neither is under way."""

    #: The longest line that can go; 0: no limit is known.
    line_bytes_max = 0

    def __init__(self) -> None:
        self.taken = self.settled = self.lost = self.rejected = 0

    @property
    def reason(self) -> str:
        """What is to be told beside exceptions."""
        return ""

    @property
    def outstanding(self) -> int:
        return self.taken - self.settled - self.lost

    def send(self, lines: List[bytes]) -> int:
        """Takes lines from the front, as many as go at once without waiting; says how many. Raises Away or OSError, and has taken none of them then: an error
        of what was taken is for the next call to tell."""
        raise NotImplementedError

    def wait(self, seconds: float) -> None:
        """Goes on with what is under way, for at most so long; returns early if something can be done. Raises Away or OSError."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forgets the connection, after an error. The next send makes a new one."""

    def finish(self, seconds: float) -> None:
        """Waits for what is under way, for at most so long; an error ends the waiting."""
        end = time.monotonic() + seconds
        try:
            while self.outstanding and time.monotonic() < end:
                self.wait(min(0.05, max(0.0, end - time.monotonic())))
        except (Away, OSError):
            pass

    def close(self, seconds: float) -> None:
        """Gives what is under way so much time still, then forgets it: it is lost."""
        self.finish(seconds)
        self.reset()
        self.lost = self.taken - self.settled

    def abandon(self) -> None:
        """In a child after fork: lets go of what is the parent's, without a word to the far side."""
        self.reset()


def _writable(fd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(max(0, int(seconds * 1000))))


class _Block:
    """Lines being written to a stream: what is left of them, and where each ends."""

    def __init__(self, lines: List[bytes]) -> None:
        self.rest = memoryview(b"\n".join(lines) + b"\n" if lines else b"")
        self._lines = lines[::-1]
        self._end = len(self._lines[-1]) + 1 if lines else 0
        self.begun = 0   #: bytes of the first line that are written

    def __len__(self) -> int:
        return len(self._lines)

    def advance(self, written: int) -> int:
        """Says how many lines end in the bytes that were written."""
        self.rest = self.rest[written:]
        self.begun += written
        ended = 0
        while self._lines and self.begun >= self._end:
            self.begun -= self._end
            self._lines.pop()
            self._end = len(self._lines[-1]) + 1 if self._lines else 0
            ended += 1
        return ended

    def rewound(self) -> "_Block":
        """The same with its first line from its beginning."""
        return _Block(self._lines[::-1])


class FileTransport(Transport):
    """Lines at the end of a file, or on standard output. A line that a full disk cuts is continued when there is room."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._path, self._fd, self._block = endpoint.path, -1, _Block([])
        self._piecemeal, self._looked = False, 0.0

    def _open(self) -> None:
        if self._path:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o644)
            self._end_torn_line()
        else:
            self._fd = os.dup(1)
        self._looked = time.monotonic()
        # A pipe or a terminal whose reader sleeps must not hold us: poll says that PIPE_BUF bytes go.
        self._piecemeal = not stat.S_ISREG(os.fstat(self._fd).st_mode)

    def _end_torn_line(self) -> None:
        """What was killed amid a line has left its start behind: ours is not to become its end."""
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode) or not status.st_size:
            return
        try:
            reader = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if os.pread(reader, 1, status.st_size - 1) not in (b"", b"\n"):
                os.write(self._fd, b"\n")
        finally:
            os.close(reader)

    def _is_rotated(self) -> bool:
        now = time.monotonic()
        if not self._path or now - self._looked < LOOK_AGAIN_S:
            return False
        self._looked = now
        mine = os.fstat(self._fd)
        try:
            named = os.stat(self._path)
        except OSError:
            return True
        return (mine.st_dev, mine.st_ino) != (named.st_dev, named.st_ino)

    def send(self, lines: List[bytes]) -> int:
        if self._block:
            self.wait(0)
            if self._block:
                return 0
        if self._fd >= 0 and self._is_rotated():
            self.reset()
        if self._fd < 0:
            self._open()
        self._block = _Block(lines)
        self.taken += len(lines)
        return len(lines)

    def wait(self, seconds: float) -> None:
        while self._block:
            if self._fd < 0:
                self._open()
            if self._piecemeal and not _writable(self._fd, seconds):
                return
            rest = self._block.rest
            try:
                written = os.write(self._fd, rest[:select.PIPE_BUF] if self._piecemeal else rest)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise Away(error.strerror) from None
                raise
            self.settled += self._block.advance(written)
            seconds = 0

    def reset(self) -> None:
        fd, self._fd = self._fd, -1   # first: a fork meanwhile must not find the number of what is closed
        if fd >= 0:
            os.close(fd)
        self._block = self._block.rewound()

    def close(self, seconds: float) -> None:
        self.finish(seconds)
        if self._block.begun:
            self._take_back()
        super().close(0)

    def _take_back(self) -> None:
        """Takes the start of a line off the file again, if nobody has written behind it."""
        try:
            size = os.fstat(self._fd).st_size
            if not self._piecemeal and os.lseek(self._fd, 0, os.SEEK_CUR) == size:
                os.ftruncate(self._fd, size - self._block.begun)
        except OSError:
            pass


def _connect(endpoint: Endpoint, kind: int) -> socket.socket:
    """A connection that stands, not blocking. Raises OSError of the last address tried."""
    if endpoint.path:
        addresses = [(socket.AF_UNIX, kind, 0, "", endpoint.path)]
    else:
        addresses = socket.getaddrinfo("localhost" if endpoint.host == "*" else endpoint.host, endpoint.port, type=kind)  # type: ignore[assignment]
    last: Optional[OSError] = None
    for family, kind_, protocol, _, address in addresses:
        one = socket.socket(family, kind_, protocol)
        try:
            one.settimeout(CONNECT_S)
            one.connect(address)
            one.setblocking(False)
            return one
        except OSError as error:
            one.close()
            last = error
    raise last or OSError("no address")


class StreamTransport(Transport):
    """Lines on a TCP or unix connection. Settled is what the far side's kernel has acknowledged when the connection stood until then; what it
    had not when the connection broke is lost, though some of it may have arrived."""

    def __init__(self, endpoint: Endpoint, connected: Optional[socket.socket] = None) -> None:
        super().__init__()
        self._endpoint, self._socket, self._block = endpoint, connected, _Block([])
        self._given = 0        # lines given to the kernel whole, which are not known to be acknowledged

    def connected(self, one: socket.socket) -> None:
        self._socket = one

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = _connect(self._endpoint, socket.SOCK_STREAM)
            if not self._endpoint.path:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return self._socket

    def _unacknowledged_bytes(self) -> int:
        if self._socket is None:
            return 0
        try:
            return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0])
        except OSError:
            return 0   # this system cannot tell

    def _look(self) -> None:
        """Books what is acknowledged; raises if the far side has hung up, which says nothing else on these connections."""
        if self._socket is None:
            return
        if self._given and not self._unacknowledged_bytes():
            self.settled += self._given
            self._given = 0
        try:
            while self._socket.recv(512, _MSG_QUIET):
                pass
        except BlockingIOError:
            return
        raise ConnectionResetError(errno.ECONNRESET, "the far side has closed the connection")

    def send(self, lines: List[bytes]) -> int:
        self.wait(0)
        if self._block:
            return 0
        self._open()
        self._block = _Block(lines)
        self.taken += len(lines)
        return len(lines)

    def _push(self, seconds: float) -> bool:
        if not _writable(self._open().fileno(), seconds):
            return False
        try:
            self._given += self._block.advance(self._open().send(self._block.rest, _MSG_QUIET))
        except BlockingIOError:
            return False
        return True

    def wait(self, seconds: float) -> None:
        self._look()
        if not self._block:
            if self._given and seconds:
                time.sleep(min(seconds, 0.002))
                self._look()
            return
        while self._block and self._push(seconds):
            seconds = 0
        if self._given:
            self._look()

    def reset(self) -> None:
        """A line that had begun goes out whole on the next connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self.lost += self._given
        self._given = 0
        self._block = self._block.rewound()


class DatagramTransport(Transport):
    """An envelope a datagram. Settled is what was given to the network (udp:) or is in the receiver's queue (unix:)."""

    def __init__(self, endpoint: Endpoint, connected: Optional[socket.socket] = None) -> None:
        super().__init__()
        self._endpoint, self._socket = endpoint, connected

    def connected(self, one: socket.socket) -> None:
        self._socket = one

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = _connect(self._endpoint, socket.SOCK_DGRAM)
        return self._socket

    def send(self, lines: List[bytes]) -> int:
        give, taken = self._open().send, 0
        for line in lines:
            try:
                give(line, _MSG_QUIET)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS):
                    break
                if error.errno != errno.EMSGSIZE:
                    self._book(taken)
                    if error.errno == errno.ECONNREFUSED and self._endpoint.kind == "udp":
                        self._book_refused()
                    raise
                self.lost += 1
                self.taken += 1
                self._book(taken)
                return taken + 1
            taken += 1
        self._book(taken)
        return taken

    def _book(self, count: int) -> None:
        self.taken += count
        self.settled += count

    def _book_refused(self) -> None:
        """The error tells of the datagram before."""
        if self.settled:
            self.settled -= 1
            self.lost += 1

    def wait(self, seconds: float) -> None:
        # A unix datagram socket is writable while the receiver's queue is full, so poll alone would spin.
        if self._socket is not None and _writable(self._socket.fileno(), seconds):
            time.sleep(min(seconds, 0.001))

    def reset(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def close(self, seconds: float) -> None:
        if self._socket is not None and self._endpoint.kind == "udp" and self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._book_refused()
        self.reset()


class UnixTransport(Transport):
    """Whichever of the two the listener's socket is; asked at each connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self._endpoint, self._connected = endpoint, False
        self._inner: Union[StreamTransport, DatagramTransport, None] = None
        self._past = (0, 0, 0)

    def _open(self) -> Transport:
        if self._connected and self._inner is not None:
            return self._inner
        kind: Type[Union[StreamTransport, DatagramTransport]] = StreamTransport
        try:
            found = _connect(self._endpoint, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:
                raise
            found, kind = _connect(self._endpoint, socket.SOCK_DGRAM), DatagramTransport
        if isinstance(self._inner, kind):
            self._inner.connected(found)    # what it had begun goes on
        else:
            self._retire()
            self._inner = kind(self._endpoint, found)
        self._connected = True
        return self._inner

    def _retire(self) -> None:
        """The listener has changed its kind: what the old connection had left is lost."""
        if self._inner is not None:
            self._inner.close(0)
            self._book()
            self._past = (self.taken, self.settled, self.lost)

    def _book(self) -> None:
        inner = self._inner
        if inner is not None:
            self.taken, self.settled, self.lost = (a + b for a, b in zip(self._past, (inner.taken, inner.settled, inner.lost)))

    def send(self, lines: List[bytes]) -> int:
        inner = self._open()
        try:
            return inner.send(lines)
        finally:
            self._book()

    def wait(self, seconds: float) -> None:
        if not self.outstanding:
            time.sleep(min(seconds, 0.001))
            return
        inner = self._open()
        try:
            inner.wait(seconds)
        finally:
            self._book()

    def reset(self) -> None:
        if self._inner is not None:
            self._inner.reset()
            self._book()
        self._connected = False
