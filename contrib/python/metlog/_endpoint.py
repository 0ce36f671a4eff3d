"""_endpoint - where envelopes go to, read once from the text that names it; the grammar of the whole toolkit (metlog(7), ENDPOINTS)."""
# SPDX-License-Identifier: MPL-2.0
import ipaddress
from dataclasses import dataclass

PLAIN = ("file", "udp", "tcp", "unix")
ZEROMQ = ("pub", "push", "ack")
#: The largest UDP datagram over IPv4.
UDP_BYTES_MAX = 65507


@dataclass(frozen=True)
class Endpoint:
    text: str
    kind: str           #: "-", "file", "udp", "tcp", "unix", "pub", "push", "ack"
    host: str = ""
    port: int = 0
    path: str = ""
    address: str = ""   #: ZeroMQ's own
    binds: bool = False

    @property
    def is_local(self) -> bool:
        """True if it cannot be reached from another machine."""
        if not self.host or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False

    @property
    def datagram_bytes_max(self) -> int:
        """The longest envelope that can ever go there; 0: no limit is known."""
        return UDP_BYTES_MAX if self.kind == "udp" else 0


def _host_port(text: str, star: bool) -> "tuple[str, int]":
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise ValueError("'[' without ']'")
        try:
            ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError:
            raise ValueError("not an IPv6 address between the brackets") from None
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.rpartition(":")
        if ":" in host:
            raise ValueError("an IPv6 address needs brackets: [::1]:PORT")
    if colon != ":":
        raise ValueError("a port is missing: HOST:PORT")
    if star and port == "*":
        return host or "*", 0
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("the port is not a number from 0 to 65535")
    return host or "*", int(port)


def _zeromq(text: str, kind: str, address: str) -> Endpoint:
    side = address[:1] if address[:1] in ("@", ">") else ""
    address = address[len(side):]
    host, path = "", ""
    if address.startswith("tcp://"):
        host, _ = _host_port(address[6:].rpartition(";")[2], star=True)
    elif address.startswith("ipc://"):
        path = address[6:]
        if not path:
            raise ValueError("a path is missing")
    else:
        raise ValueError("the ZeroMQ address does not begin with tcp:// or ipc://")
    if kind == "ack" and side == "@":
        raise ValueError("of ack: the receiver binds and the sender connects, so that each envelope has one who answers for it")
    binds = side == "@" or (not side and host == "*" and kind != "ack")
    return Endpoint(text, kind, host=host, path=path, address=address, binds=binds)


def _parse(text: str) -> Endpoint:
    if not text or "\0" in text:
        raise ValueError("a NUL byte in it" if text else "it is empty")
    if text == "-":
        return Endpoint(text, "-")
    kind, colon, rest = text.partition(":")
    if not colon:
        raise ValueError("no kind in front, such as file: udp: tcp: unix: pub: or push:")
    if kind in ("file", "unix"):
        if not rest:
            raise ValueError("a path is missing")
        return Endpoint(text, kind, path=rest)
    if kind in ("udp", "tcp"):
        host, port = _host_port(rest, star=False)
        return Endpoint(text, kind, host=host, port=port)
    if kind in ZEROMQ:
        return _zeromq(text, kind, rest)
    raise ValueError("unknown kind; a client sends to - file: udp: tcp: unix: pub: push: ack:")


def parse_endpoint(text: str) -> Endpoint:
    """Raises ValueError with the text and the reason."""
    try:
        return _parse(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no endpoint: {error}") from None
