"""Tables of what else has names: metrics of the store, alert rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from docs.generator.tables import code, table

from lokikit.stack.kit_files import kit_root
from lokikit.store.api.metrics import COUNTERS, GAUGES, full_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _metrics() -> str:
    named = {**GAUGES, **COUNTERS}
    return table(("metric", "what it is"), ((code(full_name(one)), named[one]) for one in named))


def _rules() -> Iterator[tuple[str, ...]]:
    """Each rule of `grafana/settings.yaml`, with the first sentence of its runbook."""
    text = (kit_root() / "grafana/settings.yaml").read_text(encoding="utf-8")
    runbooks = (kit_root() / "grafana/RUNBOOKS.md").read_text(encoding="utf-8")
    for uid, numbers in yaml.safe_load(text)["rules"].items():
        (said,) = re.findall(rf"^## {uid}\n\n(.+?\.)(?:\s|$)", runbooks, re.MULTILINE | re.DOTALL)
        (threshold,) = re.findall(
            rf"^  {uid}:\n(?:    .*\n)*?    threshold: (.+)$", text, re.MULTILINE
        )
        times = (str(numbers[name]) for name in ("window", "for"))
        is_on = "on" if numbers.get("enabled", True) else "off"
        yield (
            f"[`{uid}`](../grafana/RUNBOOKS.md#{uid})",
            said,
            threshold.replace(" #", ""),
            *times,
            is_on,
        )


BLOCKS: dict[str, Callable[[], str]] = {
    "metrics of the store": _metrics,
    "rules": lambda: table(
        ("rule", "what it says", "threshold", "window", "for", "as delivered"), _rules()
    ),
}
