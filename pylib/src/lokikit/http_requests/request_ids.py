"""The ids in the headers of a request: its own, and the ids of its trace."""

from __future__ import annotations

import re

from lokikit import fields as f

HEADER = "X-Request-ID"
TRACE_HEADER = "traceparent"

_SANE_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._~:=@+/-]{1,128}")
"""`-` alone stands for a missing id in logs of servers."""
_TRACE_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)
"""W3C Trace Context, section 3.2: later versions may have more behind a further `-`."""
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


def ids_of(request_id: str | None, trace_parent: str | None) -> dict[str, str]:
    """Return the ids in the headers of a request as fields, without those that are not valid.

    Args:
        request_id: the value of `HEADER`; up to 128 characters.
        trace_parent: the value of `TRACE_HEADER`; the span is the span of the caller.
    """
    ids: dict[str, str] = {}
    if request_id and _SANE_ID.fullmatch(request_id):
        ids[f.REQUEST_ID] = request_id
    if trace_parent and (match := _TRACE_PARENT.fullmatch(trace_parent.strip())):
        version, trace_id, span_id, more = match.groups()
        is_known = version != "ff" and not (version == "00" and more)
        if is_known and trace_id != _NO_TRACE and span_id != _NO_SPAN:
            ids[f.TRACE_ID], ids[f.SPAN_ID] = trace_id, span_id
    return ids
