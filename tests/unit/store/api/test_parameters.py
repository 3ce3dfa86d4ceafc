import pytest

from lokikit.store.api.http import Form
from lokikit.store.api.parameters import (
    Span,
    check_length,
    parse_duration,
    parse_step,
    parse_time,
    read_direction,
    read_limit,
    read_positive_limit,
    read_span,
    read_step,
)
from lokikit.store.errors import QueryError

S = 10**9
HOUR = 3600 * S
NOW_NS = 1_795_000_000 * S


def form(**values):
    return Form(list(values.items()))


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1795000000", NOW_NS),
        ("1795000000000000000", NOW_NS),
        ("1795000000.5", NOW_NS + S // 2),
        ("-1", -S),
        ("0", 0),
        ("1.5", 1_500_000_000),
        ("2026-11-18T11:06:40Z", NOW_NS),
        ("2026-11-18T12:06:40.5+01:00", NOW_NS + S // 2),
    ],
)
def test_times_are_read_in_all_of_lokis_forms(text, time_ns):
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("abc", "invalid syntax"),
        ("now", "invalid syntax"),
        ("1e9", "invalid syntax"),
        ("2026-11-18", "invalid syntax"),
        ("2026-11-18T11:06:40", "invalid syntax"),
        ("1h", "invalid syntax"),
        ("9" * 20, "value out of range"),
        pytest.param("9" * 5000, "value out of range", id="5000 digits"),
    ],
)
def test_wrong_times_are_refused_in_lokis_words(text, problem):
    with pytest.raises(QueryError) as refusal:
        parse_time(text)
    assert str(refusal.value) == f'strconv.ParseInt: parsing "{text}": {problem}'


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("1h", HOUR),
        ("1h30m", HOUR * 3 // 2),
        ("1d", 24 * HOUR),
        ("1w", 168 * HOUR),
        ("5ms", 5_000_000),
        ("1y", 8760 * HOUR),
        ("0s", 0),
        ("", None),
        ("5", None),
        ("-1h", None),
        ("1.5s", None),
        ("1m1h", None),
    ],
)
def test_durations_are_those_of_prometheus(text, duration_ns):
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    ("text", "step_ns"), [("1", S), ("0.5", S // 2), ("1e1", 10 * S), ("5m", 300 * S), ("NaN", -1)]
)
def test_steps_are_seconds_or_durations(text, step_ns):
    assert parse_step(text) == step_ns


@pytest.mark.parametrize("text", ["abc", "-1s", "1.5s", "Inf", " 60", "60 ", "293y"])
def test_wrong_steps_are_refused(text):
    with pytest.raises(QueryError, match=f'cannot parse "{text}" to a valid duration'):
        parse_step(text)


def test_span_is_the_last_hour_by_default():
    assert read_span(form(), NOW_NS, HOUR) == Span(NOW_NS - HOUR, NOW_NS)


def test_since_counts_back_from_the_end_but_not_from_the_future():
    assert read_span(form(end="1794999999", since="1s"), NOW_NS, HOUR).start_ns == NOW_NS - 2 * S
    assert read_span(form(end="1795000100", since="1s"), NOW_NS, HOUR).start_ns == NOW_NS - S


def test_since_may_be_nothing():
    assert read_span(form(since="0"), NOW_NS, HOUR) == Span(NOW_NS, NOW_NS)


def test_start_goes_before_since():
    assert read_span(form(start="1", since="1h"), NOW_NS, HOUR).start_ns == S


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"start": "x"}, "could not parse 'start' parameter: strconv"),
        ({"end": "x"}, "could not parse 'end' parameter: strconv"),
        ({"since": "x"}, "could not parse 'since' parameter: not a valid duration string: \"x\""),
        ({"start": "2", "end": "1"}, "end timestamp must not be before or equal to start time"),
    ],
)
def test_wrong_spans_are_refused(values, problem):
    with pytest.raises(QueryError, match=problem):
        read_span(form(**values), NOW_NS, HOUR)


@pytest.mark.parametrize(("text", "limit"), [("", 100), ("5", 5), ("+5", 5), ("0", 0), ("-1", -1)])
def test_limits_are_integers(text, limit):
    assert read_limit(form(limit=text)) == limit


@pytest.mark.parametrize("text", ["abc", "1.5", "1e2", " 5", "9" * 20, "\u0661", "9" * 5000])
def test_wrong_limits_are_refused(text):
    with pytest.raises(QueryError, match=r"strconv\.Atoi: parsing"):
        read_limit(form(limit=text))


def test_limits_of_lines_are_positive():
    with pytest.raises(QueryError, match="limit must be a positive value"):
        read_positive_limit(form(limit="0"))


def test_direction_is_backward_by_default_and_of_any_case():
    assert [read_direction(form(direction=text)) for text in ("", "FORWARD")] == [
        "backward",
        "forward",
    ]
    with pytest.raises(QueryError, match="invalid direction 'x'"):
        read_direction(form(direction="x"))


def test_step_makes_about_250_points_by_default():
    assert read_step(form(), Span(0, HOUR), 11_000) == 14 * S
    assert read_step(form(), Span(0, S), 11_000) == S


@pytest.mark.parametrize("text", ["0", "-1", "NaN"])
def test_steps_are_positive(text):
    with pytest.raises(QueryError, match="zero or negative query resolution"):
        read_step(form(step=text), Span(0, HOUR), 11_000)


def test_points_are_bounded():
    with pytest.raises(QueryError, match="exceeded maximum resolution of 11,000 points"):
        read_step(form(step="0.1"), Span(0, HOUR), 11_000)


def test_length_of_a_query_is_bounded():
    with pytest.raises(QueryError, match=r"\(query length: 960h1m0s, limit: 30d1h\)"):
        check_length(960 * HOUR + 60 * S, 721 * HOUR)
    check_length(720 * HOUR, 721 * HOUR)
