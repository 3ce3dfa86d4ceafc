"""The labels of a handler's lines: valid names, in a limited number, with limited values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lokikit.delivery.entry import MAX_VALUE_BYTES, fit, label_value
from lokikit.delivery.metadata_limits import (
    MAX_METADATA_BYTES,
    MAX_METADATA_ENTRIES,
    fit_metadata,
)
from lokikit.fields import LABEL_FIELDS, MAX_LABELS, PLATFORM_METADATA
from lokikit.output.safe_text import text

MAX_VALUES = 50
"""Most values of a label that records set; a label with more values becomes metadata."""
MAX_NUMBERS = 10
"""The same for a label of numbers, which usually count something."""

MAX_NAMES = 100
"""Most tags whose values are counted; an application with more puts values into names."""

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)

Labels = dict[str, str]


class LabelMaker:
    """Makes labels and structured metadata from the tags of a handler and of its records.

    Args:
        fixed: labels of the contract (`service_name`, `env`), which no tag replaces.
        tags: tags of the handler.
        metadata: structured metadata of every line.
        clean: returns a valid label name for a text, or "".
        warn: called once for each tag that cannot be a label.
    """

    def __init__(
        self,
        fixed: Labels,
        tags: Mapping[Any, Any],
        metadata: Labels,
        *,
        clean: Callable[[str], str],
        warn: Callable[[str, str], object],
    ) -> None:
        self._clean = clean
        self._warn = warn
        self._values: dict[str, set[str]] = {}
        self._demoted: set[str] = set()
        self._said_metadata = self._said_names = False
        self._made: dict[tuple[tuple[str, str], ...], tuple[Labels, Labels]] = {}
        self.labels, self.metadata = self._with(_bounded(fixed), _bounded(metadata), tags)

    def of_record(self, tags: Mapping[Any, Any]) -> tuple[Labels, Labels]:
        """Return labels and metadata of a line with tags; equal labels are the same object."""
        labels, metadata = self._with(self.labels, self.metadata, tags)
        key = (*labels.items(), ("", ""), *metadata.items())
        if len(self._made) > MAX_VALUES * MAX_LABELS:
            self._made.clear()
        return self._made.setdefault(key, (labels, metadata))

    def _with(
        self, labels: Labels, metadata: Labels, tags: Mapping[Any, Any]
    ) -> tuple[Labels, Labels]:
        labels, metadata = dict(labels), dict(metadata)
        for tag, given in tags.items():
            name = self._name(text(tag))
            value = fit(text(given), MAX_VALUE_BYTES)
            if not name:
                continue  # it stays in the line, among its `tags`
            if name in LABEL_FIELDS:
                labels[name] = value or labels.get(name, "")
            elif name in PLATFORM_METADATA or not self._is_label(name, value, labels):
                metadata[name] = value
            else:
                labels[name] = value
        labels = {name: label_value(value) for name, value in labels.items() if value}
        return labels, self._fitting(metadata)

    def _fitting(self, metadata: Labels) -> Labels:
        fitting = fit_metadata(metadata)
        if len(fitting) < len(metadata) and not self._said_metadata:
            self._said_metadata = True
            left_out = len(metadata) - len(fitting)
            self._warn(
                "metadata",
                f"push: {left_out} of the tags of a record are in its line only: a line may have "
                f"{MAX_METADATA_ENTRIES} values of structured metadata, {MAX_METADATA_BYTES} bytes",
            )
        return fitting

    def _name(self, tag: str) -> str:
        name = fit(self._clean(tag), MAX_VALUE_BYTES - 1)
        return f"_{name}" if name[:1].isdigit() else name

    def _is_label(self, name: str, value: str, labels: Labels) -> bool:
        if name in self._demoted or not self._is_known(name):
            return False
        why, kind = self._unbounded(name, value), f"label {name}"
        if not why and name not in labels and len(labels) >= MAX_LABELS:
            why, kind = f"there are {MAX_LABELS} labels already", "labels"
        if why:
            self._demoted.add(name)
            self._warn(
                kind,
                f"push: the tag {name!r} is structured metadata, not a label: {why}",
            )
        return not why

    def _is_known(self, name: str) -> bool:
        """Return True when the values of the name are counted, or can be from now on."""
        if name not in self._values and len(self._values) >= MAX_NAMES:
            text = f"push: there were {MAX_NAMES} names of tags: new ones are no labels"
            if not self._said_names:
                self._said_names = True
                self._warn("names", text)
            return False
        return True

    def _unbounded(self, name: str, value: str) -> str:
        values = self._values.setdefault(name, set())
        values.add(value)
        if _UUID.search(value):
            return f"its value {value!r} looks like one of endlessly many"
        if len(values) > MAX_VALUES:
            return f"it had {len(values)} different values"
        if len(values) > MAX_NUMBERS and all(map(str.isdigit, values)):
            return f"it had {len(values)} different numbers as values"
        return ""


def _bounded(values: Labels) -> Labels:
    """Return values of the environment or the machine in a form that Loki accepts."""
    return {name: fit(text(value), MAX_VALUE_BYTES) for name, value in values.items()}
