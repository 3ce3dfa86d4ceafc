from __future__ import annotations

import re

import pytest

from lokikit.query import logql as queries
from lokikit.query.logql import ALL, Selection

SECRETS = {
    "key": "-----BEGIN RSA PRIVATE KEY-----",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "github": "ghp_" + "a1B2" * 9,
    "gitlab": "glpat-" + "a1B2-" * 4,
    "slack": "xoxb-1234567890-abc",
    "stripe": "sk_live_" + "a1B2" * 6,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "url": "postgres://shop:geheim@db.example/shop",
    "bearer": "Authorization: Bearer " + "a1B2" * 8,
}
HARMLESS = (
    "charging a card with card_token=[redacted]",
    "    charge(total, wanted['card_token'])",
    "GET https://db.example:8080/users@all answered 200",
    "the bearer of this token may enter; Basic auth is off",
)


def test_everything_is_selected_unless_told() -> None:
    """Without a choice only the selector stands, so that no line costs a filter."""
    assert ALL.lines() == '{service_name=~".+", env=~".*"}'


def test_filters_of_lines_stand_before_those_of_labels() -> None:
    """Loki answers the text of a line faster than its fields."""
    chosen = Selection("shop", "prod", level="error", text="refused", without="canary")
    selector = '{service_name=~"shop", env=~"prod", service_name!~"canary"}'
    assert chosen.lines("| json a", "|= `b`") == (
        f'{selector} |= `refused` |= `b` | detected_level=~"error" | json a'
    )


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_known_by_its_form(secret: str) -> None:
    """Whatever the key is called that holds it."""
    assert re.search("|".join(queries.SECRETS), f'{{"message":"with {secret} in it"}}')


@pytest.mark.parametrize("text", HARMLESS)
def test_talk_about_a_secret_is_none(text: str) -> None:
    """A line of code in a traceback or a redacted value raises no alarm."""
    assert not re.search("|".join(queries.SECRETS), text)


def test_new_types_are_compared_with_the_span_before() -> None:
    """The second half of the question looks at an equal span, that much earlier."""
    _, before = queries.new_exception_types(ALL, "1h").split(" unless ")
    assert before.count("[1h] offset 1h)") == before.count("[") == 2
