"""Every entry of a span of time, exactly once, although an answer of Loki holds a few thousand.

Loki has no offset: the next page can only start at a timestamp. So the entries at the last
timestamp of a full page are dropped and fetched again at the start of the next page. When all of
a page has one timestamp, that nanosecond is halved by the content of its lines
(`|~` and `!~` of one expression: no line is in both halves, none in neither) until each part fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, Protocol

from lokikit.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

Direction = Literal["forward", "backward"]
Span = tuple[int, int]
"""First nanosecond, and the nanosecond after the last."""

MAX_PAGE_ENTRIES = 5000
"""Loki's own default of `limits_config.max_entries_limit_per_query`."""
_MIN_PAGE_ENTRIES = 16
_TOO_LARGE = 413
_MAX_REPEAT = 1000
"""The largest `{n}` that RE2 takes."""
_POSITIONS_TRIED = 256
_GOOD_BALANCE = 0.3


class Fetch(Protocol):
    """Queries Loki once: the first `limit` entries of `query` in [start, end), in order."""

    def __call__(  # noqa: D102 - the class says it
        self, query: str, start_ns: int, end_ns: int, limit: int, direction: Direction
    ) -> list[LogEntry]: ...


class Pager:
    """Pages through spans of time; remembers a page size that Loki could answer."""

    def __init__(self, fetch: Fetch, page_entries: int = MAX_PAGE_ENTRIES) -> None:
        self._fetch = fetch
        self._page_entries = page_entries

    def entries(
        self,
        query: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        direction: Direction = "forward",
    ) -> Iterator[LogEntry]:
        """Yield the first `limit` entries of `query` in [start, end), ordered by time."""
        return islice(self._pages(query, (start_ns, end_ns), limit, direction), limit)

    def _pages(
        self, query: str, span: Span, left: int | None, direction: Direction
    ) -> Iterator[LogEntry]:
        while span[0] < span[1]:
            page, full = self._page(query, span, left, direction)
            if not full or len(page) == left:
                yield from page
                return
            edge_ns = page[-1].timestamp_ns
            whole = [entry for entry in page if entry.timestamp_ns != edge_ns]
            yield from whole or self._instant(query, edge_ns)
            span = _rest(span, edge_ns, direction, with_edge=bool(whole))
            left = left and left - len(whole)

    def _instant(self, query: str, time_ns: int) -> Iterator[LogEntry]:
        """Return all entries of one nanosecond, in any number."""
        page, full = self._page(query, (time_ns, time_ns + 1), None, "forward")
        if not full:
            yield from page
            return
        pattern = halving_pattern([entry.line for entry in page])
        if pattern is None:
            raise SettingsError(
                f"{len(page)} equal lines or more stand at the timestamp {time_ns} ns, and Loki "
                "cannot page through them: ask for fewer streams at a time."
            )
        for operator in ("|~", "!~"):
            # On a line of its own, so that it cannot end up in a comment of the query; and behind
            # a filter that passes all, as Loki reads `| drop label !~ …` as one stage.
            yield from self._instant(f'{query}\n|= "" {operator} `{pattern}`', time_ns)

    def _page(
        self, query: str, span: Span, left: int | None, direction: Direction
    ) -> tuple[list[LogEntry], bool]:
        """Return the entries of an answer, and True when it is full, so that there may be more."""
        while True:
            size = min(self._page_entries, left or self._page_entries)
            try:
                page = self._fetch(query, *span, size, direction)
            except RefusedError as error:
                if error.status != _TOO_LARGE or size <= _MIN_PAGE_ENTRIES:
                    raise
                self._page_entries = size // 2
            else:
                return page, len(page) >= size


def _rest(span: Span, edge_ns: int, direction: Direction, *, with_edge: bool) -> Span:
    """Return the rest of `span` behind the edge of a page."""
    start_ns, end_ns = span
    if direction == "forward":
        return (edge_ns if with_edge else edge_ns + 1, end_ns)
    return (start_ns, edge_ns + 1 if with_edge else edge_ns)


def halving_pattern(lines: Sequence[str]) -> str | None:
    """Return a regular expression (RE2) that half of `lines` match; `None` for equal lines."""
    pairs = zip(min(lines), max(lines), strict=False)
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    candidates = (_halves_at(lines, first + offset) for offset in range(_POSITIONS_TRIED))
    best = (0, first, "")
    for candidate in candidates:
        best = max(best, candidate, key=itemgetter(0))
        if best[0] >= _GOOD_BALANCE * len(lines):
            break
    balance, position, characters = best
    if not balance:
        return None
    # In hexadecimal no character needs quoting, in the class or in LogQL.
    members = "".join(f"\\x{{{ord(character):x}}}" for character in characters)
    whole, part = divmod(position, _MAX_REPEAT)
    skip = f".{{{_MAX_REPEAT}}}" * whole + f".{{{part}}}"
    return f"(?s)^{skip}[{members}]"


def _halves_at(lines: Sequence[str], position: int) -> tuple[int, int, str]:
    """Return size of the smaller half, position, and the characters there of one half."""
    counts = Counter(line[position] for line in lines if len(line) > position)
    taken, characters = 0, ""
    for character, count in sorted(counts.items()):
        if taken and taken + count > len(lines) / 2:
            break
        taken, characters = taken + count, characters + character
    return min(taken, len(lines) - taken), position, characters
