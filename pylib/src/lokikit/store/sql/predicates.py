"""Conditions of SQL on one text, equal to LogQL's line filters and matchers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lokikit.store.errors import StoreError
from lokikit.store.logql.matchers import contained_text, label_words
from lokikit.store.logql.regular_expressions import is_small, line_words

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import LineFilter, MatchOp

_COLUMN = re.compile(r"[a-z]\w*")
_FILLED = re.compile(r"coalesce\(\w+, ''\)|''")
_BEGINS_OBJECT = frozenset({r"^\s*\{", r"^\s*{", r"^\{", "^{"})
_DIFFERS = re.compile(r"\\[CpP]|\(\?<")
_COSTLY = "regexp_matches("
NUMBER = r"(-?[1-9][0-9]{0,30}|0)(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?"
"""Numbers that DuckDB and Go read alike, to the last bit; others are read by the pipeline."""


class NotProvenError(StoreError):
    """Raised where SQL is not known to mean the same as a query; the evaluator answers it."""


def literal(text: str) -> str:
    """The text as a literal of SQL.

    Raises:
        NotProvenError: a NUL would end the statement.
    """
    if "\0" in text:
        raise NotProvenError("a text with NUL")
    return "'" + text.replace("'", "''") + "'"


def all_of(conditions: Sequence[str]) -> str:
    """The conditions joined by AND."""
    kept = [condition for condition in dict.fromkeys(conditions) if condition != "TRUE"]
    return _joined(" AND ", kept) if kept else "TRUE"


def any_of(conditions: Sequence[str]) -> str:
    """The conditions joined by OR."""
    kept = list(dict.fromkeys(conditions))
    if "TRUE" in kept:
        return "TRUE"
    kept = [condition for condition in kept if condition != "FALSE"]
    return _joined(" OR ", kept) if kept else "FALSE"


def _joined(word: str, conditions: list[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({word.join(conditions)})"


def cheapest_first(conditions: Sequence[str]) -> str:
    """The conditions joined by AND, regular expressions behind what spares them rows."""
    costly = [condition for condition in conditions if _COSTLY in condition]
    cheap = all_of([condition for condition in conditions if condition not in costly])
    if not costly or cheap == "TRUE":
        return all_of([cheap, *costly])
    return f"CASE WHEN {cheap} THEN {all_of(costly)} ELSE FALSE END"


def negated(condition: str) -> str:
    """The opposite of a condition that is never NULL."""
    return {"TRUE": "FALSE", "FALSE": "TRUE"}.get(condition, f"NOT {condition}")


def line_condition(stage: LineFilter) -> str:
    """The condition of a line filter on the column `line`.

    Raises:
        NotProvenError: the filter is about addresses or patterns.
    """
    if stage.op in {"|>", "!>"} or any(operand.is_ip for operand in stage.operands):
        raise NotProvenError(f"line filter {stage.op}")
    finds = _holds if stage.op in {"|=", "!="} else _finds
    texts = [operand.text for operand in stage.effective]
    if not texts:
        return "TRUE"
    found = any_of([finds(text) for text in texts])
    if stage.op == "!~" and set(texts) & _BEGINS_OBJECT:
        return f"(odd AND {negated(found)})"  # plain lines do begin so
    return found if stage.op.startswith("|") else negated(found)


def _holds(text: str) -> str:
    return f"contains(line, {literal(text)})" if text else "TRUE"


def _finds(pattern: str) -> str:
    words = line_words(pattern)
    if words is not None:
        return any_of([_holds(word) for word in words])
    return f"regexp_matches(line, {_pattern(pattern)})"


def _pattern(pattern: str) -> str:
    r"""The literal of a regular expression that all versions of RE2 read alike.

    Raises:
        NotProvenError: it has bytes, classes of Unicode, groups in the newer spelling or
            characters beyond ASCII, or it is large.
    """
    if not pattern.isascii() or _DIFFERS.search(pattern) or not is_small(pattern):
        raise NotProvenError(f"pattern {pattern}")
    return literal(pattern)


def match_condition(value: str, op: MatchOp, wanted: str) -> str:
    """The condition of a filter on a label; a NULL counts as the empty text.

    Args:
        value: the SQL of the text.
        op: of the matcher.
        wanted: the text or the regular expression, as loosely read as the pipeline reads it.
    """
    if _COLUMN.fullmatch(value) and (op, wanted) in {("!=", ""), ("=~", ".+")}:
        # DuckDB applies conditions of this form while it reads a segment.
        return f"({value} IS NOT NULL AND {value} <> '')"
    if _COLUMN.fullmatch(value) and op == "=" and wanted:
        return f"({value} IS NOT NULL AND {value} = {literal(wanted)})"
    matched = _equals(value, wanted) if op in {"=", "!="} else _matches(value, wanted)
    return matched if op in {"=", "=~"} else negated(matched)


def _equals(value: str, wanted: str) -> str:
    return f"({_filled(value)} = {literal(wanted)})"


def _matches(value: str, pattern: str) -> str:
    if pattern in {"", ".*"}:
        return "TRUE"
    if pattern == ".+":
        return f"({_filled(value)} <> '')"
    contained = contained_text(pattern)
    if contained is not None:
        text, folds_case = contained
        if folds_case:
            raise NotProvenError(f"pattern {pattern}")
        return f"contains({_filled(value)}, {literal(text)})"
    words = label_words(pattern)
    if words is not None:
        listed = ", ".join(literal(word) for word in words)
        return f"({_filled(value)} IN ({listed}))"
    return f"regexp_full_match({_filled(value)}, {_pattern(pattern)})"


def _filled(value: str) -> str:
    """The SQL of a text that is empty in place of NULL."""
    return value if _FILLED.fullmatch(value) else f"coalesce({value}, '')"


def is_number(value: str) -> str:
    """The condition that a text is a plain number; FALSE for NULL."""
    return f"coalesce(regexp_full_match({value}, {literal(NUMBER)}), FALSE)"
