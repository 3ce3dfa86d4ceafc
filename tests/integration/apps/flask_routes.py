"""What the Flask application of the page serves in the test."""

import logging
import os

import requests
from requests.adapters import HTTPAdapter
from shop import app
from urllib3 import Retry

import lokikit

log = logging.getLogger("shop.views")
session = lokikit.pass_request_id(requests.Session())
# The other server closes a connection that it has not heard of for a while.
session.mount("http://", HTTPAdapter(max_retries=Retry(3)))


@app.get("/orders/<int:number>")
def order(number: int) -> str:
    """One order."""
    log.info("looking for %d", number)
    return f"order {number}"


@app.get("/crash")
def crash() -> str:
    """A bug."""
    raise RuntimeError("no such warehouse")


@app.get("/health")
def health() -> str:
    """Fine."""
    return "ok"


@app.get("/ask")
def ask() -> str:
    """What another service says."""
    return session.get(os.environ["OTHER_URL"] + "/orders/7", timeout=60).text
