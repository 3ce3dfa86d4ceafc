"""A small API, started with `uvicorn --log-config`."""

import logging

from fastapi import FastAPI

logger = logging.getLogger("shop.api")
app = FastAPI()


@app.get("/orders/{number}")
async def order(number: int) -> dict[str, int]:
    """One order."""
    logger.info("looking for %d", number)
    return {"order": number}


@app.get("/crash")
def crash() -> None:
    """A bug."""
    raise RuntimeError("no such warehouse")
