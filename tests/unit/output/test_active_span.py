import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider

from lokikit.output.active_span import span_ids


def ids_of(span):
    context = span.get_span_context()
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


@pytest.fixture
def tracer():
    return TracerProvider().get_tracer("test")


def test_each_line_has_the_ids_of_the_innermost_span(tracer):
    """And again those of the outer span, when the inner has ended."""
    with tracer.start_as_current_span("outer") as outer:
        assert span_ids() == ids_of(outer)
        with tracer.start_as_current_span("inner") as inner:
            assert span_ids() == span_ids() == ids_of(inner)
        assert span_ids() == ids_of(outer)


def test_after_a_span_there_are_no_ids(tracer):
    with tracer.start_as_current_span("done"):
        assert span_ids()
    assert span_ids() == {}


def test_without_opentelemetry_there_are_no_ids(tracer, monkeypatch):
    with tracer.start_as_current_span("unseen"):
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
        assert span_ids() == {}
