"""Metric queries: every aggregation, conversion and operator of LogQL's documentation."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from tests.store.log_queries import LABEL_FILTERS, LABEL_FORMATS, LINE_FILTERS, PARSERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

COUNTS = ["count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"]
UNWRAPPED = [
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "first_over_time",
    "last_over_time",
    "rate",
    "rate_counter",
    "absent_over_time",
]
GROUPABLE = [name for name in UNWRAPPED if name.endswith("_over_time")][1:8]
QUANTILES = ["0", "0.25", "0.5", "0.9", "0.99", "1", "-0.5", "1.5"]
VECTORS = ["sum", "avg", "min", "max", "count", "stddev", "stdvar"]
WINDOWS = ["30s", "1m", "90s", "5m", "10m"]
UNWRAPS: Mapping[str, list[str]] = {
    "kit": ["duration_ms", "http_status", "bytes(bytes)", "user_id", "missing"],
    "json": ["n", "a", "big"],
    "logfmt": ["status", "duration(took)", "bytes(size)", "n"],
    "access": ["status", "size"],
    "packed": ["n"],
    "units": ["num", "duration(dur)", "duration_seconds(dur)", "bytes(size)"],
    "levels": ["m", "duration(took)", "bytes(size)"],
    "numbers": ["value", "counter", "code"],
}
GROUPS: Mapping[str, list[str]] = {
    "kit": ["app", "level", "app, http_status", "http_route", "detected_level", "missing"],
    "json": ["app", "a", "__error__", "n"],
    "logfmt": ["app", "level", "status"],
    "access": ["app", "method", "status"],
    "packed": ["app", "container"],
    "units": ["app", "who"],
    "levels": ["app", "detected_level", "level", "pod"],
    "numbers": ["app", "zone", "host", "zone, host", "code"],
}
ARITHMETIC = ["+", "-", "*", "/", "%", "^"]
COMPARISONS = ["==", "!=", ">", ">=", "<", "<="]
SETS = ["and", "or", "unless"]
OPERANDS = [
    'sum by (app) (count_over_time({corpus="numbers"}[2m]))',
    'sum by (zone) (count_over_time({corpus="numbers"}[2m]))',
    'sum by (app, zone) (count_over_time({corpus="numbers"}[2m]))',
    'sum(count_over_time({corpus="numbers"}[2m]))',
    'sum by (app) (sum_over_time({corpus="numbers"} | logfmt | unwrap value [2m]))',
    'max by (app, host) (max_over_time({corpus="numbers"} | logfmt | unwrap value [5m]))',
    'count_over_time({corpus="numbers", app="a"}[2m])',
    "vector(2)",
]


def metric_queries(corpus: str, dice: Random) -> Iterator[str]:
    """The metric queries of one corpus."""
    own = f'{{corpus="{corpus}"}}'
    parser = f'{PARSERS[corpus][0]} | __error__=""'
    yield from _counts(corpus, own, parser)
    yield from _unwrapped(corpus, own, parser)
    yield from _vectors(corpus, own, parser, dice)
    yield from (random_metric_query(corpus, dice) for _ in range(25))
    if corpus == "numbers":
        yield from _operations(dice)
        yield from _functions()


def _counts(corpus: str, own: str, parser: str) -> Iterator[str]:
    for name, window in product(COUNTS, WINDOWS[1:4:2]):
        yield f"{name}({own}[{window}])"
    for name in COUNTS:
        yield f'{name}({own} |= "a" [1m])'
        yield f"{name}({own} {parser} [1m])"
        yield f"{name}({own} {parser} {LABEL_FILTERS[corpus][0]} [5m] offset 1m)"
        yield f"sum by ({GROUPS[corpus][-1]}) ({name}({own} {parser} [5m]))"
    yield f'absent_over_time({{corpus="{corpus}", app="nobody"}}[1m])'
    yield f'absent_over_time({{corpus="{corpus}", app=~"nobody.*"}}[1m])'
    yield f"count_over_time({own}[1m] offset 5m)"
    yield f"count_over_time({own}[1m] offset -1m)"
    yield f"count_over_time({own} | drop app [5m])"
    yield f"count_over_time({own} {parser} | keep app [5m])"
    yield f"sum by (app) (count_over_time({own} | drop app [5m]))"
    yield f"sum by (app, env) (rate({own} | keep env [5m]))"
    yield f"sum by (detected_level) (count_over_time({own} | drop detected_level, app [5m]))"
    yield f"max by (app) (bytes_over_time({own} {parser} | keep missing [5m]))"
    yield f"sum without (env) (count_over_time({own} | drop app [5m]))"


def _unwrapped(corpus: str, own: str, parser: str) -> Iterator[str]:
    for label, name in product(UNWRAPS[corpus], UNWRAPPED):
        yield f"{name}({own} {PARSERS[corpus][0]} | unwrap {label} [5m])"
        yield f'{name}({own} {parser} | unwrap {label} | __error__="" [2m])'
    for label, quantile in product(UNWRAPS[corpus][:2], QUANTILES):
        clean = f'{own} {parser} | unwrap {label} | __error__="" [5m]'
        yield f"quantile_over_time({quantile}, {clean})"
    group = GROUPS[corpus][0]
    for name, grouping in product(GROUPABLE, ("by", "without")):
        clean = f'{own} {parser} | unwrap {UNWRAPS[corpus][0]} | __error__="" [5m]'
        yield f"{name}({clean}) {grouping} ({group})"
        yield f"{name}({clean}) {grouping} ()"
    yield f'sum_over_time({own} {parser} | unwrap {UNWRAPS[corpus][0]} | app!="x" [5m] offset 30s)'
    yield f"sum_over_time({own} | unwrap app [5m])"


def _vectors(corpus: str, own: str, parser: str, dice: Random) -> Iterator[str]:
    for name, group in product(VECTORS, GROUPS[corpus]):
        inner = dice.choice(
            [
                f"count_over_time({own} {parser} [{dice.choice(WINDOWS)}])",
                f"rate({own} {parser} [{dice.choice(WINDOWS)}])",
                f'sum_over_time({own} {parser} | unwrap {UNWRAPS[corpus][0]} | __error__="" [5m])',
            ]
        )
        yield f"{name} by ({group}) ({inner})"
        yield f"{name}({inner}) without ({group})"
    inner = f"count_over_time({own} {parser} [5m])"
    for name, number in product(("topk", "bottomk"), (1, 2, 5)):
        yield f"{name}({number}, sum by ({GROUPS[corpus][1]}) ({inner}))"
        yield f"{name} by (app) ({number}, sum by (app, {GROUPS[corpus][1]}) ({inner}))"
    yield f"sort(sum by ({GROUPS[corpus][1]}) (bytes_over_time({own} {parser} [5m])))"
    yield f"sort_desc(sum by ({GROUPS[corpus][1]}) (bytes_over_time({own} {parser} [5m])))"
    yield f"sum(count_over_time({own}[1m]))"
    yield f"count(count_over_time({own}[1m]))"
    yield f"sum by () (count_over_time({own}[1m]))"
    yield f"sum without () (count_over_time({own}[1m]))"
    yield f"max(sum by (app) (rate({own}[5m])))"


def random_metric_query(corpus: str, dice: Random) -> str:
    """An aggregation over a chain of parts of the tables."""
    parts = [f'{{corpus="{corpus}"}}']
    if dice.random() < 0.5:
        parts.append(dice.choice(LINE_FILTERS))
    if dice.random() < 0.8:
        parts.append(dice.choice(PARSERS[corpus]))
    if dice.random() < 0.5:
        parts.append(dice.choice(LABEL_FILTERS[corpus]))
    if dice.random() < 0.3:
        parts.append(dice.choice(LABEL_FORMATS))
    pipeline = " ".join(parts)
    window = dice.choice(WINDOWS)
    if dice.random() < 0.5:
        leaf = f"{dice.choice(COUNTS)}({pipeline} [{window}])"
    else:
        unwrap = dice.choice(UNWRAPS[corpus])
        leaf = f"{dice.choice(UNWRAPPED)}({pipeline} | unwrap {unwrap} [{window}])"
    group = dice.choice(GROUPS[corpus])
    outer = dice.choice(["{}", "sum({})", f"sum by ({group}) ({{}})", f"max by ({group}) ({{}})"])
    return outer.replace("{}", leaf)


def _operations(dice: Random) -> Iterator[str]:
    app, zone, both, one, value, hosts, single, constant = OPERANDS
    for op in ARITHMETIC:
        yield f"{app} {op} {value}"
        yield f"{app} {op} 2"
        yield f"10 {op} {app}"
        yield f"{app} {op} {constant}"
        yield f"3 {op} 2"
    for op in COMPARISONS:
        yield f"{value} {op} {app}"
        yield f"{value} {op} bool {app}"
        yield f"{value} {op} 30"
        yield f"{value} {op} bool 30"
        yield f"30 {op} {value}"
        yield f"1 {op} bool 2"
    for op in SETS:
        yield f"{app} {op} {value}"
        yield f"{both} {op} on (zone) {zone}"
        yield f"{both} {op} ignoring (app) {zone}"
        yield f"({app} > 5) {op} ({value} > 20)"
        yield f"{app} {op} {constant}"
        yield f"{app} {op} on () {constant}"
    for op in [*ARITHMETIC[:4], *COMPARISONS[2:4]]:
        yield f"{both} {op} on (app) {app}"
        yield f"{both} {op} ignoring (zone) {app}"
        yield f"{both} {op} on (zone) group_left {zone}"
        yield f"{both} {op} on (zone) group_left () {zone}"
        yield f"{zone} {op} on (zone) group_right {both}"
        yield f"{hosts} {op} on (app) group_left (zone) {both}"
        yield f"{both} {op} on (zone) {zone}"
        yield f"{one} {op} on () group_right {app}"
    yield from (f"{left} {dice.choice(ARITHMETIC)} {right}" for left, right in _pairs(dice))
    for text in ("1 + 2 * 3", "(1 + 2) * 3", "2 ^ 3 ^ 2", "-1 + 2", "1 / 0", "-1 / 0", "0 / 0",
                 "5 % 0", "7 % 3", "-7 % 3", "2 ^ -1", "1e3", "0x1F", ".5", "1 - 1 - 1",
                 "1 > bool 2 > bool 0", "10 / 4", "1000000 * 1000000 * 1000000"):  # fmt: skip
        yield text
        yield f"vector({text})" if text in {"1e3", ".5"} else f"{app} * ({text})"
    yield f"{app} / {app} > bool 0.5"
    yield f"({app} + {value}) / 2 * 100"
    yield f"{app} or {zone} or vector(0)"
    yield f"{single} / {one}"
    yield f"{single} * on () group_left {one}"
    yield f"-{app}"


def _pairs(dice: Random) -> Iterator[tuple[str, str]]:
    for _ in range(20):
        left, right = dice.sample(OPERANDS, 2)
        yield left, right


def _functions() -> Iterator[str]:
    app, zone, both = OPERANDS[:3]
    for arguments in (
        '"new", "$1-x", "app", "(.*)"',
        '"app", "$1", "zone", "(ea)st"',
        '"new", "fixed", "missing", ""',
        '"new", "$1", "app", "nomatch"',
        '"zone", "", "zone", ".*"',
        '"new", "${1}_$2", "zone", "(.)(.*)"',
        '"app", "same", "app", ".*"',
    ):
        yield f"label_replace({both}, {arguments})"
    yield f'sum by (new) (label_replace({both}, "new", "$1", "zone", "(.*)"))'
    yield "vector(1)"
    yield "vector(1) + vector(1)"
    yield "vector(0) > 1"
    yield f"sum({app}) or vector(0)"
    yield f"topk(2, {both})"
    yield f"topk(2, {OPERANDS[4]})"
    yield f"bottomk(1, {OPERANDS[4]})"
    yield f"topk by (zone) (1, sum by (app, zone) ({OPERANDS[4]}))"
    values = '{corpus="numbers"} | logfmt | unwrap value [5m]'
    yield f"topk(3, sum by (app, host) (sum_over_time({values})))"
    yield f"sort({app})"
    yield f"sort_desc({zone})"
    yield f"approx_topk(2, {app})"
    yield f"avg({app}) by (zone)"
    yield f"count by (zone) ({both} > 3)"
    yield f"quantile_over_time(0.5, {values}) by (zone)"
