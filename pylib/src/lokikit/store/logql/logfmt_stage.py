"""The stage `| logfmt`, with and without expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lokikit.store.logql.json_expression import parse_key
from lokikit.store.logql.json_parser import sanitize_name
from lokikit.store.logql.json_scanner import REPLACEMENT
from lokikit.store.logql.labels_builder import CLASH_SUFFIX, LineState
from lokikit.store.logql.logfmt_parser import LogfmtProblem, read_logfmt

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import LogfmtParser

LOGFMT_ERROR = "LogfmtParserErr"


def compile_logfmt(parser: LogfmtParser) -> Callable[[LineState], bool]:
    """The stage; it never drops a line but for a filter that stands behind it.

    Raises:
        QueryError: an expression is no key.
    """
    return LogfmtExtraction(parser) if parser.extractions else LogfmtReader(parser)


class LogfmtReader:
    """Sets a label for each pair of the line."""

    def __init__(self, parser: LogfmtParser) -> None:
        self._strict, self._keep_empty = parser.strict, parser.keep_empty

    def __call__(self, state: LineState) -> bool:
        """Set the labels; False when a filter behind drops the line for one of them."""
        if state.is_read:
            return True
        try:
            return self._read(state)
        except LogfmtProblem as problem:
            state.fail(LOGFMT_ERROR, str(problem))
            return True

    def _read(self, state: LineState) -> bool:
        for key, value in read_logfmt(state.line, strict=self._strict):
            if not value and not self._keep_empty:
                continue
            name = sanitize_name(key)
            text = (value or "").replace(REPLACEMENT, " ")
            if name and not state.extract(name, text):
                return False
            if state.complete:
                return True
        return True


class LogfmtExtraction:
    """Sets labels from the values of keys; a key that is missing gives an empty label."""

    def __init__(self, parser: LogfmtParser) -> None:
        self._strict = parser.strict
        self._labels = {one.label: parse_key(one.expression) for one in parser.extractions}
        self._by_key = {key: label for label, key in self._labels.items()}

    def __call__(self, state: LineState) -> bool:
        """Set the labels; the line always stays."""
        if state.is_read:
            return True
        clashing = {label for label in self._labels if state.clashes(label)}
        missing = self._labels.keys() - clashing
        try:
            self._read(state, clashing, missing)
        except LogfmtProblem as problem:
            state.fail(LOGFMT_ERROR, str(problem))
        for label in missing:
            state.assign(label, "")
        return True

    def _read(self, state: LineState, clashing: set[str], missing: set[str]) -> None:
        """Set the labels whose keys are in the line, and remove them from `missing`."""
        for key, value in read_logfmt(state.line, strict=self._strict):
            label = self._label(sanitize_name(key), state)
            if label is None:
                continue
            text = "" if value is None or REPLACEMENT in value else value
            if label in clashing:
                state.parsed.setdefault(label + CLASH_SUFFIX, text)
            else:
                missing.discard(label)
                state.assign(label, text)

    def _label(self, key: str, state: LineState) -> str | None:
        """The label that a key of the line sets; a label takes the key of its own name too."""
        label = self._by_key.get(key)
        if label is not None and key not in state.extracted:
            return label
        return key if key in self._labels else None
