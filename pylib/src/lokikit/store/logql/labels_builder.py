"""The labels of one line on its way through a pipeline, by category, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.logql.parse_hints import ParseHints
    from lokikit.store.rows import Row

ERROR = "__error__"
ERROR_DETAILS = "__error_details__"
_ERRORS = frozenset({ERROR, ERROR_DETAILS})
CLASH_SUFFIX = "_extracted"


@dataclass(slots=True)
class Processed:
    """A line that passed a pipeline, its labels by category; categories share no name.

    Args:
        timestamp_ns: nanoseconds since 1970.
        line: the text, as the stages left it.
        stream: the labels of the stream; the row's own object where no stage changed them.
        metadata: the structured metadata, shared the same way.
        parsed: labels of parsers and formats; `__error__` and `__error_details__` too.
    """

    timestamp_ns: int
    line: str
    stream: Mapping[str, str]
    metadata: Mapping[str, str]
    parsed: Mapping[str, str]

    def labels(self) -> dict[str, str]:
        """All labels in one mapping."""
        return {**self.stream, **self.metadata, **self.parsed}

    def label(self, name: str) -> str | None:
        """The value of one label, None without it."""
        for category in (self.parsed, self.metadata, self.stream):
            if name in category:
                return category[name]
        return None


NO_LABELS: Mapping[str, str] = {}


def clear_metadata(row: Row) -> Mapping[str, str]:
    """The metadata of a row; names that its stream has too get a suffix, as in Loki."""
    metadata, stream = row.metadata, row.labels
    if metadata.keys().isdisjoint(stream):
        return metadata
    renamed = {
        f"{name}{CLASH_SUFFIX}" if name in stream else name: value
        for name, value in metadata.items()
    }
    kept = {name: value for name, value in metadata.items() if name not in stream}
    return {**renamed, **kept}


class LineState:
    """One line inside a pipeline, which stages change; `hints` are for the parsers."""

    __slots__ = (
        "complete",
        "deleted",
        "error",
        "error_details",
        "extracted",
        "hints",
        "line",
        "metadata",
        "parsed",
        "stream",
        "timestamp_ns",
    )

    def __init__(self, row: Row, hints: ParseHints) -> None:
        self.timestamp_ns = row.timestamp_ns
        self.line = row.line
        self.stream = row.labels
        self.metadata = clear_metadata(row)
        self.parsed: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.extracted: set[str] = set()
        self.error = ""
        self.error_details = ""
        self.complete = False
        self.hints = hints

    def get(self, name: str) -> str | None:
        """The value of a label, None without it; as in Loki, a field `__error__` does not count."""
        if name == ERROR:
            return self.error or None
        if name == ERROR_DETAILS:
            return self.error_details or None
        if name in self.parsed:
            return self.parsed[name]
        if name in self.deleted:
            return None
        value = self.metadata.get(name)
        return self.stream.get(name) if value is None else value

    def field(self, name: str) -> str | None:
        """As `get`, without the errors of the pipeline itself, which Loki leaves out at places."""
        return self.parsed.get(name) if name in _ERRORS else self.get(name)

    def assign(self, name: str, value: str) -> None:
        """Set a label, whichever category had its name before; parsers leave it alone then."""
        self.parsed[name] = value
        self.extracted.add(name)

    def delete(self, name: str) -> None:
        """Take a label away, whatever its category."""
        if name == ERROR:
            self.error = ""
        elif name == ERROR_DETAILS:
            self.error_details = ""
        else:
            self.parsed.pop(name, None)
            self.deleted.add(name)

    def fail(self, error: str, details: str | None = None) -> None:
        """Set the error labels; the line goes on, and without new details the old ones stay."""
        self.error = error
        if details is not None:
            self.error_details = details

    def clashes(self, name: str) -> bool:
        """True when a parser may not take this name: the stream or the metadata has it."""
        if name in self.stream:
            return True
        return name in self.metadata and name not in self.deleted and name not in self.parsed

    def extract(self, name: str, value: str) -> bool:
        """Set a label that a parser found, unless an earlier value stands.

        Returns:
            False when a filter behind the parser drops the line for this value.
        """
        if name in self.stream or (name in self.metadata and self.clashes(name)):
            return self.extract_as(name + CLASH_SUFFIX, value)
        if not self.extract_as(name, value):
            return False
        required = self.hints.required
        if required is not None and name in required:
            self.complete = len(required) == 1 or required <= self.extracted
        return True

    def extract_as(self, name: str, value: str) -> bool:
        """As `extract`, where a clash of the name is resolved already."""
        return name in self.extracted or name in self.parsed or self.replace(name, value)

    def replace(self, name: str, value: str) -> bool:
        """As `extract_as`, in place of an earlier value too."""
        required = self.hints.required
        if required is not None and name not in required:
            return True
        self.extracted.add(name)
        self.parsed[name] = value
        check = self.hints.checks.get(name)
        return check is None or check(self)

    @property
    def is_fresh(self) -> bool:
        """True when no stage changed a label so far."""
        return not (self.parsed or self.deleted)

    def extract_all(self, found: dict[str, str]) -> bool:
        """Set all labels that a parser found in a fresh line; none of them ends in `_extracted`.

        Returns:
            False when a filter behind the parser drops the line.
        """
        clashing = [*filter(found.__contains__, self.stream)]
        clashing += filter(found.__contains__, self.metadata)
        for name in clashing:
            found[name + CLASH_SUFFIX] = found.pop(name)
        return self._take_over(found)

    def extract_wanted(self, text_of: Callable[[str], str | None]) -> bool:
        """As `extract_all`, for the labels that the query uses.

        Args:
            text_of: returns the text that the parser found for a name, None without.
        """
        found: dict[str, str] = {}
        required = self.hints.required or frozenset()
        for name in required:
            if self.clashes(name):
                continue
            text = text_of(name)
            if text is not None:
                found[name] = text
        self.complete = len(found) == len(required)
        for name in required - found.keys():
            source = name.removesuffix(CLASH_SUFFIX)
            if source != name and self.clashes(source):
                text = text_of(source)
                if text is not None:
                    found[name] = text
        return self._take_over(found)

    def _take_over(self, found: dict[str, str]) -> bool:
        self.extracted.update(found)
        self.parsed = found
        checks = self.hints.checks
        return not checks or all(checks[name](self) for name in checks if name in found)

    @property
    def is_read(self) -> bool:
        """True when no label that a parser could still find is looked at."""
        return self.complete or self.hints.skips_parsers

    def labels(self) -> dict[str, str]:
        """All labels in one mapping, the errors included."""
        kept = {**self.stream, **self.metadata}
        for name in self.deleted:
            kept.pop(name, None)
        kept.update(self.parsed)
        kept.update(self._errors())
        return kept

    def _errors(self) -> dict[str, str]:
        errors = {}
        if self.error:
            errors[ERROR] = self.error
        if self.error_details:
            errors[ERROR_DETAILS] = self.error_details
        return errors

    def finish(self) -> Processed:
        """The line as the pipeline leaves it."""
        stream, metadata, parsed = self.stream, self.metadata, self.parsed
        if self.error or self.error_details:
            parsed.update(self._errors())
        if self.deleted or not parsed.keys().isdisjoint(stream):
            stream = _without(stream, self.deleted, parsed)
        if self.deleted or not parsed.keys().isdisjoint(metadata):
            metadata = _without(metadata, self.deleted, parsed)
        return Processed(self.timestamp_ns, self.line, stream, metadata, parsed)


def _without(
    labels: Mapping[str, str], deleted: Iterable[str], parsed: Mapping[str, str]
) -> Mapping[str, str]:
    gone = {*deleted, *parsed}
    if gone.isdisjoint(labels):
        return labels
    return {name: value for name, value in labels.items() if name not in gone}
