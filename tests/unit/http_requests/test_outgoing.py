"""Requests to others: a program in a process of its own."""

from __future__ import annotations

from tests.running import run


def test_a_client_passes_the_bound_id_on() -> None:
    """Of requests and httpx; a header that was set stays, and without an id there is none."""
    (line,) = run("""
import asyncio, httpx, requests, logging, lokikit
lokikit.setup_json_logging()
seen = []
def answer(request):
    seen.append(request.headers.get("X-Request-ID"))
    return httpx.Response(200)
async def answer_async(request):
    return answer(request)
client = lokikit.pass_request_id(httpx.Client(transport=httpx.MockTransport(answer)))
other = lokikit.pass_request_id(httpx.AsyncClient(transport=httpx.MockTransport(answer_async)))
session = lokikit.pass_request_id(requests.Session())
client.get("http://a")
with lokikit.bound(request_id="r-17"):
    client.get("http://a")
    client.get("http://a", headers={"X-Request-ID": "own"})
    asyncio.run(other.get("http://a"))
    prepared = session.prepare_request(requests.Request("GET", "http://a"))
    seen.append(prepared.headers.get("X-Request-ID"))
logging.info("seen", extra={"ids": seen})
""")
    assert line["ids"] == [None, "r-17", "own", "r-17", "r-17"]
