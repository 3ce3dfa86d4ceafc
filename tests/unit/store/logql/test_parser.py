from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dashboards import DASHBOARDS, Chosen, rules, targets

from lokikit.store.errors import QueryError, SyntaxProblem
from lokikit.store.logql.parser import parse_log_query, parse_query, parse_runnable, parse_selector
from lokikit.store.logql.pipeline_syntax import Matcher
from lokikit.store.logql.printer import print_query
from lokikit.store.logql.syntax import (
    BinaryOperation,
    Grouping,
    LabelReplace,
    LogExpression,
    LogRange,
    Number,
    RangeAggregation,
    VectorAggregation,
    VectorFunction,
    VectorMatching,
)

MATCHERS = (Matcher("a", "=", "b"),)
RATE = RangeAggregation("rate", LogRange(LogExpression(MATCHERS), 300_000_000_000))
ONE, TWO, THREE = (VectorFunction(value) for value in (1.0, 2.0, 3.0))

PIECES = tuple(
    """{ } ( ) , = != =~ |= |~ | + - ^ > [5m] [ 5m 5 5MB 1e 'x' \" ` # /* {a="b"} "x" rate( sum(
    topk( vector( label_replace( ip( by on group_left offset unwrap json or and bool drop
    line_format a variants \\""".split()  # noqa: SIM905 - a list would take fifty lines
)


def operation(op: str, left: object, right: object, **more: object) -> BinaryOperation:
    """An operation of two trees."""
    return BinaryOperation(op, left, right, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{a="b"}', LogExpression(MATCHERS)),
        ('({a="b"})', LogExpression(MATCHERS)),
        ('rate({a="b"}[5m])', RATE),
        ('sum(rate({a="b"}[5m]))', VectorAggregation("sum", RATE)),
        ('sum by (x) (rate({a="b"}[5m]))', VectorAggregation("sum", RATE, None, Grouping(("x",)))),
        ("vector(1)", ONE),
        ("-1.5", Number(-1.5)),
        ("1e3", Number(1000)),
        (
            'label_replace(vector(1), "a", "$1", "b", "(.*)")',
            LabelReplace(ONE, "a", "$1", "b", "(.*)"),
        ),
    ],
)
def test_expressions(text: str, tree: object) -> None:
    """Each kind of expression has its class."""
    assert parse_query(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("A or B and C", operation("or", ONE, operation("and", TWO, THREE))),
        ("A and B or C", operation("or", operation("and", ONE, TWO), THREE)),
        ("A unless B and C", operation("and", operation("unless", ONE, TWO), THREE)),
        ("A > B and C", operation("and", operation(">", ONE, TWO), THREE)),
        ("A > B + C", operation(">", ONE, operation("+", TWO, THREE))),
        ("A + B * C", operation("+", ONE, operation("*", TWO, THREE))),
        ("A - B - C", operation("-", operation("-", ONE, TWO), THREE)),
        ("A ^ B ^ C", operation("^", ONE, operation("^", TWO, THREE))),
        ("A * B ^ C", operation("*", ONE, operation("^", TWO, THREE))),
        ("(A + B) * C", operation("*", operation("+", ONE, TWO), THREE)),
    ],
)
def test_precedence(text: str, tree: BinaryOperation) -> None:
    """As Prometheus' operators, `^` to the right."""
    for letter, vector in (("A", "vector(1)"), ("B", "vector(2)"), ("C", "vector(3)")):
        text = text.replace(letter, vector)
    assert parse_query(text) == tree


