"""The functions of templates with the types of their arguments."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lokikit.store.logql.patterns import check_regex
from lokikit.store.logql.regular_expressions import compile_regex, expand
from lokikit.store.logql.templates import comparisons, numbers, strings, times
from lokikit.store.logql.templates.printf import go_printf
from lokikit.store.logql.templates.values import MISSING, TemplateProblem, format_value, is_true
from lokikit.store.logql.unwrapping import CONVERSIONS, duration_seconds

_MAX_CHARS = 4 << 20


@dataclass(frozen=True)
class Signature:
    """A function of templates.

    Args:
        call: does the work.
        parameters: the types of its arguments, in Go's names; `any` takes everything.
        rest: the type of further arguments, None without further arguments.
    """

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    rest: str | None = None


def _default(value: Any, *given: Any) -> Any:
    return given[0] if given and is_true(given[0]) else value


def _from_json(text: str) -> Any:
    try:
        value = json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return MISSING
    return MISSING if value is None else value


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(text)
    return value


def _refuse(constant: str) -> float:
    raise ValueError(constant)


@lru_cache(500)
def _regex(pattern: str) -> Any:
    problem = check_regex(pattern)
    if problem:
        raise TemplateProblem(problem)
    return compile_regex(pattern)


def _count(pattern: str, text: str) -> int:
    return sum(1 for _ in _matches(_regex(pattern), text))


def _matches(regex: Any, text: str) -> Iterator[Any]:
    """All matches, except empty matches that touch the match before."""
    end = -1
    for match in regex.finditer(text):
        if match.end() > match.start() or match.start() != end:
            yield match
        end = match.end()


def _replace_all(pattern: str, text: str, replacement: str) -> str:
    return _substitute(_regex(pattern), text, lambda match: expand(replacement, match))


def _replace_literal(pattern: str, text: str, replacement: str) -> str:
    return _substitute(_regex(pattern), text, lambda _: replacement)


def _substitute(regex: Any, text: str, replace: Callable[[Any], str]) -> str:
    parts, position, size = [], 0, 0
    for match in _matches(regex, text):
        replacement = replace(match)
        size += len(replacement)
        if size > _MAX_CHARS:
            raise TemplateProblem("regexp: the text would be too long")
        parts += [text[position : match.start()], replacement]
        position = match.end()
    return "".join((*parts, text[position:]))


def _print(*values: Any) -> str:
    """Go's `Sprint`: a space between neighbours that are both no strings."""
    parts: list[str] = []
    for number, value in enumerate(values):
        if number and not isinstance(value, str) and not isinstance(values[number - 1], str):
            parts.append(" ")
        parts.append(format_value(value))
    return "".join(parts)


def _println(*values: Any) -> str:
    return " ".join(map(format_value, values)) + "\n"


def _plain(*values: Any) -> str:
    """The text of arguments of `html` and the like."""
    return _print(*("<no value>" if one is None else one for one in values))


def _call(*_: Any) -> Any:
    raise TemplateProblem("error calling call: non-function")


_ONE, _TWO, _THREE = ("string",), ("string", "string"), ("string", "string", "string")
_SIZED = ("int", "string")

