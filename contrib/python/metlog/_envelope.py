"""_envelope - the text of an envelope (version 0.8), and of its fields and times."""
# SPDX-License-Identifier: MPL-2.0
import datetime
import re
from typing import Any, Mapping, Optional

from ._json import members_text, quote, tags_text, text_of

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?\Z", re.ASCII)


class Parts:
    """What all envelopes of a client share, made once:
    {"type":..,"timestamp":..,"logger":"sync","severity":6,"payload":..,"fields":{..},"env_version":"0.8","metlog_pid":26482,"metlog_hostname":"web1"}"""

    def __init__(self, logger: str, severity: int, pid: int, hostname: str) -> None:
        self.pid = pid
        self._logger, self._severity = quote(logger), severity
        self.logger_severity = f'","logger":{self._logger},"severity":{severity}'
        self.end = f',"env_version":"0.8","metlog_pid":{pid},"metlog_hostname":{quote(hostname)}}}'

    def of(self, logger: Optional[str], severity: int) -> str:
        if logger is None:
            return self.logger_severity if severity == self._severity else f'","logger":{self._logger},"severity":{severity}'
        return f'","logger":{quote(logger if isinstance(logger, str) else text_of(logger))},"severity":{severity}'

    def line(self, type_: str, stamp: str, logger_severity: str, payload: str, fields: str) -> str:
        return f'{{"type":{quote(type_)},"timestamp":"{stamp}{logger_severity},"payload":{payload},"fields":{{{fields}}}{self.end}'


def metric_fields(name: Optional[str], rate_text: Optional[str], fields: Optional[Mapping[Any, Any]], tags: Optional[Mapping[Any, Any]],
                  parts_max: int) -> str:
    """The members of fields: name and rate of a metric, then the caller's in their order but for those that stand here already, then tags."""
    parts = []
    if name is not None:
        parts.append(f'"name":{quote(name)}')
        if rate_text is not None:
            parts.append(f'"rate":{rate_text}')
    if fields:
        without = ("name", "rate")[:len(parts)] + (("tags",) if tags else ())
        rest = members_text(fields, without, parts_max)
        if rest:
            parts.append(rest)
    if tags:
        parts.append(f'"tags":{tags_text(tags)}')
    return ",".join(parts)


def stamp_of(timestamp: Any) -> str:
    """A time that the caller gives: RFC 3339 text goes out as it is; a datetime (naive: UTC) and seconds since 1970 are laid out as ours are."""
    if isinstance(timestamp, str):
        found = _RFC3339.match(timestamp)
        if found is None:
            raise ValueError("the timestamp is not RFC 3339")
        try:
            datetime.date.fromisoformat(found.group(1))
        except ValueError:
            raise ValueError("the timestamp is no day of the calendar") from None
        zone = found.group(6) or "Z"
        if int(found.group(2)) > 23 or int(found.group(3)) > 59 or int(found.group(4)) > 60 or (zone != "Z" and (zone[1:3] > "23" or zone[4:] > "59")):
            raise ValueError("the timestamp is no time of a day")
        return timestamp
    if isinstance(timestamp, datetime.datetime):
        moment = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=datetime.timezone.utc)
    elif isinstance(timestamp, (int, float)) and not isinstance(timestamp, bool):
        moment = datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc)
    else:
        raise ValueError("the timestamp is neither text, a datetime nor seconds")
    return moment.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
