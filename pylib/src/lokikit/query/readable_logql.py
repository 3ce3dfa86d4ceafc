"""The LogQL that renders lines for people, with their fields as labels."""

from __future__ import annotations

from lokikit import fields as f

_ONE_LINE = r'| replace "\n" " " | trunc 300'
_EXCEPTION = f"{{{{.{f.EXC_TYPE}}}}}: {{{{.{f.EXC_MESSAGE} {_ONE_LINE}}}}}"
_WORDS = f"{{{{.{f.MESSAGE} {_ONE_LINE}}}}}{{{{if .{f.EXC_TYPE}}}}} | {_EXCEPTION}{{{{end}}}}"
_TWICE = [f"{name}_extracted" for name in (f.LABEL_ENV, f.REQUEST_ID, f.TRACE_ID)]
"""Loki's names for fields of a line that are labels or metadata of the entry already."""
_STAGES = (
    f"| json | line_format `{{{{.{f.LABEL_SERVICE}}}}}  "
    f"{{{{if .{f.MESSAGE}}}}}{_WORDS}{{{{else}}}}{{{{__line__}}}}{{{{end}}}}` "
    f"| drop __error__, __error_details__, {', '.join(_TWICE)}"
)


def readable(query: str) -> str:
    """Return a log query whose lines are rendered as service, message and exception.

    All fields of a line are labels of its entry. A line that is no JSON object with a `message`
    stays as it is behind its service.
    """
    return f"{query} {_STAGES}"