FUNCTIONS: dict[str, Signature] = {
    "not": Signature(lambda value: not is_true(value), ("any",)),
    "len": Signature(comparisons.length, ("any",)),
    "index": Signature(comparisons.index, ("any",), "any"),
    "slice": Signature(comparisons.cut, ("any",), "any"),
    "call": Signature(_call, ("any",), "any"),
    "print": Signature(_print, (), "any"),
    "println": Signature(_println, (), "any"),
    "printf": Signature(lambda text, *rest: go_printf(text, list(rest)), _ONE, "any"),
    "html": Signature(lambda *values: strings.html_escape(_plain(*values)), (), "any"),
    "js": Signature(lambda *values: strings.js_escape(_plain(*values)), (), "any"),
    "urlquery": Signature(lambda *values: strings.urlencode(_plain(*values)), (), "any"),
    "eq": Signature(comparisons.equal, ("any",), "any"),
    "ne": Signature(lambda a, b: not comparisons.equal(a, b), ("any", "any")),
    "lt": Signature(comparisons.less, ("any", "any")),
    "le": Signature(lambda a, b: comparisons.less(a, b) or comparisons.equal(a, b), ("any", "any")),
    "gt": Signature(lambda a, b: comparisons.less(b, a), ("any", "any")),
    "ge": Signature(lambda a, b: comparisons.less(b, a) or comparisons.equal(a, b), ("any", "any")),
    "alignLeft": Signature(strings.align_left, _SIZED),
    "alignRight": Signature(strings.align_right, _SIZED),
    "b64dec": Signature(strings.b64dec, _ONE),
    "b64enc": Signature(strings.b64enc, _ONE),
    "bytes": Signature(CONVERSIONS["bytes"], _ONE),
    "contains": Signature(lambda part, text: part in text, _TWO),
    "count": Signature(_count, _TWO),
    "date": Signature(times.date, ("string", "any")),
    "default": Signature(_default, ("any",), "any"),
    "duration": Signature(duration_seconds, _ONE),
    "duration_seconds": Signature(duration_seconds, _ONE),
    "float64": Signature(numbers.to_float, ("any",)),
    "fromJson": Signature(_from_json, _ONE),
    "hasPrefix": Signature(lambda part, text: text.startswith(part), _TWO),
    "hasSuffix": Signature(lambda part, text: text.endswith(part), _TWO),
    "indent": Signature(strings.indent, _SIZED),
    "int": Signature(numbers.to_int, ("any",)),
    "lower": Signature(strings.lower, _ONE),
    "nindent": Signature(strings.nindent, _SIZED),
    "now": Signature(times.now),
    "regexReplaceAll": Signature(_replace_all, _THREE),
    "regexReplaceAllLiteral": Signature(_replace_literal, _THREE),
    "repeat": Signature(strings.repeat, _SIZED),
    "replace": Signature(strings.replace, _THREE),
    "substr": Signature(strings.substr, ("int", "int", "string")),
    "title": Signature(strings.title, _ONE),
    "toDate": Signature(times.to_date, _TWO),
    "toDateInZone": Signature(times.to_date_in_zone, _THREE),
    "trim": Signature(strings.trim_space, _ONE),
    "trimAll": Signature(lambda chars, text: strings.strip(text, chars), _TWO),
    "trimPrefix": Signature(lambda part, text: text.removeprefix(part), _TWO),
    "trimSuffix": Signature(lambda part, text: text.removesuffix(part), _TWO),
    "trunc": Signature(strings.trunc, _SIZED),
    "unixEpoch": Signature(times.unix_epoch, ("time.Time",)),
    "unixEpochMillis": Signature(times.unix_epoch_millis, ("time.Time",)),
    "unixEpochNanos": Signature(times.unix_epoch_nanos, ("time.Time",)),
    "unixToTime": Signature(times.unix_to_time, _ONE),
    "upper": Signature(strings.upper, _ONE),
    "urldecode": Signature(strings.urldecode, _ONE),
    "urlencode": Signature(strings.urlencode, _ONE),
    "add": Signature(numbers.add, (), "any"),
    "addf": Signature(numbers.addf, (), "any"),
    "ceil": Signature(numbers.ceil, ("any",)),
    "div": Signature(numbers.div, ("any", "any")),
    "divf": Signature(numbers.divf, ("any",), "any"),
    "floor": Signature(numbers.floor, ("any",)),
    "max": Signature(numbers.largest, ("any",), "any"),
    "maxf": Signature(numbers.maxf, ("any",), "any"),
    "min": Signature(numbers.smallest, ("any",), "any"),
    "minf": Signature(numbers.minf, ("any",), "any"),
    "mod": Signature(numbers.mod, ("any", "any")),
    "mul": Signature(numbers.mul, ("any",), "any"),
    "mulf": Signature(numbers.mulf, ("any",), "any"),
    "round": Signature(numbers.round_half_up, ("any", "int"), "float64"),
    "sub": Signature(numbers.sub, ("any", "any")),
    "subf": Signature(numbers.subf, ("any",), "any"),
    "Replace": Signature(strings.replace_some, ("string", "string", "string", "int")),
    "ToLower": Signature(strings.lower, _ONE),
    "ToUpper": Signature(strings.upper, _ONE),
    "Trim": Signature(strings.strip, _TWO),
    "TrimLeft": Signature(strings.strip_left, _TWO),
    "TrimPrefix": Signature(lambda text, part: text.removeprefix(part), _TWO),
    "TrimRight": Signature(strings.strip_right, _TWO),
    "TrimSpace": Signature(strings.trim_space, _ONE),
    "TrimSuffix": Signature(lambda text, part: text.removesuffix(part), _TWO),
}
"""All but `and` and `or`, which stop at the first argument that decides, `__line__` and
`__timestamp__`."""
