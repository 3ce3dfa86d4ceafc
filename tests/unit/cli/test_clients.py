from __future__ import annotations

import pytest

from lokikit.cli.clients import loki_from, pusher_from

URL = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("variables", "header", "value"),
    [
        ({"LOKI_ORG_ID": "shop"}, "X-Scope-OrgID", "shop"),
        ({"LOKI_BEARER_TOKEN": "t"}, "Authorization", "Bearer t"),
        ({"LOKI_USERNAME": "u", "LOKI_PASSWORD": "p"}, "Authorization", "Basic dTpw"),
        ({"LOKI_USERNAME": "u"}, "Authorization", "Basic dTo="),
    ],
)
def test_who_asks(variables: dict[str, str], header: str, value: str) -> None:
    """Tenant and credentials of the environment go with questions and with pushes."""
    environ = {"LOKI_URL": URL, **variables}
    assert loki_from(environ)._transport.headers[header] == value
    assert pusher_from(environ)._session.headers[header] == value


def test_nobody_in_particular() -> None:
    """Without these variables nothing is said about who asks."""
    headers = loki_from({"LOKI_URL": URL})._transport.headers
    assert not {"X-Scope-OrgID", "Authorization"} & set(headers)


@pytest.mark.parametrize("path", ["", "/", "/loki/api/v1/push", "/api/prom/push"])
def test_one_address_serves_both_ways(path: str) -> None:
    """`LOKI_URL` as a push handler has it is one to ask, too."""
    environ = {"LOKI_URL": URL + path}
    assert loki_from(environ).url == URL
    assert pusher_from(environ)._url == f"{URL}/loki/api/v1/push"
