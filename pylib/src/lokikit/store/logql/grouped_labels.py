"""The label set of a sample, after the grouping that its range aggregation applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lokikit.store.logql.labels_builder import CLASH_SUFFIX, ERROR, LineState, clear_metadata
from lokikit.store.logql.vectors import METRIC_NAME, LabelSet, label_set

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import Grouping, Unwrap
    from lokikit.store.rows import Row

_MAX_REMEMBERED = 50_000


class GroupedLabels:
    """Makes the label sets of samples.

    Attributes:
        shows_errors: True when the grouping names the label of parser errors.

    Args:
        grouping: the labels that count; None for all.
        unwrap: its label counts only when `by` names it.
        is_outer: True when the grouping is that of a vector aggregation, whose `without` drops
            empty labels too.
    """

    def __init__(
        self, grouping: Grouping | None, unwrap: Unwrap | None, *, is_outer: bool = False
    ) -> None:
        by = grouping is not None and not grouping.without
        self._by = tuple(sorted(set(grouping.labels))) if grouping and by else None
        self._dropped = set(grouping.labels) if grouping and not by else set()
        self._keeps_empty = grouping is None
        if unwrap is not None:
            self._dropped.add(unwrap.label)
        self._drops_empty = is_outer and grouping is not None and grouping.without
        if self._drops_empty:
            self._dropped.add(METRIC_NAME)
        self.shows_errors = ERROR in (self._by or ())
        self._metadata_names = _metadata_names(self._by or ())
        self._known: dict[tuple[object, ...], tuple[LabelSet, Mapping[str, str]]] = {}

    def of(self, state: LineState) -> LabelSet:
        """The label set of a line that passed its pipeline."""
        if self._by is not None:
            if ERROR in self._by:
                return self._grouped(state.labels())
            # As in Loki, a label that was dropped once is absent here, even when it was set again.
            kept = (name for name in self._by if name not in state.deleted)
            found = ((name, state.get(name)) for name in kept)
            return tuple((name, value) for name, value in found if value is not None)
        return self._kept(state.labels())

    def _kept(self, labels: Mapping[str, str]) -> LabelSet:
        """All labels except the dropped labels; as in Loki, `without` drops empty labels too."""
        dropped = self._dropped
        if not dropped and self._keeps_empty:
            return label_set(labels)
        keeps_empty = self._keeps_empty
        return tuple(
            sorted(
                pair
                for pair in labels.items()
                if pair[0] not in dropped and (keeps_empty or pair[1])
            )
        )

    def _grouped(self, labels: Mapping[str, str]) -> LabelSet:
        if self._by is None:
            return self._kept(labels)
        return tuple((name, labels[name]) for name in self._by if name in labels)

    def of_row(self, row: Row) -> LabelSet:
        """The label set of a stored row that no stage changes; remembered by its stream."""
        if self._by == ():
            return ()
        metadata = row.metadata
        key: tuple[object, ...]
        if self._by is None:
            key = (id(row.labels), *metadata.items())
        else:
            key = (id(row.labels), *map(metadata.get, self._metadata_names))
        known = self._known.get(key)
        if known is None:
            # The labels of the stream are kept with it, so that no other object gets their id.
            known = (self._grouped(merged_labels(row)), row.labels)
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known[0]


def _metadata_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of metadata that may become labels of these names."""
    return names + tuple(
        name.removesuffix(CLASH_SUFFIX) for name in names if name.endswith(CLASH_SUFFIX)
    )


def merged_labels(row: Row) -> dict[str, str]:
    """The labels of a stream with the metadata of a row; names of both get a suffix."""
    return {**row.labels, **clear_metadata(row)}
