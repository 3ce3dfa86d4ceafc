from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lokikit.http_requests.asgi_scope import route_of


def order() -> None:
    """Serve an order."""


def page() -> None:
    """Serve two routes."""


def route(path: str, endpoint: Any) -> SimpleNamespace:
    return SimpleNamespace(path=path, endpoint=endpoint)


ROUTER = SimpleNamespace(
    routes=[
        SimpleNamespace(path="/shop", routes=[route("/orders/{number:int}", order)]),
        route("/", page),
        route("/start", page),
        SimpleNamespace(path="/static", routes=None),
    ]
)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [(order, "/shop/orders/{number}"), (page, None), (route, None), (None, None)],
    ids=["mounted", "two-routes", "unknown", "none"],
)
def test_an_older_starlette_has_the_route_of_its_endpoint(
    endpoint: Any, expected: str | None
) -> None:
    assert route_of({"router": ROUTER, "endpoint": endpoint}) == expected


def test_a_mounted_application_may_change_the_path_of_its_scope() -> None:
    """The route that the framework says itself is taken before all else."""
    result = SimpleNamespace(path_format="/orders/{number}", path="/orders/{number:int}")
    scope = {"route": result, "root_path": "/api/shop", "app_root_path": "/api"}
    assert route_of(scope) == "/shop/orders/{number}"
