"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from lokikit.context import bind, bound, unbind
from lokikit.errors import LokikitError
from lokikit.formatter import JsonFormatter
from lokikit.setup import setup_json_logging

__version__ = "0.1.0"

__all__ = [
    "JsonFormatter",
    "LokikitError",
    "bind",
    "bound",
    "setup_json_logging",
    "unbind",
]
