"""The value of a sample, taken out of a label by `unwrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.store.logql.label_filters import compile_label_filter
from lokikit.store.logql.unwrapping import CONVERSIONS

if TYPE_CHECKING:
    from lokikit.store.logql.labels_builder import LineState
    from lokikit.store.logql.syntax import Unwrap

EXTRACTION_ERROR = "SampleExtractionErr"


class LabelValue:
    """Takes the value of a sample out of a label.

    Args:
        unwrap: names the label, its conversion, and the filters behind.
    """

    def __init__(self, unwrap: Unwrap) -> None:
        self._label = unwrap.label
        self._convert = CONVERSIONS[unwrap.conversion]
        self._filters = [compile_label_filter(condition) for condition in unwrap.filters]

    def __call__(self, state: LineState) -> float | None:
        """The value; None where the label is missing or a filter drops the line.

        A value that cannot be converted sets the error of the line, which the filters see.
        """
        text = state.get(self._label)
        if not text:
            return None
        value = self._converted(text, state)
        return value if all(passes(state) for passes in self._filters) else None

    def _converted(self, text: str, state: LineState) -> float:
        try:
            return self._convert(text)
        except ValueError as error:
            if not state.error:
                state.fail(EXTRACTION_ERROR, str(error))
            return 0.0
