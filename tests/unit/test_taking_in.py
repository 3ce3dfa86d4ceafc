"""What set-up does about other people's loggers: each program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.page import blocks

from lokikit import fields as f

if TYPE_CHECKING:
    from pathlib import Path


def run(source: str, **environ: str) -> list[dict[str, Any]]:
    """The lines of a program that writes nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        env={**os.environ, "LOG_FORMAT": "json", **environ},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b"", done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def messages(lines: list[dict[str, Any]]) -> list[str]:
    """Theirs."""
    return [line[f.MESSAGE] for line in lines]


CHATTER = """
import logging, lokikit
logging.getLogger("kombu").setLevel(logging.INFO)
lokikit.setup_json_logging()
for name in ("httpx", "urllib3.connectionpool", "kombu", "shop"):
    logging.getLogger(name).info(name)
    logging.getLogger(name).warning("! " + name)
"""


@pytest.mark.parametrize(
    ("environ", "heard"),
    [
        ({}, {"kombu", "shop"}),
        ({"ENV": "prod", "LOG_LEVELS": "httpx=info,kombu=error"}, {"httpx", "shop"}),
        ({"ENV": "dev"}, {"httpx", "urllib3.connectionpool", "kombu", "shop"}),
    ],
)
def test_chatty_libraries_are_quiet_outside_dev(environ: dict[str, str], heard: set[str]) -> None:
    """Unless they have a level of their own, or are given one; their warnings stay."""
    told = messages(run(CHATTER, **environ))
    assert {one for one in told if not one.startswith("!")} == heard
    assert "! urllib3.connectionpool" in told


HANDLER = """
handler = {"()": "lokikit.JsonHandler", "service": "shop"}
logging.config.dictConfig({"version": 1, "handlers": {"h": handler}, "root": {"handlers": ["h"]}})
"""


@pytest.mark.parametrize(
    "source",
    [
        "logging.config.dictConfig(lokikit.logging_config('shop'))",
        "logging.config.dictConfig(json.loads(json.dumps(lokikit.logging_config('shop'))))",
        HANDLER,
    ],
)
def test_a_configuration_does_what_the_call_does(source: str) -> None:
    """Also as JSON, and also one that disables the loggers it does not name."""
    lines = run(f"""
import json, logging, logging.config, sys, lokikit
logging.getLogger("before").addHandler(logging.StreamHandler(sys.stderr))
{source}
logging.info("told")
with lokikit.task("t"):
    raise ValueError
""")
    assert messages(lines) == ["told", "t started", "t failed: ValueError: "]
    assert {line[f.SERVICE] for line in lines} == {"shop"}


def test_the_file_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    """In the form of `logging.config.fileConfig`."""
    (block,) = blocks("Files of logging.config", "ini")
    (tmp_path / "logging.ini").write_text(block)
    path = str(tmp_path / "logging.ini")
    lines = run(f"import logging.config; logging.config.fileConfig({path!r}); logging.info('m')")
    assert [(line[f.MESSAGE], line[f.SERVICE]) for line in lines] == [("m", "shop")]


def test_keeping_takes_off_what_came_since() -> None:
    """For servers that configure logging after the application; its own set-up stays."""
    lines = run("""
import logging, sys, lokikit
from lokikit.setup import keep_json_logging
lokikit.setup_json_logging("shop")
shared = [logging.StreamHandler(sys.stderr)]
for name in ("gunicorn.error", "uvicorn.error"):
    logging.getLogger(name).handlers = shared
    logging.getLogger(name).propagate = False
keep_json_logging()
logging.getLogger("gunicorn.error").info("a")
logging.getLogger("uvicorn.error").info("b")
""")
    assert [(line[f.MESSAGE], line[f.SERVICE]) for line in lines] == [("a", "shop"), ("b", "shop")]


def test_structlog_ends_in_the_contract() -> None:
    """Bound values and arguments are fields, exceptions tracebacks, the caller is the caller's."""
    hello, failed = run("""
import lokikit, structlog
lokikit.setup_json_logging()
lokikit.take_in_structlog()
log = structlog.get_logger("shop").bind(order=17)
structlog.contextvars.bind_contextvars(user="u")
def work():
    log.info("hello", amount=1)
    log.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
work()
""")
    assert (hello[f.LOGGER], hello[f.MESSAGE], hello[f.LEVEL]) == ("shop", "hello", "info")
    assert (hello["order"], hello["amount"], hello["user"]) == (17, 1, "u")
    assert hello[f.CALLER].endswith(" work")
    assert (failed[f.EXC_TYPE], failed[f.LEVEL]) == ("ZeroDivisionError", "error")


