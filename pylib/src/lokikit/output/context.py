"""Fields bound to the running context, on every line logged from it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTHING: dict[str, Any] = {}
"""Never changed; a plain dict, for every log call copies what is bound."""
_bound: ContextVar[dict[str, Any]] = ContextVar("lokikit_bound", default=_NOTHING)

bound_fields = _bound.get
"""The fields bound in this context; not to be changed in place."""
set_bound, reset_bound = _bound.set, _bound.reset
"""For what begins and ends in two calls, and often: all that is to be bound, and its token."""


def bind(**fields: Any) -> None:
    """Put fields on every later line of this thread or asyncio task.

    A task inherits what its creator had bound; what it binds itself stays its own. In a
    thread that serves one request after another, prefer `bound`, which ends by itself.
    """
    _bound.set({**_bound.get(), **fields})


def unbind(*names: str) -> None:
    """Take the named fields off again, or all of them when none is named."""
    kept = {name: value for name, value in _bound.get().items() if names and name not in names}
    _bound.set(kept)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Put fields on every line logged inside the `with` block (or decorated function)."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)
