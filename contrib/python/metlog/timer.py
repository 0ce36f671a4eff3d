"""timer - the time that a block of code or a function takes; MetlogClient.timer makes these."""
# SPDX-License-Identifier: MPL-2.0
import functools
import inspect
import sys
from _thread import get_ident
from time import monotonic_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, List, Mapping, Optional, Tuple, Type, TypeVar, cast

from ._courier import running_loop

if TYPE_CHECKING:
    from .client import MetlogClient

F = TypeVar("F", bound=Callable[..., Any])


def milliseconds_text(elapsed_ns: int) -> str:
    """Milliseconds with at most three decimals: 35, 0.412."""
    whole, rest = divmod(elapsed_ns // 1000, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def _where() -> Tuple[int, int]:
    """The thread and, in an event loop, its task: runs of one timer in several of them do not know of each other."""
    if running_loop() is None:
        return get_ident(), 0
    return get_ident(), id(sys.modules["asyncio"].current_task())


class Timer:
    """A context manager, and a decorator of functions and coroutine functions. Each run is sampled by itself; one that is not sent measures nothing.
    It may be entered again while it runs: nested, and in other threads and tasks."""

    __slots__ = ("_client", "_name", "_logger", "_severity", "_fields", "_rate", "_tags", "_runs", "result")

    def __init__(self, client: "MetlogClient", name: str, logger: Optional[str], severity: Optional[int], fields: Optional[Mapping[str, Any]],
                 rate: float, tags: Optional[Mapping[str, Any]]) -> None:
        self._client, self._name, self._logger, self._severity = client, name, logger, severity
        self._fields, self._rate, self._tags = fields, rate, tags
        self._runs: List[Tuple[Tuple[int, int], int]] = []
        #: The milliseconds of the run that ended last, None if it was not to be sent.
        self.result: Optional[float] = None

    def begin(self) -> int:
        """When a run begins, for end; 0 if it is not to be sent."""
        return monotonic_ns() if self._client.wants_timer(self._name, self._rate) else 0

    def end(self, began_ns: int) -> None:
        if not began_ns:
            self.result = None
            return
        elapsed = monotonic_ns() - began_ns
        self.result = elapsed / 1e6
        self._client.send_timing(self._name, milliseconds_text(elapsed), self._logger, self._severity, self._fields, self._rate, self._tags)

    def __enter__(self) -> "Timer":
        self._runs.append((_where(), self.begin()))
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]) -> None:
        self.end(self._take(_where()))

    def _take(self, where: Tuple[int, int]) -> int:
        for run in reversed(self._runs):
            if run[0] == where:
                self._runs.remove(run)
                return run[1]
        return 0

    async def __aenter__(self) -> "Timer":
        return self.__enter__()

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        if inspect.iscoroutinefunction(function):
            @functools.wraps(function)
            async def timed(*args: Any, **kwargs: Any) -> Any:
                began = self.begin()
                try:
                    return await function(*args, **kwargs)
                finally:
                    self.end(began)
        else:
            @functools.wraps(function)
            def timed(*args: Any, **kwargs: Any) -> Any:
                began = self.begin()
                try:
                    return function(*args, **kwargs)
                finally:
                    self.end(began)
        return cast(F, timed)
