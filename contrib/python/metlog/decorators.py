"""decorators - timeit and incr_count: functions that are timed and counted by the client that the holder has when they are called."""
# SPDX-License-Identifier: MPL-2.0
import functools
import inspect
from typing import Any, Callable, Optional, TypeVar, Union, cast

from .client import MetlogClient
from .holder import CLIENT_HOLDER

F = TypeVar("F", bound=Callable[..., Any])


def _name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', function.__name__)}"


def _client(client: Optional[MetlogClient], client_name: Optional[str], decorator: str) -> Optional[MetlogClient]:
    """None: it is disabled, or there is no client yet."""
    if decorator in CLIENT_HOLDER.global_config.get("disabled_decorators", ()):
        return None
    if client is not None:
        return client
    return CLIENT_HOLDER.default_client if client_name is None else CLIENT_HOLDER.get_client(client_name)


def _wrapped(function: F, before: Callable[[], Any], after: Callable[[Any], None]) -> F:
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            begun = before()
            try:
                return await function(*args, **kwargs)
            finally:
                after(begun)
    else:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            begun = before()
            try:
                return function(*args, **kwargs)
            finally:
                after(begun)
    return cast(F, wrapper)


def timeit(name: Union[str, Callable[..., Any], None] = None, *, client: Optional[MetlogClient] = None, client_name: Optional[str] = None, **options: Any) -> Any:
    """Times each call: `@timeit`, or `@timeit("name", rate=0.1)` with what MetlogClient.timer takes. The default name is that of module and function."""

    def decorate(function: F) -> F:
        stat = name if isinstance(name, str) else _name_of(function)

        def before() -> Any:
            found = _client(client, client_name, "timeit")
            if found is None:
                return None
            timer = found.timer(stat, **options)
            return timer, timer.begin()

        def after(begun: Any) -> None:
            if begun is not None:
                begun[0].end(begun[1])

        return _wrapped(function, before, after)

    return decorate(name) if callable(name) else decorate


def incr_count(name: Union[str, Callable[..., Any], None] = None, *, client: Optional[MetlogClient] = None, client_name: Optional[str] = None,
               **options: Any) -> Any:
    """Counts each call, when it has ended, also by an exception: `@incr_count`, or `@incr_count("name", count=2)` with what MetlogClient.incr takes."""

    def decorate(function: F) -> F:
        stat = name if isinstance(name, str) else _name_of(function)

        def after(_: Any) -> None:
            found = _client(client, client_name, "incr_count")
            if found is not None:
                found.incr(stat, **options)

        return _wrapped(function, lambda: None, after)

    return decorate(name) if callable(name) else decorate
