"""`unwrap` in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.store.logql.label_filters import filter_names
from lokikit.store.logql.pipeline_syntax import AndFilter, LabelFilter, StringFilter
from lokikit.store.sql.predicates import NotProvenError

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import Unwrap
    from lokikit.store.sql.conditions import Conditions


def add_unwrap(conditions: Conditions, unwrap: Unwrap | None) -> str:
    """The SQL of the value of a row, after the conditions have got those of the `unwrap`.

    Rows with a text that is no plain number become hard, except where a filter behind drops
    what cannot be read: an empty text cannot.

    Raises:
        NotProvenError: the unwrap has a conversion, or filters its own label behind.
    """
    if unwrap is None:
        return "1"
    if unwrap.conversion or any(unwrap.label in filter_names(one) for one in unwrap.filters):
        raise NotProvenError("unwrap with a conversion, or a filter of its label")
    label = conditions.read(unwrap.label)
    skips_empty = any(map(_skips_errors, unwrap.filters))
    conditions.demand(conditions.demand_number(label, skips_empty=skips_empty))
    for one in unwrap.filters:
        conditions.add_filter(one)
    return f"TRY_CAST({label.sql} AS DOUBLE)"


def _skips_errors(condition: LabelFilter) -> bool:
    if isinstance(condition, AndFilter):
        return _skips_errors(condition.left) or _skips_errors(condition.right)
    return (
        isinstance(condition, StringFilter)
        and condition.matcher.name == "__error__"
        and (condition.matcher.op, condition.matcher.value) == ("=", "")
    )
