"""The oldest and the newest supported version of each framework, in environments of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.integration.environments import environment_or_skip
from tests.integration.page import PAGE, command, write_files
from tests.integration.stage import APPS, kill
from tests.stack.conftest import free_ports
from tests.waiting import eventually
from websockets.sync.client import connect

from lokikit import fields as f
from lokikit.http_requests.request_ids import HEADER
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLDEST = Path(__file__).parent / "versions/oldest.txt"
NEWEST = kit_root() / "tests/requirements.txt"
PYPROJECT = kit_root() / "pylib/pyproject.toml"
FRAMEWORKS = ("apscheduler", "celery", "django", "fastapi", "flask", "gunicorn", "starlette")
FRAMEWORKS = (*FRAMEWORKS, "uvicorn")
_BETWEEN = ("5.4.0", "5.5.3", "5.6.3")
"""Of Celery, whose worker tells its signals otherwise from version to version."""
_PACKAGE = ("orjson", "python-json-logger", "requests", "websockets", "httpx")
_WITHIN_S = 150
Lines = list[dict[str, Any]]


def pins(path: Path) -> dict[str, str]:
    """The versions in a requirements file, by package; without those of other Pythons."""
    found = re.findall(r"^([\w-]+)(?:\[\w+\])?==(\S+?)$", path.read_text(), re.MULTILINE)
    return dict(found)


def row(name: str) -> list[str]:
    """What to install for a row of the matrix."""
    if name == "oldest":
        return OLDEST.read_text().splitlines()
    newest = pins(NEWEST)
    if name == "newest":
        wanted = (*FRAMEWORKS, "httpx")
        known = [f"{one}=={newest[one]}" for one in wanted if one in newest]
        return [*known, *(one for one in _PACKAGE if one not in newest)]
    return [f"celery=={name.removeprefix('celery-')}", *_PACKAGE]


@dataclass
class Programs:
    """Programs of one environment, and what each has written so far.

    Args:
        python: of the environment.
        folder: gets a folder for each.
    """

    python: Path
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, section: str, words: list[str], **variables: str) -> None:
        """Run a command of the environment beside the files of a section of the page."""
        own = self.folder / name
        own.mkdir()
        write_files(section, own)
        (own / "django_site.py").write_text((APPS / "django_site.py").read_text())
        paths = os.pathsep.join([str(own), str(APPS), str(kit_root() / "pylib/src")])
        known = {"SERVICE_NAME": name, "LOG_FORMAT": "json", "PYTHONPATH": paths, "NO_COLOR": "1"}
        with (own / "out").open("wb") as out:
            self.running[name] = subprocess.Popen(
                [str(self.python.with_name(words[0])), *words[1:]],
                cwd=own,
                env={**os.environ, "JOBS_FOLDER": str(own), **known, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def text(self, name: str) -> str:
        """All that a program has written."""
        return (self.folder / name / "out").read_text()

    def lines(self, name: str) -> Lines:
        """Its lines, as far as they are played."""
        whole = [one for one in self.text(name).splitlines(keepends=True) if one.endswith("\n")]
        return [json.loads(one) for one in whole if one.startswith("{")]

    def stop(self) -> None:
        """End all of them at once."""
        for one in self.running.values():
            kill(one)


def replaced(words: list[str], instead: dict[str, str]) -> list[str]:
    """The words of a command, with those of the test in place of the page's."""
    return [instead.get(word, word) for word in words]


def start_servers(programs: Programs) -> dict[str, str]:
    """Start each framework under a server by the page's commands; return the addresses."""
    ports = free_ports(5)
    binds = [("--bind", f"127.0.0.1:{port}") for port in ports[:2]]
    hosts = [("--host", "127.0.0.1", "--port", str(port)) for port in ports[2:]]
    django = {
        "site_wsgi:application": "django_site:wsgi",
        "site_asgi:application": "django_site:asgi",
    }
    started = {
        "flask": ("Flask", ("gunicorn",), {"shop:app": "flask_routes:app"}, binds[0]),
        "django-wsgi": ("Django", ("gunicorn",), django, binds[1]),
        "django-asgi": ("Django", ("uvicorn",), django, hosts[0]),
        "fastapi": (
            *("FastAPI and Starlette", (" uvicorn ",)),
            *({"shop:app": "fastapi_routes:app"}, hosts[1]),
        ),
        "starlette": (
            *("FastAPI and Starlette", (" uvicorn ",)),
            *({"shop:app": "starlette_routes:app"}, hosts[2]),
        ),
    }
    for name, (section, marks, instead, where) in started.items():
        programs.start(name, section, [*replaced(command(section, *marks), instead), *where])
    return {name: f"127.0.0.1:{port}" for name, port in zip(started, ports, strict=True)}


