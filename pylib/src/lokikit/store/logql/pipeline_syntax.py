"""The syntax tree of a log pipeline: one frozen class for each stage, and for label matchers.

`syntax` has the expressions that hold a pipeline. Durations are in nanoseconds. `str` writes a
node as LogQL: a stage with its `|` or operator in front, a filter with two sides in parentheses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lokikit.store.logql.quoting import quote, write_fixed
from lokikit.store.logql.units import format_bytes, format_duration

MatchOp = Literal["=", "!=", "=~", "!~"]
CompareOp = Literal["==", "!=", ">", ">=", "<", "<="]
_ALL_LINES = {"|=": ("",), "|~": ("", ".*")}


@dataclass(frozen=True)
class Matcher:
    """`name="value"`: a condition on one label. Regular expressions are anchored."""

    name: str
    op: MatchOp
    value: str

    def __str__(self) -> str:
        return f"{self.name}{self.op}{quote(self.value)}"


@dataclass(frozen=True)
class LineText:
    """One operand of a line filter: text, or with `is_ip` an address, range or CIDR."""

    text: str
    is_ip: bool = False

    def __str__(self) -> str:
        return f"ip({quote(self.text)})" if self.is_ip else quote(self.text)


@dataclass(frozen=True)
class LineFilter:
    """`|= "a" or "b"`. `|>` and `!>` take patterns with `<_>`."""

    op: Literal["|=", "!=", "|~", "!~", "|>", "!>"]
    operands: tuple[LineText, ...]

    @property
    def effective(self) -> list[LineText]:
        """The operands without those that Loki leaves out; an `ip` beside `or` is text to it."""
        all_lines, is_alone = _ALL_LINES.get(self.op, ()), len(self.operands) == 1
        return [
            one for one in self.operands if (one.is_ip and is_alone) or one.text not in all_lines
        ]

    def __str__(self) -> str:
        return f"{self.op} {' or '.join(map(str, self.operands))}"


@dataclass(frozen=True)
class Extraction:
    """`label="expression"` of the json and logfmt parsers."""

    label: str
    expression: str

    def __str__(self) -> str:
        return f"{self.label}={quote(self.expression)}"


def _with_list(head: str, items: Iterable[object]) -> str:
    return f"{head} {','.join(map(str, items))}".rstrip()


@dataclass(frozen=True)
class JsonParser:
    """`| json`, with extractions `| json label="a.b[0]"`."""

    extractions: tuple[Extraction, ...] = ()

    def __str__(self) -> str:
        return _with_list("| json", self.extractions)


@dataclass(frozen=True)
class LogfmtParser:
    """`| logfmt [--strict] [--keep-empty]`, with extractions."""

    extractions: tuple[Extraction, ...] = ()
    strict: bool = False
    keep_empty: bool = False

    def __str__(self) -> str:
        flags = (" --strict" if self.strict else "") + (" --keep-empty" if self.keep_empty else "")
        return _with_list(f"| logfmt{flags}", self.extractions)


@dataclass(frozen=True)
class RegexpParser:
    """`| regexp "(?P<name>re)"`."""

    pattern: str

    def __str__(self) -> str:
        return f"| regexp {quote(self.pattern)}"


@dataclass(frozen=True)
class PatternParser:
    """`| pattern "<ip> <_>"`."""

    pattern: str

    def __str__(self) -> str:
        return f"| pattern {quote(self.pattern)}"


@dataclass(frozen=True)
class UnpackParser:
    """`| unpack`."""

    def __str__(self) -> str:
        return "| unpack"


@dataclass(frozen=True)
class StringFilter:
    """`| name="value"`: the label filter form of a matcher."""

    matcher: Matcher

    def __str__(self) -> str:
        return str(self.matcher)


@dataclass(frozen=True)
class NumberFilter:
    """`| name >= 5`."""

    name: str
    op: CompareOp
    value: float

    def __str__(self) -> str:
        return f"{self.name}{self.op}{write_fixed(self.value)}"


@dataclass(frozen=True)
class DurationFilter:
    """`| name > 20ms`; the value in nanoseconds."""

    name: str
    op: CompareOp
    value_ns: int

    def __str__(self) -> str:
        return f"{self.name}{self.op}{format_duration(self.value_ns)}"


@dataclass(frozen=True)
class BytesFilter:
    """`| name > 20MB`; the value in bytes."""

    name: str
    op: CompareOp
    value_bytes: int

    def __str__(self) -> str:
        return f"{self.name}{self.op}{format_bytes(self.value_bytes)}"


@dataclass(frozen=True)
class IpFilter:
    """`| name = ip("10.0.0.0/8")`, or `!=`."""

    name: str
    op: Literal["=", "!="]
    pattern: str

    def __str__(self) -> str:
        return f"{self.name}{self.op}ip({quote(self.pattern)})"


@dataclass(frozen=True)
class AndFilter:
    """Both sides hold; written `and`, `,` or by a space."""

    left: LabelFilter
    right: LabelFilter

    def __str__(self) -> str:
        return f"( {self.left} , {self.right} )"


@dataclass(frozen=True)
class OrFilter:
    """At least one side holds."""

    left: LabelFilter
    right: LabelFilter

    def __str__(self) -> str:
        return f"( {self.left} or {self.right} )"


LabelFilter = (
    StringFilter | NumberFilter | DurationFilter | BytesFilter | IpFilter | AndFilter | OrFilter
)


@dataclass(frozen=True)
class LineFormat:
    """`| line_format "{{.a}}"`."""

    template: str

    def __str__(self) -> str:
        return f"| line_format {quote(self.template)}"


@dataclass(frozen=True)
class LabelAssignment:
    """`new=old` (a rename) or `new="{{template}}"`."""

    label: str
    value: str
    is_template: bool

    def __str__(self) -> str:
        return f"{self.label}={quote(self.value) if self.is_template else self.value}"


@dataclass(frozen=True)
class LabelFormat:
    """`| label_format a=b, c="{{.d}}"`."""

    assignments: tuple[LabelAssignment, ...]

    def __str__(self) -> str:
        return _with_list("| label_format", self.assignments)


@dataclass(frozen=True)
class Decolorize:
    """`| decolorize`."""

    def __str__(self) -> str:
        return "| decolorize"


@dataclass(frozen=True)
class DropLabels:
    """`| drop a, b="c"`: names, or matchers that must hold for the label to go."""

    items: tuple[str | Matcher, ...]

    def __str__(self) -> str:
        return _with_list("| drop", self.items)


@dataclass(frozen=True)
class KeepLabels:
    """`| keep a, b="c"`."""

    items: tuple[str | Matcher, ...]

    def __str__(self) -> str:
        return _with_list("| keep", self.items)


@dataclass(frozen=True)
class LabelFilterStage:
    """`| <label filter>`."""

    condition: LabelFilter

    def __str__(self) -> str:
        return f"| {self.condition}"


Stage = (
    LineFilter
    | JsonParser
    | LogfmtParser
    | RegexpParser
    | PatternParser
    | UnpackParser
    | LabelFilterStage
    | LineFormat
    | LabelFormat
    | Decolorize
    | DropLabels
    | KeepLabels
)
