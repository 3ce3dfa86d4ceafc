"""The tokens of a LogQL text, with their positions."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple
from unicodedata import category

from lokikit.store.errors import SyntaxProblem
from lokikit.store.logql.quoting import unescape
from lokikit.store.logql.units import parse_bytes, parse_duration_ns, parse_range_ns

END = "$end"
IDENTIFIER = "IDENTIFIER"
STRING = "STRING"
NUMBER = "NUMBER"
DURATION = "DURATION"
BYTES = "BYTES"
RANGE = "RANGE"
FLAG = "FUNCTION_FLAG"
CALL = "call"  # the name of a function, in front of its parenthesis
CONVERSION = "conversion"

_PARSERS = {"json", "logfmt", "pattern", "regexp", "unpack"}
_FORMATS = {"line_format", "label_format", "decolorize", "drop", "keep"}
_MATCHING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_OPERATORS = {"and", "or", "unless", "bool", "offset", "unwrap", "variants", "of"}
KEYWORDS = frozenset(_PARSERS | _FORMATS | _MATCHING | _OPERATORS)
COUNTS = frozenset({"count_over_time", "bytes_rate", "bytes_over_time"})
"""Range aggregations over lines."""
GROUPED = frozenset(
    f"{name}_over_time"
    for name in ("avg", "max", "min", "first", "last", "stdvar", "stddev", "quantile")
)
"""Range aggregations that may have a grouping of their own."""
RANGE_FUNCTIONS = COUNTS | GROUPED | {"rate", "rate_counter", "absent_over_time", "sum_over_time"}
RANKED = frozenset({"topk", "bottomk", "approx_topk"})
SORTING = frozenset({"sort", "sort_desc"})
VECTOR_FUNCTIONS = RANKED | SORTING | {"sum", "avg", "min", "max", "count", "stddev", "stdvar"}
_CONVERSIONS = frozenset({"duration", "duration_seconds", "bytes"})
_CALLS = RANGE_FUNCTIONS | VECTOR_FUNCTIONS | _CONVERSIONS | {"ip", "vector", "label_replace"}

_SPACE = r"(?:[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)"
_TOKEN = re.compile(
    rf"""
      (?P<space>{_SPACE}+)
    | (?P<comment>/\*)
    | (?P<word>[^\W\d]\w*)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)
    | (?P<operator>\|[=~>]|![=~>]|=[~=]|[<>]=|[{{}}()=<>|,+*/%^])
    | (?P<range>\[[^\]]*\])
    | (?P<flag>--(?:strict|keep-empty)\b)
    | (?P<quantity>-?\.?[0-9])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_CHARACTER_LENGTH = 3
_BOM = "\ufeff"
_UNREADABLE = re.compile("[\0\ud800-\udfff]")
_NOT_IN_WORDS = frozenset({"Nl", "No"})
"""Categories of characters that Python takes for a part of a word, and Go does not."""
_BASES = {"x": "hexadecimal", "o": "octal", "b": "binary"}
_SPACES = re.compile(rf"{_SPACE}*")
_GROUPING = re.compile(r"(?:by|without)\b", re.IGNORECASE)
_QUANTITY = re.compile(r"[0-9.]+[0-9A-Za-zµ.]*")
_SIZE = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:B|[kKMGT](?:iB|i|B)?)")
_NUMBER = re.compile(
    r"0[xXbBoO][0-9A-Fa-f_]+(?:\.[0-9A-Fa-f]*)?(?:[pP][+-]?[0-9]+)?"
    r"|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]*)?"
)


class Token(NamedTuple):
    """One token.

    Args:
        kind: a constant of this module, or the text itself for keywords and operators.
        text: text in the query; names of functions in lower case.
        offset: offset of its first character in the query.
        value: text of a string, nanoseconds of a duration, bytes of a size.
    """

    kind: str
    text: str
    offset: int
    value: str | int = ""


def scan(text: str) -> tuple[list[Token], SyntaxProblem | None]:
    """The tokens of a query up to a malformed literal, and the problem of that literal.

    Without a problem the last token is of kind `END`.
    """
    tokens: list[Token] = []
    append, match = tokens.append, _TOKEN.match
    offset, end = len(_BOM) * text.startswith(_BOM), len(text)
    if found := _UNREADABLE.search(text):
        what = "invalid UTF-8 encoding" if found[0] != "\0" else "invalid character NUL"
        return tokens, problem(text, found.start(), what)
    try:
        while offset < end:
            found = match(text, offset)
            assert found is not None  # noqa: S101 - the last alternative takes any character
            kind = found.lastgroup
            if kind == "space":
                offset = found.end()
                continue
            if kind == "operator":
                token = Token(found[0], found[0], offset)
            else:
                token = _READERS[kind or ""](text, offset, found[0])
            append(token)
            offset += len(token.text)
    except SyntaxProblem as found_problem:
        return tokens, found_problem
    append(Token(END, "", end))
    return tokens, None


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def problem(text: str, offset: int, message: str, *, shows_position: bool = True) -> SyntaxProblem:
    """An error at an offset of the query."""
    return SyntaxProblem(message, *position(text, offset), shows_position=shows_position)


