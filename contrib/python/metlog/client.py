"""client - MetlogClient: makes envelopes of calls, and gives them to the thread that hands them over."""
# SPDX-License-Identifier: MPL-2.0
import os
import random
import socket
import time
import weakref
from time import time_ns
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple, Type, TypeVar, Union

from . import _live, _settings
from ._count import Counter
from ._envelope import Parts, metric_fields, stamp_of
from ._events import Events
from ._json import Json, integer_text, number_text, quote, tags_text, text_of, unshared, value_text
from ._logs import Logs
from .filters import Filter, split
from .senders import Direct, Sender
from .timer import Timer

T = TypeVar("T")
#: Names of metrics whose envelope's end is kept made.
NAMES_MAX = 2000
#: A microsecond's digits in two halves: looked up in 90 ns, where a format takes 220.
DIGITS = tuple(f"{number:03d}" for number in range(1000))


class Counts(NamedTuple):
    """calls = taken + left_out + dropped + refused; taken = sent + unsent. Since the client was made, or since the fork."""

    taken: int      #: under way, or handed over
    left_out: int   #: by a rule: a rate, a filter, a disabled timer
    dropped: int    #: there was no room
    refused: int    #: can be no envelope, or came after close
    sent: int       #: handed over, as far as this kind of endpoint can know
    unsent: int     #: not, or not yet; after close: lost
    rejected: int   #: of those sent, how many the far side of ack: found to be no envelopes


