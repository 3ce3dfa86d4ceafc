"""`Relay`: takes the place of a console handler on a logger."""

from __future__ import annotations

import logging
import os

from lokikit.output.event_log import handlers_of
from lokikit.output.root_guard import guard


class Relay(logging.Handler):
    """Passes records to the kit's handlers when they do not reach the root logger.

    The propagation of a logger may change at any time, so each record is checked.
    """

    relays_to_ours = True
    """See `lokikit.output.stdout_handler.is_ours`."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass a record on, unless the kit's handlers or another relay on its way get it."""
        on_its_way = _handlers_on_the_way(record)
        relays = [one for one in on_its_way if isinstance(one, Relay)]
        is_another_s = self in relays and relays[0] is not self
        if is_another_s or any(one in guard.ours for one in on_its_way):
            return False
        return guard.hand_over(record)


class QueueRelay(Relay):
    """Passes records behind a queue to the kit's handlers, unless these got them before the queue.

    They never got records of another process.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Pass a record on, unless the kit's handlers or a relay got it before it was queued."""
        had = any(
            one in guard.ours or isinstance(one, Relay) for one in _handlers_on_the_way(record)
        )
        return not (had and record.process == os.getpid()) and guard.hand_over(record)


def _handlers_on_the_way(record: logging.LogRecord) -> list[logging.Handler]:
    root = logging.getLogger()
    logger = root if record.name == root.name else root.manager.loggerDict.get(record.name)
    return list(handlers_of(logger)) if isinstance(logger, logging.Logger) else []
