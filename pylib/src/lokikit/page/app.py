"""The page's server: static files, and the API for its JavaScript."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from lokikit.alerts.silences import add_silence, lift_silence
from lokikit.errors import LokikitError, RefusedError, SettingsError, UnreachableError
from lokikit.fields import DETECTED_LEVELS, LABEL_ENV, LABEL_SERVICE
from lokikit.page.access import Access, Guard
from lokikit.page.alert_view import alerts_now, silence_end
from lokikit.page.choice import Choice, read_choice
from lokikit.page.dashboards import ask_panel, outline
from lokikit.page.downloads import FORMATS
from lokikit.page.lines import FIRST_LINES, PAGE_LINES, around, page_of, whole_line
from lokikit.page.live import live_events, read_since
from lokikit.page.runbooks import runbook_page
from lokikit.page.series import histogram, metric_graph
from lokikit.page.static_files import shell, static_file
from lokikit.page.status_view import pipeline, runs
from lokikit.times import format_time

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from lokikit.query.client import Loki
    from lokikit.stack.agent_metrics import AgentNumbers
    from lokikit.stack.part_status import Condition

LEVELS = (*DETECTED_LEVELS.values(), "fatal", "unknown")
_STATUSES = {SettingsError: 400, RefusedError: 502, UnreachableError: 503}
_FAILED = 500


@dataclass(frozen=True)
class Sources:
    """The sources of the page's content.

    Args:
        make_loki: returns a client of the store, for one thread.
        alerts: folder of `lokikit alerts`.
        spool: folder in which pushed lines wait, `None` without a folder.
        conditions: returns the state of each part of this machine's stack.
        numbers: returns the counts of its agent.
        find_problem: returns the error in a LogQL query, with `line` and `column`, or `None`.
    """

    make_loki: Callable[[], Loki]
    alerts: Path
    spool: Path | None = None
    conditions: Callable[[], Sequence[Condition]] = tuple
    numbers: Callable[[], AgentNumbers | None] = lambda: None
    find_problem: Callable[[str], Any] = lambda _: None
    _held: threading.local = field(default_factory=threading.local, repr=False)

    def loki(self) -> Loki:
        """Return the client of this thread."""
        if not hasattr(self._held, "loki"):
            self._held.loki = self.make_loki()
        held: Loki = self._held.loki
        return held


def make_app(sources: Sources, access: Access) -> ASGIApp:
    """Return the ASGI application."""
    answers = Answers(sources)
    reads = [
        *(answers.start, answers.lines, answers.around, answers.line, answers.histogram),
        *(answers.panel, answers.runs, answers.pipeline, answers.alerts),
    ]
    asked = [Route(f"/{one.__name__}", answers.to(one)) for one in reads]
    changes = [
        Route(f"/{one.__name__}", answers.to(one, takes_body=True), methods=["POST"])
        for one in (answers.silence, answers.lift)
    ]
    streams = [Route("/tail", answers.tail), Route("/download", answers.download)]
    routes = [
        Route("/", RedirectResponse("/explore")),
        *(Route(path, shell) for path in ("/explore", "/alerts", "/d/{uid}")),
        Route("/runbook", runbook_page),
        Mount("/api", routes=[*asked, *changes, *streams]),
        Route("/static/{name:path}", static_file),
    ]
    return Guard(Starlette(routes=routes), access)


class Answers:
    """The answers under `/api`; each is called in a thread, with the request."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def to(self, answer: Callable[..., Any], *, takes_body: bool = False) -> Any:
        """Return the endpoint that sends this answer, or its error, as JSON."""

        async def endpoint(request: Request) -> Response:
            try:
                body = [orjson.loads(await request.body())] if takes_body else []
                return _json(await run_in_threadpool(answer, request, *body))
            except LokikitError as error:
                logql = request.query_params.get("logql", "")
                is_wrong = logql and isinstance(error, SettingsError)
                problem = self._sources.find_problem(logql) if is_wrong else None
                return _refused(error, problem)
            except (KeyError, ValueError) as error:
                return _refused(SettingsError(f"{request.url.path}: {error!r}"))

        return endpoint

    def start(self, request: Request) -> Any:
        """Return the choices of the bar above each view."""
        loki, choice = self._sources.loki(), _choice(request)
        names = {
            name: loki.labels(label, choice.start_ns)
            for name, label in (("service", LABEL_SERVICE), ("env", LABEL_ENV))
        }
        return {**names, "detected_level": LEVELS, "boards": outline()}

    def lines(self, request: Request) -> Any:
        """Return a page of lines, and their query; no lines for a metric query."""
        choice = _choice(request)
        if choice.is_metric:
            return _spelled(choice)
        before = request.query_params.get("before")
        end_ns, limit = (int(before), PAGE_LINES) if before else (choice.end_ns, FIRST_LINES)
        page = page_of(self._sources.loki(), choice.query, choice.start_ns, end_ns, limit)
        return {**page.as_json(), **_spelled(choice), "loki": self._sources.loki().url}

    def around(self, request: Request) -> Any:
        """Return the lines around a moment."""
        choice = _choice(request)
        page = around(self._sources.loki(), choice, int(request.query_params["at"]))
        return {**page.as_json(), **_spelled(choice), "loki": self._sources.loki().url}

    def line(self, request: Request) -> Any:
        """Return all parts of a line."""
        asked, choice = request.query_params, _choice(request)
        return whole_line(
            self._sources.loki(), asked.get("query") or choice.query, int(asked["ts"]), asked["id"]
        )

    def histogram(self, request: Request) -> Any:
        """Return the number of lines over time, or the values of a metric query."""
        choice = _choice(request)
        draw = metric_graph if choice.is_metric else histogram
        return {**draw(self._sources.loki(), choice), **_spelled(choice)}

    def panel(self, request: Request) -> Any:
        """Return the content of a panel of a dashboard."""
        asked = request.query_params
        return ask_panel(
            self._sources.loki(), asked["board"], int(asked["panel"]), _choice(request)
        )

    def runs(self, request: Request) -> Any:
        """Return the runs of tasks."""
        return runs(self._sources.loki(), _choice(request))

    def pipeline(self, _request: Request) -> Any:
        """Return the parts of the pipeline."""
        sources = self._sources
        return pipeline(sources.loki(), sources.conditions(), sources.numbers(), sources.spool)

    def alerts(self, _request: Request) -> Any:
        """Return the alert rules with their states."""
        return alerts_now(self._sources.loki(), self._sources.alerts)

    def silence(self, _request: Request, body: dict[str, Any]) -> Any:
        """Silence a rule."""
        now_ns = time.time_ns()
        rule, service, until_ns = silence_end(body, now_ns)
        add_silence(self._sources.alerts, rule, service, until_ns, now_ns)
        return {}

    def lift(self, _request: Request, body: dict[str, Any]) -> Any:
        """End a silence."""
        lift_silence(self._sources.alerts, int(body.get("number", 0)), time.time_ns())
        return {}

    async def tail(self, request: Request) -> Response:
        """Stream the lines that arrive."""
        try:
            query = _choice(request).query
        except LokikitError as error:
            return _refused(error)
        since_ns = read_since(
            request.headers.get("last-event-id"), request.query_params.get("since"), time.time_ns()
        )
        events = live_events(self._sources.make_loki(), query, since_ns)
        return StreamingResponse(events, media_type="text/event-stream")

    def download(self, request: Request) -> Response:
        """Send all chosen lines as a file."""
        try:
            choice = _choice(request)
            form = request.query_params.get("format", "jsonl")
            if form not in FORMATS:
                raise SettingsError(f"format={form!r} is none of {', '.join(FORMATS)}.")
        except LokikitError as error:
            return _refused(error)
        media, written = FORMATS[form]
        span = choice.start_ns, choice.end_ns
        entries = self._sources.make_loki().query_range(choice.query, *span, None, "backward")
        name = f"lokikit-{format_time(choice.end_ns, 0).replace(':', '')}.{form}"
        return StreamingResponse(
            written(entries),
            media_type=media,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _choice(request: Request) -> Choice:
    return read_choice(request.query_params.multi_items(), time.time_ns())


def _spelled(choice: Choice) -> dict[str, Any]:
    """Return the query and its span, to be used outside the page."""
    return {
        "query": choice.query,
        "metric": choice.is_metric,
        "start": str(choice.start_ns),
        "end": str(choice.end_ns),
    }


def _json(answer: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status, media_type="application/json")


def _refused(error: LokikitError, problem: Any = None) -> Response:
    """Return an error for the page, with its place in the query if that is known."""
    kinds = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    content: dict[str, Any] = {"error": str(error)}
    if problem is not None:
        content |= {"error": problem.problem, "line": problem.line, "column": problem.column}
    return _json(content, next(kinds, _FAILED))
