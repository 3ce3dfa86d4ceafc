"""The embedded store beside a real Loki: the same answers to the same requests.

`python -m tests.store.record` records Loki's answers anew.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store import answers
from tests.store.answers import Api
from tests.store.corpus import base_ns
from tests.store.differences import DIFFERENCES, UNSTABLE
from tests.store.embedded import running_store
from tests.store.log_queries import PARSERS, random_log_query
from tests.store.metric_queries import random_metric_query
from tests.store.requests import CATEGORIZE, END_S, Request, requests
from tests.store.running_loki import running_loki

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

LOKI = shutil.which("loki")
SHOWN_BYTES = 1500


@pytest.fixture(scope="module")
def now_ns() -> int:
    """When both are filled."""
    return time.time_ns()


@pytest.fixture(scope="module")
def store(now_ns: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The embedded store with all corpora."""
    with running_store(tmp_path_factory.mktemp("store")) as port:
        api = Api("127.0.0.1", port, base_ns(now_ns))
        api.push()
        yield api
        api.close()


@pytest.fixture(scope="module")
def loki(now_ns: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The real Loki with all corpora."""
    if not LOKI:
        pytest.skip("no `loki` on PATH")
    with running_loki(Path(LOKI), tmp_path_factory.mktemp("loki")) as port:
        api = Api("127.0.0.1", port, base_ns(now_ns))
        api.push()
        yield api
        api.close()


def by_corpus() -> dict[str, list[Request]]:
    """The requests of each file of answers."""
    found: dict[str, list[Request]] = {}
    for request in requests():
        found.setdefault(request.corpus, []).append(request)
    return found


def is_listed(key: str) -> bool:
    """Whether `differences.py` says why the answers differ."""
    return any(re.search(pattern, key) for pattern in (*DIFFERENCES, *UNSTABLE))


def shown(request: Request, expected: Any, actual: Any) -> str:
    """Both answers, cut."""
    return (
        f"{request.key}\n  Loki   {expected!s:.{SHOWN_BYTES}}\n  store  {actual!s:.{SHOWN_BYTES}}"
    )


def test_answers_are_those_of_the_requests() -> None:
    """Nothing is asked whose answer was not recorded, and no answer is left over."""
    keys = [request.key for request in requests()]
    assert len(set(keys)) == len(keys) > 2000
    assert set(answers.read()) == set(keys)


@pytest.mark.parametrize("reason", [*DIFFERENCES.values(), *UNSTABLE.values()])
def test_difference_is_documented(reason: str) -> None:
    page = " ".join((kit_root() / "docs/store.md").read_text().split()).lower()
    assert reason.lower() in page


@pytest.mark.parametrize("corpus", by_corpus())
def test_recorded_answers(store: Api, corpus: str) -> None:
    """Each answer is the one that Loki gave, but for the listed differences."""
    recorded, differing = answers.read(), []
    for request in by_corpus()[corpus]:
        if is_listed(request.key):
            continue
        expected, actual = recorded[request.key], store.ask(request)
        if not answers.matches(expected, actual):
            differing.append(shown(request, expected, actual))
    assert not differing, f"{len(differing)} answers differ:\n" + "\n".join(differing)


def test_listed_differences_are_some(store: Api) -> None:
    """A pattern of the list whose answers have become Loki's goes from the list."""
    recorded = answers.read()
    differing = [
        request.key
        for request in requests()
        if is_listed(request.key) and not answers.matches(recorded[request.key], store.ask(request))
    ]
    for pattern in DIFFERENCES:
        assert any(re.search(pattern, key) for key in differing), pattern


def check_live(store: Api, loki: Api, corpus: str, dice: Random) -> None:
    """A random query of the same grammar, asked of both now."""
    make = random_metric_query if dice.random() < 0.5 else random_log_query
    params = {"query": make(corpus, dice), "start": 0, "end": END_S, "step": 60, "limit": 1000}
    request = Request(corpus, "query_range", tuple(params.items()), CATEGORIZE)
    if not is_listed(request.key):
        expected, actual = loki.ask(request), store.ask(request)
        assert answers.matches(expected, actual), shown(request, expected, actual)


LIVE = given(corpus=st.sampled_from(sorted(PARSERS)), dice=st.randoms(use_true_random=False))
ALL_CHECKS_OFF = list(HealthCheck)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=ALL_CHECKS_OFF)
@LIVE
def test_live_answers(store: Api, loki: Api, corpus: str, dice: Random) -> None:
    """Queries that nobody wrote down have Loki's answers too; always the same ones."""
    check_live(store, loki, corpus, dice)


@pytest.mark.soak
@settings(max_examples=5000, deadline=None, suppress_health_check=ALL_CHECKS_OFF)
@LIVE
def test_other_live_answers(store: Api, loki: Api, corpus: str, dice: Random) -> None:
    """Others each time."""
    check_live(store, loki, corpus, dice)
