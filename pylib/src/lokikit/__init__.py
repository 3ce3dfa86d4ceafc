"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from typing import TYPE_CHECKING, Any

from lokikit.context import bind, bound, unbind
from lokikit.errors import LokikitError
from lokikit.formatter import JsonFormatter
from lokikit.setup import setup_json_logging

if TYPE_CHECKING:
    from lokikit.handler import LokiHandler

__version__ = "0.1.0"

__all__ = [
    "JsonFormatter",
    "LokiHandler",
    "LokikitError",
    "bind",
    "bound",
    "setup_json_logging",
    "unbind",
]


def __getattr__(name: str) -> Any:
    """`LokiHandler` on demand: it needs the extra `push`."""
    if name != "LokiHandler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from lokikit.handler import LokiHandler  # noqa: PLC0415 - of the extra, only when asked for
    except ImportError as error:
        raise ImportError(
            f"LokiHandler needs its extra: pip install 'lokikit[push]' ({error})"
        ) from error
    return LokiHandler
