"""Binary operations between vectors and scalars, matched by labels as in PromQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from lokikit.store.errors import QueryError
from lokikit.store.logql.operators import COMPARISONS, SET_OPERATORS, fold
from lokikit.store.logql.syntax import BinaryOperation, Number, SampleExpression, VectorMatching
from lokikit.store.logql.vectors import LabelSet, Vector, label_filter

_NO_MATCHING = VectorMatching()
_MANY_TO_MANY = (
    "found duplicate series on the {side} hand-side;"
    "many-to-many matching not allowed: matching labels must be unique on one side"
)
_NOT_EXPLICIT = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
_NOT_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def scalar_value(expression: SampleExpression) -> float | None:
    """The value of an expression of numbers alone; None for all others."""
    if isinstance(expression, Number):
        return expression.value
    if not isinstance(expression, BinaryOperation) or expression.op in SET_OPERATORS:
        return None
    left, right = scalar_value(expression.left), scalar_value(expression.right)
    if left is None or right is None:
        return None
    return fold(expression.op, left, right)


def operate_on_scalar(
    expression: BinaryOperation, vectors: Iterator[Vector], scalar: float, *, scalar_left: bool
) -> Iterator[Vector]:
    """The vectors of an operation between vectors and a scalar."""
    if expression.op in SET_OPERATORS:
        side = "left" if scalar_left else "right"
        raise QueryError(
            f"parse error : unexpected literal for {side} leg of logical/set binary operation "
            f"({expression.op}): {scalar:.6f}"
        )
    function = _sample_function(expression, scalar, scalar_left=scalar_left)
    for vector in vectors:
        yield [
            (labels, result) for labels, value in vector if (result := function(value)) is not None
        ]


def _sample_function(
    expression: BinaryOperation, scalar: float, *, scalar_left: bool
) -> Callable[[float], float | None]:
    """The operation as a function of the vector's value; a filter keeps that value."""
    op = expression.op

    def operate(value: float) -> float:
        return fold(op, scalar, value) if scalar_left else fold(op, value, scalar)

    if expression.op not in COMPARISONS or expression.return_bool:
        return operate
    return lambda value: value if operate(value) else None


def operate_on_vectors(
    expression: BinaryOperation, left: Iterator[Vector], right: Iterator[Vector]
) -> Iterator[Vector]:
    """The vectors of an operation between two vectors at each step.

    Raises:
        QueryError: more than one sample matches where one may.
    """
    step = _set_operation(expression) if expression.op in SET_OPERATORS else _Matched(expression)
    for left_vector, right_vector in zip(left, right):  # noqa: B905 - 3.9's zip; same steps
        yield step(left_vector, right_vector)


def _signature_function(matching: VectorMatching) -> Callable[[LabelSet], LabelSet]:
    """The labels by which samples match, and which a result has; empty labels count as absent."""
    return label_filter(frozenset(matching.labels), keep=matching.on)


def _set_operation(expression: BinaryOperation) -> Callable[[Vector, Vector], Vector]:
    signature = _signature_function(expression.matching or _NO_MATCHING)

    def operate(left: Vector, right: Vector) -> Vector:
        if expression.op == "or":
            present = {signature(labels) for labels, _value in left}
            return left + [sample for sample in right if signature(sample[0]) not in present]
        present = {signature(labels) for labels, _value in right}
        wanted = expression.op == "and"
        return [sample for sample in left if (signature(sample[0]) in present) == wanted]

    return operate


class _Matched:
    """Arithmetic or comparison between samples of two vectors that match."""

    def __init__(self, expression: BinaryOperation) -> None:
        self._matching = expression.matching or _NO_MATCHING
        self._swapped = self._matching.group == "right"
        self._signature = _signature_function(self._matching)
        self._without_empty = label_filter(frozenset(), keep=False)
        self._value = _pair_function(expression)

    def __call__(self, left: Vector, right: Vector) -> Vector:
        """The samples of the result."""
        many, one = (right, left) if self._swapped else (left, right)
        # A side that is empty does not spare the other the check, as in Loki.
        ones = self._by_signature(one)
        seen: set[LabelSet] = set()
        result: Vector = []
        for labels, value in many:
            signature = self._signature(labels)
            match = ones.get(signature)
            if match is None:
                continue
            grouped = self._labels(labels, match[0]) if self._matching.group else signature
            self._refuse_repeated(seen, grouped)
            answer = self._value(match[1], value) if self._swapped else self._value(value, match[1])
            if answer is not None:
                result.append((grouped, answer))
        return result

    def _by_signature(self, vector: Vector) -> dict[LabelSet, tuple[LabelSet, float]]:
        found: dict[LabelSet, tuple[LabelSet, float]] = {}
        for sample in vector:
            signature = self._signature(sample[0])
            if signature in found:
                side = "left" if self._swapped else "right"
                raise QueryError(_MANY_TO_MANY.format(side=side))
            found[signature] = sample
        return found

    def _refuse_repeated(self, seen: set[LabelSet], labels: LabelSet) -> None:
        if labels in seen:
            raise QueryError(_NOT_UNIQUE if self._matching.group else _NOT_EXPLICIT)
        seen.add(labels)

    def _labels(self, many: LabelSet, one: LabelSet) -> LabelSet:
        """The labels of a result with `group_left` or `group_right`."""
        if not self._matching.include:
            return self._without_empty(many)
        labels, others = dict(many), dict(one)
        labels.update({name: others.get(name, "") for name in self._matching.include})
        return tuple(sorted(pair for pair in labels.items() if pair[1]))


def _pair_function(expression: BinaryOperation) -> Callable[[float, float], float | None]:
    """The operation on the values of the left and the right side; a filter keeps the left."""
    operate = partial(fold, expression.op)
    if expression.op not in COMPARISONS or expression.return_bool:
        return operate
    return lambda left, right: left if operate(left, right) else None
