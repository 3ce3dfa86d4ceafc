"""The demo's environment, read into one frozen object, and its logging."""

from __future__ import annotations

import logging
import math
import os
import sys
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import lokikit

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHATTY = ("urllib3", "werkzeug")
_FORMS = {int: "a whole number from 0 on", float: "a number above 0"}


def _variable(name: str, default: Any) -> Any:
    return field(default=default, metadata={"variable": name, "kind": type(default)})


@dataclass(frozen=True)
class Demo:
    """What the environment says about the demo.

    Args:
        host: where the shop listens, and where its customers find it.
        port: likewise.
        database: SQLite file of the shop; empty for a temporary one.
        slow_s: how long the slow warehouse takes.
        requests: how many the traffic sends in all, 0 for no end.
        requests_per_s: how many it sends a second.
        tasks: how many the job worker runs in all, 0 for no end.
        tasks_per_s: how many it starts a second.
        task_limit_s: how long a task may take.
    """

    host: str = _variable("DEMO_HOST", "127.0.0.1")
    port: int = _variable("DEMO_PORT", 8000)
    database: str = _variable("DEMO_DATABASE", "")
    slow_s: float = _variable("DEMO_SLOW_S", 1.5)
    requests: int = _variable("DEMO_REQUESTS", 0)
    requests_per_s: float = _variable("DEMO_REQUESTS_PER_S", 2.0)
    tasks: int = _variable("DEMO_TASKS", 0)
    tasks_per_s: float = _variable("DEMO_TASKS_PER_S", 0.3)
    task_limit_s: float = _variable("DEMO_TASK_LIMIT_S", 3.0)


def read_demo(environ: Mapping[str, str] = os.environ) -> Demo:
    """The demo's settings; exits with one sentence when a variable means nothing."""
    given: dict[str, Any] = {}
    for one in fields(Demo):
        variable, kind = one.metadata["variable"], one.metadata["kind"]
        if value := environ.get(variable, "").strip():
            given[one.name] = _parse(variable, value, kind)
    return Demo(**given)


def _parse(variable: str, value: str, kind: type) -> Any:
    try:
        parsed = kind(value)
        if kind is str or 0 < parsed < math.inf or (kind is int and parsed == 0):
            return parsed
    except ValueError:
        pass
    sys.exit(f"demo: {variable}={value!r} is not {_FORMS[kind]}.")


def start_logging(service: str) -> None:
    """JSON lines from here on, under SERVICE_NAME or else `service`."""
    lokikit.setup_json_logging(os.environ.get("SERVICE_NAME") or service)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
