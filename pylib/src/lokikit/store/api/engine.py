"""What queries run on.

The evaluator is imported by the first query, so that a store answers pushes sooner.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.limits import StoreLimits
    from lokikit.store.logql.evaluator import Evaluator
    from lokikit.store.logql.series import Sampler
    from lokikit.store.rows import RowSource

    Check = Callable[[], None]


@dataclass(frozen=True)
class Engine:
    """What queries run on; `samplers` makes the fast paths of one query."""

    source: RowSource
    limits: StoreLimits
    samplers: Callable[[Check], Sequence[Sampler]] = lambda _: ()
    clock_ns: Callable[[], int] = time.time_ns

    def evaluator(self, check: Check) -> Evaluator:
        """An evaluator for one query."""
        from lokikit.store.logql.evaluator import Evaluator  # noqa: PLC0415 - as above

        return Evaluator(self.source, self.samplers(check), self.limits.query, check)
