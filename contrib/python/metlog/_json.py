"""_json - JSON text of any Python value, as all clients of the toolkit write it: compact, raw UTF-8, never anything that is not JSON."""
# SPDX-License-Identifier: MPL-2.0
import dataclasses
import datetime
import json.encoder
import re
from collections import deque
from collections.abc import Mapping, Set
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

#: Containers in containers beyond this depth are cut: an envelope may nest 64 deep, of which it needs two itself.
DEPTH_MAX = 60
CUT = '"..."'

#: The text between quotes, with the escapes that JSON needs and no others.
quote = cast(Callable[[str], str], json.encoder.c_encode_basestring or json.encoder.py_encode_basestring)  # type: ignore[attr-defined]

_NON_FINITE = {"inf", "-inf", "nan"}


class TooLong(ValueError):
    """The value has more parts than the longest envelope has bytes."""


class Json(str):
    """JSON text that goes out as it is, as a value of fields or as a payload, once it has been found to be JSON. Newlines in it become blanks."""


def mend(text: str) -> str:
    """The text without lone surrogates, each of which becomes U+FFFD. Two that are a pair become their character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def number_text(value: float) -> str:
    """As ECMAScript and RFC 8785 lay out a number: the shortest digits that read back, 0.1, 3, 1e+21, 1e-7. "null" for what is no number."""
    text = float.__repr__(value)
    if "e" not in text and "n" not in text:
        return text if not text.endswith(".0") else text[:-2] if text != "-0.0" else "0"
    if text in _NON_FINITE:
        return "null"
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if power >= 21 or power < -6:
        return f"{mantissa}e{'+' if power > 0 else ''}{power}"
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    if power > 0:
        return sign + whole + fraction + "0" * (power - len(fraction))
    return sign + "0." + "0" * (-power - 1) + whole + fraction


def integer_text(value: int) -> str:
    """Decimal digits of an integer of any size; Python itself refuses beyond 4300 of them."""
    try:
        return int.__repr__(value)
    except ValueError:
        pass
    if value < 0:
        return "-" + integer_text(-value)
    half = value.bit_length() * 1233 >> 13
    high, low = divmod(value, 10 ** half)
    return integer_text(high) + integer_text(low).rjust(half, "0")


def text_of(value: Any) -> str:
    """What is no JSON, as text; an object that cannot even say what it is raises nothing."""
    try:
        return repr(value) if isinstance(value, BaseException) else str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def key_of(key: Any) -> str:
    """A key as text, as the json module makes one of numbers, None and booleans."""
    if isinstance(key, str):
        return key
    if key is None or key is True or key is False:
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int):
        return integer_text(key)
    return number_text(key) if isinstance(key, float) else text_of(key)


class _Walk:
    """One value on its way to text: the containers around the place, and how many parts may still come."""

    __slots__ = ("around", "left")

    def __init__(self, parts_max: int) -> None:
        self.around: List[int] = []
        self.left = parts_max


def _enter(walk: _Walk, container: Any, length: int) -> bool:
    """False: it is within itself, or too deep. Raises TooLong."""
    walk.left -= length + 1
    if walk.left < 0:
        raise TooLong
    if len(walk.around) >= DEPTH_MAX or id(container) in walk.around:
        return False
    walk.around.append(id(container))
    return True


def _mapping(value: Mapping[Any, Any], walk: _Walk) -> str:
    if not value:
        return "{}"
    if not _enter(walk, value, len(value)):
        return CUT
    members = [f"{quote(key if key.__class__ is str else key_of(key))}:{_value(item, walk)}" for key, item in list(value.items())]
    walk.around.pop()
    return "{" + ",".join(members) + "}"


def _sequence(value: Any, walk: _Walk) -> str:
    if not value:
        return "[]"
    if not _enter(walk, value, len(value)):
        return CUT
    items = [_value(item, walk) for item in list(value)]
    walk.around.pop()
    return "[" + ",".join(items) + "]"


def _ordered(value: Any) -> List[Any]:
    try:
        return sorted(value)
    except Exception:
        return list(value)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def _nests_deeper(text: str, most: int) -> bool:
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for sign in _STRING.sub("", text):
        depth += (sign in "[{") - (sign in "]}")
        if depth > most:
            return True
    return False


def unshared(value: Any) -> Any:
    """The value with copies of its dicts, lists and tuples, for one who may change it; what else is in them is the same."""
    return _copy_of(value, {}, 0)


def _copy_of(value: Any, known: Dict[int, Tuple[Any, Any]], depth: int) -> Any:
    own = type(value)
    kind: Optional[type] = dict if issubclass(own, dict) else list if issubclass(own, list) else tuple if own is tuple else None
    if kind is None or depth > DEPTH_MAX:
        return value
    if id(value) in known:
        return known[id(value)][1]
    try:
        items = list(value.items() if kind is dict else value)
    except Exception:
        return value
    made: Any = {} if kind is dict else []
    known[id(value)] = (value, made)   # of a tuple within itself: the list, which is the same JSON
    if kind is dict:
        made.update((key, _copy_of(item, known, depth + 1)) for key, item in items)
        return made
    made.extend(_copy_of(item, known, depth + 1) for item in items)
    if kind is tuple:
        made = tuple(made)
        known[id(value)] = (value, made)
    return made


def checked(value: Json, depth_max: int = DEPTH_MAX) -> str:
    """The text of a Json. Raises ValueError where it is none, or nests deeper than it may."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    if _nests_deeper(value, depth_max):
        raise ValueError("the JSON nests too deep for an envelope")
    json.loads(value, parse_constant=refuse, parse_int=str)
    return value.replace("\n", " ").replace("\r", " ")


