"""Where the embedded store answers otherwise than Loki, and why."""

from __future__ import annotations

from collections.abc import Mapping

DIFFERENCES: Mapping[str, str] = {}
"""Pattern of a request's key -> the reason; `docs/store.md` has the same list in words."""
