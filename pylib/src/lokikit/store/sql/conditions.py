"""The stages of a pipeline as conditions of SQL.

Rows are plain, and SQL alone decides about them, or hard: they go through the pipeline of the
evaluator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    Decolorize,
    DropLabels,
    JsonParser,
    KeepLabels,
    LabelFilter,
    LabelFilterStage,
    LineFilter,
    LineFormat,
    NumberFilter,
    OrFilter,
    Stage,
    StringFilter,
)
from lokikit.store.segments.schema import HOT_FIELDS, hot_column
from lokikit.store.sql.names import ERROR_LABELS, Label, Names
from lokikit.store.sql.predicates import (
    NotProvenError,
    all_of,
    any_of,
    cheapest_first,
    is_number,
    line_condition,
    match_condition,
    negated,
)

_HARMLESS_TEMPLATE = re.compile(r"([^{]|\{(?!\{)|\{\{\s*\.[a-zA-Z_]\w*\s*\}\})*")
ODD = "odd"
_COMPARISONS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


@dataclass
class Conditions:
    """What the stages demand of a row.

    Args:
        names: how labels are read behind the last stage.
        lines: line filters as `(text, condition)`; the text of a plain `|= "text"`, else None.
        exact: conditions on labels, for plain rows.
        wide: the same for all rows, so that hard rows pass what comes behind their reason.
        hard: conditions of rows that go through the pipeline.
        numeric: hot fields that are read as numbers.
        is_line_kept: False when a stage writes another line.
    """

    names: Names
    lines: list[tuple[str | None, str]] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    hard: list[str] = field(default_factory=list)
    numeric: set[str] = field(default_factory=set)
    is_line_kept: bool = True
    _demanded: set[str] = field(default_factory=set)

    def add_all(self, stages: Sequence[Stage]) -> None:
        """Take in all stages.

        Raises:
            NotProvenError: SQL is not known to mean the same as a condition.
        """
        for stage in stages:
            self.add(stage)

    def add(self, stage: Stage) -> None:
        """Take in a stage.

        Raises:
            NotProvenError: SQL is not known to mean the same.
        """
        if isinstance(stage, LineFilter):
            self._add_line_filter(stage)
        elif isinstance(stage, JsonParser):
            if not self.is_line_kept or self.names.has_lost:
                raise NotProvenError("a parser behind what changes lines or labels")
            self.names.parsed.add(stage)
            self.hard.append(ODD)
        elif isinstance(stage, LabelFilterStage):
            self.add_filter(stage.condition)
        elif isinstance(stage, LineFormat):
            if not _HARMLESS_TEMPLATE.fullmatch(stage.template):
                raise NotProvenError("a template that may fail")
            self.is_line_kept = False
        elif isinstance(stage, Decolorize):
            self.is_line_kept = False
        elif isinstance(stage, DropLabels):
            self.names.dropped.update(_names_only(stage.items))
        elif isinstance(stage, KeepLabels):
            kept = set(_names_only(stage.items))
            self.names.kept = kept if self.names.kept is None else kept & self.names.kept
        else:
            raise NotProvenError(type(stage).__name__)

    def _add_line_filter(self, stage: LineFilter) -> None:
        if not self.is_line_kept:
            raise NotProvenError("a filter of another line")
        is_text = stage.op == "|=" and len(stage.operands) == 1
        self.lines.append((stage.operands[0].text if is_text else None, line_condition(stage)))

    def add_filter(self, condition: LabelFilter) -> None:
        """Take in a label filter.

        Raises:
            NotProvenError: SQL is not known to mean the same.
        """
        self.demand(self._filter(condition))
        self._demand_fields(condition)

    def demand(self, condition: str) -> None:
        """Take in a condition on labels as they are read here."""
        self.exact.append(condition)
        self.wide.append(any_of([*self.hard, condition]))

    def _demand_fields(self, condition: LabelFilter) -> None:
        """Note the hot fields that no row may lack."""
        if isinstance(condition, AndFilter):
            self._demand_fields(condition.left)
            self._demand_fields(condition.right)
        elif isinstance(condition, StringFilter):
            matcher = condition.matcher
            is_demanded = (matcher.op, matcher.value) in {("!=", ""), ("=~", ".+")}
            if is_demanded and (field_ := self.names.label(matcher.name).hot_field):
                self._demanded.add(f'"{field_}"')

    def _filter(self, condition: LabelFilter) -> str:
        if isinstance(condition, AndFilter):
            return all_of([self._filter(condition.left), self._filter(condition.right)])
        if isinstance(condition, OrFilter):
            return any_of([self._filter(condition.left), self._filter(condition.right)])
        if isinstance(condition, StringFilter):
            return self._string_filter(condition)
        if isinstance(condition, NumberFilter):
            return self._number_filter(condition)
        raise NotProvenError(type(condition).__name__)

    def _string_filter(self, condition: StringFilter) -> str:
        matcher = condition.matcher
        if matcher.name in ERROR_LABELS:
            return match_condition("''", matcher.op, matcher.value)  # of a row without an error
        label = self.read(matcher.name)
        text = hot_column(label.hot_field) if label.hot_field else label.sql
        return match_condition(text, matcher.op, matcher.value)

    def _number_filter(self, condition: NumberFilter) -> str:
        label = self.read(condition.name)
        plain = self.demand_number(label)
        number = f"coalesce(TRY_CAST({label.sql} AS DOUBLE), 0)"
        wanted = f"'{condition.value!r}'::DOUBLE"
        return f"({plain} AND {number} {_COMPARISONS[condition.op]} {wanted})"

    def demand_number(self, label: Label, *, skips_empty: bool = False) -> str:
        """The condition that a label is a plain number; rows with another text become hard."""
        name = label.hot_field
        is_filled = skips_empty or (name is not None and f'"{name}"' in self._demanded)
        if name is not None:
            self.numeric.add(name)
            if name in self.names.traits.numeric:
                if not is_filled:
                    self.hard.append(f"({label.sql} IS NOT NULL AND {hot_column(name)} IS NULL)")
                return f"({hot_column(name)} IS NOT NULL)"
        plain = is_number(label.sql)
        filled = f"coalesce({label.sql}, '') <> ''" if is_filled else f"{label.sql} IS NOT NULL"
        self.hard.append(f"({filled} AND NOT {plain})")
        return plain

    def read(self, name: str) -> Label:
        """How a label is read here; rows whose label SQL does not know become hard.

        Raises:
            NotProvenError: SQL cannot read it.
        """
        label = self.names.label(name)
        self.hard.extend(label.hard)
        return label

    def is_hard(self) -> str:
        """The condition of the rows that go through the pipeline."""
        return any_of(self.hard)

    def for_plain(self) -> str:
        """The condition of the rows that SQL alone lets pass."""
        lines = [self._for_plain_line(text, one) for text, one in self.lines]
        easy = negated(self.is_hard())
        return all_of([*self.exact, easy, cheapest_first(lines)])

    def _for_plain_line(self, text: str | None, condition: str) -> str:
        if text and self._is_implied(text):
            return "TRUE"
        name = quoted_field(text)
        if name is None or name not in self.names.traits.keyed:
            return condition
        is_set = f"{hot_column(name)} IS NOT NULL"
        # Odd rows have no hot fields; where no parser stands behind, they are counted here too.
        return f"({is_set})" if ODD in self.hard else f"({is_set} OR ({ODD} AND {condition}))"

    def keys(self) -> set[str]:
        """Hot fields whose key in quotes is looked for in the line."""
        texts = [text for text, _ in self.lines if text and not self._is_implied(text)]
        return {name for text in texts if (name := quoted_field(text))}

    def _is_implied(self, text: str) -> bool:
        """True when each plain row with the demanded fields has the text, their key, anyway."""
        return any(text in demanded for demanded in self._demanded)

    def for_odd(self) -> str:
        """The condition of the odd rows that the pipeline has to look at, some in vain."""
        if ODD not in self.hard:
            return "FALSE"
        return self.for_all()

    def for_hard(self) -> str:
        """The same of the rows that are hard for another reason."""
        hard = any_of([one for one in self.hard if one != ODD])
        if hard == "FALSE":
            return "FALSE"
        easy = [negated(ODD)] if ODD in self.hard else []
        return all_of([*easy, hard, self.for_all()])

    def for_all(self) -> str:
        """A condition that every row fulfils which the stages could keep."""
        return all_of([*self.wide, cheapest_first([one for _, one in self.lines])])


def quoted_field(text: str | None) -> str | None:
    """The hot field whose key in quotes a text is."""
    name = text[1:-1] if text else ""
    return name if text == f'"{name}"' and name in HOT_FIELDS else None


def _names_only(items: Sequence[object]) -> list[str]:
    if not all(isinstance(item, str) for item in items):
        raise NotProvenError("labels dropped by their values")
    return [item for item in items if isinstance(item, str)]
