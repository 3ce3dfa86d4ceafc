"""The builder on a real Loki: any value finds exactly the lines that hold it."""

from __future__ import annotations

import json
import time
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stack.asking import push

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lokikit.query.log_query import LogQuery

EXAMPLES = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WINDOW_NS = 1_000_000
LATEST_NS = 10**12
HOSTILE = (
    '"} or {service_name=~".+"} | line_format "',
    "` | drop service_name | `",
    "# a comment",
    "{{ .message }}",
    "{key}",
    "lokikit_0",
    "\\",
    '\\"',
    "a b",
    "a\ufffdb",
    "\ufffd",
    "",
    " ",
    "\x00",
    "\ufeff",
    "\ud800",
    "\U0001f600",
    "null",
    "true",
    "500",
    "500.0",
    "1e16",
    "{}",
    "[1]",
    ".*",
    "x" * 3000,
    "x" * 2999 + "y",
    "${LOKI_URL}",
    "\r\n",
    "é",
    "%c3%a9",
    "a+b",
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=20))
FEW = st.sampled_from(["a", "a b", "a\ufffdb", "b", "500", "é", "{key}", ""])
"""So few that conditions often meet; none of them changes when JSON is written."""
WRITERS = (
    lambda fields: orjson.dumps(fields).decode(),
    json.dumps,
    lambda fields: json.dumps(fields, ensure_ascii=False, indent=1),
)


class Shelf:
    """One stream that gets a window of time of its own for each example.

    Args:
        url: of Loki.
    """

    def __init__(self, url: str) -> None:
        self.loki = lokikit.Loki(url, timeout_s=60)
        self.labels = {"service_name": f"shelf-{uuid.uuid4().hex[:12]}", "env": "test"}
        start_ns = (time.time_ns() - LATEST_NS) // WINDOW_NS * WINDOW_NS
        self._starts = count(start_ns, WINDOW_NS)

    def put(self, lines: Sequence[str]) -> LogQuery:
        """Store the lines, and ask for all of them."""
        start_ns = next(self._starts)
        push(self.loki.url, self.labels, [(start_ns + n, line) for n, line in enumerate(lines)])
        mine = self.loki.logs(service=self.labels["service_name"])
        return mine.since(start_ns).until(start_ns + WINDOW_NS).oldest_first()


@pytest.fixture(scope="module")
def shelf(loki_url: str) -> Shelf:
    """A stream for the tests of this module."""
    return Shelf(loki_url)


def clean(text: str) -> str:
    """`text` as a line can hold it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@EXAMPLES
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), write=st.sampled_from(WRITERS))
def test_a_text_finds_the_lines_whose_field_it_is(
    shelf: Shelf, texts: list[str], write: Callable[[Any], str]
) -> None:
    """Whatever a text holds, it finds the lines where the field is that text, and no other."""
    held = [clean(text) for text in texts]
    lines = [write({"user": one, "other": held[0], "deep": {"user": held[0]}}) for one in held]
    everything = shelf.put([*lines, "no JSON", held[0], write({"other": held[0]})])
    for text in held:
        wanted = [line for line, one in zip(lines, held, strict=True) if one == text]
        found = everything.where(user=text)
        assert [entry.line for entry in found.all()] == wanted
        assert found.count() == len(wanted)


@EXAMPLES
@given(text=TEXTS, others=st.lists(TEXTS, max_size=4))
def test_a_text_finds_the_lines_that_contain_it(shelf: Shelf, text: str, others: list[str]) -> None:
    """`contains` finds a text as it is and as JSON writes it, whatever it holds."""
    bare = [clean(one) for one in [text, *others]]
    lines = [f"<{one}>" for one in bare]
    written = [WRITERS[0]({"message": f"<{one}>"}) for one in bare]
    everything = shelf.put([*lines, *written])
    forms = {clean(text), json.dumps(clean(text))[1:-1], WRITERS[0](clean(text))[1:-1]}
    wanted = [line for line in [*lines, *written] if any(form in line for form in forms)]
    found = everything.contains(text)
    assert [entry.line for entry in found.all()] == wanted
    assert found.count() == len(wanted)


@EXAMPLES
@given(name=TEXTS.filter(str.isprintable), value=TEXTS)
def test_any_field_can_be_asked_for(shelf: Shelf, name: str, value: str) -> None:
    """Nor does it matter what the field is called, unless that is ours."""
    held = clean(value)
    lines = [
        WRITERS[0]({name: held}),
        WRITERS[0]({f"{name}_": held}),
        WRITERS[0]({name: "x" + held}),
    ]
    found = shelf.put(lines).where(**{name: value})
    assert [entry.line for entry in found.all()] == lines[:1]
    assert found.count() == 1


@EXAMPLES
@given(
    held=st.lists(st.tuples(FEW, FEW, FEW), min_size=1, max_size=6),
    user=st.none() | FEW | st.lists(FEW, min_size=1),
    city=st.none() | FEW,
    inside=FEW,
)
def test_conditions_hold_together(
    shelf: Shelf,
    held: list[tuple[str, str, str]],
    user: str | list[str] | None,
    city: str | None,
    inside: str,
) -> None:
    """A line passes when it fulfils every condition; a list is fulfilled by any of its values."""
    lines = [json.dumps({"user": a, "city": b, "n": c}, ensure_ascii=False) for a, b, c in held]
    users = user if isinstance(user, list) else [user]
    wanted = [
        line
        for line, (a, b, _) in zip(lines, held, strict=True)
        if (user is None or a in users) and (city is None or b == city) and inside in line
    ]
    found = shelf.put([*lines, "no JSON"]).contains(inside)
    found = found if user is None else found.where(user=user)
    found = found if city is None else found.where(city=city)
    everything = [entry.line for entry in found.all() if entry.fields]
    assert everything == wanted
    assert [entry.line for entry in found.limit(2).all()] == [
        entry.line for entry in found.all()[:2]
    ]
    assert found.count() == len(found.all())


@EXAMPLES
@given(text=TEXTS)
def test_a_service_of_any_name_can_be_asked_for(shelf: Shelf, text: str) -> None:
    """A name that no stream has finds nothing, and is no error."""
    assert shelf.loki.logs(service=text, env=text).all() == []
    assert shelf.put(["line"]).where(service=text, level=text).count() == 0
