"""`label_replace(v, "dst", "$1", "src", "re")`: a label made from another label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lokikit.store.errors import QueryError
from lokikit.store.logql.regular_expressions import compile_regex, expand

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import LabelReplace
    from lokikit.store.logql.vectors import LabelSet, Vector


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
        values[target] = expand(expression.replacement, found)
        return tuple(sorted(pair for pair in values.items() if pair[1]))

    return replaced


def _compiled(pattern: str) -> Any:
    try:
        return compile_regex(f"^(?:{pattern})$")
    except QueryError as error:
        raise QueryError(f"parse error : invalid regex in label_replace: {error}") from error
