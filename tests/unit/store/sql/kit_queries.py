"""All queries of the kit: of dashboards and rules, and what its functions give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dashboards import DASHBOARDS, Chosen, rules, targets

from lokikit.query import logql as queries
from lokikit.query import task_logql as task_queries
from lokikit.query.readable_logql import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHOSEN = (
    Chosen(range_s=120, step_s=20),
    Chosen(
        {"service": ["api", "shop"], "search": "order", "id": "r-1", "detected_level": "error"},
        range_s=100,
        step_s=30,
    ),
)


def kit_queries() -> list[str]:
    """The texts of the queries, each once."""
    return list(dict.fromkeys([*_of_dashboards(), *_of_rules(), *_of_functions()]))


def _of_dashboards() -> Iterator[str]:
    for path in DASHBOARDS:
        for target in targets(path):
            for chosen in _CHOSEN:
                yield chosen.fill(target.expr, path)


def _of_rules() -> Iterator[str]:
    for rule in rules().values():
        for node in rule["data"]:
            if "expr" in node["model"]:
                yield node["model"]["expr"].replace("$$", "$")


def _of_functions() -> Iterator[str]:
    for selected in (queries.ALL, queries.Selection(service="api|shop", level="error")):
        for count in (
            queries.lines,
            queries.volume,
            queries.errors,
            queries.criticals,
            queries.error_ratio,
            queries.exception_types,
            queries.new_exception_types,
            queries.services_count,
            queries.lines_per_minute,
            queries.total_error_ratio,
            queries.requests,
            queries.unparsed_of_ours,
            queries.streams,
            task_queries.steps,
            task_queries.failures,
            task_queries.running,
        ):
            yield count(selected, "1m")
        for lines in (
            queries.error_lines,
            queries.exceptions,
            queries.unparsed,
            queries.secrets,
            queries.drops,
            task_queries.failed,
        ):
            yield lines(selected)
        yield queries.of_one_id(selected, "r-1")
        yield readable(queries.exceptions(selected))
        yield queries.steady_error_ratio(selected, "1m", 2)
        yield queries.request_ms(0.9, selected, "1m", queries.ROUTE)
        yield task_queries.seconds(0.5, selected, "1m")
        yield task_queries.overdue(selected, "30s", "1m", "90s")
        yield task_queries.missed(selected, "30s", "1m", 2)
        yield queries.spike(selected, "30s", "1m", 2, 1)
        yield queries.silence(selected, "30s", "1m")
    yield queries.canary_latest("contact_points", "1m")
    yield queries.canary_number("max", "canary_round_trip_s", "1m")
    yield queries.canary_number("sum", "canary_lost", "1m")