def test_loguru_ends_in_the_contract() -> None:
    """Likewise; what `lokikit.bind` has is there too, braces and percents are only text."""
    hello, odd, failed = run("""
import lokikit
from loguru import logger
lokikit.setup_json_logging()
lokikit.take_in_loguru()
lokikit.bind(user="u")
def work():
    logger.bind(order=17).info("hello {}", 1)
    logger.warning("100 % {sure}")
    logger.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("failed")
work()
""")
    assert (hello[f.LOGGER], hello[f.MESSAGE], hello[f.LEVEL]) == ("__main__", "hello 1", "info")
    assert (hello["order"], hello["user"]) == (17, "u")
    assert hello[f.CALLER].endswith(" work")
    assert (odd[f.MESSAGE], odd[f.LEVEL]) == ("100 % {sure}", "warning")
    assert (failed[f.EXC_TYPE], failed[f.LEVEL]) == ("ZeroDivisionError", "error")


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


@pytest.mark.parametrize("call", ["log_requests", "pass_request_id"])
def test_what_cannot_be_taken_in_is_refused(call: str) -> None:
    """With what would do."""
    (line,) = run(f"import lokikit\nlokikit.setup_json_logging()\nlokikit.{call}(object())")
    assert line[f.EXC_TYPE] == "lokikit.errors.SettingsError"
    assert f"{call} cannot tell what object is" in line[f.EXC_MESSAGE]


def test_a_mail_to_admins_is_sent_of_an_error_that_is_in_the_request_line() -> None:
    """Django's handler gets the record that lokikit's output leaves out; SQL is told on wish."""
    lines = run("""
import django, lokikit.django
from django.conf import settings
settings.configure(
    ADMINS=[("a", "a@shop.example")], ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    LOGGING=lokikit.django.logging_config(mail_admins=True, sql=True, level="debug"),
    MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.core import mail
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import path
def crash(request):
    raise RuntimeError("boom")
def pieces(request, number):
    return StreamingHttpResponse(iter([b"ab", b"c"]))
urlpatterns = [path("crash", crash), path("pieces/<int:number>", pieces)]
mail.outbox = []
client = Client(raise_request_exception=False)
client.get("/crash")
client.get("/nope")
assert b"".join(client.get("/pieces/1")) == b"abc"
connection.force_debug_cursor = True
connection.cursor().execute("SELECT 1")
assert [one.subject for one in mail.outbox] == [
    "[Django] ERROR (EXTERNAL IP): Internal Server Error: /crash"
], mail.outbox
""")
    told = [line for line in lines if line[f.LEVEL] != "debug" or "SELECT" in line[f.MESSAGE]]
    assert [line[f.LOGGER] for line in told] == ["lokikit.requests"] * 3 + ["django.db.backends"]
    crash, nope, pieces, sql = told
    assert (crash[f.EXC_TYPE], crash[f.HTTP_STATUS]) == ("RuntimeError", 500)
    assert (nope[f.HTTP_STATUS], f.HTTP_ROUTE in nope) == (404, False)
    assert (pieces[f.HTTP_ROUTE], pieces[f.BYTES]) == ("/pieces/{number}", 3)
    assert "SELECT 1" in sql[f.MESSAGE]


def test_django_under_asgi_tells_a_streaming_answer_at_its_end() -> None:
    """With the size of all that was sent, and the lines of the view under its id."""
    inside, line = run("""
import asyncio, django, logging, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.urls import path
async def pieces(request):
    logging.info("inside")
    async def send():
        yield b"ab"
        await asyncio.sleep(0)
        yield b"c"
    return StreamingHttpResponse(send())
urlpatterns = [path("pieces", pieces)]
async def main():
    answer = await AsyncClient().get("/pieces", headers={"X-Request-ID": "r-17"})
    assert answer.headers["X-Request-ID"] == "r-17"
    assert [one async for one in answer.streaming_content] == [b"ab", b"c"]
asyncio.run(main())
""")
    assert (line[f.HTTP_PATH], line[f.BYTES], line[f.LEVEL]) == ("/pieces", 3, "info")
    assert inside[f.REQUEST_ID] == line[f.REQUEST_ID] == "r-17"