@pytest.mark.parametrize(
    ("modifiers", "more"),
    [
        ("bool", {"return_bool": True}),
        ("on (x)", {"matching": VectorMatching(("x",), on=True)}),
        ("on ()", {"matching": VectorMatching((), on=True)}),
        ("ignoring (x, y)", {"matching": VectorMatching(("x", "y"))}),
        ("ignoring ()", {}),
        ("ignoring () group_left", {"matching": VectorMatching((), group="left")}),
        ("on (x) group_left (y)", {"matching": VectorMatching(("x",), True, "left", ("y",))}),
        (
            "bool on (x) group_right",
            {"return_bool": True, "matching": VectorMatching(("x",), True, "right")},
        ),
    ],
)
def test_modifiers_of_operators(modifiers: str, more: dict[str, object]) -> None:
    """`bool` first, then the matching of labels."""
    text = f"vector(1) > {modifiers} vector(2)"
    assert parse_query(text) == operation(">", ONE, TWO, **more)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2 ^ 2", 4),
        ("2 ^ 3 ^ 2", 512),
        ("-5 % 3", -2),
        ("1 - -1", 2),
        ("1 > bool 2", 0),
        ("2 >= 2", 1),
        ("1 + on (x) 1", 2),
    ],
)
def test_numbers_alone_are_computed(text: str, value: float) -> None:
    """Loki computes these while it reads the query."""
    assert parse_query(text) == Number(value)


@pytest.mark.parametrize("text", ["1 / 0", "0 / 0", "1 % 0"])
def test_division_by_zero_is_nan(text: str) -> None:
    """Also where the standard of floats would say infinity."""
    number = parse_query(text)
    assert isinstance(number, Number)
    assert math.isnan(number.value)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{a="b"', 1, 7),
        ('{a="b"}\n| json\n| x >', 3, 6),
        ('{a=~".*"}', 1, 1),
        ('sum(rate({a!="x"}[5m]))', 1, 10),
        ('{a="b", c=~"["}', 1, 12),
        ('{a="b"} | json |~ "["', 1, 16),
        ('{a="b"} | regexp "x"', 1, 18),
        ('1 + count_over_time({a="b"}[5m]) by (x)', 1, 5),
        ("vector(1) + topk(vector(1))", 1, 13),
        ('label_replace(vector(1), "a", "b", "c", "(")', 1, 41),
        ("1 and vector(1)", 1, 3),
        ('sum({a="b"})', 1, 12),
        ("", 1, 1),
    ],
)
def test_each_problem_has_its_place(text: str, line: int, column: int) -> None:
    """Also where the text of the error, which is Loki's, has none."""
    with pytest.raises(SyntaxProblem) as caught:
        parse_query(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('approx_topk(5, rate({a="b"}[5m]))', "approx_topk"),
        ('variants(rate({a="b"}[5m])) of ({a="b"}[5m])', "variants"),
    ],
)
def test_what_is_not_supported_is_named(text: str, name: str) -> None:
    """It is never answered as something else."""
    with pytest.raises(QueryError, match=f"{name} is not supported"):
        parse_query(text)


@pytest.mark.parametrize(
    "text", ['{a!~".*"}', '{a!=""}', '{a=~".+"}', '{a=~".*", b="c"}', '{a=~"x|y"}']
)
def test_selectors_that_narrow(text: str) -> None:
    """A matcher that refuses the empty value is enough."""
    assert parse_query(text)


