"""The LogQL that gives lines as people read them, and their fields beside."""

from __future__ import annotations

from lokikit.fields import (
    EXC_MESSAGE,
    EXC_TYPE,
    LABEL_ENV,
    LABEL_SERVICE,
    MESSAGE,
    REQUEST_ID,
    TRACE_ID,
)

_ONE_LINE = r'| replace "\n" " " | trunc 300'
_EXCEPTION = f"{{{{.{EXC_TYPE}}}}}: {{{{.{EXC_MESSAGE} {_ONE_LINE}}}}}"
_WORDS = f"{{{{.{MESSAGE} {_ONE_LINE}}}}}{{{{if .{EXC_TYPE}}}}} | {_EXCEPTION}{{{{end}}}}"
_TWICE = [f"{name}_extracted" for name in (LABEL_ENV, REQUEST_ID, TRACE_ID)]
"""Loki's names for fields of a line that are labels or metadata of the entry already."""
_STAGES = (
    f"| json | line_format `{{{{.{LABEL_SERVICE}}}}}  "
    f"{{{{if .{MESSAGE}}}}}{_WORDS}{{{{else}}}}{{{{__line__}}}}{{{{end}}}}` "
    f"| drop __error__, __error_details__, {', '.join(_TWICE)}"
)


def readable(query: str) -> str:
    """The lines of a log query, each as its service, its message and the end of its exception.

    All fields of a line are labels of its entry. A line that is no JSON object with a `message`
    stays as it is behind its service.
    """
    return f"{query} {_STAGES}"
