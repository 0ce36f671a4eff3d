"""_settings - the options of a client: how they are written, and the courier that is made of them."""
# SPDX-License-Identifier: MPL-2.0
import re
from dataclasses import dataclass
from typing import Any, Callable, Union

from ._ack import AckTransport
from ._courier import Courier
from ._endpoint import ZEROMQ, Endpoint, parse_endpoint
from ._plain import DatagramTransport, FileTransport, StreamTransport, Transport, UnixTransport
from ._zeromq import Curve, ZeromqTransport

_SIZE = re.compile(r"(\d+)([kKMGT]i?)?\Z", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?\Z", re.ASCII)
_POWERS, _SECONDS = {"k": 1, "m": 2, "g": 3, "t": 4}, {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def size(value: Union[int, str]) -> int:
    """Bytes: 64k is 64,000, 64Ki is 65,536."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no size: 64k, 2Mi")
    unit = found.group(2) or ""
    base = 1024 if unit.endswith("i") else 1000
    return int(found.group(1)) * (int(base ** _POWERS[unit[0].lower()]) if unit else 1)


def duration(value: Union[float, str]) -> float:
    """Seconds: 250ms, 5s, 10m."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    found = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no duration: 250ms, 5s, 10m")
    return float(found.group(1)) * _SECONDS[found.group(2) or "s"]


def severity(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 7:
        raise ValueError(f"{value!r} is no severity from 0 to 7")
    return int(value)


def boolean(value: Any) -> bool:
    known = {"true": True, "t": True, "yes": True, "on": True, "false": False, "f": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError(f"{value!r} is neither yes nor no")
    return known[value.lower()]


def _transport(endpoint: Endpoint, curve: Curve) -> Transport:
    if endpoint.kind in ("pub", "push"):
        return ZeromqTransport(endpoint, curve)
    if endpoint.kind == "ack":
        return AckTransport(endpoint, curve)
    if endpoint.kind == "unix":
        return UnixTransport(endpoint)
    if endpoint.kind in ("udp", "tcp"):
        return DatagramTransport(endpoint) if endpoint.kind == "udp" else StreamTransport(endpoint)
    return FileTransport(endpoint)


@dataclass
class Options:
    when_full: str = "drop"
    buffer_bytes: int = 2 << 20
    line_bytes: int = 1 << 20
    close_s: float = 5.0
    curve_secret: str = ""
    curve_server: str = ""
    insecure: bool = False

    def __post_init__(self) -> None:
        if self.when_full not in ("drop", "block"):
            raise ValueError(f"when_full: {self.when_full!r} is neither drop nor block")
        if self.buffer_bytes < 4096 or self.line_bytes < 1024:
            raise ValueError("a buffer has at least 4096 bytes, and the longest line 1024")
        self.line_bytes = min(self.line_bytes, self.buffer_bytes // 2)

    def courier(self, text: str, dropped_line: Callable[[int], str], tell: Callable[[str], None]) -> Courier:
        """Raises ValueError or OSError for what can never work."""
        endpoint = parse_endpoint(text)
        curve = Curve(self.curve_secret, self.curve_server, self.insecure)
        curve.check(endpoint)
        if endpoint.kind in ZEROMQ:
            try:
                import zmq.utils.monitor  # noqa: F401
            except ImportError:
                raise ValueError(f"{text}: ZeroMQ endpoints need pyzmq: pip install pyzmq") from None
        line_bytes = min(self.line_bytes, endpoint.datagram_bytes_max or self.line_bytes)
        return Courier(lambda: _transport(endpoint, curve), self.buffer_bytes, line_bytes, self.when_full == "block", self.close_s, dropped_line, tell)
