"""Sentry, Rollbar and Bugsnag see of a program on the kit what they saw before it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from tests.integration.stage import APPS

Events = list[dict[str, Any]]
COUNTS = {
    "apscheduler": (1, 1, 1),
    "celery": (1, 1, 2),
    "django_asgi": (3, 5, 4),
    "django_wsgi": (3, 5, 4),
    "fastapi": (3, 3, 3),
    "flask": (3, 4, 4),
    "script": (4, 2, 4),
    "wsgi": (3, 2, 3),
}
"""Program -> how many events Sentry, Rollbar and Bugsnag make of it."""
_FRAMES = 4
TRACKERS = ("sentry", "rollbar", "bugsnag")
_ALWAYS = {
    ("sentry", "celery"),
    ("sentry", "django_wsgi"),
    ("rollbar", "flask"),
    ("bugsnag", "flask"),
}
"""Trackers and programs that run always; all of them do in `make soak`."""
CASES = [
    pytest.param(
        *(tracker, program, first),
        marks=() if (tracker, program) in _ALWAYS and not first else pytest.mark.soak,
    )
    for tracker in TRACKERS
    for program in COUNTS
    for first in ("", "first")
]


@cache
def events(tracker: str, program: str, kit: str, first: str) -> Events:
    """What the tracker sends in a process of its own."""
    with tempfile.NamedTemporaryFile() as sent:
        variables = {"EVENTS_FILE": sent.name, "TRACKER_FIRST": first, "LOG_FORMAT": "json"}
        done = subprocess.run(
            [sys.executable, str(APPS / "tracked.py"), tracker, program, kit],
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode()
        return [SEEN[tracker](event) for event in json.load(sent)]


def of_sentry(event: dict[str, Any]) -> dict[str, Any]:
    """What the pages of Sentry show and group by."""
    return {
        **{name: event.get(name) for name in ("level", "logger", "transaction")},
        "message": (event.get("logentry") or {}).get("message"),
        "exceptions": [
            {
                "is": (one["type"], one["value"]),
                "mechanism": one["mechanism"]["type"],
                "handled": one["mechanism"]["handled"],
                "stack": stack(one["stacktrace"]["frames"], "abs_path", "function"),
            }
            for one in (event.get("exception") or {}).get("values", ())
        ],
    }


def of_rollbar(event: dict[str, Any]) -> dict[str, Any]:
    """What the pages of Rollbar show and group by."""
    data = event["data"]
    body = data["body"]
    traces = body.get("trace_chain") or [body[name] for name in ("trace",) if name in body]
    return {
        **{name: data.get(name) for name in ("level", "framework", "context")},
        "message": (body.get("message") or {}).get("body"),
        "exceptions": [
            (one["exception"], stack(one["frames"], "filename", "method")) for one in traces
        ],
    }


def of_bugsnag(report: dict[str, Any]) -> dict[str, Any]:
    """What the pages of Bugsnag show and group by."""
    (event,) = report["events"]
    return {
        **{name: event.get(name) for name in ("severity", "unhandled", "severityReason")},
        "context": event.get("context"),
        "exceptions": [
            (one["errorClass"], one["message"], stack(one["stacktrace"][::-1], "file", "method"))
            for one in event["exceptions"]
        ],
    }


SEEN = {"sentry": of_sentry, "rollbar": of_rollbar, "bugsnag": of_bugsnag}


def stack(frames: list[dict[str, Any]], path: str, function: str) -> list[str]:
    """The innermost functions, less the kit's own: a middleware more is further out."""
    return [frame[function] for frame in frames if "lokikit/" not in frame[path]][-_FRAMES:]


@pytest.mark.parametrize(("tracker", "program", "first"), CASES)
def test_a_tracker_sees_what_it_saw_without_the_kit(tracker: str, program: str, first: str) -> None:
    """Exceptions, what the application logs itself, a 503: events, mechanism, text and stack."""
    with ThreadPoolExecutor(2) as pool:
        before, now = pool.map(lambda kit: events(tracker, program, kit, first), ("bare", "kit"))
    assert now == before
    assert len(now) == COUNTS[program][TRACKERS.index(tracker)]


def test_an_unhandled_exception_is_unhandled_in_each_tracker() -> None:
    """Of its own mechanism, also where the request's line comes before the tracker's hook."""
    (crash, *_) = events("sentry", "fastapi", "kit", "")
    assert crash["exceptions"][-1]["handled"] is False
    assert crash["exceptions"][-1]["mechanism"] == "starlette"
    (report, *_) = events("bugsnag", "fastapi", "kit", "")
    assert report["unhandled"] is True