def _other(value: Any, walk: _Walk) -> str:
    if isinstance(value, Json):
        return checked(value, DEPTH_MAX - len(walk.around))
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int):
        return integer_text(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Mapping):
        return _mapping(value, walk)
    if isinstance(value, (list, tuple, deque)):
        return _sequence(value, walk)
    if isinstance(value, Set):
        return _sequence(_ordered(value), walk)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return quote(bytes(value).decode("utf-8", "replace"))
    if isinstance(value, (datetime.date, datetime.time)):
        return quote(value.isoformat())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _record(value, walk)
    return quote(text_of(value))


def _record(value: Any, walk: _Walk) -> str:
    members = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if not _enter(walk, value, 0):
        return CUT
    text = _mapping(members, walk)
    walk.around.pop()
    return text


_simple: Dict[type, Callable[[Any], str]] = {
    str: quote,
    int: integer_text,
    float: number_text,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
}


def _value(value: Any, walk: _Walk) -> str:
    write = _simple.get(value.__class__)
    if write is not None:
        return write(value)
    if value.__class__ is dict:
        return _mapping(value, walk)
    if value.__class__ is list or value.__class__ is tuple:
        return _sequence(value, walk)
    depth = len(walk.around)
    try:
        return _other(value, walk)
    except (TooLong, RecursionError):
        raise
    except Exception as error:
        if isinstance(error, ValueError) and isinstance(value, Json):
            raise
        del walk.around[depth:]   # it may have got as far as being entered
        return quote(text_of(value))


def value_text(value: Any, parts_max: int = 1 << 20) -> str:
    """JSON of any value: what JSON has no form for becomes text, what is within itself or deeper than DEPTH_MAX is cut. Raises ValueError
    (TooLong, or a Json that is none)."""
    write = _simple.get(value.__class__)
    return write(value) if write is not None else _value(value, _Walk(parts_max))


def members_text(fields: Mapping[Any, Any], without: Tuple[str, ...], parts_max: int = 1 << 20) -> str:
    """The members of an object, without its braces and without those of these names. Raises as value_text does."""
    members, walk = [], _Walk(parts_max)
    for key, value in list(fields.items()):
        name = key if key.__class__ is str else key_of(key)
        if name in without:
            continue
        write = _simple.get(value.__class__)
        members.append(f"{quote(name)}:{write(value) if write is not None else _value(value, walk)}")
    return ",".join(members)


def tags_text(tags: Mapping[Any, Any]) -> str:
    """An object of strings."""
    return "{" + ",".join(f"{quote(key_of(key))}:{quote(value if isinstance(value, str) else key_of(value))}" for key, value in list(tags.items())) + "}"
