from lokikit.store.api.metrics import ServerCounters, write_metrics


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
        "# HELP lokikit_store_segments Segments of the store.",
        "# TYPE lokikit_store_segments gauge",
        "lokikit_store_segments 3",
    ]