def is_up(address: str) -> bool:
    """Whether a server answers."""
    try:
        return requests.get(f"http://{address}/health", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


def ask(address: str) -> None:
    """Ask a server for one page of each kind."""
    for path in ("/orders/17", "/missing", "/crash"):
        sent = {HEADER: f"r{path.replace('/', '-')}"}
        answer = requests.get(f"http://{address}{path}", headers=sent, timeout=60)
        assert answer.headers[HEADER] == sent[HEADER]


def talk(address: str) -> None:
    """Open a WebSocket, and close it."""
    with connect(f"ws://{address}/talk/17", additional_headers={HEADER: "r-talk"}) as socket:
        socket.send("hello")
        assert socket.recv() == "hello"


SEND = """
import celery_tasks as tasks
for one in (tasks.fail, tasks.overrun, tasks.die, tasks.have_nothing_to_do):
    one.delay()
tasks.succeed.apply_async((1,), queue="celery")
"""
CELERY_ENDS = 5


def ends(lines: Lines) -> int:
    """How many runs have ended."""
    return sum(line.get(f.ACTION, "run") != "run" for line in lines)


def play_celery(programs: Programs) -> None:
    """Start a worker and beat, and send tasks of each ending."""
    for name in ("worker", "beat"):
        words = replaced(command("Celery", name), {"jobs": "celery_tasks"})
        folder = str(programs.folder / "worker")
        programs.start(name, "Celery", words, JOBS_FOLDER=folder, LOG_LEVEL="warning")
    words = ["python", "-c", SEND]
    programs.start("sender", "Celery", words, JOBS_FOLDER=str(programs.folder / "worker"))


@dataclass(frozen=True)
class PlayedRow:
    """One row of the matrix, and what its programs wrote."""

    name: str
    programs: Programs

    def requests(self, name: str) -> Lines:
        """The request lines of a server, with or without the answer's end."""
        found = self.programs.lines(name)
        return [line for line in found if line[f.LOGGER] == "lokikit.requests"]

    def histories(self, name: str) -> dict[str, list[str]]:
        """The actions of each task."""
        found = defaultdict(list)
        for line in self.programs.lines(name):
            if f.ACTION in line:
                found[line[f.TASK_NAME].rpartition(".")[2]].append(line[f.ACTION])
        return dict(found)


NEWEST_ROW = pytest.param("newest", marks=pytest.mark.soak)
of_all = pytest.mark.parametrize("played", ["oldest", NEWEST_ROW], indirect=True, scope="module")
of_celery = pytest.mark.parametrize(
    "played",
    [
        "oldest",
        NEWEST_ROW,
        *(pytest.param(f"celery-{one}", marks=pytest.mark.soak) for one in _BETWEEN),
    ],
    indirect=True,
    scope="module",
)


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    say: Callable[[str], None],
) -> Iterator[PlayedRow]:
    """All programs of a row at once, each until its work is done."""
    name = request.param
    python = environment_or_skip(f"versions-{name}", row(name), say)
    programs = Programs(python, tmp_path_factory.mktemp(name))
    try:
        play_celery(programs)
        if not name.startswith("celery"):
            words = ["python", str(APPS / "apscheduler_jobs.py")]
            programs.start("apscheduler", "APScheduler", words)
            addresses = start_servers(programs)
            eventually(lambda: all(map(is_up, addresses.values())), within_s=_WITHIN_S)
            with ThreadPoolExecutor() as clients:
                list(clients.map(ask, addresses.values()))
            talk(addresses["fastapi"])
            eventually(lambda: ends(programs.lines("apscheduler")) == 4, within_s=_WITHIN_S)
        eventually(lambda: ends(programs.lines("worker")) == CELERY_ENDS, within_s=_WITHIN_S)
        yield PlayedRow(name, programs)
    except AssertionError:
        for one in programs.running:
            sys.stderr.write(f"--- {one}\n{programs.text(one)[-2000:]}\n")
        raise
    finally:
        programs.stop()


SERVERS = ("flask", "django-wsgi", "django-asgi", "fastapi", "starlette")


