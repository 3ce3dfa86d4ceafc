"""The requests of the differential tests, generated from tables with a fixed seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from tests.store import log_queries, metric_queries, refused_queries
from tests.store.corpus import SPAN_S, corpora

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SEED = 20260101
END_S = SPAN_S + 60
CATEGORIZE = "categorize-labels"


@dataclass(frozen=True)
class Request:
    """One request to Loki's API.

    Args:
        corpus: which lines it asks about, empty for what needs none.
        path: behind `/loki/api/v1/`.
        params: name -> value; those in `TIMES` are seconds from the base.
        flags: of the header `X-Loki-Response-Encoding-Flags`.
    """

    corpus: str
    path: str
    params: tuple[tuple[str, str | float], ...]
    flags: str = ""

    @property
    def key(self) -> str:
        """Identifies the request, in words."""
        shown = " ".join(f"{name}={value}" for name, value in self.params)
        return f"{self.corpus}: {self.path} {shown}{' categorized' if self.flags else ''}"


TIMES = frozenset({"start", "end", "time"})
_ACROSS = '{corpus=~"kit|numbers|logfmt"}'
TWICE = [
    '{corpus="twice"}',
    '{corpus="twice"} |= "first"',
    '{corpus="twice"} | pod="p1"',
    'count_over_time({corpus="twice"}[1m])',
    'sum by (app) (count_over_time({corpus="twice"}[30s]))',
    'sum by (pod) (count_over_time({corpus="twice"}[5m]))',
    'sum(bytes_over_time({corpus="twice", app="one"}[5m]))',
    'rate({corpus="twice"} | pod="" [1m])',
]
"""Of lines at equal times, whose order is not defined: without a limit."""
DIFFERING = [
    'avg_over_time({corpus="json"} | json n, m | drop level | unwrap n [5m])',
    'absent_over_time({corpus="logfmt"} | logfmt | __error__="" | status >= 400 [5m] offset 1m)',
    'bytes_over_time({corpus="logfmt"} | logfmt --keep-empty | __error__="" | drop level [5m])',
    (
        'avg by (status) (sum_over_time({corpus="logfmt"} | logfmt | unwrap status '
        '| __error__="" [5m]))'
    ),
    'label_replace(sum by (app) (rate({corpus="numbers"}[2m])), "app", "same", "app", ".*")',
]
"""Each shows a difference of `differences.py` that the tables may miss."""
ACROSS = [
    _ACROSS,
    f'{_ACROSS} |= "status"',
    f"{_ACROSS} | logfmt | status >= 400",
    f"{_ACROSS} | json | http_status >= 500",
    f"sum by (corpus) (count_over_time({_ACROSS}[5m]))",
    f"sum by (corpus, app) (rate({_ACROSS}[5m]))",
    f"topk(2, sum by (corpus) (bytes_over_time({_ACROSS}[5m])))",
    f"count by (corpus) (sum by (corpus, app) (rate({_ACROSS}[5m])))",
    f"sum by (detected_level) (count_over_time({_ACROSS}[5m]))",
    f"sum without (app) (count_over_time({_ACROSS}[5m]))",
]
"""Of several corpora at once."""


def requests() -> list[Request]:
    """All requests, each once, always in the same order."""
    found = [*_logs(), *_metrics(), *_special(), *_refused(), *_indexes()]
    return list(dict.fromkeys(found))


def _range(corpus: str, query: str, *, flags: str = "", **more: str | float) -> Request:
    params = {"query": query, "start": 0, "end": END_S, **more}
    return Request(corpus, "query_range", tuple(params.items()), flags)


def _logs() -> Iterator[Request]:
    table_dice = random.Random(SEED)
    for corpus in log_queries.PARSERS:
        for query in log_queries.log_queries(corpus, table_dice):
            # Seeded by the query, so that another query in a table changes no other request.
            dice = random.Random(query)
            flags = CATEGORIZE if dice.random() < 0.8 else ""
            yield _range(corpus, query, flags=flags, **_log_parameters(dice))


def _log_parameters(dice: random.Random) -> dict[str, str | float]:
    chosen = dice.random()
    if chosen < 0.2:
        return {"limit": dice.choice([1, 3, 10]), "direction": "backward"}
    if chosen < 0.4:
        return {"limit": dice.choice([2, 7]), "direction": "forward"}
    if chosen < 0.5:
        return {"start": 60, "end": 190, "limit": 100, "direction": "backward"}
    return {"limit": 1000, "direction": "forward"}


def _metrics() -> Iterator[Request]:
    table_dice = random.Random(SEED)
    for corpus in log_queries.PARSERS:
        for query in metric_queries.metric_queries(corpus, table_dice):
            yield _metric(corpus, query, random.Random(query))


def _metric(corpus: str, query: str, dice: random.Random) -> Request:
    chosen = dice.random()
    if chosen < 0.35:
        time = dice.choice([60, 300, 601, 333.5])
        return Request(corpus, "query", (("query", query), ("time", time)))
    if chosen < 0.7:
        return _range(corpus, query, step=dice.choice([60, 120, 300]))
    start, step = dice.choice([0, 7, 45]), dice.choice([45, 90, 150])
    return _range(corpus, query, start=start, end=start + 500, step=step)


def _special() -> Iterator[Request]:
    for query in TWICE:
        for direction in ("forward", "backward"):
            yield _range("twice", query, step=60, limit=1000, direction=direction)
        yield Request("twice", "query", (("query", query), ("time", 120)))
    for query in ACROSS:
        for direction, limit in product(("forward", "backward"), (5, 1000)):
            # The first lines of the corpora stand at one time, in no order.
            yield _range("several", query, start=5, step=60, limit=limit, direction=direction)
    for query in DIFFERING:
        yield _range("differing", query, flags=CATEGORIZE, step=300, limit=1000)
    for now in (-4000, 100, 7000):
        yield Request(
            "kit", "query", (("query", 'count_over_time({corpus="kit"}[1h])'), ("time", now))
        )


def _refused() -> Iterator[Request]:
    for query in refused_queries.REFUSED:
        yield _range("kit", query, limit=10)
    for query in refused_queries.REFUSED_AT_ONE_TIME:
        yield Request("kit", "query", (("query", query), ("time", 60)))
    for params in refused_queries.BAD_PARAMETERS:
        yield Request("kit", "query_range", tuple(params.items()))


def _indexes() -> Iterator[Request]:
    span = (("start", 0), ("end", END_S))
    for corpus in corpora():
        own = f'{{corpus="{corpus}"}}'
        yield Request(corpus, "labels", (("query", own), *span))
        yield Request(corpus, "series", (("match[]", own), *span))
        yield Request(corpus, "index/stats", (("query", own), *span))
        for name in ("app", "env", "corpus", "zone", "level", "missing"):
            yield Request(corpus, f"label/{name}/values", (("query", own), *span))
        yield from _volumes(corpus, own)
        yield Request(corpus, "detected_labels", (("query", own), *span))
        yield Request(corpus, "detected_fields", (("query", own), *span))
        yield Request(corpus, "detected_fields", (("query", f"{own} | json"), *span))
        yield Request(corpus, "detected_fields", (("query", f"{own} | logfmt"), *span))
        yield Request(corpus, "patterns", (("query", own), *span))
    yield from _formats()
    several = (("match[]", '{app="shop"}'), ("match[]", '{app="cart"}'))
    yield Request("kit", "series", (*several, *span))


def _volumes(corpus: str, own: str) -> Iterable[Request]:
    for query, by in product((own, f'{{corpus="{corpus}", app=~".+"}}'), ("series", "labels")):
        params = (("query", query), ("start", 0), ("end", END_S), ("aggregateBy", by))
        yield Request(corpus, "index/volume", params)
        yield Request(corpus, "index/volume", (*params, ("targetLabels", "app")))
        yield Request(corpus, "index/volume", (*params, ("limit", 1)))
        yield Request(corpus, "index/volume_range", (*params, ("step", 300)))


def _formats() -> Iterator[Request]:
    dice = random.Random(SEED + 1)
    queries = list(metric_queries.metric_queries("numbers", dice))
    queries += list(log_queries.log_queries("kit", dice))
    for query in dice.sample(queries, 120):
        yield Request("", "format_query", (("query", query),))