@pytest.mark.parametrize(
    "text", ["{}", '{a=~".*"}', '{a=~""}', '{a=~"|x"}', '{a!="b"}', '{a=""}', '{a!~".+"}']
)
def test_selectors_that_do_not_narrow(text: str) -> None:
    """A stream without the label fulfils all of their matchers."""
    with pytest.raises(QueryError, match="queries require at least one regexp"):
        parse_query(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "sum(" * 2000 + "vector(1)" + ")" * 2000,
        " + ".join(["vector(1)"] * 5000),
        '{a="b"} | ' + "(" * 5000 + "x=1" + ")" * 5000,
        '{a="b"} | ' + " and ".join(["x=1"] * 5000),
        '{a="b"} | ' + " ".join(["x=1"] * 5000),
    ],
    ids=["parentheses", "aggregations", "operators", "filters in parentheses", "and", "spaces"],
)
def test_endless_nesting_is_refused(text: str) -> None:
    """A query of some kilobytes must not run out of stack."""
    with pytest.raises(QueryError, match=r"nested|operations"):
        parse_query(text)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other error ever comes out."""
    try:
        parse_query(text)
    except QueryError:
        return


@pytest.mark.parametrize(
    "text",
    [
        "sum" + " " * 100_000,
        "sum" + "#" * 100_000,
        "sum" + "/**/" * 25_000,
        "/*" * 50_000,
        "1" * 100_000,
        "1." + "1" * 100_000 + "s",
        "[" + "1" * 100_000 + "m]",
        '{a="b"} | x > ' + "1" * 100_000 + "MB",
        "topk(" + "1" * 100_000 + ", vector(1))",
        '"' + "\\n" * 50_000,
        "'" * 99_999,
        "a" * 100_000,
    ],
    ids=range(12),
)
def test_long_texts_are_refused_at_once(text: str) -> None:
    """No text takes time that grows with the square of its length, or worse."""
    with pytest.raises(QueryError):
        parse_query(text)


def test_long_lists_are_no_nesting() -> None:
    """Stages and matchers follow each other in any number."""
    query = parse_log_query('{a="b"} ' + '|= "x" ' * 1000)
    assert len(query.stages) == 1000


@pytest.mark.parametrize("text", ["1", 'rate({a="b"}[5m])'])
def test_a_metric_query_is_no_log_query(text: str) -> None:
    """As `tail` refuses it."""
    with pytest.raises(QueryError, match="only log selector"):
        parse_log_query(text)


@pytest.mark.parametrize(
    "text", ['{é="b"}', '{a="b"} | é=~"x"', '{a="b"} | drop é="x"', "rate({a='b'} | 'x'=`y`[1m])"]
)
def test_a_matcher_on_a_name_beyond_ascii_is_read_and_does_not_run(text: str) -> None:
    """Loki writes such a name in quotes, and cannot read it again."""
    text = text.replace("'b'", '"b"')
    parse_query(text)
    with pytest.raises(SyntaxProblem, match="of a matcher"):
        parse_runnable(text)


@pytest.mark.parametrize("text", ['{a="b"} | é > 5', '{a="b"} | json é="x" | keep é'])
def test_other_uses_of_a_name_beyond_ascii_run(text: str) -> None:
    """As in Loki."""
    assert parse_runnable(text) == parse_query(text)


def test_the_first_problem_of_the_text_is_named() -> None:
    """A string that is not closed is no problem before it is reached."""
    with pytest.raises(SyntaxProblem, match=r"col 9: syntax error: unexpected \)"):
        parse_query('{a="b"} ) |= "x')


def test_selectors_of_the_index() -> None:
    """`match[]` takes a selector."""
    assert parse_selector('{a="b"}') == MATCHERS


@pytest.mark.parametrize("text", ['{a="b"} | json', "1", 'rate({a="b"}[5m])'])
def test_the_index_takes_selectors_only(text: str) -> None:
    """A pipeline would be ignored otherwise."""
    with pytest.raises(QueryError, match="only label matchers are supported"):
        parse_selector(text)


def test_all_streams_are_allowed_where_asked_for() -> None:
    """`series` and `volume` take `{}`; elsewhere it is refused."""
    assert parse_selector("{ }", allows_all=True) == ()
    with pytest.raises(QueryError, match="queries require"):
        parse_selector("{}")
    with pytest.raises(QueryError, match="queries require"):
        parse_selector('{a=~".*"}', allows_all=True)


KIT = [
    *[Chosen().fill(target.expr, path) for path in DASHBOARDS for target in targets(path)],
    *[
        node["model"]["expr"].replace("$$", "$")
        for rule in rules().values()
        for node in rule["data"]
        if "expr" in node["model"]
    ],
]


@pytest.mark.parametrize("text", KIT)
def test_queries_of_the_kit_are_read(text: str) -> None:
    """Those of all dashboards and alert rules, and their text reads back."""
    tree = parse_query(text)
    assert parse_query(print_query(tree)) == tree
