"""A Flask application factory under Gunicorn, with handlers for a file, mail and the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.page import command
from tests.mail_server import mail_server
from tests.ports import free_ports
from tests.projects.project import Project, ask_for_orders, messages

from lokikit import fields as f

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mail_server import Mailbox

ROUNDS = 20


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Mailbox, str]]:
    """The project that was asked and stopped, the mails, and the id of the request that failed."""
    folder, (port,) = tmp_path_factory.mktemp("flask"), free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with mail_server() as mailbox:
        project = Project(
            *("flask_factory", folder, ["wsgi.py"]),
            LOG_DIR=str(folder),
            MAIL_SERVER=mailbox.address,
        )
        words = ["wsgi:app" if one == "shop:app" else one for one in command("Flask", "gunicorn")]
        words += ["--bind", f"127.0.0.1:{port}"]
        yield project, mailbox, ask_for_orders(project, words, url, ROUNDS)


def test_each_event_is_one_line(played: tuple[Project, Mailbox, str]) -> None:
    """Of the application, of a logger that looks after itself, and of each request."""
    lines = played[0].lines("shop")
    numbers = range(ROUNDS + 2)
    assert messages(lines, "shop") == {f"looking for {one}": 1 for one in numbers}
    assert messages(lines, "reports") == {f"report of {one}": 1 for one in numbers}
    requests = {f"GET /orders/{one} 200": 1 for one in numbers} | {"GET /crash 500": 1}
    assert messages(lines, "lokikit.requests") == requests


def test_lines_have_the_id_of_their_request(played: tuple[Project, Mailbox, str]) -> None:
    """Three lines of each request share it."""
    lines = [one for one in played[0].lines("shop") if one[f.MESSAGE].endswith(" 7")]
    request = [one for one in played[0].lines("shop") if one.get(f.HTTP_PATH) == "/orders/7"]
    assert len({one[f.REQUEST_ID] for one in [*lines, *request]}) == 1
    assert len([*lines, *request]) == 3


def test_an_exception_is_told_once(played: tuple[Project, Mailbox, str]) -> None:
    """With its traceback, in the line of its request."""
    project, _, crashed = played
    (line,) = [one for one in project.lines("shop") if f.STACKTRACE in one]
    assert (line[f.REQUEST_ID], line[f.EXC_MESSAGE]) == (crashed, "no such warehouse")
    assert "in crash" in line[f.STACKTRACE]


def test_file_and_mail_are_fed_as_before(played: tuple[Project, Mailbox, str]) -> None:
    """Each line once, the error with its traceback."""
    project, mailbox, _ = played
    written = (project.folder.parent / "shop.log").read_text()
    assert all(written.count(f"INFO looking for {one}\n") == 1 for one in range(ROUNDS + 2))
    assert written.count("RuntimeError: no such warehouse") == 1
    (mail,) = mailbox.mails
    assert "RuntimeError: no such warehouse" in mail.get_content()
