from __future__ import annotations

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.templates.mentions import template_fields
from lokikit.store.logql.templates.template import Template, TemplateProblem


def render(text: str, line: str = "line", **labels: str) -> str:
    return Template(text).render(labels, line, 1_700_000_000_123_456_789)


def test_labels_and_text():
    assert render("{{.a}}-{{.b}}", a="x") == "x-"


def test_trim_markers_take_white_space():
    assert render("a {{- .a -}} \n b", a="x") == "axb"


def test_comments_are_left_out():
    assert render("a{{/* {{.a}} */}}b") == "ab"


def test_the_line_and_its_time():
    assert render("{{__line__}} {{__timestamp__ | unixEpochNanos}}") == "line 1700000000123456789"


def test_else_if():
    text = '{{if eq .a "1"}}one{{else if eq .a "2"}}two{{else}}many{{end}}'
    assert [render(text, a=value) for value in "123"] == ["one", "two", "many"]


def test_range_with_key_value_and_break():
    text = "{{range $i, $v := fromJson .a}}{{if eq $i 2}}{{break}}{{end}}{{$i}}{{$v}} {{end}}"
    assert render(text, a="[5,6,7]") == "05 16 "


def test_with_sets_the_dot_and_variables_end_with_their_block():
    assert render("{{$x := 1}}{{with .a}}{{.}}{{$x = 2}}{{end}}{{$x}}", a="v") == "v2"


def test_defined_templates():
    assert render('{{define "T"}}<{{.}}>{{end}}{{template "T" .a}}', a="x") == "<x>"


def test_or_stops_at_the_first_that_decides():
    assert render("{{or .a (div 1 0)}}", a="x") == "x"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("mulf -5 .a", "0"),
        ("divf 0 -2", "0"),
        ("ceil -0.5", "-0"),
        ("floor 0.5", "0"),
        ('maxf 1 "NaN"', "NaN"),
        ('minf "NaN" "-Inf" 2', "-Inf"),
        ("maxf 1 2.5 2", "2.5"),
    ],
)
def test_zeros_and_nan_are_those_of_go(call: str, text: str):
    """Decimals have no negative zero, floats have."""
    assert render(f"{{{{{call}}}}}", a="x") == text


def test_a_number_beyond_floats_is_refused():
    with pytest.raises(QueryError, match="illegal number syntax"):
        Template("{{1e400}}")


@pytest.mark.parametrize(
    "text",
    [
        "{{.a.b}}",
        "{{trunc 1e30 .a}}",
        "{{div 1 0}}",
        "{{upper 5}}",
        "{{eq 1 1.0}}",
        "{{index .a 9}}",
        "{{nil}}",
    ],
)
def test_problems_of_one_line(text: str):
    with pytest.raises(TemplateProblem):
        render(text, a="x")


@pytest.mark.parametrize(
    "text",
    ["{{", "{{end}}", "{{if .a}}", "{{nope .a}}", "{{$x}}", '{{"a}}', "{{.a | 5}}", "{{call .a}}"],
)
def test_wrong_templates_are_refused(text: str):
    with pytest.raises(QueryError):
        Template(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{range 100000000}}{{end}}",
        '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}',
        '{{$x := "a"}}{{range 40}}{{$x = printf "%s%s" $x $x}}{{end}}',
        "{{repeat 100000000 .a}}",
        "{{alignLeft 100000000 .a}}",
    ],
)
def test_a_template_cannot_run_away(text: str):
    with pytest.raises(TemplateProblem):
        render(text, a="x")


def test_the_labels_that_a_template_mentions():
    assert template_fields("{{.a | upper}}{{if .b}}{{(.c).d}}{{end}}{{$.e}}") == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{{.a.b}}",
            'line:1:4: executing "line" at <.a.b>: can\'t evaluate field b in type string',
        ),
        (
            "é\n  {{ .a | div 0 | upper }}",
            (
                'line:2:10: executing "line" at <div 0>: error calling div: '
                "runtime error: integer divide by zero"
            ),
        ),
        ("{{upper 5}}", 'line:1:8: executing "line" at <5>: expected string; found 5'),
        (
            '{{define "T"}}{{len 5}}{{end}}{{template "T"}}',
            'line:1:16: executing "T" at <len 5>: error calling len: len of type int',
        ),
        (
            "{{upper .a .a}}",
            'line:1:2: executing "line" at <upper>: wrong number of args for upper: want 1 got 2',
        ),
    ],
)
def test_problems_name_their_place_as_go_does(text: str, problem: str):
    with pytest.raises(TemplateProblem) as raised:
        render(text, a="x")
    assert str(raised.value) == f"template: {problem}"
