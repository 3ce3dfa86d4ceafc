"""Frameworks under real servers: what Loki has of their requests."""

from __future__ import annotations

import re
import shutil
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import requests
from tests.integration.page import command, write_files
from tests.integration.stage import APPS, Stage
from tests.stack.conftest import free_ports
from tests.stack.pushing import sizes
from tests.waiting import eventually

from lokikit import fields as f
from lokikit.http_requests.request_ids import HEADER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.stage import Lines

BANNERS = re.compile(
    r" \* (Serving Flask|Debug mode)|Performing system|System check|Django version|"
    r"Starting development|Quit the|WARNING: This is a development|For more information|"
    r"\w+ \d+, \d{4} - "
)
ROUNDS = 4
_TIMEOUT_S = 60
_TRIES = 3


@dataclass(frozen=True)
class Setup:
    """One application under one server.

    Args:
        section: of the page, whose files and command it runs.
        marks: tell the command from the section's others.
        instead: words of the command -> what the test has for them.
        more: further words of the command.
        address: the words that say where to listen.
        middleware: whether one of ours is around the application.
        workers: how many processes serve at least.
        template: how the framework knows `/orders/17`.
    """

    section: str
    marks: tuple[str, ...]
    instead: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    address: tuple[str, ...] = ("--bind", "127.0.0.1:{port}")
    middleware: bool = True
    workers: int = 2
    template: str | None = "/orders/{number}"

    def command(self, port: int) -> list[str]:
        """What to run."""
        words = [self.instead.get(word, word) for word in command(self.section, *self.marks)]
        where = [word.format(port=port) for word in self.address]
        manage = words[0] == "python"
        return [*words, *self.more, *([where[-1]] if manage else where)]


FASTAPI = {"shop:app": "fastapi_routes:app"}
DJANGO = {
    "site_wsgi:application": "django_site:wsgi",
    "site_asgi:application": "django_site:asgi",
    "manage.py": "django_site.py",
}
UVICORN = ("--host", "127.0.0.1", "--port", "{port}")
RECYCLED = ("--max-requests", "10")
SETUPS = {
    "flask-gunicorn": Setup("Flask", ("gunicorn",), {"shop:app": "flask_routes:app"}, RECYCLED),
    "flask-run": Setup(
        *("Flask", ("flask --app",), {"shop": "flask_routes"}), address=UVICORN, workers=1
    ),
    "fastapi-uvicorn": Setup(
        *("FastAPI and Starlette", (" uvicorn ",), FASTAPI),
        *(("--limit-max-requests", "10"), UVICORN),
    ),
    "starlette-hypercorn": Setup(
        "FastAPI and Starlette", ("hypercorn",), {"shop:app": "starlette_routes:app"}
    ),
    "fastapi-gunicorn-uvicorn": Setup(
        "FastAPI and Starlette", ("UvicornWorker",), FASTAPI, RECYCLED
    ),
    "starlette-gunicorn-asgi": Setup(
        *("FastAPI and Starlette", ("class asgi",), {"shop:app": "starlette_routes:app"}),
        more=RECYCLED,
    ),
    "django-gunicorn": Setup("Django", ("gunicorn",), DJANGO, RECYCLED),
    "django-uvicorn": Setup("Django", ("uvicorn",), DJANGO, address=UVICORN),
    "django-runserver": Setup("Django", ("runserver",), DJANGO, workers=1),
    "bare-gunicorn": Setup(
        *("Django", ("gunicorn",), {"site_wsgi:application": "bare:wsgi"}),
        middleware=False,
        template=None,
    ),
    "bare-uvicorn": Setup(
        *("Django", ("uvicorn",), {"site_asgi:application": "bare:asgi"}),
        address=UVICORN,
        middleware=False,
        template=None,
    ),
    "bare-hypercorn": Setup(
        *("FastAPI and Starlette", ("hypercorn",), {"shop:app": "bare:asgi"}),
        more=("--access-logfile", "-"),
        middleware=False,
        template=None,
    ),
}


@dataclass(frozen=True)
class Answer:
    """What the client saw of one request."""

    path: str
    sent_id: str
    status: int
    body: bytes
    returned_id: str | None


