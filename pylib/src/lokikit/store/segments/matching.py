"""Which streams a selector names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lokikit.store.logql.matchers import compile_matcher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lokikit.store.logql.pipeline_syntax import Matcher

_compiled = lru_cache(maxsize=1000)(compile_matcher)


def selects(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """True when the labels fulfil all matchers; an absent label counts as empty."""
    return all(_compiled(matcher)(labels.get(matcher.name, "")) for matcher in matchers)
