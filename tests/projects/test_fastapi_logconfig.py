"""A FastAPI project under `uvicorn --log-config` with a file of its own, and two workers."""

from __future__ import annotations

import pytest
from tests.integration.page import command
from tests.ports import free_ports
from tests.projects.project import Project, add_to_configuration, ask_for_orders, messages

from lokikit import fields as f

ROUNDS = 20


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """The project that was asked and stopped, and the id of the request that failed."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    project = Project("fastapi_logconfig", tmp_path_factory.mktemp("fastapi"), ["main.py"])
    add_to_configuration(project.folder / "logging.json")
    words = command("FastAPI and Starlette", " uvicorn ")
    words = ["main:app" if one == "shop:app" else one for one in words]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    return project, ask_for_orders(project, words, url, ROUNDS)


def test_each_event_is_one_line(played: tuple[Project, str]) -> None:
    """Of the supervisor, the workers, the application and each request."""
    lines = played[0].lines("shop")
    numbers = range(ROUNDS + 2)
    assert messages(lines, "shop") == {f"looking for {one}": 1 for one in numbers}
    requests = {f"GET /orders/{one} 200": 1 for one in numbers} | {"GET /crash 500": 1}
    assert messages(lines, "lokikit.requests") == requests
    assert messages(lines, "uvicorn.access") == {}
    assert messages(lines, "uvicorn")["Application startup complete."] == 2


def test_lines_have_the_id_of_their_request(played: tuple[Project, str]) -> None:
    """That of the application and that of the request share it."""
    lines = [one for one in played[0].lines("shop") if one[f.MESSAGE] == "looking for 7"]
    lines += [one for one in played[0].lines("shop") if one.get(f.HTTP_PATH) == "/orders/7"]
    assert len({one[f.REQUEST_ID] for one in lines}) == 1
    assert len(lines) == 2


def test_an_exception_is_told_once(played: tuple[Project, str]) -> None:
    """With its traceback, in the line of its request."""
    project, crashed = played
    (line,) = [one for one in project.lines("shop") if f.STACKTRACE in one]
    assert (line[f.REQUEST_ID], line[f.EXC_MESSAGE]) == (crashed, "no such warehouse")
    assert "in crash" in line[f.STACKTRACE]


def test_the_file_is_fed_as_before(played: tuple[Project, str]) -> None:
    """Each line once."""
    written = (played[0].folder / "shop.log").read_text()
    assert all(
        written.count(f"INFO shop.api looking for {one}\n") == 1 for one in range(ROUNDS + 2)
    )