class MetlogClient(Logs, Events):
    """Hands messages to a pipeline of the Metlog toolkit. A call makes the envelope and returns: it neither waits (but see when_full), nor prints, nor
    raises, whatever the far side does. Raises ValueError or OSError when it is made, if it can never work."""

    def __init__(self, endpoint_or_sender: Union[str, Sender], logger: str = "", severity: int = 6, disabled_timers: Iterable[str] = (),
                 filters: Iterable[Union[Filter, Tuple[Filter, Mapping[str, Any]]]] = (), *, hostname: Optional[str] = None, pid: int = 0,
                 when_full: str = "drop", buffer: Union[int, str] = "2Mi", line: Union[int, str] = "1Mi", close: Union[float, str] = 5.0,
                 curve_secret: str = "", curve_server: str = "", insecure: bool = False, on_error: Optional[Callable[[str], Any]] = None,
                 cef_meta: Optional[Mapping[str, Any]] = None, capture_locals: bool = False) -> None:
        self._courier: Any = None
        self._config = ""   #: the configuration that it was made by, as JSON
        self._methods: Dict[str, Callable[..., Any]] = {}
        options = _settings.Options(when_full=when_full, buffer_bytes=_settings.size(buffer), line_bytes=_settings.size(line),
                                    close_s=_settings.duration(close), curve_secret=curve_secret, curve_server=curve_server, insecure=insecure)
        self.on_error, self.cef_meta, self.capture_locals = on_error, dict(cef_meta or {}), capture_locals
        self._pid, self._hostname, self._options = pid, hostname or socket.gethostname(), options
        self.setup(endpoint_or_sender, logger, severity, disabled_timers, filters)

    def setup(self, endpoint_or_sender: Union[str, Sender], logger: str = "", severity: int = 6, disabled_timers: Iterable[str] = (),
              filters: Iterable[Union[Filter, Tuple[Filter, Mapping[str, Any]]]] = ()) -> None:
        """Makes the client anew; what it has taken before is handed over first."""
        severity = _settings.severity(severity)
        rules, others = split(filters)
        courier = self._make_courier(endpoint_or_sender)
        if self._courier is not None:
            self.close()
        self.sender, self.logger, self.severity = endpoint_or_sender, str(logger), severity
        self.disabled_timers = frozenset(disabled_timers.split() if isinstance(disabled_timers, str) else disabled_timers)
        self._rules, self._callables = rules, others
        self._random = random.Random()
        self._left_out = Counter()
        self._clock: Tuple[int, str] = (0, "")
        self._courier, self._post = courier, courier.post
        self._prepare()
        _live.add(self, courier)

    def _make_courier(self, target: Union[str, Sender]) -> Any:
        if isinstance(target, str):
            line_of = weakref.WeakMethod(self._dropped_line)
            tell_of = weakref.WeakMethod(self._tell)
            return self._options.courier(target, lambda count: _called(line_of, "", count), lambda reason: _called(tell_of, None, reason))
        return Direct(target, self._options.line_bytes)

    def _prepare(self) -> None:
        """What all envelopes share, as text; made again in a child."""
        self._parts = parts = Parts(self.logger, self.severity, self._pid or os.getpid(), self._hostname)
        self._tails: Dict[Any, str] = {}
        self._counter_head, self._timer_head = '{"type":"counter","timestamp":"', '{"type":"timer","timestamp":"'
        self._middle = f'Z{parts.logger_severity},"payload":"'
        self._counters_pass, self._timers_pass = self._passes("counter", self.severity), self._passes("timer", self.severity)
        self._is_fast = not self._callables

    def _passes(self, type_: str, severity: int) -> bool:
        for rule in self._rules:
            if not rule.passes(type_, severity):
                return False
        return True

    def _wants(self, type_: str, severity: Any) -> bool:
        """False, and counted, for what a rule leaves out: so that nothing is formatted for it."""
        if not self._rules or not isinstance(severity, int) or self._passes(type_, severity):
            return True
        self._left_out.add()
        return False

    def _after_fork(self) -> None:
        """In the child: a client like a new one, which has nothing of what its parent had."""
        self._courier.after_fork()
        self._random = random.Random()
        self._left_out = Counter()
        self._prepare()

    def _tell(self, reason: str) -> None:
        if self.on_error is not None:
            self.on_error(reason)

    def _dropped_line(self, count: int) -> str:
        fields = metric_fields("metlog.client.dropped", "1", None, None, 0)
        return self._parts.line("counter", self._stamp(), self._parts.logger_severity, f'"{count}"', fields)

    # --- messages

    def metlog(self, type: str, logger: Optional[str] = None, severity: Optional[int] = None, payload: Any = "",
               fields: Optional[Mapping[str, Any]] = None, tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None) -> None:
        """A message of any type. What is None is the client's default; the payload goes out as the JSON value that it is."""
        self._send(type, logger, severity, payload, fields, tags, timestamp)

    def _send(self, type_: str, logger: Optional[str], severity: Optional[int], payload: Any, fields: Optional[Mapping[str, Any]],
              tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None, name: Optional[str] = None, rate: Optional[float] = None) -> None:
        try:
            if severity is None:
                severity = self.severity
            elif severity.__class__ is not int or not 0 <= severity <= 7:
                severity = _settings.severity(severity)
            if self._rules and not self._passes(type_, severity):
                self._left_out.add()
                return
            stamp = self._stamp() if timestamp is None else stamp_of(timestamp)
            if not isinstance(type_, str):
                raise ValueError("the type is no text")
            if self._callables:
                self._send_filtered(type_, stamp, logger, severity, payload, fields, tags, name, rate)
                return
            rate_text = None if rate is None else _rate_text(rate)
            members = metric_fields(name, rate_text, fields, tags, self._options.line_bytes)
            self._post(self._parts.line(type_, stamp, self._parts.of(logger, severity), value_text(payload, self._options.line_bytes), members))
        except Exception as error:
            self._refuse(error)

    def _send_filtered(self, type_: str, stamp: str, logger: Optional[str], severity: int, payload: Any, fields: Optional[Mapping[str, Any]],
                       tags: Optional[Mapping[str, Any]], name: Optional[str], rate: Optional[float]) -> None:
        first: Dict[str, Any] = {} if name is None else {"name": name} if rate is None else {"name": name, "rate": rate}
        payload, given = unshared((payload, dict(fields or {})))
        rest = {key: value for key, value in given.items() if key not in first and not (tags and key == "tags")}
        message = {"type": type_, "timestamp": stamp, "logger": self.logger if logger is None else logger, "severity": severity, "payload": payload,
                   "fields": {**first, **rest, **({"tags": Json(tags_text(tags))} if tags else {})},
                   "env_version": "0.8", "metlog_pid": self._parts.pid, "metlog_hostname": self._hostname}
        self._deliver(message)

    def _deliver(self, message: Dict[str, Any]) -> None:
        for passes in self._callables:
            if not passes(message):
                self._left_out.add()
                return
        self._post(value_text(message, self._options.line_bytes))

    def send_message(self, message: Mapping[str, Any]) -> None:
        """An envelope that is made already, as a dict; what it lacks is put in, and the filters are asked."""
        try:
            whole = {"type": "", "timestamp": None, "logger": self.logger, "severity": self.severity, "payload": "", "fields": {}, "env_version": "0.8",
                     "metlog_pid": self._parts.pid, "metlog_hostname": self._hostname, **message}
            whole["timestamp"] = self._stamp() if whole["timestamp"] is None else stamp_of(whole["timestamp"])
            whole["severity"] = _settings.severity(whole["severity"])
            whole["type"], whole["logger"], whole["env_version"] = str(whole["type"]), str(whole["logger"]), str(whole["env_version"])
            whole["fields"] = dict(whole["fields"])
            whole = unshared(whole)
            if whole["env_version"] != "0.8":
                raise ValueError("the env_version is not 0.8")
            if not self._passes(whole["type"], whole["severity"]):
                self._left_out.add()
                return
            self._deliver(whole)
        except Exception as error:
            self._refuse(error)

    def _refuse(self, error: BaseException) -> None:
        try:
            self._courier.refuse(text_of(error) if not isinstance(error, ValueError) else str(error) or "longer than the longest envelope")
        except Exception:
            pass

    # --- metrics

    def incr(self, name: str, count: int = 1, logger: Optional[str] = None, severity: Optional[int] = None, fields: Optional[Mapping[str, Any]] = None,
             rate: float = 1.0, tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None) -> None:
        """Counts. With a rate below 1 only that share of the calls is sent, by chance, and the rate with it."""
        try:
            if not rate >= 1.0 and not self._random.random() < rate:
                self._left_out.add()
                return
            if fields is None and tags is None and logger is None and severity is None and timestamp is None and count.__class__ is int and self._is_fast:
                if not self._counters_pass:
                    self._left_out.add()
                    return
                tail = self._tails.get(name if rate == 1.0 else (name, rate)) or self._tail(name, rate)
                now = time_ns() // 1000
                start, second = self._clock
                if not 0 <= now - start < 1000000:
                    start, second = self._tick(now)
                micros = now - start
                self._post(f'{self._counter_head}{second}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}{self._middle}{count}{tail}')
                return
        except ValueError:
            pass   # more digits than Python itself writes; what is wrong otherwise is refused below
        except Exception as error:
            self._refuse(error)
            return
        self._metric("counter", count, logger, severity, fields, tags, timestamp, name, rate)

    def timer_send(self, name: str, elapsed: float, logger: Optional[str] = None, severity: Optional[int] = None,
                   fields: Optional[Mapping[str, Any]] = None, rate: float = 1.0, tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None) -> None:
        """A duration in milliseconds, measured by the caller. It is always sent: the rate only says how others were chosen."""
        self._metric("timer", elapsed, logger, severity, fields, tags, timestamp, name, rate)

    def gauge(self, name: str, value: float, logger: Optional[str] = None, severity: Optional[int] = None, fields: Optional[Mapping[str, Any]] = None,
              tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None) -> None:
        """The level of something now. What is no number is refused."""
        self._metric("gauge", value, logger, severity, fields, tags, timestamp, name, None)

    def set(self, name: str, member: Any, logger: Optional[str] = None, severity: Optional[int] = None, fields: Optional[Mapping[str, Any]] = None,
            tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None) -> None:
        """One member of a set, whose different members are counted."""
        try:
            member = member if isinstance(member, str) else text_of(member)
        except Exception as error:
            self._refuse(error)
            return
        self._send("set", logger, severity, member, fields, tags, timestamp, name)

    unique = set

    def timer(self, name: str, logger: Optional[str] = None, severity: Optional[int] = None, fields: Optional[Mapping[str, Any]] = None,
              rate: float = 1.0, tags: Optional[Mapping[str, Any]] = None) -> Timer:
        """Measures: `with client.timer("db"):`, or `@client.timer("db")` before a function, a coroutine function too."""
        return Timer(self, name, logger, severity, fields, rate, tags)

    def wants_timer(self, name: str, rate: float) -> bool:
        """Whether a run that begins now is to be sent; counts one that is not."""
        disabled = self.disabled_timers
        try:
            if disabled and (name in disabled or "*" in disabled) or (not rate >= 1.0 and not self._random.random() < rate):
                self._left_out.add()
                return False
        except Exception as error:
            self._refuse(error)
            return False
        return True

    def send_timing(self, name: str, text: str, logger: Optional[str], severity: Optional[int], fields: Optional[Mapping[str, Any]], rate: float,
                    tags: Optional[Mapping[str, Any]]) -> None:
        """A duration as the text of its milliseconds."""
        if fields is None and tags is None and logger is None and severity is None and self._is_fast and self._timers_pass:
            try:
                tail = self._tails.get(name if rate == 1.0 else (name, rate)) or self._tail(name, rate)
                now = time_ns() // 1000
                start, second = self._clock
                if not 0 <= now - start < 1000000:
                    start, second = self._tick(now)
                micros = now - start
                self._post(f'{self._timer_head}{second}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}{self._middle}{text}{tail}')
            except Exception as error:
                self._refuse(error)
            return
        self._send("timer", logger, severity, text, fields, tags, None, name, rate)

    def _metric(self, type_: str, value: Any, logger: Optional[str], severity: Optional[int], fields: Optional[Mapping[str, Any]],
                tags: Optional[Mapping[str, Any]], timestamp: Any, name: Any, rate: Optional[float]) -> None:
        try:
            payload = _metric_text(value)
            name = name if isinstance(name, str) else text_of(name)
        except Exception as error:
            self._refuse(error)
            return
        self._send(type_, logger, severity, payload, fields, tags, timestamp, name, rate)

    def _tail(self, name: Any, rate: float) -> str:
        """An envelope of a metric behind its payload; kept, as names come again."""
        tail = f'","fields":{{"name":{quote(name if isinstance(name, str) else text_of(name))},"rate":{_rate_text(rate)}}}{self._parts.end}'
        if name.__class__ is str:
            if len(self._tails) >= NAMES_MAX:
                self._tails.clear()
            self._tails[name if rate == 1.0 else (name, rate)] = tail
        return tail

    # --- time

    def _tick(self, now: int) -> Tuple[int, str]:
        """Another second than that of the last call: its date is made once."""
        start = now // 1000000 * 1000000
        self._clock = clock = (start, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(start // 1000000)))
        return clock

    def _stamp(self) -> str:
        now = time_ns() // 1000
        start, second = self._clock
        if not 0 <= now - start < 1000000:
            start, second = self._tick(now)
        micros = now - start
        return f"{second}{DIGITS[micros // 1000]}{DIGITS[micros % 1000]}Z"

    # --- the end of it

    @property
    def is_active(self) -> bool:
        """False for a sender that sends nothing."""
        return getattr(self.sender, "is_active", True) is not False

    @property
    def reason(self) -> str:
        """Why the far side takes nothing now, or why the last call was refused; "" if all is well."""
        return str(self._courier.reason)

    def counts(self) -> Counts:
        taken, dropped, refused, sent, rejected = self._courier.counts()
        return Counts(taken, self._left_out.value(), dropped, refused, sent, taken - sent, rejected)

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until everything that was taken before the call is handed over, for at most so many seconds. False: not all of it is."""
        return bool(self._courier.flush(self._options.close_s if timeout is None else timeout))

    def close(self, timeout: Optional[float] = None) -> Counts:
        """No message is taken any more; waits as flush does, gives up what is left then, and says how much: Counts.unsent. Happens at exit by itself."""
        self._courier.close(self._options.close_s if timeout is None else timeout)
        _live.discard(self._courier)
        return self.counts()

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]) -> None:
        self.close()

    def add_method(self, method: Callable[..., Any], override: bool = False, name: Optional[str] = None) -> None:
        """Makes a function a method of this client, under its `metlog_name` or its own name. An existing one is replaced only on request."""
        name = name or getattr(method, "metlog_name", None) or method.__name__
        if not override and hasattr(self, name):
            raise ValueError(f"the client has a method {name} already; override=True replaces it")
        self._methods[name] = method
        object.__setattr__(self, name, method.__get__(self) if hasattr(method, "__get__") else method)


def _called(reference: Any, otherwise: Any, argument: Any) -> Any:
    """The courier must not keep a client alive that nobody has any more."""
    method = reference()
    return otherwise if method is None else method(argument)


def _rate_text(rate: Any) -> str:
    text = number_text(float(rate)) if not isinstance(rate, int) else integer_text(int(rate))
    if text == "null":
        raise ValueError("the rate is no number")
    return text


def _metric_text(value: Any) -> str:
    if isinstance(value, int):
        return integer_text(int(value))
    text = number_text(value if isinstance(value, float) else float(value))
    if text == "null":
        raise ValueError("the value is no number")
    return text
