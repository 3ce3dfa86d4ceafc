"""Filters on labels: text, numbers, durations, sizes, addresses, and their combinations."""

from __future__ import annotations

from collections.abc import Callable

from lokikit.store.logql.ip_matcher import addresses_in, compile_ip
from lokikit.store.logql.labels_builder import ERROR_DETAILS, LineState
from lokikit.store.logql.matchers import compile_label_matcher
from lokikit.store.logql.operators import COMPARISONS
from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    BytesFilter,
    DurationFilter,
    IpFilter,
    LabelFilter,
    NumberFilter,
    OrFilter,
    StringFilter,
)
from lokikit.store.logql.unwrapping import duration_ns, parse_number, size_bytes

Check = Callable[[LineState], bool]

FILTER_ERROR = "LabelFilterErr"


def filter_name(condition: LabelFilter) -> str | None:
    """The label of a filter on one label, None for combinations and for addresses."""
    if isinstance(condition, StringFilter):
        return condition.matcher.name
    if isinstance(condition, (NumberFilter, DurationFilter, BytesFilter)):
        return condition.name
    return None


def filter_names(condition: LabelFilter) -> set[str]:
    """All labels that a filter reads."""
    if isinstance(condition, (AndFilter, OrFilter)):
        return filter_names(condition.left) | filter_names(condition.right)
    if isinstance(condition, StringFilter):
        return {condition.matcher.name}
    return {condition.name}


def compile_label_filter(condition: LabelFilter) -> Check:
    """True for the lines that stay; a value that is no number sets `__error__`, the line stays.

    Raises:
        QueryError: an expression or an address is wrong.
    """
    if isinstance(condition, AndFilter):
        left, right = compile_label_filter(condition.left), compile_label_filter(condition.right)
        # Both sides always run, as in Loki: an error of the right one stays on the line.
        return lambda state: left(state) & right(state)
    if isinstance(condition, OrFilter):
        left, right = compile_label_filter(condition.left), compile_label_filter(condition.right)
        return lambda state: left(state) or right(state)
    if isinstance(condition, StringFilter):
        return _string_check(condition)
    if isinstance(condition, IpFilter):
        return _ip_check(condition)
    return _number_check(condition)


def _string_check(condition: StringFilter) -> Check:
    name, takes = condition.matcher.name, compile_label_matcher(condition.matcher)
    if name == ERROR_DETAILS:
        return lambda state: takes(state.parsed.get(name, ""))
    return lambda state: takes(state.get(name) or "")


def _number_check(condition: NumberFilter | DurationFilter | BytesFilter) -> Check:
    name, compare = condition.name, COMPARISONS[condition.op]
    convert: Callable[[str], float]
    if isinstance(condition, NumberFilter):
        convert, wanted = parse_number, condition.value
    elif isinstance(condition, DurationFilter):
        convert, wanted = duration_ns, float(condition.value_ns)
    else:
        convert, wanted = size_bytes, float(condition.value_bytes)

    def check(state: LineState) -> bool:
        text = state.field(name)
        if text is None:
            return False
        try:
            value = convert(text)
        except ValueError as error:
            if not state.error:
                state.fail(FILTER_ERROR, str(error))
            return True
        return compare(value, wanted)

    return check


def _ip_check(condition: IpFilter) -> Check:
    name, takes, negated = condition.name, compile_ip(condition.pattern), condition.op == "!="

    def check(state: LineState) -> bool:
        if state.error:
            return True
        text = state.get(name)
        if text is None:
            return False
        return any(map(takes, addresses_in(text))) != negated

    return check
