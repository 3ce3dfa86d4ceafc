"""The text of an exception and of all that led to it, as Python prints it."""

from __future__ import annotations

import sys
import traceback
from itertools import groupby
from operator import attrgetter
from types import CodeType, TracebackType
from typing import Any, NamedTuple

_MAX_CACHED = 2048
"""Places in source code; one more, and all are forgotten."""
_MAX_CHARACTERS = 4096
"""Of a text that is kept: the lines of generated code may have any length."""
_LEADING = ("__cause__", "__context__")
_SHOWN_REPEATS = 3
"""Of a recursion; `traceback` shows as many."""


class _Entry(NamedTuple):
    """A place in a traceback.

    Attributes:
        code: what runs there. It is kept so that no other code gets its `id`.
        place: file, line and function.
        text: what Python prints of it, with the line of source code.
    """

    code: CodeType
    place: tuple[str, int, str]
    text: str


class _Stack(list[_Entry]):
    """Takes the place of a `traceback.StackSummary`."""

    def format(self, **_: object) -> list[str]:
        """The texts of the entries as one; of a recursion the first, and how many follow."""
        texts = []
        for _place, group in groupby(self, attrgetter("place")):
            repeats = [entry.text for entry in group]
            texts += repeats[:_SHOWN_REPEATS]
            if more := len(repeats[_SHOWN_REPEATS:]):
                plural = "s" if more > 1 else ""
                texts.append(f"  [Previous line repeated {more} more time{plural}]\n")
        return ["".join(texts)]


_entries: dict[tuple[int, int, int], _Entry] = {}
"""By the `id` of a code, the place in it and the line. A service raises at the same places again
and again, and the text of one takes Python longer than all else of a log line."""


def format_exception(exception: BaseException, tb: TracebackType | None) -> str:
    """The same text as of `traceback.format_exception`.

    The standard library writes it, with causes, groups and notes; only the entries of its stacks
    are put in from here.

    Args:
        exception: as it was logged.
        tb: its traceback.
    """
    shown = traceback.TracebackException(type(exception), exception, tb, limit=0, compact=True)
    queue: list[tuple[Any, Any, Any]] = [(shown, exception, tb)]
    for summary, error, its_traceback in queue:
        if stack := _stack(its_traceback):
            summary.stack = stack
        inner: list[tuple[Any, Any]] = [
            (getattr(summary, name), getattr(error, name, None)) for name in _LEADING
        ]
        if members := getattr(summary, "exceptions", None):  # a group, of Python 3.11 on
            inner += zip(members, error.exceptions, strict=True)
        queue += [(part, its, its.__traceback__) for part, its in inner if part]
    return "".join(shown.format())


def _stack(tb: TracebackType | None) -> _Stack:
    stack = _Stack()
    while tb is not None:
        key = id(tb.tb_frame.f_code), tb.tb_lasti, tb.tb_lineno
        stack.append(_entries.get(key) or _learn(key, tb))
        tb = tb.tb_next
    limit = getattr(sys, "tracebacklimit", None)
    return stack if limit is None else _Stack(stack[: max(limit, 0)])


def _learn(key: tuple[int, int, int], tb: TracebackType) -> _Entry:
    (text,) = traceback.format_tb(tb, limit=1)
    code = tb.tb_frame.f_code
    entry = _Entry(code, (code.co_filename, tb.tb_lineno, code.co_name), text)
    if len(_entries) >= _MAX_CACHED:
        _entries.clear()
    if len(text) <= _MAX_CHARACTERS:
        _entries[key] = entry
    return entry
