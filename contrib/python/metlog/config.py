"""config - clients from configurations: a dict, INI text, a stream or a file; metlog-client(5) has the keys, which C and Node.js take too."""
# SPDX-License-Identifier: MPL-2.0
import configparser
import importlib
import json
import os
import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, TextIO, Tuple, Union

from . import _settings, filters, senders
from .client import MetlogClient
from .holder import CLIENT_HOLDER

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
#: Of [metlog], with what is made of a text. `threads` is for C alone.
_KEYS: Dict[str, Callable[[Any], Any]] = {
    "endpoint": str, "logger": str, "hostname": str, "when_full": str, "curve_secret": str, "curve_server": str,
    "buffer": _settings.size, "line": _settings.size, "threads": _settings.size, "close": _settings.duration,
    "insecure": _settings.boolean, "capture_locals": _settings.boolean,
    "severity": lambda value: _settings.severity(int(value) if isinstance(value, str) and value.strip().isdigit() else value),
    "disabled_timers": lambda value: value.split() if isinstance(value, str) else list(value),
}
_CEF_META = ("syslog_options", "syslog_facility", "syslog_ident", "syslog_priority")


class ConfigError(ValueError):
    """A configuration that is wrong; the text says where."""


def _expanded(value: str, what: str) -> str:
    """With the environment variable in whose ${NAME} the value begins."""
    found = _VARIABLE.match(value)
    if found is None:
        return value
    if found.group(1) not in os.environ:
        raise ConfigError(f"{what}: the environment variable {found.group(1)} is not set")
    return os.environ[found.group(1)] + value[found.end():]


def _loose(value: str) -> Any:
    """The value of a key that is not ours, as the original client reads it: lists by line, integers, booleans."""
    lines = [line.strip() for line in value.split("\n") if line.strip()]
    if len(lines) > 1:
        return [_loose(line) for line in lines]
    text = lines[0] if lines else ""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return _settings.boolean(text)
    except ValueError:
        return text


def _attribute(dotted: str, what: str) -> Any:
    module, _, name = dotted.replace(":", ".").rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{what}: cannot load {dotted}: {error}") from None


# --- senders, as the original's configurations name them

def _only(value: Any, what: str) -> Any:
    values = value.split() if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else [value]
    if len(values) != 1:
        raise ConfigError(f"{what}: one far side is needed, and not {len(values)}; to copy to several use metlog-route")
    return values[0]


def _sender(class_name: str, options: Dict[str, Any]) -> Union[str, senders.Sender]:
    name = class_name.replace(":", ".").rpartition(".")[2]
    try:
        if name == "UdpSender":
            return f"udp:{_only(options['host'], 'sender_host')}:{_only(options['port'], 'sender_port')}"
        if name == "ZmqPubSender":
            return f"pub:{_only(options['bindstrs'], 'sender_bindstrs')}"
        if name == "ZmqHandshakePubSender":
            return f"pub:{_only(options['connect_bind'], 'sender_connect_bind')}"
        if name == "FileSender":
            return f"file:{_only(options['filepath'], 'sender_filepath')}"
        if name == "StdOutSender":
            return "-"
    except KeyError as error:
        raise ConfigError(f"sender_class: {name} needs sender_{error.args[0]}") from None
    known = getattr(senders, name, None) if class_name == name or class_name.startswith("metlog.") else None
    made = known or _attribute(class_name, "sender_class")
    try:
        sender: senders.Sender = made(**options)
    except Exception as error:
        raise ConfigError(f"sender_class: {class_name}: {error}") from None
    return sender


# --- filters and plugins

def _filter(name: str, options: Mapping[str, Any]) -> filters.Filter:
    rest = dict(options)
    provider = rest.pop("provider", None)
    if not isinstance(provider, str):
        raise ConfigError(f"{name}: a provider is missing")
    short = provider.replace(":", ".").rpartition(".")[2]
    if provider != short and not provider.startswith("metlog."):
        made: Any = _attribute(provider, name)
        rest = {key: _loose(value) if isinstance(value, str) else value for key, value in rest.items()}
    elif short in filters.PROVIDERS:
        made, option = filters.PROVIDERS[short]
        unknown = sorted(set(rest) - {option})
        if unknown or option not in rest:
            raise ConfigError(f"{name}: {unknown[0]} is no option of {short}" if unknown else f"{name}: {short} needs {option}")
    else:
        raise ConfigError(f"{name}: there is no filter {provider}; there are {', '.join(sorted(key for key in filters.PROVIDERS if '_provider' not in key))}")
    try:
        one = made(**rest)
    except Exception as error:
        raise ConfigError(f"{name}: {error}") from None
    return one  # type: ignore[no-any-return]


