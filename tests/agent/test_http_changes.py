"""`POST /logs`: what Fluent Bit cannot carry, as docs/http.md has it, and whom it harms."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
import requests
from tests.agent.events import MAX_CHARACTERS, MAX_LEVELS
from tests.stack.asking import run
from tests.stack.pushing import new_service, stored
from tests.waiting import eventually

from lokikit import fields
from lokikit.delivery.entry import MAX_VALUE_BYTES
from lokikit.times import parse_timestamp_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent

NUMBERS = {
    "1.2345678901234567": "1.234567890123457",
    "0.1": "0.1",
    "18446744073709551615": "18446744073709551615",
    "-9223372036854775808": "-9223372036854775808",
    "18446744073709551616": "1.844674407370955e+19",
    "1e400": "inf",
}
LONG = MAX_VALUE_BYTES * 5
LABELS = {
    r'"\ud800"': None,
    r'"X\ud800y"': "X",
    r'"X\ufffdy"': "X",
    '"Xgröße"': "Xgröße",
    '"X' + "y" * LONG + '"': "X" + "y" * (MAX_VALUE_BYTES - 1),
    '"X' + "ü" * LONG + '"': "X" + "ü" * (MAX_CHARACTERS - 1),
    "5": None,
    "true": None,
    '["X"]': None,
    '""': None,
}


def post(agent: RunningAgent, body: str) -> None:
    """Have the agent take a request."""
    url = agent.logs_url
    headers = {"Content-Type": "application/json"}
    assert requests.post(url, body.encode(), headers=headers, timeout=30).status_code == 201


def event(service: str, name: str, value: str = "0") -> str:
    """An event with a value as JSON writes it."""
    return f'{{"service":"{service}","name":"{name}","value":{value}}}'


def nested(levels: int) -> str:
    """The value of an event that has so many levels."""
    return "[" * (levels - 1) + "]" * (levels - 1)


def names(loki_url: str, service: str) -> set[str]:
    """Which events of a service are in Loki."""
    return {json.loads(one.line)["name"] for one in stored(loki_url, service)}


def test_numbers(agent: RunningAgent, loki_url: str) -> None:
    """16 digits, 64 bits, and `inf` beyond what a floating point number can hold."""
    service = new_service()
    post(agent, "[" + ",".join(event(service, sent, sent) for sent in NUMBERS) + "]")
    found = eventually(
        lambda: (
            len(lines := [one.line for one in stored(loki_url, service)]) == len(NUMBERS) and lines
        )
    )
    assert sorted(found) == sorted(event(service, sent, kept) for sent, kept in NUMBERS.items())


def test_halves_of_pairs_and_keys_twice(agent: RunningAgent, loki_url: str) -> None:
    """U+FFFD for a lone surrogate, the last of two values."""
    service = new_service()
    post(agent, event(service, "first", r'"a\ud800b","name":"last"'))
    (found,) = eventually(lambda: list(stored(loki_url, service)))
    assert json.loads(found.line) == {"service": service, "name": "last", "value": "a\ufffdb"}


def test_labels(agent: RunningAgent, loki_url: str) -> None:
    """Each is the valid begin of a string or none; none of them harms what is sent with it."""
    env, service = new_service(), new_service()
    bodies = [
        f'{{"env":{sent.replace("X", env)},"service":"{service}","n":{n}}}'
        for n, sent in enumerate(LABELS)
    ]
    post(agent, "[" + ",".join(bodies) + "]")
    found = eventually(lambda: len(them := list(stored(loki_url, service))) == len(LABELS) and them)
    kept = {json.loads(one.line)["n"]: one.labels.get("env") for one in found}
    expected = [label and label.replace("X", env) for label in LABELS.values()]
    assert [kept[n] for n in range(len(LABELS))] == [
        label and label[: MAX_VALUE_BYTES if label.isascii() else MAX_CHARACTERS]
        for label in expected
    ]


def test_names_of_the_agents_own(agent: RunningAgent, loki_url: str) -> None:
    """They are taken off, and are no label."""
    service = new_service()
    post(agent, event(service, "x", r'0,"_lokikit_env":"x\ud800","_lokikit_service":"other"'))
    (found,) = eventually(lambda: list(stored(loki_url, service)))
    assert json.loads(found.line) == {"service": service, "name": "x", "value": 0}
    assert found.labels == {fields.LABEL_SERVICE: service}


def test_levels_that_are_numbers(agent: RunningAgent, loki_url: str) -> None:
    """They are not recognised: Loki reads words."""
    service = new_service()
    post(agent, event(service, "x", '0,"level":30'))
    (found,) = eventually(lambda: list(stored(loki_url, service)))
    assert found.metadata[fields.DETECTED_LEVEL] == "unknown"


@pytest.mark.parametrize("form", ["%Y-%m-%dt%H:%M:%SZ", "%Y-%m-%dT%H:%M:%Sz", "%Y-02-30T00:00:00Z"])
def test_no_times(agent: RunningAgent, loki_url: str, form: str) -> None:
    """A small letter and a day that no calendar has: the event bears the time of its arrival."""
    service = new_service()
    before = datetime.now(timezone.utc)
    post(agent, event(service, "x", f'0,"timestamp":"{before.strftime(form)}"'))
    (found,) = eventually(lambda: list(stored(loki_url, service)))
    assert found.timestamp_ns >= int(before.timestamp() * 1e6) * 1000


def test_levels(agent: RunningAgent, loki_url: str) -> None:
    """63 arrive, also in an array; with more, all of the request is lost, and nothing else."""
    service = new_service()
    deep, deeper = nested(MAX_LEVELS), nested(MAX_LEVELS + 1)
    post(agent, event(service, "before"))
    post(agent, event(service, "alone", deep))
    post(agent, f"[{event(service, 'left')},{event(service, 'deep', deep)}]")
    post(agent, f"[{event(service, 'lost')},{event(service, 'deeper', deeper)}]")
    post(agent, event(service, "deepest", nested(500)))
    post(agent, event(service, "after"))
    eventually(lambda: "after" in names(loki_url, service))
    assert names(loki_url, service) == {"before", "alone", "left", "deep", "after"}


def test_one_level_too_many(make_agent: Callable[..., RunningAgent], loki_url: str) -> None:
    """64 alone in a request are dead letters with what came beside; a replay stores it all."""
    service = new_service()
    agent = make_agent(loki_url, FLUENTBIT_HTTP_RETRIES="1").start()
    deepest = nested(MAX_LEVELS + 1)

    def dead() -> int | None:
        # In one chunk with what comes after it, as a rule at once.
        for name, value in (("before", "0"), ("deep", deepest), ("after", "0")):
            post(agent, event(service, name, value))
        return agent.numbers().dead

    eventually(dead, within_s=60)
    # What was posted last may wait in a chunk of its own, which would take the later event along.
    eventually(lambda: agent.numbers().buffered_bytes == 0, within_s=120)
    done = run(loki_url, "spool", "replay", str(agent.storage), "--dead-letters")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(loki_url, service) == {"before", "after"}
    assert any(service in one.line for one in stored(loki_url, fields.UNKNOWN_SERVICE))
    post(agent, event(service, "later"))
    eventually(lambda: "later" in names(loki_url, service), within_s=120)


@pytest.mark.parametrize(
    "end",
    [
        *("+25:00", "+00:99", "-24:00", "+2400", "+00:60", "+99:99"),
        *(":60Z", ":60", ":61.5Z", ":60.5+00:00"),
    ],
)
@pytest.mark.parametrize("between", ["T", " "])
def test_what_is_no_time_is_the_time_of_arrival(
    agent: RunningAgent, loki_url: str, end: str, between: str
) -> None:
    """As for the same line by every other way."""
    service, day = new_service(), f"{datetime.now(timezone.utc):%Y-%m-%d}{between}"
    stamp = day + "00:00" + (end if end.startswith(":") else f":00{end}")
    before_ns = time.time_ns()
    post(agent, json.dumps({"service": service, "timestamp": stamp}))
    (entry,) = eventually(lambda: list(stored(loki_url, service)))
    assert parse_timestamp_ns(stamp) is None
    assert entry.timestamp_ns >= before_ns - 10**9


@pytest.mark.parametrize("zone", ["+23:59", "-23:59", "+0530", "Z", ""])
def test_zones_of_the_world_are_read(agent: RunningAgent, loki_url: str, zone: str) -> None:
    service, zone_s = new_service(), 0
    if len(zone) > 1:
        zone_s = int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    local = datetime.fromtimestamp(time.time() + zone_s, timezone.utc)
    stamp = f"{local:%Y-%m-%dT%H:%M:59}{zone}"
    post(agent, json.dumps({"service": service, "timestamp": stamp}))
    (entry,) = eventually(lambda: list(stored(loki_url, service)))
    assert entry.timestamp_ns == parse_timestamp_ns(stamp)


def test_a_form_is_an_event_of_strings(agent: RunningAgent, loki_url: str) -> None:
    """Fluent Bit takes it, and cannot be told not to."""
    service = new_service()
    form = {"service": service, "level": "info", "namespace": "other"}
    assert requests.post(agent.logs_url, data=form, timeout=30).status_code == 201
    (entry,) = eventually(lambda: list(stored(loki_url, service)))
    assert json.loads(entry.line) == form
    assert entry.labels == {fields.LABEL_SERVICE: service}
