"""The syntax tree of a log pipeline: one frozen class for each stage, and for label matchers.

`syntax` has the expressions that hold a pipeline. Durations are in nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MatchOp = Literal["=", "!=", "=~", "!~"]
CompareOp = Literal["==", "!=", ">", ">=", "<", "<="]


@dataclass(frozen=True)
class Matcher:
    """`name="value"`: a condition on one label. Regular expressions are anchored."""

    name: str
    op: MatchOp
    value: str


@dataclass(frozen=True)
class LineText:
    """One operand of a line filter: text, or with `is_ip` an address, range or CIDR."""

    text: str
    is_ip: bool = False


@dataclass(frozen=True)
class LineFilter:
    """`|= "a" or "b"`. `|>` and `!>` take patterns with `<_>`."""

    op: Literal["|=", "!=", "|~", "!~", "|>", "!>"]
    operands: tuple[LineText, ...]


@dataclass(frozen=True)
class Extraction:
    """`label="expression"` of the json and logfmt parsers."""

    label: str
    expression: str


@dataclass(frozen=True)
class JsonParser:
    """`| json`, with extractions `| json label="a.b[0]"`."""

    extractions: tuple[Extraction, ...] = ()


@dataclass(frozen=True)
class LogfmtParser:
    """`| logfmt [--strict] [--keep-empty]`, with extractions."""

    extractions: tuple[Extraction, ...] = ()
    strict: bool = False
    keep_empty: bool = False


@dataclass(frozen=True)
class RegexpParser:
    """`| regexp "(?P<name>re)"`."""

    pattern: str


@dataclass(frozen=True)
class PatternParser:
    """`| pattern "<ip> <_>"`."""

    pattern: str


@dataclass(frozen=True)
class UnpackParser:
    """`| unpack`."""


@dataclass(frozen=True)
class StringFilter:
    """`| name="value"`: the label filter form of a matcher."""

    matcher: Matcher


@dataclass(frozen=True)
class NumberFilter:
    """`| name >= 5`."""

    name: str
    op: CompareOp
    value: float


@dataclass(frozen=True)
class DurationFilter:
    """`| name > 20ms`; the value in nanoseconds."""

    name: str
    op: CompareOp
    value_ns: int


@dataclass(frozen=True)
class BytesFilter:
    """`| name > 20MB`; the value in bytes."""

    name: str
    op: CompareOp
    value_bytes: int


@dataclass(frozen=True)
class IpFilter:
    """`| name = ip("10.0.0.0/8")`, or `!=`."""

    name: str
    op: Literal["=", "!="]
    pattern: str


@dataclass(frozen=True)
class AndFilter:
    """Both sides hold; written `and`, `,` or by a space."""

    left: LabelFilter
    right: LabelFilter


@dataclass(frozen=True)
class OrFilter:
    """One of the sides holds."""

    left: LabelFilter
    right: LabelFilter


LabelFilter = (
    StringFilter | NumberFilter | DurationFilter | BytesFilter | IpFilter | AndFilter | OrFilter
)


@dataclass(frozen=True)
class LineFormat:
    """`| line_format "{{.a}}"`."""

    template: str


@dataclass(frozen=True)
class LabelAssignment:
    """`new=old` (a rename) or `new="{{template}}"`."""

    label: str
    value: str
    is_template: bool


@dataclass(frozen=True)
class LabelFormat:
    """`| label_format a=b, c="{{.d}}"`."""

    assignments: tuple[LabelAssignment, ...]


@dataclass(frozen=True)
class Decolorize:
    """`| decolorize`."""


@dataclass(frozen=True)
class DropLabels:
    """`| drop a, b="c"`: names, or matchers that must hold for the label to go."""

    items: tuple[str | Matcher, ...]


@dataclass(frozen=True)
class KeepLabels:
    """`| keep a, b="c"`."""

    items: tuple[str | Matcher, ...]


@dataclass(frozen=True)
class LabelFilterStage:
    """`| <label filter>`."""

    condition: LabelFilter


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