@of_all
@pytest.mark.parametrize("server", SERVERS)
def test_each_request_is_one_line(played: PlayedRow, server: str) -> None:
    """With its route, status and id; and the line in between has the id."""
    entries = [
        (line[f.HTTP_PATH], line.get(f.HTTP_ROUTE), line[f.HTTP_STATUS], line[f.REQUEST_ID])
        for line in played.requests(server)
        if f.HTTP_STATUS in line
    ]
    assert sorted(entries) == [
        ("/crash", "/crash", 500, "r-crash"),
        ("/missing", None, 404, "r-missing"),
        ("/orders/17", "/orders/{number}", 200, "r-orders-17"),
    ]
    inside = [one for one in played.programs.lines(server) if one[f.MESSAGE] == "looking for 17"]
    assert [line[f.REQUEST_ID] for line in inside] == ["r-orders-17"]


@of_all
@pytest.mark.parametrize("server", SERVERS)
def test_each_exception_is_told_once(played: PlayedRow, server: str) -> None:
    """In the line of its request; and nothing is written past the contract."""
    (output,) = [line for line in played.programs.lines(server) if f.STACKTRACE in line]
    assert (output[f.EXC_TYPE], output[f.LOGGER]) == ("RuntimeError", "lokikit.requests")
    strays = [one for one in played.programs.text(server).splitlines() if not one.startswith("{")]
    assert strays == []


@of_all
def test_a_websocket_is_one_line(played: PlayedRow) -> None:
    """With the code of its end, and nothing of the server beside it but that it has closed."""
    eventually(lambda: any(f.CLOSE_CODE in line for line in played.requests("fastapi")))
    (line,) = [line for line in played.requests("fastapi") if f.CLOSE_CODE in line]
    assert (line[f.CLOSE_CODE], line[f.HTTP_ROUTE]) == (1000, "/talk/{number}")
    assert (line[f.HTTP_PATH], line[f.REQUEST_ID]) == ("/talk/17", "r-talk")
    assert not any("accepted" in one[f.MESSAGE] for one in played.programs.lines("fastapi"))


@of_celery
def test_celery_tells_each_end(played: PlayedRow) -> None:
    """A killed process and a hard time limit too, once, at level warning."""
    assert played.histories("worker") == {
        "fail": ["run", "fail"],
        "overrun": ["run", "terminate"],
        "die": ["run", "crash"],
        "have_nothing_to_do": ["run", "inaction"],
        "succeed": ["run", "success"],
    }
    entries = [line[f.MESSAGE] for line in played.programs.lines("worker")]
    assert not any("Task handler raised" in one or "Hard time limit" in one for one in entries)
    (failed,) = [one for one in played.programs.lines("worker") if f.EXC_TYPE in one]
    assert failed[f.ACTION] == "fail"


@of_celery
def test_beat_tells_what_it_sends(played: PlayedRow) -> None:
    sent = [one for one in played.programs.lines("beat") if one[f.LOGGER] == "lokikit.celery.beat"]
    assert sent
    assert {line[f.TASK_NAME] for line in sent} == {"celery_tasks.tick"}


@of_all
def test_apscheduler_tells_each_end(played: PlayedRow) -> None:
    """In threads and in a process."""
    assert played.histories("apscheduler") == {
        "succeed-default": ["run", "success"],
        "fail-default": ["run", "fail"],
        "succeed-processes": ["run", "success"],
        "fail-processes": ["run", "fail"],
    }


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_oldest_version_is_the_same_wherever_it_is_stated(framework: str) -> None:
    """In the matrix, in the page's table and in the package's extras."""
    version = re.sub(r"\.post\d+$", "", pins(OLDEST)[framework])
    stated = {
        name.lower(): oldest
        for name, oldest in re.findall(
            r"^\| ([\w ]+) \| ([\d.]+) \| [\d.]+ \|$", PAGE, re.MULTILINE
        )
    }
    extra = rf'^{framework} = \[\n    "{framework}>=([\d.]+)[",]'
    minimum = re.search(extra, PYPROJECT.read_text(), re.MULTILINE)
    assert minimum, framework
    assert trimmed(stated[framework]) == trimmed(minimum[1]) == trimmed(version)


@pytest.mark.parametrize("framework", sorted({*FRAMEWORKS} - {"starlette"}))
def test_the_newest_version_of_the_page_is_the_tested_one(framework: str) -> None:
    """Starlette's is FastAPI's."""
    stated = dict(re.findall(r"^\| (\w+) \| [\d.]+ \| ([\d.]+) \|$", PAGE, re.MULTILINE))
    newest = {name.lower(): one for name, one in stated.items()}[framework]
    assert pins(NEWEST)[framework].startswith(newest)


def trimmed(version: str) -> str:
    """Without zeros at the end, for 5.3 is 5.3.0."""
    return re.sub(r"(\.0)+$", "", version)