def _word(text: str, offset: int, word: str) -> Token:
    if not word.isascii():
        word = _go_word(word)
        if not word:
            return _other(text, offset, text[offset])
    name = word.lower()
    if name in KEYWORDS:
        return Token(name, name, offset)
    if name in _CALLS and _is_called(text, offset + len(word)):
        kind = CONVERSION if name in _CONVERSIONS else "ip" if name == "ip" else CALL
        return Token(kind, name, offset)
    return Token(IDENTIFIER, word, offset)


def _go_word(word: str) -> str:
    """The letters and digits at the begin of a word that are these to Go."""
    for index, character in enumerate(word):
        if category(character) in _NOT_IN_WORDS:
            return word[:index]
    return word


def _is_called(text: str, end: int) -> bool:
    """True when a parenthesis follows, or a grouping with its parenthesis."""
    end = _skip_spaces(text, end)
    grouping = _GROUPING.match(text, end)
    if grouping:
        end = _skip_spaces(text, grouping.end())
    return text.startswith("(", end)


def _skip_spaces(text: str, offset: int) -> int:
    found = _SPACES.match(text, offset)
    return found.end() if found else offset


def _string(text: str, offset: int, literal: str) -> Token:
    content = literal[1:-1]
    if literal[0] == '"' and "\\" in content:
        try:
            content = unescape(content)
        except ValueError as error:
            raise problem(text, offset, str(error)) from None
    return Token(STRING, literal, offset, content)


def _range(text: str, offset: int, literal: str) -> Token:
    try:
        return Token(RANGE, literal, offset, parse_range_ns(literal[1:-1]))
    except ValueError as error:
        raise problem(text, offset, str(error)) from None


def _quantity(text: str, offset: int, start: str) -> Token:
    """A number, duration or size; only a duration takes the minus in front with it."""
    minus = start[0] == "-"
    found = _QUANTITY.match(text, offset + minus)
    word = found[0] if found else ""
    value_ns = _duration_ns("-" + word if minus else word)
    if value_ns is not None:
        return Token(DURATION, "-" + word if minus else word, offset, value_ns)
    if minus:
        return Token("-", "-", offset)
    if _SIZE.fullmatch(word):
        with suppress(ValueError):
            return Token(BYTES, word, offset, parse_bytes(word))
    return _number(text, offset)


def _duration_ns(word: str) -> int | None:
    """Nanoseconds of a duration in Go's or Prometheus' form; None for a bare number."""
    if not word[-1:].isalpha():
        return None
    with suppress(ValueError):
        return parse_duration_ns(word)
    with suppress(ValueError):
        return parse_range_ns(word)
    return None


def _number(text: str, offset: int) -> Token:
    found = _NUMBER.match(text, offset)
    literal = found[0] if found else text[offset]
    if literal == "0" and text[offset + 1 : offset + 2].lower() in _BASES:
        raise problem(text, offset, f"{_BASES[text[offset + 1].lower()]} literal has no digits")
    if literal[-1] in "eE+-" and not literal.startswith(("0x", "0X")):
        raise problem(text, offset, "exponent has no digits")
    if literal[-1] == "_" or "__" in literal:
        raise problem(text, offset, "'_' must separate successive digits")
    return Token(NUMBER, literal, offset)


def _other(text: str, offset: int, character: str) -> Token:
    """A character without a meaning of its own, or with single quotes around it.

    Both are names of labels to Loki.
    """
    found = _CHARACTER.match(text, offset)
    if found and (len(found[0]) == _CHARACTER_LENGTH or found[0][1] == "\\"):
        return Token(IDENTIFIER, found[0], offset)
    if found:
        raise problem(text, offset, "invalid char literal")
    if character in "\"`'":
        raise problem(text, offset, "literal not terminated")
    if character == "[":
        raise problem(text, offset, "missing closing ']' in duration")
    kind = character if character in ".-]" else IDENTIFIER
    return Token(kind, character, offset)


def _open_comment(text: str, offset: int, _start: str) -> Token:
    raise problem(text, offset, "comment not terminated")


def _flag(_text: str, offset: int, flag: str) -> Token:
    return Token(FLAG, flag, offset)


_READERS = {
    "comment": _open_comment,
    "word": _word,
    "string": _string,
    "range": _range,
    "flag": _flag,
    "quantity": _quantity,
    "other": _other,
}
