"""_zeromq - the transports pub: and push:, and what all ZeroMQ sockets of the package share. pyzmq is imported when one is opened."""
# SPDX-License-Identifier: MPL-2.0
import os
import stat
import sys
import time
from typing import Any, Dict, List, Optional

from . import _curve
from ._endpoint import Endpoint
from ._plain import Away, Transport

#: Messages in libzmq's queue. Of push: each may be a block of lines, so this bounds what a connection that breaks takes with it.
HWM_PUB, HWM_PUSH = 1000, 16


class Curve:
    """The keys of a client: files, read at each connection, and the permission to do without."""

    def __init__(self, secret: str = "", server: str = "", insecure: bool = False) -> None:
        self.secret, self.server, self.insecure = secret, server, insecure

    def check(self, endpoint: Endpoint) -> None:
        """Raises ValueError for a socket that would be open to everybody, and for keys that nothing would use or that are none; OSError for files that cannot be read."""
        from ._endpoint import ZEROMQ
        if endpoint.kind not in ZEROMQ:
            if self.secret or self.server:
                raise ValueError(f"the curve keys are for ZeroMQ endpoints, and {endpoint.text} is none")
            return
        if self.server and endpoint.binds:
            raise ValueError(f"{endpoint.text}: a socket that binds is the CURVE server itself; curve_server is for one that connects")
        if self.server or (endpoint.binds and self.secret):
            if self.secret:
                _curve.read_secret(self.secret)
            if self.server:
                _curve.read_public(self.server)
            return
        if self.secret:
            raise ValueError(f"{endpoint.text}: an endpoint that connects needs curve_server for CURVE")
        if not endpoint.is_local and not self.insecure:
            raise ValueError(f"{endpoint.text}: off this host without CURVE, so anybody there may {'connect' if endpoint.binds else 'answer'}: "
                             f"give curve_{'secret' if endpoint.binds else 'server'}, or insecure if that is meant")

    def apply(self, zmq: Any, socket: Any) -> None:
        if not self.server and not self.secret:
            return
        if self.secret:
            secret = _curve.read_secret(self.secret)
            public = zmq.curve_public(secret)
        else:
            public, secret = zmq.curve_keypair()
        if self.server:
            socket.setsockopt(zmq.CURVE_SERVERKEY, _curve.read_public(self.server))
            socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        else:
            socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)


class Held:
    """Duplicates of the descriptors of connections over unix sockets, by libzmq's number, which keep them open until the far side has read what stands in
    them: a libzmq 4.3 whose queue is full throws it away when such a connection ends. Of more peers the last messages can be lost."""

    MOST = 64

    def __init__(self) -> None:
        self._fds: Dict[int, int] = {}

    def add(self, number: int) -> None:
        from fcntl import F_DUPFD_CLOEXEC, fcntl
        self.drop(number)
        if len(self._fds) < self.MOST:
            try:
                fd = fcntl(number, F_DUPFD_CLOEXEC, 3)
            except OSError:
                return   # it has ended already, or there are no more descriptors
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                self._fds[number] = fd
            else:
                os.close(fd)   # it has ended already, and the number is another's

    def drop(self, number: int) -> None:
        fd = self._fds.pop(number, None)
        if fd is not None:
            os.close(fd)

    def close(self) -> None:
        for number in list(self._fds):
            self.drop(number)

    def await_read(self, end: float) -> bool:
        """Until the far sides have read everything; false: not before the end, or one has gone without."""
        pause = 0.001
        while True:
            # In this order: of a peer that goes the kernel first makes the error, if anything was unread, and then throws that away.
            unread = any([_unread(fd) for fd in self._fds.values()])
            if any(_error(fd) for fd in self._fds.values()):
                return False
            if not unread:
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 0.016)


def _unread(fd: int) -> bool:
    from fcntl import ioctl
    from termios import TIOCOUTQ
    return any(ioctl(fd, TIOCOUTQ, bytes(4)))


