"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lokikit.asgi import AsgiMiddleware
from lokikit.bridges import take_in_loguru, take_in_structlog
from lokikit.context import bind, bound, unbind
from lokikit.errors import LokikitError
from lokikit.formatter import JsonFormatter
from lokikit.frameworks import log_requests
from lokikit.outgoing import pass_request_id
from lokikit.setup import json_handler, logging_config, setup_json_logging
from lokikit.tasks import TaskInaction, TaskTermination, task
from lokikit.wsgi import WsgiMiddleware

if TYPE_CHECKING:
    from lokikit.client import Loki, logs
    from lokikit.handler import LokiHandler
    from lokikit.runs import task_runs

__version__ = "0.1.0"

__all__ = [
    "AsgiMiddleware",
    "JsonFormatter",
    "Loki",
    "LokiHandler",
    "LokikitError",
    "TaskInaction",
    "TaskTermination",
    "WsgiMiddleware",
    "bind",
    "bound",
    "json_handler",
    "log_requests",
    "logging_config",
    "logs",
    "pass_request_id",
    "setup_json_logging",
    "take_in_loguru",
    "take_in_structlog",
    "task",
    "task_runs",
    "unbind",
]

_ON_DEMAND = {
    "Loki": ("lokikit.client", "query"),
    "LokiHandler": ("lokikit.handler", "push"),
    "logs": ("lokikit.client", "query"),
    "task_runs": ("lokikit.runs", "query"),
}
"""Public name -> the module that it is imported from when first used, and the extra of that."""


def __getattr__(name: str) -> Any:
    """What stands in `_ON_DEMAND`."""
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _ON_DEMAND[name]
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        raise ImportError(
            f"{name} needs its extra: pip install 'lokikit[{extra}]' ({error})"
        ) from error
