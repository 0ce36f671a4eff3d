"""_logs - the log methods of a client: type oldstyle, as the original client calls a log message."""
# SPDX-License-Identifier: MPL-2.0
import sys
import traceback
from types import TracebackType
from typing import Any, Mapping, Optional, Tuple, Type, Union

from ._json import text_of

EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL, DEBUG = range(8)

ExcInfo = Union[None, bool, BaseException, Tuple[Optional[Type[BaseException]], Optional[BaseException], Optional[TracebackType]]]


def formatted(message: Any, args: Tuple[Any, ...]) -> str:
    """As the logging module formats; what cannot be formatted goes out as text and arguments."""
    text = message if isinstance(message, str) else text_of(message)
    if not args:
        return text
    values: Any = args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
    try:
        return str(text % values)
    except Exception:
        try:
            return f"{text} {args!r}"
        except Exception:
            return f"{text} ({', '.join(text_of(arg) for arg in args)})"


def exception_of(exc_info: ExcInfo) -> Optional[BaseException]:
    """The exception that exc_info, as the logging module has it, tells of."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) > 1 else None
    return sys.exc_info()[1] if exc_info else None


def traceback_text(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip("\n")
    except Exception:
        return text_of(error)


class Logs:
    """Methods of MetlogClient. The text is formatted with % if there are arguments, and never raises."""

    def log(self, severity: int, message: Any, *args: Any, exc_info: ExcInfo = None, logger: Optional[str] = None,
            fields: Optional[Mapping[str, Any]] = None, tags: Optional[Mapping[str, Any]] = None) -> None:
        """A log message of this severity (0 to 7); with exc_info the traceback stands behind the text."""
        try:
            if not self._wants("oldstyle", severity):
                return
            text = formatted(message, args)
            error = exception_of(exc_info)
            if error is not None:
                text = f"{text}\n{traceback_text(error)}"
        except Exception as fault:
            self._refuse(fault)
            return
        self._send("oldstyle", logger, severity, text, fields, tags)

    def debug(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(DEBUG, message, *args, **options)

    def info(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(INFORMATIONAL, message, *args, **options)

    def notice(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(NOTICE, message, *args, **options)

    def warning(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(WARNING, message, *args, **options)

    warn = warning

    def error(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(ERROR, message, *args, **options)

    def critical(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(CRITICAL, message, *args, **options)

    def alert(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(ALERT, message, *args, **options)

    def emergency(self, message: Any, *args: Any, **options: Any) -> None:
        self.log(EMERGENCY, message, *args, **options)

    def exception(self, message: Any, *args: Any, exc_info: ExcInfo = True, **options: Any) -> None:
        """With the traceback of the exception that is being handled. As in the original client its severity is ALERT."""
        self.log(ALERT, message, *args, exc_info=exc_info, **options)

    def _wants(self, type_: str, severity: int) -> bool:
        raise NotImplementedError

    def _refuse(self, error: BaseException) -> None:
        raise NotImplementedError

    def _send(self, type_: str, logger: Optional[str], severity: Optional[int], payload: Any, fields: Optional[Mapping[str, Any]],
              tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None, name: Optional[str] = None, rate: Optional[float] = None) -> None:
        raise NotImplementedError