def _error(fd: int) -> int:
    import _socket   # gevent has another one in the place of `socket`, and of select.poll
    one = _socket.socket(fileno=fd)
    try:
        return one.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    finally:
        one.detach()


class ZeromqSocket:
    """A socket with a context of its own, so that it can end without those of the application, and a monitor that tells of connections."""

    def __init__(self, kind: str, endpoint: Endpoint, curve: Curve, hwm: int, **options: int) -> None:
        import zmq   # by the caller of MetlogClient it was found to be there
        self.zmq = zmq
        self.context = zmq.Context()
        self.socket = self.context.socket(getattr(zmq, kind))
        self.peers = self.disconnected = 0
        self.held = Held()
        self._holds = kind != "DEALER" and bool(endpoint.path) and sys.platform == "linux"
        self.stopped = self.refused = False
        try:
            for name, value in (("LINGER", 0), ("SNDHWM", hwm), ("RCVHWM", 1000), ("MAXMSGSIZE", 65536), ("HANDSHAKE_IVL", 10000), ("RECONNECT_IVL", 100),
                                ("RECONNECT_IVL_MAX", 2000), ("TCP_KEEPALIVE", 1), ("TCP_KEEPALIVE_IDLE", 60), ("TCP_KEEPALIVE_INTVL", 15), *options.items()):
                self.socket.setsockopt(getattr(zmq, name), value)
            if ":" in endpoint.host or (endpoint.binds and endpoint.host == "*"):
                self.socket.setsockopt(zmq.IPV6, 1)
            curve.apply(zmq, self.socket)
            self.monitor = self.socket.get_monitor_socket()
            if endpoint.binds:
                self.socket.bind(endpoint.address)
                if endpoint.path and endpoint.path[0] != "@":
                    os.chmod(endpoint.path, 0o600)   # a socket file is for its owner
            else:
                self.socket.connect(endpoint.address)
        except BaseException:
            self.end()
            raise
        self.poller = zmq.Poller()
        self.poller.register(self.monitor, zmq.POLLIN)
        self.poller.register(self.socket, zmq.POLLOUT if kind == "PUSH" else zmq.POLLIN)

    def hear(self) -> None:
        """Takes what the monitor tells."""
        from zmq.utils.monitor import recv_monitor_message
        zmq = self.zmq
        while not self.stopped and self.monitor.poll(0):
            message = recv_monitor_message(self.monitor)
            event = message["event"]
            if event == zmq.EVENT_DISCONNECTED:
                self.held.drop(message["value"])
            if event in (zmq.EVENT_CONNECTED, zmq.EVENT_ACCEPTED):
                if self._holds:
                    self.held.add(message["value"])
            elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.peers += 1
                self.refused = False
            elif event == zmq.EVENT_DISCONNECTED:
                if self.peers:
                    self.peers -= 1
                    self.disconnected += 1
            elif event in (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH):
                self.refused = True
            elif event == zmq.EVENT_MONITOR_STOPPED:
                self.stopped = True

    def nobody(self) -> str:
        return "the handshake fails (does one side use CURVE, or another key?)" if self.refused else "nobody is connected"

    def drain(self, seconds: float) -> bool:
        """Ends the socket when libzmq has written everything, and over ipc:// the far side has read it; false: not within that time, or a connection was lost meanwhile."""
        end, before = time.monotonic() + seconds, self.disconnected
        # That its linger ran out libzmq does not tell, so it gets longer than we wait.
        self.socket.close(int(seconds * 1000) + 100)
        while not self.stopped:
            self.hear()
            if self.disconnected > before:
                return False
            if self.stopped:
                break
            left = end - time.monotonic()
            if left <= 0 or not self.monitor.poll(max(1, int(left * 1000))):
                return False
        return not self.peers or self.held.await_read(end)

    def end(self) -> None:
        self.held.close()
        if not self.socket.closed:
            self.socket.disable_monitor()
        self.context.destroy(0)


