"""What `loki/loki.yaml` promises, on the real Loki."""

from __future__ import annotations

import requests


def test_ready(loki_url: str) -> None:
    """Loki answers with the kit's configuration."""
    assert requests.get(f"{loki_url}/ready", timeout=5).text == "ready\n"
