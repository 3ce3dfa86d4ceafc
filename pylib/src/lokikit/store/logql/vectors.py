"""Label sets and vectors: what the nodes of a metric query hand to each other at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import Grouping

LabelSet = tuple[tuple[str, str], ...]
"""Names and values, ordered by name."""

Vector = list[tuple[LabelSet, float]]
"""The samples of one step. Label sets may repeat only behind `label_replace` and deleted labels."""

METRIC_NAME = "__name__"
"""A label that every `without` drops."""
_MAX_REMEMBERED = 50_000


def label_set(labels: Mapping[str, str]) -> LabelSet:
    """The label set of a mapping."""
    return tuple(sorted(labels.items()))


def label_filter(
    names: frozenset[str], *, keep: bool, keep_empty: bool = False
) -> Callable[[LabelSet], LabelSet]:
    """A function that keeps only the labels of these names, or drops them; it remembers.

    Args:
        names: of the labels.
        keep: True keeps these labels, False drops them.
        keep_empty: labels without a value stay too.
    """
    remembered: dict[LabelSet, LabelSet] = {}

    def filtered(labels: LabelSet) -> LabelSet:
        known = remembered.get(labels)
        if known is None:
            known = tuple(
                pair for pair in labels if (pair[0] in names) == keep and (keep_empty or pair[1])
            )
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            remembered[labels] = known
        return known

    return filtered


def without_empty_labels(vectors: Iterable[Vector]) -> Iterator[Vector]:
    """The same samples without labels that are empty; label sets that become equal remain."""
    hide = label_filter(frozenset(), keep=False)
    for vector in vectors:
        yield [(hide(labels), value) for labels, value in vector]


def group_filter(grouping: Grouping | None) -> Callable[[LabelSet], LabelSet]:
    """A function from a label set to that of its group; without a grouping all is one group.

    As in Loki, `without` drops labels that are empty and `__name__`, `by` keeps them.
    """
    if grouping is None:
        return lambda _labels: ()
    names = frozenset((*grouping.labels, METRIC_NAME) if grouping.without else grouping.labels)
    return label_filter(names, keep=not grouping.without, keep_empty=not grouping.without)
