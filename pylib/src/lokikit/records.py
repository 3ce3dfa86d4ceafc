"""Log records whose `extra=` may hold any name, also one that the stdlib refuses."""

from __future__ import annotations

import logging
from typing import Any

from lokikit.fields import RESERVED_SUFFIX

_stdlib_make_record = logging.Logger.makeRecord


def accept_any_extra() -> None:
    """Let `logger.info(..., extra={"name": 1})` log `name_` instead of raising; twice is once.

    The stdlib raises `KeyError` into the caller for an `extra` that has the name of a record's
    own attribute. The method is replaced on `logging.Logger` itself, for the loggers of
    libraries exist before anything could be configured.
    """
    global _stdlib_make_record  # noqa: PLW0603 - the method that was there is called
    if logging.Logger.makeRecord is not _make_record:
        _stdlib_make_record = logging.Logger.makeRecord
        logging.Logger.makeRecord = _make_record  # type: ignore[method-assign]


def _make_record(  # noqa: PLR0913, PLR0917 - the signature of Logger.makeRecord
    self: logging.Logger,
    name: str,
    level: int,
    fn: str,
    lno: int,
    msg: object,
    args: Any,
    exc_info: Any,
    func: str | None = None,
    extra: Any = None,
    sinfo: str | None = None,
) -> logging.LogRecord:
    record = _stdlib_make_record(self, name, level, fn, lno, msg, args, exc_info, func, None, sinfo)
    if extra:
        _add_extra(record.__dict__, extra)
    return record


def _add_extra(attributes: dict[str, Any], extra: Any) -> None:
    if not isinstance(extra, dict):
        attributes["extra"] = extra
        return
    for key, value in extra.items():
        name = key
        while name in attributes or name in {"message", "asctime"}:
            name = f"{name}{RESERVED_SUFFIX}"
        attributes[name] = value
