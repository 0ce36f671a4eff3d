"""filters - which messages a client leaves out, by type and severity; the names are those of metlog-client(5) and of the original client."""
# SPDX-License-Identifier: MPL-2.0
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple, Union, cast

#: Anything callable with the message as a dict; a false answer leaves it out. It may change the message, which is a copy.
Filter = Callable[[Dict[str, Any]], Any]


class Rule:
    """A filter that looks at type and severity alone, which costs next to nothing. It can be called as any filter."""

    def __init__(self, severity_max: int = 7, allow: Optional[FrozenSet[str]] = None, deny: FrozenSet[str] = frozenset(),
                 types: Optional[Mapping[str, int]] = None) -> None:
        self.severity_max, self.allow, self.deny, self.types = severity_max, allow, deny, dict(types or {})

    def passes(self, type_: Any, severity: int) -> bool:
        if severity > self.severity_max or type_ in self.deny or (self.allow is not None and type_ not in self.allow):
            return False
        return severity <= self.types.get(type_, 7)

    def __call__(self, message: Dict[str, Any]) -> bool:
        return self.passes(message["type"], message["severity"])


def _severity(value: Any, what: str) -> int:
    try:
        severity = int(value)
    except (TypeError, ValueError):
        severity = -1
    if isinstance(value, bool) or not 0 <= severity <= 7:
        raise ValueError(f"{what}: {value!r} is no severity from 0 to 7")
    return severity


def _types(types: Union[str, Iterable[str]]) -> FrozenSet[str]:
    return frozenset(types.split() if isinstance(types, str) else types)


def severity_max(severity: Any) -> Rule:
    """Only severities up to this one: the more important ones."""
    return Rule(severity_max=_severity(severity, "severity"))


def type_allow(types: Union[str, Iterable[str]]) -> Rule:
    """Only these types."""
    return Rule(allow=_types(types))


def type_deny(types: Union[str, Iterable[str]]) -> Rule:
    """All types but these."""
    return Rule(deny=_types(types))


def type_severity_max(types: Union[str, Iterable[str], Mapping[str, Any]]) -> Rule:
    """Of these types only severities up to so much: "request:4 debug:7", or the original's {"request": {"severity": 4}}. Others pass."""
    found: Dict[str, int] = {}
    if isinstance(types, Mapping):
        for name, limit in types.items():
            found[name] = _severity(limit["severity"] if isinstance(limit, Mapping) else limit, name)
    else:
        for item in types.split() if isinstance(types, str) else types:
            name, colon, limit = item.rpartition(":")
            if not colon:
                raise ValueError(f"types: {item!r} is not TYPE:SEVERITY")
            found[name] = _severity(limit, f"types: {name}")
    return Rule(types=found)


severity_max_provider, type_severity_max_provider = severity_max, type_severity_max
type_whitelist_provider, type_blacklist_provider = type_allow, type_deny

PROVIDERS: Dict[str, Tuple[Callable[..., Rule], str]] = {
    "severity_max": (severity_max, "severity"), "severity_max_provider": (severity_max, "severity"),
    "type_allow": (type_allow, "types"), "type_whitelist_provider": (type_allow, "types"),
    "type_deny": (type_deny, "types"), "type_blacklist_provider": (type_deny, "types"),
    "type_severity_max": (type_severity_max, "types"), "type_severity_max_provider": (type_severity_max, "types"),
}


def split(filters: Iterable[Union[Filter, Tuple[Filter, Mapping[str, Any]]]]) -> Tuple[List[Rule], List[Filter]]:
    """Those about type and severity, and the others. The original's pairs of a provider and its options are taken too."""
    rules: List[Rule] = []
    others: List[Filter] = []
    for one in filters:
        if isinstance(one, tuple):
            one = cast(Callable[..., Filter], one[0])(**one[1])
        if isinstance(one, Rule):
            rules.append(one)
        elif callable(one):
            others.append(one)
        else:
            raise TypeError(f"{one!r} is no filter: neither a Rule nor callable")
    return rules, others
