"""Checks of regular expressions and of the patterns of `| pattern`, with Loki's error texts."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

import re2

_MAX_COMPILED = 1000
_CAPTURE = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")
_ANY_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")  # RE2's library has it, Go's package has not
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?P?<(\w+)>")
_WORDING = (
    ("missing ]", "missing closing ]"),
    ("missing )", "missing closing )"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("invalid named capture group", "invalid named capture"),
)
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


@lru_cache(_MAX_COMPILED)
def check_regex(pattern: str) -> str:
    """What is wrong with a regular expression, in the words of Go; empty when nothing is."""
    try:
        re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        return _in_go_words(error)
    except UnicodeEncodeError:
        return f"error parsing regexp: invalid UTF-8: `{pattern!a}`"
    if _ANY_BYTE.search(pattern):
        return "error parsing regexp: invalid escape sequence: `\\C`"
    return ""


def _in_go_words(error: re2.error) -> str:
    said = error.args[0]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if text.startswith("trailing \\"):
        return "error parsing regexp: trailing backslash at end of expression: ``"
    for theirs, wording in _WORDING:
        if text.startswith(theirs):
            text = wording + text[len(theirs) :]
            break
    problem, _, piece = text.partition(": ")
    return f"error parsing regexp: {problem}: `{piece}`"


@lru_cache(_MAX_COMPILED)
def matches_empty(pattern: str) -> bool:
    """Whether an anchored regular expression takes the empty text."""
    return bool(re2.fullmatch(pattern, "", _OPTIONS))


@lru_cache(_MAX_COMPILED)
def check_captures(pattern: str) -> str:
    """What is wrong with the regular expression of `| regexp`; empty when nothing is."""
    why = check_regex(pattern)
    if why:
        return why
    names = _NAMED_GROUP.findall(pattern)
    if not re2.compile(pattern, _OPTIONS).groupindex:
        return "at least one named capture must be supplied"
    repeated = next((name for name in names if names.count(name) > 1), None)
    return f"duplicate extracted label name '{repeated}'" if repeated else ""


def check_pattern(pattern: str) -> str:
    """What is wrong with the pattern of `| pattern`; empty when nothing is."""
    if not pattern:
        return (
            "parse error at line 1, col 1: syntax error: unexpected $end, "
            "expecting IDENTIFIER or LITERAL"
        )
    captures = [(match.start(), match.end(), match[1]) for match in _CAPTURE.finditer(pattern)]
    for (_, end, first), (start, _, second) in pairwise(captures):
        if end == start:
            return f"found consecutive capture '<{first}><{second}>': invalid expression"
    names = [name for _, _, name in captures if name != "_"]
    if not names:
        return "at least one capture is required"
    repeated = next((name for name in names if names.count(name) > 1), None)
    return f"duplicate capture name ({repeated}): invalid expression" if repeated else ""
