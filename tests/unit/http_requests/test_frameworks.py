"""What `log_requests` and its likes take: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import run

from lokikit import fields as f


@pytest.mark.parametrize("call", ["log_requests", "pass_request_id"])
def test_what_cannot_be_taken_in_is_refused(call: str) -> None:
    """With what would do."""
    (line,) = run(f"import lokikit\nlokikit.setup_json_logging()\nlokikit.{call}(object())")
    assert line[f.EXC_TYPE] == "lokikit.errors.SettingsError"
    assert f"{call} cannot tell what object is" in line[f.EXC_MESSAGE]
