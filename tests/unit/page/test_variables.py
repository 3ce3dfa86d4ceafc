from __future__ import annotations

import pytest

from lokikit.page.choice import Choice
from lokikit.page.dashboards import dashboards
from lokikit.page.variables import fill, row_link, series_link
from lokikit.store.logql.stage_check import check_query

HOUR = Choice(0, 3600 * 10**9)
HOSTILE = Choice(
    0,
    10**9,
    ('a"b', "c`d"),
    ("e\\f",),
    ("error", "$__range"),
    'text`with" $__auto\n\\',
    "id`x",
)
EXPRESSIONS = [
    target["expr"]
    for board in dashboards().values()
    for panel in board["panels"]
    for target in panel.get("targets", ())
    if "expr" in target
]


@pytest.mark.parametrize("choice", [HOUR, HOSTILE], ids=["nothing-chosen", "hostile"])
def test_every_query_of_the_dashboards_can_be_asked(choice: Choice) -> None:
    for expr in EXPRESSIONS:
        filled = fill(expr, choice, 60)
        check_query(filled)
        if choice is HOUR:
            assert "$" not in filled


def test_a_choice_of_several_becomes_alternatives() -> None:
    chosen = Choice(0, 60 * 10**9, ("a.b", "c"))
    expr = '{service_name=~"$service", env=~"$env"} [$__auto] $__range'
    assert fill(expr, chosen, 5) == '{service_name=~"a\\\\.b|c", env=~".*"} [5s] 60s'


def test_a_text_that_looks_like_a_variable_stays_text() -> None:
    chosen = Choice(0, 60 * 10**9, text="$__range")
    assert fill("|= `${search:raw}`", chosen, 5) == '|~ "(?i)\\\\$__range"'


def test_a_link_holds_the_value_and_leaves_the_time_to_the_page() -> None:
    url = "/d/x?var-service=${__data.fields.service_name}&var-a=1&${__url_time_range}"
    assert row_link(url, {"service_name": "a&b=c"}) == "/d/x?var-service=a%26b%3Dc&var-a=1"
    url = "/d/x?var-service=${__field.labels.service_name}&${__url_time_range}"
    assert series_link(url, {}) == "/d/x?var-service="
