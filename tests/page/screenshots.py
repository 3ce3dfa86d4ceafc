"""The pictures of README and docs: `python -m tests.page.screenshots`.

The demo's own lines, spread over an hour, on an embedded store; the page in a real Chromium.
"""

from __future__ import annotations

import io
import math
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from PIL import Image
from tests.page.browsing import Tab, find_chromium, running_browser
from tests.page.served import running_page
from tests.stack.asking import push
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs
from tests.stack.engines import EMBEDDED

from lokikit import fields as f
from lokikit.alerts.state_file import (
    AlertState,
    RuleRecord,
    alerts_folder,
    make_folder,
    write_state,
)
from lokikit.monitoring.alert_rules import breaches, provisioned_rules
from lokikit.monitoring.rule_states import Instance
from lokikit.page.lines import as_row
from lokikit.query.client import Loki
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from lokikit.query.results import LogEntry

IMAGES = Path(__file__).parents[2] / "docs/images"
COLOURS = 256
HOUR_S = 3600
_REQUESTS, _ROUNDS = 1500, 8
_MINUTE_NS = 60 * 10**9


def main() -> int:
    """Write them all; the exit code."""
    program = find_chromium()
    if program is None:
        sys.exit("no chromium on PATH")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, spread_demo(Path(folder)) as loki_url:
        state = Path(folder) / "state"
        keep_alerts(loki_url, state)
        with running_page(loki_url, state) as url, running_browser(program) as browser:
            take_all(browser, url)
    return 0


@contextmanager
def spread_demo(folder: Path) -> Iterator[str]:
    """The URL of a store with the demo's lines, as if it had run for an hour."""
    stores = []
    for name in ("fast", "spread"):
        (folder / name).mkdir()
        stores.append(EMBEDDED.make(folder / name, {}).start())
    fast, spread = stores
    demo = Programs(fast.url, "prod", _REQUESTS, _ROUNDS * ONE_ROUND_OF_TASKS)
    demo.run()
    demo.deliver()
    entries = up_to_an_error(list(Loki(fast.url).query_range('{service_name=~".+"}')))
    now_ns = time.time_ns()
    rows: dict[str, list[tuple[int, str]]] = {}
    for number, entry in enumerate(entries):
        row = moved(entry, now_ns, place(number / len(entries)))
        rows.setdefault(entry.labels[f.LABEL_SERVICE], []).append(row)
    for service, own in rows.items():
        push(spread.url, {f.LABEL_SERVICE: service, f.LABEL_ENV: "prod"}, own)
    try:
        yield spread.url
    finally:
        for store in stores:
            store.kill()


def up_to_an_error(entries: list[LogEntry]) -> list[LogEntry]:
    """Entries whose end is a few lines behind one with an exception: it is seen at the top."""
    last = max(number for number, entry in enumerate(entries) if has_exception(entry))
    return entries[: last + 4]


def has_exception(entry: LogEntry) -> bool:
    """Whether its row names an exception beside the message."""
    row = as_row(entry)
    return row.get("exception", row["message"]) not in row["message"]


def place(part: float) -> float:
    """Where in the hour the lines are put that stand at that part of all: they come in waves."""
    return part - 0.03 * math.sin(4 * math.pi * part) - 0.012 * math.sin(10 * math.pi * part)


def moved(entry: LogEntry, now_ns: int, part: float) -> tuple[int, str]:
    """The entry at its place in the hour that ends now, with its own times moved as well."""
    time_ns = now_ns - int((1 - part) * HOUR_S * 10**9) - 10**9
    shift = timedelta(microseconds=(time_ns - entry.timestamp_ns) // 1000)
    line: dict[str, Any] = {**entry.fields}
    for name in (f.TIMESTAMP, f.START, f.END):
        if name in line:
            line[name] = _later(line[name], shift)
    return time_ns, orjson.dumps(line).decode().replace(str(kit_root()), "/srv")


def _later(text: str, shift: timedelta) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")) + shift
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def keep_alerts(loki_url: str, state: Path) -> None:
    """Write what is over its threshold as `lokikit alerts` does."""
    folder, now_ns = alerts_folder(state), time.time_ns()
    make_folder(folder)
    records: dict[str, RuleRecord] = {}
    for number, one in enumerate(breaches(Loki(loki_url), provisioned_rules(), now_ns)):
        since_ns = now_ns - (number % 9 + 2) * _MINUTE_NS
        instance = Instance(dict(one.labels), "firing", one.value, since_ns)
        records.setdefault(one.rule.uid, RuleRecord(now_ns)).instances.append(instance)
    write_state(folder, AlertState(now_ns + 60 * _MINUTE_NS, "", records))


def take_all(browser: Browser, url: str) -> None:
    """Each view once, some of them dark."""
    light, dark = (
        Tab(browser, url, color_scheme=theme, timezone_id="UTC") for theme in ("light", "dark")
    )
    light.open("/explore")
    light.rows.filter(has=light.at(".exception")).first.click()
    light.at(".details pre.trace").first.wait_for()
    light.page.evaluate("() => scrollTo(0, 0)")
    take(light, "page")
    dark.open("/explore?var-detected_level=error&var-detected_level=critical")
    take(dark, "page-dark")
    for tab, name in ((light, "services"), (dark, "service"), (light, "tasks")):
        chosen = "?var-service=shop" if name == "service" else ""
        tab.open(f"/d/lokikit-{name}{chosen}")
        tab.page.wait_for_load_state("networkidle")
        take(tab, name)
    light.open("/alerts")
    take(light, "alerts")


def take(tab: Tab, name: str) -> None:
    """Write the picture of what the tab shows."""
    tab.page.wait_for_load_state("networkidle")
    tab.page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(tab.page.screenshot(animations="disabled")))
    # Refined by k-means, so that the large areas keep their exact colour.
    small = picture.convert("RGB").quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    small.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
