"""Messages for the tests of the ways."""

from __future__ import annotations

from lokikit.alerts.alert import Alert
from lokikit.alerts.message import Message

TIME_NS = 1_800_000_000 * 10**9


def alert(service: str = "shop", **fields: str) -> Alert:
    """An alert of a service."""
    values = {
        "fingerprint": "f1",
        "rule": "error-ratio",
        "title": "Many errors",
        "severity": "critical",
        "summary": f"6% of the lines of {service} are errors",
        "value": "0.06; a breach is > 0.05",
        "page": "http://127.0.0.1:3300/d/lokikit-service?var-service=shop",
        "runbook": "https://wiki.example/error-ratio",
        **fields,
    }
    return Alert(since_ns=TIME_NS, labels={"service_name": service, "env": "dev"}, **values)


def firing(service: str = "shop", line: str = "shop  gone", **fields: str) -> Message:
    """A message about one alert that fires."""
    return Message(service, (alert(service, **fields),), (), TIME_NS, {"f1": (line,)})


def resolved() -> Message:
    """A message about one alert that has ended."""
    return Message("shop", (), (alert(),), TIME_NS)
