"""The annotations of an alert, with their templates filled in.

Supports the part of Grafana's and Prometheus' templates that alert texts use: labels, the value,
and the functions that format it. Any other action is left as it is.
https://grafana.com/docs/grafana/latest/alerting/alerting-rules/templates/reference/
https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_TERM = re.compile(
    r"(?:\$labels|\.Labels)\.(?P<label>\w+)"
    r'|index\s+(?:\$labels|\.Labels)\s+"(?P<index>[^"]+)"'
    r"|(?P<value>\$value|\.Value|(?:\$values|\.Values)\.\w+(?:\.Value)?)"
)
_LARGE = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL = ("", "m", "u", "n", "p", "f", "a", "z", "y")
_THOUSAND = 1000.0


def fill_annotation(template: str, labels: Mapping[str, str], value: float | None) -> str:
    """Return the text of an annotation for an alert."""

    def action(found: re.Match[str]) -> str:
        filled = _filled(found[1], labels, value)
        return found[0] if filled is None else filled

    return _ACTION.sub(action, template)


def _filled(action: str, labels: Mapping[str, str], value: float | None) -> str | None:
    function, term = _split(action)
    found = _TERM.fullmatch(term)
    if not found:
        return None
    if found["value"] is None:
        return labels.get(found["label"] or found["index"], "") if not function else None
    if value is None:
        return "-1"
    return _format(function, value)


def _split(action: str) -> tuple[str, str]:
    """Return the function and the argument of `f x`, `x | f` or `x`."""
    if "|" in action:
        term, _, function = action.rpartition("|")
        return function.strip(), term.strip()
    name, _, rest = action.partition(" ")
    is_function = name in _FUNCTIONS or name == "printf"
    if name == "printf":
        form, _, term = rest.strip().rpartition(" ")
        return f"printf {form}", term
    return (name, rest.strip()) if is_function else ("", action)


def _format(function: str, value: float) -> str | None:
    if function.startswith("printf "):
        form = function.removeprefix("printf ").strip().strip('"`')
        return form % value if re.fullmatch(r"[^%]*%\.?\d*[fge][^%]*(?:%%)?", form) else None
    format_ = _FUNCTIONS.get(function)
    return format_(value) if format_ else None


def _humanize(value: float) -> str:
    """Return a number with four digits and a metric prefix."""
    if value == 0 or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        return f"{value:.4g}"
    prefixes, factor = (_LARGE, 1 / _THOUSAND) if abs(value) >= 1 else (_SMALL, _THOUSAND)
    at = 0
    while at < len(prefixes) - 1 and not 1 <= abs(value) < _THOUSAND:
        value, at = value * factor, at + 1
    return f"{value:.4g}{prefixes[at]}"


_FUNCTIONS: Mapping[str, Callable[[float], str]] = {
    "": lambda value: f"{value:.15g}",
    "humanize": _humanize,
    "humanizePercentage": lambda value: f"{value * 100:.4g}%",
}
