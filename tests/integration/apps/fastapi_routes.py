"""What the FastAPI application of the page serves in the test."""

import asyncio
import logging
import os

import httpx
from fastapi import APIRouter, WebSocket
from fastapi.responses import PlainTextResponse
from shop import app

import lokikit

log = logging.getLogger("shop.views")
router = APIRouter(prefix="/orders")


@router.get("/{number}", response_class=PlainTextResponse)
async def order(number: int) -> str:
    """One order; its line comes after another request has had its turn."""
    await asyncio.sleep(0)
    log.info("looking for %d", number)
    return f"order {number}"


@app.get("/crash")
def crash() -> str:
    """A bug."""
    raise RuntimeError("no such warehouse")


@app.get("/health")
async def health() -> str:
    """Fine."""
    return "ok"


@app.get("/ask", response_class=PlainTextResponse)
async def ask() -> str:
    """What another service says."""
    async with lokikit.pass_request_id(httpx.AsyncClient(timeout=60)) as client:
        return (await client.get(os.environ["OTHER_URL"] + "/orders/7")).text


@app.websocket("/talk/{number}")
async def talk(socket: WebSocket, number: int) -> None:
    """Say what is said, until the other has left."""
    await socket.accept()
    log.info("talking about %d", number)
    async for text in socket.iter_text():
        await socket.send_text(text)


app.include_router(router)
