import asyncio

import pytest

from lokikit.store.api.http import ApiRequest, DisconnectedError, Form, Response, Route, Router
from lokikit.store.errors import PushError, QueryError


def request(method="GET", path="/", query=b"", headers=(), messages=()):
    left = [*messages]

    async def receive():
        return left.pop(0) if left else {"type": "http.disconnect"}

    scope = {"method": method, "path": path, "query_string": query, "headers": list(headers)}
    return ApiRequest(scope, receive)


def body(*parts):
    return [
        {"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts
    ]


async def handler(asked):
    return Response(200, ",".join(asked.values).encode())


ROUTER = Router(
    [
        Route("/a", frozenset({"GET"}), handler),
        Route("/label/{}/values", frozenset({"GET"}), handler),
    ]
)


def answer(method, path):
    return asyncio.run(ROUTER.answer(request(method, path, b"x=1")))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/a", 200),
        ("POST", "/a", 405),
        ("DELETE", "/a", 405),
        ("DELETE", "/label/x/values", 405),
        ("HEAD", "/label/x/values", 405),
        ("GET", "/a/", 404),
        ("GET", "/label/values", 404),
        ("GET", "/label/x/y/values", 404),
    ],
)
def test_paths_and_methods_are_answered_as_loki_does(method, path, status):
    assert answer(method, path).status == status


def test_part_of_a_path_is_handed_over():
    assert answer("GET", "/label/x y/values").body == b"x y"


def test_double_slashes_are_redirected_with_their_query():
    response = answer("GET", "//a")
    assert (response.status, dict(response.headers)[b"location"]) == (301, b"/a?x=1")


def test_body_is_joined():
    assert asyncio.run(request(messages=body(b"ab", b"cd")).body(4)) == b"abcd"


def test_body_beyond_the_limit_is_refused():
    with pytest.raises(PushError) as refusal:
        asyncio.run(request(messages=body(b"ab", b"cd", b"ef")).body(3))
    assert refusal.value.status == 413


def test_client_that_leaves_within_its_body_is_noticed():
    with pytest.raises(DisconnectedError):
        asyncio.run(request(messages=body(b"ab", b"cd")[:1]).body(9))


def test_form_has_the_parameters_of_body_and_url():
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    asked = request("POST", query=b"a=2&b=3", headers=headers, messages=body(b"a=1&c=%C3%A9"))
    form = asyncio.run(asked.form())
    assert (form.get("a"), form.get("b"), form.get("c"), form.get("d")) == ("1", "3", "é", "")
    assert form.all("a") == ["1", "2"]


def test_too_many_parameters_are_refused():
    with pytest.raises(QueryError):
        asyncio.run(request(query=b"&".join([b"a=1"] * 2000)).form())


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (b"a=%zz&b=1", 'invalid URL escape "%zz"'),
        (b"a=1%&b=1", 'invalid URL escape "%"'),
        (b"a=1;b=2", "invalid semicolon separator in query"),
    ],
)
def test_parameters_that_go_does_not_read_are_refused(query, problem):
    asked = request(query=query)
    with pytest.raises(QueryError) as refusal:
        asyncio.run(asked.form())
    assert str(refusal.value) == problem
    assert asyncio.run(asked.form(is_strict=False)).get("a")


def test_bytes_that_are_no_text_stay_known():
    assert asyncio.run(request(query=b"a=%ff").form()).get("a") == "\udcff"


def test_empty_parameters_are_as_absent():
    assert Form([("a", "")]).get("a") == ""
