"""_events - security events (type cef) and exceptions (type sentry) of a client."""
# SPDX-License-Identifier: MPL-2.0
from typing import Any, Dict, List, Mapping, Optional

from ._json import key_of, text_of
from ._logs import ExcInfo, exception_of

#: Of a long stack the outermost and the innermost frames are kept; texts of an exception are cut.
FRAMES_MAX, TEXT_MAX, CAUSES_MAX, LOCALS_MAX, LOCAL_TEXT_MAX = 100, 8192, 10, 50, 200
_CEF_PARTS = ("signature", "name", "severity", "vendor", "product", "version")


def _cut(text: str, most: int = TEXT_MAX) -> str:
    return text if len(text) <= most else text[:most - 3] + "..."


def _frame(frame: Any, line: int, with_locals: bool) -> Dict[str, Any]:
    code = frame.f_code
    described: Dict[str, Any] = {"filename": code.co_filename, "function": code.co_name, "module": text_of(frame.f_globals.get("__name__", "")), "lineno": line}
    if with_locals:
        described["vars"] = {name: _cut(_shown(value), LOCAL_TEXT_MAX) for name, value in list(frame.f_locals.items())[:LOCALS_MAX]}
    return described


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _frames(error: BaseException, with_locals: bool) -> List[Dict[str, Any]]:
    steps = []
    step = error.__traceback__
    while step is not None:
        steps.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    if len(steps) > FRAMES_MAX:
        steps = steps[:FRAMES_MAX // 2] + steps[-FRAMES_MAX // 2:]
    return [_frame(frame, line, with_locals) for frame, line in steps]


def _cause(error: BaseException) -> Optional[BaseException]:
    return error.__cause__ if error.__cause__ is not None or error.__suppress_context__ else error.__context__


def _members(error: BaseException) -> List[BaseException]:
    """Of an ExceptionGroup, that of the package exceptiongroup too."""
    try:
        found = getattr(error, "exceptions", ())
        return [one for one in found[:CAUSES_MAX] if isinstance(one, BaseException)] if isinstance(found, (tuple, list)) else []
    except Exception:
        return []


def _chain(error: BaseException) -> List[BaseException]:
    """The exception, its causes, and what its groups hold, causes first."""
    chain: List[BaseException] = []
    left = [error]
    while left and len(chain) < CAUSES_MAX:
        one = left.pop(0)
        if any(one is other for other in chain):
            continue
        chain.append(one)
        cause = _cause(one)
        left += [*([] if cause is None else [cause]), *_members(one)]
    return chain[::-1]


def _described(error: BaseException, with_locals: bool) -> Dict[str, Any]:
    kind = type(error)
    found: Dict[str, Any] = {"type": kind.__qualname__, "value": _cut(_message(error))}
    if kind.__module__ not in ("builtins", "__main__", None):
        found["module"] = kind.__module__
    frames = _frames(error, with_locals)
    if frames:
        found["stacktrace"] = {"frames": frames}
    return found


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__}>"


def exception_fields(error: BaseException, with_locals: bool = False) -> Dict[str, Any]:
    """fields.exception and fields.platform, as an event of Sentry has them."""
    return {"exception": {"values": [_described(one, with_locals) for one in _chain(error)]}, "platform": "python"}


def exception_text(error: BaseException) -> str:
    message = _message(error)
    return _cut(f"{type(error).__qualname__}: {message}" if message else type(error).__qualname__)


