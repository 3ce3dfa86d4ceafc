"""Fields bound to the running context, on every line logged from it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lokikit.output.wrapped_callables import wrap

if TYPE_CHECKING:
    from contextvars import Token

Function = TypeVar("Function", bound="Callable[..., Any]")
Item = TypeVar("Item")

_NOTHING: dict[str, Any] = {}
"""Never changed; a plain dict, for every log call copies what is bound."""
_bound: ContextVar[dict[str, Any]] = ContextVar("lokikit_bound", default=_NOTHING)
_here: ContextVar[None] = ContextVar("lokikit_here")
"""Set by each block for its token alone, which no other context can reset."""

bound_fields = _bound.get
"""The fields bound in this context; not to be changed in place."""
set_bound, reset_bound = _bound.set, _bound.reset
"""For what begins and ends in two calls, and often: all that is to be bound, and its token."""


def bind(**fields: Any) -> None:
    """Put fields on every later line of this thread or asyncio task.

    A task inherits what its creator had bound; what it binds itself stays its own. In a
    thread that serves one request after another, prefer `bound`, which ends by itself.

    Args:
        fields: name -> value; a name of the contract gets a `_` behind it in the line.
    """
    _bound.set({**_bound.get(), **fields})


def unbind(*names: str) -> None:
    """Take bound fields off the later lines.

    Args:
        names: of the fields; all bound fields without a name.
    """
    kept = {name: value for name, value in _bound.get().items() if names and name not in names}
    _bound.set(kept)


def bound(**fields: Any) -> BoundFields:
    """Put fields on every line logged inside the `with` block (or decorated function).

    The function may be a coroutine function, or a generator of either kind, whose consumer does
    not see the fields between two steps.

    Args:
        fields: name -> value; a name of the contract gets a `_` behind it in the line.
    """
    return BoundFields(fields)


class BoundFields:
    """What `bound` gives: a context manager, for any number of blocks at once, and a decorator.

    Args:
        fields: to be bound.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self._blocks: OpenBlocks[None] = OpenBlocks()

    def __enter__(self) -> None:
        self._blocks.open(sys._getframe(1), self._fields, None)  # noqa: SLF001 - the only way to it

    def __exit__(self, *_: object) -> None:
        self._blocks.find(sys._getframe(1)).close()  # noqa: SLF001 - the only way to the frame of the `with`

    def __call__(self, function: Function) -> Function:
        """The function with the fields on every line that is logged inside it."""
        return wrap(function, lambda: (nullcontext(), lambda: BoundFields(self._fields)))


def take_back(names: Iterable[str], inner: dict[str, Any], outer: dict[str, Any]) -> None:
    """Change bound fields in place: nobody can set the variable of another context.

    Args:
        names: of the fields that were bound.
        inner: what is bound since.
        outer: what was bound before.
    """
    for name in names:
        if name in outer:
            inner[name] = outer[name]
        else:
            inner.pop(name, None)


class Block(Generic[Item]):
    """One block with fields bound, from its beginning to its end.

    Args:
        frame: has the `with` statement, unless an `ExitStack` or a decorator enters the block.
        fields: to be bound.
        item: what belongs to the block.
        blocks: the open blocks; this block is among them until it is closed.
    """

    __slots__ = ("_blocks", "_fields", "_inner", "_outer", "_token", "frame_id", "here", "item")

    def __init__(
        self, frame: FrameType, fields: dict[str, Any], item: Item, blocks: list[Block[Item]]
    ) -> None:
        self.frame_id = id(frame)
        self.item = item
        self.here: Token[None] = _here.set(None)
        self._fields = fields
        self._blocks = blocks
        self._outer = _bound.get()
        self._inner = {**self._outer, **fields}
        self._token = _bound.set(self._inner)

    def close(self) -> None:
        """Restore what was bound before, also where another task or thread calls this."""
        self._blocks.remove(self)
        try:
            _bound.reset(self._token)
        except ValueError:
            take_back(self._fields, self._inner, self._outer)


class OpenBlocks(Generic[Item]):
    """The open blocks of one object, which several tasks and threads may have entered."""

    def __init__(self) -> None:
        self._blocks: list[Block[Item]] = []

    def open(self, frame: FrameType, fields: dict[str, Any], item: Item) -> None:
        """Begin a block."""
        self._blocks.append(Block(frame, fields, item, self._blocks))

    def find(self, frame: FrameType) -> Block[Item]:
        """The last block of the frame; else of this context; else of all."""
        blocks = self._blocks[::-1]
        for block in blocks:
            if block.frame_id == id(frame):
                return block
        return next(filter(_is_of_this_context, blocks), blocks[0])


def _is_of_this_context(block: Block[Any]) -> bool:
    try:
        _here.reset(block.here)
    except (ValueError, RuntimeError):  # of another context, or already closed
        return False
    return True
