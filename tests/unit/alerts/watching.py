"""A watch of alerts whose Loki, clock and ways are set by a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lokikit.alerts.clock import Clock
from lokikit.alerts.dispatch import Timing
from lokikit.alerts.state_file import make_folder, read_state
from lokikit.alerts.watch import Watch
from lokikit.errors import LokikitError, UnreachableError
from lokikit.monitoring.rule_definition import Rule
from lokikit.notices import Notices
from lokikit.query.results import LogEntry, Sample
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from lokikit.alerts.message import Message

MINUTE_NS = 60 * NS_PER_S
START_NS = 1_800_000_000 * NS_PER_S
SHOP = {"service_name": "shop", "env": "dev"}
QUERY = 'sum by (service_name, env) (count_over_time({service_name=~".+"} [5m]))'
RULE = Rule(
    "many",
    "Many",
    "critical",
    QUERY,
    "gt",
    5,
    no_data="OK",
    on_error="KeepLast",
    labels={"severity": "critical", "rule": "many"},
    annotations={"summary": "{{ .Labels.service_name }} has {{ .Values.B.Value }}"},
)


class FakeLoki:
    """Answers each query with the samples in `values`, or raises `problem`."""

    def __init__(self) -> None:
        self.values: list[tuple[dict[str, str], float]] = [(SHOP, 9)]
        self.problem: LokikitError | None = None
        self.asked = 0
        self.entries: list[LogEntry] = []
        self.queries: list[str] = []

    def instant(self, _query: str, at: int) -> list[Sample]:
        """The samples, or the problem."""
        self.asked += 1
        if self.problem:
            raise self.problem
        return [Sample(labels, at, str(value)) for labels, value in self.values]

    def query_range(self, query: str, *_: Any) -> list[LogEntry]:
        """The entries."""
        self.queries.append(query)
        return self.entries


class Heard:
    """A way that keeps the messages; with `deaf` it takes none."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.deaf = False
        self.tries = 0

    def send(self, message: Message) -> None:
        """Keep it."""
        self.tries += 1
        if self.deaf:
            raise UnreachableError("nobody listens")
        self.messages.append(message)

    @property
    def titles(self) -> list[str]:
        """Of the messages."""
        return [one.title for one in self.messages]


class Room:
    """Everything around a watch."""

    def __init__(self, folder: Path, *rules: Rule) -> None:
        make_folder(folder)
        self.folder, self.rules = folder, rules or (RULE,)
        self.loki = FakeLoki()
        self.now_ns, self.steady_ns = START_NS, 0
        self.ways = {"a": Heard(), "b": Heard()}
        self.said: list[str] = []
        self.restart()

    def restart(self) -> None:
        """A new process on the same folder."""
        self.steady_ns = 0
        self.watch = Watch(
            self.rules,
            self.loki,  # type: ignore[arg-type]
            self.folder,
            self.ways,
            timing=Timing.of("4h"),
            clock=Clock(lambda: self.now_ns, lambda: self.steady_ns),
            notices=Notices(self.said.append, lambda: self.steady_ns / NS_PER_S),
        )

    def step(self) -> None:
        """One step, now."""
        self.watch.step()

    def pass_(self, time_ns: int, every_ns: int = 10 * NS_PER_S) -> None:
        """Let time pass, with a step each `every_ns`."""
        for _ in range(time_ns // every_ns):
            self.now_ns += every_ns
            self.steady_ns += every_ns
            self.watch.step()

    def states(self, uid: str = "many") -> list[str]:
        """Of the series, as the file has them."""
        state = read_state(self.folder)
        assert state
        return [one.state for one in state.rules[uid].instances]
