"""Tokens of a template."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from lokikit.store.errors import QueryError

KEYWORDS = frozenset(
    {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"}
)
_GO_SPACE = " \t\r\n"
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<char>'(?:[^'\\\n]|\\[^\n]+?)')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[oO][0-7_]+
        |0[bB][01_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?))
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<declare>:=)
  | (?P<mark>[=|(),])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class TemplateToken:
    """A piece of a template: `text`, `open`, `close`, or a group of the lexer's expression."""

    kind: str
    text: str
    at: int = 0


def tokenize(template: str) -> Iterator[TemplateToken]:
    """The tokens of a template, white space next to trim markers left out.

    Raises:
        QueryError: an action is not closed, or holds a character that means nothing.
    """
    position, trims = 0, False
    while True:
        begin = template.find("{{", position)
        text = template[position:] if begin < 0 else template[position:begin]
        text = text.lstrip(_GO_SPACE) if trims else text
        trims_before = begin >= 0 and re.match(r"\{\{-[ \t\r\n]", template[begin:]) is not None
        text = text.rstrip(_GO_SPACE) if trims_before else text
        if text:
            yield TemplateToken("text", text)
        if begin < 0:
            return
        begin += 3 if trims_before else 2
        comment_end = _comment_end(template, begin)
        if comment_end is not None:
            position, trims = comment_end
            continue
        position, trims = yield from _action(template, begin)


def _comment_end(template: str, begin: int) -> tuple[int, bool] | None:
    match = re.compile(r"\s*/\*.*?\*/(\s+-)?\}\}", re.DOTALL).match(template, begin)
    if match is None:
        if re.compile(r"\s*/\*").match(template, begin):
            raise QueryError("template: unclosed comment")
        return None
    return match.end(), match[1] is not None


def _action(template: str, position: int) -> Generator[TemplateToken, None, tuple[int, bool]]:
    """The tokens of one action; returns its end, and True when it trims the text behind it."""
    yield TemplateToken("open", "{{")
    while True:
        close = re.compile(r"(?:[ \t\r\n]+-)?\}\}").match(template, position)
        if close is not None:
            yield TemplateToken("close", "}}")
            return close.end(), len(close[0]) > 2  # noqa: PLR2004 - a generator's answer to `yield from`
        match = _TOKEN.match(template, position)
        if match is None:
            if position >= len(template):
                raise QueryError("template: unclosed action")
            raise QueryError(f"template: unexpected {template[position]!r} in an action")
        kind = match.lastgroup or ""
        if kind == "word" and match[0] in KEYWORDS:
            kind = "keyword"
        yield TemplateToken(kind, match[0], match.start())
        position = match.end()