class Events:
    """Methods of MetlogClient."""

    cef_meta: Dict[str, Any]
    capture_locals: bool

    def cef_event(self, signature: Any = None, name: Any = None, severity: Any = None, vendor: Any = None, product: Any = None, version: Any = None,
                  extension: Optional[Mapping[str, Any]] = None, logger: Optional[str] = None, timestamp: Any = None) -> None:
        """A security event by its parts, of which None ones are left out, and the keys of its extension, of which those named as a part that is given
        are left out. metlog-to-cef(1) makes the line, and sees to the escaping. `severity` is CEF's, 0 to 10 or its word; the envelope has the client's."""
        parts = (signature, name, severity, vendor, product, version)
        fields: Dict[str, Any] = {key: value for key, value in zip(_CEF_PARTS, parts) if value is not None}
        taken = frozenset(fields)
        try:
            for key, value in dict(extension or {}).items():
                if key_of(key) not in taken:
                    fields[key] = value
        except Exception as error:
            self._refuse(error)
            return
        if self.cef_meta:
            fields["cef_meta"] = self.cef_meta
        self._send("cef", logger, None, "", fields, None, timestamp)

    def cef(self, name: str, severity: Any, environ: Mapping[str, Any], config: Mapping[str, Any], username: Optional[str] = "none",
            signature: Optional[str] = None, **ext: Any) -> None:
        """As the original client's: of a WSGI environment, and with cef.vendor, cef.product and cef.device_version of the configuration. The address is
        that of the connection; X-Forwarded-For, which anybody can forge, only with cef.trust_forwarded_for."""
        try:
            environ, config = environ or {}, config or {}
            source = environ.get("REMOTE_ADDR")
            if config.get("cef.trust_forwarded_for"):
                source = (environ.get("HTTP_X_FORWARDED_FOR") or source or "").split(",")[0].strip()
            found = {"suser": username, "requestMethod": environ.get("REQUEST_METHOD"), "request": environ.get("PATH_INFO"), "src": source,
                     "dhost": environ.get("HTTP_HOST"), "requestClientApplication": environ.get("HTTP_USER_AGENT")}
            extension = {key: value for key, value in found.items() if value not in (None, "")}
            extension.update(ext)
            vendor, product, version = (config.get(f"cef.{key}") for key in ("vendor", "product", "device_version"))
            signature = signature or name
        except Exception as error:
            self._refuse(error)
            return
        self.cef_event(signature, name, severity, vendor, product, version, extension)

    def capture_exception(self, error: ExcInfo = True, payload: Optional[str] = None, logger: Optional[str] = None, severity: int = 3,
                          fields: Optional[Mapping[str, Any]] = None, tags: Optional[Mapping[str, Any]] = None) -> bool:
        """An exception with its stack and its causes, as Sentry has them: the one that is being handled, or the one given (also as exc_info). False if there
        is none. Local variables are told only with capture_locals: they may hold secrets."""
        try:
            found = exception_of(error)
            if found is None:
                return False
            whole = exception_fields(found, self.capture_locals)
            whole.update((key, value) for key, value in dict(fields or {}).items() if key not in ("exception", "platform"))
            payload = exception_text(found) if payload is None else payload
        except Exception as fault:
            self._refuse(fault)
            return False
        self._send("sentry", logger, severity, payload, whole, tags)
        return True

    def raven(self, msg: str = "", exc_info: ExcInfo = True, logger: Optional[str] = None, severity: int = 3, payload: Optional[str] = None, **fields: Any) -> bool:
        """As the original client's: nothing is sent without an exception, unless there is a payload."""
        try:
            extra = {"msg": msg, **fields} if msg else fields
            error = exception_of(exc_info)
        except Exception as fault:
            self._refuse(fault)
            return False
        if error is not None:
            return self.capture_exception(error, payload, logger, severity, extra)
        if payload is None:
            return False
        self._send("sentry", logger, severity, payload, {"platform": "python", **extra})
        return True

    def _send(self, type_: str, logger: Optional[str], severity: Optional[int], payload: Any, fields: Optional[Mapping[str, Any]],
              tags: Optional[Mapping[str, Any]] = None, timestamp: Any = None, name: Optional[str] = None, rate: Optional[float] = None) -> None:
        raise NotImplementedError

    def _refuse(self, error: BaseException) -> None:
        raise NotImplementedError
