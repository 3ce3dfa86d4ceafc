"""`label_replace(v, "dst", "$1", "src", "re")`: a label made from another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lokikit.store.errors import QueryError
from lokikit.store.logql.regular_expressions import compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lokikit.store.logql.syntax import LabelReplace
    from lokikit.store.logql.vectors import LabelSet, Vector

_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def replace_labels(expression: LabelReplace, vectors: Iterator[Vector]) -> Iterator[Vector]:
    """The vectors with the label `target` set where `pattern` matches the whole of `source`.

    Raises:
        QueryError: the pattern is no regular expression.
    """
    replaced = _replacer(expression)
    remembered: dict[LabelSet, LabelSet] = {}
    for vector in vectors:
        for labels, _value in vector:
            if labels not in remembered:
                remembered[labels] = replaced(labels)
        yield [(remembered[labels], value) for labels, value in vector]


def _replacer(expression: LabelReplace) -> Callable[[LabelSet], LabelSet]:
    pattern = _compiled(expression.pattern)
    target, source = expression.target, expression.source

    def replaced(labels: LabelSet) -> LabelSet:
        values = dict(labels)
        found = pattern.fullmatch(values.get(source, ""))
        if found is None:
            return labels
        values[target] = _expand(expression.replacement, found)
        return tuple(sorted(pair for pair in values.items() if pair[1]))

    return replaced


def _compiled(pattern: str) -> Any:
    try:
        return compile_regex(f"^(?:{pattern})$")
    except QueryError as error:
        raise QueryError(f"parse error : invalid regex in label_replace: {error}") from error


def _expand(template: str, found: Any) -> str:
    """The template with `$1`, `${1}`, `$name` replaced; an unknown name is empty, as in Go."""
    names = found.re.groupindex

    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        if name.isdigit():
            return (found[int(name)] or "") if int(name) <= found.re.groups else ""
        return (found[names[name]] or "") if name in names else ""

    return _REFERENCE.sub(value, template)