@dataclass(frozen=True)
class Served:
    """What was asked of one service, and what Loki has of it."""

    name: str
    setup: Setup
    answers: list[Answer]
    lines: Lines

    def requests(self) -> Lines:
        """Its lines of requests."""
        return [line for line in self.lines if line[f.LOGGER] == "lokikit.requests"]

    def about(self, path: str) -> list[tuple[Answer, Lines]]:
        """Each answer to a path, with the lines that have its id."""
        return [
            (answer, [line for line in self.lines if line.get(f.REQUEST_ID) == answer.sent_id])
            for answer in self.answers
            if answer.path == path
        ]


@dataclass(frozen=True)
class Played:
    """All services, and the lines that were no JSON."""

    services: dict[str, Served]
    strays: list[str]


def get(url: str, path: str) -> Answer:
    """Ask for a path, under an id of our own."""
    request_id = uuid.uuid4().hex
    answer = requests.get(url + path, headers={HEADER: request_id}, timeout=_TIMEOUT_S)
    returned = answer.headers.get(HEADER)
    return Answer(path, request_id, answer.status_code, answer.content, returned)


def answered(url: str, path: str) -> Answer:
    """Ask until there is an answer: a worker that is recycled may close what it has not read."""
    for _ in range(_TRIES - 1):
        with suppress(requests.ConnectionError):
            return get(url, path)
    return get(url, path)


def is_up(url: str) -> bool:
    """Whether a server answers."""
    try:
        return get(url, "/health").status == 200
    except requests.ConnectionError:
        return False


def paths(setup: Setup) -> list[str]:
    """What to ask a service for, in one round."""
    common = ["/orders/17", "/orders/18", "/missing?token=secret", "/caf%C3%A9", "/health"]
    return [*common, "/crash", "/ask"] if setup.middleware else common


