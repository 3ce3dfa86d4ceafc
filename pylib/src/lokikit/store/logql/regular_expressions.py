"""Regular expressions as Go reads them, by RE2, with bounded memory."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from lokikit.store.errors import QueryError

_MAX_COMPILED = 1000
_MAX_MEMORY_BYTES = 16 << 20
_LITERAL = re.compile(r"[^\\.+*?()|\[\]{}^$]*")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    return options


_OPTIONS = _options()


@lru_cache(_MAX_COMPILED)
def compile_regex(pattern: str) -> Any:
    """The compiled expression; `search`, `fullmatch` and `groupindex` are those of `re`.

    Raises:
        QueryError: the expression is wrong, or needs more memory than a query may take.
    """
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        said = error.args[0]
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise QueryError(f"error parsing regexp: {text}") from None
    except UnicodeEncodeError:
        raise QueryError(f"error parsing regexp: invalid UTF-8: `{pattern!a}`") from None


def is_literal(pattern: str) -> bool:
    """True when the expression matches its own text and nothing else."""
    return _LITERAL.fullmatch(pattern) is not None


def line_words(pattern: str) -> list[str] | None:
    """The words of a line filter's `a|b`; None for other expressions.

    As Loki does it, an alternative that takes all lines is left out beside others.
    """
    words = pattern.split("|")
    if not all(is_literal(word) or word == ".*" for word in words):
        return None
    return [word for word in words if word not in {"", ".*"}] or [""]
