"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lokikit.errors import LokikitError
    from lokikit.http_requests.asgi import AsgiMiddleware
    from lokikit.http_requests.frameworks import log_requests
    from lokikit.http_requests.outgoing import pass_request_id
    from lokikit.http_requests.wsgi import WsgiMiddleware
    from lokikit.output.context import bind, bound, unbind
    from lokikit.output.json_formatter import JsonFormatter
    from lokikit.output.structlog_loguru import take_in_loguru, take_in_structlog
    from lokikit.push.handler import LokiHandler
    from lokikit.query.client import Loki, logs
    from lokikit.setup import JsonHandler, keep_json_logging, logging_config, setup_json_logging
    from lokikit.tasks.run_query import task_runs
    from lokikit.tasks.task import TaskInaction, TaskTermination, task

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
    "keep_json_logging",
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
    "AsgiMiddleware": ("lokikit.http_requests.asgi", ""),
    "JsonFormatter": ("lokikit.output.json_formatter", ""),
    "Loki": ("lokikit.query.client", "query"),
    "LokiHandler": ("lokikit.push.handler", "push"),
    "LokikitError": ("lokikit.errors", ""),
    "TaskInaction": ("lokikit.tasks.task", ""),
    "TaskTermination": ("lokikit.tasks.task", ""),
    "WsgiMiddleware": ("lokikit.http_requests.wsgi", ""),
    "bind": ("lokikit.output.context", ""),
    "bound": ("lokikit.output.context", ""),
    "JsonHandler": ("lokikit.setup", ""),
    "keep_json_logging": ("lokikit.setup", ""),
    "log_requests": ("lokikit.http_requests.frameworks", ""),
    "logging_config": ("lokikit.setup", ""),
    "logs": ("lokikit.query.client", "query"),
    "pass_request_id": ("lokikit.http_requests.outgoing", ""),
    "setup_json_logging": ("lokikit.setup", ""),
    "take_in_loguru": ("lokikit.output.structlog_loguru", ""),
    "take_in_structlog": ("lokikit.output.structlog_loguru", ""),
    "task": ("lokikit.tasks.task", ""),
    "task_runs": ("lokikit.tasks.run_query", "query"),
    "unbind": ("lokikit.output.context", ""),
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
