"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lokikit.asgi import AsgiMiddleware
    from lokikit.bridges import take_in_loguru, take_in_structlog
    from lokikit.client import Loki, logs
    from lokikit.context import bind, bound, unbind
    from lokikit.errors import LokikitError
    from lokikit.formatter import JsonFormatter
    from lokikit.frameworks import log_requests
    from lokikit.handler import LokiHandler
    from lokikit.outgoing import pass_request_id
    from lokikit.runs import task_runs
    from lokikit.setup import JsonHandler, logging_config, setup_json_logging
    from lokikit.tasks import TaskInaction, TaskTermination, task
    from lokikit.wsgi import WsgiMiddleware

__version__ = "0.1.0"

__all__ = [
    "AsgiMiddleware",
    "JsonFormatter",
    "JsonHandler",
    "Loki",
    "LokiHandler",
    "LokikitError",
    "TaskInaction",
    "TaskTermination",
    "WsgiMiddleware",
    "bind",
    "bound",
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

_HOME = {
    "AsgiMiddleware": ("lokikit.asgi", ""),
    "JsonFormatter": ("lokikit.formatter", ""),
    "Loki": ("lokikit.client", "query"),
    "LokiHandler": ("lokikit.handler", "push"),
    "LokikitError": ("lokikit.errors", ""),
    "TaskInaction": ("lokikit.tasks", ""),
    "TaskTermination": ("lokikit.tasks", ""),
    "WsgiMiddleware": ("lokikit.wsgi", ""),
    "bind": ("lokikit.context", ""),
    "bound": ("lokikit.context", ""),
    "JsonHandler": ("lokikit.setup", ""),
    "log_requests": ("lokikit.frameworks", ""),
    "logging_config": ("lokikit.setup", ""),
    "logs": ("lokikit.client", "query"),
    "pass_request_id": ("lokikit.outgoing", ""),
    "setup_json_logging": ("lokikit.setup", ""),
    "take_in_loguru": ("lokikit.bridges", ""),
    "take_in_structlog": ("lokikit.bridges", ""),
    "task": ("lokikit.tasks", ""),
    "task_runs": ("lokikit.runs", "query"),
    "unbind": ("lokikit.context", ""),
}
"""Public name -> its module, imported when first used, and the extra that it needs, if any."""


def __getattr__(name: str) -> Any:
    """A public name, from its module."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _HOME[name]
    try:
        value = globals()[name] = getattr(import_module(module), name)
    except ImportError as error:
        if not extra:
            raise
        raise ImportError(
            f"{name} needs its extra: pip install 'lokikit[{extra}]' ({error})"
        ) from error
    return value
