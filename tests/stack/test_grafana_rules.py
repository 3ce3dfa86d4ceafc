"""Each alert rule on both sides of its threshold: histories in a real Loki.

Of a rule only the provisioned file is read: query, threshold, and what the absence of data means.
Whether a Grafana then waits, tells and recovers is shown where there is one (`tests/grafana`).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.dashboards import evaluate, rules
from tests.stack.asking import flush, push

from lokikit import fields
from lokikit.query.client import Loki
from lokikit.times import parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.stack.engines import Engine

S = 1_000_000_000
ENV = "test"
Rows = list[tuple[float, str]]
"""Age in seconds, line."""


def limit(uid: str) -> float:
    """The threshold of a rule."""
    (condition,) = rules()[uid]["data"][2]["model"]["conditions"]
    return float(condition["evaluator"]["params"][0])


def expr(uid: str) -> str:
    """The query of a rule."""
    return str(rules()[uid]["data"][0]["model"]["expr"])


def spans_s(uid: str) -> list[float]:
    """The spans in the query of a rule, and its offsets."""
    found = re.findall(r"(?:\[|offset )(\w+)", expr(uid))
    return [parse_duration_ns(one, uid) / S for one in found]


def minimum(uid: str) -> int:
    """How many lines or requests a rule needs."""
    return int(re.findall(r">= (\d+)", expr(uid))[0])


def line(level: str = "info", **more: Any) -> str:
    """A line of the contract."""
    return orjson.dumps({"level": level, "logger": "app", "message": "done", **more}).decode()


def spread(count: int, oldest_s: float, newest_s: float = 5, **more: Any) -> Rows:
    """That many lines at even distances."""
    gap_s = (oldest_s - newest_s) / max(count, 1)
    return [(oldest_s - gap_s * number, line(**more)) for number in range(count)]


def inside(uid: str) -> float:
    """An age within the window of a rule, at its far end."""
    return min(spans_s(uid)) - 10


def beyond(uid: str) -> int:
    """The least whole number that crosses a threshold of whole numbers."""
    return int(limit(uid)) + 1


def mixed(uid: str, bad: int, whole: int, **more: Any) -> Rows:
    """`bad` lines of a kind among `whole`, all within the window."""
    return spread(bad, inside(uid), **more) + spread(whole - bad, inside(uid))


def step(action: str, age_s: float, run: str = "r1") -> tuple[float, str]:
    """One step of one run of a task."""
    return age_s, line(task_name="import", action=action, task_id=run)


def raw(count: int, oldest_s: float) -> Rows:
    """Lines that are no JSON."""
    return [(oldest_s - number / 10, f"Segmentation fault {number}") for number in range(count)]


def slow(count: int, whole: int) -> Rows:
    """Requests, `count` of them slower than the threshold of their rule."""
    uid = "slow-requests"
    quick = {"http_status": 200, "duration_ms": 10}
    late = {"http_status": 200, "duration_ms": 2 * limit(uid)}
    return mixed(uid, count, 0, **late) + spread(whole - count, inside(uid), **quick)


def usual(uid: str, per_window: int) -> Rows:
    """What a service writes in the time that a spike is compared with."""
    window_s, history_s = min(spans_s(uid)), max(spans_s(uid))
    count = round(per_window * history_s / window_s)
    return spread(count, window_s + history_s - 10, window_s + 10)


def runs_before(count: int) -> Rows:
    """Runs of a task in the history of its rule, none in its window."""
    window_s, history_s = min(spans_s("task-missed")), max(spans_s("task-missed"))
    gap_s = (history_s - window_s - 120) / count
    return [step("run", history_s - 60 - gap_s * number, f"r{number}") for number in range(count)]


@dataclass(frozen=True)
class Case:
    """Histories of one rule.

    Args:
        rule: its uid.
        over: crosses the threshold, by as little as there is.
        under: name -> what does not.
    """

    rule: str
    over: Rows
    under: Mapping[str, Rows] = field(default_factory=dict)

    def services(self) -> dict[str, Rows]:
        """Service -> its history."""
        all_ = {"over": self.over, **self.under}
        return {f"{self.rule}-{name}": rows for name, rows in all_.items()}


RATIO_OF = 1000
SPIKE = minimum("volume-spike")
OVERDUE_S = spans_s("task-overdue")[1]
MISSED = int(limit("task-missed") * max(spans_s("task-missed")) / min(spans_s("task-missed")))
SILENT_S = min(spans_s("service-silent"))

CASES = [
    Case(
        rule="error-ratio",
        over=mixed(
            "error-ratio", int(limit("error-ratio") * RATIO_OF) + 1, RATIO_OF, level="error"
        ),
        under={
            "equal": mixed("error-ratio", int(limit("error-ratio") * RATIO_OF), RATIO_OF),
            "few": spread(minimum("error-ratio") - 1, inside("error-ratio"), level="critical"),
            "past": spread(RATIO_OF, 1800, 900, level="error") + spread(RATIO_OF, 500),
        },
    ),
    Case(
        rule="any-critical",
        over=mixed("any-critical", beyond("any-critical"), 9, level="critical"),
        under={"errors": spread(9, inside("any-critical"), level="error")},
    ),
    Case(
        rule="any-error",
        over=mixed("any-error", beyond("any-error"), 9, level="error"),
        under={"warnings": spread(9, inside("any-error"), level="warning")},
    ),
    Case(
        rule="service-silent",
        over=spread(9, SILENT_S + 600, SILENT_S + 1),
        under={
            "late": [(SILENT_S + 600, line()), (SILENT_S - 1, line())],
            "forgotten": spread(9, max(spans_s("service-silent")) + 600, 10_900),
        },
    ),
    Case(
        rule="volume-spike",
        over=usual("volume-spike", SPIKE // 4)
        + spread(int(limit("volume-spike") * (SPIKE // 4)) + 1, inside("volume-spike")),
        under={
            "equal": usual("volume-spike", SPIKE // 4)
            + spread(int(limit("volume-spike") * (SPIKE // 4)), inside("volume-spike")),
            "few": usual("volume-spike", 1) + spread(SPIKE - 1, inside("volume-spike")),
            "new": spread(2 * SPIKE, inside("volume-spike")),
        },
    ),
    Case(
        rule="slow-requests",
        over=slow(6, 100),
        under={
            "quantile": slow(5, 100),
            "few": slow(minimum("slow-requests") - 1, minimum("slow-requests") - 1),
        },
    ),
    Case(
        rule="task-failed",
        over=[step("fail", 30 + number, f"r{number}") for number in range(beyond("task-failed"))],
        under={"ended": [step("success", 40), step("terminate", 30), step("inaction", 20)]},
    ),
    Case(
        rule="task-overdue",
        over=[step("run", OVERDUE_S + 1)],
        under={
            "young": [step("run", OVERDUE_S - 1)],
            "ended": [step("run", OVERDUE_S + 60), step("crash", 5)],
        },
    ),
    Case(
        rule="task-missed",
        over=runs_before(MISSED + 1),
        under={
            "seldom": runs_before(MISSED),
            "ran": [*runs_before(MISSED + 1), step("run", min(spans_s("task-missed")) - 10, "now")],
        },
    ),
    Case(
        rule="secrets-logged",
        over=[(30, line(note="AKIAIOSFODNN7EXAMPLE"))],
        under={"redacted": [(30, line(token="[redacted]"))]},  # noqa: S106 - it is none
    ),
    Case(
        rule="unparsed-lines",
        over=[*raw(beyond("unparsed-lines"), inside("unparsed-lines")), (30, line())],
        under={
            "equal": [*raw(beyond("unparsed-lines") - 1, inside("unparsed-lines")), (30, line())],
            "foreign": raw(9 * beyond("unparsed-lines"), inside("unparsed-lines")),
        },
    ),
]


@dataclass(frozen=True)
class Histories:
    """A Loki that holds the histories of all cases.

    Args:
        url: of Loki.
        now_ns: when they end.
    """

    url: str
    now_ns: int

    def breaches(self, uid: str, service: str, after_s: float = 0) -> bool:
        """Whether a Grafana would take the rule as crossed for that service.

        A service without a value is no series, so nothing of it is crossed; without any series
        the rule's `noDataState` decides.
        """
        time_ns = self.now_ns + int(after_s * S)
        values = evaluate(Loki(self.url, timeout_s=60), rules()[uid], time_ns)
        if not values:
            return bool(rules()[uid]["noDataState"] == "Alerting")
        return any(crossed for labels, crossed in values.items() if service in labels)


@pytest.fixture(scope="module")
def histories(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Histories]:
    """The Loki of these tests, its histories written."""
    loki = engine.make(tmp_path_factory.mktemp("rules"), {}).start()
    try:
        yield Histories(loki.url, write_all(loki.url))
    finally:
        loki.kill()


def write_all(url: str) -> int:
    """Push the histories of all cases; when they end."""
    now_ns = time.time_ns()
    canary = [(age, line(canary_seq=int(age))) for age in (40.0, 20.0, 1.0)]
    written = {fields.CANARY_SERVICE: canary}
    for case in CASES:
        written |= case.services()
    for service, rows in written.items():
        labels = {fields.LABEL_SERVICE: service, fields.LABEL_ENV: ENV}
        ordered = sorted(rows, key=lambda row: -row[0])
        # A nanosecond more for each, so that none is stored once for two.
        times = [now_ns - int(age * S) + number for number, (age, _) in enumerate(ordered)]
        push(url, labels, list(zip(times, [text for _, text in ordered], strict=True)))
    flush(url, sum(map(len, written.values())), now_ns)
    return now_ns


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_just_over_the_threshold_breaches(histories: Histories, case: Case) -> None:
    """The rule's own query and threshold take the history for a breach."""
    assert histories.breaches(case.rule, f"{case.rule}-over")


