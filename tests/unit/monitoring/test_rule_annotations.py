from __future__ import annotations

import pytest

from lokikit.monitoring.rule_annotations import fill_annotation

LABELS = {"app": "shop", "dash-ed": "x"}


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("plain", 1.0, "plain"),
        ("{{ .Labels.app }} {{ $labels.app }}", 1.0, "shop shop"),
        ('{{ index $labels "dash-ed" }}', 1.0, "x"),
        ("{{ $labels.missing }}|", 1.0, "|"),
        ("{{ $value }} {{ .Value }}", 0.25, "0.25 0.25"),
        ("{{ .Values.B.Value }} {{ $values.B }}", 3.0, "3 3"),
        ("{{ humanize .Values.B.Value }}", 1234567.0, "1.235M"),
        ("{{ $value | humanize }}", 0.0012, "1.2m"),
        ("{{ humanizePercentage $value }}", 0.0625, "6.25%"),
        ('{{ printf "%.2f" $value }} s', 1.005, "1.00 s"),
        ("{{ humanize $value }}", None, "-1"),
        ("{{ template unknown }}", 1.0, "{{ template unknown }}"),
    ],
)
def test_template_is_filled(template: str, value: float | None, text: str) -> None:
    assert fill_annotation(template, LABELS, value) == text