@pytest.fixture(scope="module", params=sizes(ROUNDS, 100))
def played(
    request: pytest.FixtureRequest, loki_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """All set-ups at once: started, asked, stopped."""
    stage = Stage(loki_url)
    ports = dict(zip(SETUPS, free_ports(len(SETUPS)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    try:
        for name, setup in SETUPS.items():
            folder = copy_files(setup, tmp_path_factory.mktemp(name))
            other = urls["fastapi-uvicorn" if name.startswith("flask") else "flask-gunicorn"]
            stage.start(name, setup.command(ports[name]), folder, OTHER_URL=other)
        for url in urls.values():
            # None is asked again: after ten requests many begin anew.
            eventually(lambda url=url: is_up(url), within_s=180)
        asked = [(name, path) for name in SETUPS for path in paths(SETUPS[name])] * request.param
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda one: answered(urls[one[0]], one[1]), asked))
        stage.stop()
    except BaseException:
        stage.abandon()
        raise
    by_service = defaultdict(list)
    for (name, _), answer in zip(asked, answers, strict=True):
        by_service[name].append(answer)
    lines = stage.lines()
    found = {name: Served(name, SETUPS[name], by_service[name], lines[name]) for name in SETUPS}
    return Played(found, stage.strays())


def copy_files(setup: Setup, folder: Path) -> Path:
    """The folder with the page's files, and the test's own beside them."""
    write_files(setup.section, folder)
    shutil.copy(APPS / "django_site.py", folder)
    return folder


@pytest.fixture(params=SETUPS)
def service(request: pytest.FixtureRequest, played: Played) -> Served:
    """One of them."""
    return played.services[request.param]


@pytest.fixture(params=[name for name, setup in SETUPS.items() if setup.middleware])
def served(request: pytest.FixtureRequest, played: Played) -> Served:
    """One whose application has a middleware of ours."""
    return played.services[request.param]


def test_nothing_is_written_past_the_contract(played: Played) -> None:
    """Masters, supervisors and workers alike write lines of JSON, and nothing else.

    But for the banners of the two development servers.
    """
    assert [line for line in played.strays if not BANNERS.match(line)] == []


def test_every_line_has_the_required_fields(service: Served) -> None:
    """Those of the server too, from every worker that serves."""
    assert all(set(f.REQUIRED_FIELDS) <= set(line) for line in service.lines)
    assert len({line[f.PID] for line in service.requests()}) >= service.setup.workers


def test_every_request_is_one_line(service: Served) -> None:
    """Exactly once, by its path; health checks that pass have none."""
    result = Counter(line[f.HTTP_PATH] for line in service.requests())
    # Other services ask for it too.
    del result["/orders/7"]
    asked = Counter(unquote(one.path.partition("?")[0]) for one in service.answers)
    del asked["/health"]
    assert result == asked


def test_every_request_id_is_on_one_request_line(served: Served) -> None:
    """Exactly once, also where workers were recycled and stopped; and it was returned."""
    asked = [one for one in served.answers if one.path != "/health"]
    ids = Counter(line[f.REQUEST_ID] for line in served.requests())
    assert {ids[one.sent_id] for one in asked} == {1}
    assert all(one.returned_id == one.sent_id for one in served.answers)


def test_a_request_line_tells_what_the_client_saw(served: Served) -> None:
    """Method, route, path, status, size and who asked."""
    for answer, lines in served.about("/orders/17"):
        assert (answer.status, answer.body) == (200, b"order 17")
        (line,) = [one for one in lines if f.HTTP_STATUS in one]
        assert {name: line.get(name) for name in f.REQUEST_FIELDS if name != f.DURATION_MS} == {
            f.HTTP_METHOD: "GET",
            f.HTTP_ROUTE: served.setup.template,
            f.HTTP_PATH: "/orders/17",
            f.HTTP_STATUS: 200,
            f.BYTES: 8,
            f.CLIENT_IP: "127.0.0.1",
        }
        assert line[f.DURATION_MS] > 0


def test_an_access_line_tells_what_the_server_knows(played: Played) -> None:
    """Where no middleware of ours is around the application."""
    for name in ("bare-gunicorn", "bare-uvicorn", "bare-hypercorn"):
        for line in played.services[name].requests():
            expected = {f.HTTP_METHOD: "GET", f.CLIENT_IP: "127.0.0.1"}
            assert {key: line[key] for key in expected} == expected
            missing = line[f.HTTP_PATH] in {"/missing", "/café"}
            assert line[f.HTTP_STATUS] == (404 if missing else 200)
    for line in played.services["bare-gunicorn"].requests():
        assert line[f.REQUEST_ID]
        assert (line[f.BYTES] > 0) is (line[f.DURATION_MS] > 0) is True


def test_a_line_of_the_application_has_the_id_of_its_request(served: Served) -> None:
    """However many requests the worker serves at a time."""
    for answer, lines in served.about("/orders/17"):
        (inside,) = [one for one in lines if one[f.MESSAGE] == "looking for 17"]
        assert inside[f.REQUEST_ID] == answer.sent_id


def test_an_exception_is_told_once(served: Served) -> None:
    """With its traceback, in the line of its request; no line beside it speaks of it."""
    crashed = served.about("/crash")
    assert crashed
    for answer, lines in crashed:
        assert answer.status == 500
        (line,) = lines
        assert (line[f.HTTP_STATUS], line[f.LEVEL]) == (500, "error")
        assert (line[f.EXC_TYPE], line[f.EXC_MESSAGE]) == ("RuntimeError", "no such warehouse")
        assert "in crash" in line[f.STACKTRACE]
    tracebacks = [line for line in served.lines if f.STACKTRACE in line]
    assert len(tracebacks) == len(crashed)


def test_what_is_missing_is_a_warning_without_a_route(service: Served) -> None:
    """And without the query that it was asked with."""
    missing = [line for line in service.requests() if line[f.HTTP_PATH] == "/missing"]
    assert {(line[f.HTTP_STATUS], line[f.LEVEL]) for line in missing} == {(404, "warning")}
    assert not any(line.get(f.HTTP_ROUTE) for line in missing)
    assert not any("secret" in str(line) for line in service.lines)


def test_a_request_id_goes_through_two_services(played: Played, served: Served) -> None:
    """The service that was asked on the way has a request line with the id."""
    name = "fastapi-uvicorn" if "flask" in served.name else "flask-gunicorn"
    for answer, _ in served.about("/ask"):
        assert (answer.status, answer.body) == (200, b"order 7")
        other = played.services[name].requests()
        (line,) = [one for one in other if one[f.REQUEST_ID] == answer.sent_id]
        assert line[f.HTTP_PATH] == "/orders/7"
