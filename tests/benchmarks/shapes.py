"""What services log: the shapes of a call that the caller's cost is measured over."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = Callable[[int], None]

SCALARS = {
    "order_id": "o-12345",
    "user_id": 4711,
    "amount": 19.99,
    "currency": "EUR",
    "items": 3,
    "paid": True,
}
_ID = "0af7651916cd43dd8448eb211c80319c"
_NESTED = {
    "order": {"id": "o-12345", "customer": {"id": 4711, "country": "DE"}, "total": 19.99},
    "items": [{"sku": "a-1", "count": 2}, {"sku": "b-2", "count": 1}],
}
_DATES = {
    "placed_at": datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=timezone.utc),
    "amount": Decimal("19.99"),
    "order_uuid": UUID(int=0x0AF7651916CD43DD8448EB211C80319C),
}


def _extra(
    extra: dict[str, Any] | None, text: str = "order %s placed"
) -> Callable[[logging.Logger], Call]:
    return lambda logger: lambda number: logger.info(text, number, extra=extra)


def _adapter(logger: logging.Logger) -> Call:
    adapter = logging.LoggerAdapter(logger, dict(SCALARS))
    return lambda number: adapter.info("order %s placed", number)


def _exception(text: str = "order %s failed") -> Callable[[logging.Logger], Call]:
    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        raise ValueError("no such order")

    def log(logger: logging.Logger, number: int) -> None:
        try:
            fail(5)
        except ValueError:
            logger.exception(text, number, extra=SCALARS)

    return lambda logger: lambda number: log(logger, number)


BOUND, SPAN = "bound fields", "an active span"
SIX, NESTED, EXCEPTION = "six scalars", "nested dict and list", "an exception"
SHAPES: dict[str, Callable[[logging.Logger], Call]] = {
    "no extra": _extra(None),
    SIX: _extra(SCALARS),
    "request id first": _extra({"request_id": _ID, **SCALARS}),
    "request id last": _extra({**SCALARS, "request_id": _ID}),
    NESTED: _extra(_NESTED),
    "date, Decimal, UUID": _extra(_DATES),
    "a reserved key": _extra({**SCALARS, "version": "v2"}),
    "a secret": _extra({**SCALARS, "password": "hunter2"}),
    BOUND: _extra(SCALARS),
    SPAN: _extra(SCALARS),
    "an adapter": _adapter,
    EXCEPTION: _exception(),
}

MARKED_SHAPES: dict[str, Callable[[logging.Logger], Call]] = {
    SIX: _extra(SCALARS, "order #%d# placed"),
    NESTED: _extra(_NESTED, "order #%d# placed"),
    EXCEPTION: _exception("order #%d# failed"),
}
"""Those that the push handler is measured with; the number of a line can be found in it."""


@contextlib.contextmanager
def surroundings(shape: str) -> Iterator[None]:
    """What stands around the calls of a shape: bound fields, or a span of OpenTelemetry."""
    with contextlib.ExitStack() as stack:
        if shape == BOUND:
            import lokikit  # noqa: PLC0415 - each candidate is alone in its process

            stack.enter_context(lokikit.bound(request_id=_ID, tenant="t1"))
        if shape == SPAN:
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - each candidate is alone in its process

            tracer = TracerProvider().get_tracer("bench")
            stack.enter_context(tracer.start_as_current_span("order"))
        yield
