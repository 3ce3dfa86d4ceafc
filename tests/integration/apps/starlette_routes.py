"""A Starlette application, parts of it mounted."""

import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

import lokikit

lokikit.setup_json_logging()
log = logging.getLogger("shop.views")


async def order(request: Request) -> StreamingResponse:
    """One order, sent in pieces, with something left to do afterwards."""
    number = request.path_params["number"]
    log.info("looking for %d", number)
    return StreamingResponse(
        iter([b"order ", str(number).encode()]), background=BackgroundTask(log.info, "sent")
    )


async def crash(_: Request) -> PlainTextResponse:
    """A bug."""
    raise RuntimeError("no such warehouse")


async def health(_: Request) -> PlainTextResponse:
    """Fine."""
    return PlainTextResponse("ok")


def ask(_: Request) -> PlainTextResponse:
    """What another service says, asked from a thread."""
    with lokikit.pass_request_id(httpx.Client(timeout=60)) as client:
        return PlainTextResponse(client.get(os.environ["OTHER_URL"] + "/orders/7").text)


app = lokikit.log_requests(
    Starlette(
        routes=[
            Mount("/orders", routes=[Route("/{number:int}", order)]),
            Route("/crash", crash),
            Route("/health", health),
            Route("/ask", ask),
        ]
    )
)
