from __future__ import annotations

import pytest
from tests.unit.store.logql.evaluation import instant, row

from lokikit.store.errors import QueryError

GOOD, BAD = row(1, '{"k":"1","v":"2"}'), row(2, '{"k":"1","v":')
JSON = '{app="a"} | json'


def test_series_have_the_labels_of_parsers():
    answer = instant(f"count_over_time({JSON}[1m])", GOOD)
    assert list(answer) == ["app=a,detected_level=unknown,k=1,v=2"]


def test_error_of_a_line_is_the_error_of_the_query():
    with pytest.raises(QueryError, match=r"^pipeline error: 'JSONParserErr' for series: '\{__err"):
        instant(f"count_over_time({JSON}[1m])", BAD)


def test_sum_without_labels_parses_nothing():
    assert instant(f"sum(count_over_time({JSON}[1m]))", BAD) == {"": 1}


def test_sum_reads_no_further_than_the_labels_it_needs():
    assert instant(f"sum by (k) (count_over_time({JSON}[1m]))", BAD) == {"k=1": 1}


def test_max_reads_the_whole_line():
    with pytest.raises(QueryError, match="JSONParserErr"):
        instant(f"max by (k) (count_over_time({JSON}[1m]))", BAD)


def test_sum_by_error_shows_errors_of_parsers():
    query = f"sum by (__error__) (count_over_time({JSON}[1m]))"
    assert instant(query, BAD) == {"__error__=JSONParserErr": 1}


def test_unwrapped_label_is_no_label_of_the_series():
    answer = instant(f"sum_over_time({JSON} | unwrap v [1m])", GOOD)
    assert answer == {"app=a,detected_level=unknown,k=1": 2}


def test_by_may_name_the_unwrapped_label():
    assert instant(f"max_over_time({JSON} | unwrap v [1m]) by (v)", GOOD) == {"v=2": 2}


def test_line_without_the_unwrapped_label_is_dropped():
    assert instant(f"sum_over_time({JSON} | unwrap none [1m])", GOOD) == {}


def test_text_that_is_no_number_is_an_error():
    with pytest.raises(QueryError, match="SampleExtractionErr"):
        instant('sum_over_time({app="a"} | logfmt | unwrap v [1m])', row(1, "v=x"))


def test_filter_behind_unwrap_skips_errors():
    query = 'sum(sum_over_time({app="a"} | logfmt | unwrap v | __error__="" [1m]))'
    assert instant(query, row(1, "v=x"), row(2, "v=3")) == {"": 3}


def test_format_that_nobody_reads_is_left_out():
    """A real Loki does not report the error of its template either."""
    query = f'sum by (k) (count_over_time({JSON} | line_format "{{{{.k | duration}}}}" [1m]))'
    assert instant(query, GOOD) == {"k=1": 1}


def test_line_filter_alone():
    assert instant('sum(count_over_time({app="a"} |= "2" [1m]))', GOOD, BAD) == {"": 1}


@pytest.mark.parametrize("stage", ["drop none", "keep app, k", "label_format x=none"])
def test_stage_that_takes_labels_away_drops_empty_ones(stage):
    """A real Loki drops them even where the stage finds nothing."""
    answer = instant(f"count_over_time({JSON} | {stage} [1m])", row(1, '{"k":""}'))
    assert not any("k=" in labels for labels in answer)


@pytest.mark.parametrize(
    "query", ["max by (k) ({})", "sum by (k) ({} > 0)", "2 * {}", "sort({})", "topk(9, {})"]
)
def test_part_of_a_query_has_no_labels_that_its_own_answer_leaves_out(query):
    counted = f"count_over_time({JSON} | drop none [1m])"
    answer = instant(query.format(counted), row(1, '{"k":""}'))
    assert not any("k=" in labels for labels in answer)


def test_sum_directly_above_shows_the_empty_label():
    """A real Loki groups while it reads the lines there."""
    query = f"sum by (k) (count_over_time({JSON} | drop none [1m]))"
    assert instant(query, row(1, '{"k":""}')) == {"k=": 1}


def test_label_by_template_keeps_empty_labels():
    answer = instant(f'count_over_time({JSON} | label_format x="y" [1m])', row(1, '{"k":""}'))
    assert list(answer) == ["app=a,detected_level=unknown,k=,x=y"]