def _plug(client: MetlogClient, name: str, options: Mapping[str, Any]) -> None:
    rest = {key: _loose(value) if isinstance(value, str) else value for key, value in options.items()}
    provider, override = str(rest.pop("provider", "")), rest.pop("override", None)
    if provider.startswith("metlog_cef") or (name == "cef" and not provider):
        unknown = sorted(set(rest) - set(_CEF_META))
        if unknown:
            raise ConfigError(f"metlog_plugin_{name}: {unknown[0]} is unknown")
        client.cef_meta = {key: rest.get(key) for key in _CEF_META} if rest else {}
    elif provider.startswith("metlog_raven"):
        if rest.get("dsn") or rest.get("sentry_project_id"):
            raise ConfigError(f"metlog_plugin_{name}: the far side has the dsn, not the client: metlog-to-sentry")
        if override == "exception":
            client.add_method(client.capture_exception, override=True, name="exception")
    elif not provider:
        raise ConfigError(f"metlog_plugin_{name}: a provider is missing")
    else:
        method = _attribute(provider, f"metlog_plugin_{name}")(rest)
        client.add_method(method, override=bool(override), name=str(override) if isinstance(override, str) else getattr(method, "metlog_name", name))


# --- the ways in

def client_from_dict_config(config: Mapping[str, Any], client: Optional[MetlogClient] = None, clear_global: bool = False,
                            endpoint: Optional[str] = None, **options: Any) -> MetlogClient:
    """Keys as in [metlog], `filters` as dicts or pairs of provider and options, and the original's sender, plugins and global. `endpoint` and `options`
    (MetlogClient's) win over the configuration. With `client` that one is made anew. Raises ConfigError; the dict is not touched."""
    settings: Dict[str, Any] = {}
    rest = dict(config)
    sender = dict(rest.pop("sender", None) or {})
    given_filters, plugins = rest.pop("filters", None) or (), dict(rest.pop("plugins", None) or {})
    global_config = dict(rest.pop("global", None) or {})
    for key, value in rest.items():
        if key.startswith("sender_"):
            sender[key[7:]] = value
        elif key.startswith("global_"):
            global_config[key[7:]] = value
        elif key not in _KEYS:
            raise ConfigError(f"metlog: {key} is unknown")
        else:
            try:
                settings[key] = _KEYS[key](value)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"metlog: {key}: {error}") from None
    class_name = sender.pop("class", None)
    target = endpoint or settings.pop("endpoint", None) or (_sender(class_name, sender) if class_name else None)
    settings.pop("endpoint", None)
    settings.pop("threads", None)
    if target is None:
        raise ConfigError("metlog: endpoint is missing")
    made = [_filter(*_pair(number, one)) for number, one in enumerate(given_filters)]
    settings = {**settings, "filters": made, **options}
    try:
        client = _made(client, target, settings)
    except (ValueError, TypeError, OSError) as error:
        raise ConfigError(f"metlog: {error}") from None
    for name, one in plugins.items():
        if isinstance(one, (list, tuple)):
            one = {**one[1], "provider": one[0]}
        _plug(client, name, one)
    client._config = json.dumps(dict(config), default=str)
    if clear_global:
        CLIENT_HOLDER.global_config.clear()
    CLIENT_HOLDER.global_config.update(global_config)
    return client


def _made(client: Optional[MetlogClient], target: Any, settings: Dict[str, Any]) -> MetlogClient:
    if client is None:
        return MetlogClient(target, **settings)
    client.close()
    client.__init__(target, **settings)  # type: ignore[misc]
    return client


