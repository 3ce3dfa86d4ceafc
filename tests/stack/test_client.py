"""`lokikit.Loki` against a real Loki: typed entries, spans, labels, volumes, the last N."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from tests.stack.asking import new_labels, push, run, selector

import lokikit
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.errors import SettingsError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS


@pytest.fixture
def loki(loki_url: str) -> lokikit.Loki:
    """The client."""
    return lokikit.Loki(loki_url, timeout_s=60)


def store(url: str, minutes_ago: Sequence[float], **fields: object) -> dict[str, str]:
    """Push one line for each so many minutes ago, and give their labels."""
    labels, now_ns = new_labels(), time.time_ns()
    lines = [json.dumps({"message": f"{minutes} min ago", **fields}) for minutes in minutes_ago]
    times = [now_ns - int(minutes * MINUTE_NS) for minutes in minutes_ago]
    push(url, labels, list(zip(times, lines, strict=True)))
    return labels


def messages(entries: Sequence[lokikit.client.LogEntry]) -> list[object]:
    """What the lines say."""
    return [entry.fields["message"] for entry in entries]


def test_query_gives_the_newest_first(loki: lokikit.Loki) -> None:
    """`query` is a list of the newest entries of the last hour."""
    labels = store(loki.url, [3, 2, 1, 70])
    assert messages(loki.query(selector(labels), limit=2)) == ["1 min ago", "2 min ago"]
    assert len(loki.query(selector(labels))) == 3
    assert len(loki.query(selector(labels), since="2h")) == 4


def test_an_entry_is_typed(loki: lokikit.Loki) -> None:
    """An entry has its time, its fields as JSON has them, labels and metadata."""
    before = datetime.now(timezone.utc)
    labels = store(loki.url, [0], amount=19.5, level="error", deep={"a": [1]})
    (entry,) = loki.query(selector(labels), until=timedelta(minutes=-1))
    assert timedelta(0) <= entry.timestamp - before < timedelta(minutes=1)
    assert (entry.fields["amount"], entry.fields["deep"]) == (19.5, {"a": [1]})
    assert entry.labels == labels
    assert entry.metadata == {"detected_level": "error"}


def test_a_span_in_every_form(loki: lokikit.Loki) -> None:
    """Times are text, nanoseconds, a datetime or a timedelta, and mean the same."""
    labels = store(loki.url, [20, 10])
    cut = datetime.now(timezone.utc) - timedelta(minutes=15)
    forms = ("15m", timedelta(minutes=15), cut, cut.isoformat(), int(cut.timestamp() * 10**9))
    for form in forms:
        assert messages(list(loki.query_range(selector(labels), form))) == ["10 min ago"]
        older = loki.query_range(selector(labels), "1h", form)
        assert messages(list(older)) == ["20 min ago"]
    with pytest.raises(SettingsError, match="no time zone"):
        loki.query_range(selector(labels), cut.replace(tzinfo=None))


def test_labels_series_and_volume(loki: lokikit.Loki) -> None:
    """The client knows names and values of labels, streams, and how much each holds."""
    labels = store(loki.url, [2, 1])
    assert {"env", "service_name"} <= set(loki.labels())
    assert labels["service_name"] in loki.labels("service_name")
    assert loki.series(selector(labels)) == [labels]
    (volume,) = loki.volume(selector(labels))
    assert volume.labels == {"service_name": labels["service_name"]}
    assert volume.size_bytes > 0


def test_the_default_client_is_named_by_the_environment(
    loki: lokikit.Loki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lokikit.logs` asks the Loki of LOKI_URL, and says so when there is none."""
    labels = store(loki.url, [1])
    monkeypatch.setenv("LOKI_URL", loki.url)
    assert lokikit.logs(service=labels["service_name"]).count() == 1
    monkeypatch.delenv("LOKI_URL")
    with pytest.raises(SettingsError, match="set LOKI_URL"):
        lokikit.logs(service="api")


def test_errors_by_what_the_caller_can_do(loki: lokikit.Loki) -> None:
    """A wrong query is the caller's to change; a Loki that is away may come back."""
    with pytest.raises(SettingsError, match="parse error"):
        loki.query("{")
    with pytest.raises(UnreachableError, match="is it running"):
        lokikit.Loki("http://127.0.0.1:9", timeout_s=0.1).query('{a="b"}')


