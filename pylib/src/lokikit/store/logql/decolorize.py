"""The stage `| decolorize`, which removes ANSI escape sequences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.logql.labels_builder import LineState

_SEQUENCE = re.compile(
    "[\x1b\x9b][\\[\\]()#;?]*"
    "(?:(?:(?:[a-zA-Z0-9]*(?:;[a-zA-Z0-9]*)*)?\x07)"
    "|(?:(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~]))"
)


def decolorize(state: LineState) -> bool:
    """Remove color codes from the line, which always stays."""
    if "\x1b" in state.line or "\x9b" in state.line:
        state.line = _SEQUENCE.sub("", state.line)
    return True
