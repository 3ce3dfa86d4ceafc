import re
from pathlib import Path

from lokikit import store
from lokikit.store.api.metrics import COUNTERS, ServerCounters, write_metrics

PACKAGE = Path(store.__file__).parent


def test_counts_are_written_by_status():
    counters = ServerCounters()
    counters.add("pushes", status=204)
    counters.add("pushes", status=204)
    counters.add("pushes", status=400)
    assert write_metrics(counters, {"segments": 3}).splitlines() == [
        "# HELP lokikit_store_pushes_total Pushes that were answered, by status.",
        "# TYPE lokikit_store_pushes_total counter",
        'lokikit_store_pushes_total{status="204"} 2',
        'lokikit_store_pushes_total{status="400"} 1',
        "# HELP lokikit_store_segments Parquet segments.",
        "# TYPE lokikit_store_segments gauge",
        "lokikit_store_segments 3",
    ]


def test_each_count_has_a_meaning():
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    counted = {name for text in texts for name in re.findall(r'counters\.add\("(\w+)"', text)}
    assert counted == set(COUNTERS)