class ZeromqTransport(Transport):
    """pub: an envelope a message, when somebody subscribes; push: lines in blocks, when somebody is connected. Settled is what libzmq has taken
    for a peer, and at the close what it has written to the connection."""

    def __init__(self, endpoint: Endpoint, curve: Curve) -> None:
        super().__init__()
        self._endpoint, self._curve, self._is_pub = endpoint, curve, endpoint.kind == "pub"
        self._open: Optional[ZeromqSocket] = None
        self._subscriptions, self._cuts = 0, 0
        self._recent: List[int] = []   # lines in each of the last messages, as many as libzmq may hold

    def _socket(self) -> ZeromqSocket:
        if self._open is None:
            if self._is_pub:
                self._open = ZeromqSocket("XPUB", self._endpoint, self._curve, HWM_PUB, XPUB_NODROP=1)
            else:
                self._open = ZeromqSocket("PUSH", self._endpoint, self._curve, HWM_PUSH, IMMEDIATE=1)
            self._cuts = 0
        return self._open

    def _look(self, one: ZeromqSocket) -> None:
        one.hear()
        if self._is_pub:
            while one.socket.poll(0):
                # XPUB tells of the first subscriber to each topic, and of the last to leave it.
                told = one.socket.recv()[:1]
                if told == b"\1":
                    self._subscriptions += 1
                elif told == b"\0" and self._subscriptions:
                    self._subscriptions -= 1
        elif one.disconnected > self._cuts:
            # What was queued for a connection that has gone went with it, and how much that is libzmq does not tell.
            lost = min(sum(self._recent), self.settled)
            self.settled -= lost
            self.lost += lost
            self._recent = []
        self._cuts = one.disconnected

    def send(self, lines: List[bytes]) -> int:
        one = self._socket()
        self._look(one)
        if self._is_pub:
            # A socket that connects keeps the subscriptions of a far side that has gone.
            taken = self._send_each(one, lines) if self._subscriptions and (one.peers or self._endpoint.binds) else 0
        else:
            taken = self._give(one, b"\n".join(lines)) * len(lines)
            if taken:
                self._recent = [*self._recent[1 - HWM_PUSH:], taken]
        self.taken += taken
        self.settled += taken
        if not taken and not (one.peers and (self._subscriptions or not self._is_pub)):
            raise Away(one.nobody() if not one.peers else "nobody subscribes")
        return taken

    def _give(self, one: ZeromqSocket, message: bytes) -> int:
        try:
            one.socket.send(message, one.zmq.NOBLOCK)
        except one.zmq.Again:
            return 0
        return 1

    def _send_each(self, one: ZeromqSocket, lines: List[bytes]) -> int:
        send, flags, taken = one.socket.send, one.zmq.NOBLOCK, 0
        try:
            for line in lines:
                send(line, flags)
                taken += 1
        except one.zmq.Again:
            pass
        return taken

    def wait(self, seconds: float) -> None:
        if self._open is None:
            time.sleep(seconds)
        elif self._is_pub and self._subscriptions:
            time.sleep(min(seconds, 0.002))   # libzmq does not tell when a subscriber's queue has room again
        else:
            self._open.poller.poll(max(1, int(seconds * 1000)))

    def reset(self) -> None:
        if self._open is not None:
            self._open.end()
        self._open, self._subscriptions = None, 0

    def close(self, seconds: float) -> None:
        one, self._open = self._open, None
        if one is None:
            return
        written = not self.taken or one.drain(seconds)
        if not written:
            lost = min(HWM_PUB if self._is_pub else sum(self._recent), self.settled)
            self.settled -= lost
            self.lost += lost
        one.end()

    def abandon(self) -> None:
        """The context belongs to the parent's threads; pyzmq itself does nothing to it in another process."""
        _inherited.append(self._open)
        self._open = None


_inherited: List[Any] = []
