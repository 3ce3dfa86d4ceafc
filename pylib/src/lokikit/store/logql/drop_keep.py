"""The stages `| drop` and `| keep`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lokikit.store.logql.labels_builder import ERROR, ERROR_DETAILS, LineState
from lokikit.store.logql.matchers import compile_matcher
from lokikit.store.logql.pipeline_syntax import Matcher

Test = Callable[[str], bool]


def compile_drop(items: Sequence[str | Matcher]) -> Callable[[LineState], bool]:
    """The stage that takes labels away, by name or where their value matches.

    Raises:
        QueryError: the regular expression of a matcher is wrong.
    """
    tests = _tests(items)

    def drop(state: LineState) -> bool:
        for name, test in tests:
            value = state.get(name)
            if value is not None and (test is None or test(value)):
                state.delete(name)
        return True

    return drop


def compile_keep(items: Sequence[str | Matcher]) -> Callable[[LineState], bool]:
    """The stage that takes all labels away but these; errors stay.

    Raises:
        QueryError: the regular expression of a matcher is wrong.
    """
    tests = _tests(items)

    def keep(state: LineState) -> bool:
        for name, value in state.labels().items():
            if name in {ERROR, ERROR_DETAILS}:
                continue
            if not any(name == kept and (test is None or test(value)) for kept, test in tests):
                state.delete(name)
        return True

    return keep


def _tests(items: Sequence[str | Matcher]) -> list[tuple[str, Test | None]]:
    return [
        (item.name, compile_matcher(item)) if isinstance(item, Matcher) else (item, None)
        for item in items
    ]
