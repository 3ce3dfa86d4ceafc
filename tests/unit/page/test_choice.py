from __future__ import annotations

import json

import pytest

from lokikit.errors import SettingsError
from lokikit.page.choice import Choice, read_choice
from lokikit.store.logql.stage_check import check_query

NOW_NS = 1_800_000_000 * 10**9
HOUR_NS = 3600 * 10**9


def read(**parameters: str | list[str]) -> Choice:
    """The choice of a URL with these parameters; `_` in a name stands for `-`."""
    pairs = [
        (name.replace("var_", "var-", 1), value)
        for name, held in parameters.items()
        for value in (held if isinstance(held, list) else [held])
    ]
    return read_choice(pairs, NOW_NS)


def where(*words: str) -> str:
    """One condition as the URL has it."""
    return json.dumps(words)


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({}, '{service_name=~".+"}'),
        ({"var_service": "shop"}, '{service_name="shop"}'),
        ({"var_service": ["a.b", "c"]}, '{service_name=~"a\\\\.b|c"}'),
        ({"var_env": "dev"}, '{service_name=~".+", env="dev"}'),
        ({"var_service": "$__all"}, '{service_name=~".+"}'),
        ({"var_detected_level": ["error", "warn"]}, '| detected_level=~"error|warn"'),
        ({"var_search": "Order"}, '|= "Order"'),
        ({"var_search": "order"}, '|~ "(?i)order"'),
        ({"var_search": "17"}, '|= "17"'),
        ({"var_search": "a.b"}, '|~ "(?i)a\\\\.b"'),
        ({"logql": '{a="b"}', "var_service": "shop"}, '{a="b"}'),
        ({"where": where("label", "env", "!=", "x")}, '| env!="x"'),
        ({"where": where("metadata", "request_id", "=", "r")}, '| request_id="r"'),
        (
            {"where": where("field", "http_status", "=", "500")},
            '| json http_status | http_status="500" | drop __error__, __error_details__',
        ),
        (
            {"where": where("field", "env", "=", "x")},
            '| json field_0="[\\"env\\"]" | field_0="x"',
        ),
    ],
    ids=lambda one: "" if isinstance(one, str) else "-".join(one) or "nothing",
)
def test_the_query_of_a_choice(parameters: dict[str, str | list[str]], query: str) -> None:
    assert query in read(**parameters).query


HOSTILE = ['a"b', "a`b", "a\\b", "a\nb", "}|{", "\ufffd", "é", "a|b", "$x", "#", "\u2028"]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_no_value_breaks_out_of_the_query(value: str) -> None:
    made = read(
        var_service=[value, "b"],
        var_env=value,
        var_search=value,
        var_detected_level=value,
        where=[
            where("field", "name", "=", value),
            where("field", "a b", "!=", value),
            where("label", "team", "=", value),
        ],
    )
    check_query(made.query)


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        ("now-1h", "now", (NOW_NS - HOUR_NS, NOW_NS)),
        ("now-2d", "now-1h", (NOW_NS - 48 * HOUR_NS, NOW_NS - HOUR_NS)),
        ("1799999999000", "", (1_799_999_999 * 10**9, NOW_NS)),
        ("1799999999000000001", "", (1_799_999_999_000_000_001, NOW_NS)),
        ("2026-11-21", "", (1_795_219_200 * 10**9, NOW_NS)),
        ("15m", "", (NOW_NS - HOUR_NS // 4, NOW_NS)),
    ],
    ids=["hour", "two-ends", "milliseconds", "nanoseconds", "date", "duration"],
)
def test_times_are_those_of_grafana_and_of_the_command_line(
    start: str, end: str, span: tuple[int, int]
) -> None:
    made = read(**{"from": start, "to": end})
    assert (made.start_ns, made.end_ns) == span


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "now", "to": "now"},
        {"from": "yesterday"},
        {"where": "x"},
        {"where": where("field", "a", "~", "b")},
        {"where": where("planet", "a", "=", "b")},
    ],
    ids=["empty-time", "no-time", "no-json", "operator", "kind"],
)
def test_what_means_nothing_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        read(**parameters)


@pytest.mark.parametrize("name", ['a"b', "a]", ""], ids=ascii)
def test_a_field_that_loki_cannot_be_asked_for_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="Loki cannot be asked"):
        _ = read(where=where("field", name, "=", "x")).query


def test_a_metrics_query_stays_as_it_was_typed() -> None:
    made = read(logql='rate({a="b"}[1m])', var_search="x")
    assert made.is_metric
    assert made.query == 'rate({a="b"}[1m])'
