"""Tests of alert rules without a container: `check_rules("alerts_test.yaml")` in a pytest test."""

from __future__ import annotations

from lokikit.testing.rule_tests import check_rules, run_rule_tests

__all__ = ["check_rules", "run_rule_tests"]
