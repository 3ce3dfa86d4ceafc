"""The reader and the printer against the recorded answers of a real Loki 3.7.6."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from pathlib import Path

from lokikit.store.errors import QueryError
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.printer import print_query
from lokikit.store.logql.syntax import Number

Answer = tuple[str, bool, str]
ANSWERS: list[Answer] = [
    (query, is_taken, text)
    for query, is_taken, text in json.loads(
        Path(__file__).with_name("format_answers.json").read_text()
    )
]
REFUSED_HERE = {
    '{a="b"} |~ "x("': "Loki refuses the regular expression when the query runs",
    '{a="b"} |~ "(?=x)"': "likewise",
    '{a="b"} !~ "[" | json': "likewise",
    'variants(count_over_time({a="b"}[5m])) of ({a="b"}[5m])': "not supported",
    "approx_topk(5, vector(1))": "not supported",
}
OTHER_WORDS = {
    "5 and 3 and 2": "Loki names the outermost operation",
    "5 or 3 or 2": "likewise",
    "5 unless 3 unless 2": "likewise",
}
OTHER_FORM = {
    '{é="b"}': "quoted names of labels do not read back",
    '{$="b"}': "likewise",
    '{:="x"}': "likewise",
    '{a="b"} | @="x"': "likewise",
    "vector(1e-9)": "six places do not read back",
    "0 / 0": "NaN does not read back",
    "0 % 0": "likewise",
    f'{{a="b"}} |= "{"a" * 38}" or "{"b" * 43}" != "x" or "{"c" * 20}"': "chains its filters",
}


def without_slips(text: str) -> str:
    """Loki's text with line 1 for line 0, one space behind `on (x)`, and `decolorize` indented."""
    text = re.sub(r"at line 0\b", "at line 1", text)
    text = re.sub(r"((?:on|ignoring) \([^)]*\))  ", r"\1 ", text)
    return re.sub(r"(\n +)(.*)\n\| decolorize", r"\1\2\1| decolorize", text)


def without_sizes(text: str) -> str:
    """The text without its sizes, which Loki rounds."""
    return re.sub(r"(?<=[=<>])[\d.]+(?:[kKMGT]i?)?B", "SIZE", text)


@cache
def read(query: str) -> tuple[bool, str]:
    """Whether the query is taken, and the formatted query or the error."""
    try:
        return True, print_query(parse_query(query))
    except QueryError as error:
        return False, str(error)


def test_the_same_queries_are_taken() -> None:
    """A query is taken here exactly when Loki takes it."""
    differing = {query for query, is_taken, _ in ANSWERS if read(query)[0] != is_taken}
    assert differing == set(REFUSED_HERE)


def test_errors_have_the_words_and_places_of_loki() -> None:
    """Each refusal says what Loki's says."""
    refused = [(query, text) for query, is_taken, text in ANSWERS if not is_taken]
    differing = {query for query, text in refused if read(query)[1] != without_slips(text)}
    assert differing == set(OTHER_WORDS)


def test_formatted_queries_are_those_of_loki() -> None:
    """Text and layout are the same, apart from what does not read back."""
    taken = [(query, without_slips(text)) for query, is_taken, text in ANSWERS if is_taken]
    differing = {
        query
        for query, text in taken
        if query not in REFUSED_HERE and without_sizes(read(query)[1]) != without_sizes(text)
    }
    unlike = {query for query in differing if not loses_on(query)}
    assert unlike == set(OTHER_FORM)


def loses_on(query: str) -> bool:
    """Whether it is a query in whose long form Loki leaves `on ()` out."""
    return "on ()" in query and len(query) > 100


def test_formatted_queries_read_back() -> None:
    """The text of a tree reads back as the same tree."""
    for query, _, _ in ANSWERS:
        is_taken, text = read(query)
        if is_taken:
            tree, again = parse_query(query), parse_query(text)
            both_are_nan = (
                isinstance(tree, Number)
                and isinstance(again, Number)
                and math.isnan(tree.value + again.value)
            )
            assert both_are_nan or tree == again
