from __future__ import annotations

from tests.unit.alerts.messages import firing, resolved


def test_message_has_summary_value_lines_and_links() -> None:
    assert firing().text.splitlines() == [
        "Many errors (critical): fires since 2027-01-15T08:00:00Z",
        "  6% of the lines of shop are errors",
        "  Value: 0.06; a breach is > 0.05",
        "  Newest lines:",
        "    shop  gone",
        "  Page: http://127.0.0.1:3300/d/lokikit-service?var-service=shop",
        "  Runbook: https://wiki.example/error-ratio",
    ]


def test_end_is_said_with_its_times() -> None:
    assert "resolved" in resolved().text
    assert resolved().title == "[RESOLVED:1] shop: Many errors"


def test_what_was_logged_can_be_no_line_of_its_own() -> None:
    hostile = "gone\nBcc: all@example.com\r\n\x1b[31mred\u2028end"
    result = firing(service=hostile, line=hostile)
    assert "\n" not in result.title
    assert "\r" not in result.title
    assert "\nBcc" not in result.text
    assert "\x1b" not in result.text + result.title
    assert "\u2028" not in result.text


def test_long_line_is_cut() -> None:
    assert max(map(len, firing(line="x" * 100_000).text.splitlines())) < 600
