from __future__ import annotations

import pytest

from lokikit import fields as f
from lokikit.http_requests.request_ids import ids_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    "given",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f" 00-{TRACE}-{SPAN}-01 ",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be",
    ],
    ids=["sampled", "not-sampled", "spaces", "later", "later-with-more"],
)
def test_a_trace_parent_of_w3c_is_read(given: str) -> None:
    assert ids_of(None, given) == {f.TRACE_ID: TRACE, f.SPAN_ID: SPAN}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n{{}}",
    ],
    ids=[
        *("empty", "word", "version-ff", "no-trace", "no-span", "capitals", "more", "later-other"),
        *("short", "short-flags", "no-flags", "two", "line-break"),
    ],
)
def test_what_is_no_trace_parent_is_ignored(given: str) -> None:
    assert ids_of("r-17", given) == {f.REQUEST_ID: "r-17"}


def test_a_request_id_that_may_not_be_taken_leaves_the_trace() -> None:
    assert ids_of("a b", f"00-{TRACE}-{SPAN}-01") == {f.TRACE_ID: TRACE, f.SPAN_ID: SPAN}
