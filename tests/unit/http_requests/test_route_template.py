from __future__ import annotations

import pytest

from lokikit.http_requests.route_template import template


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("/orders/<int:id>", "/orders/{id}"),
        ("/orders/<id>", "/orders/{id}"),
        ('/<any("a:b", c):kind>', "/{kind}"),
        ("/<string(length=2):lang>/x", "/{lang}/x"),
        ('/<regex("[a-z]{2}"):lang>', "/{lang}"),
        (r'/<regex("\d+"):number>', "/{number}"),
        ("/files/<path:rest>/<name>", "/files/{rest}/{name}"),
        ("orders/<int:id>/", "/orders/{id}/"),
        ("/orders/{id}", "/orders/{id}"),
        ("/orders/{id:int}", "/orders/{id}"),
        ("/files/{path:path}", "/files/{path}"),
        ("/", "/"),
        ("", "/"),
        ("/a.b-c/~d(e)+", "/a.b-c/~d(e)+"),
    ],
)
def test_parameters_of_every_framework_look_alike(rule: str, expected: str) -> None:
    assert template(rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (r"^orders/(?P<id>[0-9]+)/$", "/orders/{id}/"),
        (r"^orders/(?P<id>\d{4})\Z", "/orders/{id}"),
        (r"^a/(?P<slug>(?:a|b(?:c|d)+)*)/$", "/a/{slug}/"),
        (r"^a/(?P<slug>((((x)))))$", "/a/{slug}"),
        (r"^a/(?P<odd>[()\]]+)/b$", "/a/{odd}/b"),
        (r"^a/(?P<odd>[^]()]+)/b$", "/a/{odd}/b"),
        (r"^a/(?P<odd>\(\d+\))/b$", "/a/{odd}/b"),
        (r"^api/^users/(?P<id>\d+)/$", "/api/users/{id}/"),
        (r"api/^users/(?P<id>\d+)?/?$", "/api/users/{id}/"),
        (r"^a/(?:page-(?P<number>\d+)/)?$", "/a/page-{number}/"),
        (r"^(?i:a)/(?P<x>.)$", "/a/{x}"),
        (r"^(?i)a/(\d+)/([^/]+)$", "/a/{var}/{var}"),
        (r"^(?!admin)(?P<rest>.*)$", "/{rest}"),
        (r"^(?P<x>.)/(?P=x)$", "/{x}/{x}"),
        (r"^sitemap\.xml$", "/sitemap.xml"),
        (r"^a\-b\/c/\d+/.*$", "/a-b/c/{var}/{var}"),
        (r"^a/[a-z]{2,3}/$", "/a/{var}/"),
        (r"<slug:s>/^b/(?P<n>\d)$", "/{s}/b/{n}"),
        (r"^broken/(?P<x>[a", "/broken/{x}"),
        ("^broken\\", "/broken"),
        (r"^broken[", "/broken{var}"),
    ],
)
def test_regex_route_becomes_the_text_that_it_matches(rule: str, expected: str) -> None:
    assert template(rule) == expected
