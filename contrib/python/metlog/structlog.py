"""structlog - the last processor of a structlog chain: sends the event. structlog itself is not needed to import this."""
# SPDX-License-Identifier: MPL-2.0
import sys
from typing import Any, Dict, MutableMapping, Optional

from ._logs import exception_of, traceback_text
from .client import MetlogClient

_SEVERITIES = {"debug": 7, "info": 6, "notice": 5, "warning": 4, "warn": 4, "error": 3, "err": 3, "exception": 3, "critical": 2, "fatal": 2, "alert": 1, "emergency": 0,
               "msg": 6, "log": 6}


class MetlogRenderer:
    """`structlog.configure(processors=[..., MetlogRenderer(client)])`. The event is the payload, the rest of its dict the fields; `level`, `logger`
    and a `timestamp` of RFC 3339 become the envelope's. exc_info becomes a traceback behind the text, or a message of type sentry. The event is done
    with then (structlog.DropEvent), unless passes_on: then it goes on to the next processor as it came."""

    def __init__(self, client: MetlogClient, type: str = "oldstyle", sentry: bool = False, passes_on: bool = False) -> None:
        self._client, self._type, self._sentry, self._passes_on = client, type, sentry, passes_on

    def __call__(self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        try:
            self._send(method_name, dict(event_dict))
        except Exception as error:
            self._client._refuse(error)
        if self._passes_on:
            return event_dict
        raise _drop_event()

    def _send(self, method_name: str, fields: Dict[str, Any]) -> None:
        text = fields.pop("event", "")
        level, name = fields.pop("level", method_name), fields.pop("logger", None)
        timestamp: Optional[Any] = fields.get("timestamp")
        if isinstance(timestamp, str):
            from ._envelope import stamp_of
            try:
                stamp_of(timestamp)
                del fields["timestamp"]
            except ValueError:
                timestamp = None
        else:
            timestamp = None
        error = exception_of(fields.pop("exc_info", None))
        severity = _SEVERITIES.get(str(level).lower(), 6)
        if error is not None and self._sentry:
            self._client.capture_exception(error, str(text), name, severity, fields)
            return
        if error is not None:
            text = f"{text}\n{traceback_text(error)}"
        if fields.get("exception") and isinstance(fields["exception"], str):   # of structlog's format_exc_info
            text = f"{text}\n{fields.pop('exception')}"
        self._client._send(self._type, name, severity, text, fields, None, timestamp)


def _drop_event() -> BaseException:
    structlog = sys.modules.get("structlog")
    if structlog is None:
        raise ImportError("MetlogRenderer outside of structlog needs passes_on=True")
    return structlog.DropEvent()  # type: ignore[no-any-return]
