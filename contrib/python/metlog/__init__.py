"""metlog - hands messages, metrics and exceptions to a pipeline of the Metlog toolkit, at the cost of microseconds."""
# SPDX-License-Identifier: MPL-2.0
from . import filters, senders
from ._json import Json
from ._logs import ALERT, CRITICAL, DEBUG, EMERGENCY, ERROR, INFORMATIONAL, NOTICE, WARNING
from .client import Counts, MetlogClient
from .config import ConfigError, client_from_dict_config, client_from_file, client_from_stream_config, client_from_text_config
from .holder import CLIENT_HOLDER, get_client
from .timer import Timer

__version__ = "0.1.0"
__all__ = [
    "ALERT", "CLIENT_HOLDER", "CRITICAL", "ConfigError", "Counts", "DEBUG", "EMERGENCY", "ERROR", "INFORMATIONAL", "Json", "MetlogClient", "NOTICE", "Timer",
    "WARNING", "client_from_dict_config", "client_from_file", "client_from_stream_config", "client_from_text_config", "filters", "get_client", "senders",
]
