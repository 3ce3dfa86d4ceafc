"""The values of Grafana's variables in queries and links."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lokikit.fields import DETECTED_LEVEL
from lokikit.page.choice import Choice, alternatives
from lokikit.query.logql import Selection

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::(\w+))?\}|(\w+))")
_SEARCH = "|= `${search:raw}`"
_OF_ROW = re.compile(r"\$\{__data\.fields\.([^}]+)\}")
_OF_SERIES = re.compile(r"\$\{__field\.labels\.([^}]+)\}")
_TIME = re.compile(r"&?\$\{__url_time_range\}")


def fill(expr: str, choice: Choice, step_s: int) -> str:
    """Return a query with the values of the choice in place of the variables."""
    spans = {"__auto": step_s, "__interval": step_s, "__range": choice.range_s}
    every = Selection()
    chosen = {
        "service": (choice.services, every.service),
        "env": (choice.envs, every.env),
        DETECTED_LEVEL: (choice.levels, every.level),
    }

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        if name in spans:
            return f"{spans[name]}s"
        if name == "id":
            return choice.wanted_id.replace("`", "") or "none"
        if name not in chosen:
            return found[0]
        values, otherwise = chosen[name]
        return json.dumps(alternatives(values) or otherwise, ensure_ascii=False)[1:-1]

    # The text last: it may hold a `$` of its own.
    parts = expr.split(_SEARCH)
    return choice.text_filter.join(_VARIABLE.sub(value, part) for part in parts)


def row_link(url: str, row: Mapping[str, Any]) -> str:
    """Return the link of a value in a table; the page adds its span of time."""
    return _filled(url, _OF_ROW, row)


def series_link(url: str, labels: Mapping[str, str]) -> str:
    """Return the link of a series in a graph."""
    return _filled(url, _OF_SERIES, labels)


def _filled(url: str, places: re.Pattern[str], values: Mapping[str, Any]) -> str:
    filled = places.sub(lambda found: quote(str(values.get(found[1], "")), safe=""), url)
    return _TIME.sub("", filled)