def _pair(number: int, one: Any) -> Tuple[str, Mapping[str, Any]]:
    if isinstance(one, Mapping):
        return f"metlog_filter_{one.get('name', number + 1)}", {key: value for key, value in one.items() if key != "name"}
    if isinstance(one, (list, tuple)) and len(one) == 2 and isinstance(one[0], str):
        return f"metlog_filter_{number + 1}", {**one[1], "provider": one[0]}
    raise ConfigError(f"metlog_filter_{number + 1}: neither a dict nor a pair of provider and options")


def _one_line(value: str, what: str) -> str:
    lines = [line for line in value.split("\n") if line]
    if len(lines) > 1:
        raise ConfigError(f"{what}: one line is expected; is the next one indented by mistake?")
    return lines[0] if lines else ""


def _place(lines: List[str], section: str, told: str) -> str:
    """":7", the line of the key, or of the section that is not [metlog], with whose names the text begins; "" if there is none."""
    words = re.match(r"(\w+): (\w*)", told)
    if words is None:
        return ""
    names = {words.group(1), section + words.group(1)[6:] if words.group(1).startswith("metlog") else ""}
    key = re.compile(rf"\s*{words.group(2) or '='}\b[^=:]*([=:]|$)", re.IGNORECASE)
    found, current = 0, ""
    for number, line in enumerate(lines, 1):
        head = re.match(r"\[([^]]*)\]", line)
        if head is not None:
            current = head.group(1)
            found = number if current in names and current != section else found
        elif current in names and key.match(line):
            return f":{number}"
    return f":{found}" if found else ""


def _sections(stream: Iterable[str], name: str, section: str) -> Dict[str, Any]:
    """The dict that an INI file says the same as."""
    parser = configparser.RawConfigParser(default_section="\0", strict=True, allow_no_value=True)
    try:
        parser.read_file(stream, name)
    except configparser.Error as error:
        raise ConfigError(" ".join(str(error).split())) from None
    if not parser.has_section(section):
        raise ConfigError(f"{name}: there is no section [{section}]")

    def values(of: str) -> Dict[str, str]:
        for key, value in parser.items(of):
            if value is None:  # in the sections of others that is their affair
                raise ConfigError(f"{of}: {key}: no value")
        return {key: _expanded(value, f"{of}: {key}") for key, value in parser.items(of)}

    config: Dict[str, Any] = {}
    for key, value in values(section).items():
        config[key] = _loose(value) if key.startswith(("sender_", "global_")) else value if key == "disabled_timers" else _one_line(value, f"{section}: {key}")
    found: List[Dict[str, Any]] = []
    plugins: Dict[str, Any] = {}
    for other in parser.sections():
        if other.startswith(f"{section}_filter_"):
            found.append({**values(other), "name": other[len(section) + 8:]})
        elif other.startswith(f"{section}_plugin_"):
            plugins[other[len(section) + 8:]] = values(other)
        elif other.startswith("metlog") and other != section:
            raise ConfigError(f"{other}: the section [{other}] is unknown")
    return {**config, "filters": found, "plugins": plugins}


def client_from_stream_config(stream: TextIO, section: str = "metlog", client: Optional[MetlogClient] = None, clear_global: bool = False,
                              **options: Any) -> MetlogClient:
    """From an open INI file. Raises ConfigError."""
    name = str(getattr(stream, "name", "<configuration>"))
    lines = list(stream)
    try:
        return client_from_dict_config(_sections(lines, name, section), client, clear_global, **options)
    except ConfigError as error:
        raise ConfigError(str(error) if str(error).startswith(f"{name}: ") else f"{name}{_place(lines, section, str(error))}: {error}") from None


def client_from_text_config(text: str, section: str = "metlog", client: Optional[MetlogClient] = None, clear_global: bool = False,
                            **options: Any) -> MetlogClient:
    """From INI text. Raises ConfigError."""
    return client_from_stream_config(iter(text.splitlines(True)), section, client, clear_global, **options)  # type: ignore[arg-type]


def client_from_file(path: Union[str, "os.PathLike[str]"], section: str = "metlog", client: Optional[MetlogClient] = None, clear_global: bool = False,
                     **options: Any) -> MetlogClient:
    """From an INI file. Raises ConfigError, or OSError if it cannot be read."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        return client_from_stream_config(stream, section, client, clear_global, **options)