def test_the_builder_reads_like_the_question(loki: lokikit.Loki) -> None:
    """Level, number, text, time and limit in one question; all, iter, count and first agree."""
    labels = store(loki.url, [5, 4, 3, 2, 1], level="warning", http_status=503)
    question = (
        loki.logs(service=labels["service_name"])
        .where(level="warning", http_status=503)
        .contains("min ago")
        .since("1h")
        .limit(3)
    )
    found = question.all()
    assert messages(found) == ["1 min ago", "2 min ago", "3 min ago"]
    assert list(question.iter()) == found
    assert question.count() == 3
    assert question.first() == found[0]
    assert question.oldest_first().first() == question.oldest_first().all()[0] != found[0]
    assert question.where(http_status=[500, 503]).count() == 3
    assert question.where(http_status=500).first() is None
    assert question.where(http_method=None).limit(10).count() == 5
    assert question.limit(0).all() == []


@pytest.mark.parametrize(
    ("held", "asked", "found"),
    [
        (500, 500, True),
        (500, 500.0, True),
        ("500", 500, True),
        (500, "500", True),
        (5000, 500, False),
        (0.1, 0.1, True),
        (1e16, 1e16, True),
        (10**20, 10**20, True),
        (True, True, True),
        (True, 1, False),
        (None, None, True),
        ("", None, False),
        ("", "", True),
        ([1], "[1]", False),
    ],
)
def test_values_are_compared_as_json_writes_them(
    loki: lokikit.Loki,
    held: object,
    asked: object,
    found: bool,  # noqa: FBT001
) -> None:
    """A number finds the text of it too, and nothing else that is only alike."""
    labels = store(loki.url, [1], value=held)
    question = loki.logs(service=labels["service_name"]).where(value=asked)
    assert (question.count(), len(question.all())) == (int(found), int(found))


def test_what_only_the_carrier_knows_is_found_too(loki: lokikit.Loki) -> None:
    """Pod, container, node and stream stand in metadata, or in the line of who writes them."""
    labels, now_ns = new_labels(), time.time_ns()
    pusher = Pusher(loki.url)
    entries = [
        Entry(now_ns - 3, "by metadata", labels, {"pod": "web-1"}),
        Entry(now_ns - 2, '{"pod": "web-1"}', labels, {"pod": "web-2"}),
        Entry(now_ns - 1, "neither", labels, {}),
    ]
    assert pusher.push(entries).outcome is Outcome.DONE
    question = loki.logs(service=labels["service_name"]).oldest_first()
    for pod, found in (("web-1", [0, 1]), ("web-2", [1]), (None, [2]), ("web", [])):
        assert [entry.line for entry in question.where(pod=pod).all()] == [
            entries[number].line for number in found
        ]
        assert question.where(pod=pod).count() == len(found)


def test_last_lines_in_the_order_of_time(loki: lokikit.Loki) -> None:
    """The last N of a service are found however long ago, and stand in the order of time."""
    labels = store(loki.url, [1, 2, 3, 100, 150], level="info")
    found = loki.last(labels["service_name"], n=4)
    assert messages(found) == ["100 min ago", "3 min ago", "2 min ago", "1 min ago"]
    assert len(loki.last(labels["service_name"])) == 5
    assert len(loki.last(labels["service_name"], since="1h")) == 3
    assert loki.last(labels["service_name"], level="error") == []


def test_last_as_a_command(loki: lokikit.Loki) -> None:
    """`lokikit last SERVICE -n N` prints the lines, and says when there are none."""
    labels = store(loki.url, [1, 2, 3], level="error")
    done = run(loki.url, "last", labels["service_name"], "-n", "2", "-o", "raw")
    entries = [json.loads(line)["message"] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr, entries) == (0, "", ["2 min ago", "1 min ago"])
    done = run(loki.url, "last", labels["service_name"], "--level", "info", "--since", "1h")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"no lines of {labels['service_name']} level=info within 1h." in done.stderr
