"""Labels, their values, series and counts, which Loki answers from its index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lokikit.store.api.parameters import LABELS_SINCE_NS, QUERY_SINCE_NS, check_range, read_span
from lokikit.store.logql.parser import parse_selector

if TYPE_CHECKING:
    from lokikit.store.api.http import Form
    from lokikit.store.segments.store import Store

SUCCESS = {"status": "success"}
_KNOWN_LABELS = {"cluster", "namespace", "instance", "pod"}


def label_names(store: Store, form: Form, now_ns: int) -> dict[str, Any]:
    """`labels`: the names that the selected streams have.

    Raises:
        QueryError: a parameter is wrong.
    """
    names = {name for labels in _streams(store, form, now_ns) for name in labels}
    return _listed(names)


def label_values(store: Store, form: Form, now_ns: int, name: str) -> dict[str, Any]:
    """`label/NAME/values`: the values that the selected streams have.

    Raises:
        QueryError: a parameter is wrong.
    """
    values = {value for labels in _streams(store, form, now_ns) if (value := labels.get(name))}
    return _listed(values)


def series(store: Store, form: Form, now_ns: int) -> dict[str, Any]:
    """`series`: the labels of each stream that one of the selectors selects.

    Raises:
        QueryError: a parameter is wrong.
    """
    span = read_span(form, now_ns, QUERY_SINCE_NS)
    texts = form.all("match[]") + form.all("match")
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for text in texts or ["{}"]:
        matchers = parse_selector(text or "{}", allows_all=True)
        for labels in store.streams(matchers, span.start_ns, span.behind_ns):
            found[tuple(sorted(labels.items()))] = None
    return {**SUCCESS, "data": [dict(labels) for labels in sorted(found)]}


def index_stats(store: Store, form: Form, now_ns: int) -> dict[str, int]:
    """`index/stats`: how much a selector selects; each stream counts as one chunk.

    Raises:
        QueryError: a parameter is wrong.
    """
    matchers = parse_selector(form.get("query"))
    span = read_span(form, now_ns, QUERY_SINCE_NS)
    check_range(form, span)
    volumes = store.volume(matchers, span.start_ns, span.behind_ns).values()
    return {
        "streams": len(volumes),
        "chunks": len(volumes),
        "bytes": sum(size for size, _ in volumes),
        "entries": sum(lines for _, lines in volumes),
    }


def detected_labels(store: Store, form: Form, now_ns: int) -> dict[str, Any]:
    """`detected_labels`: how many values each label of the selected streams has.

    Labels that hold nothing but numbers or UUIDs are left out, as by Loki, unless people know
    them by name.

    Raises:
        QueryError: a parameter is wrong.
    """
    values: dict[str, set[str]] = {}
    for labels in _streams(store, form, now_ns):
        for name, value in labels.items():
            values.setdefault(name, set()).add(value)
    detected = [
        {"label": name, "cardinality": len(found)}
        for name, found in sorted(values.items())
        if name in _KNOWN_LABELS or not all(map(_is_id, found))
    ]
    return {"detectedLabels": detected} if detected else {}


def _is_id(value: str) -> bool:
    """True for a number or a UUID."""
    if value != value.strip():
        return False
    for kind in (float, UUID):
        with suppress(ValueError):
            kind(value)
            return True
    return False


def _streams(store: Store, form: Form, now_ns: int) -> list[Mapping[str, str]]:
    span = read_span(form, now_ns, LABELS_SINCE_NS)
    query = form.get("query")
    matchers = parse_selector(query) if query else ()
    return store.streams(matchers, span.start_ns, span.behind_ns)


def _listed(words: Iterable[str]) -> dict[str, Any]:
    """A list of words; as in Loki, an empty list has no `data`."""
    found = sorted(words)
    return {**SUCCESS, "data": found} if found else dict(SUCCESS)