@pytest.mark.parametrize(
    ("uid", "service"),
    [
        pytest.param(case.rule, f"{case.rule}-{name}", id=f"{case.rule}: {name}")
        for case in CASES
        for name in case.under
    ],
)
def test_just_under_the_threshold_does_not(histories: Histories, uid: str, service: str) -> None:
    """Nor do too few lines, others, or those of the past."""
    assert not histories.breaches(uid, service)


def test_the_canary_comes_back(histories: Histories) -> None:
    """Its numbered lines in the window are no breach."""
    assert Case(rule="pipeline-silent", over=[]).services()
    assert not histories.breaches("pipeline-silent", fields.CANARY_SERVICE)


def test_the_canary_stays_away(histories: Histories) -> None:
    """Once its last line is older than the window there is no data, and that is the alarm."""
    (window_s,) = spans_s("pipeline-silent")
    assert not histories.breaches("pipeline-silent", "", window_s - 2)
    assert histories.breaches("pipeline-silent", "", window_s)


@pytest.mark.parametrize("uid", rules())
def test_nothing_at_all(histories: Histories, uid: str) -> None:
    """In an empty Loki the two silences alarm and nothing else does."""
    days_s = 2 * 86_400
    silences = {"service-silent", "pipeline-silent"}
    assert histories.breaches(uid, "", days_s) == (uid in silences)


def test_breach_ends(histories: Histories) -> None:
    """Once the bad lines have left the window, the rule is not crossed any more."""
    assert histories.breaches("error-ratio", "error-ratio-over")
    assert not histories.breaches("error-ratio", "error-ratio-over", max(spans_s("error-ratio")))
