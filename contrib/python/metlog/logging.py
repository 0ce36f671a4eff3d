"""logging - a handler for the standard library's logging."""
# SPDX-License-Identifier: MPL-2.0
import logging
from typing import Any, Dict, Mapping, Optional

from ._json import text_of
from ._logs import formatted, traceback_text
from .client import MetlogClient

#: What every record has; the rest of its attributes was given as `extra`.
_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName", "stack_info"}


class MetlogHandler(logging.Handler):
    """Records as messages of type oldstyle: the formatted text, `extra` as fields, the record's logger as the envelope's. exc_info goes behind the text as a
    traceback; with sentry=True such a record becomes one of type sentry instead. `levels` gives severities to levels: those between two have the lower one's."""

    LEVELS: Dict[int, int] = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

    def __init__(self, client: MetlogClient, level: int = logging.NOTSET, levels: Optional[Mapping[int, int]] = None, sentry: bool = False) -> None:
        super().__init__(level)
        if not isinstance(client, MetlogClient):  # in a dict of dictConfig a name alone is a text
            raise TypeError(f"{client!r} is no client" + (f"; by its name it is 'ext://{client}'" if isinstance(client, str) else ""))
        self.client, self.sentry = client, sentry
        self._levels = sorted({**self.LEVELS, **(levels or {})}.items(), reverse=True)

    def severity_of(self, level: int) -> int:
        for least, severity in self._levels:
            if level >= least:
                return severity
        return 7

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception as error:
            self.client._refuse(error)

    def _emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) if self.formatter is not None else record.getMessage()
        except Exception:
            args = record.args if isinstance(record.args, tuple) else (record.args,)
            text = formatted(record.msg, args)
        severity = self.severity_of(record.levelno)
        fields = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self.sentry:
            self.client.capture_exception(error, text, record.name, severity, fields)
            return
        if self.formatter is None:
            if error is not None:
                text = f"{text}\n{traceback_text(error)}"
            if record.stack_info:
                text = f"{text}\n{text_of(record.stack_info)}"
        self.client._send("oldstyle", record.name, severity, text, fields, None, record.created)


def hook_logger(name: Optional[str], client: MetlogClient, **options: Any) -> MetlogHandler:
    """Gives the logger of that name (None or "": the root) a handler, in the place of one that it had of ours."""
    logger = logging.getLogger(name or None)
    for handler in list(logger.handlers):
        if isinstance(handler, MetlogHandler):
            logger.removeHandler(handler)
    handler = MetlogHandler(client, **options)
    logger.addHandler(handler)
    return handler
