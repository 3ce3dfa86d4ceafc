"""The ids of OpenTelemetry's active span."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from lokikit import fields as f

_TRACING = "opentelemetry.trace"
_NO_IDS: Mapping[str, str] = {}
_last: tuple[object, Mapping[str, str]] = (None, _NO_IDS)
"""The context of a span, which never changes, and its ids: the next line mostly has the same."""


def span_ids() -> Mapping[str, str]:
    """`trace_id` and `span_id` in the W3C's form; empty without a span, or OpenTelemetry."""
    global _last  # noqa: PLW0603 - one assignment, which no other thread can divide
    if _TRACING not in sys.modules:
        return _NO_IDS
    context = sys.modules[_TRACING].get_current_span().get_span_context()
    if not context.is_valid:
        return _NO_IDS
    last_context, ids = _last
    if context is not last_context:
        ids = {
            f.TRACE_ID: context.trace_id.to_bytes(16, "big").hex(),
            f.SPAN_ID: context.span_id.to_bytes(8, "big").hex(),
        }
        _last = (context, ids)
    return ids
