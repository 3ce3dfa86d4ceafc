"""The test kit: captured lines, pytest fixtures, and `check_rules("alerts_test.yaml")`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["check_rules"]


def check_rules(*paths: str | Path) -> None:
    """Fail with a report unless each test of these files passes; see `docs/rule-tests.md`.

    Raises:
        AssertionError: an expectation is not met.
        SettingsError: a file is wrong; a line of its text for each problem.
        PrerequisiteError: the extra `store` is not installed.
    """
    from lokikit.errors import needs_extra  # noqa: PLC0415 - pytest loads this package

    with needs_extra("store", "check_rules"):
        from lokikit.testing.rule_tests import check  # noqa: PLC0415 - needs the extra
    check(*paths)
