"""senders - ways for envelopes that are no endpoints: into memory for tests, into a stream, nowhere. Used in the calling thread."""
# SPDX-License-Identifier: MPL-2.0
import logging
import sys
from collections import deque
from typing import Any, Deque, Optional, TextIO, Tuple

from ._count import Counter
from ._courier import _sized

try:
    from typing import Protocol
except ImportError:  # pragma: no cover
    Protocol = object  # type: ignore[assignment]


class Sender(Protocol):
    """What a client can be given in place of an endpoint. What send_message raises is counted, and goes no further."""

    def send_message(self, envelope: str) -> Any: ...


class DebugCaptureSender:
    """Keeps the last envelopes, as JSON text, in `msgs`: for tests."""

    def __init__(self, maxlen: int = 100, **attributes: Any) -> None:
        self.msgs: Deque[str] = deque(maxlen=maxlen)
        self.__dict__.update(attributes)

    def send_message(self, envelope: str) -> None:
        self.msgs.append(envelope)


class NoSendSender:
    """Sends nothing: for an application whose configuration comes later."""

    is_active = False

    def send_message(self, envelope: str) -> None:
        pass


class StreamSender:
    """A line each on a text stream."""

    def __init__(self, stream: Optional[TextIO] = None) -> None:
        self.stream = stream or sys.stdout

    def send_message(self, envelope: str) -> None:
        self.stream.write(envelope + "\n")
        self.stream.flush()


class StdLibLoggingSender:
    """Hands envelopes to a logger of the standard library, at the level of their severity."""

    LEVELS = (logging.CRITICAL, logging.CRITICAL, logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.INFO, logging.DEBUG)

    def __init__(self, logger_name: str = "metlog") -> None:
        self.logger = logging.getLogger(logger_name)

    def send_message(self, envelope: str) -> None:
        _, _, rest = envelope.partition('","severity":')
        severity = rest[:1]
        self.logger.log(self.LEVELS[int(severity)] if severity.isdigit() else logging.INFO, "%s", envelope)


class Direct:
    """What a client uses in the place of a courier: the sender, with counts."""

    def __init__(self, sender: Sender, line_bytes: int) -> None:
        if not callable(getattr(sender, "send_message", None)):
            raise TypeError(f"{sender!r} is neither an endpoint nor a sender: it has no send_message")
        self._sender, self._line_bytes, self.reason, self.close_s, self._closed, self._ended = sender, line_bytes, "", 0.0, False, False
        self._begin()

    def _begin(self) -> None:
        self._sent, self._unsent, self._refused = Counter(), Counter(), Counter()

    def post(self, line: str) -> bool:
        line, size = _sized(line)
        if size > self._line_bytes or self._closed:
            return self.refuse("the client is closed" if self._closed else f"an envelope of {size} bytes is longer than {self._line_bytes}")
        try:
            self._sender.send_message(line)
        except Exception as error:
            self.reason = str(error) or type(error).__name__
            self._unsent.add()
            return True
        self._sent.add()
        return True

    def refuse(self, reason: str) -> bool:
        self.reason = reason
        self._refused.add()
        return False

    def counts(self) -> Tuple[int, int, int, int, int]:
        sent = self._sent.value()
        return sent + self._unsent.value(), 0, self._refused.value(), sent, 0

    def flush(self, seconds: float) -> bool:
        return not self._unsent.value()

    def close_begin(self, seconds: float) -> None:
        self._closed = True

    def close(self, seconds: float) -> None:
        self._closed = True

    def end_soon(self) -> None:
        self._ended = True

    def after_fork(self) -> None:
        self._begin()
